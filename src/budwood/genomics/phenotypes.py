"""Trait values of accessions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, UnknownTrait, counted

# Tukey's outer fences: values further beyond the quartiles than three times their distance.
_FENCE: Final = 3.0
#: Zeros that repeat, and the share of the median under which other values lie near them.
_REPEATED: Final = 2
_NEAR_ZERO: Final = 0.05
_NAMED: Final = 3
#: Traits that a line of text names.
_LISTED: Final = 6


@dataclass(frozen=True)
class Phenotypes:
    """Long-format records: one value of one trait of one accession in one environment.

    Attributes
    ----------
    accession, trait, environment
        ``object`` arrays of str, one entry per record; environment is ``""`` when the file names none.
    value
        ``float64``, never NaN (missing values are no record).
    standard_error
        ``float64``, NaN where the file gives none.
    provenance
        Where the values come from: ``"field"``, ``"controlled"``, ``"mixed"`` or ``""`` (not stated).
    unusable
        Columns of the table that are no trait or cannot be read as one, with the error that says why.

    Examples
    --------
    >>> strings = lambda *words: np.array(words, dtype=object)
    >>> p = Phenotypes(strings("a", "a", "b"), strings("h", "h", "h"), strings("e1", "e2", "e1"),
    ...                np.array([1.0, 3.0, 5.0]), np.full(3, np.nan))
    >>> p.means("h")
    {'a': 2.0, 'b': 5.0}
    """

    accession: NDArray[np.object_]
    trait: NDArray[np.object_]
    environment: NDArray[np.object_]
    value: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    provenance: str = ""
    unusable: Mapping[str, BudwoodError] = field(default_factory=dict)

    def __repr__(self) -> str:
        listed = ", ".join(self.traits[:_LISTED]) + (", ..." if len(self.traits) > _LISTED else "")
        places = len(set(self.environment) - {""})
        held = f"{counted(len(self.value), 'value')} of {counted(len(self.accessions), 'accession')}"
        seen = f" in {counted(places, 'environment')}" if places else ""
        return f"Phenotypes({held}{seen}, traits: {listed})"

    @property
    def traits(self) -> tuple[str, ...]:
        """Trait names in order of appearance."""
        return tuple(dict.fromkeys(self.trait))

    @property
    def accessions(self) -> tuple[str, ...]:
        """Accession ids in order of appearance."""
        return tuple(dict.fromkeys(self.accession))

    def means(self, trait: str) -> dict[str, float]:
        """Mean of an accession's values of a trait over environments, accessions without one left out.

        Parameters
        ----------
        trait
            Name of the trait.

        Returns
        -------
        dict
            Mean by accession.

        Raises
        ------
        BudwoodError
            If the trait is not in the table, or cannot be read.
        """
        chosen = self._records(trait)
        sums: dict[str, list[float]] = {}
        for name, value in zip(self.accession[chosen], self.value[chosen], strict=True):
            sums.setdefault(name, []).append(float(value))
        # An exact sum does not depend on the order of the records.
        return {name: fsum(values) / len(values) for name, values in sums.items()}

    def describe(self, trait: str) -> TraitDescription:
        """Minimum, median, maximum and outliers of a trait's values.

        Parameters
        ----------
        trait
            Name of the trait.

        Returns
        -------
        TraitDescription
            Number, minimum, median, maximum and outliers.

        Raises
        ------
        BudwoodError
            If the trait is not in the table, or cannot be read.

        Examples
        --------
        >>> names = np.array(list("abcdef"), dtype=object)
        >>> values = np.array([9.0, 10.0, 10.5, 11.0, 12.0, 99.0])
        >>> p = Phenotypes(names, np.full(6, "yield", dtype=object), names, values, np.full(6, np.nan))
        >>> print(p.describe("yield").sentence)
        yield: 6 values from 9 to 99, median 10.75; 1 lies far from the others: f (99).
        """
        chosen = self._records(trait)
        values, names = self.value[chosen], self.accession[chosen]
        if not len(values):
            return TraitDescription(trait, 0, np.nan, np.nan, np.nan)
        lower, median, upper = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
        beyond = np.maximum(lower - values, values - upper)
        outer = beyond > _FENCE * (upper - lower) if upper > lower else np.zeros(len(values), dtype=np.bool_)
        order = np.argsort(-beyond, kind="stable")
        outliers = tuple((str(names[i]), float(values[i])) for i in order if outer[i])
        return TraitDescription(
            trait,
            len(values),
            float(values.min()),
            median,
            float(values.max()),
            outliers,
            _zeros(values, median),
        )

    def _records(self, trait: str) -> NDArray[np.bool_]:
        if trait in self.unusable:
            raise self.unusable[trait]
        if trait not in self.traits:
            raise UnknownTrait(trait, self.traits)
        return np.asarray(self.trait == trait, dtype=np.bool_)


def _zeros(values: NDArray[np.float64], median: float) -> int:
    """How often 0 repeats among positive values with decimals, none of which is near it."""
    others = values[values != 0.0]
    zeros = len(values) - len(others)
    if zeros < _REPEATED or not len(others) or others.min() <= _NEAR_ZERO * median:
        return 0
    return zeros if np.any(others != np.round(others)) else 0


@dataclass(frozen=True)
class TraitDescription:
    """What the values of a trait look like.

    Attributes
    ----------
    trait
        Its name.
    count
        Number of values.
    minimum, median, maximum
        NaN where there is no value.
    outliers
        Accession and value of those beyond Tukey's outer fences (three times the interquartile range beyond
        the quartiles; Tukey 1977, Exploratory Data Analysis), the furthest first.
    zeros
        How often 0 stands apart among measured values, where it may mean missing; 0 where it does not.
    """

    trait: str
    count: int
    minimum: float
    median: float
    maximum: float
    outliers: tuple[tuple[str, float], ...] = ()
    zeros: int = 0

    @property
    def sentence(self) -> str:
        """The description for people."""
        if not self.count:
            return f"{self.trait}: no value."
        text = (
            f"{self.trait}: {self.count:,} {'value' if self.count == 1 else 'values'} from "
            f"{self._text(self.minimum)} to {self._text(self.maximum)}, median {self._text(self.median)}"
        )
        if self.zeros:
            text += f"; 0 stands {self.zeros:,} times (write NA where it means missing)"
        if not self.outliers:
            return f"{text}."
        named = ", ".join(f"{name} ({self._text(value)})" for name, value in self.outliers[:_NAMED])
        more = len(self.outliers) - _NAMED
        lies = "lies" if len(self.outliers) == 1 else "lie"
        named += f" and {more} more" if more > 0 else ""
        return f"{text}; {len(self.outliers):,} {lies} far from the others: {named}."

    def _text(self, value: float) -> str:
        """A value with seven digits, or with more where the values differ by little beside their size."""
        spread, size = self.maximum - self.minimum, max(abs(self.minimum), abs(self.maximum))
        hidden = math.ceil(math.log10(size / spread)) if 0.0 < spread < size < math.inf else 0
        return f"{value:.{min(max(7, hidden + 4), 17)}g}"
