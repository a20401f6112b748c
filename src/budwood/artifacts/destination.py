"""Where an artifact may be written: never over anything that Budwood did not write."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

from budwood.artifacts.drafts import clear_leftovers, true_path
from budwood.artifacts.manifest import artifact_kind, read_manifest, unlisted_names
from budwood.artifacts.verification import changed_names
from budwood.errors import BudwoodError

#: Longest name of a folder, in bytes, that leaves room for the name of its draft.
_LONGEST_NAME: Final = 160


def check_destination(out: Path, *, inputs: Sequence[Path] = (), overwrite: bool = False) -> None:
    """Refuse an output folder that cannot or must not be written; call it before computing anything.

    What killed runs of the same destination left beside it is removed first.

    Parameters
    ----------
    out
        Destination of an artifact.
    inputs
        Files and folders that the command reads.
    overwrite
        Whether an earlier artifact at the destination may be replaced.

    Raises
    ------
    BudwoodError
        If the destination is the working folder or one that holds it, a symbolic link or a file; if it holds
        an input, a file that Budwood did not write or one that was changed since; if it holds an earlier
        artifact and ``overwrite`` is not given; if it lies in another artifact; if its parent cannot be
        written to.

    Examples
    --------
    >>> check_destination(Path("."))
    Traceback (most recent call last):
    budwood.errors.BudwoodError: the output folder is the working folder or holds it (.): name a new folder
    for --out, such as results.
    """
    out = Path(out)
    try:
        _check_place(out)
        _check_inputs(out, inputs)
        check_enclosing(out)
        clear_leftovers(out)
        check_contents(out, overwrite=overwrite)
    except OSError as error:
        raise unwritable(out, error) from error


def check_apart(destinations: Mapping[str, Path | None]) -> None:
    """Refuse two destinations of one run of which one is the other or lies in it; call it before computing.

    Parameters
    ----------
    destinations
        Folder or file to write, by the option that names it; None for what is not written.

    Raises
    ------
    BudwoodError
        If two of them are the same place, under whatever names, or one lies inside the other.

    Examples
    --------
    >>> check_apart({"--out": Path("results/height"), "--save-model": Path("models/height")})
    >>> check_apart({"--out": Path("height"), "--save-model": Path("height/model")})
    Traceback (most recent call last):
    budwood.errors.BudwoodError: --save-model lies inside --out (height/model, height): choose two folders of
    which neither holds the other.
    """
    given = [(option, Path(path)) for option, path in destinations.items() if path is not None]
    for (one, first), (other, second) in combinations(given, 2):
        where, mend = f"{first}, {second}", "choose two folders of which neither holds the other"
        if _is_within(first, second) and _is_within(second, first):
            raise BudwoodError(f"{one} and {other} are the same place", where=where, mend=mend)
        if _is_within(first, second):
            raise BudwoodError(f"{one} lies inside {other}", where=where, mend=mend)
        if _is_within(second, first):
            where = f"{second}, {first}"
            raise BudwoodError(f"{other} lies inside {one}", where=where, mend=mend)


def check_enclosing(out: Path) -> None:
    """Refuse a destination inside an artifact, which would no longer be as it was written.

    Parameters
    ----------
    out
        Destination of an artifact or of a file.

    Raises
    ------
    BudwoodError
        If a folder above it, up to the root, holds a manifest of Budwood's.
    """
    for folder in true_path(Path(out)).parents:
        kind = artifact_kind(folder)
        if kind is None:
            continue
        raise BudwoodError(
            f"the output lies inside a result of kind {kind!r}, {folder}, which must stay as it was written",
            where=str(out),
            mend="choose another --out",
        )


def _is_within(inner: Path, outer: Path) -> bool:
    """Whether a path is another one or lies in it, links and names in other letters followed."""
    real, around = Path(os.path.realpath(inner)), Path(os.path.realpath(outer))
    return any(
        folder == around or (folder.exists() and around.exists() and folder.samefile(around))
        for folder in (real, *real.parents)
    )


def check_contents(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an artifact as it was written, which may be replaced.

    Parameters
    ----------
    out
        Destination of an artifact.
    overwrite
        Whether an earlier artifact may be replaced.

    Raises
    ------
    BudwoodError
        As :func:`check_destination`.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise BudwoodError(
            "a file is in the way of the output folder", where=str(out), mend="choose another --out"
        )
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        manifest = read_manifest(out)
    except BudwoodError as error:
        kind = artifact_kind(out)
        if kind is not None:
            raise BudwoodError(
                f"the output folder holds a result of kind {kind!r} of a newer release",
                where=str(out),
                mend="choose another --out",
            ) from error
        raise BudwoodError(
            "the output folder holds files that budwood did not write",
            where=str(out),
            mend="choose an empty or new folder for --out",
        ) from error
    foreign = unlisted_names(out, manifest)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise BudwoodError(
            f"the output folder holds what budwood did not write: {foreign[0]}{more}",
            where=str(out),
            mend="move it elsewhere or choose another --out",
        )
    if not overwrite:
        raise BudwoodError(
            f"the output folder holds an earlier result of kind {manifest['kind']!r}",
            where=str(out),
            mend="choose another --out, or replace it with --overwrite",
        )
    changed = changed_names(out)
    if changed:
        raise BudwoodError(
            f"the output folder holds a file that has changed since budwood wrote it: {changed[0]}",
            where=str(out),
            mend="move it elsewhere or choose another --out",
        )


def unwritable(out: Path, error: OSError) -> BudwoodError:
    """The failure to write an artifact as a sentence.

    Parameters
    ----------
    out
        Destination of the artifact.
    error
        What the operating system reported.

    Returns
    -------
    BudwoodError
        The error to raise.

    Examples
    --------
    >>> print(unwritable(Path("results"), OSError(28, "No space left on device")))
    the disk is full, nothing was written (results): free some space or choose another --out.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BudwoodError(
            "the disk is full, nothing was written",
            where=str(out),
            mend="free some space or choose another --out",
        )
    what = f"the output cannot be written: {error.strerror}"
    return BudwoodError(what, where=str(out), mend="choose another --out")


def _check_place(out: Path) -> None:
    """Refuse what cannot be a folder of results, whatever it holds."""
    if out.is_symlink():
        raise BudwoodError(
            "the output folder is a symbolic link", where=str(out), mend="give the folder it leads to"
        )
    here = true_path(out)
    working = true_path(Path())
    if here == working or here in working.parents or here == here.parent:
        raise BudwoodError(
            "the output folder is the working folder or holds it",
            where=str(out),
            mend="name a new folder for --out, such as results",
        )
    if len(os.fsencode(here.name)) > _LONGEST_NAME:
        raise BudwoodError(
            "the name of the output folder is too long",
            where=f"{here.name[:40]}...",
            mend=f"give one of at most {_LONGEST_NAME} bytes",
        )
    if out.exists() and not out.is_dir():
        raise BudwoodError(
            "a file is in the way of the output folder", where=str(out), mend="choose another --out"
        )
    parent = next(folder for folder in here.parents if folder.exists())
    if not parent.is_dir():
        raise BudwoodError(f"{parent} is a file", where=str(out), mend="choose another --out")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise BudwoodError(f"{parent} cannot be written to", where=str(out), mend="choose another --out")


def _check_inputs(out: Path, inputs: Sequence[Path]) -> None:
    """Refuse a folder that an input lies in, under whatever name."""
    if not out.is_dir():
        return
    for path in inputs:
        real = Path(os.path.realpath(path))
        if any(folder.exists() and folder.samefile(out) for folder in (real, *real.parents)):
            raise BudwoodError(
                f"the input {path} lies in the output folder", where=str(out), mend="choose another --out"
            )
