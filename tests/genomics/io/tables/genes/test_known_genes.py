"""Genes known for a trait, from lists and from tables with terms."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.genes.known_genes import read_known_genes

GENES = {"Os01g0100100", "LOC_Os02g01010", "A1"}
TABLE = """id\tmsu\tterms
1\tLOC_Os02g01010.1, LOC_Os02g01010.2\tTO:0000207 - plant height, TO:0000137 - days to heading
2\tnone\tTO:00002071 - another
3\tOs01g0100100;A1\tTO:0000137 - days to heading
"""


@pytest.mark.parametrize(
    ("term", "names", "rows"),
    [
        ("TO:0000207", ["LOC_Os02g01010"], 1),
        ("to:0000137", ["LOC_Os02g01010", "Os01g0100100", "A1"], 2),
        ("days to heading", ["LOC_Os02g01010", "Os01g0100100", "A1"], 2),
        (None, ["LOC_Os02g01010", "Os01g0100100", "A1"], 4),
    ],
)
def test_rows_of_a_term(tmp_path: Path, term: str | None, names: list[str], rows: int) -> None:
    file = tmp_path / "genes.tsv"
    file.write_text(TABLE)
    assert read_known_genes(file, GENES, term) == (names, rows)


def test_a_list_of_ids(tmp_path: Path) -> None:
    file = tmp_path / "genes.txt"
    file.write_text("A1\nOs01g0100100\nA1\nunknown\n")
    assert read_known_genes(file, GENES)[0] == ["A1", "Os01g0100100"]


@pytest.mark.parametrize(
    ("text", "term", "words"),
    [(TABLE, "TO:0000001", "no row holds"), ("x\ny\n", None, "no row names a gene"), ("", None, "empty")],
)
def test_files_without_a_gene_are_refused(tmp_path: Path, text: str, term: str | None, words: str) -> None:
    file = tmp_path / "genes.tsv"
    file.write_text(text)
    with pytest.raises(BudwoodError, match=words):
        read_known_genes(file, GENES, term)
