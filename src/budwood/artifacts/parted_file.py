"""One file written in parts, so that an interrupted run resumes; it appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock, Timeout

from budwood.artifacts.destination import check_enclosing, unwritable
from budwood.artifacts.drafts import true_path
from budwood.errors import BudwoodError

_KEY: Final = "key.json"


class PartedFile:
    r"""Parts of a file, kept in a hidden folder beside it until all are there.

    A context manager: it holds the folder, so that two runs never write the same file.

    Parameters
    ----------
    out
        The file, checked by :func:`check_file`.
    key
        What the parts depend on; those of another key are removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder, "both.txt")
    ...     with PartedFile(out, {"input": 1}) as parts:
    ...         for number in range(2):
    ...             with parts.part(number) as path:
    ...                 _ = path.write_text(f"part {number}\n")
    ...         parts.publish(2)
    ...     out.read_text()
    'part 0\npart 1\n'
    """

    def __init__(self, out: Path, key: Mapping[str, Any]) -> None:
        self.out = true_path(out)
        self._folder = self.out.parent / f".{self.out.name}.parts"
        self._lock = FileLock(self.out.parent / f".{self.out.name}.lock")
        self._digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()

    def __enter__(self) -> Self:
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            if self._stored_digest() != self._digest:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder.mkdir()
                (self._folder / _KEY).write_text(json.dumps({"digest": self._digest}), encoding="utf-8")
        except Timeout as error:
            raise BudwoodError(
                "another run is writing this file",
                where=str(self.out),
                mend="wait for it, or choose another --out",
            ) from error
        except OSError as error:
            self._release()
            raise unwritable(self.out, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if not self.kept:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._release()

    @property
    def kept(self) -> int:
        """Number of parts that are there."""
        return sum(1 for _ in self._folder.glob("part-*[0-9]")) if self._folder.is_dir() else 0

    def has(self, number: int) -> bool:
        """Whether a part is there.

        Parameters
        ----------
        number
            Number of the part, from 0.

        Returns
        -------
        bool
            Whether it was written by this run or an earlier one.
        """
        return self._part(number).is_file()

    @contextmanager
    def part(self, number: int) -> Iterator[Path]:
        """Where to write a part; it counts once the body has ended without an error.

        Parameters
        ----------
        number
            Number of the part, from 0.

        Yields
        ------
        Path
            File to write.

        Raises
        ------
        BudwoodError
            If it cannot be written.
        """
        draft = self._folder / "draft"
        try:
            yield draft
            _sync(draft)
            draft.replace(self._part(number))
        except OSError as error:
            raise unwritable(self.out, error) from error

    def publish(self, count: int) -> None:
        """Put the parts together at the destination and remove them.

        Parameters
        ----------
        count
            Number of parts.

        Raises
        ------
        BudwoodError
            If the file cannot be written.
        """
        whole = self._folder / "whole"
        try:
            with whole.open("wb") as handle:
                for number in range(count):
                    with self._part(number).open("rb") as part:
                        shutil.copyfileobj(part, handle, 1 << 20)
            _sync(whole)
            whole.replace(self.out)
            shutil.rmtree(self._folder, ignore_errors=True)
        except OSError as error:
            raise unwritable(self.out, error) from error

    def _part(self, number: int) -> Path:
        return self._folder / f"part-{number:06d}"

    def _stored_digest(self) -> str | None:
        try:
            stored = json.loads((self._folder / _KEY).read_text(encoding="utf-8"))
            return str(stored["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _release(self) -> None:
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)


def check_file(
    out: Path, *, inputs: Sequence[Path], overwrite: bool, is_ours: Callable[[Path], bool]
) -> None:
    """Refuse a destination for a file that must not be written.

    Parameters
    ----------
    out
        The file.
    inputs
        Files that are read.
    overwrite
        Whether an earlier result may be replaced.
    is_ours
        Whether a file was written by Budwood.

    Raises
    ------
    BudwoodError
        If it is a folder, a link or an input, exists without ``overwrite``, was not written by Budwood, lies
        in an artifact, or its folder cannot be written to.
    """
    here = true_path(out)
    if out.is_symlink() or out.is_dir():
        kind = "a symbolic link" if out.is_symlink() else "a folder"
        raise BudwoodError(f"the output is {kind}", where=str(out), mend="name a file for --out")
    for path in inputs:
        if path.exists() and out.exists() and path.samefile(out):
            raise BudwoodError("the output is an input", where=str(out), mend="choose another --out")
    check_enclosing(out)
    if out.exists() and not is_ours(out):
        raise BudwoodError(
            "the output is a file that budwood did not write", where=str(out), mend="choose another --out"
        )
    if out.exists() and not overwrite:
        raise BudwoodError(
            "the output exists", where=str(out), mend="choose another --out, or replace it with --overwrite"
        )
    parent = next(folder for folder in here.parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise BudwoodError(f"{parent} cannot be written to", where=str(out), mend="choose another --out")


def _sync(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
