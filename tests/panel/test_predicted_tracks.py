"""Predicted tracks weigh markers as files of the same probabilities do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.genotypes import Markers
from budwood.inference.tracks import predict_tracks
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.track_head import TrackHead
from budwood.panel.predicted_tracks import places_around, predicted_tracks
from budwood.panel.track_weights import REACH, track_weights

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)


def placed(contig: str, *positions: int) -> Markers:
    blank = np.full(len(positions), "", dtype=object)
    return Markers(blank, np.full(len(positions), contig, dtype=object), np.array(positions), blank, blank)


def test_weights_are_means_of_the_probabilities_around() -> None:
    random = torch.Generator().manual_seed(0)
    head = TrackHead(("open", "state"), torch.randn(2, 32, generator=random), torch.zeros(2))
    checkpoint = replace(random_checkpoint(SHAPE), name="tiny", tracks=head)
    letters = np.random.default_rng(0).integers(0, 4, 6_000, dtype=np.uint8)
    genome = InMemoryAssembly({"Chr01": letters, "other": letters[:90]})
    markers = placed("1", 100, 800, 4_000, 5_990, -1)
    places = places_around(markers, genome.contigs)
    assert {place.contig for place in places} == {"Chr01"}
    assert (places[0].start, places[0].end, places[-1].end) == (0, 100 + REACH + 1, 6_000)
    tracks = predicted_tracks(genome, checkpoint, ["state"], places)
    assert [track.name for track in tracks] == ["state"]
    stretches = list(predict_tracks(genome, checkpoint, names=["state"]))
    every = np.concatenate([each.probability[:, 0] for each in stretches if each.contig == "Chr01"])
    bases = np.append(np.repeat(every, 8), np.zeros(REACH))
    means = [bases[max(p - REACH, 0) : p + REACH + 1].mean() for p in (100, 800, 4_000, 5_990)] + [0]
    found = track_weights(markers, tracks)
    np.testing.assert_allclose(found.by_kernel["function"], np.array(means) / np.mean(means), rtol=1e-3)
    said = f"Predicted by checkpoint tiny (digest {checkpoint.digest[:12]}), not measured: state; "
    assert found.notes[-1] == said + "no measured track was given."
    measured = replace(tracks[0], name="open.bed", predicted_by=None)
    assert track_weights(markers, [measured, *tracks]).notes[-1] == said + "the others were measured."


def test_markers_on_no_contig_of_the_genome_are_refused() -> None:
    with pytest.raises(BudwoodError, match="no marker lies on a contig of the reference"):
        places_around(placed("2", 5), {"chr1": 50})
    with pytest.raises(BudwoodError, match="no marker lies on a contig of the reference"):
        places_around(placed("1", 5_000), {"chr1": 50})
    assert places_around(placed("NC_1", 5), {"chr1": 50}, aliases={"NC_1": "chr1"})
