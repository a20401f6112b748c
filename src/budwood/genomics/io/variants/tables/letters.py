"""Calls spelled with letters: cells such as ``A``, ``R``, ``AG``, ``NN`` or ``AAAG``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from sys import intern
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.haplotypes.calls import MISSING
from budwood.genomics.io.text.delimited import MISSING_CELLS

# Codes of one copy: 0 missing, then the spellings below, in this order.
_SPELLINGS: Final = "ACGTB+-"
_INVALID: Final = 255
_B, _INSERTED, _DELETED = 5, 6, 7
_NAMES: Final = ("", "A", "C", "G", "T", "B", "<INS>", "<DEL>")
_CODE: Final = {letter: code for code, letter in enumerate(_SPELLINGS, start=1)} | dict.fromkeys("NX.?0", 0)
# Letters for two bases are heterozygotes; those for three or four say too little and count as missing.
_TWO_BASES: Final = {"R": "A/G", "Y": "C/T", "S": "C/G", "W": "A/T", "K": "G/T", "M": "A/C"}
_MORE_BASES: Final = "BDHVNX.?"


def cells_of(text: str, accessions: int, delimiter: str) -> NDArray[np.bytes_] | None:
    """Cells of the genotype part of a line as a bytes array (n,), None when their number is wrong.

    Cells of one width, the usual case, are cut out without making a string of each.

    Parameters
    ----------
    text
        The line from the first accession's cell on.
    accessions
        Number of accessions n.
    delimiter
        What separates the cells.

    Returns
    -------
    ndarray or None
        (n,) bytes.
    """
    raw = text.encode("ascii", "backslashreplace")
    width, rest = divmod(len(raw) + 1, accessions)
    if rest == 0 and width > 1 and delimiter != " ":
        grid = np.frombuffer(raw + delimiter.encode(), dtype=np.uint8).reshape(accessions, width)
        if (grid[:, -1] == ord(delimiter)).all() and not (grid[:, :-1] == ord(delimiter)).any():
            return np.ascontiguousarray(grid[:, :-1]).view(f"S{width - 1}")[:, 0]
    cells = raw.split() if delimiter == " " else raw.split(delimiter.encode())
    if len(cells) != accessions:
        return None
    return np.array([cell.strip().strip(b'"') for cell in cells], dtype=np.bytes_)


def spell_cells(cells: NDArray[np.bytes_], ploidy: int, *, coded: bool = False) -> NDArray[np.uint8]:
    """Codes (..., ploidy) of cells; those that cannot be read are 255.

    Parameters
    ----------
    cells
        One letter per copy; for diploids also single letters (``A`` is AA, ``R`` is AG by IUPAC).
    ploidy
        Copies of a call.
    coded
        Whether the letters are A and B, the names an array gives two alleles of any letters.

    Returns
    -------
    ndarray
        ``uint8``, one code for each copy.
    """
    codes = _spell_diploid(cells) if ploidy == 2 else _spell_polyploid(cells, ploidy)
    if not coded:
        codes[codes == _B] = _INVALID
    return codes


def _spell_diploid(cells: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Codes (..., 2) of one- and two-letter cells.

    Examples
    --------
    >>> _spell_diploid(np.array([b"AG", b"r", b"T", b"NN", b"NA", b"A!"])).tolist()
    [[1, 3], [1, 3], [4, 4], [0, 0], [0, 0], [255, 255]]
    """
    if cells.dtype.itemsize > 2:
        longest = np.char.str_len(cells) > 2
        short = np.where(longest, b"!!", cells).astype("S2")
        missing = np.isin(np.char.lower(cells), [text.encode() for text in MISSING_CELLS])
        short[missing] = b""
        cells = short
    return _diploid_table()[np.ascontiguousarray(cells.astype("S2")).view("<u2")]


def _spell_polyploid(cells: NDArray[np.bytes_], ploidy: int) -> NDArray[np.uint8]:
    """Codes (..., ploidy) of cells with one letter per copy.

    Examples
    --------
    >>> _spell_polyploid(np.array([b"AAAG", b"NA", b"AG"]), 4).tolist()
    [[1, 1, 1, 3], [0, 0, 0, 0], [255, 255, 255, 255]]
    """
    table = np.full(256, _INVALID, dtype=np.uint8)
    for letter, code in _CODE.items():
        table[[ord(letter), ord(letter.lower())]] = code
    lengths = np.char.str_len(cells)
    grid = np.ascontiguousarray(cells.astype(f"S{ploidy}")).view(np.uint8).reshape(*cells.shape, ploidy)
    codes = table[grid]
    codes[(lengths != ploidy) | (codes == _INVALID).any(axis=-1)] = _INVALID
    odd = np.nonzero(lengths != ploidy)
    missing = np.isin(np.char.lower(cells[odd]), [text.encode() for text in (*MISSING_CELLS, "n")])
    codes[tuple(axis[missing] for axis in odd)] = 0
    return codes


def index_alleles(
    codes: NDArray[np.uint8],
    listed: Sequence[tuple[str, ...]],
    unreadable: Callable[[int, int], Exception],
) -> tuple[list[tuple[str, ...]], NDArray[np.int8]]:
    """Alleles of every site and allele indices of its calls.

    Parameters
    ----------
    codes
        (k, n, ploidy) from :func:`spell_cells`.
    listed
        The alleles that the file lists for each site, in its order. Where a call holds a base beside them,
        the list is wrong (often the other strand's): then the alleles are those of the calls, listed ones
        first, others in alphabetical order. ``+`` and ``-`` are alleles (an insertion, a deletion) only
        where one of them is listed, else missing calls.
    unreadable
        Makes the exception for a cell (site, accession) that cannot be read.

    Returns
    -------
    tuple of list, ndarray
        Alleles of each site, and (k, n, ploidy) ``int8`` indices of alleles.
    """
    wrong = np.argwhere(codes == _INVALID)
    if len(wrong):
        raise unreadable(int(wrong[0, 0]), int(wrong[0, 1]))
    k = len(codes)
    flat = codes.reshape(k, -1)
    occurs = np.stack([(flat == code).any(axis=1) for code in range(1, len(_NAMES))], axis=1)
    index = np.full((k, len(_NAMES)), MISSING, dtype=np.int8)
    alleles = []
    for j, names in enumerate(listed):
        own = _alleles_of_site(names, occurs[j])
        for code, name in enumerate(_NAMES[1:], start=1):
            if name in own:
                index[j, code] = own.index(name)
        alleles.append(own)
    return alleles, np.take_along_axis(index, flat, axis=1).reshape(codes.shape)


def _alleles_of_site(listed: tuple[str, ...], occurs: NDArray[np.bool_]) -> tuple[str, ...]:
    """Alleles of a site whose calls hold the spellings that ``occurs`` tells, by code from 1."""
    called = [name for name, found in zip(_NAMES[1:], occurs, strict=True) if found]
    more = [name for name in called if name not in listed and not name.startswith("<")]
    own = (*(name for name in listed if name in called), *more) if more else listed
    return tuple(map(intern, own)) or ("N",)


def listed_alleles(text: str) -> tuple[str, ...]:
    """Alleles in a HapMap alleles column; what is neither a base nor an indel's sign is left out.

    Parameters
    ----------
    text
        The cell.

    Returns
    -------
    tuple of str
        Alleles in the order of the cell, each once.

    Examples
    --------
    >>> listed_alleles("a/C"), listed_alleles("+/-"), listed_alleles("NA")
    (('A', 'C'), ('<INS>', '<DEL>'), ())
    """
    known = {"A": "A", "C": "C", "G": "G", "T": "T", "+": "<INS>", "-": "<DEL>"}
    parts = (part.strip().upper() for part in text.split("/"))
    return tuple(dict.fromkeys(known[part] for part in parts if part in known))


@lru_cache(maxsize=1)
def _diploid_table() -> NDArray[np.uint8]:
    """Codes of the two copies for every pair of bytes, low byte first; NUL ends a one-letter cell."""
    table = np.full((1 << 16, 2), _INVALID, dtype=np.uint8)
    table[0] = 0
    single = {letter: (_CODE[letter], _CODE[letter]) for letter in "ACGT+-"}
    for letter, bases in _TWO_BASES.items():
        first, second = bases.split("/")
        single[letter] = (_CODE[first], _CODE[second])
    single |= dict.fromkeys(_MORE_BASES, (0, 0)) | {"0": (_INSERTED, _DELETED)}
    for letter, codes in single.items():
        for byte in {ord(letter), ord(letter.lower())}:
            table[byte] = codes
    for first, code in _CODE.items():
        for second, other in _CODE.items():
            for low in {ord(first), ord(first.lower())}:
                for high in {ord(second), ord(second.lower())}:
                    table[low | high << 8] = (code, other)
    for low in b"Nn":
        for high in b"Aa":
            table[low | high << 8] = 0
    return table
