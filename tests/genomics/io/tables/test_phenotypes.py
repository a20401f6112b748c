from __future__ import annotations

import csv
import io
import lzma
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.phenotypes import read_phenotype_table, read_phenotypes


def write(folder: Path, text: str, name: str = "pheno.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


def test_a_wide_table(tmp_path: Path) -> None:
    text = (
        "\ufeffline,height,origin,yield,empty\r\nB73,1.5,US,10,\r\n0811,NA,FR,-2e1,.\r\nMo17,.,DE,-,NaN\r\n"
    )
    phenotypes, summary = read_phenotype_table(write(tmp_path, text))
    assert phenotypes.traits == ("height", "yield")
    assert phenotypes.means("yield") == {"B73": 10.0, "0811": -20.0}
    assert set(phenotypes.environment) == {""}
    assert all(math.isnan(error) for error in phenotypes.standard_error)
    assert summary.layout == "wide"
    assert summary.accessions == ("B73", "0811", "Mo17")
    assert summary.values == {"height": 1, "yield": 2, "empty": 0}
    assert summary.left_out == ("origin",)
    assert any("Traits without any value: empty" in sentence for sentence in summary.sentences())


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_a_long_table_in_any_order(mark: str, tmp_path: Path) -> None:
    rows = [
        ["Std. Error", "Env", "Value", "Trait", "note", "Genotype"],
        ["0.5", "e1", "1.5", "height", "ok", "01"],
        ["", "e2", "2.5", "height", "", "01"],
        ["NA", "e1", "NA", "yield", "", "1"],
        ["0.1", "e1", "7", "yield", "", "1"],
    ]
    path = write(tmp_path, "\n".join(mark.join(row) for row in rows))
    phenotypes, summary = read_phenotype_table(path)
    assert phenotypes.accession.tolist() == ["01", "01", "1"]
    assert phenotypes.environment.tolist() == ["e1", "e2", "e1"]
    assert phenotypes.value.tolist() == [1.5, 2.5, 7.0]
    assert phenotypes.standard_error[[0, 2]].tolist() == [0.5, 0.1]
    assert math.isnan(phenotypes.standard_error[1])
    assert (summary.layout, summary.accession_column) == ("long", "Genotype")
    assert summary.environment_columns == ("Env",)
    assert summary.left_out == ("note",)
    assert summary.values == {"height": 2, "yield": 1}


cells = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False))
ids = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6)


@settings(deadline=None)
@given(
    table=st.dictionaries(ids, st.tuples(cells, cells), min_size=1, max_size=8),
    mark=st.sampled_from(",\t;"),
    missing=st.sampled_from(["", "NA", "nan", ".", "-", " "]),
)
def test_values_and_ids_come_back_as_written(
    table: dict[str, tuple[float | None, float | None]],
    mark: str,
    missing: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=mark)
    writer.writerow(["accession", "first", "second"])
    for name, values in table.items():
        writer.writerow([name, *(missing if v is None else repr(v) for v in values)])
    writer.writerow(["the last", 1, 2])
    path = write(tmp_path_factory.mktemp("pheno"), text.getvalue())
    phenotypes = read_phenotypes(path)
    for column, trait in enumerate(["first", "second"]):
        expected = {name: values[column] for name, values in table.items() if values[column] is not None}
        assert phenotypes.means(trait) == expected | {"the last": column + 1}


def test_repeated_accessions_take_their_environment_from_its_columns(tmp_path: Path) -> None:
    text = "id,year,location,height\na,2010,x,1\na,2011,x,2\nb,2010,y,3\nb,2010,y,4\n"
    phenotypes, summary = read_phenotype_table(write(tmp_path, text))
    assert phenotypes.environment.tolist() == ["2010_x", "2011_x", "2010_y", "2010_y"]
    assert phenotypes.traits == ("height",)
    assert summary.repeated == {"b/2010_y": 2}


def test_duplicate_rows_without_environment_are_repeated_records(tmp_path: Path) -> None:
    phenotypes, summary = read_phenotype_table(write(tmp_path, "id,height\na,1\na,3\nb,5\n"))
    assert phenotypes.means("height") == {"a": 2.0, "b": 5.0}
    assert summary.repeated == {"a": 2}
    assert any("Repeated" in sentence for sentence in summary.sentences())


def test_the_accession_column_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "env,plot,line,height\ne1,1,a,5\ne2,2,a,6\n")
    assert read_phenotypes(path).accessions == ("a",)
    assert read_phenotypes(path, accession_column="plot").accessions == ("1", "2")
    with pytest.raises(BudwoodError, match=r"there is no column 'Line'.*env, plot, line, height"):
        read_phenotypes(path, accession_column="Line")


def test_a_table_of_tassel(tmp_path: Path) -> None:
    phenotypes = read_phenotypes(write(tmp_path, "<Trait>\tEarHT\tdpoll\n811\t59.5\tNaN\n4226\t65.5\t59.5\n"))
    assert phenotypes.means("EarHT") == {"811": 59.5, "4226": 65.5}


def test_quoted_cells_and_decimal_commas(tmp_path: Path) -> None:
    phenotypes, summary = read_phenotype_table(write(tmp_path, 'id;"plant; height"\n"a;1";1,5\nb;2\n'))
    assert phenotypes.means("plant; height") == {"a;1": 1.5, "b": 2.0}
    assert summary.decimal_commas


def test_packed_tables_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pheno.csv.xz"
    path.write_bytes(lzma.compress(b"id,height\na,1\n"))
    assert read_phenotypes(path).means("height") == {"a": 1.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the table is empty"),
        (
            "id,height\na,1\nb,tall\nc,3\n",
            r"'tall' is no number \(.*line 3, column 'height'\): write a number",
        ),
        ("id,height\na,1\nb,1_0\nc,3\n", "'1_0' is no number"),
        ("id,height\na,1\nb,inf\nc,3\n", "'inf' is no number"),
        ("id\theight\na\t1,5\nb\t2\nc\t3\n", "'1,5' is no number"),
        ("id,trait,value\na,h,1\na,h,x\n", r"'x' is no number \(.*line 3, column 'value'\)"),
        ("id,trait,value\na,,1\n", r"the trait is missing \(.*line 2"),
        ("id,height\n,1\n", r"the accession is missing \(.*line 2, column 'id'\)"),
        ("id,trait,value,se\na,h,1,-2\n", "a standard error is negative"),
        ("id,height,height\na,1,2\n", "column 'height' occurs twice"),
        ("id,height\na,1,2\n", r"the row has 3 cells, the header has 2 \(.*line 2\)"),
        ("id,height\na\n", r"the row has 1 cells, the header has 2 \(.*line 2\)"),
        ("id height\na 1\n", "the table has a single column"),
        ("id,height\na,NA\nb,.\n", "the table holds no trait value"),
        ("id,origin\na,US\nb,FR\n", "the table holds no trait value"),
        ("id,height\n", "the table holds no trait value"),
    ],
)
def test_bad_tables_are_told_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=sentence):
        read_phenotypes(write(tmp_path, text))


def test_workbooks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=r"the file is a workbook.*save its sheet as CSV"):
        read_phenotypes(tmp_path / "pheno.xlsx")


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_other_encodings_are_read(codec: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("id,height\nGérard,1\n".encode(codec))
    assert read_phenotypes(path).means("height") == {"Gérard": 1.0}


@pytest.mark.real
def test_all_panels_are_read(real_data: Path) -> None:
    counts = {}
    for path in sorted((real_data / "panels").glob("*/pheno*.csv")):
        phenotypes, summary = read_phenotype_table(path)
        assert len(phenotypes.value) == sum(summary.values.values()) > 100
        counts[f"{path.parent.name}/{path.name}"] = (len(summary.accessions), len(summary.values))
    assert len(counts) == 25
    assert counts["rice_rdp1_44k/pheno.csv"] == (413, 36)
    assert counts["wheat_cimmyt599/pheno.csv"] == (599, 4)
    assert counts["soynam/pheno_met.csv"] == (5219, 8)
    assert counts["sorghum_sbdiv/pheno.csv"] == (738, 2)


@pytest.mark.real
def test_trials_keep_their_environments(real_data: Path) -> None:
    drops = read_phenotypes(real_data / "panels/maize_drops/pheno_met.csv")
    assert len(set(drops.environment)) > 25
    potato, summary = read_phenotype_table(real_data / "panels/potato_stagewise/pheno_met.csv")
    assert len(set(potato.environment)) == 43
    assert summary.left_out == ("loc",)
    maize = read_phenotypes(real_data / "panels/maize_282_55k/pheno.csv")
    assert maize.accessions[:2] == ("811", "4226")


@pytest.mark.parametrize(
    ("words", "told"),
    [(("field", "Field"), "field"), (("greenhouse", ""), "controlled"), (("field", "controlled"), "mixed")],
)
@pytest.mark.parametrize("layout", ["long", "wide"])
def test_provenance_of_the_table(layout: str, words: tuple[str, str], told: str, tmp_path: Path) -> None:
    text = f"accession,height,provenance\na,1,{words[0]}\nb,2,{words[1]}\n"
    if layout == "long":
        text = f"accession,trait,value,provenance\na,h,1,{words[0]}\nb,h,2,{words[1]}\n"
    phenotypes, summary = read_phenotype_table(write(tmp_path, text))
    assert phenotypes.provenance == told
    assert not summary.left_out


def test_an_unknown_provenance_is_told(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="provenance 'moon' is not known"):
        read_phenotypes(write(tmp_path, "accession,height,provenance\na,1,moon\n"))
