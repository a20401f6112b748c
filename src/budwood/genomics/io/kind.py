"""What kind of file something is, by its content."""

from __future__ import annotations

import re
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.text.delimited import MISSING_CELLS, delimiter_of, split_cells, text_lines
from budwood.genomics.io.variants.hapmap import is_hapmap_header
from budwood.genomics.io.variants.marker_map import column_roles
from budwood.genomics.io.variants.plink import MAGIC, SUFFIXES, plink_prefix


class Kind(StrEnum):
    """What an input file can be."""

    ASSEMBLY = "genome"
    GENOTYPES = "genotypes"
    ANNOTATION = "annotation"
    PHENOTYPES = "phenotypes"
    MARKER_MAP = "marker map"


_SAMPLE_ROWS: Final = 20
_HIGHEST_DOSAGE: Final = 12.0
# Whole numbers from 0 to 2 in so many columns are dosages; other small numbers need more columns.
_FEWEST_CALLS, _FEWEST_DOSAGES = 5, 30
# A table of markers by position has a column or two of alleles, or one for each accession.
_FEWEST_ACCESSIONS: Final = 3
_GFF: Final = re.compile(r"[^\t]+\t[^\t]*\t[^\t]+\t\d+\t\d+\t[^\t]*\t[-+.?]\t[012.](\t|$)")
_BED: Final = re.compile(r"\S+\s+\d+\s+\d+(\s|$)")
_HEADERS: Final = ("#", "track ", "browser ")


def file_kind(path: Path) -> Kind:
    """Kind of an input file (or PLINK prefix, or folder of a tidy panel).

    Tables of numbers are ambiguous: one whose cells all look like dosages in many columns, or that names
    chromosomes and positions, is taken for genotypes, any other for phenotypes.

    Raises
    ------
    BudwoodError
        If the file cannot be read or is empty.
    """
    path = Path(path)
    if path.is_dir() or path.suffix == ".npz" or (not path.exists() and _is_plink_prefix(path)):
        return Kind.GENOTYPES
    with open_bytes(path) as handle:
        start = handle.read(64)
    if not start.strip():
        raise BudwoodError("the file is empty", where=str(path), mend="check the file")
    if start.startswith((b"##fileformat=VCF", b"BCF", b"#CHROM", MAGIC)) or path.suffix in SUFFIXES[1:]:
        return Kind.GENOTYPES
    if start.lstrip().startswith((b">", b";")):
        return Kind.ASSEMBLY
    if start.startswith(b"##gff"):
        return Kind.ANNOTATION
    return _kind_of_text(path)


def _is_plink_prefix(path: Path) -> bool:
    return Path(f"{plink_prefix(path)}{SUFFIXES[0]}").is_file()


def _kind_of_text(path: Path) -> Kind:
    lines = list(islice(text_lines(path), _SAMPLE_ROWS))
    body = [line for line in lines if line.strip() and not line.startswith(_HEADERS)]
    if body and (_GFF.match(body[0]) or _BED.match(body[0])):
        return Kind.ANNOTATION
    if is_hapmap_header(lines[0]):
        return Kind.GENOTYPES
    delimiter = delimiter_of(lines[0])
    roles = column_roles(split_cells(lines[0], delimiter))
    rows = [split_cells(line, delimiter) for line in lines[1:]]
    if {"contig", "position"} <= roles.keys():
        others = [[cell for i, cell in enumerate(row) if i not in roles.values()] for row in rows]
        return Kind.GENOTYPES if _look_like_calls(others, _FEWEST_ACCESSIONS) else Kind.MARKER_MAP
    values = [row[1:] for row in rows]
    return Kind.GENOTYPES if _look_like_calls(values, _FEWEST_CALLS) else Kind.PHENOTYPES


def _look_like_calls(rows: list[list[str]], fewest: int) -> bool:
    """Whether at least so many columns hold allele letters or dosages and nothing else."""
    width = min(map(len, rows), default=0)
    known = [cell for row in rows for cell in row if cell.lower() not in MISSING_CELLS]
    if width < fewest or not known:
        return False
    if all(not set(cell.upper()) - set("ACGTN") for cell in known):
        return True
    values = [_number(cell) for cell in known]
    dosages = [value for value in values if value is not None and value not in (-1.0, -9.0)]
    if None in values or not dosages or min(dosages) < 0 or max(dosages) > _HIGHEST_DOSAGE:
        return False
    diploid = max(dosages) <= 2 and all(value.is_integer() for value in dosages)
    return diploid or width >= _FEWEST_DOSAGES


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
