"""Any genotype file: as calls, as a matrix of dosages, or as a summary of what it holds."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.calls import CallSource
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.text.delimited import MISSING_CELLS, delimiter_of, split_cells, text_lines
from budwood.genomics.io.variants.allele_counts import count_alleles
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.dosage_table import LEADING_AT_MOST, read_dosage_table
from budwood.genomics.io.variants.genotype_summary import GenotypeSummary, summarise_calls
from budwood.genomics.io.variants.hapmap import is_hapmap_header, open_hapmap
from budwood.genomics.io.variants.letter_table import open_letter_table
from budwood.genomics.io.variants.marker_map import column_roles
from budwood.genomics.io.variants.plink import MAGIC, SUFFIXES, PlinkCalls, plink_prefix
from budwood.genomics.io.variants.tidy_panel import ARRAYS, read_tidy_panel
from budwood.genomics.io.variants.vcf import VcfCalls

__all__ = [
    "GenotypeFile",
    "GenotypeSummary",
    "open_calls",
    "read_genotypes",
    "summarise_calls",
]

_LETTERS: Final = frozenset("ACGTBN")
_SAMPLE_ROWS: Final = 20


@runtime_checkable
class GenotypeFile(CallSource, Protocol):
    """A CallSource that tells its format and what reading it took for granted."""

    @property
    def format(self) -> str:
        """Name of the format."""

    @property
    def assumptions(self) -> tuple[str, ...]:
        """One phrase for each thing assumed."""


def open_calls(path: Path, *, ploidy: int | None = None, marker_map: Path | None = None) -> GenotypeFile:
    """Open a genotype file of any format as a CallSource.

    The format shows in the content: VCF, BCF, PLINK (bed/bim/fam by prefix or any of the three), HapMap, a
    table of letters (``AAAG``) or of numeric dosages, or a folder with ``geno.npz`` and ``markers.csv.gz``.

    Parameters
    ----------
    path
        The file, prefix or folder.
    ploidy
        Copies of an accession's call, at most; None finds out.
    marker_map
        Positions and alleles for a table of dosages.

    Raises
    ------
    BudwoodError
        If the format is unknown, the file is malformed or calls exceed the ploidy.
    """
    path = Path(path)
    if ploidy is not None and ploidy < 1:
        raise BudwoodError(f"ploidy {ploidy} is not possible", mend="give 1 or more")
    kind = _kind(path)
    if marker_map is not None and kind != "dosage":
        raise BudwoodError(
            "a marker map goes with a table of dosages only", where=str(path), mend="leave it out"
        )
    if kind == "vcf":
        return VcfCalls(path, ploidy=ploidy)
    if kind == "plink":
        return PlinkCalls(path, ploidy=ploidy)
    if kind == "hapmap":
        return open_hapmap(path, ploidy=ploidy)
    if kind == "letters":
        return open_letter_table(path, ploidy=ploidy)
    if kind == "tidy":
        return read_tidy_panel(path, ploidy=ploidy)
    return read_dosage_table(path, ploidy=ploidy, marker_map=marker_map)


def read_genotypes(path: Path, *, ploidy: int | None = None, marker_map: Path | None = None) -> Genotypes:
    r"""Dosages of a genotype file of any format.

    Every ALT allele (every allele after the first) makes one marker, whose dosage counts it. Calls with any
    copy missing are missing dosages. Where an accession has fewer copies than elsewhere in the file (an
    organelle, say), its dosages are scaled up to its widest ploidy, so that they stay comparable. The matrix
    takes one byte per dosage, four where any is fractional, and is built block by block.

    Raises
    ------
    BudwoodError
        As :func:`open_calls`; also if the file has no accession, no marker or no call.

    Examples
    --------
    >>> import tempfile
    >>> text = (
    ...     "##fileformat=VCFv4.3\n"
    ...     "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tline1\tline2\n"
    ...     "1\t20\tm\tA\tG,T\t.\t.\t.\tGT\t0/2\t1/1\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "two.vcf")
    ...     _ = file.write_text(text)
    ...     panel = read_genotypes(file)
    >>> panel.markers.identifier.tolist(), panel.dosage.tolist()
    (['m:G', 'm:T'], [[0, 1], [2, 0]])
    """
    source = open_calls(path, ploidy=ploidy, marker_map=marker_map)
    if not source.accessions:
        raise BudwoodError(
            "the file has no accessions", where=str(path), mend="give genotypes, not a list of sites"
        )
    genotypes = source.genotypes if isinstance(source, DosageCalls) else count_alleles(source)
    if not genotypes.dosage.shape[1]:
        raise BudwoodError(
            "the file has no marker with a second allele", where=str(path), mend="give variable sites"
        )
    if not _any_called(genotypes.dosage):
        raise BudwoodError(
            "no accession has a call at any marker", where=str(path), mend="check the genotype columns (GT)"
        )
    return genotypes


def _any_called(dosage: NDArray[np.int8] | NDArray[np.float32]) -> bool:
    return bool(np.fmax.reduce(dosage, axis=None, initial=-1.0) >= 0)


def _kind(path: Path) -> str:
    """Which reader a path is for: vcf, plink, hapmap, letters, tidy or dosage."""
    if path.is_dir() or path.suffix == ".npz":
        return _kind_of_folder(path)
    if path.suffix in SUFFIXES or (not path.exists() and Path(f"{plink_prefix(path)}{SUFFIXES[0]}").exists()):
        return "plink"
    with open_bytes(path) as handle:
        start = handle.read(16)
    if not start:
        raise BudwoodError("the file is empty", where=str(path), mend="give a genotype file")
    if start.startswith((b"##fileformat=VCF", b"BCF", b"#CHROM")):
        return "vcf"
    if start.startswith(MAGIC) or path.suffix in (".pgen", ".pvar", ".psam"):
        raise BudwoodError(
            "this is a binary PLINK file, but no .bed/.bim/.fam",
            where=str(path),
            mend="convert it with 'plink2 --make-bed' and give the prefix",
        )
    return _kind_of_table(path)


def _kind_of_folder(path: Path) -> str:
    if path.suffix == ".npz" or (path / ARRAYS).exists():
        return "tidy"
    raise BudwoodError(
        "the folder is no panel: it has no geno.npz", where=str(path), mend="give a genotype file"
    )


def _kind_of_table(path: Path) -> str:
    """Kind of a text file, by its header and by what most cells of its first rows look like."""
    lines = list(islice(text_lines(path), _SAMPLE_ROWS)) or [""]
    if is_hapmap_header(lines[0]):
        return "hapmap"
    delimiter = delimiter_of(lines[0])
    leading = max(column_roles(split_cells(lines[0], delimiter)[:LEADING_AT_MOST]).values(), default=0) + 1
    letters = numbers = 0
    for line in lines[1:]:
        for cell in split_cells(line, delimiter)[leading:]:
            if cell.lower() not in MISSING_CELLS:
                letters += not set(cell.upper()) - _LETTERS
                numbers += cell.lstrip("-").replace(".", "", 1).isdigit()
    if letters > numbers:
        return "letters"
    if numbers:
        return "dosage"
    raise BudwoodError(
        "the format of the genotype file is not known",
        where=str(path),
        mend="give VCF, BCF, PLINK bed/bim/fam, HapMap, or a table of dosages or letters",
    )
