"""A multiple alignment: rows of species, columns of bases that descend from one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.sequence import N

#: Code of a gap; no code of :mod:`budwood.genomics.sequence`.
GAP: Final = 255

_BASES: Final = 4


@dataclass(frozen=True)
class Alignment:
    """Aligned sequences.

    Attributes
    ----------
    name
        Locus or block.
    species
        Species of each row; one may stand in several.
    codes
        (rows, columns) ``uint8`` bases, N where unknown, GAP where a row has none.

    Examples
    --------
    >>> rows = np.array([[0, 1, GAP], [0, 2, 3], [0, 2, 3]], dtype=np.uint8)
    >>> alignment = Alignment("locus", ("Zea mays", "Sorghum bicolor", "Oryza sativa"), rows)
    >>> alignment.without(["Oryza"]).species
    ('Zea mays', 'Sorghum bicolor')
    >>> alignment.column_bases(np.array([1, 2]), weights=np.array([0.5, 1.0, 1.0]))[1]
    array([0., 0., 2., 0.])
    """

    name: str
    species: tuple[str, ...]
    codes: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or len(self.codes) != len(self.species):
            raise BudwoodError(
                f"{len(self.species)} species do not fit rows of shape {self.codes.shape}",
                where=f"alignment {self.name}",
                mend="give one species for each row",
            )

    def without(self, species: Collection[str]) -> Alignment:
        """The alignment without some species; a genus alone takes all of its species away.

        Columns in which no other row has a base are dropped.

        Parameters
        ----------
        species
            Names to leave out: ``Genus species``, or a genus alone.

        Returns
        -------
        Alignment
            The other rows, without the columns in which none of them has a base.
        """
        unwanted = [name.split() for name in species]
        kept = [
            row
            for row, name in enumerate(self.species)
            if not any(name.split()[: len(words)] == words for words in unwanted)
        ]
        codes = self.codes[kept]
        filled = (codes != GAP).any(0) if kept else np.zeros(codes.shape[1], dtype=np.bool_)
        return Alignment(self.name, tuple(self.species[row] for row in kept), codes[:, filled])

    def row_weights(self) -> NDArray[np.float64]:
        """Position-based weights: rows that are like many others count less.

        In each column every kind of base shares one equal part among the rows that have it; a row's weight
        is the mean of its parts (Henikoff and Henikoff 1994, J Mol Biol 243:574), scaled to a mean of 1.

        Returns
        -------
        ndarray
            (rows,), 0 for a row without any base.
        """
        counts = self.column_bases(np.arange(len(self.species)), np.ones(len(self.species)))
        kinds = (counts > 0).sum(1)
        known = self.codes < N
        letters = np.where(known, self.codes, 0)
        shared = counts[np.arange(self.codes.shape[1]), letters] * kinds
        parts = np.divide(1.0, shared, out=np.zeros_like(shared), where=known & (shared > 0))
        weights = parts.sum(1) / np.maximum(known.sum(1), 1)
        total = weights.sum()
        return weights * (len(weights) / total) if total > 0 else weights

    def column_bases(self, rows: NDArray[np.integer], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of A, C, G and T in every column among some rows.

        Parameters
        ----------
        rows
            Indices of the rows to count.
        weights
            (all rows,) weight of each.

        Returns
        -------
        ndarray
            (columns, 4); gaps and N count nowhere.
        """
        chosen = self.codes[rows]
        return np.stack([((chosen == base) * weights[rows, None]).sum(0) for base in range(_BASES)], axis=1)


def species_of(header: str) -> str:
    """Species of a row named like ``Genus_species|source``.

    Parameters
    ----------
    header
        Header of a row.

    Returns
    -------
    str
        Genus and species, separated by a blank.

    Examples
    --------
    >>> species_of("Nyssa_ogeche|VUSY extra")
    'Nyssa ogeche'
    """
    return header.split("|")[0].split()[0].replace("_", " ").strip()
