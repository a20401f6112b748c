"""Allele dosages of a panel: the matrix genomic prediction works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted, shown
from budwood.genomics.checks.chosen_rows import Choice, chosen_rows

#: Largest ploidy that a dosage of one byte can count.
_MOST_COPIES: Final = 127
#: Rounding error of fractional dosages.
_ROUNDING: Final = 1e-3


@dataclass(frozen=True)
class Markers:
    """Columns of a Genotypes matrix.

    Attributes
    ----------
    identifier, contig
        ``object`` arrays of str, one per marker.
    position
        0-based positions (``int64``), -1 where unknown.
    counted, other
        The counted allele and the other one as letters, ``""`` where the file gives none. A multi-allelic
        site gives one marker per ALT allele; there ``other`` is REF.
    """

    identifier: NDArray[np.object_]
    contig: NDArray[np.object_]
    position: NDArray[np.int64]
    counted: NDArray[np.object_]
    other: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.identifier)

    def __repr__(self) -> str:
        return f"Markers({len(self):,})"

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Markers:
        """The chosen markers, in the order given.

        Parameters
        ----------
        rows
            Row numbers, from 0, or a mask (m,).

        Returns
        -------
        Markers
            The chosen markers.
        """
        return Markers(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Genotypes:
    """Dosage of the counted allele, accessions x markers.

    Attributes
    ----------
    accessions
        n ids, exactly as in the file.
    markers
        m markers.
    dosage
        (n, m) ``int8`` (missing is -1) or ``float32`` (fractional, missing is NaN), from 0 to the
        accession's ploidy.
    ploidy
        (n,) ``int8``, copies per accession.

    Examples
    --------
    >>> panel = Genotypes.from_matrix(["a", "b"], np.array([[0, 2], [1, -1]], dtype=np.int8))
    >>> panel.frequency_matrix()
    array([[0. , 1. ],
           [0.5, nan]])
    """

    accessions: tuple[str, ...]
    markers: Markers
    dosage: NDArray[np.int8] | NDArray[np.float32]
    ploidy: NDArray[np.int8]

    def __post_init__(self) -> None:
        shape = (len(self.accessions), len(self.markers))
        if self.dosage.shape != shape or self.ploidy.shape != shape[:1]:
            raise BudwoodError(
                f"dosage {self.dosage.shape} and ploidy {self.ploidy.shape} do not fit "
                f"{counted(shape[0], 'accession')} x {counted(shape[1], 'marker')}"
            )

    def __repr__(self) -> str:
        n, m = self.dosage.shape
        copies = sorted(set(self.ploidy.tolist()))
        ploidy = f", ploidy {' to '.join(map(str, copies[:: max(1, len(copies) - 1)]))}" if copies else ""
        return f"Genotypes({counted(n, 'accession')} x {counted(m, 'marker')}{ploidy})"

    @classmethod
    def from_matrix(
        cls, accessions: Sequence[str], dosage: NDArray[np.int8] | NDArray[np.float32], ploidy: int = 2
    ) -> Genotypes:
        """Genotypes of markers without names or positions.

        Parameters
        ----------
        accessions
            n ids.
        dosage
            (n, m): int8 with -1, or float32 with NaN, where missing.
        ploidy
            Copies of every accession.

        Raises
        ------
        BudwoodError
            If the dosages are no table of numbers that fit, or the ploidy is not possible.
        """
        dosage = _stored(np.asarray(dosage))
        if not (isinstance(ploidy, int | np.integer) and 1 <= ploidy <= _MOST_COPIES):
            raise BudwoodError(
                f"ploidy {shown(ploidy)} is not possible", mend=f"give 1 to {_MOST_COPIES} copies"
            )
        m = dosage.shape[1]
        empty = np.full(m, "", dtype=object)
        names = np.array([f"marker{j + 1}" for j in range(m)], dtype=object)
        markers = Markers(names, empty, np.full(m, -1, dtype=np.int64), empty, empty)
        return cls(tuple(accessions), markers, dosage, np.full(len(accessions), ploidy, dtype=np.int8))

    def check(self) -> None:
        """Refuse genotypes that nothing can be computed from.

        Readers give none of these; matrices made by hand may.

        Raises
        ------
        BudwoodError
            If there are no accessions or no markers, an accession occurs twice, or a ploidy or a dosage is
            not possible: infinite, negative, above the ploidy.
        """
        n, m = self.dosage.shape
        if n == 0 or m == 0:
            raise BudwoodError(
                f"the genotypes have no {'accessions' if n == 0 else 'markers'}",
                mend="give at least one accession and one marker",
            )
        if not all(isinstance(name, str) for name in self.accessions):
            raise BudwoodError("an accession id is not text", mend="write ids as strings")
        if len(self.row) < n:
            twice = next(name for name, count in Counter(self.accessions).items() if count > 1)
            raise BudwoodError(
                f"accession {twice!r} occurs twice in the genotypes", mend="keep one of the two"
            )
        if self.dosage.dtype.kind not in "if" or self.ploidy.dtype.kind not in "iu":
            raise BudwoodError(
                f"dosages of type {self.dosage.dtype} and ploidies of type {self.ploidy.dtype} are not known",
                mend="give dosages as int8 or float32 and ploidies as int8",
            )
        if int(self.ploidy.min()) < 1:
            row = int(np.argmin(self.ploidy))
            raise BudwoodError(
                f"accession {self.accessions[row]!r} has the ploidy {self.ploidy[row]}",
                mend="give at least 1 copy",
            )
        for row in range(n):
            self._check_line(row)

    def _check_line(self, row: int) -> None:
        dosage = self.dosage[row]
        least, most = np.fmin.reduce(dosage), np.fmax.reduce(dosage)
        # A missing call is -1 among whole numbers and NaN among others.
        lowest = -1 if dosage.dtype.kind == "i" else 0
        if not (least < lowest or most > self.ploidy[row] + _ROUNDING):
            return
        column = int(np.nanargmin(dosage) if least < lowest else np.nanargmax(dosage))
        raise BudwoodError(
            f"accession {self.accessions[row]!r} has the dosage {dosage[column]:g} at marker "
            f"{self.markers.identifier[column]!r}, and dosages go from 0 to its ploidy, {self.ploidy[row]}",
            mend="correct it, or write it as missing (-1 in whole numbers, NaN in others)",
        )

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each accession."""
        return {name: i for i, name in enumerate(self.accessions)}

    def frequency_matrix(self) -> NDArray[np.float64]:
        """Dosage divided by ploidy, (n, m) in 0..1, NaN where missing.

        Returns
        -------
        ndarray
            (n, m) ``float64``.
        """
        dosage = self.dosage.astype(np.float64)
        dosage[dosage < 0] = np.nan
        return dosage / self.ploidy[:, None]

    def with_ploidy(self, ploidy: Mapping[str, int]) -> Genotypes:
        """The same dosages with the ploidy of each accession, for files that cannot tell it.

        A table of dosages from diploid and tetraploid lines shows one largest dosage only; counts of the
        diploids then run from 0 to 2 and those of the tetraploids from 0 to 4.

        Parameters
        ----------
        ploidy
            Copies by accession id; accessions that are not named keep theirs.

        Returns
        -------
        Genotypes
            The same accessions, markers and dosages.

        Raises
        ------
        BudwoodError
            If no accession is named, a ploidy is not possible or a dosage exceeds it.

        Examples
        --------
        >>> panel = Genotypes.from_matrix(["a", "b"], np.array([[0, 2], [1, 4]], dtype=np.int8), ploidy=4)
        >>> panel.with_ploidy({"a": 2}).frequency_matrix()
        array([[0.  , 1.  ],
               [0.25, 1.  ]])
        """
        if not set(ploidy) & set(self.accessions):
            raise BudwoodError(
                "no accession with a ploidy is among the genotypes",
                mend="write accession ids the same way in both files",
            )
        copies = self.ploidy.copy()
        for row, name in enumerate(self.accessions):
            given = ploidy.get(name, int(self.ploidy[row]))
            most = float(np.fmax.reduce(self.dosage[row], initial=0.0))
            if not 1 <= given <= _MOST_COPIES or most > given:
                raise BudwoodError(
                    f"accession {name!r} has a dosage of {most:g} and ploidy {given}",
                    mend="give the ploidy that the dosages were counted with",
                )
            copies[row] = given
        return Genotypes(self.accessions, self.markers, self.dosage, copies)

    def take(self, rows: Choice) -> Genotypes:
        """The chosen accessions, in the order given.

        Parameters
        ----------
        rows
            Row numbers from 0, ids, or a mask (n,), each accession once.

        Returns
        -------
        Genotypes
            The chosen accessions with all markers.

        Raises
        ------
        BudwoodError
            As :func:`~budwood.genomics.checks.chosen_rows.chosen_rows`.

        Examples
        --------
        >>> panel = Genotypes.from_matrix(["a", "b"], np.array([[0], [2]], dtype=np.int8))
        >>> panel.take(["b"]).accessions, panel.take([1]).accessions, panel.take([False, True]).accessions
        (('b',), ('b',), ('b',))
        """
        index = chosen_rows(self.accessions, rows)
        chosen = tuple(self.accessions[i] for i in index)
        return Genotypes(chosen, self.markers, self.dosage[index], self.ploidy[index])

    def order(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows sorted by accession id, and columns by contig, position, name and alleles.

        Whatever is computed from the calls in this order does not depend on the order of the file.

        Returns
        -------
        rows, columns
            (n,) and (m,), for :meth:`take` and :meth:`take_markers`.

        Examples
        --------
        >>> panel = Genotypes.from_matrix(["b", "a"], np.array([[0], [2]], dtype=np.int8))
        >>> panel.order()[0].tolist()
        [1, 0]
        """
        rows = sorted(range(len(self.accessions)), key=self.accessions.__getitem__)
        markers = self.markers
        keys = (markers.contig, markers.position.tolist(), markers.identifier, markers.counted, markers.other)
        columns = sorted(range(len(markers)), key=list(zip(*keys, strict=True)).__getitem__)
        return np.array(rows, dtype=np.intp), np.array(columns, dtype=np.intp)

    def take_markers(self, columns: NDArray[np.intp] | NDArray[np.bool_]) -> Genotypes:
        """The chosen markers, in the order given.

        Parameters
        ----------
        columns
            Column numbers, from 0, or a mask (m,).

        Returns
        -------
        Genotypes
            All accessions with the chosen markers.
        """
        return Genotypes(self.accessions, self.markers.take(columns), self.dosage[:, columns], self.ploidy)


def check_is_genotypes(given: object) -> None:
    """Refuse what is no genotypes, and genotypes that nothing can be computed from.

    Parameters
    ----------
    given
        What a caller gave for genotypes.

    Raises
    ------
    BudwoodError
        If it is something else, or as :meth:`Genotypes.check`.
    """
    if not isinstance(given, Genotypes):
        raise BudwoodError(
            f"genotypes are needed, and a {type(given).__name__} is given",
            mend="give a panel, or what read_genotypes returns",
        )
    given.check()


def _stored(dosage: NDArray[Any]) -> NDArray[np.int8] | NDArray[np.float32]:
    """Dosages in the types that genotypes hold."""
    if dosage.ndim != 2:
        raise BudwoodError(
            f"dosages of shape {dosage.shape} are no table",
            mend="give accessions as rows, markers as columns",
        )
    if dosage.dtype in (np.int8, np.float32):
        return dosage
    if dosage.dtype.kind not in "iufb":
        raise BudwoodError(
            f"dosages of type {dosage.dtype} are no numbers", mend="give int8 (missing -1) or float32 (NaN)"
        )
    if dosage.dtype.kind == "f":
        return dosage.astype(np.float32)
    if dosage.size and (int(dosage.min()) < -1 or int(dosage.max()) > _MOST_COPIES):
        raise BudwoodError(
            f"dosages from {dosage.min()} to {dosage.max()} are not possible",
            mend=f"give counts from 0 to {_MOST_COPIES}, -1 where missing",
        )
    return dosage.astype(np.int8)
