"""Aligned FASTA: one locus per file, alone or many in a tar archive."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.alignment import GAP, Alignment, species_of
from budwood.genomics.io.sequence.fasta_lines import fasta_lines
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.sequence import encode

_LETTERS: Final = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx?-."
_GAPS: Final = np.frombuffer(b"-.", dtype=np.uint8)
_SUFFIXES: Final = (".fa", ".fasta", ".fna", ".fas")


def read_alignment_fasta(path: Path) -> list[Alignment]:
    """Read aligned FASTA, or a tar archive of such files (plain, gzip or xz).

    Headers begin with ``Genus_species``, what follows a ``|`` is left aside. ``-`` and ``.`` are gaps, ``?``
    and ambiguity codes are unknown. A locus is named as its file.

    Parameters
    ----------
    path
        The file or archive.

    Returns
    -------
    list of Alignment
        One for each locus.

    Raises
    ------
    BudwoodError
        If the file is damaged or empty, a letter is no nucleotide, or rows differ in length.
    """
    path = Path(path)
    with open_bytes(path) as handle:
        if ".tar" in path.suffixes or path.suffix == ".tgz":
            alignments = list(_archived(handle, path))
        else:
            name = path.name.removesuffix(".xz").removesuffix(".gz")
            alignments = [_alignment(handle, str(PurePosixPath(name).stem), str(path))]
    if not alignments:
        raise BudwoodError(
            "the archive holds no aligned FASTA",
            where=str(path),
            mend=f"give one with files that end in {', '.join(_SUFFIXES)}",
        )
    return alignments


def _archived(handle: IO[bytes], path: Path) -> Iterator[Alignment]:
    try:
        # A stream is read in one pass and nothing is ever written to disk.
        with tarfile.open(fileobj=handle, mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                content = archive.extractfile(member) if name.suffix in _SUFFIXES else None
                if content is not None:
                    yield _alignment(content, name.stem, f"{path}, {name}")
        # Only at its very end does a packed stream say whether it is whole.
        while handle.read(1 << 20):
            pass
    except tarfile.TarError as error:
        raise BudwoodError(
            "the tar archive is truncated or damaged", where=str(path), mend="copy or download it again"
        ) from error


def _alignment(handle: IO[bytes], name: str, where: str) -> Alignment:
    headers: list[str] = []
    rows: list[list[bytes]] = []
    for number, (line, _) in enumerate(fasta_lines(handle), start=1):
        text = line.strip()
        if text.startswith(b";"):
            continue
        if text.startswith(b">"):
            headers.append(_species(text, f"{where}, line {number}"))
            rows.append([])
        elif text:
            _check(text, f"{where}, line {number}", begun=bool(headers))
            rows[-1].append(text)
    if not rows:
        raise BudwoodError("the alignment is empty", where=where, mend="check the file")
    joined = [b"".join(row) for row in rows]
    for header, row in zip(headers, joined, strict=True):
        if len(row) != len(joined[0]):
            raise BudwoodError(
                f"the row of {header} has {counted(len(row), 'column')}, the first one {len(joined[0])}",
                where=where,
                mend="align the sequences first",
            )
    return Alignment(name, tuple(headers), np.stack([aligned_codes(row) for row in joined]))


def aligned_codes(letters: bytes) -> NDArray[np.uint8]:
    """Codes of an aligned row: bases as in :mod:`budwood.genomics.sequence`, GAP for ``-`` and ``.``.

    Parameters
    ----------
    letters
        Letters of the row.

    Returns
    -------
    ndarray
        (length,) ``uint8``.

    Examples
    --------
    >>> aligned_codes(b"aC-N?")
    array([  0,   1, 255,   4,   4], dtype=uint8)
    """
    return np.where(np.isin(np.frombuffer(letters, dtype=np.uint8), _GAPS), np.uint8(GAP), encode(letters))


def _species(header: bytes, where: str) -> str:
    text = header[1:].decode("utf-8", "replace").strip()
    if not text.split("|")[0].strip():
        raise BudwoodError("a row has no name", where=where, mend="write Genus_species after the >")
    return species_of(text)


def _check(text: bytes, where: str, *, begun: bool) -> None:
    if not begun:
        raise BudwoodError(
            "the file is no FASTA: it does not begin with >", where=where, mend="give aligned FASTA"
        )
    strange = text.translate(None, _LETTERS)
    if strange:
        raise BudwoodError(
            f"{strange[:1].decode('utf-8', 'replace')!r} is no nucleotide letter",
            where=where,
            mend="give aligned DNA",
        )
