"""Tracks: means over bases as counted one by one, and lines that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.tracks import read_track


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), min_size=1, max_size=6),
    st.lists(st.integers(0, 60), min_size=1, max_size=5),
    st.integers(0, 8),
)
def test_a_mean_is_that_of_the_bases(
    tmp_path_factory: pytest.TempPathFactory,
    intervals: list[tuple[int, int]],
    places: list[int],
    reach: int,
) -> None:
    path = tmp_path_factory.mktemp("track") / "open.bed"
    track = read_track(written(path, *(f"chr1\t{start}\t{start + size}" for start, size in intervals)))
    bases = np.zeros(200)
    for start, size in intervals:
        bases[100 + start : 100 + start + size] = 1
    found = track.contigs["chr1"].mean(np.array(places), reach)
    expected = [bases[100 + max(at - reach, 0) : 100 + at + reach + 1].mean() for at in places]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert not track.valued


def test_values_of_bedgraph_count(tmp_path: Path) -> None:
    lines = ("track type=bedGraph", "1 10 20 4", "1 0 10 1.5", "2 5 6 3")
    track = read_track(written(tmp_path / "methyl.bedGraph", *lines))
    assert track.valued
    assert track.contigs["1"].mean(np.array([5, 10, 30]), 0).tolist() == [1.5, 4.0, 0.0]
    assert track.contigs["2"].mean(np.array([5]), 1).tolist() == [1.0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 10 20 -1", "negative"),
        ("1 10 20 nan", "no line of bedGraph"),
        ("1 10 20", "no line of bedGraph"),
        ("1 20 10 2", "no line of bedGraph"),
        ("1 8 12 1\n1 11 14 2", "overlap at base 12"),
        ("# nothing", "no interval"),
        ("1 10 20 1e300", "too large"),
    ],
)
def test_what_is_no_track_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(BudwoodError, match=message):
        read_track(written(tmp_path / "track.bg", line))


@pytest.mark.parametrize(
    ("name", "head", "valued"),
    [
        ("a.bg.bed", "", False),
        ("a.v1.bedgraph", "", True),
        ("a.txt", 'track type="bedGraph" name=x', True),
        ("a.bed", "track name=bedGraph", False),
    ],
)
def test_the_end_of_the_name_or_the_track_line_tells_bedgraph(
    tmp_path: Path, name: str, head: str, valued: bool
) -> None:
    assert read_track(written(tmp_path / name, head, "1\t0\t10\t4")).valued == valued
