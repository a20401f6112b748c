"""DArTseq SNP reports: one row a marker (0, 1, 2) or two rows a marker (one for each allele).

In a one-row report 0 is the homozygote of the reference allele, **1 the homozygote of the SNP allele and 2
the heterozygote**; in a two-row report each allele's row says whether it was seen (1) or not (0). ``-`` is a
missing call in both. Rows that begin with ``*`` stand above the header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.io.text.delimited import (
    MISSING_CELLS,
    delimiter_of,
    refuse_repeated,
    split_cells,
    text_lines,
)
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.position import parse_position
from budwood.genomics.io.variants.tables.table_columns import letters_and_digits

_IDS: Final = ("alleleid", "cloneid")
_ALLELE_ID: Final = re.compile(r"\d+\|F\|")
_CHANGE: Final = re.compile(r"([ACGT])>([ACGT])")
_DESCRIBE: Final = frozenset(
    [
        "alleleid",
        "cloneid",
        "allelesequence",
        "trimmedsequence",
        "alleleidref",
        "snp",
        "snpposition",
        "callrate",
        "oneratio",
        "oneratioref",
        "oneratiosnp",
        "freqhomref",
        "freqhomsnp",
        "freqhets",
        "pic",
        "picref",
        "picsnp",
        "avgpic",
        "avgcount",
        "avgcountref",
        "avgcountsnp",
        "ratioavgcountrefavgcountsnp",
        "rep",
        "repavg",
        "reproducibility",
        "clusterconsensussequence",
        "clustertempindex",
        "clustersize",
        "clustercount",
        "rdepth",
    ]
)
_DESCRIBE_BEGIN: Final = ("chrom", "alncnt", "alnevalue", "strand")
# One-row scores as dosages of the SNP allele: 2 is the heterozygote.
_ONE_ROW: Final = {"0": 0, "1": 2, "2": 1}
_TWO_ROWS: Final = {("1", "0"): 0, ("1", "1"): 1, ("0", "1"): 2}
_MOST_HETEROZYGOUS: Final = 1.3


def is_dart_header(line: str) -> bool:
    """Whether a line is the header of a DArTseq SNP report.

    Parameters
    ----------
    line
        The line.

    Returns
    -------
    bool
        True for such a header.

    Examples
    --------
    >>> is_dart_header("AlleleID,CloneID,SNP,CallRate,line1"), is_dart_header("marker,line1")
    (True, False)
    """
    return any(letters_and_digits(cell) == _IDS[0] for cell in split_cells(line, delimiter_of(line))[:4])


def read_dart(path: Path, *, ploidy: int | None = None) -> DosageCalls:
    """Read a DArTseq SNP report into memory, as dosages of the SNP allele.

    Parameters
    ----------
    path
        The report as CSV or tab-separated text, plain or packed.
    ploidy
        None or 2; reports hold diploid scores.

    Returns
    -------
    DosageCalls
        The dosages and what was assumed.

    Raises
    ------
    BudwoodError
        If the report is malformed, a score is none of its codes or an accession occurs twice.
    """
    if ploidy not in (None, 2):
        raise BudwoodError(
            f"DArT reports hold diploid scores, not ploidy {ploidy}",
            where=str(path),
            mend="leave the ploidy out or give a VCF or a dosage table",
        )
    lines = ((number, line) for number, line in enumerate(text_lines(path), start=1) if line.strip())
    header = next((line for _, line in lines if is_dart_header(line)), "")
    delimiter = delimiter_of(header)
    names = split_cells(header, delimiter)
    first = next((i for i, name in enumerate(names) if not _describes(name)), len(names))
    accessions = names[first:]
    if not accessions:
        raise BudwoodError(
            "the report has no column of an accession", where=str(path), mend="check the header"
        )
    refuse_repeated(accessions, "accession", path)
    rows = list(_rows(lines, delimiter, len(names), path))
    if not rows:
        raise BudwoodError("the report holds no marker", where=str(path), mend="check the file")
    two = _is_two_rows(rows, names, first)
    scores = [row[first:] for row in rows]
    dosage = _two_rows(scores, path) if two else _one_row(scores, path)
    markers = _markers(rows[two :: 1 + two], names, path)
    notes = [_TWO_ROW_NOTE if two else _ONE_ROW_NOTE, *_heterozygosity(dosage)]
    copies = np.full(len(accessions), 2, dtype=np.int8)
    return DosageCalls(Genotypes(tuple(accessions), markers, dosage, copies), "DArT", tuple(notes))


_ONE_ROW_NOTE: Final = (
    "DArT scores, one row a marker: 0 is the reference homozygote, 1 the SNP homozygote, 2 the heterozygote; "
    "the SNP allele is counted"
)
_TWO_ROW_NOTE: Final = (
    "DArT scores, two rows a marker: the row of the reference allele, then that of the SNP allele"
)


def _describes(name: str) -> bool:
    plain = letters_and_digits(name)
    return plain in _DESCRIBE or plain.startswith(_DESCRIBE_BEGIN)


def _rows(lines: Iterator[tuple[int, str]], delimiter: str, due: int, path: Path) -> Iterator[list[str]]:
    for number, line in lines:
        cells = split_cells(line, delimiter)
        if len(cells) != due:
            raise BudwoodError(
                f"the row has {counted(len(cells), 'cell')}, the header {due}",
                where=f"{path}, line {number}",
                mend="the file may be cut short; copy it again or correct the row",
            )
        yield cells


def _is_two_rows(rows: Sequence[list[str]], names: Sequence[str], first: int) -> bool:
    """Whether rows come in pairs of one clone whose scores are 0 and 1 only."""
    if len(rows) % 2 or any("2" in row[first:] for row in rows):
        return False
    column = next((i for i, name in enumerate(names) if letters_and_digits(name) == _IDS[1]), 0)
    clones = [row[column].split("|")[0] for row in rows]
    return all(len(list(group)) % 2 == 0 for _, group in groupby(clones))


def _one_row(scores: list[list[str]], path: Path) -> NDArray[np.int8]:
    return np.array([[_score(cell, path) for cell in row] for row in scores], dtype=np.int8).T


def _score(cell: str, path: Path) -> int:
    if cell in _ONE_ROW:
        return _ONE_ROW[cell]
    if cell.lower() in MISSING_CELLS:
        return -1
    raise BudwoodError(
        f"{cell[:20]!r} is no DArT score",
        where=str(path),
        mend="give 0, 1, 2 and - for missing; rename the column AlleleID to 'marker' if these are dosages",
    )


def _two_rows(scores: list[list[str]], path: Path) -> NDArray[np.int8]:
    for row in scores:
        for cell in row:
            _score(cell, path)
    pairs = zip(scores[0::2], scores[1::2], strict=True)
    dosage = [[_TWO_ROWS.get(pair, -1) for pair in zip(*rows, strict=True)] for rows in pairs]
    return np.array(dosage, dtype=np.int8).T


def _markers(rows: Sequence[list[str]], names: Sequence[str], path: Path) -> Markers:
    plain = [letters_and_digits(name) for name in names]
    places = {
        role: next((i for i, name in enumerate(plain) if name.startswith(begin)), None)
        for role, begin in {"contig": "chrom", "position": "chrompos"}.items()
    }
    at = places["position"]
    if at is not None:
        places["contig"] = next(
            (i for i, name in enumerate(plain) if name.startswith("chrom") and "pos" not in name), None
        )
    ids = next(i for i, name in enumerate(plain) if name == _IDS[0])
    changes = [_CHANGE.findall(" ".join(row[: len(names)][: ids + 8])) for row in rows]
    position = [0 if at is None else int(parse_position(row[at], str(path))) for row in rows]
    column = places["contig"]
    contig = ["" if column is None or row[column].lower() in MISSING_CELLS else row[column] for row in rows]
    if at is None:
        contig = [""] * len(rows)
    return Markers(
        np.array([row[ids] for row in rows], dtype=object),
        np.array(contig, dtype=object),
        np.maximum(np.array(position, dtype=np.int64), 0) - 1,
        np.array([found[-1][1] if found else "" for found in changes], dtype=object),
        np.array([found[-1][0] if found else "" for found in changes], dtype=object),
    )


def _heterozygosity(dosage: NDArray[np.int8]) -> list[str]:
    """A note where there are more heterozygotes than any mating of these alleles gives."""
    called = dosage >= 0
    count = np.maximum(called.sum(axis=0), 1)
    frequency = np.where(called, dosage, 0).sum(axis=0) / (2 * count)
    expected = float((2 * frequency * (1 - frequency)).mean())
    observed = float(((dosage == 1).sum(axis=0) / count).mean())
    if observed > _MOST_HETEROZYGOUS * expected:
        return [
            f"{observed:.0%} of the calls are heterozygous, more than the {expected:.0%} expected under "
            "random mating: check that 2 stands for the heterozygote in this file"
        ]
    return []
