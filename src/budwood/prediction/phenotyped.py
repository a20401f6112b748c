"""Which genotyped accessions have a trait value, and whether these suffice to learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf, isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.missing_calls import FEWEST_CALLS, called_share, named_lines
from budwood.stats.relationship.relationship import Rows

#: Fewest accessions with a value from which a trait is predicted.
MINIMUM_LABELLED: Final = 10
#: Values beyond which sums of squares leave the range of floating-point numbers.
_LARGEST: Final = 1e100
#: Range of the values relative to their size under which rounding errors of sums would show in results.
_CLOSEST: Final = 1e-10


@dataclass(frozen=True)
class PhenotypedLines:
    """Trait values of rows of the genotypes.

    Attributes
    ----------
    rows
        Rows with a value, in the genotypes' order.
    y
        Their values.
    notes
        Sentences about values that take no part.
    weights
        Weight of each value, None where all weigh the same.
    """

    rows: Rows
    y: NDArray[np.float64]
    notes: tuple[str, ...]
    weights: NDArray[np.float64] | None = None


def match_phenotyped(
    genotypes: Genotypes,
    values: Mapping[str, float],
    trait: str,
    *,
    weights: Mapping[str, float] | None = None,
) -> PhenotypedLines:
    """Match trait values to genotypes by accession id, character by character.

    Lines without calls, or with hardly any, teach nothing about relationship: they are left out and named.

    Parameters
    ----------
    genotypes, values, trait
        Lines, value by accession (NaN counts as none), and the trait's name.
    weights
        Weight by accession; None or empty where all values weigh the same.

    Returns
    -------
    PhenotypedLines
        Rows, values and weights of the lines that both have.

    Raises
    ------
    BudwoodError
        If ids are not unique, nothing matches, fewer than 10 accessions match, a value is infinite or
        too large, or all values are the same.
    """
    if len(genotypes.row) != len(genotypes.accessions):
        raise BudwoodError("an accession occurs twice in the genotypes", mend="keep one of the two")
    measured = {name: value for name, value in values.items() if not isnan(value)}
    if not measured:
        raise BudwoodError(
            f"every value of trait {trait!r} is missing", mend="choose a trait that was measured"
        )
    matched = np.array(
        [row for row, name in enumerate(genotypes.accessions) if name in measured], dtype=np.intp
    )
    hardly = called_share(genotypes.take(matched)) < FEWEST_CALLS
    rows = matched[~hardly].tolist()
    _check_enough(rows, genotypes, measured, trait)
    y = np.array([measured[genotypes.accessions[row]] for row in rows], dtype=np.float64)
    if any(map(isinf, y)):
        raise BudwoodError(f"a value of trait {trait!r} is infinite", mend="correct it or leave it empty")
    _check_spread(y, trait)
    absent = len(measured) - len(matched)
    note = f"Not used for want of genotypes: {counted(absent, 'accession')} with a value."
    notes = ((note,) if absent else ()) + _uncalled(genotypes, matched[hardly]) + level_notes(y, trait)
    precision = np.array([weights[genotypes.accessions[row]] for row in rows]) if weights else None
    return PhenotypedLines(np.array(rows, dtype=np.intp), y, notes, precision)


def level_notes(y: NDArray[np.float64], trait: str) -> tuple[str, ...]:
    """A sentence on what figures mean where the trait has two values only, none otherwise.

    Parameters
    ----------
    y
        (n,) trait values of the training lines.
    trait
        Name of the trait.

    Returns
    -------
    tuple[str, ...]
        Sentences.

    Examples
    --------
    >>> level_notes(np.array([0.0, 1.0, 1.0]), "awn")[0][:69]
    "Trait 'awn' has two values only, 0 (1 accession) and 1 (2 accessions)"
    """
    levels, counts = np.unique(y, return_counts=True)
    if len(levels) != 2:
        return ()
    low, high = (
        f"{level:g} ({counted(count, 'accession')})"
        for level, count in zip(levels.tolist(), counts.tolist(), strict=True)
    )
    return (
        f"Trait {trait!r} has two values only, {low} and {high}: it is analysed as a number, so a prediction "
        f"is the mean expected between them, not a class or a probability, it can lie outside, and 90 % "
        f"intervals and r / h are rough; AUROC says how well the two values are separated.",
    )


def _uncalled(genotypes: Genotypes, rows: Rows) -> tuple[str, ...]:
    """A sentence on phenotyped lines that are left out for want of calls."""
    if not len(rows):
        return ()
    names = [genotypes.accessions[row] for row in rows]
    return (
        f"{named_lines(names)} a value and no or hardly any calls (under {FEWEST_CALLS:.0%} of the markers), "
        "and nothing is learnt from them.",
    )


def _check_spread(y: NDArray[np.float64], trait: str) -> None:
    """Refuse values that do not vary, or that squares of cannot be computed."""
    size, spread = float(np.abs(y).max()), float(np.ptp(y))
    if spread == 0.0:
        raise BudwoodError(
            f"trait {trait!r} has the same value, {y[0]:g}, in all {len(y)} phenotyped accessions",
            mend="choose a trait that varies",
        )
    if spread < _CLOSEST * size:
        raise BudwoodError(
            f"the values of trait {trait!r} differ by {spread:.2g} at most, too little to compute with "
            f"beside their size of {size:.3g}",
            mend=f"subtract a number near them, such as {float(np.median(y)):.10g}, from all values",
        )
    if size > _LARGEST or spread < 1.0 / _LARGEST:
        raise BudwoodError(
            f"the values of trait {trait!r} are too {'large' if size > _LARGEST else 'close to one another'} "
            "to compute with",
            mend="check them, or write them in another unit",
        )


def _check_enough(rows: list[int], genotypes: Genotypes, measured: Mapping[str, float], trait: str) -> None:
    if not rows:
        raise BudwoodError(
            f"no accession has both genotypes and a value of trait {trait!r}: genotypes name "
            f"{genotypes.accessions[0]!r}, phenotypes {next(iter(measured))!r}",
            mend="write accession ids the same way in both files",
        )
    if len(rows) < MINIMUM_LABELLED:
        few = "1 accession has" if len(rows) == 1 else f"{len(rows)} accessions have"
        raise BudwoodError(
            f"only {few} both genotypes and a value of trait {trait!r}",
            mend=f"phenotype at least {MINIMUM_LABELLED}",
        )
