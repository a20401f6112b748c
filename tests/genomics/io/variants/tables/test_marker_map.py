from __future__ import annotations

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.variants.tables.marker_map import read_marker_map


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_columns_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.tsv", "Position\tALT\tSNP_ID\tChromosome\tREF", "5\tg\ts1\t1\tA", "NA\tNA\ts2\tNA\t-"
    )
    markers = read_marker_map(path).markers
    assert markers.identifier.tolist() == ["s1", "s2"]
    assert markers.position.tolist() == [4, -1]
    assert markers.contig.tolist() == ["1", ""]
    assert (markers.other.tolist(), markers.counted.tolist()) == (["A", ""], ["G", ""])


def test_centimorgans_are_no_positions(tmp_path: Path) -> None:
    placed = read_marker_map(write(tmp_path / "m.csv", "marker,chrom,pos", "a,1H,3", "b,1H,0.5"))
    assert placed.markers.position.tolist() == [-1, -1]
    assert "centimorgans" in placed.assumptions[0]


def test_place_follows_the_names_asked_for(tmp_path: Path) -> None:
    placed = read_marker_map(write(tmp_path / "m.csv", "marker,chrom,pos", "a,1,3", "b,2,5"))
    markers = placed.place(["b", "unknown", "a"])
    assert markers.contig.tolist() == ["2", "", "1"]
    assert markers.position.tolist() == [4, -1, 2]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["marker,pos", "a,3"], "no column for contig"),
        (["marker,chrom,pos", "a,1,3", "a,1,4"], "marker 'a' occurs twice"),
        (["marker,chrom,pos", "a,1"], "line 2 has 2 cells, the header 3"),
        (["marker,chrom,pos", "a,1,x"], "position 'x' is no number"),
        (["marker,chrom,pos", "a,1,inf"], "position 'inf' is no number"),
    ],
)
def test_malformed_maps_get_one_sentence(tmp_path: Path, lines: list[str], sentence: str) -> None:
    with pytest.raises(BudwoodError, match=sentence):
        read_marker_map(write(tmp_path / "m.csv", *lines))
