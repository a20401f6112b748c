"""Intervals from the errors of held-out records, without a distribution.

Normalised conformal prediction (Lei et al. 2018, Journal of the American Statistical Association 113:1094):
an error divided by the difficulty that was foreseen for its record is a score. If records and candidates are
exchangeable, the ``ceil((n + 1) level)``-th smallest of n scores times a candidate's own difficulty covers it
with probability ``level``. A better foreseen difficulty keeps that promise and shortens the intervals, so
:func:`local_scale` lets the scores of relatives speak.

Candidates further from the training records than these are from one another break exchangeability: what is
exchangeable there, at best, is whole clusters (Dunn, Wasserman and Ramdas 2023, Journal of the American
Statistical Association 118:2491). A handful of clusters has no 90 % quantile, but it has a mean square and a
Student quantile: :class:`Widening` takes what clusters err when they are held out whole, each weighing the
same.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

#: Equally related records that weigh as much, in a local scale, as the mean of all records.
_PRIOR_RECORDS: Final = 20.0
#: Share of records held out at random that a candidate is less related than when it counts as distant.
_DISTANT: Final = 0.25
#: Candidates whose relatives are weighed at once, in the processor's cache.
_CANDIDATES: Final = 32


def conformal_quantile(scores: Vector, level: float = 0.9) -> float:
    """The ``ceil((n + 1) level)``-th smallest score.

    Where n is too small to promise the level (under 9 for 0.9) it is the largest score, which promises
    n / (n + 1).

    Parameters
    ----------
    scores
        (n,) scores of held-out records.
    level
        Probability that a new score is no larger.

    Returns
    -------
    float
        The score.

    Raises
    ------
    ValueError
        If there is no score.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 11.0))
    10.0
    >>> conformal_quantile(np.arange(1.0, 20.0))
    18.0
    """
    if not len(scores):
        raise ValueError("a quantile needs at least one score")
    # Rounding first keeps 0.9 * 10 from counting as a little more than 9.
    rank = min(ceil(round((len(scores) + 1) * level, 9)), len(scores))
    return float(np.partition(scores, rank - 1)[rank - 1])


def local_scale(correlation: Matrix, scores: Vector) -> Vector:
    """How the scores of a candidate's relatives compare with those of all records, around 1.

    The mean score, weighted by the squared genomic correlation with the candidate (negative ones count as 0)
    and shrunk towards the mean of all as far as few records carry the weight.

    Parameters
    ----------
    correlation
        (c, s) of candidates with the records that have scores.
    scores
        (s,).

    Returns
    -------
    ndarray
        (c,), 1 where no line is related or all scores are 0.

    Examples
    --------
    >>> local_scale(np.array([[1.0, 1.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0]]), np.array([2.0, 2.0, 1.0, 1.0]))
    array([1.03030303, 1.        ])
    """
    mean = float(scores.mean()) if len(scores) else 0.0
    if mean <= 0.0:
        return np.ones(len(correlation))
    total, squares, sums = np.empty((3, len(correlation)))
    for start in range(0, len(correlation), _CANDIDATES):
        block = slice(start, start + _CANDIDATES)
        weights = np.maximum(correlation[block], 0.0)
        weights *= weights
        total[block], sums[block] = weights.sum(axis=1), weights @ scores
        squares[block] = np.einsum("ij,ij->i", weights, weights)
    related = squares > 0.0
    count, near = np.zeros(len(total)), np.full(len(total), mean)
    np.divide(total**2, squares, out=count, where=related)
    np.divide(sums, total, out=near, where=related)
    return (count * near / mean + _PRIOR_RECORDS) / (count + _PRIOR_RECORDS)


@dataclass(frozen=True)
class Widening:
    """How much wider than a close candidate's the interval of a distant one is.

    Attributes
    ----------
    close, distant
        Relatedness with the nearest training record at which widening begins and at which it is complete.
    excess
        Squared half-width of a distant candidate relative to that of a close one, less 1; not negative.
    """

    close: float
    distant: float
    excess: float

    @classmethod
    def learn(
        cls,
        near: float,
        random: Vector,
        clusters: Vector,
        scores: Vector,
        labels: NDArray[np.int64],
        level: float = 0.9,
    ) -> Widening:
        """From records held out at random and as whole clusters.

        The root of the clusters' mean squared score, each cluster weighing the same, is a standard deviation
        in foreseen half-widths; times Student's quantile it is the half-width that a new cluster needs. The
        degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin 2:110): as many as clusters where
        these differ as shared shifts would make them, as many as records where they are alike. Reached is
        that half-width at the clusters' mean place on the ramp from close to distant. A distant candidate's
        interval is never narrower than foreseen. Fewer than two clusters tell nothing.

        Parameters
        ----------
        near
            What foreseen half-widths are multiplied by for records held out at random.
        random
            (r,) relatedness of records held out at random with their nearest training record.
        clusters, scores, labels
            (c,) the same of records held out with their cluster, their scores (absolute error over foreseen
            half-width), and their clusters.
        level
            Probability that intervals are to cover an observation.

        Returns
        -------
        Widening
            The widening by relatedness.

        Examples
        --------
        >>> found = Widening.learn(
        ...     1.0, np.linspace(0.5, 0.9, 100), np.zeros(4), np.full(4, 2.0), np.array([0, 0, 1, 1])
        ... )
        >>> [round(float(factor), 2) for factor in found.factors(np.array([0.8, 0.65, 0.0]))]
        [1.0, 2.43, 3.29]
        """
        close, distant = np.quantile(random, [0.5, _DISTANT])
        ramp = cls(float(close), float(distant), 1.0)
        excess = max(0.0, 1.0 / near**2 - 1.0)
        each = [labels == label for label in np.unique(labels)]
        if len(each) > 1:
            squares = np.array([np.mean(scores[held] ** 2) for held in each])
            quantile = float(stdtrit(_degrees_of_freedom(squares), 0.5 + 0.5 * level))
            # Held out at random, records have closer relatives than held out with theirs.
            place = max(
                float(np.mean([np.mean(ramp.place(clusters[held])) for held in each])),
                float(np.mean(ramp.place(random))),
            )
            if place > 0.0:
                excess = max(excess, ((quantile / near) ** 2 * float(squares.mean()) - 1.0) / place)
        return cls(ramp.close, ramp.distant, excess)

    def place(self, relatedness: Vector) -> Vector:
        """Place of candidates on the ramp from close to distant.

        Parameters
        ----------
        relatedness
            (c,) relatedness of candidates with their nearest training record.

        Returns
        -------
        ndarray
            (c,) 0 for close candidates, 1 for distant ones, straight in between.
        """
        gap = max(self.close - self.distant, 1e-9)
        return np.clip((self.close - relatedness) / gap, 0.0, 1.0)

    def factors(self, relatedness: Vector) -> Vector:
        """Half-widths of candidates relative to that of a close one.

        Parameters
        ----------
        relatedness
            (c,) relatedness of candidates with their nearest training record.

        Returns
        -------
        ndarray
            (c,) factors of at least 1.
        """
        return np.sqrt(1.0 + self.excess * self.place(relatedness))


def _degrees_of_freedom(squares: Vector) -> float:
    """Satterthwaite's, of the mean of independent mean squares; infinitely many where they are equal."""
    noise = float(squares.var(ddof=1)) / len(squares)
    return 2.0 * float(squares.mean()) ** 2 / noise if noise > 0.0 else np.inf
