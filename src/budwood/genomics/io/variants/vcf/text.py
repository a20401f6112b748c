"""Records of VCF files by reading their lines: for platforms without cyvcf2 and for what htslib refuses.

That is xz, a byte order mark, the phase prefixes of VCF 4.4 (``|0|1``) and headers that declare GT with
another type than String.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.variants.vcf.record import (
    FIXED_COLUMNS,
    VECTOR_END,
    malformed,
    not_utf8,
    site_of,
)

_POSITION: Final = re.compile(rb"[0-9]{1,10}")
_CALL: Final = re.compile(rb"([/|]?)((?:[0-9]{1,9}|\.)(?:[/|](?:[0-9]{1,9}|\.))*)")
_COPY: Final = re.compile(rb"([/|]?)([0-9]+|\.)")
# Calls of one digit, a separator and another digit, each with its tab.
_DIPLOID_WIDTH: Final = 4
# Larger allele numbers are refused later; they must fit 32 bits until then.
_LARGEST: Final = 10**6
_TAB, _POINT, _ZERO, _NINE = b"\t.09"
_PHASED, _UNPHASED = b"|/"


def text_records(path: Path, accessions: int) -> Iterator[tuple[Site, NDArray[np.int32] | None]]:
    """Sites of a VCF file with the calls of each, in file order.

    Parameters
    ----------
    path
        The file, plain or packed (gzip, BGZF, xz).
    accessions
        Their number.

    Yields
    ------
    Site
        The record's place and alleles.
    NDArray[np.int32] | None
        Its calls in htslib's integers, (accessions, widest call); None where it has no GT.

    Raises
    ------
    BudwoodError
        If a line is no record.
    """
    known: dict[bytes, tuple[int, ...]] = {}
    with open_bytes(path) as handle:
        begun = False
        for number, line in enumerate(handle, start=1):
            if not begun:
                begun = line.startswith(b"#CHROM")
                continue
            fields = line.rstrip(b"\r\n").split(b"\t", FIXED_COLUMNS)
            site = _site(fields, path, number)
            keys = fields[FIXED_COLUMNS - 1] if len(fields) >= FIXED_COLUMNS else b""
            if not accessions or keys.split(b":", 1)[0] != b"GT":
                yield site, None
                continue
            calls = _diploid_calls(fields[FIXED_COLUMNS], accessions) if keys == b"GT" else None
            if calls is None:
                calls = _calls(fields[FIXED_COLUMNS].split(b"\t"), keys, known, f"{path}, line {number}")
            yield site, calls


def _site(fields: list[bytes], path: Path, line: int) -> Site:
    if len(fields) < FIXED_COLUMNS - 1 or not _POSITION.fullmatch(fields[1]) or not fields[0]:
        raise malformed(path, line, "has no valid position or genotype")
    try:
        contig, name, ref, alt = (fields[column].decode("utf-8") for column in (0, 2, 3, 4))
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    # htslib reads an empty REF as ".": neither is a base, which every record must have.
    if not ref.strip(".") or not alt:
        raise malformed(path, line, "has no valid position or genotype: an allele is blank")
    letters = (ref,) if alt == "." else (ref, *alt.split(","))
    return site_of(contig, int(fields[1]) - 1, None if name == "." else name, letters)


def _diploid_calls(text: bytes, accessions: int) -> NDArray[np.int32] | None:
    """Calls if every one is a digit or point, a separator and another, as most are; else None."""
    if len(text) != _DIPLOID_WIDTH * accessions - 1:
        return None
    grid = np.frombuffer(text + b"\t", dtype=np.uint8).reshape(accessions, _DIPLOID_WIDTH)
    copies, between = grid[:, [0, 2]], grid[:, 1]
    phased = between == _PHASED
    missing = copies == _POINT
    digits = (copies >= _ZERO) & (copies <= _NINE)
    whole = (grid[:, 3] == _TAB).all() and (phased | (between == _UNPHASED)).all()
    if not whole or not (digits | missing).all():
        return None
    raw = np.where(missing, 0, (copies.astype(np.int32) - (_ZERO - 1)) << 1)
    raw[:, 1] |= phased
    return raw


def _calls(
    cells: list[bytes], keys: bytes, known: dict[bytes, tuple[int, ...]], where: str
) -> NDArray[np.int32]:
    """Calls of any form; ``known`` keeps those spelled before."""
    rows = []
    most = keys.count(b":")
    for cell in cells:
        word = cell.partition(b":")[0]
        row = known.get(word)
        if row is None:
            row = known[word] = _integers(word, where)
        if cell.count(b":") > most:
            raise _no_call(cell, where)
        rows.append(row)
    widest = max(map(len, rows))
    filler = (VECTOR_END,) * widest
    return np.array([(*row, *filler)[:widest] for row in rows], dtype=np.int32)


def _integers(word: bytes, where: str) -> tuple[int, ...]:
    """Integers of one call, as htslib has them."""
    found = _CALL.fullmatch(word)
    if not found:
        raise _no_call(word, where)
    prefix, copies = found.groups()
    row = []
    for mark, allele in _COPY.findall(copies):
        # A prefix / says that the first copy is not phased with the others (VCF 4.4, section 1.6.2).
        phased = mark == b"|" and prefix != b"/"
        row.append((0 if allele == b"." else (min(int(allele), _LARGEST) + 1) << 1) | phased)
    return tuple(row)


def _no_call(cell: bytes, where: str) -> BudwoodError:
    spelled = cell[:20].decode("utf-8", "replace")
    return BudwoodError(
        f"the record has no valid position or genotype: {spelled!r} is no call",
        where=where,
        mend="copy the file again or correct that record",
    )
