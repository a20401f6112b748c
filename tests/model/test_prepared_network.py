"""The prepared network gives the numbers of the network itself, and notices when that one changes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch

from budwood.genomics.sequence import PAD
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder, pool_weights
from budwood.model.prepared_network import PreparedNetworks, pieces

SHAPE = BudwoodConfig(stem_channels=16, hidden_size=32, layers=2, heads=2, kernel=3)

pytestmark = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="no oneDNN products here"
)


@pytest.fixture
def checkpoint() -> Checkpoint:
    return random_checkpoint(SHAPE, seed=4)


def some_tokens(*lengths: int, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    rows = np.full((len(lengths), max(lengths)), PAD)
    for row, length in zip(rows, lengths, strict=True):
        row[:length] = random.integers(0, 6, length)
    return torch.from_numpy(rows)


def prepared_of(encoder: BudwoodEncoder):
    with torch.no_grad():
        return PreparedNetworks().of(encoder.network)


@pytest.mark.parametrize("lengths", [(64, 64), (64, 61, 7), (63,), (5, 2), (96, 0)], ids=str)
def test_it_reads_as_the_network_does(checkpoint, lengths):
    tokens = some_tokens(*lengths)
    with torch.no_grad():
        expected, found = checkpoint.encoder.network(tokens), prepared_of(checkpoint.encoder).read(tokens)
    for name in ("base", "stem", "bases", "regions", "features"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), rtol=1e-5, atol=1e-5)
    weight = pool_weights(tokens, None)
    torch.testing.assert_close(found.pooled(weight), (expected.features * weight).sum(1), rtol=0, atol=1e-5)


def test_bfloat16_is_as_near_to_float32_as_autocast_is(checkpoint):
    tokens = some_tokens(96, 96, 50, seed=3)
    with torch.no_grad():
        exact = checkpoint.encoder.network(tokens).features
        with torch.autocast("cpu", torch.bfloat16):
            usual, prepared = checkpoint.encoder.network(tokens), prepared_of(checkpoint.encoder)
            if prepared is None:
                pytest.skip("no products in bfloat16 here")
            found = prepared.read(tokens)
    assert found.features.dtype == torch.float32
    # Two roundings of the same size, of which one may by chance be the smaller one.
    assert (found.features - exact).norm() < 1.5 * (usual.features.float() - exact).norm()


def test_every_change_of_weights_is_seen(checkpoint):
    tokens, encoder = some_tokens(40), checkpoint.encoder
    with torch.no_grad():
        before = encoder.embed(tokens)
        encoder.network.blocks[1].expand.weight.mul_(1.5)
        changed = encoder.embed(tokens)
        assert not torch.allclose(changed, before, atol=1e-4)
        encoder.load_state_dict(random_checkpoint(SHAPE, seed=9).encoder.state_dict(), assign=True)
        assert torch.equal(encoder.embed(tokens), random_checkpoint(SHAPE, seed=9).encoder.embed(tokens))


def test_weights_made_in_inference_mode_are_known_by_their_sum():
    with torch.inference_mode():
        encoder, tokens = random_checkpoint(SHAPE, seed=4).encoder, some_tokens(40)
        before = encoder.embed(tokens)
        encoder.network.up.weight.mul_(1.5)
        assert not torch.allclose(encoder.embed(tokens), before, atol=1e-4)


def test_adapters_are_added_up(checkpoint):
    adapted = AdaptedEncoder(checkpoint)
    adapted.new("one", LowRank(rank=2), seed=0)
    with torch.no_grad():
        for parameter in adapted.train_only("one"):
            parameter.normal_(std=0.1)
        tokens, network = some_tokens(40, 30), adapted.encoder.network
        found = prepared_of(adapted.encoder).read(tokens).features
        torch.testing.assert_close(found, network(tokens).features, rtol=1e-5, atol=1e-5)
        adapted.merge()
        merged = adapted.encoder.embed(tokens)
        adapted.unmerge()
        torch.testing.assert_close(adapted.encoder.embed(tokens), merged, rtol=1e-5, atol=1e-5)
        adapted.use()
        assert torch.equal(adapted.encoder.embed(tokens), checkpoint.encoder.embed(tokens))


def test_the_network_itself_is_read_where_gradients_or_hooks_want_it(checkpoint):
    network, tokens = checkpoint.encoder.network, some_tokens(40)
    assert PreparedNetworks().of(network) is None
    checkpoint.encoder.embed(tokens).sum().backward()
    assert network.up.weight.grad.abs().sum() > 0
    seen = []
    hook = network.blocks[0].register_forward_hook(lambda *_: seen.append(1))
    with torch.no_grad():
        checkpoint.encoder.embed(tokens)
        assert len(seen) == 2
        hook.remove()
        checkpoint.encoder.embed(tokens)
    assert len(seen) == 2


def through_bytes(encoder: BudwoodEncoder) -> BudwoodEncoder:
    return pickle.loads(pickle.dumps(encoder))  # noqa: S301, as a worker of Ray receives it


@pytest.mark.parametrize("again", [copy.deepcopy, through_bytes])
def test_a_copy_of_an_encoder_that_was_read_reads_the_same(checkpoint, again):
    tokens = some_tokens(40)
    with torch.no_grad():
        expected = checkpoint.encoder.embed(tokens)
        assert torch.equal(again(checkpoint.encoder).embed(tokens), expected)


def test_a_group_holds_a_few_windows_unless_gradients_need_the_batch(checkpoint):
    tokens = torch.zeros(9, 512, dtype=torch.long)
    assert len(list(pieces(tokens))) == 1
    with torch.no_grad():
        assert [len(each) for each in pieces(tokens)] == [4, 4, 1]
        assert torch.equal(
            checkpoint.encoder.read_regions(tokens[:5]), checkpoint.encoder(tokens[:5]).regions
        )


def test_columns_of_padding_alone_are_not_read(checkpoint, monkeypatch):
    encoder, seen = checkpoint.encoder, []
    read = type(prepared_of(encoder)).read

    def noted(self, tokens, **words):
        seen.append(tokens.shape)
        return read(self, tokens, **words)

    monkeypatch.setattr(type(prepared_of(encoder)), "read", noted)
    tokens = some_tokens(40, 23)
    wide = torch.nn.functional.pad(tokens, (100, 300), value=PAD)
    with torch.no_grad():
        torch.testing.assert_close(encoder.embed(wide), encoder.embed(tokens), rtol=0, atol=1e-6)
    assert seen == [(4, 64), (4, 40)]
