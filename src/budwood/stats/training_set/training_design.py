"""Which lines to phenotype, so that a model trained on them predicts the others best.

CDmean (Rincent et al. 2012, Genetics 192:715): the mean coefficient of determination of the contrasts between
each line that stays unphenotyped and the population mean. PEVmean: the mean prediction-error variance of the
same contrasts. Lines are added one by one, the best first, and then exchanged until none improves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.stats.relationship.relationship import Rows
from budwood.stats.training_set.training_information import (
    Matrix,
    TrainingInformation,
    Vector,
    contrast_error_variance,
    contrast_variance,
    differs_from_mean,
    reliability_of,
)
from budwood.stats.training_set.training_limits import TrainingLimits

Criterion = Literal["cdmean", "pevmean"]

#: Share of the sum by which an exchange must lower it, so that rounding errors do not go round in circles.
_IMPROVEMENT: Final = 1e-8


@dataclass(frozen=True)
class TrainingProblem:
    """A population of n lines of which some are to be phenotyped.

    Attributes
    ----------
    kernel
        (n, n) relationship; its origin does not matter.
    ratio
        Residual variance of a record over the genetic variance that multiplies the kernel.
    phenotyped
        Rows with a record already; they stay in training.
    candidates
        Rows to choose from.
    criterion
        ``"cdmean"`` or ``"pevmean"``.
    targets
        Rows to predict, the candidates by default. A line counts only while it is not in training.
    """

    kernel: Matrix
    ratio: float
    phenotyped: Rows
    candidates: Rows
    criterion: Criterion = "cdmean"
    targets: Rows | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.ratio < np.inf:
            raise BudwoodError("the variance ratio must be a positive number", mend="correct heritability")
        if not differs_from_mean(self.variance).any():
            raise BudwoodError(
                "all lines are alike at the markers, so none tells more than another",
                mend="give lines that differ",
            )

    @cached_property
    def variance(self) -> Vector:
        """(n,) variance of the contrasts without any record."""
        return contrast_variance(self.kernel)

    @cached_property
    def weights(self) -> Vector:
        """(n,) weight of each line's error variance in the sum that the chosen lines make small."""
        weights = np.zeros(len(self.kernel))
        weights[self.candidates if self.targets is None else self.targets] = 1.0
        if self.criterion == "cdmean":
            differs = differs_from_mean(self.variance)
            weights[~differs] = 0.0
            np.divide(weights, self.variance, out=weights, where=differs)
        return weights

    def outlook(self, chosen: Rows, lines: Rows) -> tuple[float, float]:
        """CDmean and PEVmean of some lines when the chosen ones are phenotyped as well.

        Without any record CDmean is 0.

        Parameters
        ----------
        chosen
            Rows that are phenotyped besides those with a record.
        lines
            Rows over which the means are taken.

        Returns
        -------
        reliability : float
            CDmean, 0 to 1.
        error_variance : float
            PEVmean, per unit of genetic variance.
        """
        training = np.concatenate([self.phenotyped, chosen])
        if not len(training):
            return 0.0, float(self.variance[lines].mean())
        error = contrast_error_variance(self.kernel, self.ratio, training)
        reliability = reliability_of(error, self.variance)
        return float(reliability[lines].mean()), float(error[lines].mean())


@dataclass(frozen=True)
class TrainingDesign:
    """Lines chosen for phenotyping.

    Attributes
    ----------
    rows
        (k,) chosen rows: each tells most about the lines not chosen, given those before it.
    reliability, error_variance
        (k + 1,) CDmean and PEVmean (per unit genetic variance) of the lines not chosen, before any chosen
        line is phenotyped and after each. Without phenotyped lines a first record holds no information about
        contrasts.
    sweeps, exchanges
        Rounds through all chosen lines, and exchanges made.
    settled
        Whether the last round found nothing to exchange.
    """

    rows: Rows
    reliability: Vector
    error_variance: Vector
    sweeps: int
    exchanges: int
    settled: bool


def choose_training(
    problem: TrainingProblem,
    count: int,
    *,
    limits: TrainingLimits | None = None,
    sweeps: int = 20,
    seed: int = 0,
) -> TrainingDesign:
    """Choose lines to phenotype: a greedy start, then exchanges until none improves the criterion.

    Parameters
    ----------
    problem
        The population and what is to be predicted.
    count
        Lines to choose; fewer are chosen where the budget ends before.
    limits
        Quotas and budget over all n lines of the problem.
    sweeps
        Most rounds of exchanges; 0 keeps the greedy start.
    seed
        Of the order in which a round visits the chosen lines.

    Returns
    -------
    TrainingDesign
        The chosen lines, the most informative first.

    Raises
    ------
    BudwoodError
        If the limits cannot be met.

    Examples
    --------
    >>> two_families = np.kron(np.eye(2), np.full((3, 3), 0.5)) + 0.5 * np.eye(6)
    >>> problem = TrainingProblem(two_families, 1.0, np.arange(0), np.arange(6))
    >>> np.sort(choose_training(problem, 2).rows // 3)  # one line of each family
    array([0, 1])
    """
    if not 1 <= count < len(problem.candidates):
        raise BudwoodError(
            f"{count} of {len(problem.candidates)} candidates cannot be chosen with some left to predict",
            mend="give a count of at least 1 and under the number of candidates",
        )
    allowed = (limits or TrainingLimits.none(len(problem.kernel))).take(problem.candidates)
    allowed.check(count)
    search = _Search(problem, allowed, count)
    search.fill()
    generator = np.random.default_rng(seed)
    done, settled = 0, False
    while done < sweeps and not settled:
        settled = search.sweep(generator)
        done += 1
    rows = _ordered(problem, problem.candidates[search.chosen])
    rest = np.setdiff1d(problem.candidates, rows)
    path = np.array([problem.outlook(rows[:k], rest) for k in range(len(rows) + 1)])
    return TrainingDesign(rows, path[:, 0], path[:, 1], done, search.exchanges, settled)


def greedy_path(problem: TrainingProblem, count: int) -> Rows:
    """Rows in the order in which a greedy choice without limits takes them.

    Parameters
    ----------
    problem
        The population and what is to be predicted.
    count
        Number of rows.

    Returns
    -------
    ndarray
        (count,) rows.

    Examples
    --------
    >>> two_families = np.kron(np.eye(2), np.full((3, 3), 0.5)) + 0.5 * np.eye(6)
    >>> problem = TrainingProblem(two_families, 1.0, np.arange(0), np.arange(6))
    >>> np.sort(greedy_path(problem, 2) // 3)  # a line of each family
    array([0, 1])
    """
    search = _Search(problem, TrainingLimits.none(len(problem.candidates)), count)
    search.fill()
    return problem.candidates[search.order]


def random_reliability(
    problem: TrainingProblem, counts: Sequence[int], *, draws: int = 20, seed: int = 0
) -> Vector:
    """Mean CDmean of the lines not chosen when lines are chosen at random.

    Parameters
    ----------
    problem
        The population and what is to be predicted.
    counts
        Numbers of lines to choose.
    draws
        Random choices for each count.
    seed
        Seed of the choices.

    Returns
    -------
    ndarray
        CDmean for each count.

    Examples
    --------
    >>> two_families = np.kron(np.eye(2), np.full((3, 3), 0.5)) + 0.5 * np.eye(6)
    >>> problem = TrainingProblem(two_families, 1.0, np.arange(0), np.arange(6))
    >>> few, more = random_reliability(problem, [2, 4])
    >>> bool(few < more)
    True
    """
    generator = np.random.default_rng(seed)
    found = np.zeros(len(counts))
    for _ in range(draws):
        order = generator.permutation(problem.candidates)
        found += [problem.outlook(order[:count], order[count:])[0] for count in counts]
    return found / draws


@dataclass
class _Search:
    """The lines chosen so far, as positions among the candidates."""

    problem: TrainingProblem
    limits: TrainingLimits
    count: int
    order: list[int] = field(default_factory=list)
    exchanges: int = 0
    information: TrainingInformation | None = None

    def __post_init__(self) -> None:
        if len(self.problem.phenotyped):
            self.information = self._informed(self.problem.phenotyped)

    @property
    def chosen(self) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.problem.candidates), dtype=np.bool_)
        mask[self.order] = True
        return mask

    def fill(self) -> bool:
        """Add the best allowed lines while there is room; whether any was added."""
        before = len(self.order)
        while (allowed := self.limits.additions(self.chosen, self.count)).any():
            worth = self._worth()
            if np.isfinite(self.limits.budget):
                worth = worth / self.limits.cost
            self._add(int(np.argmax(np.where(allowed, worth, -np.inf))))
        return len(self.order) > before

    def sweep(self, generator: np.random.Generator) -> bool:
        """Offer every chosen line for exchange, then fill; whether nothing changed."""
        information, before = self.information, self.exchanges
        if information is None or len(self.problem.phenotyped) + len(self.order) < 2:
            return True
        for leaving in generator.permutation(self.order).tolist():
            allowed = self.limits.replacements(self.chosen, leaving)
            after = np.where(allowed, information.after_exchange(leaving), np.inf)
            best = int(np.argmin(after))
            if after[best] < information.total * (1.0 - _IMPROVEMENT):
                information.remove(leaving)
                information.add(best)
                self.order[self.order.index(leaving)] = best
                self.exchanges += 1
        filled = self.fill()
        return self.exchanges == before and not filled

    def _worth(self) -> Vector:
        """(candidates,) how much each lowers the sum; a first line, as if the mean were known."""
        if self.information is not None:
            return self.information.total - self.information.after_addition()
        problem = self.problem
        centred = problem.kernel - problem.kernel.mean(axis=0) - problem.kernel.mean(axis=1)[:, None]
        centred += problem.kernel.mean()
        toward = centred[:, problem.candidates]
        own = np.diagonal(centred)[problem.candidates] + problem.ratio
        return problem.weights @ toward**2 / own

    def _add(self, position: int) -> None:
        if self.information is None:
            self.information = self._informed(self.problem.candidates[[position]])
        else:
            self.information.add(position)
        self.order.append(position)

    def _informed(self, training: Rows) -> TrainingInformation:
        problem = self.problem
        return TrainingInformation(
            problem.kernel, problem.ratio, training, problem.candidates, problem.weights
        )


def _ordered(problem: TrainingProblem, rows: Rows) -> Rows:
    """The chosen rows, the one that tells most about the lines not chosen first, and so on."""
    rest = np.setdiff1d(problem.candidates, rows)
    return greedy_path(replace(problem, candidates=rows, targets=rest), len(rows))
