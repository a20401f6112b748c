"""MAF files: alignment blocks of genomes (UCSC multiple alignment format)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from budwood.errors import BudwoodError, counted
from budwood.genomics.alignment import GAP, Alignment
from budwood.genomics.io.sequence.alignment_fasta import aligned_codes
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.text.whole_number import whole_number

_LETTERS: Final = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-."
_FIELDS: Final = 7


def read_maf(path: Path) -> list[Alignment]:
    """Read the blocks of a MAF file (plain, gzip or xz), one alignment each.

    The species of a row is its source up to the first dot (``sol1`` of ``sol1.chr2``). A block is named
    after its first row: source, start and end on the forward strand, 0-based half-open. Lines other than
    ``a`` and ``s`` (scores, synteny, quality) are left aside.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of Alignment
        One for each block.

    Raises
    ------
    BudwoodError
        If a line cannot be read, a row's letters do not add up to its size, rows of a block differ in
        length, or there is no block.
    """
    path = Path(path)
    blocks: list[Alignment] = []
    rows: list[tuple[str, str, bytes]] = []
    begun = False
    with open_bytes(path) as lines:
        for number, raw in enumerate(lines, start=1):
            where = f"{path}, line {number}"
            line = raw.split(b"#")[0].strip() if raw.startswith(b"#") else raw.strip()
            if line[:2] in (b"a", b"a ", b"a\t") or (begun and not raw.strip()):
                blocks.extend(_block(rows, where))
                rows, begun = [], bool(line)
            elif line[:2] in (b"s ", b"s\t"):
                if not begun:
                    raise BudwoodError("a row stands outside a block", where=where, mend="check the file")
                rows.append(_row(line, where))
        blocks.extend(_block(rows, str(path)))
    if not blocks:
        raise BudwoodError("the MAF file holds no block", where=str(path), mend="check the file")
    return blocks


def _row(line: bytes, where: str) -> tuple[str, str, bytes]:
    """Species, place and letters of an ``s`` line."""
    fields = line.split()
    numbers = [whole_number(fields[i]) for i in (2, 3, 5)] if len(fields) == _FIELDS else []
    start, size, whole = numbers if numbers else (None, None, None)
    if start is None or size is None or whole is None:
        raise BudwoodError(
            "a MAF row should be: s source start size strand source-size letters",
            where=where,
            mend="check the line",
        )
    source, strand, letters = fields[1], fields[4], fields[6]
    strange = letters.translate(None, _LETTERS)
    if strange:
        raise BudwoodError(
            f"{strange[:1].decode('utf-8', 'replace')!r} is no nucleotide letter",
            where=where,
            mend="give aligned DNA",
        )
    bases = len(letters.translate(None, b"-."))
    if bases != size or strand not in (b"+", b"-") or start + bases > whole:
        raise BudwoodError(
            f"the row has {counted(bases, 'base')}, which do not fit start {start}, size {size} and "
            f"{counted(whole, 'base')} of the source",
            where=where,
            mend="check the line",
        )
    name = source.decode("utf-8", "replace")
    first = start if strand == b"+" else whole - start - bases
    return name.split(".")[0].replace("_", " "), f"{name}:{first}-{first + bases}", letters


def _block(rows: list[tuple[str, str, bytes]], where: str) -> Iterator[Alignment]:
    if not rows:
        return
    lengths = {len(letters) for _, _, letters in rows}
    if len(lengths) > 1:
        raise BudwoodError(
            "the rows of a block differ in length",
            where=f"{where}, block {rows[0][1]}",
            mend="check the file",
        )
    codes = np.stack([aligned_codes(letters) for _, _, letters in rows])
    if (codes != GAP).any():
        yield Alignment(rows[0][1], tuple(species for species, _, _ in rows), codes)
