"""The small convolution learns a motif wherever it stands, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.genomics.sequence import encode
from budwood.probing.convolution import SmallConvolution
from budwood.stats.evaluation.metrics import auroc


@pytest.fixture(scope="module")
def examples() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    windows = random.integers(0, 4, (500, 80), dtype=np.uint8)
    labels = np.arange(500) % 2 == 0
    for row in np.flatnonzero(labels):
        place = random.integers(30, 44)
        windows[row, place : place + 6] = encode("TATAAG")
    return windows, labels


def test_a_motif_that_moves_is_found_and_the_generator_left_alone(examples) -> None:
    windows, labels = examples
    state = torch.get_rng_state()
    network = SmallConvolution(reach=24, channels=8, seeds=2, epochs=20).fit(windows[:400], labels[:400])
    assert auroc(network.decision(windows[400:]), labels[400:]) > 0.85
    assert torch.equal(torch.get_rng_state(), state)


def test_fits_are_repeatable(examples) -> None:
    windows, labels = examples
    fits = [
        SmallConvolution(reach=16, channels=4, seeds=1, epochs=2).fit(windows[:65], labels[:65])
        for _ in range(2)
    ]
    np.testing.assert_array_equal(fits[0].decision(windows), fits[1].decision(windows))


def test_what_lies_beyond_the_reach_is_not_seen(examples) -> None:
    windows, labels = examples
    network = SmallConvolution(reach=16, channels=4, seeds=1, epochs=1).fit(windows[:65], labels[:65])
    changed = windows.copy()
    changed[:, :24] = 0
    np.testing.assert_array_equal(network.decision(windows), network.decision(changed))


def test_a_pooled_network_finds_what_lies_anywhere() -> None:
    """The motif lies in the first half of the training windows and in the second half of the others."""
    random = np.random.default_rng(6)
    windows = random.integers(0, 4, (440, 64), dtype=np.uint8)
    labels = random.random(440) < 0.5
    for row in np.flatnonzero(labels):
        first = random.integers(0, 20) if row < 360 else random.integers(36, 56)
        windows[row, first : first + 8] = [3, 0, 3, 0, 0, 0, 2, 2]
    network = SmallConvolution(seeds=1, epochs=15, pooled="own").fit(windows[:360], labels[:360])
    decided = network.decision(windows[360:])
    assert np.mean(decided[labels[360:]] > decided[~labels[360:]].mean()) > 0.8
