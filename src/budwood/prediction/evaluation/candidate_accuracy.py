"""Accuracy for the candidates at hand: that of held-out lines as far from the training lines as these are.

Lines held out at random keep their relatives in the training set. Candidates of another population do not,
and an accuracy from random folds does not hold for them. So candidates are taken by cluster. A cluster mixed
among the phenotyped lines, as near to these as they are to one another, has the accuracy of random folds. For
one further away, and for one that is near but a group of its own, clusters of phenotyped lines that are as
far from the rest are held out whole, and their accuracy is given. Where there is none, it is not judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from budwood.prediction.contract import Estimator
from budwood.prediction.evaluation.results import CandidateSet
from budwood.prediction.kernels.distant_lines import CandidateCluster, DistantLines
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.evaluation.metrics import coverage, pearson_r
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

#: Numbers of clusters into which the phenotyped lines are divided to hold some out.
_DIVISIONS: Final = (2, 3, 4, 5, 6, 8)
#: Fewest lines that are held out together, and that are left to learn from.
_HELD_OUT: Final = 10
_LEFT: Final = 20
#: Share of a cluster's distance that held-out lines must have to stand for it.
_AS_FAR: Final = 0.8
#: Most sets held out for one cluster of candidates.
_SETS: Final = 6
#: Fewest held-out sets from whose differences an interval is stated.
_FEWEST_FOR_INTERVAL: Final = 3


@dataclass(frozen=True)
class HeldOutSet:
    """Phenotyped lines held out together, and what the model said of them.

    Attributes
    ----------
    r, coverage_90
        Correlation with the observations, and share of these in their 90 % interval.
    """

    r: float
    coverage_90: float


class CandidateAccuracy:
    """Judges the candidates of a panel.

    Parameters
    ----------
    kernels
        The whole panel.
    phenotyped
        (n,) rows of it with a value.
    y
        (n,) trait values.
    model
        The model that predicts the candidates.
    random_r, random_coverage
        Its accuracy and its intervals' coverage in random folds.
    """

    def __init__(
        self,
        kernels: PanelKernels,
        phenotyped: Rows,
        y: Vector,
        model: Estimator,
        *,
        random_r: float,
        random_coverage: float,
    ) -> None:
        self._kernels, self._phenotyped, self._y, self._model = kernels, phenotyped, y, model
        self._random = HeldOutSet(random_r, random_coverage)
        everyone = np.arange(len(kernels))
        self._lines = DistantLines(kernels.kernel(RELATIONSHIP, everyone), phenotyped)
        self._tried: dict[bytes, HeldOutSet] = {}

    def judge(self) -> tuple[tuple[CandidateSet, ...], NDArray[np.bool_]]:
        """Accuracy for each cluster of candidates, mixed ones taken together; and which lines are far.

        Returns
        -------
        tuple[tuple[CandidateSet, ...], NDArray[np.bool_]]
            The sets, and the mask (lines,).
        """
        far, clusters = self._lines.judge()
        near = [each.rows for each in clusters if each.kind == "near" and len(each.rows)]
        sets = [self._group(each) for each in clusters if each.kind != "near"]
        if near:
            sets.insert(0, self._set("near", np.sort(np.concatenate(near)), [self._random]))
        return tuple(sets), far

    def _group(self, cluster: CandidateCluster) -> CandidateSet:
        """What held-out groups as far away as a cluster show of it."""
        rows = cluster.rows
        distance = self._lines.nearest(rows, self._phenotyped)
        alike = [held for held in self._held_out_sets() if self._set_distance(held) >= _AS_FAR * distance]
        alike.sort(key=lambda held: abs(np.log(self._set_distance(held) / max(distance, 1e-12))))
        found = [self._try(held) for held in alike[:_SETS]]
        return self._set(cluster.kind if found else "not judged", rows, found, _disjoint(alike[:_SETS]))

    def _set(self, kind: str, rows: Rows, found: list[HeldOutSet], disjoint: int = 0) -> CandidateSet:
        nan = float("nan")
        lower, upper = (nan, nan) if kind == "near" else _interval_of_one([each.r for each in found])
        return CandidateSet(
            kind=kind,
            accessions=tuple(self._kernels.genotypes.accessions[row] for row in rows),
            distance=self._lines.nearest(rows, self._phenotyped),
            mean_r=float(np.mean([each.r for each in found])) if found else nan,
            lowest_coverage=min((each.coverage_90 for each in found), default=nan),
            mean_coverage=float(np.mean([each.coverage_90 for each in found])) if found else nan,
            held_out_sets=len(found),
            disjoint_sets=disjoint,
            lower_r=lower,
            upper_r=upper,
        )

    def _held_out_sets(self) -> list[NDArray[np.bool_]]:
        """Clusters of phenotyped lines from coarse and fine divisions, each once."""
        found: dict[bytes, NDArray[np.bool_]] = {}
        n = len(self._phenotyped)
        for count in _DIVISIONS:
            clusters = self._lines.clusters(self._phenotyped, count, _HELD_OUT)
            for cluster in np.unique(clusters):
                held = clusters == cluster
                size = int(held.sum())
                enough = size >= _HELD_OUT and n - size >= max(_LEFT, n // 3)
                if enough and np.ptp(self._y[held]) > 0.0 and np.ptp(self._y[~held]) > 0.0:
                    found[held.tobytes()] = held
        return list(found.values())

    def _set_distance(self, held: NDArray[np.bool_]) -> float:
        return self._lines.nearest(self._phenotyped[held], self._phenotyped[~held])

    def _try(self, held: NDArray[np.bool_]) -> HeldOutSet:
        key = held.tobytes()
        if key not in self._tried:
            training, rows, y = self._phenotyped[~held], self._phenotyped[held], self._y
            fitted = self._model.fit(self._kernels, training, y[~held])
            said = fitted.predict(self._kernels.lines(rows, training))
            inside = coverage(said.lower_90, said.upper_90, y[held])
            self._tried[key] = HeldOutSet(pearson_r(said.value, y[held]), inside)
        return self._tried[key]


def _interval_of_one(r: list[float]) -> tuple[float, float]:
    """80 % prediction interval of the correlation in one more set: Student's t, within -1 and 1."""
    if len(r) < _FEWEST_FOR_INTERVAL:
        return float("nan"), float("nan")
    mean, spread = float(np.mean(r)), float(np.std(r, ddof=1))
    half = float(student_t.ppf(0.9, len(r) - 1)) * spread * float(np.sqrt(1.0 + 1.0 / len(r)))
    return max(-1.0, mean - half), min(1.0, mean + half)


def _disjoint(sets: list[NDArray[np.bool_]]) -> int:
    """How many of the sets have no line in common, taken from the first on."""
    kept: list[NDArray[np.bool_]] = []
    for each in sets:
        if not any((each & other).any() for other in kept):
            kept.append(each)
    return len(kept)
