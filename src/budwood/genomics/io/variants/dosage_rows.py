"""A dosage matrix that grows row by row without ever being held twice."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: What stands for a missing dosage in an int8 matrix.
MISSING_DOSAGE: Final = -1


class DosageRows:
    """Collects rows of dosages, as int8 while all are whole, as float32 from the first fractional one on.

    Parameters
    ----------
    columns
        Length of a row.

    Examples
    --------
    >>> rows = DosageRows(3)
    >>> rows.append(np.array([[0, 2, -1]], dtype=np.int8))
    >>> rows.finish()
    array([[ 0,  2, -1]], dtype=int8)
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._used = 0
        self._data: NDArray[np.int8] | NDArray[np.float32] = np.empty((0, columns), dtype=np.int8)

    def append(self, rows: NDArray[np.int8] | NDArray[np.float32]) -> None:
        """Add rows (k, columns); missing is -1 in int8, NaN in float32.

        Parameters
        ----------
        rows
            (k, columns) dosages.
        """
        if rows.dtype == np.float32 and self._data.dtype == np.int8:
            self._data = as_fractional(self._data[: self._used])
        end = self._used + len(rows)
        if end > len(self._data):
            # realloc moves whole pages of a large array instead of copying it, so growing costs little.
            self._data.resize((end + end // 8, self._columns), refcheck=False)
        part = as_fractional(rows) if self._data.dtype == np.float32 and rows.dtype == np.int8 else rows
        self._data[self._used : end] = part
        self._used = end

    def finish(self) -> NDArray[np.int8] | NDArray[np.float32]:
        """The rows collected; the collector is empty afterwards.

        Returns
        -------
        ndarray
            (rows, columns), int8, or float32 where any part was.
        """
        data = self._data
        self._data = np.empty((0, self._columns), dtype=np.int8)
        data.resize((self._used, self._columns), refcheck=False)
        self._used = 0
        return data


def as_fractional(dosage: NDArray[np.int8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Dosages as float32 with NaN where missing.

    Parameters
    ----------
    dosage
        int8 with -1, or float32 with NaN, where missing.

    Returns
    -------
    ndarray
        ``float32`` of the same shape.

    Examples
    --------
    >>> as_fractional(np.array([2, -1], dtype=np.int8))
    array([ 2., nan], dtype=float32)
    """
    fractional = dosage.astype(np.float32)
    if dosage.dtype == np.int8:
        fractional[dosage == MISSING_DOSAGE] = np.nan
    return fractional
