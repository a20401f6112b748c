from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import delimiter_of, refuse_repeated, split_cells, text_lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_break_and_a_byte_order_mark(tmp_path: Path, end: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(("\ufeff" + end.join(["id,a", "é,1", "", "x,2", "", " ", ""])).encode())
    assert list(text_lines(path)) == ["id,a", "é,1", "", "x,2"]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"id,a\n\xff\xfe,1\n")
    with pytest.raises(BudwoodError, match="not UTF-8 text"):
        list(text_lines(path))


def test_cells() -> None:
    assert delimiter_of("a;b;c,d") == ";"
    assert split_cells("a  b\tc", " ") == ["a", "b", "c"]
    assert split_cells('"a b";; c ', ";") == ["a b", "", "c"]


def test_names_stand_once(tmp_path: Path) -> None:
    refuse_repeated(["a", "A"], "accession", tmp_path)
    with pytest.raises(BudwoodError, match="accession 'a' stands twice"):
        refuse_repeated(["a", "b", "a"], "accession", tmp_path)
    with pytest.raises(BudwoodError, match="accession number 2 has no name"):
        refuse_repeated(["a", ""], "accession", tmp_path)
