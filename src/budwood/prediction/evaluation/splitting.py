"""How accessions are held out, and whether what is held out can be judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.stats.evaluation.metrics import MINIMUM_PAIRS
from budwood.stats.evaluation.splitters import Folds
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Scheme:
    """Folds of accessions.

    Attributes
    ----------
    name
        ``"random"``, ``"clusters"`` or ``"families"``.
    repeats
        For each repeat the fold of each labelled accession, (n,).
    families
        Family of each labelled accession where whole families are held out.
    """

    name: str
    repeats: tuple[Folds, ...]
    families: tuple[str, ...] = ()

    @property
    def folds(self) -> int:
        """Folds in each repeat."""
        return int(self.repeats[0].max()) + 1

    def splits(self, repeat: int) -> Iterator[tuple[Rows, Rows]]:
        """Training and held-out rows of each fold.

        Parameters
        ----------
        repeat
            Number of the repeat, from 0.

        Yields
        ------
        tuple[Rows, Rows]
            Rows to learn from and rows held out.
        """
        folds = self.repeats[repeat]
        for fold in np.unique(folds):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)

    def check(self, y: Vector) -> None:
        """Refuse folds of which some cannot be learnt without or judged.

        Parameters
        ----------
        y
            (n,) trait values of the training lines.

        Raises
        ------
        BudwoodError
            If a fold holds too few accessions or one trait value only, or leaves no more to learn from.
        """
        if self.folds < 2:
            raise BudwoodError(
                f"scheme {self.name!r} finds one group among the {len(y)} phenotyped accessions, so none is "
                "left to learn from",
                mend="choose scheme random",
            )
        for repeat in range(len(self.repeats)):
            for fold, (training, held_out) in enumerate(self.splits(repeat)):
                place = f"fold {fold + 1} of {self.folds}, repeat {repeat + 1}"
                self._check_fold(y[training], y[held_out], place)

    def _check_fold(self, training: Vector, held_out: Vector, place: str) -> None:
        ways = ["use fewer folds"] if self.folds > 2 else ["label more accessions"]
        other = " or ".join([*ways, *(["choose scheme random"] if self.name != "random" else [])])
        if min(len(held_out), len(training)) < MINIMUM_PAIRS:
            part, few = ("holds", held_out) if len(held_out) < MINIMUM_PAIRS else ("leaves", training)
            raise BudwoodError(
                f"{place}, {part} {len(few)} of {len(training) + len(held_out)} phenotyped accessions where "
                f"{MINIMUM_PAIRS} are needed",
                mend=other,
            )
        if np.ptp(held_out) == 0.0:
            raise BudwoodError(
                f"all {len(held_out)} accessions of {place}, have the same trait value, {held_out[0]:g}, so "
                "predictions of them cannot be judged",
                mend=other,
            )
        if np.ptp(training) == 0.0:
            raise BudwoodError(
                f"without {place}, all {len(training)} accessions to learn from have the same trait value, "
                f"{training[0]:g}",
                mend=other,
            )
