"""CSV files that spreadsheets show and do not run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.text.csv_writer import CsvDialect, Numeral, cell_text, neutralised, write_csv

FORMULAS = [
    "=1+1",
    "@SUM(A1)",
    "+cmd",
    "-line 7",
    "\tx",
    "\rx",
    " =1",
    '=HYPERLINK("x")',
    "-1+1",
    "+1e",
    "-" * 3,
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_stand_behind_a_quote(text: str) -> None:
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "B73", "-1.5", "+2", "-1e-5", "a=b", "a-b", "-.5", "+", "-", "'x", "1-2"]
)
def test_other_cells_stay(text: str) -> None:
    assert neutralised(text) == text


@given(st.text(min_size=1))
def test_no_cell_of_text_is_run(text: str) -> None:
    written = neutralised(text)
    assert written in (text, f"'{text}")
    if len(written) > 1 and written.lstrip(" ")[:1] in tuple("=+-@\t\r"):
        float(written)


@pytest.mark.parametrize("dialect", list(CsvDialect))
def test_dialects_give_the_same_table(dialect: CsvDialect, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [("=a", 0.5, 3, None, True), ("1.5", Numeral("-0.250"), -4, float("nan"), False)]
    write_csv(path, ["name", "=x", "n", "none", "flag"], rows, dialect=dialect)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") is (dialect is not CsvDialect.PLAIN)
    mark = ";" if dialect is CsvDialect.EXCEL_DE else ","
    lines = list(csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=mark))
    point = "," if dialect is CsvDialect.EXCEL_DE else "."
    assert lines == [
        ["name", "'=x", "n", "none", "flag"],
        ["'=a", f"0{point}5", "3", "", "true"],
        ["1.5", f"-0{point}250", "-4", "", "false"],
    ]


@pytest.mark.parametrize("dialect", list(CsvDialect))
def test_what_is_written_is_read(dialect: CsvDialect, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    names = ["=a", "-b c", "@d", "+e", "f;g", "h,i", "ü"]
    write_csv(path, ["accession", "yield"], ((n, 1.5 + i) for i, n in enumerate(names)), dialect=dialect)
    assert read_phenotypes(path).means("yield") == {name: 1.5 + i for i, name in enumerate(names)}


def test_undecodable_names_are_written(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", ["name"], [["bad\udcff"]])
    assert (tmp_path / "t.csv").read_text() == "name\nbad\\udcff\n"
    assert cell_text(None) == ""
