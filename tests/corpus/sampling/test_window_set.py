"""A fixed set of windows: all of it, equally often, as a function of seed and number."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.corpus.sampling.window_set import WindowSet
from budwood.errors import BudwoodError
from budwood.genomics.sequence import reverse_complement

CODES = np.random.default_rng(0).integers(0, 4, size=(10, 32)).astype(np.uint8)
SPECIES = np.arange(10)


def test_a_batch_depends_on_seed_and_number_alone():
    first, again = (WindowSet(CODES, SPECIES, seed=1) for _ in range(2))
    first.batch(0, 4)
    for one, other in zip(vars(first.batch(3, 4)).values(), vars(again.batch(3, 4)).values(), strict=True):
        assert np.array_equal(one, other)
    other = WindowSet(CODES, SPECIES, seed=2)
    assert not np.array_equal(first.batch(3, 4).species, other.batch(3, 4).species)


@pytest.mark.parametrize("size", [1, 3, 4, 20])
def test_every_window_comes_up_equally_often(size):
    windows = WindowSet(CODES, SPECIES, seed=5)
    drawn = np.concatenate([windows.batch(number, size).species for number in range(60 // size)])
    assert (np.bincount(drawn, minlength=10) == len(drawn) // 10).all()


def test_windows_come_on_either_strand_with_their_mask():
    repeat = np.zeros(CODES.shape, dtype=np.bool_)
    repeat[:, :5] = True
    batch = WindowSet(CODES, SPECIES, repeat=repeat, seed=3).batch(0, 40)
    seen = set()
    for codes, mask, row in zip(batch.codes, batch.repeat, batch.species, strict=True):
        turned = not np.array_equal(codes, CODES[row])
        assert np.array_equal(reverse_complement(codes) if turned else codes, CODES[row])
        assert np.array_equal(mask[::-1] if turned else mask, repeat[row])
        seen.add(turned)
    assert seen == {True, False}


def test_a_set_without_windows_is_reported():
    with pytest.raises(BudwoodError, match="no window"):
        WindowSet(CODES[:0], SPECIES[:0], seed=0)
