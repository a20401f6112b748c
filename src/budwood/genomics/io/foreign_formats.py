"""Formats that are known and not read: each is named, with what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError

_PLINK: Final = "convert it with 'plink --make-bed' (or 'plink2 --export vcf') and give that"
# First bytes, name, remedy.
_BINARY: Final = (
    (b"BAM\1", "BAM (aligned reads)", "call variants, for example with bcftools, and give the VCF"),
    (b"CRAM", "CRAM (aligned reads)", "call variants, for example with bcftools, and give the VCF"),
    (b"@HD\t", "SAM (aligned reads)", "call variants, for example with bcftools, and give the VCF"),
    (b"\x89HDF", "HDF5", "export it as VCF or HapMap (TASSEL: Export) and give that"),
    (b"COREARRAY", "GDS (SeqArray or SNPRelate)", "export it with seqGDS2VCF and give the VCF"),
    (b"RDX", "an R data file", "write the table with write.csv in R and give that"),
    (b"RDA", "an R data file", "write the table with write.csv in R and give that"),
    (b"PAR1", "Parquet", "write the table as CSV and give that"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save its sheet as CSV"),
    (b"bgen", "BGEN", _PLINK),
    (b"%PDF", "a PDF document", "give the table as CSV"),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV"),
    (b"\x89PNG", "a picture", "give the table as CSV"),
)
_GENOMESTUDIO: Final = "export a PLINK or matrix report in GenomeStudio, or convert the calls to VCF"
_DIGITS: Final = re.compile(r"[0-9]{5,}")
_BASE: Final = re.compile(r"[ACGTacgt0-9-]{1,20}")
_FEWEST: Final = 3


def refuse_binary(path: Path, start: bytes) -> None:
    """Refuse a file whose first bytes show a format that is not read.

    Parameters
    ----------
    path
        The file, for the message.
    start
        Its first bytes, unpacked.

    Raises
    ------
    BudwoodError
        If the format is known; the sentence names it and says how to convert it.
    """
    for magic, name, mend in _BINARY:
        if start.startswith(magic):
            raise _looks_like(path, name, mend)
    if re.match(rb"\s*<(!doctype html|html|\?xml)", start, re.IGNORECASE):
        raise _looks_like(path, "a web page or XML", "download the file itself, not the page that shows it")
    if start.lstrip().startswith((b'{"', b"[{")):
        raise _looks_like(path, "JSON", "give the table as CSV")


def refuse_foreign(path: Path, lines: Sequence[str]) -> None:
    """Refuse a text whose first lines show a format that is not read.

    Parameters
    ----------
    path
        The file, for the message.
    lines
        Its first lines, at least three where it has so many.

    Raises
    ------
    BudwoodError
        If the format is known; the sentence names it and says how to convert it.
    """
    name, mend = _foreign([line for line in lines if line.strip()])
    if name:
        raise _looks_like(path, name, mend)


def _foreign(lines: list[str]) -> tuple[str, str]:
    first = lines[0]
    if first.startswith("@") and len(lines) >= _FEWEST and lines[2].startswith("+"):
        return "FASTQ (sequencing reads)", "call variants against a reference and give the VCF"
    if first.startswith("#%") or re.match(r'"?(probeset_id|probe_set_id)\b', first, re.IGNORECASE):
        mend = "export the calls as VCF or PLINK, or name the first column 'marker'"
        return "an Axiom call table", f"{mend}, with calls 0, 1, 2 and NA"
    if first.strip().lower() in ("[header]", "[data]") or re.search(
        r"\bSNP Name\b.*\bAllele ?1|\.GType\b|\bSample ID\b.*\bAllele ?1", first
    ):
        return "a GenomeStudio report", _GENOMESTUDIO
    if re.match(r"(I\s+id|marker\s+alleleA\s+alleleB)\b", first):
        return "a Beagle genotype file", "convert it to VCF (beagle2vcf) and give that"
    return _without_header(lines)


def _without_header(lines: list[str]) -> tuple[str, str]:
    """Formats that begin with data."""
    rows = [re.split(r"[,\s]+", line.strip()) for line in lines]
    if all(_is_oxford(row) for row in rows):
        return "an Oxford .gen file", _PLINK
    if all(_is_bimbam(row) for row in rows):
        mend = "convert it to VCF or PLINK, or write a header: marker, allele1, allele0, accessions"
        return "BIMBAM mean genotypes", mend
    if all(len(row) == 2 and _DIGITS.fullmatch(row[1]) for row in rows):
        mend = "convert it to PLINK or write one column for each marker under a header"
        return "a BLUPF90 genotype file", f"{mend}, NA for the missing code 5"
    if all(len(row) == 1 and re.fullmatch(r"[0129]{2,}", row[0]) for row in rows):
        return "an EIGENSTRAT .geno file", "convert it with 'convertf' to PLINK and give that"
    return "", ""


def _is_bimbam(row: list[str]) -> bool:
    alleles = len(row) > _FEWEST and all(_BASE.fullmatch(cell) for cell in row[1:3])
    letters = alleles and all(cell[0] in "ACGTacgt" for cell in row[1:3])
    return letters and all(_is_number(cell) for cell in row[3:])


def _is_oxford(row: list[str]) -> bool:
    letters = len(row) > 7 and all(cell[:1] in "ACGTacgt" for cell in row[3:5])
    return letters and row[2].isdigit() and all(map(_is_number, row[5:]))


def _is_number(cell: str) -> bool:
    return cell.upper() in ("NA", "NAN") or bool(re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell, re.IGNORECASE))


def _looks_like(path: Path, name: str, mend: str) -> BudwoodError:
    return BudwoodError(f"the file looks like {name}, which is not read", where=str(path), mend=mend)
