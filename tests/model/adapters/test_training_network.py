"""The network for training an adapter: outputs and gradients are those of peft, whatever is read."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.genomics.sequence import PAD
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.low_rank import LowRank
from budwood.model.adapters.training_network import TrainingNetworks
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import pool_weights
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.ordered_product import multiplies

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=2, heads=2, kernel=3)

pytestmark = pytest.mark.skipif(not multiplies(torch.float32), reason="no oneDNN products here")


def adapted_encoder(*names: str) -> AdaptedEncoder:
    """An encoder with adapters of random weights, of which the last is trained."""
    adapted = AdaptedEncoder(random_checkpoint(SHAPE, seed=2))
    random = torch.Generator().manual_seed(1)
    for name in names:
        adapted.new(name, LowRank(rank=3), seed=0)
        with torch.no_grad():
            for parameter in adapted.train_only(name):
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=random))
    return adapted


def some_tokens(*lengths: int) -> torch.Tensor:
    tokens = torch.full((len(lengths), max(lengths)), PAD)
    for row, length in zip(tokens, lengths, strict=True):
        row[:length] = torch.randint(0, 6, (length,), generator=torch.Generator().manual_seed(length))
    return tokens


def gradients(adapted: AdaptedEncoder, tokens: torch.Tensor, *, ordered: bool, kind: str = "float32"):
    """Outputs, and gradients of the adapter, by ordered products or by peft."""
    trained = adapted.train_only(adapted.names[-1])
    for parameter in trained:
        parameter.grad = None
    network = adapted.encoder.network
    if ordered:
        network = TrainingNetworks().of(network)
        assert network is not None
    with torch.autocast("cpu", torch.bfloat16, enabled=kind == "bf16"):
        found = network(tokens)
        vectors = found.pooled(pool_weights(tokens, None))
    outputs = torch.cat([vectors.flatten(), found.bases.flatten(), found.regions.flatten()])
    outputs.float().square().sum().backward()
    return outputs.detach().float(), torch.cat([each.grad.flatten() for each in trained])


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=4))
def test_outputs_and_gradients_are_those_of_peft(lengths: list[int]) -> None:
    adapted, tokens = adapted_encoder("first"), some_tokens(*lengths)
    expected, found = (gradients(adapted, tokens, ordered=ordered) for ordered in (False, True))
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
    assert (found[1] - expected[1]).norm() < 1e-4 * expected[1].norm()


def test_an_adapter_over_another_is_trained_with_it() -> None:
    adapted, tokens = adapted_encoder("first", "second"), some_tokens(40, 40)
    expected, found = (gradients(adapted, tokens, ordered=ordered) for ordered in (False, True))
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
    assert (found[1] - expected[1]).norm() < 1e-4 * expected[1].norm()


def test_gradients_in_bfloat16_point_the_same_way() -> None:
    if not multiplies(torch.bfloat16):
        pytest.skip("this processor does not multiply in bfloat16")
    adapted, tokens = adapted_encoder("first"), some_tokens(48, 48, 33)
    expected = gradients(adapted, tokens, ordered=False)[1]
    usual = gradients(adapted, tokens, ordered=False, kind="bf16")[1]
    found = gradients(adapted, tokens, ordered=True, kind="bf16")[1]
    assert torch.cosine_similarity(found, expected, 0) > 0.995
    assert (found - expected).norm() < 2 * (usual - expected).norm()


def test_weights_that_change_are_read_anew() -> None:
    adapted, tokens = adapted_encoder("first"), some_tokens(40)
    trained = adapted.train_only("first")
    networks = TrainingNetworks()
    first = networks.of(adapted.encoder.network)
    before = first(tokens).base.detach()
    optimiser = torch.optim.AdamW(trained, lr=0.1)
    first(tokens).base.square().sum().backward()
    optimiser.step()
    assert networks.of(adapted.encoder.network) is first
    after = first(tokens).base.detach()
    assert (after - before).abs().max() > 1e-3
    torch.testing.assert_close(after, adapted.encoder.network(tokens).base.detach(), rtol=1e-4, atol=1e-4)


def test_the_network_itself_is_trained_where_more_than_one_adapter_is() -> None:
    adapted = adapted_encoder("first", "second")
    network = adapted.encoder.network
    adapted.train_only("second")
    assert TrainingNetworks().of(network) is not None
    with torch.no_grad():
        assert TrainingNetworks().of(network) is None
    handle = network.stem.register_forward_hook(lambda *given: None)
    assert TrainingNetworks().of(network) is None
    handle.remove()
    network.norm_base.weight.requires_grad_(True)
    assert TrainingNetworks().of(network) is None
    adapted.encoder.requires_grad_(True)
    assert TrainingNetworks().of(network) is None
    adapted.train_only("second")
    adapted.use("first")
    assert TrainingNetworks().of(network) is None


def test_what_is_trained_next_is_noticed() -> None:
    adapted = adapted_encoder("first", "second")
    tokens = some_tokens(40)
    adapted.train_only("second")
    with_both = adapted.encoder.strand(tokens).base.detach()
    adapted.use("first")
    adapted.train_only("first")
    alone = adapted.encoder.strand(tokens).base.detach()
    assert (alone - with_both).abs().max() > 1e-3
    torch.testing.assert_close(alone, adapted.encoder.network(tokens).base.detach(), rtol=1e-4, atol=1e-4)


def test_copies_are_empty() -> None:
    adapted = adapted_encoder("first")
    networks = TrainingNetworks()
    assert networks.of(adapted.encoder.network) is not None
    assert copy.deepcopy(networks)._made is None
    assert networks.__reduce__() == (TrainingNetworks, ())
