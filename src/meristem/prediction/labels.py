"""Which genotyped accessions have a trait value, and whether these suffice to learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf, isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.genomics.genotypes import Genotypes
from meristem.stats.relationship import Rows

#: Fewest accessions with a value from which a trait is predicted.
MINIMUM_LABELLED: Final = 10


@dataclass(frozen=True)
class Labels:
    """Trait values of rows of the genotypes.

    Attributes
    ----------
    rows
        Rows with a value, in the genotypes' order.
    y
        Their values.
    assumptions
        Sentences about values that take no part.
    """

    rows: Rows
    y: NDArray[np.float64]
    assumptions: tuple[str, ...]


def match_labels(genotypes: Genotypes, values: Mapping[str, float], trait: str) -> Labels:
    """Match trait values to genotypes by accession id, character by character.

    Raises
    ------
    MeristemError
        If ids are not unique, nothing matches, fewer than 10 accessions match, a value is infinite or all
        values are the same.
    """
    if len(genotypes.row) != len(genotypes.accessions):
        raise MeristemError("an accession stands twice in the genotypes", mend="keep one of the two")
    measured = {name: value for name, value in values.items() if not isnan(value)}
    if not measured:
        raise MeristemError(
            f"every value of trait {trait!r} is missing", mend="choose a trait that was measured"
        )
    rows = [row for row, name in enumerate(genotypes.accessions) if name in measured]
    _check_enough(rows, genotypes, measured, trait)
    y = np.array([measured[genotypes.accessions[row]] for row in rows], dtype=np.float64)
    if any(map(isinf, y)):
        raise MeristemError(f"a value of trait {trait!r} is infinite", mend="correct it or leave it empty")
    if np.ptp(y) == 0.0:
        raise MeristemError(
            f"trait {trait!r} has the same value, {y[0]:g}, in all {len(y)} labelled accessions",
            mend="choose a trait that varies",
        )
    absent = len(measured) - len(rows)
    note = f"{absent} accessions with a value have no genotypes and take no part."
    return Labels(np.array(rows, dtype=np.intp), y, (note,) if absent else ())


def _check_enough(rows: list[int], genotypes: Genotypes, measured: Mapping[str, float], trait: str) -> None:
    if not rows:
        raise MeristemError(
            f"no accession has both genotypes and a value of trait {trait!r}: genotypes name "
            f"{genotypes.accessions[0]!r}, phenotypes {next(iter(measured))!r}",
            mend="write accession ids the same way in both files",
        )
    if len(rows) < MINIMUM_LABELLED:
        counted = "1 accession has" if len(rows) == 1 else f"{len(rows)} accessions have"
        raise MeristemError(
            f"only {counted} both genotypes and a value of trait {trait!r}",
            mend=f"label at least {MINIMUM_LABELLED}",
        )
