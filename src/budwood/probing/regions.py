"""Agreement of per-base predictions with an annotation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from budwood.genomics.annotation.base_class import CODING
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, N
from budwood.inference.embed import stack_intervals, tile
from budwood.model.checkpoint import Checkpoint
from budwood.progress import progress

_BATCH = 16


@dataclass(frozen=True)
class CodingScore:
    """AUROC of coding bases against all others.

    Attributes
    ----------
    auroc
        Area under the ROC curve.
    coding, other
        Number of scored bases of either kind.
    """

    auroc: float
    coding: int
    other: int


def coding_probability(
    assembly: Assembly, checkpoint: Checkpoint, *, show: bool | None = None
) -> dict[str, NDArray[np.float32]]:
    """Predict the probability that each base is protein coding on either strand.

    Contigs are read in consecutive windows of 512 bases without overlap, both strands combined.

    Parameters
    ----------
    assembly
        The genome.
    checkpoint
        The encoder.
    show
        Whether to show progress; by default where the output is a terminal.

    Returns
    -------
    dict
        (length,) ``float32`` probabilities by contig.
    """
    tiles = tile(assembly)
    found = {contig: np.zeros(length, dtype=np.float32) for contig, length in assembly.contigs.items()}
    with torch.inference_mode(), progress("reading", total=len(tiles), show=show) as advance:
        for begin in range(0, len(tiles), _BATCH):
            batch = tiles[begin : begin + _BATCH]
            codes = stack_intervals(assembly, batch)
            reading = checkpoint.encoder(torch.from_numpy(codes.astype(np.int64)).to(checkpoint.device))
            coding = reading.regions.softmax(-1)[..., list(CODING)].sum(-1).cpu().numpy()
            for interval, row, values in zip(batch, codes, coding, strict=True):
                found[interval.contig][interval.start : interval.end] = values[row != PAD]
            advance(len(batch))
    return found


def score_coding(
    probability: dict[str, NDArray[np.float32]], assembly: Assembly, annotation: Annotation
) -> CodingScore:
    """Compute the AUROC over every base that is not N; bases without annotation count as not coding.

    Parameters
    ----------
    probability
        (length,) probabilities by contig.
    assembly
        The genome.
    annotation
        Its genes.

    Returns
    -------
    CodingScore
        AUROC and numbers of bases.
    """
    scores, truth = [], []
    for contig, length in assembly.contigs.items():
        known = assembly.sequence(Interval(contig, 0, length)) != N
        scores.append(probability[contig][known])
        truth.append(np.isin(base_class_track(annotation, contig, length), CODING)[known])
    labels = np.concatenate(truth)
    auroc = float(roc_auc_score(labels, np.concatenate(scores)))
    return CodingScore(auroc, int(labels.sum()), int((~labels).sum()))
