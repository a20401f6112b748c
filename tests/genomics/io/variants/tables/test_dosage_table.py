from __future__ import annotations

import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.variants.tables.dosage_table import read_dosage_table


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def told(path: Path, **options: object) -> str:
    return " | ".join(read_dosage_table(path, **options).assumptions)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 6),
    m=st.integers(1, 6),
    ploidy=st.sampled_from([1, 2, 4, 6, 12]),
    fractional=st.booleans(),
    markers_in_rows=st.booleans(),
    delimiter=st.sampled_from([",", "\t", ";", " "]),
    seed=st.integers(0, 2**32 - 1),
)
def test_random_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    n: int,
    m: int,
    ploidy: int,
    fractional: bool,
    markers_in_rows: bool,
    delimiter: str,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    dosage = rng.uniform(0, ploidy, (n, m)).round(2) if fractional else rng.integers(0, ploidy + 1, (n, m))
    dosage = np.where(rng.random((n, m)) < 0.2, np.nan, dosage)
    table = dosage.T if markers_in_rows else dosage
    columns = [f"acc{i}" for i in range(n)] if markers_in_rows else [f"m{j}" for j in range(m)]
    rows = [f"m{j}" for j in range(m)] if markers_in_rows else [f"acc{i}" for i in range(n)]
    lines = [delimiter.join(["marker" if markers_in_rows else "accession", *columns])]
    for name, values in zip(rows, table, strict=True):
        lines.append(delimiter.join([name, *("NA" if np.isnan(v) else f"{v:g}" for v in values)]))
    panel = read_dosage_table(write(tmp_path_factory.mktemp("d") / "t.csv", *lines), ploidy=ploidy).genotypes
    assert panel.accessions == tuple(f"acc{i}" for i in range(n))
    assert panel.markers.identifier.tolist() == [f"m{j}" for j in range(m)]
    assert set(panel.ploidy.tolist()) == {ploidy}
    whole = np.array_equal(dosage, np.round(dosage), equal_nan=True)
    assert panel.dosage.dtype == (np.int8 if whole else np.float32)
    expected = np.where(np.isnan(dosage), -1, dosage) if whole else dosage.astype(np.float32)
    np.testing.assert_array_equal(panel.dosage, expected)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["SNP,Chrom,Pos,a,b", "m1,1,5,0,2"], "markers stand in the rows: chrom and pos"),
        (["marker,a,b,c", "m1,0,1,2"], "markers stand in the rows: the first column is named 'marker'"),
        (
            ["taxa,m1,m2", "a,0,2", "b,1,1", "c,0,0"],
            "accessions stand in the rows: the first column is named 'taxa'",
        ),
        (
            [",m1,m2,m3", "a,0,2,1", "b,1,1,1"],
            "accessions stand in the rows: the names of the others say so",
        ),
        (
            [",a,b", "m1,0,2", "m2,1,1", "m3,0,0"],
            "markers stand in the rows: the names of the others say so",
        ),
        (
            ["m1 m2 m3", "a 0 2 1", "b 1 1 1"],
            "accessions stand in the rows: the names of the others say so",
        ),
        (
            [",m1,y,z,u,v", "a,0,2,1,0,0"],
            "accessions are taken to stand in the rows, by the table's shape",
        ),
        (
            [",a", "m1,0", "y,1", "z,0", "u,1", "v,2"],
            "markers are taken to stand in the rows, by the table's shape",
        ),
    ],
)
def test_the_orientation_is_found_and_said(tmp_path: Path, lines: list[str], said: str) -> None:
    path = write(tmp_path / "t.csv", *lines)
    assert said in told(path)
    panel = read_dosage_table(path).genotypes
    assert panel.accessions[0] == "a"
    assert panel.markers.identifier[0] == "m1"


def test_a_map_places_markers_and_settles_the_orientation(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "x,a,b,c,d", "m1,0,1,2,2", "m2,0,1,2,0", "new,1,1,1,1")
    map_ = write(tmp_path / "map.csv", "marker,chrom,pos,allele0,allele1", "m2,chr2,7,A,g", "m1,chr1,9,C,T")
    source = read_dosage_table(table, marker_map=map_)
    markers = source.genotypes.markers
    assert source.accessions == ("a", "b", "c", "d")
    assert markers.contig.tolist() == ["chr1", "chr2", ""]
    assert markers.position.tolist() == [8, 6, -1]
    assert (markers.other.tolist(), markers.counted.tolist()) == (["C", "A", ""], ["T", "G", ""])
    assert "1 of 3 markers are not in the map" in " | ".join(source.assumptions)
    other = write(tmp_path / "other.csv", "marker,chrom,pos", "s1,1,5")
    with pytest.raises(BudwoodError, match=r"knows none of the table's markers \(.*other\.csv"):
        read_dosage_table(table, marker_map=other)


def test_own_columns_of_positions_and_alleles_are_used(tmp_path: Path) -> None:
    path = write(
        tmp_path / "g.csv", "Marker,Chrom,Position,REF,ALT,x,y", "m1,1,10,A,G,0,4", "m2,2,20,C,T,3,NA"
    )
    panel = read_dosage_table(path).genotypes
    assert panel.accessions == ("x", "y")
    assert panel.markers.position.tolist() == [9, 19]
    assert panel.markers.counted.tolist() == ["G", "T"]
    assert panel.dosage.tolist() == [[0, 3], [4, -1]]


def test_the_ploidy_is_inferred_and_said(tmp_path: Path) -> None:
    for largest, ploidy in [("1", 1), ("2", 2), ("4", 4), ("1.5", 2), ("6", 6), ("11", 12)]:
        path = write(tmp_path / "t.csv", "taxa,m1,m2", f"a,0,{largest}")
        assert f"ploidy {ploidy} is inferred from the largest dosage, {largest}" in told(path)
    assert "ploidy 12 as given" in told(path, ploidy=12)


@pytest.mark.parametrize("missing", ["NA", "", ".", "nan", "-", "-1", "-9", "N/A", "?"])
def test_every_spelling_of_missing(tmp_path: Path, missing: str) -> None:
    path = write(tmp_path / "t.csv", "taxa,m1,m2,m3", f"a,0,{missing},2", "b,1,1,1")
    assert read_dosage_table(path).genotypes.dosage.tolist() == [[0, -1, 2], [1, 1, 1]]


@pytest.mark.parametrize(
    ("lines", "options", "sentence"),
    [
        (["taxa,m1,m2", "a,0,tall"], {}, r"'tall' in column 'm2' is no number \(.*line 2"),
        (["taxa,m1,m2", "a,0,1", "b,0"], {}, r"the row has 1 dosages, the header 2 \(.*line 3"),
        (["taxa,m1,m2", "a,0,-3"], {}, "-3 in column 'm2' is no dosage"),
        (["taxa,m1,m2", "a,0,inf"], {}, "inf in column 'm2' is no dosage"),
        (["taxa,m1,m2", "a,-1,0", "b,1,1"], {}, "dosages run from -1 to 1"),
        (["taxa,m1,m2", "a,0,4"], {"ploidy": 2}, "a dosage is 4 where ploidy 2 was given"),
        (["taxa,m1,m2", "a,0,40"], {}, "more than any ploidy tried"),
        (["taxa,m1,m2", "a,0,1", "a,0,2"], {}, "accession 'a' occurs twice"),
        (["taxa,m1,m2"], {}, "holds no row of dosages"),
        (["marker,chrom,pos,a", "m1,1,five,2"], {}, "the position 'five' is no number"),
    ],
)
def test_malformed_tables_get_one_sentence(
    tmp_path: Path, lines: list[str], options: dict[str, int], sentence: str
) -> None:
    with pytest.raises(BudwoodError, match=sentence):
        read_dosage_table(write(tmp_path / "t.csv", *lines), **options)


def test_a_truncated_packed_table_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lines = ["taxa," + ",".join(f"m{j}" for j in range(50))]
    lines += [f"acc{i}," + ",".join(rng.choice(list("012"), 50)) for i in range(300)]
    data = lzma.compress("\n".join(lines).encode())
    path = tmp_path / "t.csv.xz"
    path.write_bytes(data)
    assert len(read_dosage_table(path).accessions) == 300
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        read_dosage_table(path)


@pytest.mark.real
def test_potato_stagewise_equals_its_tidy_form(real_data: Path) -> None:
    folder = real_data / "panels" / "potato_stagewise"
    panel = read_dosage_table(folder / "raw" / "geno2.csv.xz").genotypes
    with np.load(folder / "geno.npz", allow_pickle=False) as tidy:
        assert panel.accessions == tuple(tidy["ids"])
        np.testing.assert_array_equal(panel.dosage, tidy["dosage"])
    assert set(panel.ploidy) == {4}
