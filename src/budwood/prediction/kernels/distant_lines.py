"""Which lines are far from the phenotyped ones: the rule for extrapolation, in a panel and for new lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from budwood.stats.evaluation.splitters import Folds, cluster_folds
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Clusters of the candidates, and fewest lines of one.
_CLUSTERS: Final = 8
_SMALLEST: Final = 5
#: Clusters of the phenotyped lines that have a limit of their own, and fewest lines of one.
_TRAINING_CLUSTERS: Final = 5
_OWN_LIMIT: Final = 20
#: Share of the phenotyped lines that have a nearer relative than a line that is far, and than one that is
#: unusual: a cluster of unusual lines is far as a whole.
_NEAR: Final = 0.95
_USUAL: Final = 0.75
#: Nearest lines among which phenotyped ones are counted, and fewest lines of a cluster of phenotyped lines
#: that says how many are usual. Share of the usual under which a cluster is a group of its own, and how
#: improbable so few must be in a cluster that is mixed with phenotyped lines.
_NEIGHBOURS: Final = 10
_HOME: Final = 10
_FEW: Final = 0.5
_IMPROBABLE: Final = 0.01


@dataclass(frozen=True)
class CandidateCluster:
    """Lines that are not phenotyped and are alike.

    Attributes
    ----------
    rows
        The lines.
    kind
        ``"near"``: mixed among the phenotyped lines, as these are among one another. ``"near group"``: as
        near, but few phenotyped lines are among its nearest lines: a group of its own. ``"far"``: most of its
        lines are further away than phenotyped lines are from one another.
    """

    rows: Rows
    kind: Literal["near", "near group", "far"]


class DistantLines:
    """Distances of lines from the phenotyped ones among them.

    Parameters
    ----------
    relationship
        (lines, lines) of all lines, centred by all: markers that do not vary among the phenotyped lines tell
        others from them.
    phenotyped
        (n,) rows of the phenotyped lines.
    """

    def __init__(self, relationship: Matrix, phenotyped: Rows) -> None:
        self._relationship, self._phenotyped = relationship, phenotyped
        rest = np.ones(len(relationship), dtype=np.bool_)
        rest[phenotyped] = False
        self._candidates = np.flatnonzero(rest)
        own = np.diagonal(relationship)
        self._distance = np.maximum(own[:, None] + own[None, :] - 2.0 * relationship, 0.0)

    def far_lines(self, quantile: float = _NEAR) -> NDArray[np.bool_]:
        """(lines,) whether a line is further from its nearest phenotyped line than those around that one.

        A line is far from its nearest phenotyped line if 95 % of the phenotyped lines around that one are
        nearer to theirs; a phenotyped line never is. The limit is that of the cluster of phenotyped lines in
        which the nearest one is, so a training set of two groups is no reason to call a third one near.

        Parameters
        ----------
        quantile
            Share of phenotyped lines that are nearer, 0 to 1.

        Returns
        -------
        NDArray[np.bool_]
            (lines,) mask.
        """
        training = self._distance[np.ix_(self._phenotyped, self._phenotyped)].copy()
        np.fill_diagonal(training, np.inf)
        nearest = training.min(axis=1)
        clusters = self.clusters(self._phenotyped, _TRAINING_CLUSTERS, _OWN_LIMIT)
        limit = np.empty(len(nearest))
        for cluster in np.unique(clusters):
            inside = clusters == cluster
            limit[inside] = np.quantile(nearest[inside], quantile)
        far = np.zeros(len(self._distance), dtype=np.bool_)
        to_training = self._distance[np.ix_(self._candidates, self._phenotyped)]
        if len(self._candidates):
            far[self._candidates] = to_training.min(axis=1) > limit[to_training.argmin(axis=1)] * (1.0 + 1e-9)
        return far

    def judge(self) -> tuple[NDArray[np.bool_], list[CandidateCluster]]:
        """Which lines are far, and the clusters of the lines that are not phenotyped.

        All lines of a cluster count as far where most of them are further away than three in four of the
        phenotyped lines around their nearest one are from theirs. Other clusters are groups of their own
        where phenotyped lines are under half as frequent among the 10 nearest lines of each as in the cluster
        of phenotyped lines next to them, and chance does not explain it.

        Returns
        -------
        far
            (lines,).
        clusters
            Each cluster, none where every line is phenotyped.
        """
        far, distant = self.far_lines(), self.far_lines(_USUAL)
        labels = self.clusters(self._candidates, _CLUSTERS, _SMALLEST)
        neighbours = self._neighbours()
        share = np.isin(neighbours, self._phenotyped).mean(axis=1)
        usual = self._usual(share)
        found = []
        for label in np.unique(labels):
            rows = self._candidates[labels == label]
            if _mostly(distant[rows]):
                far[rows] = True
                found.append(CandidateCluster(rows, "far"))
                continue
            # Lines of a cluster have neighbours in common, so each is counted once.
            seen = len(np.unique(neighbours[rows]))
            apart = _rare(float(share[rows].mean()), float(usual[rows].mean()), seen)
            found.append(CandidateCluster(rows, "near group" if apart else "near"))
        return far, found

    def _neighbours(self) -> NDArray[np.intp]:
        """(lines, neighbours) the nearest other lines of each, phenotyped or not."""
        count = min(_NEIGHBOURS, len(self._distance) - 1)
        found = np.empty((len(self._distance), count), dtype=np.intp)
        for line, distance in enumerate(self._distance):
            others = distance.copy()
            others[line] = np.inf
            found[line] = np.argpartition(others, count - 1)[:count]
        return found

    def _usual(self, share: Vector) -> Vector:
        """(lines,) mean share of phenotyped neighbours in the cluster of the nearest phenotyped line.

        Where a population is phenotyped in part, that is what is usual there.
        """
        clusters = self.clusters(self._phenotyped, _CLUSTERS, _HOME)
        own = share[self._phenotyped]
        mean = np.array([own[clusters == cluster].mean() for cluster in np.unique(clusters)])
        return mean[clusters[self._distance[:, self._phenotyped].argmin(axis=1)]]

    def nearest(self, rows: Rows, others: Rows) -> float:
        """Median distance of rows from the nearest of others.

        Parameters
        ----------
        rows, others
            Lines.

        Returns
        -------
        float
            Squared distance.
        """
        return float(np.median(self._distance[np.ix_(rows, others)].min(axis=1)))

    def clusters(self, rows: Rows, count: int, smallest: int) -> Folds:
        """Ward's clusters of some lines.

        Parameters
        ----------
        rows
            The lines.
        count, smallest
            Most clusters, and fewest lines of one.

        Returns
        -------
        NDArray[np.int64]
            Cluster of each row.
        """
        count = min(count, len(rows) // smallest)
        if count < 2:
            return np.zeros(len(rows), dtype=np.int64)
        return cluster_folds(self._relationship[np.ix_(rows, rows)], count, smallest)


def _mostly(unusual: NDArray[np.bool_]) -> bool:
    """Whether over half of a cluster's lines are unusual, and more than chance explains."""
    chance = 1.0 - _USUAL
    error = float(np.sqrt(chance * (1.0 - chance) / len(unusual)))
    return float(unusual.mean()) > max(0.5, chance + 3.0 * error)


def _rare(share: float, usual: float, seen: int) -> bool:
    """Whether phenotyped lines are rare among so many neighbours, and more than chance explains."""
    return share < _FEW * usual and float(binom.cdf(np.floor(share * seen), seen, usual)) < _IMPROBABLE
