"""Lines ranked on several predicted traits at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted, shown, suggestion
from budwood.prediction.data_frame import data_frame
from budwood.stats.evaluation.metrics import best_count
from budwood.stats.training_set.selection_index import SelectionIndex, desired_gains_index, restricted_index

if TYPE_CHECKING:
    import pandas

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

#: Fewest candidates from whose predictions a covariance of traits is taken.
FEWEST: Final = 10
#: Share of the candidates whose predicted gain is reported.
BEST: Final = 0.1
#: Sizes of goals, in units near the traits' standard deviations, beyond which products with covariances
#: leave the range of floating-point numbers.
_SMALLEST, _LARGEST = 1e-50, 1e50


@dataclass(frozen=True)
class IndexGoal:
    """What selection is to do: desired gains, or economic weights with traits that are not to move.

    Attributes
    ----------
    desired
        Gain wanted in each trait, by trait; only proportions and signs matter.
    economic
        Value of one unit of a trait, by trait; 0 for traits that are not named.
    restricted
        Traits whose expected gain is to be 0.
    """

    desired: Mapping[str, float] = field(default_factory=dict)
    economic: Mapping[str, float] = field(default_factory=dict)
    restricted: tuple[str, ...] = ()

    def check(self, traits: tuple[str, ...]) -> None:
        """Refuse a goal that is none, is two, or does not fit the traits.

        Parameters
        ----------
        traits
            Names of the traits.

        Raises
        ------
        BudwoodError
            If the goal does not fit the traits.
        """
        if bool(self.desired) == bool(self.economic):
            raise BudwoodError(
                "an index needs either desired gains or economic weights",
                mend="say what is wanted of each trait, in one of the two ways",
            )
        if self.desired and self.restricted:
            raise BudwoodError(
                "desired gains and restricted traits do not go together",
                mend="give a trait that is not to move a desired gain of 0",
            )
        for name, wanted in (*self.desired.items(), *self.economic.items()):
            if (
                isinstance(wanted, bool | str)
                or not isinstance(wanted, int | float | np.number)
                or not np.isfinite(wanted)
            ):
                raise BudwoodError(
                    f"the goal for trait {name!r}, {shown(wanted)}, is not a number",
                    mend="give a finite number",
                )
        unknown = [name for name in (*self.desired, *self.economic, *self.restricted) if name not in traits]
        if unknown:
            raise BudwoodError(f"trait {unknown[0]!r} was not predicted", mend=suggestion(unknown[0], traits))
        without = [name for name in traits if self.desired and name not in self.desired]
        if without:
            raise BudwoodError(
                f"trait {without[0]!r} has no desired gain",
                mend="give it one (0 if it is not to move) or leave out its predictions",
            )

    def solve(
        self, traits: tuple[str, ...], covariance: Matrix, unit: Vector | float = 1.0
    ) -> SelectionIndex:
        """Weights that serve the goal, given the covariance of the traits' predictions.

        Parameters
        ----------
        traits
            t names.
        covariance
            (t, t) of the predictions divided by ``unit``.
        unit
            (t,) what the predictions were divided by, in the traits' units.

        Returns
        -------
        SelectionIndex
            Of the predictions divided by ``unit``.

        Raises
        ------
        BudwoodError
            If the covariance cannot be inverted or nothing is left to select for.
        """
        if self.desired:
            return desired_gains_index(np.array([self.desired[name] for name in traits]) / unit, covariance)
        economic = np.array([self.economic.get(name, 0.0) for name in traits]) * unit
        return restricted_index(economic, [traits.index(name) for name in self.restricted], covariance)

    def sentence(self) -> str:
        """The goal, in words.

        Returns
        -------
        str
            A sentence.
        """
        if self.desired:
            wanted = ", ".join(f"{name} {gain:+g}" for name, gain in self.desired.items())
            return f"Desired-gains index (Pesek and Baker 1969): gains in the proportions {wanted}."
        wanted = ", ".join(f"{name} {weight:+g}" for name, weight in self.economic.items())
        if not self.restricted:
            return f"Index by economic weights (Smith and Hazel): {wanted} for each unit."
        held = ", ".join(self.restricted)
        return (
            f"Restricted index (Kempthorne and Nordskog 1959): most economic gain ({wanted} for each unit) "
            f"with no expected change of {held}."
        )


@dataclass(frozen=True)
class IndexRanking:
    """Candidates by their index.

    Attributes
    ----------
    traits
        t names.
    accessions
        n ids, the best first.
    score
        (n,) index.
    predictions
        (n, t) in the traits' units.
    weights, expected_gain
        (t,) see :class:`~budwood.stats.training_set.selection_index.SelectionIndex`.
    best
        How many candidates are the best tenth.
    best_gain
        (t,) their mean prediction less that of all candidates.
    correlation
        (t, t) of the predictions.
    notes
        Sentences on the goal and on what was assumed.
    """

    traits: tuple[str, ...]
    accessions: tuple[str, ...]
    score: Vector
    predictions: Matrix
    weights: Vector
    expected_gain: Vector
    best: int
    best_gain: Vector
    correlation: Matrix
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        traits = ", ".join(self.traits[:6]) + (", ..." if len(self.traits) > 6 else "")
        return f"IndexRanking({counted(len(self.accessions), 'accession')}, traits: {traits})"

    def to_frame(self) -> pandas.DataFrame:
        """A row for each line, the best first, with its index and predictions; needs pandas.

        Returns
        -------
        pandas.DataFrame
            The table.
        """
        by_trait = dict(zip(self.traits, self.predictions.T, strict=True))
        return data_frame({"accession": self.accessions, "index": self.score, **by_trait})


def rank_by_index(predictions: Mapping[str, Mapping[str, float]], goal: IndexGoal) -> IndexRanking:
    """Rank the lines that every trait was predicted for.

    The covariance of the traits is that of their predictions among these lines. For best linear unbiased
    predictions it stands for the covariance with the genetic values as well, see
    :mod:`budwood.stats.training_set.selection_index`.

    Parameters
    ----------
    predictions
        Of each trait, by accession.
    goal
        What selection is to do.

    Returns
    -------
    IndexRanking
        Lines by their index, best first.

    Raises
    ------
    BudwoodError
        If the goal does not fit the traits, there are fewer than two traits, under 10 lines were predicted
        for all of them, or predictions of a trait do not differ or follow from the others.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> lines = [f"line{i}" for i in range(50)]
    >>> predictions = {name: dict(zip(lines, rng.normal(size=50), strict=True)) for name in ("a", "b")}
    >>> found = rank_by_index(predictions, IndexGoal(desired={"a": 2.0, "b": -1.0}))
    >>> round(float(found.expected_gain[0] / found.expected_gain[1]), 6)
    -2.0
    """
    traits = tuple(predictions)
    goal.check(traits)
    if len(traits) < 2:
        raise BudwoodError("an index needs two traits or more", mend="give predictions of another trait")
    first, *others = predictions.values()
    shared = [name for name in first if all(name in other for other in others)]
    if len(shared) < FEWEST:
        raise BudwoodError(
            f"{len(shared)} lines were predicted for every trait",
            mend=f"give predictions of the same lines, at least {FEWEST}",
        )
    for trait in traits:
        for name in shared:
            value = predictions[trait][name]
            if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
                raise BudwoodError(
                    f"the prediction of {trait} of line {name!r}, {shown(value)}, is not a number",
                    mend="leave it out",
                )
    values = np.array([[predictions[trait][name] for trait in traits] for name in shared])
    # In units near their standard deviations traits of any size have covariances that can be computed.
    unit = _units(values, traits)
    scaled = values / unit
    covariance = np.cov(scaled, rowvar=False)
    _check_sizes(goal, traits, unit)
    index = goal.solve(traits, covariance, unit)
    # The origin is arbitrary: 0 is the mean candidate.
    score = index.score(scaled - scaled.mean(axis=0))
    order = np.argsort(-score, kind="stable")
    best = best_count(len(shared), BEST)
    spread = np.sqrt(np.diagonal(covariance))
    left_out = len(set().union(*predictions.values())) - len(shared)
    return IndexRanking(
        traits=traits,
        accessions=tuple(shared[row] for row in order),
        score=score[order],
        predictions=values[order],
        weights=index.weights / unit,
        expected_gain=index.expected_gain * unit,
        best=best,
        best_gain=(scaled[order[:best]].mean(axis=0) - scaled.mean(axis=0)) * unit,
        correlation=covariance / np.outer(spread, spread),
        notes=(goal.sentence(), *_caveats(left_out)),
    )


def _check_sizes(goal: IndexGoal, traits: tuple[str, ...], unit: Vector) -> None:
    """Refuse goals that are too large or too small beside the spread of their trait."""
    smallest, largest = math.log(_SMALLEST), math.log(_LARGEST)
    for number, trait in enumerate(traits):
        size = math.log(unit[number])
        for goals, sign in ((goal.desired, -1.0), (goal.economic, 1.0)):
            wanted = float(goals.get(trait, 0.0))
            if wanted and not smallest <= math.log(abs(wanted)) + sign * size <= largest:
                much = "large" if math.log(abs(wanted)) + sign * size > 0.0 else "small"
                raise BudwoodError(
                    f"the goal for trait {trait!r}, {wanted:g}, is too {much} to compute with",
                    mend="write all goals in another unit, since only their proportions matter",
                )


def _units(values: Matrix, traits: tuple[str, ...]) -> Vector:
    """(t,) power of 2 near each trait's standard deviation, so that division changes no digit."""
    largest = np.abs(values).max(axis=0)
    unit = np.ones(len(traits))
    for number, trait in enumerate(traits):
        if not np.isfinite(largest[number]):
            raise BudwoodError(f"a prediction of {trait} is not a finite number", mend="leave it out")
        if largest[number] == 0.0:
            continue
        spread = float(np.std(values[:, number] / largest[number]))
        if 0.0 < spread < 1e-12:
            raise BudwoodError(
                f"the predictions of {trait} differ by rounding errors only, at a size of "
                f"{largest[number]:.3g}",
                mend="leave out that trait",
            )
        unit[number] = np.ldexp(1.0, int(np.frexp((spread or 1.0) * largest[number])[1]))
    return unit


def _caveats(left_out: int) -> tuple[str, ...]:
    some = (f"{left_out:,} lines that were not predicted for every trait are left out.",) if left_out else ()
    return (
        *some,
        "The covariance of the traits is that of their predictions among the lines ranked; each trait was "
        "predicted by itself, so genetic correlations that the predictions do not show do not count.",
        "Lines with phenotypes of their own have predictions that vary more; if only the others are "
        "candidates, rank these alone.",
    )
