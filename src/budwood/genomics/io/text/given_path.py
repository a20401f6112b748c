"""The path that a caller gives."""

from __future__ import annotations

import os
from pathlib import Path

from budwood.errors import BudwoodError


def given_path(path: object, what: str) -> Path:
    """A path as it was given, or one sentence on what was given instead.

    Parameters
    ----------
    path
        What a caller gave.
    what
        What it is the path of, such as ``genotypes``.

    Returns
    -------
    Path
        The same path.

    Raises
    ------
    BudwoodError
        If it is no path, or an empty one.

    Examples
    --------
    >>> given_path("panel.vcf", "genotypes").name
    'panel.vcf'
    """
    if isinstance(path, os.PathLike) and not isinstance(path, str):
        path = os.fspath(path)
    if not isinstance(path, str):
        raise BudwoodError(
            f"the path of the {what} is of type {type(path).__name__}",
            mend="give a path as text or as pathlib.Path",
        )
    if not path:
        raise BudwoodError(f"the path of the {what} is empty", mend="give the path of a file")
    return Path(path)
