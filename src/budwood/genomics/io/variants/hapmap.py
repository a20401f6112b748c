"""HapMap genotype tables (``.hmp.txt``), as TASSEL and GAPIT write them.

Eleven columns describe the marker (rs#, alleles, chrom, pos, strand, assembly#, center, protLSID, assayLSID,
panelLSID, QCcode), one per accession holds its call: two letters (``AG``) or one (``A`` for AA, IUPAC codes
for heterozygotes, ``R`` for AG); ``N``, ``NN``, ``--``, ``.``, ``NA`` and blank are missing. An indel is
``+`` and ``-`` in the alleles column; ``0`` is its heterozygote. The order of that column says nothing about
the reference genome.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import delimiter_of, split_cells, text_lines
from budwood.genomics.io.variants.letter_table import Columns, LetterTable

_COLUMNS: Final = Columns(marker=0, alleles=1, contig=2, position=3, strand=4, first=11, ploidy=2)
_NAMES: Final = ("rs", "alleles", "chrom", "pos", "strand")


def open_hapmap(path: Path, *, ploidy: int | None = None) -> LetterTable:
    """Open a HapMap file as a CallSource.

    Parameters
    ----------
    path
        The file, plain or packed.
    ploidy
        None or 2; the format holds diploid calls only.

    Raises
    ------
    BudwoodError
        If the header is not HapMap's, an accession stands twice, or a row is malformed (while streaming).
    """
    if ploidy not in (None, 2):
        raise BudwoodError(
            f"HapMap files hold diploid calls, not ploidy {ploidy}",
            where=str(path),
            mend="leave the ploidy out or give a VCF or a dosage table",
        )
    header = next(text_lines(path), "")
    if not is_hapmap_header(header):
        raise BudwoodError(
            "the first line is no HapMap header",
            where=str(path),
            mend="begin it with rs#, alleles, chrom, pos, strand and six more columns",
        )
    return LetterTable(path, _COLUMNS, "HapMap")


def is_hapmap_header(line: str) -> bool:
    r"""Whether a line is the header of a HapMap file.

    Examples
    --------
    >>> is_hapmap_header("rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter")
    True
    """
    cells = [cell.lower().rstrip("#") for cell in split_cells(line, delimiter_of(line))]
    return tuple(cells[: len(_NAMES)]) == _NAMES
