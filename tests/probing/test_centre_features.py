"""What is read at the middle is what the encoder and the embeddings say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.sequence import reverse_complement
from budwood.inference.embed import Pool, embed_windows
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.centre_features import CentreFeatures, encode_centres


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUDWOOD_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 5, (20, 64), dtype=np.uint8)


def test_the_mean_of_both_strands_is_the_centre_pooled_embedding(checkpoint, windows) -> None:
    reading = encode_centres(windows, checkpoint, show=False)
    plain = embed_windows(windows, checkpoint, pool=Pool.CENTRE, show=False)
    np.testing.assert_allclose(reading.mean, plain, atol=1e-5)
    oriented = embed_windows(windows, checkpoint, pool=Pool.CENTRE, oriented=True, show=False)
    np.testing.assert_allclose(reading.oriented, oriented, atol=1e-5)
    with torch.inference_mode():
        regions = checkpoint.encoder(torch.from_numpy(windows.astype(np.int64))).regions.log_softmax(-1)
    np.testing.assert_allclose(reading.regions, regions[:, 28:36].numpy(), atol=1e-5)


def test_the_other_strand_swaps_the_halves(checkpoint, windows) -> None:
    there = encode_centres(windows, checkpoint, show=False)
    back = encode_centres(reverse_complement(windows), checkpoint, show=False)
    np.testing.assert_allclose(there.along, back.against, atol=1e-5)
    np.testing.assert_allclose(there.against, back.along, atol=1e-5)


def test_what_was_read_is_not_read_again(checkpoint, windows, monkeypatch) -> None:
    first = encode_centres(windows[:12], checkpoint, show=False)
    read: list[int] = []
    network = checkpoint.encoder.strand
    monkeypatch.setattr(checkpoint.encoder, "strand", lambda t: (read.append(len(t)), network(t))[1])
    again = encode_centres(windows, checkpoint, show=False)
    np.testing.assert_array_equal(again.along[:12], first.along)
    assert sum(read) == 2 * 8


def test_half_precision_is_near_and_kept_apart(checkpoint, windows) -> None:
    whole = encode_centres(windows, checkpoint, show=False)
    half = encode_centres(windows, checkpoint, half_precision=True, show=False)
    assert 0 < np.abs(whole.along - half.along).max() < 0.2


def test_marks_are_read_where_they_stand() -> None:
    chances = np.full((1, 8, len(BaseClass)), 0.01, dtype=np.float32)
    chances[0, 4:6, BaseClass.DONOR_FORWARD] = 0.75
    chances[0, 2:4, BaseClass.ACCEPTOR_FORWARD] = 0.5
    chances[0, 4:7, BaseClass.START_FORWARD] = 0.25
    nothing = np.zeros((1, 2), dtype=np.float32)
    reading = CentreFeatures(nothing, nothing, np.log(chances))
    odds = [reading.site_log_odds(kind)[0] for kind in ("donor", "acceptor", "start_codon")]
    np.testing.assert_allclose(odds, np.log([3, 1, 1 / 3]), atol=1e-5)


def test_padding_is_refused(checkpoint) -> None:
    with pytest.raises(BudwoodError, match="no middle"):
        encode_centres(np.full((1, 64), 6, dtype=np.uint8), checkpoint)
