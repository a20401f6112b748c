"""Gene places and pairs from the tables that people have."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.interval import Interval
from budwood.genomics.io.tables.genes.gene_pairs import read_collinear_pairs, read_gene_pairs
from budwood.genomics.io.tables.genes.gene_places import read_gene_places


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("g.csv", "gene,contig,start,end\ng1,Chr1,11,20\n", {"g1": Interval("Chr1", 10, 20)}),
        ("g.tsv", "sobic_id\tchrom\tpos\nS1\tChr01\t5\n", {"S1": Interval("Chr01", 4, 5)}),
        (
            "g.tsv",
            "contig\tfmin\tfmax\tmsu7\trap\nchr01\t10\t20\tLOC1\tOs1\n",
            {"LOC1": Interval("chr01", 10, 20), "Os1": Interval("chr01", 10, 20)},
        ),
        (
            "m.gff",
            "os5\tg1\t11\t20\nos5\tg2\t40\t31\n",
            {"g1": Interval("os5", 10, 20), "g2": Interval("os5", 30, 40)},
        ),
        ("a.bed", "chr1\t10\t20\tg1\n", {"g1": Interval("chr1", 10, 20)}),
    ],
)
def test_places_of_genes(tmp_path: Path, name: str, text: str, expected: dict[str, Interval]) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert read_gene_places(path) == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("g.csv", "gene,start,end\ng1,11,20\n", "needs a column 'contig'"),
        ("g.csv", "gene,contig,start,end\ng1,Chr1,x,20\n", "'x' is no place"),
        ("m.gff", "os5\tg1\t11\t20\nos5\tg2\tx\t31\n", "contig, name, start and end"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BudwoodError, match=message):
        read_gene_places(path)


def test_pairs(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("a,b,c\ng1,h1,x\ng2,,x\n")
    assert read_gene_pairs(tmp_path / "o.csv") == [("g1", "h1")]
    blocks = tmp_path / "b.collinearity"
    blocks.write_text("# x\n## Alignment 0: N=1\n  0-  0:\tg1\th1\t  7e-15\n")
    assert read_collinear_pairs(blocks) == [("g1", "h1")]
    for text, message in (("# x\n", "no collinear pair"), ("g1 h1\n", "no pair of a collinear block")):
        blocks.write_text(text)
        with pytest.raises(BudwoodError, match=message):
            read_collinear_pairs(blocks)


def test_a_first_row_with_a_known_gene_is_a_pair(tmp_path: Path) -> None:
    """Of one species alone the genes may be known; a header is no gene of either."""
    (tmp_path / "o.csv").write_text("g1,h1\ng2,h2\n")
    for known in ({"g1", "h1"}, {"g1"}, {"h1"}):
        assert read_gene_pairs(tmp_path / "o.csv", known) == [("g1", "h1"), ("g2", "h2")]
    for known in (set(), {"g2", "h2"}):
        assert read_gene_pairs(tmp_path / "o.csv", known) == [("g2", "h2")]
