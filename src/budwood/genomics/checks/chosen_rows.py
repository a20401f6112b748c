"""Rows of accessions that a caller chooses: by name, by number or by a mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.checks.series_labels import series_labels

#: What rows are chosen by.
Choice = str | Iterable[str] | Iterable[int] | NDArray[np.intp] | NDArray[np.bool_]
#: Names that a message shows.
_SHOWN: Final = 3
_MEND: Final = "give names, row numbers from 0, or a mask of True and False"


def chosen_rows(accessions: Sequence[str], chosen: object) -> NDArray[np.intp]:
    """Rows of the chosen accessions, in the order given.

    Parameters
    ----------
    accessions
        n ids.
    chosen
        Ids (one alone may be a plain string), row numbers from 0 (negative ones count from the end), or a
        mask of n True and False. A pandas Series of True and False whose index holds ids is a mask by id.

    Returns
    -------
    ndarray
        Row numbers.

    Raises
    ------
    BudwoodError
        If an id is not known, a number is out of range or not whole, a mask has another length, or a row is
        chosen twice.

    Examples
    --------
    >>> names = ("a", "b", "c")
    >>> chosen_rows(names, ["c", "a"]), chosen_rows(names, [2, 0]), chosen_rows(names, [True, False, True])
    (array([2, 0]), array([2, 0]), array([0, 2]))
    """
    given = _as_list(accessions, chosen)
    if not given:
        return np.empty(0, dtype=np.intp)
    if all(isinstance(each, str) for each in given):
        rows = _by_name(accessions, given)
    elif all(isinstance(each, bool | np.bool_) for each in given):
        if len(given) != len(accessions):
            raise BudwoodError(
                f"a mask of {len(given):,} does not fit {counted(len(accessions), 'accession')}",
                mend="give one True or False for each accession",
            )
        return np.flatnonzero(np.array(given, dtype=np.bool_))
    elif all(isinstance(each, int | np.integer) and not isinstance(each, bool) for each in given):
        rows = _by_number(len(accessions), given)
    else:
        kinds = " and ".join(sorted({type(each).__name__ for each in given})[:_SHOWN])
        raise BudwoodError(
            f"accessions are chosen by names, numbers or a mask, and these are of type {kinds}", mend=_MEND
        )
    twice = [row for row, count in Counter(rows).items() if count > 1]
    if twice:
        raise BudwoodError(
            f"accession {accessions[twice[0]]!r} is chosen twice", mend="choose each accession once"
        )
    return np.array(rows, dtype=np.intp)


def _as_list(accessions: Sequence[str], chosen: object) -> list[object]:
    """What is chosen, item by item."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, np.ndarray) and chosen.ndim == 1:
        return chosen.tolist()
    labels = series_labels(chosen)
    if labels is not None:
        return _of_series(accessions, chosen, labels)
    if isinstance(chosen, np.ndarray | Mapping) or not isinstance(chosen, Iterable):
        kind = (
            f"an array of shape {chosen.shape}" if isinstance(chosen, np.ndarray) else type(chosen).__name__
        )
        raise BudwoodError(f"accessions cannot be chosen by this ({kind})", mend=_MEND)
    return list(chosen)


def _of_series(accessions: Sequence[str], series: object, labels: list[object]) -> list[object]:
    """Items of a pandas Series; a mask whose index holds ids is put in the order of the accessions."""
    items = np.asarray(series)
    if items.ndim != 1:
        raise BudwoodError("accessions cannot be chosen by a table", mend=_MEND)
    held = items.tolist()
    if items.dtype.kind != "b" or not all(isinstance(label, str) for label in labels):
        return held
    by_name = dict(zip(labels, held, strict=True))
    if len(by_name) < len(labels) or set(by_name) != set(accessions):
        raise BudwoodError(
            "the index of the mask is not the accessions, each once",
            mend="give a mask with one entry for each accession, or the names that are chosen",
        )
    return [by_name[name] for name in accessions]


def _by_name(accessions: Sequence[str], names: Sequence[object]) -> list[int]:
    known = {name: row for row, name in enumerate(accessions)}
    unknown = [str(name) for name in names if name not in known]
    if not unknown:
        return [known[str(name)] for name in names]
    lowered = {name.lower(): name for name in reversed(accessions)}
    near = get_close_matches(unknown[0].lower(), lowered, n=_SHOWN, cutoff=0.6)
    shown = ", ".join(repr(name) for name in unknown[:_SHOWN])
    if len(unknown) == 1:
        what = f"accession {shown} is not in the panel"
    else:
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        what = f"accessions {shown}{more} are not in the panel"
    first = ", ".join(accessions[:_SHOWN]) + (", ..." if len(accessions) > _SHOWN else "")
    like = " or ".join(repr(lowered[name]) for name in near)
    raise BudwoodError(what, mend=f"did you mean {like}?" if near else f"its accessions are {first}")


def _by_number(n: int, numbers: Sequence[object]) -> list[int]:
    rows = [int(each) for each in numbers]  # type: ignore[call-overload]
    outside = [row for row in rows if not -n <= row < n]
    if outside:
        raise BudwoodError(
            f"there is no row {outside[0]} among {counted(n, 'accession')}",
            mend=f"give numbers from 0 to {n - 1}",
        )
    return [row % n for row in rows]
