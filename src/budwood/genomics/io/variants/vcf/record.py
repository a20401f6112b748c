"""What the two readers of VCF records share: how a site is named and what is no text."""

from __future__ import annotations

from pathlib import Path
from sys import intern
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import Site

#: Columns before the accessions' where there is any, FORMAT included.
FIXED_COLUMNS: Final = 9
#: What stands after the last copy of a call that is shorter than the record's widest (int32 vector end).
VECTOR_END: Final = -(2**31) + 1


def site_of(contig: str, start: int, name: str | None, letters: tuple[str, ...]) -> Site:
    """The site of a record.

    Parameters
    ----------
    contig, start
        Its place; ``start`` is 0-based and -1 where the record has position 0.
    name
        Its ID, None or empty where the record gives none.
    letters
        REF and every ALT as written.

    Returns
    -------
    Site
        The site, with its alleles in upper case.

    Examples
    --------
    >>> site_of("chr1", 9, None, ("a", "g", "<del>")).alleles
    ('A', 'G', '<del>')
    """
    contig = intern(contig)
    alleles = tuple(intern(a if a[:1] in "<*" or "[" in a or "]" in a else a.upper()) for a in letters)
    return Site(contig, start, name or f"{contig}_{start + 1}", alleles)


def not_utf8(path: Path) -> BudwoodError:
    """The error for a VCF with bytes that are not UTF-8, which its specification asks for.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    BudwoodError
        The error to raise.
    """
    return BudwoodError(
        "the VCF is not UTF-8 text", where=str(path), mend="save it as UTF-8 (or plain ASCII)"
    )


def malformed(path: Path, line: int, what: str) -> BudwoodError:
    """The error for a line that is no record.

    Parameters
    ----------
    path, line
        The file and the number of the line, from 1.
    what
        What is wrong with it, as the rest of a sentence that begins with the line.

    Returns
    -------
    BudwoodError
        The error to raise.
    """
    return BudwoodError(
        f"line {line} {what}", where=str(path), mend="copy the file again or correct that line"
    )
