"""PLINK 1 binary files: bed, bim and fam.

In the .bed file every genotype is two bits (PLINK 1.9 file formats, https://www.cog-genomics.org/plink/1.9/formats#bed):
00 homozygous A1, 10 heterozygous, 11 homozygous A2, 01 missing. A1 and A2 are columns five and six of the
.bim file. PLINK makes A1 the minor allele unless forbidden, so the files do not say which allele the
reference genome has: here A2 (usually the major one) stands first, in REF's place, and A1 is the counted
allele, as in PLINK's own additive coding.
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
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.io.variants.plink.ped import name_accessions

MAGIC: Final = b"\x6c\x1b"
SUFFIXES: Final = (".bed", ".bim", ".fam")
_MARKER_MAJOR: Final = 1
_CALL_OF_BITS: Final = ((1, 1), (MISSING, MISSING), (0, 1), (0, 0))
_DNA: Final = re.compile(r"[ACGTN]+")
_UNKNOWN_ALLELE: Final = "0"


class PlinkCalls:
    """A bed/bim/fam trio as a CallSource.

    Alleles are (A2, A1); an allele written ``0`` (unknown) is given as ``N``, one that is no DNA sequence
    (``I``, ``D``) as symbolic. When no allele of the file is DNA (coding 1/2 or A/B), ``has_letters`` is
    False and alleles are empty. Position 0 and negative positions mean unknown and give start -1.

    Parameters
    ----------
    path
        The common prefix, or any of the three files.
    ploidy
        None or 2; the format holds diploid calls only.

    Raises
    ------
    BudwoodError
        If one of the three is missing, malformed or truncated, or an accession occurs twice.
    """

    format: Final = "PLINK"

    def __init__(self, path: Path, *, ploidy: int | None = None) -> None:
        if ploidy not in (None, 2):
            raise BudwoodError(
                f"PLINK files hold diploid calls, not ploidy {ploidy}",
                where=str(path),
                mend="leave the ploidy out or give a VCF or a dosage table",
            )
        prefix = plink_prefix(path)
        self._bed, bim, fam = (Path(f"{prefix}{suffix}") for suffix in SUFFIXES)
        for file in (self._bed, bim, fam):
            if not file.is_file():
                raise BudwoodError(
                    f"the PLINK file {file.name} is missing",
                    where=str(prefix),
                    mend="keep .bed, .bim and .fam side by side",
                )
        self.accessions, self._identity = _read_fam(fam)
        self._sites, self.has_letters = _read_bim(bim)
        self._packed = _map_bed(self._bed, len(self._sites), len(self.accessions))

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs in the order of the .bim file; PLINK declares no lengths."""
        return dict.fromkeys(site.contig for site in self._sites)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What reading this file takes for granted."""
        order = "PLINK does not say which allele is the reference: A2 stands first, A1 is counted"
        return (order, self._identity)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls.

        Parameters
        ----------
        sites_per_block
            Most sites of a block.

        Yields
        ------
        CallBlock
            Unphased diploid calls of one contig.
        """
        n = len(self.accessions)
        for first, last in _runs(self._sites, sites_per_block):
            # Four genotypes to the byte; the last byte of a marker is padded.
            calls = np.take(_CALLS_OF_BYTE, self._packed[first:last]).view(np.int8)
            alleles = calls.reshape(last - first, -1, 2)[:, :n]
            phased = np.zeros(alleles.shape[:2], dtype=np.bool_)
            yield CallBlock(self._sites[first:last], np.ascontiguousarray(alleles), phased)


def plink_prefix(path: Path) -> Path:
    """What the names of the three files have in common.

    Parameters
    ----------
    path
        One of the three files, or their prefix.

    Returns
    -------
    Path
        The prefix.

    Examples
    --------
    >>> plink_prefix(Path("panel/rice.v2.bim")).name, plink_prefix(Path("panel/rice.v2")).name
    ('rice.v2', 'rice.v2')
    """
    path = Path(path)
    return path.with_suffix("") if path.suffix in SUFFIXES else path


def _calls_of_byte() -> NDArray[np.uint64]:
    """The two alleles of the four genotypes in every byte as one number of eight bytes, (256,)."""
    bits = (np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3  # the lowest bits come first
    return np.array(_CALL_OF_BITS, dtype=np.int8)[bits].reshape(256, 8).view(np.uint64)[:, 0]


_CALLS_OF_BYTE: Final = _calls_of_byte()


def _runs(sites: tuple[Site, ...], longest: int) -> Iterator[tuple[int, int]]:
    """First and one past the last of runs of sites on one contig."""
    start = 0
    for _, group in groupby(sites, key=lambda site: site.contig):
        end = start + sum(1 for _ in group)
        for first in range(start, end, longest):
            yield first, min(first + longest, end)
        start = end


def _read_fam(path: Path) -> tuple[tuple[str, ...], str]:
    """Accessions, and in words which column names them."""
    families, individuals = [], []
    for number, line in enumerate(text_lines(path), start=1):
        cells = line.split()
        if len(cells) < 2:
            raise BudwoodError(
                f"line {number} has {counted(len(cells), 'column')} where a family and an "
                "individual id are due",
                where=str(path),
                mend="write the .fam file again with PLINK",
            )
        families.append(cells[0])
        individuals.append(cells[1])
    if not individuals:
        raise BudwoodError("there is no accession in the .fam file", where=str(path))
    return name_accessions(families, individuals, path)


def _read_bim(path: Path) -> tuple[tuple[Site, ...], bool]:
    """Sites, and whether their alleles are letters."""
    rows = []
    for number, line in enumerate(text_lines(path), start=1):
        cells = line.split()
        if len(cells) != 6 or not re.fullmatch(r"-?[0-9]{1,12}", cells[3]):
            raise BudwoodError(
                f"line {number} does not hold chromosome, marker, centimorgan, position, A1 and A2",
                where=str(path),
                mend="write the .bim file again with PLINK",
            )
        rows.append((intern(cells[0]), cells[1], int(cells[3]), cells[4].upper(), cells[5].upper()))
    if not rows:
        raise BudwoodError("there is no marker in the .bim file", where=str(path))
    spellings = {allele for row in rows for allele in row[3:]}
    # A beside B is a code of the array, not adenine.
    has_letters = "B" not in spellings and any(_DNA.fullmatch(allele) for allele in spellings)
    return tuple(_site(*row, has_letters) for row in rows), has_letters


def _site(contig: str, marker: str, position: int, a1: str, a2: str, has_letters: bool) -> Site:
    name = marker if marker != "." else f"{contig}_{position}"
    alleles = (_allele(a2), _allele(a1)) if has_letters else ("", "")
    return Site(contig, max(position, 0) - 1, name, alleles)


def _allele(text: str) -> str:
    if text == _UNKNOWN_ALLELE:
        return "N"
    return intern(text) if _DNA.fullmatch(text) else intern(f"<{text.strip('<>')}>")


def _map_bed(path: Path, markers: int, accessions: int) -> NDArray[np.uint8]:
    """The packed genotypes, (markers, bytes per marker), mapped from disk."""
    with path.open("rb") as handle:
        head = handle.read(3)
    if head[:2] != MAGIC:
        raise BudwoodError(
            "the file does not start with PLINK's two magic bytes",
            where=str(path),
            mend="give a binary .bed file written by PLINK (not genomic intervals)",
        )
    if len(head) == 3 and head[2] != _MARKER_MAJOR:
        raise BudwoodError(
            "the genotypes are stored accession by accession, an order that PLINK no longer writes",
            where=str(path),
            mend="write the files again with 'plink --make-bed'",
        )
    width = -(-accessions // 4)
    size, due = path.stat().st_size, 3 + markers * width
    if size != due:
        wrong = "is truncated" if size < due else "is too long"
        matrix = f"{counted(markers, 'marker')} x {counted(accessions, 'accession')}"
        raise BudwoodError(
            f"the file {wrong}: {size:,} bytes where {matrix} take {due:,}",
            where=str(path),
            mend="copy the three PLINK files again, from one run",
        )
    return np.memmap(path, dtype=np.uint8, mode="r", offset=3, shape=(markers, width))
