"""Scores on contigs that were kept out of training, followed while training."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from meristem.corpus.sampler import WindowSampler
from meristem.genomics.region import CODING, UNLABELLED, Region
from meristem.genomics.sequence import MASK
from meristem.training.batches import hidden_batch
from meristem.training.objectives import PretrainingObjective

#: Classes that hidden bases are scored by; introns with their splice sites, coding with start and stop.
REGION_GROUPS: Final = {
    "coding": CODING,
    "intron": tuple(int(r) for r in Region if r.name.split("_")[0] in {"INTRON", "DONOR", "ACCEPTOR"}),
    "utr": (int(Region.UTR),),
    "intergenic": (int(Region.INTERGENIC),),
}


def validate(
    objective: PretrainingObjective, sampler: WindowSampler, batches: int, size: int
) -> dict[str, float]:
    """Scores on the same windows every time.

    Returns
    -------
    dict
        ``span_cross_entropy`` (nats) and ``span_accuracy`` over hidden bases that are not repeats;
        ``region_cross_entropy`` and ``coding_auroc`` over labelled bases, where there are any.
    """
    objective.eval()
    surprise: list[NDArray[np.float64]] = []
    correct: list[NDArray[np.bool_]] = []
    doubt: list[NDArray[np.float64]] = []
    coding: list[NDArray[np.float64]] = []
    truth: list[NDArray[np.bool_]] = []
    with torch.no_grad():
        for number in range(batches):
            codes, hidden, repeat, region = hidden_batch(sampler, objective.config, number, size)
            reading = objective.encoder.strand(codes.masked_fill(hidden, MASK))
            scored = hidden & ~repeat
            bases = reading.bases.float().log_softmax(-1)[scored]
            surprise.append(-bases.gather(1, codes[scored][:, None])[:, 0].double().numpy())
            correct.append((bases.argmax(-1) == codes[scored]).numpy())
            labelled = region != UNLABELLED
            regions = reading.regions.float().log_softmax(-1)[labelled]
            labels = region[labelled]
            doubt.append(-regions.gather(1, labels[:, None])[:, 0].double().numpy())
            coding.append(regions[:, list(CODING)].exp().sum(-1).double().numpy())
            truth.append(np.isin(labels.numpy(), CODING))
    scores = {
        "span_cross_entropy": float(np.concatenate(surprise).mean()),
        "span_accuracy": float(np.concatenate(correct).mean()),
    }
    labels_seen = np.concatenate(truth)
    if 0 < labels_seen.sum() < len(labels_seen):
        scores["region_cross_entropy"] = float(np.concatenate(doubt).mean())
        scores["coding_auroc"] = float(roc_auc_score(labels_seen, np.concatenate(coding)))
    return scores
