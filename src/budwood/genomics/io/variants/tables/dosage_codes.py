"""Numbers in tables of dosages that are no dosages: codes of missing calls, and columns of something else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.variants.dosage_rows import MISSING_DOSAGE

_PLOIDIES: Final = (1, 2, 4, 6, 8, 10, 12)
#: What EIGENSTRAT, BLUPF90 and others write for a missing call among dosages of 0, 1 and 2.
_CODES: Final = (3.0, 5.0, 7.0, 8.0, 9.0)
_DIPLOID: Final = 2.0
_TETRAPLOID: Final = 4.0
_MOST_ODD: Final = 20
_SHARE_ODD: Final = 0.1
_FEWEST_COLUMNS: Final = 10
Dosages = NDArray[np.int8] | NDArray[np.float32]


def find_ploidy(
    dosage: Dosages, given: int | None, path: Path, *, minus_one: bool = False
) -> tuple[int, str]:
    """Copies per accession, and in words where the number comes from.

    A number above the ploidy given that many programs write for a missing call (3, 5, 7, 8, 9) is made
    missing in ``dosage`` where it is the only one.

    Parameters
    ----------
    dosage
        All dosages, -1 or NaN where missing; changed in place.
    given
        The ploidy that the user names, None where it is to be inferred.
    path
        The file, for messages.
    minus_one
        Whether the file writes -1, which is a homozygote in some tables and a missing call in others.

    Returns
    -------
    int
        Copies.
    str
        Where the number comes from, and what was made missing.

    Raises
    ------
    BudwoodError
        If a dosage exceeds the ploidy given, or it is open what -1 or the largest number means.
    """
    largest, next_largest = _two_largest(dosage)
    if minus_one and largest <= 1 and given != 1:
        raise BudwoodError(
            "dosages run from -1 to 1, so -1 may be a homozygote or a missing call",
            where=str(path),
            mend="add 1 to -1, 0, 1 coding, or write NA for missing calls",
        )
    count = int(np.count_nonzero(dosage == largest))
    if given is not None:
        if largest > given and largest in _CODES and next_largest <= given:
            dosage[dosage == largest] = MISSING_DOSAGE if dosage.dtype == np.int8 else np.nan
            cells = counted(count, "cell")
            return given, f"ploidy {given} as given: {cells} of {largest:g} read as missing calls"
        if largest > given:
            raise BudwoodError(
                f"a dosage is {largest:g} where ploidy {given} was given",
                where=str(path),
                mend="give the right ploidy or leave it out",
            )
        return given, f"ploidy {given} as given"
    if _is_code(largest, next_largest):
        between = "" if largest == next_largest + 1 else " with nothing between"
        raise BudwoodError(
            f"dosages run from 0 to {next_largest:g} and {count:,} are {largest:g}{between}, "
            "which looks like a code for missing calls",
            where=str(path),
            mend=f"give --ploidy 2 if {largest:g} means missing (or write NA), or the ploidy if not",
        )
    fitting = [ploidy for ploidy in _PLOIDIES if ploidy >= largest]
    if not fitting:
        raise BudwoodError(
            f"a dosage is {largest:g}, more than any ploidy tried",
            where=str(path),
            mend="give the ploidy, or write NA if the number means a missing call",
        )
    return fitting[0], f"ploidy {fitting[0]} is inferred from the largest dosage, {largest:g}"


def _is_code(largest: float, next_largest: float) -> bool:
    """Whether the largest number stands so far from the others that it is no dosage."""
    if largest not in _CODES or next_largest < 0:
        return False
    return next_largest <= _DIPLOID or (largest == _CODES[-1] and next_largest <= _TETRAPLOID)


def _two_largest(dosage: Dosages) -> tuple[float, float]:
    """The largest number and the largest below it, -1 where there is none."""
    largest = float(np.fmax.reduce(dosage, axis=None, initial=0.0))
    below = np.fmax.reduce(dosage, axis=None, initial=-1.0, where=dosage < largest)
    return largest, float(below)


def refuse_odd_columns(columns: Dosages, names: list[str], path: Path) -> None:
    """Refuse a table a few of whose columns hold larger or more fractional numbers than all others.

    Such columns are ages, years, scores or shares: as markers they predict noise.

    Parameters
    ----------
    columns
        The table's columns of dosages, (rows, columns).
    names
        Their names.
    path
        The file, for the message.

    Raises
    ------
    BudwoodError
        If there are such columns; the sentence names them.
    """
    if len(names) < _FEWEST_COLUMNS or not columns.size:
        return
    largest = np.fmax.reduce(columns, axis=0, initial=0.0)
    usual = float(np.quantile(largest, 1 - _SHARE_ODD))
    odd = largest > max(usual, _DIPLOID) if usual <= _DIPLOID else np.zeros(len(names), dtype=np.bool_)
    if odd.any() and _hold_codes(columns[:, odd], usual):
        odd[:] = False
    if columns.dtype == np.float32:
        with np.errstate(invalid="ignore"):
            fractional = np.any(np.nan_to_num(columns) != np.round(np.nan_to_num(columns)), axis=0)
        if fractional.mean() <= _SHARE_ODD:
            odd |= fractional
    found = [names[j] for j in np.flatnonzero(odd)]
    if found and len(found) <= min(_MOST_ODD, _SHARE_ODD * len(names) + 1):
        raise BudwoodError(
            f"columns hold other numbers than the dosages of all others: {', '.join(found[:8])}",
            where=str(path),
            mend="remove them, or give --ploidy if they are dosages",
        )


def _hold_codes(columns: Dosages, usual: float) -> bool:
    """Whether the numbers above the usual ones are one code of a missing call."""
    above = np.unique(columns[columns > usual])
    return len(above) == 1 and float(above[0]) in _CODES


def code_note(codes: Counter[float]) -> tuple[str, ...]:
    """A phrase about the numbers that were read as missing calls.

    Parameters
    ----------
    codes
        How often each occurs.

    Returns
    -------
    tuple[str, ...]
        The phrase, nothing where there is no code.

    Examples
    --------
    >>> code_note(Counter({-9.0: 3}))
    ('missing calls are written as -9 (3 cells)',)
    """
    if not codes:
        return ()
    listed = ", ".join(f"{code:g} ({counted(count, 'cell')})" for code, count in sorted(codes.items()))
    return (f"missing calls are written as {listed}",)
