"""Scores on sequence that was kept out of training, followed while training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor

from budwood.genomics.annotation.base_class import CODING, UNLABELLED, BaseClass
from budwood.genomics.sequence import MASK, N
from budwood.training.data.batches import Windows, training_batch
from budwood.training.objective.objectives import PretrainingObjective
from budwood.training.objective.training_batch import TrainingBatch

#: Classes that hidden bases are scored by; introns with their splice sites, coding with start and stop.
REGION_GROUPS: Final = {
    "coding": CODING,
    "intron": tuple(int(r) for r in BaseClass if r.name.split("_")[0] in {"INTRON", "DONOR", "ACCEPTOR"}),
    "utr": (int(BaseClass.UTR),),
    "intergenic": (int(BaseClass.INTERGENIC),),
}

#: One base in so many is hidden where single bases are scored.
_SPACING: Final = 16

#: A species has a score of its own from this share of the hidden bases on: a corpus can have hundreds.
_LEAST_SHARE: Final = 0.05


@dataclass(frozen=True)
class _Predictions:
    """Hidden bases that are no repeats: surprisal (nats), whether predicted correctly, region and species."""

    surprisal: NDArray[np.float64]
    right: NDArray[np.bool_]
    region: NDArray[np.int64]
    species: NDArray[np.int64]


def validate(
    objective: PretrainingObjective,
    windows: Windows,
    batches: int,
    size: int,
    species: Sequence[str] = (),
) -> dict[str, float]:
    """Scores on the same windows every time, one strand read.

    Parameters
    ----------
    objective
        Network and losses; left in evaluation mode.
    windows
        Windows kept for validation.
    batches
        Number of batches.
    size
        Windows per batch.
    species
        Names of species by their number in a batch.

    Returns
    -------
    dict
        ``span_cross_entropy`` (nats) and ``span_accuracy`` over bases hidden as in training;
        ``base_cross_entropy`` and ``base_accuracy`` with one base in 16 hidden, and the first of these also
        by region class and by species with at least 5 % of them (``"base_cross_entropy/coding"``), where
        there are any. Repeats do not count. ``region_cross_entropy`` and ``coding_auroc`` over labelled
        bases, where there are any.
    """
    objective.eval()
    spans, singles, region_losses, coding, truth = [], [], [], [], []
    with torch.no_grad():
        for number in range(batches):
            batch = training_batch(windows, objective.config, number, size)
            kinds = torch.from_numpy(windows.batch(number, size).species.astype(np.int64))
            bases, regions = _read(objective, batch.codes, batch.hidden)
            spans.append(_predictions(bases, batch, batch.hidden, kinds))
            labelled = batch.region != UNLABELLED
            known = regions[labelled]
            labels = batch.region[labelled]
            region_losses.append(-known.gather(1, labels[:, None])[:, 0].double().numpy())
            coding.append(known[:, list(CODING)].exp().sum(-1).double().numpy())
            truth.append(np.isin(labels.numpy(), CODING))
            single = _single(batch.codes, number)
            bases, _ = _read(objective, batch.codes, single)
            singles.append(_predictions(bases, batch, single, kinds))
    scores = _summary("span", _joined(spans), ()) | _summary("base", _joined(singles), species)
    labels_seen = np.concatenate(truth)
    if 0 < labels_seen.sum() < len(labels_seen):
        scores["region_cross_entropy"] = float(np.concatenate(region_losses).mean())
        scores["coding_auroc"] = float(roc_auc_score(labels_seen, np.concatenate(coding)))
    return scores


def _read(objective: PretrainingObjective, codes: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    device = next(objective.parameters()).device
    reading = objective.read(codes.masked_fill(hidden, MASK).to(device))
    bases, regions = (logits.float().log_softmax(-1).cpu() for logits in (reading.bases, reading.regions))
    return bases, regions


def _single(codes: Tensor, number: int) -> Tensor:
    """One base in every _SPACING, in another place in every window."""
    rows = torch.arange(len(codes))[:, None] + number
    return ((torch.arange(codes.shape[1]) + 5 * rows) % _SPACING == 0) & (codes < N)


def _predictions(bases: Tensor, batch: TrainingBatch, hidden: Tensor, species: Tensor) -> _Predictions:
    scored = hidden & ~batch.repeat
    chosen, truth = bases[scored], batch.codes[scored]
    return _Predictions(
        -chosen.gather(1, truth[:, None])[:, 0].double().numpy(),
        (chosen.argmax(-1) == truth).numpy(),
        batch.region[scored].numpy(),
        species[:, None].expand_as(scored)[scored].numpy(),
    )


def _joined(parts: list[_Predictions]) -> _Predictions:
    columns = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("surprisal", "right", "region", "species")
    )
    return _Predictions(*columns)


def _summary(kind: str, predictions: _Predictions, species: Sequence[str]) -> dict[str, float]:
    if len(predictions.surprisal) == 0:
        return {}
    scores = {
        f"{kind}_cross_entropy": float(predictions.surprisal.mean()),
        f"{kind}_accuracy": float(predictions.right.mean()),
    }
    if kind == "base":
        groups = {name: np.isin(predictions.region, classes) for name, classes in REGION_GROUPS.items()}
        own = {name: predictions.species == number for number, name in enumerate(species)}
        groups |= {name: mask for name, mask in own.items() if mask.mean() >= _LEAST_SHARE}
        for name, inside in groups.items():
            if inside.any():
                scores[f"{kind}_cross_entropy/{name}"] = float(predictions.surprisal[inside].mean())
    return scores
