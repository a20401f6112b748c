"""HapMap genotype tables (``.hmp.txt``), as TASSEL and GAPIT write them.

Eleven columns describe the marker (rs#, alleles, chrom, pos, strand, assembly#, center, protLSID, assayLSID,
panelLSID, QCcode; of those after strand, some files have fewer or none), one per accession holds its call:
two letters (``AG``) or one (``A`` for AA, IUPAC codes
for heterozygotes, ``R`` for AG); ``N``, ``NN``, ``--``, ``.``, ``NA`` and blank are missing. An indel is
``+`` and ``-`` in the alleles column; ``0`` is its heterozygote. The order of that column does not depend on
the reference genome.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import delimiter_of, split_cells, text_lines
from budwood.genomics.io.variants.tables.letter_table import Columns, LetterTable
from budwood.genomics.io.variants.tables.table_columns import letters_and_digits

_NAMES: Final = ("rs", "alleles", "chrom", "pos", "strand")
# What stands between the strand and the accessions; some programs write fewer or none of these.
_MORE_NAMES: Final = frozenset(
    ("assembly", "center", "centre", "protlsid", "assaylsid", "assay", "panellsid", "panel", "qccode", "qc")
)


def open_hapmap(path: Path, *, ploidy: int | None = None) -> LetterTable:
    """Open a HapMap file as a CallSource.

    Parameters
    ----------
    path
        The file, plain or packed.
    ploidy
        None or 2; the format holds diploid calls only.

    Returns
    -------
    LetterTable
        The calls, to be streamed.

    Raises
    ------
    BudwoodError
        If the header is not HapMap's, an accession occurs twice, or a row is malformed (while streaming).
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
    cells = split_cells(header, delimiter_of(header))
    first = len(_NAMES)
    while first < len(cells) and letters_and_digits(cells[first]) in _MORE_NAMES:
        first += 1
    columns = Columns(marker=0, alleles=1, contig=2, position=3, strand=4, first=first, ploidy=2)
    return LetterTable(path, columns, "HapMap")


def is_hapmap_header(line: str) -> bool:
    r"""Whether a line is the header of a HapMap file.

    Parameters
    ----------
    line
        First line of a file.

    Returns
    -------
    bool
        True for such a header.

    Examples
    --------
    >>> is_hapmap_header("rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter")
    True
    """
    cells = [cell.lower().rstrip("#") for cell in split_cells(line, delimiter_of(line))]
    return tuple(cells[: len(_NAMES)]) == _NAMES
