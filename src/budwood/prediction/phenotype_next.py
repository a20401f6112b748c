"""Which lines to phenotype next, and what accuracy to expect of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted, shown
from budwood.genomics.genotypes import Genotypes, check_is_genotypes
from budwood.genomics.kinship import Kinship
from budwood.prediction.data_frame import data_frame
from budwood.prediction.models.registry import check_seed
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.kernel_scaling import kernel_spread, recentred
from budwood.stats.relationship.relationship import Rows, genomic_correlation, relationship
from budwood.stats.training_set.training_design import (
    Criterion,
    TrainingDesign,
    TrainingProblem,
    choose_training,
    greedy_path,
    random_reliability,
)
from budwood.stats.training_set.training_limits import TrainingLimits

if TYPE_CHECKING:
    import pandas

#: Sizes of the expected accuracy curve.
CURVE_COUNTS: Final = (25, 50, 100, 150)
#: Heritability of line means where nothing is known about the trait.
ASSUMED_HERITABILITY: Final = 0.5
#: Fewest phenotyped lines from which heritability is estimated, and the range it may take.
_ENOUGH: Final = 30
_PLAUSIBLE: Final = (0.05, 0.95)


@dataclass(frozen=True)
class SelectionRules:
    """What a choice of lines must respect.

    Attributes
    ----------
    groups
        Group of an accession by id; empty for no groups.
    quotas
        Fewest and most lines to choose from a group, the latter None for no limit.
    costs
        Cost of phenotyping an accession by id; empty for 1 each.
    budget
        Most that the lines may cost together, None for no limit.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    quotas: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    budget: float | None = None

    def limits(self, names: Sequence[str], candidates: Rows) -> TrainingLimits:
        """The rules over the rows of ``names``; only candidates need a group and a cost.

        Parameters
        ----------
        names
            Of all lines.
        candidates
            Rows that may be chosen.

        Returns
        -------
        TrainingLimits
            Limits by row.
        """
        self._check_known([names[row] for row in candidates])
        group = [self.groups.get(name, "") for name in names]
        kinds = sorted({*group, *self.quotas})
        quotas = [self.quotas.get(kind, (0, None)) for kind in kinds]
        cost = np.array([self.costs.get(name, 1.0) for name in names])
        return TrainingLimits(
            np.array([kinds.index(kind) for kind in group], dtype=np.intp),
            tuple(kinds),
            np.array([fewest for fewest, _ in quotas], dtype=np.intp),
            np.array([len(names) if most is None else most for _, most in quotas], dtype=np.intp),
            cost,
            np.inf if self.budget is None else self.budget,
        )

    def _check_known(self, candidates: Sequence[str]) -> None:
        for known, what in ((self.groups, "group"), (self.costs, "cost")):
            absent = [name for name in candidates if known and name not in known]
            if absent:
                raise BudwoodError(
                    f"{len(absent)} candidates have no {what}, for example {absent[0]!r}",
                    mend=f"give every candidate a {what}",
                )
        if self.quotas and not self.groups:
            raise BudwoodError("quotas need groups", mend="say which group each accession is in")
        empty = sorted(set(self.quotas) - {self.groups[name] for name in candidates if self.groups})
        if empty:
            raise BudwoodError(f"no candidate is in group {empty[0]!r}", mend="correct the quota's group")
        if self.budget is not None and not np.isfinite(self.budget):
            raise BudwoodError(
                f"the budget {self.budget:g} is no amount", mend="give a number, or leave it out for no limit"
            )
        wrong = [name for name, cost in self.costs.items() if not 0.0 < cost < np.inf]
        if wrong:
            raise BudwoodError(f"the cost of {wrong[0]!r} is no positive number", mend="correct it")


@dataclass(frozen=True)
class ChosenLine:
    """One line to phenotype.

    Attributes
    ----------
    accession, group, cost
        Id, group (``""`` without groups) and cost (1 without costs).
    gain
        How much its record raises CDmean (or lowers PEVmean) of the lines not chosen, after those before it.
    expected_accuracy_after
        Expected accuracy of the lines not chosen once it and all before it are phenotyped.
    reason
        Which part of the lines not chosen it stands for.
    """

    accession: str
    group: str
    cost: float
    gain: float
    expected_accuracy_after: float
    reason: str


@dataclass(frozen=True)
class CurvePoint:
    """Expected accuracy of the candidates not chosen, for ``count`` chosen well and chosen at random.

    Attributes
    ----------
    count
        Lines chosen.
    chosen
        Expected accuracy with the chosen lines.
    random
        Expected accuracy with as many random lines.
    """

    count: int
    chosen: float
    random: float


@dataclass(frozen=True)
class PhenotypeNext:
    """Lines to phenotype next.

    Attributes
    ----------
    lines
        The chosen lines, the one that tells most first.
    criterion
        ``"cdmean"`` or ``"pevmean"``.
    candidates, phenotyped
        How many lines could be chosen, and how many had a phenotype.
    heritability, heritability_source
        Heritability of line means that was used, and where it comes from.
    accuracy_before, accuracy_after
        Expected accuracy of the lines not chosen without and with the new phenotypes.
    curve
        Expected accuracy at 25, 50, 100 and 150 lines, as far as there are candidates.
    settled
        Whether no exchange was left that improves the choice.
    notes
        What the figures rest on and what they leave out, in sentences.
    """

    lines: tuple[ChosenLine, ...]
    criterion: Criterion
    candidates: int
    phenotyped: int
    heritability: float
    heritability_source: str
    accuracy_before: float
    accuracy_after: float
    curve: tuple[CurvePoint, ...]
    settled: bool
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        chosen = f"{len(self.lines):,} of {counted(self.candidates, 'candidate')}"
        accuracy = f"expected accuracy {self.accuracy_before:.2f} -> {self.accuracy_after:.2f}"
        return f"PhenotypeNext({chosen}, {accuracy})"

    def to_frame(self) -> pandas.DataFrame:
        """A row for each chosen line, in the order of choice; needs pandas.

        Returns
        -------
        pandas.DataFrame
            The table.
        """
        names = list(ChosenLine.__dataclass_fields__)
        return data_frame({name: [getattr(line, name) for line in self.lines] for name in names})


def phenotype_next(
    genotypes: Genotypes,
    count: int,
    *,
    values: Mapping[str, float] | None = None,
    candidates: Sequence[str] | None = None,
    rules: SelectionRules | None = None,
    criterion: Criterion = "cdmean",
    heritability: float | None = None,
    seed: int = 0,
    kinship: Kinship | None = None,
) -> PhenotypeNext:
    """Choose the lines whose phenotypes tell most about the others.

    Parameters
    ----------
    genotypes
        Lines with phenotypes and candidates.
    count
        Lines to choose.
    values
        Trait value by accession id of lines phenotyped already; NaN counts as none. Thirty or more
        also give the heritability.
    candidates
        Ids to choose from and to predict; by default every genotyped line without a phenotype. Lines that are
        neither candidates nor phenotyped take no part.
    rules
        Quotas per group, costs and a budget.
    criterion
        ``"cdmean"`` or ``"pevmean"`` (see :mod:`budwood.stats.training_set.training_design`).
    heritability
        Of line means, between 0 and 1; estimated from ``values`` or taken to be 0.5 where not given.
    seed
        Of the order of exchanges and of the random choices that the curve compares with.
    kinship
        Relationship in the place of the markers', of every accession.

    Returns
    -------
    PhenotypeNext
        Chosen lines, and the expected accuracy before and after.

    Raises
    ------
    BudwoodError
        If an id is unknown or occurs twice, a quota or the budget cannot be met, or candidates are too few.

    Examples
    --------
    >>> dosage = np.random.default_rng(1).integers(0, 3, (12, 40)).astype(np.int8)
    >>> found = phenotype_next(Genotypes.from_matrix([f"line{i}" for i in range(12)], dosage), 3)
    >>> len(found.lines), found.accuracy_after > found.accuracy_before
    (3, True)
    """
    check_is_genotypes(genotypes)
    check_seed(seed)
    if isinstance(candidates, str) or not isinstance(candidates, Sequence | None):
        raise BudwoodError(f"the candidates are {shown(candidates)}", mend="give a list of accession ids")
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise BudwoodError(f"{shown(count)} lines cannot be chosen", mend="give a whole number from 1")
    if criterion not in ("cdmean", "pevmean"):
        raise BudwoodError(f"there is no criterion {shown(criterion)}", mend="choose cdmean or pevmean")
    infinite = [name for name, value in (values or {}).items() if np.isinf(value)]
    if infinite:
        raise BudwoodError(
            f"the trait value of {infinite[0]!r} is infinite", mend="correct it or leave it empty"
        )
    # What is chosen does not depend on the order of the file.
    rows, columns = genotypes.order()
    genotypes = genotypes.take(rows).take_markers(columns)
    rules = rules or SelectionRules()
    names, phenotyped, eligible = _parts(genotypes, values or {}, candidates)
    limits = rules.limits(names, eligible)
    limits.take(eligible).check(count)
    taking_part = genotypes.take([genotypes.row[name] for name in names])
    if kinship is None:
        kernel = relationship(taking_part.dosage, taking_part.ploidy)
    else:
        kernel = recentred(kinship.of(taking_part.accessions), np.arange(len(taking_part.accessions)))
    y = np.array([(values or {})[names[row]] for row in phenotyped])
    used, source = _heritability(kernel, phenotyped, y, heritability)
    ratio = kernel_spread(kernel) * (1.0 - used) / used
    problem = TrainingProblem(kernel, ratio, phenotyped, eligible, criterion)
    design = choose_training(problem, count, limits=limits, seed=seed)
    return PhenotypeNext(
        _lines(names, problem, design, limits, bool(rules.groups)),
        criterion,
        len(eligible),
        len(phenotyped),
        used,
        source,
        _accuracy(design.reliability[0]),
        _accuracy(design.reliability[-1]),
        _curve(problem, seed),
        design.settled,
        (*_caveats(used, source), *_remarks(design, count, genotypes, names, len(eligible), candidates)),
    )


def _parts(
    genotypes: Genotypes, values: Mapping[str, float], candidates: Sequence[str] | None
) -> tuple[list[str], Rows, Rows]:
    """Ids that take part, and the rows among them with a phenotype and to choose from."""
    if len(genotypes.row) != len(genotypes.accessions):
        raise BudwoodError("an accession occurs twice in the genotypes", mend="keep one of the two")
    measured = {name for name in genotypes.accessions if np.isfinite(values.get(name, np.nan))}
    if candidates is not None:
        unknown = [name for name in candidates if name not in genotypes.row]
        if unknown:
            raise BudwoodError(
                f"{len(unknown)} candidates are not in the genotypes, for example {unknown[0]!r}",
                mend="write accession ids the same way in both files",
            )
    wanted = set(genotypes.accessions if candidates is None else candidates) - measured
    if len(wanted) < 2:
        raise BudwoodError(
            f"{len(wanted)} of the candidates have no phenotype yet, so there is nothing to choose",
            mend="give at least 2 genotyped candidates without a value of the trait",
        )
    names = [name for name in genotypes.accessions if name in measured or name in wanted]
    rows = np.arange(len(names))
    has = np.array([name in measured for name in names])
    return names, rows[has], rows[~has]


def _heritability(
    kernel: NDArray[np.float64], phenotyped: Rows, y: NDArray[np.float64], given: float | None
) -> tuple[float, str]:
    """Heritability of line means and where it comes from."""
    if given is not None:
        if not isinstance(given, int | float):
            raise BudwoodError(
                f"a heritability of {shown(given)} is no number", mend="give it between 0 and 1"
            )
        if not 0.0 < given < 1.0:
            raise BudwoodError(f"a heritability of {given:g} is impossible", mend="give it between 0 and 1")
        return given, "as given"
    if len(phenotyped) < _ENOUGH or np.ptp(y) == 0.0:
        return ASSUMED_HERITABILITY, f"assumed, since fewer than {_ENOUGH} phenotyped lines differ"
    square = kernel[np.ix_(phenotyped, phenotyped)]
    found = reml(y, [square])
    genetic = found.kernels[0] * kernel_spread(square)
    estimate = float(genetic / (genetic + found.residual))
    source = f"estimated from the {len(phenotyped)} phenotyped lines"
    used = float(np.clip(estimate, *_PLAUSIBLE))
    if used != estimate:
        source += f" as {estimate:.2f} and kept within {_PLAUSIBLE[0]:g} to {_PLAUSIBLE[1]:g}"
    return used, source


def _accuracy(reliability: float) -> float:
    return float(np.sqrt(max(reliability, 0.0)))


def _lines(
    names: Sequence[str],
    problem: TrainingProblem,
    design: TrainingDesign,
    limits: TrainingLimits,
    grouped: bool,
) -> tuple[ChosenLine, ...]:
    path = design.reliability if problem.criterion == "cdmean" else -design.error_variance
    stands_for = _stands_for(names, problem, design.rows)
    taken = np.bincount(limits.group[design.rows], minlength=len(limits.names))
    lines = []
    for place, row in enumerate(design.rows.tolist()):
        kind = limits.names[limits.group[row]]
        fewest = int(limits.minimum[limits.group[row]])
        reason = stands_for[place]
        if fewest and taken[limits.group[row]] == fewest:
            reason += f"; group {kind} is at its minimum of {fewest}"
        lines.append(
            ChosenLine(
                names[row],
                kind if grouped else "",
                float(limits.cost[row]),
                float(path[place + 1] - path[place]),
                _accuracy(design.reliability[place + 1]),
                reason,
            )
        )
    return tuple(lines)


def _stands_for(names: Sequence[str], problem: TrainingProblem, chosen: Rows) -> list[str]:
    """For each chosen row, how many of the lines left over have it as their closest phenotyped relative."""
    kernel = problem.kernel
    training = np.concatenate([problem.phenotyped, chosen])
    rest = np.setdiff1d(problem.candidates, chosen)
    correlation = genomic_correlation(kernel)[np.ix_(rest, training)]
    closest = training[np.argmax(correlation, axis=1)]
    best = correlation.max(axis=1)
    notes = []
    left = f"{counted(len(rest), 'line')} left"
    for row in chosen:
        mine = np.flatnonzero(closest == row)
        if not len(mine):
            notes.append(f"closest relative of none of the {left}, related to many")
            continue
        nearest = names[rest[mine[np.argmax(best[mine])]]]
        notes.append(f"closest relative of {len(mine)} of the {left}, nearest to {nearest}")
    return notes


def _curve(problem: TrainingProblem, seed: int) -> tuple[CurvePoint, ...]:
    counts = [count for count in CURVE_COUNTS if count < len(problem.candidates)]
    if not counts:
        return ()
    path = greedy_path(problem, counts[-1])
    chosen = [
        problem.outlook(path[:count], np.setdiff1d(problem.candidates, path[:count]))[0] for count in counts
    ]
    random = random_reliability(problem, counts, seed=seed)
    pairs = zip(counts, chosen, random.tolist(), strict=True)
    return tuple(CurvePoint(count, _accuracy(c), _accuracy(r)) for count, c, r in pairs)


def _caveats(heritability: float, source: str) -> tuple[str, ...]:
    """What every expected accuracy rests on."""
    return (
        "Expected accuracy is the square root of the mean coefficient of determination: the correlation of "
        "predicted and true genetic values of the lines not chosen, if the trait follows the markers' "
        "relationships; the correlation with phenotypes is lower by the square root of heritability.",
        f"Heritability of line means is {heritability:.2f}, {source}; a lower one lowers every figure.",
        "Differences between families and subpopulations count: within a family the accuracy is lower.",
        "The curve takes lines one by one without quotas, costs or exchanges, each size judged on the "
        "candidates it leaves; random is the mean of 20 random choices.",
    )


def _remarks(
    design: TrainingDesign,
    count: int,
    genotypes: Genotypes,
    names: Sequence[str],
    eligible: int,
    candidates: Sequence[str] | None,
) -> list[str]:
    """What was peculiar to this choice."""
    notes = []
    if len(design.rows) < count:
        notes.append(f"The budget pays for {len(design.rows)} of the {counted(count, 'line')} asked for.")
    if not design.settled:
        notes.append(
            f"Exchanges were stopped after {design.sweeps} rounds; a slightly better choice may exist."
        )
    if candidates is not None and len(set(candidates)) > eligible:
        notes.append(f"{len(set(candidates)) - eligible} of the candidates are phenotyped already.")
    if left_out := len(genotypes.accessions) - len(names):
        notes.append(
            f"{left_out} genotyped accessions are neither candidates nor phenotyped and took no part."
        )
    return notes
