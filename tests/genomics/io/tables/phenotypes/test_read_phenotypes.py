from __future__ import annotations

import csv
import io
import lzma
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table, read_phenotypes
from budwood.genomics.io.text.delimited import MISSING_NUMBERS


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


numbers = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda value: value not in MISSING_NUMBERS)
cells = st.one_of(st.none(), numbers)
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
        (
            "id\theight\na\t1,5\nb\t2.5\nc\t3.5\n",
            "'1,5' has a decimal comma, other cells have a decimal point",
        ),
        ("id,trait,value\na,h,1\na,h,x\n", r"'x' is no number \(.*line 3, column 'value'\)"),
        ("id,trait,value\na,,1\n", r"the trait is missing \(.*line 2"),
        ("id,height\n,1\n", r"the accession is missing \(.*line 2, column 'id'\)"),
        ("id,trait,value,se\na,h,1,-2\n", "a standard error is negative"),
        ("id,height,height\na,1,2\n", "column 'height' occurs twice"),
        ("id,height\na,1,2\n", r"the row has 3 cells, the header has 2 \(.*line 2\)"),
        ("id,height\na\n", r"the row has 1 cell, the header has 2 \(.*line 2\)"),
        ("height\n1\n", "the table has a single column"),
        ("id,height\na,NA\nb,.\n", "the table holds no trait value"),
        ("id,origin\na,US\nb,FR\n", "the table holds no trait value"),
        ("id,height\n", "the table holds no trait value"),
    ],
)
def test_bad_tables_are_told_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=sentence):
        read_phenotypes(write(tmp_path, text))


def test_workbooks_of_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=r"the file is a workbook.*save its sheet as .xlsx or CSV"):
        read_phenotypes(tmp_path / "pheno.ods")


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
    assert counts["soynam/pheno_met.csv"] == (5219, 7)
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


def test_a_bad_cell_of_another_trait_stops_that_trait_only(tmp_path: Path) -> None:
    for text in (
        "id,height,yield\na,1,5\nb,tall,6\nc,3,7\n",
        "id,trait,value\na,height,1\nb,height,tall\nc,height,3\na,yield,5\nb,yield,6\nc,yield,7\n",
    ):
        phenotypes, summary = read_phenotype_table(write(tmp_path, text))
        assert phenotypes.means("yield") == {"a": 5.0, "b": 6.0, "c": 7.0}
        assert list(summary.unreadable) == ["height"]
        assert any("'tall' is no number" in sentence for sentence in summary.sentences())
        with pytest.raises(BudwoodError, match=r"'tall' is no number \(.*line 3"):
            phenotypes.means("height")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("−1.5", "2.5", "3"), (-1.5, 2.5, 3.0)),
        (("10 %", "12%", "11.5%"), (10.0, 12.0, 11.5)),
        (("110 cm", "98 cm", "NA"), (110.0, 98.0)),
        (("1 163.6", "950.0", "1 200.1"), (1163.6, 950.0, 1200.1)),
        (("1\u00a0163", "950", "1\u202f200"), (1163.0, 950.0, 1200.0)),
        (('"1,163.6"', "950", '"2,000.5"'), (1163.6, 950.0, 2000.5)),
        (("#N/A", "nd", "4"), (4.0,)),
        (("*", "--", "4"), (4.0,)),
        (("#DIV/0!", "n.d.", "4"), (4.0,)),
    ],
)
def test_numbers_as_people_write_them(
    cells: tuple[str, ...], values: tuple[float, ...], tmp_path: Path
) -> None:
    rows = [f"L{row},{cell}" for row, cell in enumerate(cells)]
    phenotypes = read_phenotypes(write(tmp_path, "\n".join(["line,trait one", *rows])))
    assert tuple(phenotypes.means("trait one").values()) == values


@pytest.mark.parametrize(
    ("mark", "cells", "told"),
    [
        (",", ("110 cm", "98", "1.2 m"), "'110 cm' has a unit that other cells do not have"),
        (",", ('"1,163"', "950", "980"), "not clear whether '1,163' has a decimal comma"),
        (";", ("1,163", "950", "980"), "not clear whether '1,163' has a decimal comma"),
        (";", ("1.163", "950", "980"), "not clear whether '1.163' has a decimal point"),
        ("\t", ("1.010", "990", "980"), "not clear whether '1.010' has a decimal point"),
        ("\t", ("1,5", "2.5", "3.5"), "'1,5' has a decimal comma, other cells have a decimal point"),
        (",", ("9" * 5000, "5", "6"), "is no number"),
        (",", ("1e400", "5", "6"), "'1e400' is no number"),
    ],
)
def test_cells_that_cannot_be_read_are_refused_with_their_place(
    mark: str, cells: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    rows = [f"L{row}{mark}{cell}" for row, cell in enumerate(cells)]
    path = write(tmp_path, "\n".join([f"line{mark}height", *rows]))
    with pytest.raises(BudwoodError, match=rf"{told}.*line 2, column 'height'"):
        read_phenotypes(path)


@pytest.mark.parametrize("code", [-9, -99, -999, -9999, 999, 9999, 99999])
@pytest.mark.parametrize("layout", ["wide", "long"])
def test_far_off_codes_are_missing_and_said(code: int, layout: str, tmp_path: Path) -> None:
    values = {"a": 9.8, "b": 10.4, "c": code, "d": 8.6, "e": 7.7, "f": code}
    rows = [f"{name},{value}" for name, value in values.items()]
    text = "\n".join(["line,yield", *rows])
    if layout == "long":
        text = "\n".join(["line,trait,value", *(row.replace(",", ",yield,") for row in rows)])
    phenotypes, summary = read_phenotype_table(write(tmp_path, text))
    assert set(phenotypes.means("yield")) == {"a", "b", "d", "e"}
    assert summary.about("yield")[1:] == [f"yield: {code} (2 times) was read as missing."]


@pytest.mark.parametrize(
    "values", [(-9, -5, 0, 4, 8, -9), (90, 95, 99, 99, 80, 70), (900, 999, 999, 1010, 950, 1100)]
)
def test_numbers_among_others_are_values(values: tuple[int, ...], tmp_path: Path) -> None:
    rows = [f"L{row},{value}" for row, value in enumerate(values)]
    phenotypes, summary = read_phenotype_table(write(tmp_path, "\n".join(["line,yield", *rows])))
    assert tuple(phenotypes.value) == values
    assert not summary.trait_notes


def test_a_far_value_that_repeats_is_mentioned(tmp_path: Path) -> None:
    rows = [f"L{row},{value}" for row, value in enumerate([10.0, 10.5, 11, 12, 12.5, 0, 0])]
    _, summary = read_phenotype_table(write(tmp_path, "\n".join(["line,yield", *rows])))
    assert "0 (2 times) lies far from all other values" in summary.about("yield")[1]


def test_values_are_described(tmp_path: Path) -> None:
    rows = [f"L{row},{value}" for row, value in enumerate([10, 10.5, 11, 11.5, 12, 12.5, 40])]
    _, summary = read_phenotype_table(write(tmp_path, "\n".join(["line,yield", *rows, rows[0]])))
    said = "yield: 8 values from 10 to 40, median 11.25; 1 lies far from the others: L6 (40)."
    assert summary.about("yield") == [said]
    assert summary.duplicates == 1
    assert any("1 row repeats an earlier row" in sentence for sentence in summary.sentences())


GENOTYPED = [str(number) for number in range(1, 41)]


@pytest.mark.parametrize(
    ("header", "row", "column"),
    [
        ("plot,entry,rep,yield", "{0},{1},1,9.5", "entry"),
        ('"","accession","yield"', '"{0}",{1},9.5', "accession"),
        ("FID\tIID\tyield", "0\t{1}\t9.5", "IID"),
        ("rep,germplasmName,yield", "1,{1},9.5", "germplasmName"),
        ("yield,Taxa", "9.5,{1}", "Taxa"),
        ("plot_id,yield,line", "P{0},9.5,{1}", "line"),
        ("note,code,yield", "x,{1},9.5", "code"),
    ],
)
def test_the_accession_column_is_known_by_name_and_fit(
    header: str, row: str, column: str, tmp_path: Path
) -> None:
    rows = [row.format(number, number % 40 + 1) for number in range(1, 41)]
    path = write(tmp_path, "\n".join([header, *rows]))
    phenotypes, summary = read_phenotype_table(path, genotyped=GENOTYPED)
    assert summary.accession_column == column
    assert sorted(phenotypes.accessions, key=int) == GENOTYPED
    assert phenotypes.traits == ("yield",)


@pytest.mark.parametrize("header", ["line,accession,yield", "here,there,yield"])
def test_two_columns_that_fit_are_refused_with_both_named(header: str, tmp_path: Path) -> None:
    rows = [f"{number},{number % 40 + 1},9.5" for number in range(1, 41)]
    path = write(tmp_path, "\n".join([header, *rows]))
    first, second, _ = header.split(",")
    with pytest.raises(BudwoodError, match=rf"'{first}' and '{second}' both hold .*--accession-column"):
        read_phenotype_table(path, genotyped=GENOTYPED)
    chosen, _ = read_phenotype_table(path, genotyped=GENOTYPED, accession_column=second)
    assert chosen.accessions[0] == "2"


@pytest.mark.parametrize("name", ["family", "Year", "MAF", "call_rate", "Block", "rep", "PLOT"])
def test_columns_that_describe_are_no_traits(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, f"line,{name},yield\na,1,5\nb,2,6\nc,1,7\n")
    phenotypes, summary = read_phenotype_table(path)
    assert phenotypes.traits == ("yield",)
    assert name in (*summary.no_traits, *summary.environment_columns)
    with pytest.raises(BudwoodError, match=f"column '{name}' is there, but its name is not that of a trait"):
        phenotypes.means(name)


def test_a_trait_that_is_text_is_named_with_a_cell(tmp_path: Path) -> None:
    phenotypes = read_phenotypes(write(tmp_path, "line,colour,yield\na,red,5\nb,blue,6\n"))
    with pytest.raises(BudwoodError, match=r"'colour' is there and holds text such as 'red' \(.*line 2"):
        phenotypes.means("colour")


@pytest.mark.parametrize("text", ["L1,9.8\nL2,10.4\nL3,9.1\n", "L1\t12\t3\nL2\t14\t2\nL3\t11\t4\n"])
def test_a_table_without_header_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="the table has no header: its first line holds the value"):
        read_phenotypes(write(tmp_path, text))


def test_years_may_be_traits(tmp_path: Path) -> None:
    assert read_phenotypes(write(tmp_path, "name x,2020,2021\na,5,6\nb,7,8\n")).traits == ("2020", "2021")


@pytest.mark.parametrize("lines", [["Trial of 2021"], ["Trial of 2021, at two places", "drawn by hand"]])
@pytest.mark.parametrize("mark", ";\t")
def test_titles_are_left_out_and_said(lines: list[str], mark: str, tmp_path: Path) -> None:
    table = [mark.join(cells) for cells in (["line", "yield"], ["a", "5"], ["b", "6"], ["c", "7"])]
    phenotypes, summary = read_phenotype_table(write(tmp_path, "\n".join([*lines, *table])))
    assert phenotypes.means("yield") == {"a": 5.0, "b": 6.0, "c": 7.0}
    assert any("title" in note for note in summary.notes)


@pytest.mark.parametrize("name", ["Farm", "where", "station"])
def test_an_environment_is_recognised_by_structure(name: str, tmp_path: Path) -> None:
    rows = [f"{line},{place},{place}{line}" for line in "12345" for place in "45"]
    text = "\n".join(
        [f"line,{name},yield", *(row.replace(",4,", ",K4,").replace(",5,", ",M5,") for row in rows)]
    )
    phenotypes, summary = read_phenotype_table(write(tmp_path, text))
    assert summary.environment_columns == (name,)
    assert set(phenotypes.environment) == {"K4", "M5"}
    assert any("was taken for the environment" in note for note in summary.notes)


def test_an_environment_is_recognised_where_no_accession_repeats(tmp_path: Path) -> None:
    rows = [f"L{row},{'x' if row % 2 else 'y'},{row}.5" for row in range(8)]
    phenotypes, summary = read_phenotype_table(write(tmp_path, "\n".join(["line,location,yield", *rows])))
    assert summary.environment_columns == ("location",)
    assert set(phenotypes.environment) == {"x", "y"}


def test_columns_of_the_accession_are_no_environment(tmp_path: Path) -> None:
    rows = [f"L{row},{'new' if row < 4 else 'old'},{row}.5" for row in range(8) for _ in range(2)]
    _, summary = read_phenotype_table(write(tmp_path, "\n".join(["line,kind,yield", *rows])))
    assert summary.environment_columns == ()


def test_a_workbook_is_a_table(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (
        ["Trial"],
        ["line", "yield", "date"],
        [11, 5.25, None],
        ["B73", 6, None],
        [None],
        ["x", None, 1],
    ):
        book.active.append(row)
    book.create_sheet("more").append(["notes", 1])
    book.save(tmp_path / "trial.xlsx")
    phenotypes, summary = read_phenotype_table(tmp_path / "trial.xlsx")
    assert phenotypes.means("yield") == {"11": 5.25, "B73": 6.0}
    assert summary.notes == (
        "Sheet 'Sheet' of the workbook was read, and not 'more'.",
        "Line 1 is taken for a title and left out: 'Trial'.",
    )


def test_formulas_without_a_value_are_refused(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["line", "yield"], ["a", 5], ["b", "=B2+1"]):
        book.active.append(row)
    book.save(tmp_path / "trial.xlsx")
    with pytest.raises(BudwoodError, match=r"the formula '=B2\+1' has no computed value \(.*row 3, column 2"):
        read_phenotypes(tmp_path / "trial.xlsx")


def test_workbooks_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    path = tmp_path / "trial.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(BudwoodError, match=r"pip install 'budwood\[excel\]'"):
        read_phenotypes(path)
    monkeypatch.undo()
    with pytest.raises(BudwoodError, match="the workbook cannot be read"):
        read_phenotypes(path)


def test_cells_that_were_neutralised_come_back(tmp_path: Path) -> None:
    path = write(tmp_path, "line,yield\n'=a,1\n'-x,2\n'quoted',3\n")
    assert read_phenotypes(path).accessions == ("=a", "-x", "'quoted'")


@pytest.mark.parametrize(
    "first",
    [
        [["Read me"], ["The traits are in the next sheet"]],
        [["note", "by"], ["checked twice", "Ann"]],
        [["id", ""], ["a", "b"]],
    ],
)
def test_a_first_sheet_that_is_no_table_names_the_sheets(first: list[list[str]], tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "About"
    for row in first:
        book.active.append(row)
    book.create_sheet("Traits").append(["id", "height"])
    book["Traits"].append(["a", 1.5])
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(BudwoodError, match=r"sheet 'About' of the workbook was read, and not 'Traits'"):
        read_phenotypes(tmp_path / "book.xlsx")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("5.1 6.2 0 7.3 0 8.4", "0 stands 2 times (write NA where it means missing)"),
        ("5.1 6.2 0 7.3 8.4", ""),  # once
        ("1 2 0 3 0 4", ""),  # counts and scores
        ("0.1 6.2 0 7.3 0 8.4", ""),  # other values are near
        ("-5.1 6.2 0 7.3 0 8.4", ""),
    ],
)
def test_zeros_apart_from_measured_values_are_said(values: str, said: str, tmp_path: Path) -> None:
    rows = "".join(f"L{i},{value}\n" for i, value in enumerate(values.split()))
    (tmp_path / "t.csv").write_text(f"accession,yield\n{rows}")
    phenotypes, _ = read_phenotype_table(tmp_path / "t.csv")
    told = phenotypes.describe("yield").sentence
    assert said in told
    assert bool(said) == ("stands" in told)
