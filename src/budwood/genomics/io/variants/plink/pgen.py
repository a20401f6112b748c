"""PLINK 2 binary files: pgen, pvar and psam, read by pgenlib (extra ``pgen``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from sys import intern
from typing import Any, Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import MISSING, CallBlock, Site
from budwood.genomics.io.text.delimited import refuse_repeated, text_lines
from budwood.genomics.io.variants.position import parse_position
from budwood.genomics.io.variants.vcf.record import site_of

try:
    import pgenlib
except ImportError:  # there is no build of it for Windows
    pgenlib = None

PGEN_SUFFIXES: Final = (".pgen", ".pvar", ".psam")
_PVAR: Final = ("#CHROM", "POS", "ID", "REF", "ALT")


class PgenCalls:
    """A pgen/pvar/psam trio as a CallSource: diploid calls, phased where the file says so.

    Parameters
    ----------
    path
        Any of the three files, or their common prefix.
    ploidy
        None or 2; calls are read as diploid.

    Raises
    ------
    BudwoodError
        If pgenlib is not installed, a file is missing or malformed, or an accession occurs twice.
    """

    format: Final = "PLINK 2"
    has_letters: Final = True

    def __init__(self, path: Path, *, ploidy: int | None = None) -> None:
        if pgenlib is None:
            raise BudwoodError(
                "PLINK 2 files are read by pgenlib, which is not installed",
                where=str(path),
                mend="install it with \"pip install 'budwood[pgen]'\" (not on Windows), or convert the file "
                "with 'plink2 --make-bed' and give that",
            )
        if ploidy not in (None, 2):
            raise BudwoodError(
                f"PLINK files hold diploid calls, not ploidy {ploidy}",
                where=str(path),
                mend="leave the ploidy out or give a VCF or a dosage table",
            )
        prefix = Path(path).with_suffix("") if Path(path).suffix in PGEN_SUFFIXES else Path(path)
        self._pgen, pvar, psam = (Path(f"{prefix}{suffix}") for suffix in PGEN_SUFFIXES)
        for file in (self._pgen, pvar, psam):
            if not file.is_file():
                raise BudwoodError(
                    f"the PLINK file {file.name} is missing",
                    where=str(prefix),
                    mend="keep .pgen, .pvar (unpacked) and .psam together, or use 'plink2 --make-bed'",
                )
        self.accessions: Final = _read_psam(psam)
        self._sites: Final = _read_pvar(pvar)
        self._open().close()

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs in the order of the .pvar file, without lengths."""
        return dict.fromkeys(site.contig for site in self._sites)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What reading these files takes for granted."""
        return ("accessions are named by the individual id (IID); dosages beside the calls are not read",)

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
        reader = self._open()
        try:
            start = 0
            for _, group in groupby(self._sites, key=lambda site: site.contig):
                end = start + sum(1 for _ in group)
                for first in range(start, end, sites_per_block):
                    yield self._block(reader, first, min(first + sites_per_block, end))
                start = end
        finally:
            reader.close()

    def _block(self, reader: Any, first: int, last: int) -> CallBlock:
        n = len(self.accessions)
        codes = np.empty((last - first, 2 * n), dtype=np.int32)
        phased = np.zeros((last - first, n), dtype=np.uint8)
        try:
            for j in range(first, last):
                reader.read_alleles_and_phasepresent(j, codes[j - first], phased[j - first])
        except RuntimeError as error:
            raise _damaged(self._pgen) from error
        alleles = np.where(codes < 0, MISSING, codes).astype(np.int8).reshape(last - first, n, 2)
        return CallBlock(self._sites[first:last], alleles, phased.astype(np.bool_))

    def _open(self) -> Any:
        counts = np.cumsum([0, *(len(site.alleles) for site in self._sites)], dtype=np.uintp)
        try:
            return pgenlib.PgenReader(
                bytes(self._pgen),
                raw_sample_ct=len(self.accessions),
                variant_ct=len(self._sites),
                allele_idx_offsets=counts,
            )
        except RuntimeError as error:
            raise _damaged(self._pgen) from error


def _damaged(path: Path) -> BudwoodError:
    return BudwoodError(
        "the .pgen file is damaged or does not fit its .pvar and .psam",
        where=str(path),
        mend="copy the three files again, from one run of PLINK 2",
    )


def _read_psam(path: Path) -> tuple[str, ...]:
    rows = [line.split() for line in text_lines(path) if line.strip() and not line.startswith("##")]
    header = rows[0] if rows and rows[0][0].startswith("#") else []
    names = [name.lstrip("#") for name in header]
    column = names.index("IID") if "IID" in names else 1
    found = [row[column] for row in rows[bool(header) :] if len(row) > column]
    if not found:
        raise BudwoodError("there is no accession in the .psam file", where=str(path), mend="check the file")
    refuse_repeated(found, "individual", path)
    return tuple(found)


def _read_pvar(path: Path) -> tuple[Site, ...]:
    sites = []
    columns: list[str] = []
    for number, line in enumerate(text_lines(path), start=1):
        if line.startswith("##") or not line.strip():
            continue
        cells = line.split("\t")
        if line.startswith("#"):
            columns = cells
            continue
        if tuple(columns[: len(_PVAR)]) != _PVAR or len(cells) < len(_PVAR):
            raise BudwoodError(
                f"line {number} does not hold CHROM, POS, ID, REF and ALT under such a header",
                where=str(path),
                mend="write the .pvar file again with PLINK 2",
            )
        contig, text, name, ref, alt = cells[: len(_PVAR)]
        start = int(parse_position(text, f"{path}, line {number}")) - 1
        letters = (ref, *(("N",) if alt == "." else alt.split(",")))
        sites.append(site_of(intern(contig), max(start, -1), None if name == "." else name, letters))
    if not sites:
        raise BudwoodError("there is no marker in the .pvar file", where=str(path), mend="check the file")
    return tuple(sites)
