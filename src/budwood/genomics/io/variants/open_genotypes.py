"""Any genotype file: as calls, as a matrix of dosages, or as a summary of what it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, shown
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.calls import CallSource
from budwood.genomics.io.kind import Format, Kind, file_format
from budwood.genomics.io.text.given_path import given_path
from budwood.genomics.io.variants.allele_counts import count_alleles
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.genotype_summary import (
    CountedCalls,
    GenotypeSummary,
    dosage_assumptions,
    summarise_calls,
)
from budwood.genomics.io.variants.plink.binary import PlinkCalls
from budwood.genomics.io.variants.plink.ped import PedCalls
from budwood.genomics.io.variants.plink.pgen import PgenCalls
from budwood.genomics.io.variants.tables.dart import read_dart
from budwood.genomics.io.variants.tables.dosage_table import read_dosage_table
from budwood.genomics.io.variants.tables.hapmap import open_hapmap
from budwood.genomics.io.variants.tables.letter_table import open_letter_table
from budwood.genomics.io.variants.tables.tidy_panel import read_tidy_panel
from budwood.genomics.io.variants.vcf.reader import VcfCalls

__all__ = [
    "GenotypeFile",
    "GenotypeSummary",
    "open_calls",
    "read_genotype_file",
    "read_genotypes",
    "summarise_calls",
]

_MOST_COPIES: Final = 127


_NAMED: Final = {
    Kind.ASSEMBLY: "a FASTA file",
    Kind.ANNOTATION: "an annotation or list of intervals",
    Kind.PHENOTYPES: "a workbook; save its sheet as CSV",
    Kind.MARKER_MAP: "a marker map",
}


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

    Returns
    -------
    GenotypeFile
        The calls, to be streamed.

    Raises
    ------
    BudwoodError
        If the format is unknown, the file is malformed or calls exceed the ploidy.
    """
    path = given_path(path, "genotypes")
    if marker_map is not None:
        marker_map = given_path(marker_map, "marker map")
    if ploidy is not None and not (isinstance(ploidy, int) and 1 <= ploidy <= _MOST_COPIES):
        raise BudwoodError(f"ploidy {shown(ploidy)} is not possible", mend=f"give 1 to {_MOST_COPIES}")
    found = file_format(path, genotypes=True)
    if found.kind != Kind.GENOTYPES:
        raise BudwoodError(
            f"the file holds no genotypes: it looks like {_NAMED[found.kind]}",
            where=str(path),
            mend="give VCF, BCF, PLINK, HapMap, DArT, or a table of dosages or letters",
        )
    if marker_map is not None and found != Format.DOSAGES:
        raise BudwoodError(
            "a marker map goes with a table of dosages only", where=str(path), mend="leave it out"
        )
    if found == Format.DOSAGES:
        return read_dosage_table(path, ploidy=ploidy, marker_map=marker_map)
    return _READERS[found](path, ploidy=ploidy)


_READERS: Final[dict[Format, Callable[..., GenotypeFile]]] = {
    Format.VCF: VcfCalls,
    Format.PLINK: PlinkCalls,
    Format.PLINK_TEXT: PedCalls,
    Format.PLINK_2: PgenCalls,
    Format.HAPMAP: open_hapmap,
    Format.LETTERS: open_letter_table,
    Format.DART: read_dart,
    Format.TIDY: read_tidy_panel,
}


def read_genotypes(path: Path, *, ploidy: int | None = None, marker_map: Path | None = None) -> Genotypes:
    r"""Dosages of a genotype file of any format.

    Every ALT allele (every allele after the first) makes one marker, whose dosage counts it. Calls with any
    copy missing are missing dosages. Where an accession has fewer copies than elsewhere in the file (an
    organelle, say), its dosages are scaled up to its widest ploidy, so that they stay comparable. The matrix
    takes one byte per dosage, four where any is fractional, and is built block by block.

    Parameters
    ----------
    path
        The file, prefix or folder.
    ploidy
        Copies of an accession's call, at most; None finds it.
    marker_map
        Positions and alleles for a table of dosages.

    Returns
    -------
    Genotypes
        Accessions in file order, markers in file order.

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
    return read_genotype_file(path, ploidy=ploidy, marker_map=marker_map)[0]


def read_genotype_file(
    path: Path, *, ploidy: int | None = None, marker_map: Path | None = None
) -> tuple[Genotypes, tuple[str, ...]]:
    r"""Dosages as :func:`read_genotypes` gives them, and what reading them took for granted.

    Parameters
    ----------
    path, ploidy, marker_map
        As for :func:`open_calls`.

    Returns
    -------
    genotypes
        The dosages.
    notes
        A sentence for each assumption: an inferred ploidy, the orientation of a table, columns left out.

    Raises
    ------
    BudwoodError
        As :func:`read_genotypes`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "dosages.csv")
    ...     _ = file.write_text("accession,m1,m2\na,0,4\nb,3,1\n")
    ...     genotypes, notes = read_genotype_file(file)
    >>> notes[1]
    'Genotypes: ploidy 4 is inferred from the largest dosage, 4.'
    """
    source = open_calls(path, ploidy=ploidy, marker_map=marker_map)
    if not source.accessions:
        raise BudwoodError(
            "the file has no accessions", where=str(path), mend="give genotypes, not a list of sites"
        )
    if isinstance(source, DosageCalls):
        genotypes, assumptions = source.genotypes, dosage_assumptions(source)
    else:
        counted = CountedCalls(source)
        genotypes = count_alleles(counted)
        assumptions = counted.summary(ploidy=ploidy).assumptions
    if not genotypes.dosage.shape[1]:
        raise BudwoodError(
            "the file has no marker with a second allele", where=str(path), mend="give variable sites"
        )
    if not _any_called(genotypes.dosage):
        raise BudwoodError(
            "no accession has a call at any marker", where=str(path), mend="check the genotype columns (GT)"
        )
    return genotypes, tuple(f"Genotypes: {assumption}." for assumption in assumptions)


def _any_called(dosage: NDArray[np.int8] | NDArray[np.float32]) -> bool:
    return bool(np.fmax.reduce(dosage, axis=None, initial=-1.0) >= 0)
