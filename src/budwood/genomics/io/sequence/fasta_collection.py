"""FASTA files put together from many sources, which may hold a record twice."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from filelock import FileLock

from budwood.config import cache_directory
from budwood.errors import BudwoodError
from budwood.genomics.io.sequence.fasta import FastaAssembly, open_fasta
from budwood.genomics.io.sequence.fasta_lines import fasta_lines
from budwood.genomics.io.text.compressed import open_bytes, refuse_pipe


def open_collection(path: Path) -> FastaAssembly:
    """Open a FASTA file of many species, in which a record may be repeated; repeated records are read once.

    A copy without the repetitions is kept in the cache.

    Parameters
    ----------
    path
        The file, plain or packed.

    Returns
    -------
    FastaAssembly
        The open file, each record once.

    Raises
    ------
    BudwoodError
        As for ``open_fasta``, and if two different sequences bear one name.
    """
    refuse_pipe(Path(path))
    path = Path(path).resolve()
    try:
        facts = path.stat()
    except OSError:
        return open_fasta(path)  # which says what is wrong
    named = f"{path}|{facts.st_size}|{facts.st_mtime_ns}"
    key = hashlib.sha256(named.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    folder = cache_directory() / "collections"
    copy = folder / f"{key}.fa"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{key}.lock"):
            if not copy.exists():
                _copy_once(path, copy)
    except OSError as error:
        raise BudwoodError(
            f"the cache cannot be written: {error.strerror or error}",
            where=str(folder),
            mend="free some space or set BUDWOOD_CACHE to another folder",
        ) from error
    return open_fasta(copy)


def _copy_once(path: Path, copy: Path) -> None:
    """Write the first of every record, whole or not at all."""
    seen: dict[bytes, str] = {}
    handle, name = tempfile.mkstemp(dir=copy.parent, suffix=".partial")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, open_bytes(path) as lines:
            header: bytes | None = None
            body: list[bytes] = []
            for line, _ in fasta_lines(lines):
                if line.startswith(b";"):
                    continue
                if line.startswith(b">"):
                    if header is not None:
                        out.write(_record(header, body, seen, path))
                    header, body = line.strip(), []
                elif header is None and line.strip():
                    raise BudwoodError(
                        "the file is no FASTA: it does not begin with >",
                        where=str(path),
                        mend="give a FASTA file",
                    )
                else:
                    body.append(line.strip())
            if header is not None:
                out.write(_record(header, body, seen, path))
        draft.rename(copy)
    finally:
        draft.unlink(missing_ok=True)


def _record(header: bytes, body: list[bytes], seen: dict[bytes, str], path: Path) -> bytes:
    """The text of a record, nothing for one that was seen before."""
    name = header[1:].split()[0] if header[1:].split() else b""
    letters = b"".join(body)
    digest = hashlib.sha256(letters).hexdigest()
    if name not in seen:
        seen[name] = digest
        return header + b"\n" + letters + b"\n"
    if seen[name] != digest:
        raise BudwoodError(
            f"two different sequences are called {name.decode('utf-8', 'replace')!r}",
            where=str(path),
            mend="rename or remove one of them",
        )
    return b""
