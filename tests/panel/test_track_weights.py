"""Marker weights by tracks: each counts alike, whatever its unit, and contigs may be written otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Markers
from budwood.genomics.io.annotation.tracks import Steps, Track
from budwood.panel.track_weights import track_weights


def placed(*positions: int, contig: str = "chr01") -> Markers:
    blank = np.full(len(positions), "", dtype=object)
    names = np.array([f"m{j}" for j in range(len(positions))], dtype=object)
    return Markers(names, np.full(len(positions), contig, dtype=object), np.array(positions), blank, blank)


def track(start: int, end: int, value: float = 1.0, contig: str = "1") -> Track:
    steps = Steps(np.array([start]), np.array([end]), np.array([value]))
    return Track("open.bed", {contig: steps}, valued=False)


def test_each_track_counts_alike_whatever_its_unit() -> None:
    markers = placed(2_000, 12_000, 40_000)
    one, other = track(0, 5_000), track(10_000, 15_000, value=80.0)
    found = track_weights(markers, [one, other])
    assert found.by_kernel["function"].tolist() == [3.0, 3.0, 0.0]
    assert "open.bed weighs 1 of 3 markers" in found.notes[0]
    assert "predicts were not used" in found.notes[-1]


def test_an_interval_counts_by_its_share_of_the_bases_around() -> None:
    found = track_weights(placed(1_000, 1_500, 9_000), [track(1_000, 1_501)]).by_kernel["function"]
    assert found[0] == pytest.approx(found[1])
    assert found.mean() == pytest.approx(1)


def test_contigs_by_alias() -> None:
    markers = placed(100, 9_000, contig="NC_1")
    weights = track_weights(markers, [track(0, 500)], aliases={"NC_1": "1"}).by_kernel["function"]
    assert weights.tolist() == [2.0, 0.0]


def test_tracks_that_tell_nothing_are_refused() -> None:
    with pytest.raises(BudwoodError, match="no marker lies on a contig"):
        track_weights(placed(5), [track(0, 10, contig="7")])
    with pytest.raises(BudwoodError, match="none of the markers"):
        track_weights(placed(5, 90), [track(5_000, 5_010)])
    with pytest.raises(BudwoodError, match="all markers alike"):
        track_weights(placed(5_000, 5_090), [track(0, 90_000)])
    with pytest.raises(BudwoodError, match="no places"):
        track_weights(placed(-1, -1), [track(0, 10)])


def test_the_start_of_a_contig_does_not_lower_a_weight() -> None:
    with pytest.raises(BudwoodError, match="all markers alike"):
        track_weights(placed(5, 300, 5_000), [track(0, 90_000, value=0.1)])


def test_a_contig_that_a_track_writes_in_two_ways_is_refused() -> None:
    steps = Steps(np.array([0]), np.array([9]), np.array([1.0]))
    with pytest.raises(BudwoodError, match="'chr1' and '01' are the same"):
        track_weights(placed(5, 90), [Track("open.bed", {"chr1": steps, "01": steps}, valued=False)])


def test_notes_say_whether_values_count() -> None:
    markers, steps = placed(2_000, 12_000), Steps(np.array([0]), np.array([5_000]), np.array([1.0]))
    said = [track_weights(markers, [Track("x", {"1": steps}, valued)]).notes[0] for valued in (True, False)]
    assert "its values count, as bedGraph" in said[0]
    assert "every interval counts 1, as BED" in said[1]
