"""Tables of sequences: which column is what, FASTA with a table, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.sequence_table import joined_groups, read_sequence_table
from budwood.genomics.sequence import decode, encode

TABLE = "gene,seq,leaf,tissue\ng1,ACGTACGTAA,1.5,root\ng2,acgtacgtaan,NA,leaf\ng3,TTTTTTTTGG,-2,root\n"


def written(tmp_path: Path, text: str, name: str = "table.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_columns_are_known_by_their_cells(tmp_path: Path) -> None:
    table = read_sequence_table(written(tmp_path, TABLE))
    assert table.names == ("g1", "g2", "g3")
    assert decode(table.sequences[1]) == "ACGTACGTAAN"
    assert table.numbers("leaf") == pytest.approx(np.array([1.5, np.nan, -2.0]), nan_ok=True)
    assert table.numbers("tissue") is None
    assert "seq" not in table.columns


def test_a_fasta_file_joins_its_table_by_name(tmp_path: Path) -> None:
    fasta = written(tmp_path, ">g3\nTTTTTTTTGG\n>other\nAAAAAAAAAA\n>g1 note\nACGTAC\nGTAA\n", "x.fa")
    values = written(tmp_path, "id,leaf\ng1,1.5\ng3,-2\ng9,4\n", "values.csv")
    table = read_sequence_table(fasta, values)
    assert table.names == ("g3", "g1")
    assert table.numbers("leaf") == pytest.approx(np.array([-2.0, 1.5]))
    assert "1 of 3 sequences have no row" in table.notes[0]
    assert "1 of 3 rows have no sequence" in table.notes[1]
    assert read_sequence_table(fasta).columns == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene,leaf\ng1,2\n", "no column has sequences"),
        ("a,b,leaf\nACGTACGT,ACGTACGT,2\n", "2 columns have sequences"),
        ("gene,seq,leaf\n" + "g1,ACGTACGTAA,2\n" * 60 + "g2,not DNA!,2\n", "is no sequence"),
    ],
)
def test_tables_without_clear_sequences_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BudwoodError, match=message):
        read_sequence_table(written(tmp_path, text))


def test_wrong_names_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE)
    for options in ({"sequence_column": "sq"}, {"name_column": "gen"}):
        with pytest.raises(BudwoodError, match="did you mean"):
            read_sequence_table(path, **options)  # type: ignore[arg-type]
    with pytest.raises(BudwoodError, match="did you mean 'leaf'"):
        read_sequence_table(path).cells("lef")
    with pytest.raises(BudwoodError, match="a table already"):
        read_sequence_table(path, path)
    fasta = written(tmp_path, ">g3\nTTTTTTTTGG\n", "x.fa")
    with pytest.raises(BudwoodError, match="names"):
        read_sequence_table(fasta, written(tmp_path, "id,leaf\nz,1\n", "values.csv"))
    with pytest.raises(BudwoodError, match="occurs twice"):
        read_sequence_table(fasta, written(tmp_path, "id,leaf\ng3,1\ng3,2\n", "values.csv"))


def test_equal_sequences_and_groups_are_joined() -> None:
    codes = [encode(text) for text in ("AACC", "GGTT", "ACAC", "CACA")]
    joined = joined_groups(codes, ["x", "y", "y", "z"])
    assert len(set(joined[:3])) == 1
    assert joined[3] != joined[0]


def test_a_missing_group_joins_nothing() -> None:
    codes = [encode(text) for text in ("AACC", "ACAC", "CCCA", "TTGA")]
    assert len(set(joined_groups(codes, ["", "NA", "x", "x"]).tolist())) == 3


def test_letters_that_are_no_base_and_rows_without_a_sequence_are_stated(tmp_path: Path) -> None:
    table = read_sequence_table(written(tmp_path, "seq,leaf\nACGTRYACGU,1\nACGTACGTAA,2\n"))
    assert table.notes == (
        "Read as unknown bases: 2 letters of 1 sequence other than A, C, G, T and U (N, letters for several "
        "bases, gaps).",
    )
    fasta = written(tmp_path, ">g1\nACGT--ACGT\n", "x.fa")
    values = written(tmp_path, "id,leaf\ng1,1\ng2,2\n", "values.csv")
    notes = read_sequence_table(fasta, values).notes
    assert notes[0] == "1 of 2 rows have no sequence and were left out."
    assert notes[1].startswith("Read as unknown bases: 2 letters")
