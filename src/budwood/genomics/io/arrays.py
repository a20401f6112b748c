"""NumPy's files of several arrays, ``.npz``, whatever they hold."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Arrays of a file by name; arrays of Python objects are never loaded, since that can run any code.

    Parameters
    ----------
    path
        The file.
    names
        The arrays that are read where they are there; all by default.

    Returns
    -------
    dict
        Array by name.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    BudwoodError
        If it is damaged, no file of arrays, or an array in it holds Python objects.
    """
    try:
        with path.open("rb") as handle:
            if not zipfile.is_zipfile(handle):
                raise EOFError("no directory of arrays")
            with np.load(handle, allow_pickle=False) as stored:
                chosen = [name for name in stored.files if names is None or name in names]
                found = {name: stored[name] for name in chosen}
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged header leads NumPy to errors of any kind
        if "allow_pickle" in str(error):
            raise BudwoodError(
                "an array is stored as Python objects, which are not loaded because that can run any code",
                where=str(path),
                mend="store names as fixed-width strings: np.savez(..., ids=ids.astype(str))",
            ) from error
        raise _damaged(path) from error
    # An entry without NumPy's header comes as bytes.
    if not all(isinstance(array, np.ndarray) and _is_text(array) for array in found.values()):
        raise _damaged(path)
    return found


def _is_text(array: NDArray[Any]) -> bool:
    """Whether an array of strings holds characters only; other arrays do."""
    if array.dtype.kind != "U" or not array.size or not array.dtype.itemsize:
        return True
    codes = np.frombuffer(array.tobytes(), dtype=np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
    return int(codes.max()) <= sys.maxunicode


def _damaged(path: Path) -> BudwoodError:
    return BudwoodError(
        "the arrays of the file are truncated or damaged", where=str(path), mend="copy or write it again"
    )
