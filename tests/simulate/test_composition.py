import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.simulate.composition import Composition, plant_composition


def triplets(composition: Composition) -> np.ndarray:
    """Probability of every triplet, (4, 4, 4)."""
    return (composition.stationary[:, None] * composition.transition).reshape(4, 4, 4)


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 0.9))
def test_share_of_gc_and_strand_symmetry(gc: float) -> None:
    composition = plant_composition(gc)
    probability = triplets(composition)
    assert probability.sum() == pytest.approx(1)
    assert composition.gc == pytest.approx(gc, abs=1e-9)
    reverse_complement = probability[::-1, ::-1, ::-1].transpose(2, 1, 0)
    np.testing.assert_allclose(probability, reverse_complement, atol=1e-12)
    # Stationary: the pairs that begin triplets are the pairs that end them.
    np.testing.assert_allclose(probability.sum(axis=0), probability.sum(axis=2), atol=1e-12)


def test_a_sequence_follows_the_chain() -> None:
    composition = plant_composition(0.36)
    codes = composition.sequence(np.random.default_rng(1), 200_000).astype(int)
    seen = np.bincount(codes[:-2] * 16 + codes[1:-1] * 4 + codes[2:], minlength=64) / (len(codes) - 2)
    np.testing.assert_allclose(seen, triplets(composition).ravel(), atol=0.0025)
    share = np.bincount(codes, minlength=4) / len(codes)
    pairs = np.bincount(codes[:-1] * 4 + codes[1:], minlength=16).reshape(4, 4) / (len(codes) - 1)
    assert pairs[1, 2] < 0.85 * share[1] * share[2], "CpG is rare in methylated DNA"
    assert pairs[0, 0] > 1.1 * share[0] ** 2


@pytest.mark.parametrize("gc", [0.0, 1.0, float("nan")])
def test_an_impossible_share_is_refused(gc: float) -> None:
    with pytest.raises(BudwoodError, match="GC share"):
        plant_composition(gc)
