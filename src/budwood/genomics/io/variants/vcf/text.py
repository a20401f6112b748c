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
from budwood.genomics.haplotypes.calls import MISSING, Site
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
_TAB, _COLON, _POINT, _ZERO, _PHASED = b"\t:.0|"
#: The bit that tells | from / where they are the second of four bytes.
_PHASE_BIT: Final = 0x4000
#: Calls that are taken apart at once, and spellings of alleles that are kept.
_NEAR: Final = 1 << 15
_KEPT: Final = 1 << 14


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
            plain = diploid_calls(fields[FIXED_COLUMNS], keys, accessions)
            if plain is not None:
                yield site, _integers_of(plain, accessions)
                continue
            calls = _calls(fields[FIXED_COLUMNS].split(b"\t"), keys, known, f"{path}, line {number}")
            yield site, calls


def diploid_calls(text: bytes, keys: bytes, accessions: int, *, checked: bool = False) -> bytes | None:
    r"""Calls if every one is a digit or point, a separator and another, as most are; else None.

    Parameters
    ----------
    text
        The columns of the accessions, without the line's end.
    keys
        The column FORMAT, of which GT is the first key.
    accessions
        Their number, at least 1.
    checked
        Whether an earlier reading found the calls to be such; looking again takes half of the time.

    Returns
    -------
    bytes or None
        Each call with a tab after it, without the fields of other keys.

    Examples
    --------
    >>> diploid_calls(b"0/1:7\t.|2", b"GT:DP", 2), diploid_calls(b"0/1\t1", b"GT", 2)
    (b'0/1\t.|2\t', None)
    """
    if keys == b"GT":
        if len(text) != _DIPLOID_WIDTH * accessions - 1:
            return None
        text += b"\t"
        # A slice and a search in it take a nanosecond for each call; an expression takes a hundred.
        sound = checked or (_is_diploid(text) and text[3::4].count(b"\t") == accessions)
        return text if sound else None
    whole = np.frombuffer(text + b"\t\t\t\t", dtype=np.uint8)
    ends = np.flatnonzero(whole[: len(text)] == _TAB)
    if len(ends) != accessions - 1:
        return None
    starts = np.concatenate([[0], ends + 1])
    after = whole[_DIPLOID_WIDTH - 1 :].take(starts)
    if not ((after == _TAB) | (after == _COLON)).all():
        return None
    if not checked and np.add.reduceat(whole == _COLON, starts, dtype=np.int32).max() > keys.count(b":"):
        return None  # htslib refuses a call with more fields than FORMAT has keys
    calls = np.full((accessions, _DIPLOID_WIDTH), _TAB, dtype=np.uint8)
    for place in range(_DIPLOID_WIDTH - 1):
        calls[:, place] = whole[place:].take(starts)
    found = calls.tobytes()
    return found if checked or _is_diploid(found) else None


def _is_diploid(calls: bytes) -> bool:
    return not (
        calls[1::4].translate(None, b"/|")
        or calls[0::4].translate(None, b"0123456789.")
        or calls[2::4].translate(None, b"0123456789.")
    )


def diploid_blocks(
    path: Path, accessions: int, size: int
) -> Iterator[tuple[list[Site], NDArray[np.int8], NDArray[np.bool_]]]:
    """Calls of a file of which :func:`diploid_calls` reads every line, many lines at once.

    Parameters
    ----------
    path
        The file, plain or packed.
    accessions
        Their number.
    size
        Most lines of a block.

    Yields
    ------
    tuple
        Sites of one contig, alleles (k, n, 2) with -1 for missing, and phase (k, n).

    Raises
    ------
    BudwoodError
        If a line is no such record any more.
    """
    sites: list[Site] = []
    texts: list[bytes] = []
    known: dict[tuple[bytes, ...], Site] = {}
    with open_bytes(path) as handle:
        lines = enumerate(handle, start=1)
        next(line for _, line in lines if line.startswith(b"#CHROM"))
        for number, line in lines:
            fields = line.rstrip(b"\r\n").split(b"\t", FIXED_COLUMNS)
            site = _like_known(fields, known, path, number)
            calls = None
            if len(fields) > FIXED_COLUMNS:
                keys, text = fields[FIXED_COLUMNS - 1 :]
                calls = diploid_calls(text, keys, accessions, checked=True)
            if calls is None:
                raise malformed(path, number, "has changed while the file was read")
            if sites and (len(sites) == size or site.contig != sites[0].contig):
                yield sites, *_alleles(texts, accessions)
                sites, texts = [], []
            sites.append(site)
            texts.append(calls)
    if sites:
        yield sites, *_alleles(texts, accessions)


def _alleles(texts: list[bytes], accessions: int) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Alleles (k, n, 2) and phase (k, n) of lines, from four bytes of each call at once."""
    words = np.frombuffer(b"".join(texts), dtype="<u4").reshape(len(texts), accessions)
    pairs = np.empty(words.shape, dtype="<u2")
    phased = np.empty(words.shape, dtype=np.bool_)
    alleles = pairs.view(np.int8).reshape(*words.shape, 2)
    step = max(1, _NEAR // accessions)
    for first in range(0, len(texts), step):  # parts that stay near the core
        part = slice(first, first + step)
        here = words[part]
        pairs[part] = (here & 0xFF) | (here >> 8 & 0xFF00)
        np.not_equal(here & _PHASE_BIT, 0, out=phased[part])
        alleles[part] -= _ZERO
        # A point stands two places before the zero.
        np.maximum(alleles[part], MISSING, out=alleles[part])
    return alleles, phased


def _like_known(fields: list[bytes], known: dict[tuple[bytes, ...], Site], path: Path, line: int) -> Site:
    """The site of a record, with contig and alleles of an earlier one where these are spelled alike."""
    spelled = (fields[0], *fields[3:5])
    like = known.get(spelled)
    if like is None or not _POSITION.fullmatch(fields[1]) or fields[2] == b".":
        site = _site(fields, path, line)
        if len(known) < _KEPT:
            known[spelled] = site
        return site
    try:
        return Site(like.contig, int(fields[1]) - 1, fields[2].decode("utf-8"), like.alleles)
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error


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


def _integers_of(calls: bytes, accessions: int) -> NDArray[np.int32]:
    """Integers of calls as :func:`diploid_calls` gives them, as htslib has them."""
    grid = np.frombuffer(calls, dtype=np.uint8).reshape(accessions, _DIPLOID_WIDTH)
    copies = grid[:, [0, 2]]
    raw = np.where(copies == _POINT, 0, (copies.astype(np.int32) - (_ZERO - 1)) << 1)
    raw[:, 1] |= grid[:, 1] == _PHASED
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
