"""Columns and lists of accessions."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.accession_table import (
    read_accession_column,
    read_accession_list,
    read_accession_numbers,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_named_column(tmp_path: Path, delimiter: str) -> None:
    table = "id,family,cost\nB73,stiff stalk,2\n007,other,3.5\n".replace(",", delimiter)
    path = written(tmp_path, table)
    assert read_accession_column(path, "family") == {"B73": "stiff stalk", "007": "other"}
    assert read_accession_numbers(path, "cost") == {"B73": 2.0, "007": 3.5}


def test_the_only_column_needs_no_name_and_quotes_are_read(tmp_path: Path) -> None:
    assert read_accession_column(written(tmp_path, 'id,g\n"a, b",x\n')) == {"a, b": "x"}


NAMES = st.lists(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6), min_size=1, max_size=8, unique=True
)


@given(NAMES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ids_survive_to_the_letter(tmp_path: Path, names: list[str]) -> None:
    path = written(tmp_path, "accession,g\n" + "".join(f"{name},x\n" for name in names))
    assert list(read_accession_column(path)) == names


def test_the_accession_column_is_known_by_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, "plot,family,germplasmName\n1,x,B73\n2,y,Mo17\n")
    assert read_accession_column(path, "family") == {"B73": "x", "Mo17": "y"}


def test_a_list_with_and_without_header(tmp_path: Path) -> None:
    assert read_accession_list(written(tmp_path, "accession\na\n\nb\n")) == ["a", "b"]
    assert read_accession_list(written(tmp_path, "a\r\nb\r\n")) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("", None, "the table is empty"),
        ("id\na\n", None, "a single column"),
        ("id,g\n", None, "no row"),
        ("id,g,h\na,1,2\n", None, "not clear which column"),
        ("id,g,h\na,1,2\n", "k", "no column 'k'"),
        ("id,g\na,1\na,2\n", None, "'a' occurs twice"),
        ("id,g\na,\n", None, "accession 'a' has no number"),
        ("id,g\na,NA\n", None, "accession 'a' has no number"),
        ("id,g\na,n.d.\n", None, "accession 'a' has no number"),
        ("id,g\na,nan\n", None, "accession 'a' has no number"),
        ("id,g\na,inf\n", None, "'inf' is no number"),
        ("id,g\na,cheap\n", None, "'cheap' is no number"),
    ],
)
def test_broken_tables_are_told(tmp_path: Path, text: str, column: str | None, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        read_accession_numbers(written(tmp_path, text), column)


@pytest.mark.parametrize("cell", ["", "NA", "n.d.", ".", "-", "nan", "#N/A"])
def test_a_row_with_a_missing_cell_counts_as_absent(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, f"accession,family\na,{cell}\nb,north\n")
    assert read_accession_column(path) == {"b": "north"}
    with pytest.raises(BudwoodError, match="no accession has a value"):
        read_accession_column(written(tmp_path, f"accession,family\na,{cell}\n"))


@pytest.mark.parametrize(("text", "told"), [("accession\n", "no accession"), ("a\na\n", "occurs twice")])
def test_broken_lists_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        read_accession_list(written(tmp_path, text))


def test_messages_say_what_a_row_is_about(tmp_path: Path) -> None:
    path = written(tmp_path, "marker,weight\nm1,much\n")
    with pytest.raises(BudwoodError, match="'much' is no number") as told:
        read_accession_numbers(path, row="marker")
    assert "marker 'm1'" in str(told.value)
    with pytest.raises(BudwoodError, match="no contig has a value"):
        read_accession_column(written(tmp_path, "contig,subgenome\n1A,\n"), row="contig")
