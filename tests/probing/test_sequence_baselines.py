"""The convolution on letters: padding and strands change nothing, and a motif may lie anywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.genomics.sequence import PAD
from budwood.model.encoder import reverse_complement_tokens
from budwood.probing.sequence_baselines import SequenceConvolution
from budwood.training.finetuning.fit import FitConfig, fit_network, read_network
from budwood.training.finetuning.outputs import value_outputs


def sequences(rows: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (rows, length), dtype=np.uint8)


def test_padding_changes_nothing() -> None:
    network = SequenceConvolution(2, seed=1).eval()
    codes = torch.from_numpy(sequences(5, 40)).long()
    padded = torch.full((5, 64), int(PAD))
    padded[:, :40] = codes
    with torch.inference_mode():
        torch.testing.assert_close(network(codes), network(padded))


@pytest.mark.parametrize(("strand", "same"), [("both", True), ("own", False)])
def test_both_strands_give_the_same_where_they_are_averaged(strand: str, same: bool) -> None:
    network = SequenceConvolution(1, strand=strand, seed=1).eval()  # type: ignore[arg-type]
    codes = torch.from_numpy(sequences(5, 40)).long()
    with torch.inference_mode():
        given, turned = network(codes), network(reverse_complement_tokens(codes))
    assert torch.allclose(given, turned, atol=1e-6) == same


def test_the_seed_decides_the_weights_and_leaves_the_generator_alone() -> None:
    state = torch.get_rng_state()
    one, other, again = (SequenceConvolution(1, seed=seed) for seed in (1, 2, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.head[1].weight, again.head[1].weight)
    assert not torch.equal(one.head[1].weight, other.head[1].weight)


def test_a_motif_is_found_wherever_it_lies() -> None:
    """Trained with the motif in the first half alone, the network finds it in the second."""
    random = np.random.default_rng(3)
    motif = np.array([3, 0, 3, 0, 0, 0, 2], dtype=np.uint8)
    codes = sequences(500, 80, seed=4)
    holds = random.random(500) < 0.5
    for row in np.flatnonzero(holds):
        first = random.integers(0, 30) if row < 400 else random.integers(42, 72)
        codes[row, first : first + len(motif)] = motif
    truth = holds[:, None].astype(np.float64)
    training, validation, test = np.arange(360), np.arange(360, 400), np.arange(400, 500)
    outputs = value_outputs(["y"], truth, training)
    network = SequenceConvolution(1, seed=0)
    config = FitConfig(learning_rate=2e-3, batch=32, epochs=15, patience=8)
    fit_network(
        network,
        codes,
        outputs.targets(truth),
        outputs,
        training=training,
        validation=validation,
        config=config,
        label="convolution",
        show=False,
    )
    found = read_network(network, codes[test])[:, 0]
    assert np.corrcoef(found, truth[test, 0])[0, 1] > 0.7
