"""What a file is, by its content: the one place that decides it for every verb."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.foreign_formats import refuse_binary, refuse_foreign
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.text.delimited import (
    MISSING_CELLS,
    MISSING_NUMBERS,
    delimiter_of,
    split_cells,
    text_lines,
)
from budwood.genomics.io.text.workbook import is_workbook
from budwood.genomics.io.variants.plink.binary import MAGIC, SUFFIXES, plink_prefix
from budwood.genomics.io.variants.plink.ped import PED_SUFFIXES, is_ped_line
from budwood.genomics.io.variants.plink.pgen import PGEN_SUFFIXES
from budwood.genomics.io.variants.tables.dart import is_dart_header
from budwood.genomics.io.variants.tables.dosage_layout import is_numeric_title
from budwood.genomics.io.variants.tables.hapmap import is_hapmap_header
from budwood.genomics.io.variants.tables.marker_map import marker_column_roles
from budwood.genomics.io.variants.tables.table_columns import is_descriptive, names_accessions
from budwood.genomics.io.variants.tables.tidy_panel import ARRAYS


class Kind(StrEnum):
    """What an input file can be about."""

    ASSEMBLY = "genome"
    GENOTYPES = "genotypes"
    ANNOTATION = "annotation"
    PHENOTYPES = "phenotypes"
    MARKER_MAP = "marker map"


class Format(StrEnum):
    """Formats that are read; each belongs to one :class:`Kind`."""

    VCF = "VCF or BCF"
    PLINK = "PLINK"
    PLINK_TEXT = "PLINK text"
    PLINK_2 = "PLINK 2"
    HAPMAP = "HapMap"
    LETTERS = "table of letters"
    DOSAGES = "table of dosages"
    DART = "DArT"
    TIDY = "tidy panel"
    FASTA = "FASTA"
    ANNOTATION = "annotation"
    PHENOTYPES = "phenotypes"
    MARKER_MAP = "marker map"

    @property
    def kind(self) -> Kind:
        """What files of this format are about."""
        others = {
            Format.FASTA: Kind.ASSEMBLY,
            Format.ANNOTATION: Kind.ANNOTATION,
            Format.PHENOTYPES: Kind.PHENOTYPES,
            Format.MARKER_MAP: Kind.MARKER_MAP,
        }
        return others.get(self, Kind.GENOTYPES)


#: What a table of trait values cannot be mistaken for.
NO_TRAIT_TABLES: Final = frozenset(
    {
        Format.VCF,
        Format.PLINK,
        Format.PLINK_TEXT,
        Format.PLINK_2,
        Format.HAPMAP,
        Format.DART,
        Format.FASTA,
    }
)
_SAMPLE_ROWS: Final = 20
_HIGHEST_DOSAGE: Final = 12.0
# Whole numbers from 0 to 2 in so many columns are dosages; other small numbers need more columns.
_FEWEST_CALLS, _FEWEST_DOSAGES = 5, 30
# A table of markers by position has a column or two of alleles, or one for each accession.
_FEWEST_ACCESSIONS: Final = 3
_GFF: Final = re.compile(r"[^\t]+\t[^\t]*\t[^\t]+\t\d+\t\d+\t[^\t]*\t[-+.?]\t[012.](\t|$)")
_BED: Final = re.compile(r"\S+\s+\d+\s+\d+(\s+\S+){0,9}\s*$")
_ANNOTATIONS: Final = frozenset({".gff", ".gff3", ".gtf"})
_HEADERS: Final = ("#", "track ", "browser ")
_LETTERS: Final = frozenset("ACGTN")
_CODED: Final = frozenset("AB")


def file_kind(path: Path) -> Kind:
    """Kind of an input file (or PLINK prefix, or folder of a tidy panel).

    Parameters
    ----------
    path
        The file, prefix or folder.

    Returns
    -------
    Kind
        What it is about.

    Raises
    ------
    BudwoodError
        As for :func:`file_format`.
    """
    return file_format(path).kind


def file_format(path: Path, *, genotypes: bool = False) -> Format:
    """Format of an input file (or PLINK prefix, or folder of a tidy panel).

    Tables of numbers are ambiguous: one whose cells all look like dosages in many columns, or that names
    chromosomes and positions, is taken for genotypes, any other for phenotypes.

    Parameters
    ----------
    path
        The file, prefix or folder.
    genotypes
        Whether the user gives it as genotypes, so that a table of numbers holds dosages.

    Returns
    -------
    Format
        The format.

    Raises
    ------
    BudwoodError
        If the file cannot be read, is empty or of a format that is not read.
    """
    path = Path(path)
    named = _by_name(path)
    if named is not None:
        return named
    with open_bytes(path) as handle:
        start = handle.read(512).removeprefix(b"\xef\xbb\xbf")
    if not start.strip():
        raise BudwoodError("the file is empty", where=str(path), mend="check the file")
    if start.startswith((b"##fileformat=VCF", b"BCF", b"#CHROM")):
        return Format.VCF
    if start.startswith(MAGIC):
        return Format.PLINK if start[2:3] in (b"\0", b"\1") else Format.PLINK_2
    if start.lstrip().startswith((b">", b";")):
        return Format.FASTA
    if start.startswith(b"##gff"):
        return Format.ANNOTATION
    refuse_binary(path, start)
    lines = list(islice(text_lines(path), _SAMPLE_ROWS))
    if not lines:
        raise BudwoodError("the file is empty", where=str(path), mend="check the file")
    found = _of_text(path, lines, genotypes)
    # A damaged first line hides what an annotation is, and its own reader says what is wrong with it.
    named_so = bool(_ANNOTATIONS & set(path.suffixes[-2:]))
    return Format.ANNOTATION if found is Format.PHENOTYPES and named_so else found


def _by_name(path: Path) -> Format | None:
    """Format of what its name alone tells: folders, prefixes and members of a set of files."""
    if path.is_dir() or path.suffix == ".npz":
        if path.is_dir() and not (path / ARRAYS).exists():
            raise BudwoodError(
                "the folder is no panel: it has no geno.npz", where=str(path), mend="give a genotype file"
            )
        return Format.TIDY
    if path.suffix in SUFFIXES[1:]:
        return Format.PLINK
    if path.suffix in PGEN_SUFFIXES:
        return Format.PLINK_2
    if path.suffix == PED_SUFFIXES[0] or (
        path.suffix == PED_SUFFIXES[1] and path.with_suffix(PED_SUFFIXES[0]).is_file()
    ):
        return Format.PLINK_TEXT
    if not path.exists():
        sets = {
            SUFFIXES[0]: Format.PLINK,
            PGEN_SUFFIXES[0]: Format.PLINK_2,
            PED_SUFFIXES[0]: Format.PLINK_TEXT,
        }
        for suffix, found in sets.items():
            if Path(f"{plink_prefix(path)}{suffix}").is_file():
                return found
    return Format.PHENOTYPES if is_workbook(path) else None


def _of_text(path: Path, lines: list[str], genotypes: bool) -> Format:
    if is_numeric_title(lines[0]):
        return Format.DOSAGES
    if any(is_dart_header(line) for line in lines):
        return Format.DART
    if is_hapmap_header(lines[0]):
        return Format.HAPMAP
    filled = [line for line in lines if line.strip()]
    if all(is_ped_line(line) for line in filled):
        return Format.PLINK_TEXT
    body = [line for line in filled if not line.startswith(_HEADERS)]
    if not genotypes and body and (_GFF.match(body[0]) or _BED.match(body[0])):
        return Format.ANNOTATION
    refuse_foreign(path, filled)
    return _of_table(path, filled, genotypes)


def _of_table(path: Path, lines: list[str], genotypes: bool) -> Format:
    delimiter = delimiter_of(lines[0])
    names = split_cells(lines[0], delimiter)
    roles = marker_column_roles(names)
    rows = [split_cells(line, delimiter) for line in lines[1:]]
    placed = {"contig", "position"} <= roles.keys()
    named = (
        roles.values() if placed else (i for i, name in enumerate(names) if i == 0 or names_accessions(name))
    )
    described = (i for i, name in enumerate(names) if is_descriptive(name, of_markers=placed))
    apart = {*named, *described}
    rows = [[cell for i, cell in enumerate(row) if i not in apart] for row in rows]
    found = _of_cells(rows, 1 if genotypes else _FEWEST_ACCESSIONS if placed else _FEWEST_CALLS)
    if found is not None:
        return found
    if not genotypes:
        return Format.MARKER_MAP if placed else Format.PHENOTYPES
    known = [cell for row in rows for cell in row if cell.lower() not in MISSING_CELLS]
    numbers = sum(_number(cell) is not None for cell in known)
    letters = sum(not set(cell.upper()) - (_LETTERS | _CODED) for cell in known)
    if numbers or letters:
        return Format.LETTERS if letters > numbers else Format.DOSAGES
    raise BudwoodError(
        "the format of the genotype file is not known",
        where=str(path),
        mend="give VCF, BCF, PLINK, HapMap, DArT, or a table of dosages or letters",
    )


def _of_cells(rows: list[list[str]], fewest: int) -> Format | None:
    """Format of a table at least so many of whose columns hold letters or dosages and nothing else."""
    width = min(map(len, rows), default=0)
    known = [cell for row in rows for cell in row if cell.lower() not in MISSING_CELLS]
    if width < fewest or not known:
        return None
    spelled = [set(cell.upper()) for cell in known]
    if not any(letters - _LETTERS for letters in spelled) or not any(letters - _CODED for letters in spelled):
        return Format.LETTERS
    values = [_number(cell) for cell in known]
    dosages = [value for value in values if value is not None and value not in (-1.0, *MISSING_NUMBERS)]
    if None in values or not dosages or min(dosages) < 0 or max(dosages) > _HIGHEST_DOSAGE:
        return None
    diploid = max(dosages) <= 2 and all(value.is_integer() for value in dosages)
    return Format.DOSAGES if diploid or width >= _FEWEST_DOSAGES else None


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return None
