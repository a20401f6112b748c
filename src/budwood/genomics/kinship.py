"""A relationship of accessions that the user gives: a pedigree's, another marker set's, a blend's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted

#: Largest difference of two entries that ought to be the same, relative to the mean diagonal.
_SYMMETRIC: Final = 1e-3
#: Smallest eigenvalue relative to the largest: rounded tables have values a little under 0.
_DEFINITE: Final = -0.01
#: Accessions named in a message.
_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Kinship:
    """Relationship of n accessions.

    Attributes
    ----------
    accessions
        n ids.
    values
        (n, n) ``float64``, symmetric, in any unit.
    notes
        Sentences: what was assumed.
    """

    accessions: tuple[str, ...]
    values: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def checked(self, where: str = "") -> Kinship:
        """The same, exactly symmetric and without negative eigenvalues.

        Parameters
        ----------
        where
            The file, for messages.

        Returns
        -------
        Kinship
            With a note where rounding had left a negative eigenvalue, which is added to the diagonal.

        Raises
        ------
        BudwoodError
            If ids repeat, the matrix is not square, holds values that are no numbers, is not symmetric, has
            a diagonal that is not positive, or is indefinite.

        Examples
        --------
        >>> Kinship(accessions=("a", "b"), values=np.array([[1.0, 0.5], [0.5, 1.0]])).checked().notes
        ()
        """
        n, values = len(self.accessions), self.values
        if values.shape != (n, n) or not n:
            raise BudwoodError(
                f"a matrix of shape {values.shape} does not fit {counted(n, 'accession')}",
                where=where,
                mend="give a row and a column for each accession",
            )
        repeated = [name for name, count in Counter(self.accessions).items() if count > 1]
        if repeated:
            raise BudwoodError(
                f"accession {repeated[0]!r} occurs twice", where=where, mend="keep one of the two"
            )
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise BudwoodError(
                f"{self.accessions[row]!r} with {self.accessions[column]!r} is not a number",
                where=where,
                mend="fill it, or leave one of the two out",
            )
        diagonal = np.diagonal(values)
        if diagonal.min() <= 0.0:
            name = self.accessions[int(diagonal.argmin())]
            raise BudwoodError(
                f"the relationship of {name!r} with itself is {diagonal.min():g}",
                where=where,
                mend="give a relationship matrix, not distances",
            )
        apart = np.abs(values - values.T)
        if apart.max() > _SYMMETRIC * diagonal.mean():
            row, column = np.unravel_index(int(apart.argmax()), apart.shape)
            raise BudwoodError(
                f"the matrix is not symmetric: {self.accessions[row]!r} with {self.accessions[column]!r} is "
                f"{values[row, column]:g}, and {values[column, row]:g} the other way round",
                where=where,
                mend="correct the table",
            )
        return self._definite((values + values.T) / 2.0, where)

    def _definite(self, values: NDArray[np.float64], where: str) -> Kinship:
        found = np.linalg.eigvalsh(values)
        least, most = float(found[0]), float(found[-1])
        if least < _DEFINITE * most:
            raise BudwoodError(
                f"the matrix is no relationship: its eigenvalues go from {least:.3g} to {most:.3g}",
                where=where,
                mend="give a matrix without negative eigenvalues, for example after bending it",
            )
        if least >= -1e-10 * most:
            return Kinship(accessions=self.accessions, values=values, notes=self.notes)
        note = (
            f"The kinship matrix has a smallest eigenvalue of {least:.2g}, as rounded tables have; "
            f"{-least:.2g} is added to its diagonal."
        )
        values = values + np.eye(len(values)) * -least
        return Kinship(accessions=self.accessions, values=values, notes=(*self.notes, note))

    def of(self, accessions: tuple[str, ...], where: str = "") -> NDArray[np.float64]:
        """The relationship of some accessions.

        Parameters
        ----------
        accessions
            c ids.
        where
            The file, for messages.

        Returns
        -------
        ndarray
            (c, c).

        Raises
        ------
        BudwoodError
            If an accession is not in the matrix; the first ones are named.

        Examples
        --------
        >>> Kinship(accessions=("a", "b"), values=np.array([[1.0, 0.5], [0.5, 2.0]])).of(("b",))
        array([[2.]])
        """
        row = {name: i for i, name in enumerate(self.accessions)}
        absent = [name for name in accessions if name not in row]
        if absent:
            named = ", ".join(repr(name) for name in absent[:_NAMED]) + (
                ", ..." if len(absent) > _NAMED else ""
            )
            raise BudwoodError(
                f"{len(absent):,} of the {len(accessions):,} genotyped accessions are not in the kinship: "
                f"{named}",
                where=where,
                mend="add them, or leave them out of the genotypes",
            )
        rows = np.array([row[name] for name in accessions], dtype=np.intp)
        return self.values[np.ix_(rows, rows)]
