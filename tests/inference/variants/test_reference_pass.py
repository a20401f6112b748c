"""Windows of the reference: every base in one that sees around it, read once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N
from budwood.inference.variants.reference_pass import OVERLAP, ReferencePass
from budwood.model.checkpoint import Checkpoint


@pytest.mark.parametrize("length", [1, 63, 511, 512, 513, 960, 961, 1024, 1500])
def test_every_base_lies_in_its_window_and_away_from_its_ends(length: int, encoder: Checkpoint) -> None:
    reader = ReferencePass(InMemoryAssembly({"x": "A" * length}), encoder, window=512)
    for position in {*range(0, length, 7), length - 1}:
        number = reader.window_of("x", position)
        (start,), _ = reader.codes_of([("x", number)])
        assert 0 <= number < reader.windows("x")
        end = min(start + 512, length)
        assert start <= position < end
        assert position - start >= min(OVERLAP // 2, position)
        assert end - position >= min(OVERLAP // 2, length - position)
    assert reader.counts.tolist() == [reader.windows("x")]


def test_a_stretch_is_read_as_the_windows_it_lies_in(genome: InMemoryAssembly, encoder: Checkpoint) -> None:
    reader = ReferencePass(genome, encoder, window=512)
    codes, regions = reader.stretch("c", -3, 1503)
    assert (codes[:3] == N).all()
    assert (codes[-3:] == N).all()
    np.testing.assert_array_equal(codes[3:-3], genome.sequence(Interval("c", 0, 1500)))
    for position in (0, 479, 480, 481, 1000, 1499):
        number = reader.window_of("c", position)
        (start,), window = reader.codes_of([("c", number)])
        with torch.inference_mode():
            read = encoder.encoder(torch.from_numpy(window.astype(np.int64))).regions.softmax(-1)[0]
        np.testing.assert_allclose(regions[3 + position], read[position - start], atol=1e-5)


def test_a_window_is_read_once(genome: InMemoryAssembly, encoder: Checkpoint) -> None:
    reader = ReferencePass(genome, encoder, window=512)
    read: list[int] = []
    reader.read([("a", 0), ("a", 1)], read.append)
    reader.read([("a", 1), ("a", 2)], read.append)
    assert sum(read) == 3


def test_broken_weights_are_refused(genome: InMemoryAssembly, encoder: Checkpoint) -> None:
    head = encoder.encoder.network.region_head.bias
    before = head.detach().clone()
    with torch.no_grad():
        head[0] = float("nan")
    try:
        with pytest.raises(BudwoodError, match="not finite"):
            ReferencePass(genome, encoder).read([("a", 0)])
    finally:
        with torch.no_grad():
            head.copy_(before)
