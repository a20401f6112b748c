"""Collections may hold a record twice, but not two under one name."""

from __future__ import annotations

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta_collection import open_collection
from budwood.genomics.sequence import decode


def test_repeated_records_are_read_once(tmp_path):
    path = tmp_path / "c.fa"
    path.write_text(">a one\nACGT\nAC\n>b\nGGtt\n>a two\nACGTAC\n")
    collection = open_collection(path)
    assert collection.contigs == {"a": 6, "b": 4}
    assert decode(collection.sequence(Interval("a", 2, 6))) == "GTAC"
    assert collection.soft_mask(Interval("b", 0, 4)).tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">a\nACGT\n>a\nACGG\n", "two different sequences are called 'a'"),
        ("ACGT\n", "does not begin with >"),
        ("", "empty"),
        (">a\nAC!T\n", "no nucleotide"),
        (">\nACGT\n", "no name"),
    ],
)
def test_collections_that_cannot_be_read_are_told(tmp_path, text, message):
    path = tmp_path / "c.fa"
    path.write_text(text)
    with pytest.raises(BudwoodError, match=message):
        open_collection(path)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(BudwoodError, match="does not exist"):
        open_collection(tmp_path / "none.fa")
