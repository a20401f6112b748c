from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import delimiter_of, refuse_repeated, split_cells, text_lines
from budwood.genomics.io.text.encoding import text_encoding


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_break_and_a_byte_order_mark(tmp_path: Path, end: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(("\ufeff" + end.join(["id,a", "é,1", "", "x,2", "", " ", ""])).encode())
    assert list(text_lines(path)) == ["id,a", "é,1", "", "x,2"]


@pytest.mark.parametrize(
    "content", [b"id,a\n\0\1,1\n", b"id,a\n\x81\x8d,1\n", b"\xff\xfei\0d\0,", b"\x00\x00\x00\x00"]
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(BudwoodError, match="no text"):
        list(text_lines(path))


@pytest.mark.parametrize(
    ("codec", "named"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_give_the_same_lines(tmp_path: Path, codec: str, named: str, end: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(end.join(["line,height", "Gérard,1", "Müller 2,–3", ""]).encode(codec))
    assert list(text_lines(path)) == ["line,height", "Gérard,1", "Müller 2,–3"]
    assert text_encoding(path) == named


def test_only_line_ends_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\u2028b,1\x0b\x0c\u0085\nc,2\n", encoding="utf-8")
    assert list(text_lines(path)) == ["a\u2028b,1\x0b\x0c\u0085", "c,2"]


def test_cells() -> None:
    assert delimiter_of("a;b;c,d") == ";"
    assert split_cells("a  b\tc", " ") == ["a", "b", "c"]
    assert split_cells('"a b";; c ', ";") == ["a b", "", "c"]


def test_names_stand_once(tmp_path: Path) -> None:
    refuse_repeated(["a", "A"], "accession", tmp_path)
    with pytest.raises(BudwoodError, match="accession 'a' occurs twice"):
        refuse_repeated(["a", "b", "a"], "accession", tmp_path)
    with pytest.raises(BudwoodError, match="accession number 2 has no name"):
        refuse_repeated(["a", ""], "accession", tmp_path)
