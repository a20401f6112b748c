"""Kinds of genotype tables that were misread: each kind by several members."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.kind import Format, Kind, file_format, file_kind
from budwood.genomics.io.variants.open_genotypes import open_calls, read_genotypes

DOSAGE = np.random.default_rng(3).integers(0, 3, (6, 40))
LINES = [f"acc{i}" for i in range(6)]
MARKERS = [f"mk{j}" for j in range(40)]


def write(path: Path, rows: list[list[str]], mark: str = ",") -> Path:
    path.write_text("".join(mark.join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def by_accession(corner: list[str], more: list[list[str]], dosage: np.ndarray = DOSAGE) -> list[list[str]]:
    rows = [[*corner, *MARKERS]]
    return rows + [[*more[i], *map(str, dosage[i])] for i in range(len(LINES))]


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("r.fq", "@read1\nACGT\n+\nIIII\n", "FASTQ"),
        ("m.txt", "rs1, A, C, 0, 1.2, 2\nrs2, G, T, 1, NA, 0\n", "BIMBAM"),
        ("m.txt", "rs1 A C 0 1 2\nrs2 G T 1 1 0\n", "BIMBAM"),
        ("c.txt", "#%chip=x\nprobeset_id\ta\tb\nAX-1\t0\t1\n", "Axiom"),
        ("c.txt", "probeset_id\ta\tb\nAX-1\t0\t-1\n", "Axiom"),
        ("f.txt", "[Header]\nGSGT Version\t2\n[Data]\n", "GenomeStudio"),
        ("f.txt", "SNP Name\tSample ID\tAllele1 - Top\tAllele2 - Top\ns1\ta\tA\tG\n", "GenomeStudio"),
        ("f.txt", "Name\tChr\tPosition\ta.GType\tb.GType\ns1\t1\t5\tAA\tAB\n", "GenomeStudio"),
        ("s.txt", "line1 0120112\nline2 0125112\n", "BLUPF90"),
        ("g.geno", "01291\n20011\n", "EIGENSTRAT"),
        ("g.gen", "1 rs1 100 A G 1 0 0 0 1 0\n1 rs2 200 C T 0 0 1 0 1 0\n", "Oxford"),
        ("b.txt", "marker alleleA alleleB a a b b\nm1 A G 1 0 0 0\n", "Beagle"),
        ("x.vcf", "<!DOCTYPE html>\n<html></html>\n", "web page"),
        ("x.h5", "\x89HDF\r\n\x1a\n", "HDF5"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, name: str, text: str, named: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    for look in (file_kind, open_calls):
        with pytest.raises(BudwoodError, match=named):
            look(path)


def test_plink_text_equals_its_calls(tmp_path: Path) -> None:
    (tmp_path / "p.map").write_text("1 m1 0 10\n1 m2 0 20\n2 m3 0 5\n")
    (tmp_path / "p.ped").write_text(
        "f a 0 0 0 -9 A G C C 0 0\nf b 0 0 1 2.5 A A T C G G\nf c 0 0 2 -9 A A C C T G\n"
    )
    for path in (tmp_path / "p.ped", tmp_path / "p.map", tmp_path / "p"):
        assert file_format(path) == Format.PLINK_TEXT
        panel = read_genotypes(path)
        assert panel.accessions == ("a", "b", "c")
        assert panel.dosage.tolist() == [[1, 0, -1], [0, 1, 0], [0, 0, 1]]
        assert panel.markers.counted.tolist() == ["G", "T", "T"]
        assert panel.markers.position.tolist() == [9, 19, 4]
    (tmp_path / "p.map").write_text("1 m1 0 10\n1 m2 0 20\n")
    with pytest.raises(BudwoodError, match="6 alleles where 4 are due for 2 markers"):
        read_genotypes(tmp_path / "p.ped")


def test_pgen_equals_the_calls_written(tmp_path: Path) -> None:
    pgenlib = pytest.importorskip("pgenlib")
    alleles = np.array([[0, 1, 1, 1, -9, -9], [0, 0, 1, 0, 0, 1]], dtype=np.int32)
    writer = pgenlib.PgenWriter(bytes(tmp_path / "p.pgen"), 3, variant_ct=2, nonref_flags=False)
    for row in alleles:
        writer.append_alleles(row)
    writer.close()
    (tmp_path / "p.pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t10\tm1\tA\tG\n1\t20\t.\tC\tT\n")
    (tmp_path / "p.psam").write_text("#FID\tIID\tSEX\nf\ta\t0\nf\tb\t0\nf\tc\t0\n")
    for name in ("p", "p.pgen", "p.pvar", "p.psam"):
        panel = read_genotypes(tmp_path / name)
        assert panel.accessions == ("a", "b", "c")
        assert panel.dosage.tolist() == [[1, 0], [2, 1], [-1, 1]]
        assert panel.markers.identifier.tolist() == ["m1", "1_20"]
    (tmp_path / "p.pgen").write_bytes(b"\x6c\x1b\x10\x00")
    with pytest.raises(BudwoodError, match="damaged or does not fit"):
        read_genotypes(tmp_path / "p")


@pytest.mark.parametrize("preamble", [0, 3])
@pytest.mark.parametrize("columns", [[], ["CloneID", "AlleleSequence", "SNP", "SnpPosition", "CallRate"]])
def test_dart_reports_of_one_row(tmp_path: Path, preamble: int, columns: list[str]) -> None:
    score = {0: "0", 1: "2", 2: "1"}
    cells = {"SNP": "20:C>G", "AlleleSequence": "TGCAG"}
    rows = [["*"] * (1 + len(columns)) + ["x"] * 6 for _ in range(preamble)]
    rows.append(["AlleleID", *columns, *LINES])
    for j in range(40):
        more = [cells.get(name, "1") for name in columns]
        rows.append([f"10{j}|F|0-20:C>G-20:C>G", *more, *(score[d] for d in DOSAGE[:, j])])
    source = open_calls(write(tmp_path / "r.csv", rows))
    panel = read_genotypes(tmp_path / "r.csv")
    assert panel.accessions == tuple(LINES)
    assert panel.dosage.tolist() == DOSAGE.tolist()
    assert (panel.markers.other[0], panel.markers.counted[0]) == ("C", "G")
    assert "2 the heterozygote" in " ".join(source.assumptions)


def test_dart_reports_of_two_rows(tmp_path: Path) -> None:
    rows = [["AlleleID", "CloneID", "SNP", *LINES]]
    for j in range(40):
        rows.append([f"10{j}|F|0--20:C>G", f"10{j}", "", *("0" if d == 2 else "1" for d in DOSAGE[:, j])])
        rows.append([f"10{j}|F|0-20:C>G", f"10{j}", "20:C>G", *("1" if d else "0" for d in DOSAGE[:, j])])
    panel = read_genotypes(write(tmp_path / "r.csv", rows))
    assert panel.dosage.tolist() == DOSAGE.tolist()
    assert panel.markers.counted[0] == "G"


def test_dart_scores_with_too_many_heterozygotes_are_noted(tmp_path: Path) -> None:
    rows = [["AlleleID", *LINES]] + [[f"10{j}|F|0-20:C>G", *"222212"] for j in range(20)]
    assert "check that 2 stands for the heterozygote" in " ".join(
        open_calls(write(tmp_path / "r.csv", rows)).assumptions
    )


def test_traw_raw_and_tassel_numeric(tmp_path: Path) -> None:
    traw = [["CHR", "SNP", "(C)M", "POS", "COUNTED", "ALT", *(f"{n}_{n}" for n in LINES)]]
    traw += [["1", m, "0", str(j + 1), "G", "C", *map(str, DOSAGE[:, j])] for j, m in enumerate(MARKERS)]
    corner = ["FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE"]
    raw = by_accession(corner, [["f", name, "0", "0", "0", str(i % 2 + 1)] for i, name in enumerate(LINES)])
    raw[0][6:] = [f"{m}_G" for m in MARKERS]
    numeric = [["<Numeric>"], ["<Marker>", *MARKERS]]
    numeric += [[name, *(f"{d / 2:g}" for d in row)] for name, row in zip(LINES, DOSAGE, strict=True)]
    for name, rows, mark in [("a.traw", traw, "\t"), ("a.raw", raw, " "), ("a.txt", numeric, "\t")]:
        path = write(tmp_path / name, rows, mark)
        assert file_kind(path) == Kind.GENOTYPES
        panel = read_genotypes(path)
        assert panel.accessions == tuple(LINES)
        assert panel.dosage.tolist() == DOSAGE.tolist()
        assert panel.markers.identifier.tolist() == MARKERS
    assert read_genotypes(tmp_path / "a.traw").markers.counted[0] == "G"
    assert read_genotypes(tmp_path / "a.traw").markers.other[0] == "C"


@pytest.mark.parametrize("name", ["family", "year", "SEX", "Phenotype", "PAT", "pop", "Rep", "Block"])
@pytest.mark.parametrize("at", [0, 1, 7, 41])
def test_columns_that_describe_accessions_are_no_markers(tmp_path: Path, name: str, at: int) -> None:
    rows = by_accession(["line"], [[n] for n in LINES])
    for i, row in enumerate(rows):
        row.insert(at, name if i == 0 else str(i % 3))
    source = open_calls(write(tmp_path / "g.csv", rows))
    panel = read_genotypes(tmp_path / "g.csv")
    assert panel.accessions == tuple(LINES)
    assert panel.markers.identifier.tolist() == MARKERS
    assert panel.dosage.tolist() == DOSAGE.tolist()
    assert f"left out as markers: {name}" in " ".join(source.assumptions)


@pytest.mark.parametrize("name", ["maf", "call_rate", "Missing_Rate", "QUAL", "alleles", "strand"])
@pytest.mark.parametrize("placed", [True, False])
def test_columns_that_describe_markers_are_no_accessions(tmp_path: Path, name: str, placed: bool) -> None:
    rows = [["marker", *(["chrom", "pos"] if placed else []), name, *LINES]]
    cell = {"alleles": "A/G", "strand": "+"}.get(name, "0.25")
    for j, m in enumerate(MARKERS):
        rows.append([m, *(["1", str(j + 1)] if placed else []), cell, *map(str, DOSAGE[:, j])])
    panel = read_genotypes(write(tmp_path / "g.csv", rows))
    assert panel.accessions == tuple(LINES)
    assert panel.dosage.tolist() == DOSAGE.tolist()


@pytest.mark.parametrize("values", [["4", "0", "9", "1", "2", "3"], ["0.5", "0.1", "0.25", "1", "0", "2"]])
def test_a_column_unlike_all_others_is_refused(tmp_path: Path, values: list[str]) -> None:
    rows = by_accession(["line", "score"], [list(pair) for pair in zip(LINES, values, strict=True)])
    with pytest.raises(BudwoodError, match="other numbers than the dosages of all others: score"):
        read_genotypes(write(tmp_path / "g.csv", rows))


@pytest.mark.parametrize("code", ["3", "5", "7", "9"])
def test_codes_among_dosages_of_diploids_are_refused_or_named(tmp_path: Path, code: str) -> None:
    rows = by_accession(["line"], [[n] for n in LINES])
    for i in range(1, 6):
        rows[i][i::7] = [code] * len(rows[i][i::7])
        rows[i][0] = LINES[i - 1]
    path = write(tmp_path / "g.csv", rows)
    with pytest.raises(BudwoodError, match=f"are {code}.*looks like a code for missing calls"):
        read_genotypes(path)
    panel = read_genotypes(path, ploidy=2)
    assert set(np.unique(panel.dosage)) == {-1, 0, 1, 2}
    assert f"of {code} read as missing calls" in " ".join(open_calls(path, ploidy=2).assumptions)


@pytest.mark.parametrize("code", ["-9", "-99", "-999", "-9999", "99", "999", "9999"])
def test_numbers_that_mean_missing_are_read_and_named(tmp_path: Path, code: str) -> None:
    rows = by_accession(["line"], [[n] for n in LINES])
    rows[2][5] = rows[4][9] = code
    path = write(tmp_path / "g.csv", rows)
    assert np.argwhere(read_genotypes(path).dosage == -1).tolist() == [[1, 4], [3, 8]]
    assert f"missing calls are written as {code} (2 cells)" in " ".join(open_calls(path).assumptions)


@pytest.mark.parametrize("word", ["nd", "*", "#N/A", "-", ".", "NaN", "--", "N/A", "missing"])
def test_words_that_mean_missing(tmp_path: Path, word: str) -> None:
    rows = by_accession(["line"], [[n] for n in LINES])
    rows[2][5] = word
    assert read_genotypes(write(tmp_path / "g.csv", rows)).dosage[1, 4] == -1


@pytest.mark.parametrize("mark", [" ", "\t", ","])
def test_tables_without_a_header_are_refused(tmp_path: Path, mark: str) -> None:
    rows = by_accession(["line"], [[n] for n in LINES])[1:]
    with pytest.raises(BudwoodError, match="first line holds dosages"):
        read_genotypes(write(tmp_path / "g.txt", rows, mark))


@pytest.mark.parametrize(("n", "m"), [(20, 20), (12, 40), (40, 12)])
def test_a_table_that_may_stand_either_way_is_refused(tmp_path: Path, n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    for names, ids in ([str, str], ["x{}".format, "y{}".format]):
        rows = [["", *(names(j + 1) for j in range(m))]]
        rows += [[ids(i + 1), *map(str, rng.integers(0, 3, m))] for i in range(n)]
        with pytest.raises(BudwoodError, match=r"it is not clear whether.*--map"):
            read_genotypes(write(tmp_path / "g.csv", rows))


def test_decimal_commas_blanks_and_repeated_rows(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text("line;mk1;mk2 \nacc1 ;0,95;1,9\nacc2;0;2\nacc2;0;2\n")
    panel = read_genotypes(path)
    assert panel.accessions == ("acc1", "acc2")
    assert panel.markers.identifier.tolist() == ["mk1", "mk2"]
    np.testing.assert_allclose(panel.dosage, [[0.95, 1.9], [0, 2]])
    said = " ".join(open_calls(path).assumptions)
    assert "decimal commas" in said
    assert "blanks around 1 row names" in said
    assert "1 rows that repeat an earlier one exactly" in said


@pytest.mark.parametrize("more", range(7))
def test_hapmap_with_fewer_columns(tmp_path: Path, more: int) -> None:
    names = ["rs#", "alleles", "chrom", "pos", "strand"]
    others = ["assembly#", "center", "protLSID", "assayLSID", "panelLSID", "QCcode"][:more]
    rows = [[*names, *others, *LINES], ["m1", "A/G", "1", "5", "+", *["NA"] * more, *["AA", "AG", "GG"] * 2]]
    panel = read_genotypes(write(tmp_path / "g.hmp.txt", rows, "\t"))
    assert panel.accessions == tuple(LINES)
    assert panel.dosage[:, 0].tolist() == [0, 1, 2] * 2


@pytest.mark.parametrize("position", ["1e30", "9223372036854775808", "9" * 5000, "inf"])
def test_positions_that_no_contig_has_are_refused(tmp_path: Path, position: str) -> None:
    rows = [["marker", "chrom", "pos", *LINES], ["m1", "1", position, *"012012"]]
    with pytest.raises(BudwoodError, match="position"):
        read_genotypes(write(tmp_path / "g.csv", rows))
    (tmp_path / "p.bim").write_text(f"1 m1 0 {position} A G\n")
    (tmp_path / "p.fam").write_text("f a 0 0 0 -9\n")
    (tmp_path / "p.bed").write_bytes(b"\x6c\x1b\x01\x00")
    with pytest.raises(BudwoodError, match="position"):
        read_genotypes(tmp_path / "p")
