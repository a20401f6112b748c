"""Integrated gradients: completeness, strands, and a reference implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.sequence import PAD, reverse_complement
from budwood.inference.attribute import integrated_gradients
from budwood.inference.embed import embed_windows
from budwood.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig


@pytest.fixture(scope="module")
def tiny() -> Checkpoint:
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=3)


def sequences(length: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    reference = random.integers(0, 4, (2, length), dtype=np.uint8)
    reference[1, 50:] = PAD
    other = reference.copy()
    other[:, [3, 20, 41]] = (other[:, [3, 20, 41]] + 1) % 4
    return other, reference, random.normal(size=(2, 32))


def test_bases_sum_to_the_difference_of_embeddings(tiny: Checkpoint) -> None:
    other, reference, toward = sequences()
    found = integrated_gradients(other, reference, toward, tiny, show=False)
    assert set(np.flatnonzero(found.bases.any(axis=0))) == {3, 20, 41}
    assert np.abs(found.error).max() < 1e-6 * np.abs(found.difference).max()
    pair = embed_windows(np.concatenate([other, reference]), tiny, cache=False, show=False)
    expected = ((pair[:2] - pair[2:]).astype(float) * toward).sum(axis=1)
    np.testing.assert_allclose(found.difference, expected, rtol=1e-3, atol=1e-4)
    assert next(tiny.encoder.parameters()).dtype is torch.float32


def test_the_other_strand_gives_the_same_bases(tiny: Checkpoint) -> None:
    other, reference, toward = (each[:1] for each in sequences())
    one = integrated_gradients(other, reference, toward, tiny, show=False)
    turned = integrated_gradients(
        reverse_complement(other), reverse_complement(reference), toward, tiny, show=False
    )
    np.testing.assert_allclose(turned.bases[:, ::-1], one.bases, atol=1e-9)


def test_captum_gives_the_same(tiny: Checkpoint) -> None:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    other, reference, toward = (each[:1] for each in sequences())
    network = tiny.encoder.network.double()
    direction = torch.as_tensor(toward[0])

    def value(letters: torch.Tensor) -> torch.Tensor:
        present = torch.ones(letters.shape[:2], dtype=torch.bool)
        turned = letters.flip(1)[..., [3, 2, 1, 0, 4, 5]]
        read = [network.read_letters(each, present).features.mean(1) for each in (letters, turned)]
        return (read[0] + read[1]) / 2 @ direction

    ends = [
        torch.nn.functional.one_hot(torch.as_tensor(c.astype(np.int64)), PAD).double()
        for c in (other, reference)
    ]
    expected = attr.IntegratedGradients(value).attribute(ends[0], ends[1], n_steps=24, method="gausslegendre")
    network.float()
    found = integrated_gradients(other, reference, toward, tiny, show=False)
    np.testing.assert_allclose(found.bases[0], expected.sum(-1)[0].detach().numpy(), atol=1e-9)


def test_the_packaged_encoder_is_complete_too() -> None:
    random = np.random.default_rng(1)
    reference = random.integers(0, 4, (1, 128), dtype=np.uint8)
    other = reference.copy()
    other[0, 64] = (other[0, 64] + 1) % 4
    found = integrated_gradients(
        other, reference, random.normal(size=(1, 512)), load_checkpoint(device="cpu"), show=False
    )
    assert np.abs(found.error).max() < 0.02 * np.abs(found.difference).max() + 1e-6


def test_sequences_of_other_length_are_refused(tiny: Checkpoint) -> None:
    other, reference, toward = sequences()
    other[0, 55:] = PAD
    with pytest.raises(BudwoodError, match="differ in length"):
        integrated_gradients(other, reference, toward, tiny, show=False)
