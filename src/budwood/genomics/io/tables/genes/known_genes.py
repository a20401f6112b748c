"""Genes known for a trait: a list of ids, or the rows of a table that hold a term."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import text_lines

_BREAK = re.compile(r"[\s,;|/\"]+")
_TRANSCRIPT = re.compile(r"\.\d+$")


def read_known_genes(path: Path, genes: Collection[str], term: str | None = None) -> tuple[list[str], int]:
    r"""Names of genes that a file gives for a trait.

    Any word of a row that is the name of a gene counts, with or without the number of a transcript
    (``LOC_Os01g01010.1``), so lists of one id a line and tables of any columns are read alike.

    Parameters
    ----------
    path
        List or table, one row for each gene or record.
    genes
        Names that a word may have, those of the places.
    term
        Text that a row must hold, such as ``TO:0000207`` or ``plant height``, without regard to case and not
        as part of a longer word; every row counts where None.

    Returns
    -------
    names, rows
        Distinct names in the order of the file, and how many rows hold the term.

    Raises
    ------
    BudwoodError
        If no row holds the term, or none of those names a known gene.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "genes.tsv"
    >>> _ = file.write_text("gene\tterms\nA1.1\tTO:0000207 - plant height\nB2\tTO:0000344\n")
    >>> read_known_genes(file, {"A1", "B2"}, "TO:0000207")
    (['A1'], 1)
    """
    matches = _term_pattern(term)
    found: dict[str, None] = {}
    rows = 0
    for line in text_lines(path):
        if matches is not None and not matches.search(line):
            continue
        rows += 1
        found |= dict.fromkeys(_named_genes(line, genes))
    if not rows:
        raise BudwoodError(
            f"no row holds {term!r}" if term else "the file is empty",
            where=str(path),
            mend="give a term as the file writes it, or a list of gene ids without one",
        )
    if not found:
        raise BudwoodError(
            "no row names a gene whose place is known",
            where=str(path),
            mend="use the ids of the gene table, for example both of one annotation release",
        )
    return list(found), rows


def read_genes_of_other_terms(path: Path, genes: Collection[str], term: str) -> list[str]:
    r"""Names of genes that a file gives for anything but a term: as well studied, and known for other traits.

    Parameters
    ----------
    path
        Table, one row for each gene or record.
    genes
        Names that a word may have.
    term
        Genes with a row that holds it are left out.

    Returns
    -------
    list of str
        Distinct names in the order of the file, perhaps none.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "genes.tsv"
    >>> _ = file.write_text("gene\tterms\nA1.1\tTO:0000207 - plant height\nB2\tTO:0000344\n")
    >>> read_genes_of_other_terms(file, {"A1", "B2"}, "TO:0000207")
    ['B2']
    """
    matches = _term_pattern(term)
    assert matches is not None, "a term is given"
    named: dict[str, None] = {}
    of_term: set[str] = set()
    for line in text_lines(path):
        names = _named_genes(line, genes)
        if matches.search(line):
            of_term.update(names)
        else:
            named |= dict.fromkeys(names)
    return [name for name in named if name not in of_term]


def _term_pattern(term: str | None) -> re.Pattern[str] | None:
    return None if term is None else re.compile(rf"(?<!\w){re.escape(term)}(?!\w)", re.IGNORECASE)


def _named_genes(line: str, genes: Collection[str]) -> list[str]:
    """Words of a row that are names of genes, with or without the number of a transcript."""
    words = (word if word in genes else _TRANSCRIPT.sub("", word) for word in _BREAK.split(line))
    return [name for name in words if name in genes]
