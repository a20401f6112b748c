"""The environments of trials: where and when, how treated, and what was measured of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

#: Where values of an environment may come from.
PROVENANCES: Final = ("field", "controlled", "mixed")
#: Words for controlled beside the word itself.
_CONTROLLED: Final = frozenset({"greenhouse", "glasshouse", "growth chamber", "chamber", "phytotron"})


@dataclass(frozen=True)
class Environments:
    """One row for each environment, with text where it is known and ``""`` where not.

    Attributes
    ----------
    names
        Distinct names.
    year, location, treatment
        Text as in the file (``"2012"``, ``"Karlsruhe"``, ``"rainfed"``).
    provenance
        ``"field"``, ``"controlled"`` (greenhouse, chamber), ``"mixed"`` or ``""`` (not stated).
    covariates
        (m,) ``float64`` by name, finite.

    Examples
    --------
    >>> two = Environments.named(["e1", "e2"])
    >>> two.row["e2"], two.has_covariates
    (1, False)
    """

    names: tuple[str, ...]
    year: tuple[str, ...]
    location: tuple[str, ...]
    treatment: tuple[str, ...]
    provenance: tuple[str, ...]
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def named(cls, names: Sequence[str], provenance: str = "") -> Environments:
        """Environments of which nothing else is known.

        Parameters
        ----------
        names
            Names of the environments.
        provenance
            Field, controlled, mixed or empty; the same for all.
        """
        empty = ("",) * len(names)
        return cls(tuple(names), empty, empty, empty, (provenance,) * len(names))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each environment."""
        return {name: i for i, name in enumerate(self.names)}

    @property
    def has_covariates(self) -> bool:
        """Whether anything says how the environments differ."""
        stated = (self.year, self.location, self.treatment)
        return bool(self.covariates) or any(len(set(column)) > 1 for column in stated)

    @property
    def settings(self) -> tuple[str, ...]:
        """Place and year of each environment, which share their weather; its name where either is unknown."""
        every = zip(self.names, self.location, self.year, strict=True)
        return tuple(f"{place} {year}" if place and year else name for name, place, year in every)

    def take(self, rows: Sequence[int]) -> Environments:
        """The chosen environments, in the order given.

        Parameters
        ----------
        rows
            Row numbers, from 0.

        Returns
        -------
        Environments
            One row for each number.
        """
        chosen = [int(row) for row in rows]
        return Environments(
            tuple(self.names[i] for i in chosen),
            tuple(self.year[i] for i in chosen),
            tuple(self.location[i] for i in chosen),
            tuple(self.treatment[i] for i in chosen),
            tuple(self.provenance[i] for i in chosen),
            {name: values[chosen] for name, values in self.covariates.items()},
        )

    def check_known(self, named: Iterable[str]) -> None:
        """Refuse environments that are not in the table.

        Parameters
        ----------
        named
            Names of environments; repeats are allowed.

        Raises
        ------
        BudwoodError
            If one is not.
        """
        unknown = [name for name in dict.fromkeys(named) if name not in self.row]
        if unknown:
            what = repr(unknown[0]) if unknown[0] else "of some records has no name and"
            raise BudwoodError(
                f"environment {what} is not in the environment table",
                mend=f"add a row for it, or write its name as one of: {', '.join(self.names[:8])}",
            )


def provenance_named(word: str, where: str) -> str:
    """The provenance that a word of a file means.

    Parameters
    ----------
    word
        The cell of the file.
    where
        File and line, for the message.

    Returns
    -------
    str
        ``field``, ``controlled``, ``mixed`` or empty.

    Raises
    ------
    BudwoodError
        If it means none.

    Examples
    --------
    >>> provenance_named("Greenhouse", "line 2")
    'controlled'
    """
    plain = word.strip().lower()
    if plain in _CONTROLLED:
        return "controlled"
    if plain and plain not in PROVENANCES:
        raise BudwoodError(
            f"provenance {word!r} is not known", where=where, mend=f"write one of: {', '.join(PROVENANCES)}"
        )
    return plain
