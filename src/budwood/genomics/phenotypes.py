"""Trait values of accessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError


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

        Raises
        ------
        BudwoodError
            If the trait is not in the table.
        """
        if trait not in self.traits:
            known = ", ".join(self.traits[:12])
            raise BudwoodError(f"trait {trait!r} is not in the phenotypes", mend=f"choose one of: {known}")
        chosen = self.trait == trait
        sums: dict[str, list[float]] = {}
        for name, value in zip(self.accession[chosen], self.value[chosen], strict=True):
            sums.setdefault(name, []).append(float(value))
        return {name: sum(values) / len(values) for name, values in sums.items()}
