"""Predicted tracks are written as bedGraph that is read back as predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from budwood.genomics.io.annotation.bedgraph import BedgraphWriter
from budwood.genomics.io.annotation.tracks import Track, read_track
from budwood.genomics.io.text.bgzf import BgzfWriter


def written(path: Path, *blocks: tuple, least: float = 0.05, name: str = "open") -> Track:
    with path.open("wb") as handle:
        writer = BedgraphWriter(BgzfWriter(handle), name=name, predicted_by='checkpoint "x"\n', least=least)
        for contig, start, end, values in blocks:
            writer.add(contig, start, end, 8, np.array(values, dtype=np.float32))
        writer.finish()
    track = read_track(path)
    assert sum(len(steps.start) for steps in track.contigs.values()) == writer.written
    return track


def test_equal_neighbours_are_joined_across_blocks_and_not_across_contigs(tmp_path: Path) -> None:
    blocks = [("1", 0, 16, [0.2, 0.2]), ("1", 16, 32, [0.2, 0.31]), ("2", 0, 8, [0.31]), ("2", 16, 19, [1])]
    track = written(tmp_path / "a.bedgraph.gz", *blocks)
    one, two = track.contigs["1"], track.contigs["2"]
    assert (one.start.tolist(), one.end.tolist(), one.value.tolist()) == ([0, 24], [24, 32], [0.2, 0.31])
    assert (two.start.tolist(), two.end.tolist(), two.value.tolist()) == ([0, 16], [8, 19], [0.31, 1.0])
    assert track.valued
    assert track.predicted_by == "checkpoint 'x'"


def test_small_and_unknown_steps_are_left_out(tmp_path: Path) -> None:
    values = [0.044, 0.046, np.nan, 0.7, 0.0]
    track = written(tmp_path / "a.bedgraph.gz", ("1", 80, 120, values), name='a\t"b"')
    steps = track.contigs["1"]
    assert (steps.start.tolist(), steps.value.tolist()) == ([88, 104], [0.05, 0.7])
    all_of_them = written(tmp_path / "b.bedgraph.gz", ("1", 80, 120, values), least=0)
    assert all_of_them.contigs["1"].start.tolist() == [80, 88, 104]
