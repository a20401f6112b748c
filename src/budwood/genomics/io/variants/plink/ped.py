"""PLINK text files: ``.ped`` with one accession a line, ``.map`` with one marker a line.

A line of the .ped file holds family, individual, father, mother, sex, phenotype and two alleles for each
marker, ``0`` where missing; one of the .map file chromosome, marker, (centimorgan,) position. Neither says
which allele the reference genome has: as PLINK does when it converts them, the commoner allele stands first
and the rarer one is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from sys import intern
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.haplotypes.calls import MISSING, CallBlock, Site
from budwood.genomics.io.text.delimited import refuse_repeated, text_lines
from budwood.genomics.io.variants.position import parse_position

PED_SUFFIXES: Final = (".ped", ".map")
_FIXED: Final = 6
_MISSING: Final = frozenset({"0", "N", "-", ".", "?"})
_DNA: Final = re.compile(r"[ACGTN]+")
_MOST_SPELLINGS: Final = 254
_PED_LINE: Final = re.compile(r"\S+\s+\S+\s+\S+\s+\S+\s+[0-2]\s+-?[0-9.]+(?:\s+[ACGTN0]\s+[ACGTN0])+\s*")


class PedCalls:
    """A .ped and .map pair as a CallSource, held in memory.

    Parameters
    ----------
    path
        Either of the two, or their common prefix.
    ploidy
        None or 2; the format holds diploid calls only.

    Raises
    ------
    BudwoodError
        If one of the two is missing or malformed, they do not fit, or an accession occurs twice.
    """

    format: Final = "PLINK text"

    def __init__(self, path: Path, *, ploidy: int | None = None) -> None:
        if ploidy not in (None, 2):
            raise BudwoodError(
                f"PLINK files hold diploid calls, not ploidy {ploidy}",
                where=str(path),
                mend="leave the ploidy out or give a VCF or a dosage table",
            )
        ped, places = ped_files(path)
        for file in (ped, places):
            if not file.is_file():
                raise BudwoodError(
                    f"the PLINK file {file.name} is missing",
                    where=str(path),
                    mend="keep .ped and .map side by side",
                )
        markers = _read_map(places)
        self.accessions, self._identity, codes, spellings = _read_ped(ped, len(markers))
        self._sites, self._alleles, self.has_letters = _index(markers, codes, spellings)

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs in the order of the .map file; PLINK declares no lengths."""
        return dict.fromkeys(site.contig for site in self._sites)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What reading these files takes for granted."""
        order = "no allele is marked as the reference: the commoner stands first, the other is counted"
        return (order, self._identity)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls.

        Parameters
        ----------
        sites_per_block
            Sites in a block, at most.

        Yields
        ------
        CallBlock
            Calls at consecutive sites of one contig.
        """
        start = 0
        for _, group in groupby(self._sites, key=lambda site: site.contig):
            end = start + sum(1 for _ in group)
            for first in range(start, end, sites_per_block):
                last = min(first + sites_per_block, end)
                alleles = np.ascontiguousarray(self._alleles[:, first:last].transpose(1, 0, 2))
                phased = np.zeros(alleles.shape[:2], dtype=np.bool_)
                yield CallBlock(self._sites[first:last], alleles, phased)
            start = end


def ped_files(path: Path) -> tuple[Path, Path]:
    """The .ped and the .map file that a path or prefix stands for.

    Parameters
    ----------
    path
        Either file, or their common prefix.

    Returns
    -------
    tuple[Path, Path]
        Both paths, whether they exist or not.

    Examples
    --------
    >>> [file.name for file in ped_files(Path("panel.v2.map"))]
    ['panel.v2.ped', 'panel.v2.map']
    """
    path = Path(path)
    if path.suffix not in PED_SUFFIXES and path.is_file():
        return path, path.with_suffix(PED_SUFFIXES[1])
    prefix = path.with_suffix("") if path.suffix in PED_SUFFIXES else path
    return Path(f"{prefix}{PED_SUFFIXES[0]}"), Path(f"{prefix}{PED_SUFFIXES[1]}")


def is_ped_line(line: str) -> bool:
    """Whether a line looks like one of a .ped file: six columns and pairs of letters.

    Parameters
    ----------
    line
        The line.

    Returns
    -------
    bool
        True for a line of a .ped file.

    Examples
    --------
    >>> is_ped_line("f1 line1 0 0 0 -9 A G 0 0"), is_ped_line("line1 0 1 2 0 1 2 1")
    (True, False)
    """
    return bool(_PED_LINE.fullmatch(line))


def _read_map(path: Path) -> list[tuple[str, str, int]]:
    """Contig, marker and 0-based position of every marker."""
    markers = []
    for number, line in enumerate(text_lines(path), start=1):
        cells = line.split()
        if not cells or cells[0].startswith("#"):
            continue
        if len(cells) not in (3, 4):
            raise BudwoodError(
                f"line {number} does not hold chromosome, marker, centimorgan and position",
                where=str(path),
                mend="write the .map file again with PLINK",
            )
        position = int(parse_position(cells[-1], f"{path}, line {number}"))
        markers.append((intern(cells[0]), cells[1], max(position, 0) - 1))
    if not markers:
        raise BudwoodError("there is no marker in the .map file", where=str(path), mend="check the file")
    return markers


def _read_ped(path: Path, markers: int) -> tuple[tuple[str, ...], str, NDArray[np.uint8], list[str]]:
    """Accessions, which column names them, codes (n, m, 2) of their alleles, and what the codes spell."""
    families, individuals, rows = [], [], []
    code = dict.fromkeys(_MISSING, 0)
    spellings = ["0"]
    for number, line in enumerate(text_lines(path), start=1):
        cells = line.upper().split()
        if not cells or cells[0].startswith("#"):
            continue
        alleles = cells[_FIXED:]
        if len(alleles) == markers and all(len(cell) == 2 for cell in alleles):
            alleles = [letter for cell in alleles for letter in cell]
        if len(alleles) != 2 * markers:
            raise BudwoodError(
                f"line {number} has {counted(len(alleles), 'allele')} where {2 * markers} are "
                f"due for {counted(markers, 'marker')}",
                where=str(path),
                mend="copy .ped and .map again, from one run of PLINK",
            )
        for new in set(alleles) - code.keys():
            code[new] = len(spellings)
            spellings.append(new)
        if len(spellings) > _MOST_SPELLINGS:
            raise BudwoodError(
                f"the alleles have more than {_MOST_SPELLINGS} spellings",
                where=f"{path}, line {number}",
                mend="give a VCF",
            )
        rows.append(np.array([code[cell] for cell in alleles], dtype=np.uint8).reshape(markers, 2))
        family, individual = line.split()[:2]
        families.append(family)
        individuals.append(individual)
    if not rows:
        raise BudwoodError("there is no accession in the .ped file", where=str(path), mend="check the file")
    accessions, identity = name_accessions(families, individuals, path)
    return accessions, identity, np.stack(rows), spellings


def name_accessions(families: list[str], individuals: list[str], path: Path) -> tuple[tuple[str, ...], str]:
    """Ids of accessions from PLINK's family and individual ids, and in words which of them it is.

    Parameters
    ----------
    families, individuals
        The ids as written.
    path
        The file, for the message.

    Returns
    -------
    tuple[str, ...]
        The individual ids, or the family ids where only those do not repeat.
    str
        What was assumed.

    Raises
    ------
    BudwoodError
        If ids of both kinds repeat.
    """
    if len(set(individuals)) < len(individuals) and len(set(families)) == len(families):
        return tuple(families), "accessions are named by the family id, since individual ids repeat"
    refuse_repeated(individuals, "individual", path)
    return tuple(individuals), "accessions are named by the individual id (IID)"


def _index(
    markers: list[tuple[str, str, int]], codes: NDArray[np.uint8], spellings: list[str]
) -> tuple[tuple[Site, ...], NDArray[np.int8], bool]:
    """Sites, allele indices (n, m, 2) and whether alleles are letters."""
    known = set(spellings[1:])
    # A beside B is a code of the array, not adenine.
    has_letters = "B" not in known and any(_DNA.fullmatch(allele) for allele in known)
    names = [intern(a if _DNA.fullmatch(a) else f"<{a.strip('<>')}>") for a in spellings]
    alleles = np.full(codes.shape, MISSING, dtype=np.int8)
    sites = []
    for j, (contig, marker, start) in enumerate(markers):
        counts = np.bincount(codes[:, j].ravel(), minlength=len(spellings))
        counts[0] = 0
        # The order must not depend on that of the accessions: commoner first, then alphabetical.
        present = sorted(np.flatnonzero(counts), key=lambda k: (-counts[k], spellings[k]))
        index = np.full(len(spellings), MISSING, dtype=np.int8)
        index[present] = np.arange(len(present))
        alleles[:, j] = index[codes[:, j]]
        own = tuple(names[k] for k in present) or ("N",)
        letters = own if has_letters else ("",) * max(len(own), 2)
        name = marker if marker != "." else f"{contig}_{start + 1}"
        sites.append(Site(contig, start, name, letters if len(letters) > 1 else (*letters, "N")))
    # A half-called genotype is missing, as in PLINK.
    alleles[(alleles == MISSING).any(axis=2)] = MISSING
    return tuple(sites), alleles, has_letters
