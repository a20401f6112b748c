"""FASTA files as assemblies: plain, gzip, BGZF or xz, read by interval."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from budwood.config import cache_directory
from budwood.errors import BudwoodError
from budwood.genomics.assembly import check_interval, lower_case
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta_lines import contig_name, fasta_lines
from budwood.genomics.io.sequence.indexed_lines import IndexedLines
from budwood.genomics.io.text.compressed import compression, open_bytes
from budwood.genomics.io.text.given_path import given_path
from budwood.genomics.sequence import encode, reverse_complement

try:
    import pysam
except ImportError:  # there is no build of it for Windows
    pysam = None  # type: ignore[assignment]

_BASES: Final = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx"
_LETTERS: Final = _BASES + b"*-."
#: Pieces of a file, and bytes of each, that tell its content from another one's.
_SAMPLES: Final = 17
_SAMPLE: Final = 16_384
_INDEX, _BLOCKS, _UNPACKED = "genome.fai", "genome.gzi", "genome.fa"


class FastaAssembly:
    """A FASTA file with random access by interval; see :func:`open_fasta`.

    May be used from several threads and processes at once: each opens the file for itself.

    Parameters
    ----------
    path
        The user's file.
    folder
        Folder of the cache with its index and, where the file is not seekable, its unpacked text.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._folder = folder
        self._handles: dict[tuple[int, int], Any] = {}
        rows = (folder / _INDEX).read_text(encoding="utf-8").removesuffix("\n").split("\n")
        self._contigs = {name: int(length) for name, length, *_ in (row.split("\t") for row in rows)}

    def __reduce__(self) -> tuple[object, ...]:
        return open_fasta, (self.path,)

    @property
    def contigs(self) -> Mapping[str, int]:
        """Contig lengths in file order."""
        return self._contigs

    @property
    def empty_contigs(self) -> tuple[str, ...]:
        """Contigs without a base."""
        return tuple(name for name, length in self._contigs.items() if not length)

    def sequence(self, interval: Interval) -> NDArray[np.uint8]:
        """Codes of the interval, reverse complemented on ``-``.

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.

        Returns
        -------
        ndarray
            (length,) ``uint8`` codes.

        Raises
        ------
        BudwoodError
            If the contig is not in the file or the interval runs past its end.
        """
        codes = encode(self._letters(interval))
        return reverse_complement(codes) if interval.strand == "-" else codes

    def soft_mask(self, interval: Interval) -> NDArray[np.bool_]:
        """Whether each base of the interval is lower case in the file, reversed on ``-``.

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.

        Returns
        -------
        ndarray
            (length,) of bool.
        """
        mask = lower_case(self._letters(interval))
        return mask[::-1] if interval.strand == "-" else mask

    def gap_letter(self, interval: Interval) -> str | None:
        """The first letter of the interval that stands for a gap of an alignment: ``-``, ``.`` or ``*``.

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.

        Returns
        -------
        str or None
            The letter; None where there is none. :meth:`sequence` has N in its place.
        """
        found = self._letters(interval).translate(None, _BASES)
        return found[:1].decode("ascii") or None

    def _letters(self, interval: Interval) -> bytes:
        check_interval(interval, self._contigs, str(self.path))
        if interval.length == 0:
            return b""
        letters: str = self._handle().fetch(interval.contig, interval.start, interval.end)
        return letters.encode("ascii")

    def _handle(self) -> Any:
        # A file position shared with a forked worker or another thread would mix up their reads.
        owner = (os.getpid(), threading.get_ident())
        if owner not in self._handles:
            unpacked, blocks = self._folder / _UNPACKED, self._folder / _BLOCKS
            index = self._folder / _INDEX
            if blocks.exists():
                self._handles[owner] = pysam.FastaFile(
                    str(self.path), filepath_index=str(index), filepath_index_compressed=str(blocks)
                )
            else:
                self._handles[owner] = IndexedLines(unpacked if unpacked.exists() else self.path, index)
        return self._handles[owner]


@dataclass
class _Record:
    """One line of a ``.fai`` index; regular when arithmetic finds every base of the contig."""

    name: str
    offset: int
    length: int = 0
    line_bases: int = 0
    line_width: int = 0
    ended: bool = False
    regular: bool = True

    def extend(self, bases: int, width: int) -> None:
        """Add a line. One that is unlike the contig's first must be its last."""
        if bases and not self.length and not self.ended:
            self.line_bases, self.line_width = bases, width
        elif bases:
            self.regular &= not self.ended and bases <= self.line_bases
        self.ended |= (bases, width) != (self.line_bases, self.line_width)
        self.length += bases


def open_fasta(path: Path) -> FastaAssembly:
    """Open a FASTA file (plain, gzip, BGZF or xz) for random access.

    The first time, the file is read once: letters and names are checked and an index is written into
    the cache, never beside the file. Where the file is not seekable (xz, plain gzip; BGZF too where pysam is
    not installed) or its lines are uneven, its unpacked text is put into the cache too. Nothing is ever
    loaded whole.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    FastaAssembly
        The open assembly.

    Raises
    ------
    BudwoodError
        If the file is empty, truncated or no FASTA of nucleotides, or holds two contigs of one name.
    """
    path = given_path(path, "genome")
    kind = compression(path)  # a pipe has no other name to resolve
    path = path.resolve()
    if kind == "bgzf" and pysam is None:
        kind = "gzip"
    key = _key(path, kind)
    root = cache_directory() / "genomes"
    folder = root / key
    if not (folder / _INDEX).exists():
        try:
            root.mkdir(parents=True, exist_ok=True)
            with FileLock(root / f"{key}.lock"):
                if not folder.exists():
                    _prepare(path, kind, folder)
        except OSError as error:
            raise BudwoodError(
                f"the cache cannot be written: {error.strerror or error}",
                where=str(root),
                mend="free some space or set BUDWOOD_CACHE to another folder",
            ) from error
    return FastaAssembly(path, folder)


def _key(path: Path, kind: str) -> str:
    """Name of a file's index: another one when the content changes, also under its old date.

    A program can set the date of a change back (mtime), but not that of the file's entry (ctime). Where the
    operating system keeps no such date, samples of the content must do.
    """
    facts = path.stat()
    named = f"{path}|{facts.st_size}|{facts.st_mtime_ns}|{facts.st_ctime_ns}|{facts.st_ino}|{kind}"
    found = hashlib.sha256(named.encode("utf-8", "surrogateescape"))
    with path.open("rb") as handle:
        for number in range(_SAMPLES):
            handle.seek(max(0, facts.st_size - _SAMPLE) * number // (_SAMPLES - 1))
            found.update(handle.read(_SAMPLE))
    return found.hexdigest()[:32]


def _prepare(path: Path, kind: str, folder: Path) -> None:
    """Fill the cache folder of a file, whole or not at all."""
    for left_behind in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        records: list[_Record] = []
        if kind in ("plain", "bgzf"):
            with open_bytes(path) as lines:
                records = list(_scan(path, lines))
        if not records or not all(record.regular for record in records):
            with open_bytes(path) as lines, (draft / _UNPACKED).open("wb") as copy:
                records = list(_scan(path, lines, copy))
        elif kind == "bgzf":
            options = ["--fai-idx", str(draft / _INDEX), "--gzi-idx", str(draft / _BLOCKS)]
            pysam.faidx(str(path), *options)
        rows = (f"{r.name}\t{r.length}\t{r.offset}\t{r.line_bases}\t{r.line_width}\n" for r in records)
        (draft / _INDEX).write_text("".join(rows), encoding="utf-8")
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _scan(path: Path, lines: IO[bytes], copy: IO[bytes] | None = None) -> Iterator[_Record]:
    """Index records of a FASTA stream; with ``copy``, of the copy, where each contig is a single line."""
    record: _Record | None = None
    seen: set[str] = set()
    position = bases_in_all = 0
    for number, (bases, width) in enumerate(fasta_lines(lines), start=1):
        position += width
        if bases.startswith(b">"):
            if record is not None:
                yield _finish(record, copy)
            name = contig_name(bases, f"{path}, line {number}", seen)
            if copy is not None:
                copy.write(b">%s\n" % name.encode())
            record = _Record(name, position if copy is None else copy.tell(), regular=width > 0)
        elif bases.startswith(b";"):
            # A comment between the lines of a contig leaves its bases where no arithmetic finds them.
            if record is not None:
                record.regular = False
        elif bases and (record is None or bases.translate(None, _LETTERS)):
            raise _no_fasta(bases, f"{path}, line {number}", begun=record is not None)
        elif record is not None:
            bases_in_all += len(bases)
            if copy is None:
                record.extend(len(bases), width)
                record.regular &= width > 0
            else:
                record.length += copy.write(bases)
    if record is None:
        raise BudwoodError("the FASTA file is empty", where=str(path), mend="check the file")
    if not bases_in_all:
        raise BudwoodError(
            f"no record of the FASTA file has a base, {record.name!r} being the last",
            where=str(path),
            mend="check the file",
        )
    yield _finish(record, copy)


def _finish(record: _Record, copy: IO[bytes] | None) -> _Record:
    if copy is not None:
        copy.write(b"\n")
        record.line_bases = max(1, record.length)
        record.line_width = record.line_bases + 1
    else:
        record.regular &= record.length > 0
    return record


def _no_fasta(line: bytes, where: str, *, begun: bool) -> BudwoodError:
    if not begun:
        return BudwoodError(
            "the file is no FASTA: it does not begin with >", where=where, mend="give a FASTA file"
        )
    strange = line.translate(None, _LETTERS)[:1].decode("utf-8", "replace")
    return BudwoodError(
        f"{strange!r} is no nucleotide letter", where=where, mend="give a FASTA file of DNA sequences"
    )
