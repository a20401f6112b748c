"""k-mer models against ratios counted by hand, and under reverse complement."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.sequence import MASK, encode, reverse_complement
from budwood.probing.kmer_models import (
    KmerModel,
    both_strand_counts,
    combine_sides,
    fit_kmer_model,
    fit_pool_weights,
    logarithmic_pool,
)


def index_of(kmer: str) -> int:
    return int("".join(str("ACGT".index(letter)) for letter in kmer), 4)


@given(st.text("ACGTN", min_size=0, max_size=60), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_counts_are_those_of_a_plain_loop_over_both_strands(letters: str, k: int) -> None:
    turned = letters[::-1].translate(str.maketrans("ACGT", "TGCA"))
    expected = np.zeros(4**k, dtype=int)
    for strand in (letters, turned):
        for start in range(len(strand) - k + 1):
            kmer = strand[start : start + k]
            if "N" not in kmer:
                expected[index_of(kmer)] += 1
    assert (both_strand_counts([encode(letters)], k) == expected).all()


def test_long_sequences_are_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 5, 1000, dtype=np.uint8)
    whole = both_strand_counts([codes], 3)
    monkeypatch.setattr("budwood.corpus.masking.kmer_spectrum._PIECE", 64)
    assert (both_strand_counts([codes], 3) == whole).all()


def model(codes: np.ndarray, left: int, right: int, concentration: float) -> KmerModel:
    tables = tuple(both_strand_counts([codes], size) for size in range(1, left + right + 2))
    return KmerModel(tables, left, right, (concentration,) * (left + right))


def test_without_interpolation_the_chance_is_the_ratio_of_counts() -> None:
    codes = np.random.default_rng(1).integers(0, 4, 4000, dtype=np.uint8)
    asked = encode("ACGTA")[None]
    found = model(codes, 1, 1, 1e-9).probabilities(asked, np.array([0]), np.array([2]))
    counts = both_strand_counts([codes], 3)
    ratio = np.array([counts[index_of(f"C{letter}T")] for letter in "ACGT"])
    np.testing.assert_allclose(found[0], ratio / ratio.sum(), rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_the_letters_after_are_read_as_the_letters_before_on_the_other_strand(seed: int, reach: int) -> None:
    random = np.random.default_rng(seed)
    counted = random.integers(0, 4, 3000, dtype=np.uint8)
    windows = random.integers(0, 6, (8, 21), dtype=np.uint8)
    windows[:, 10] = MASK
    place = np.arange(8), np.full(8, 10)
    here = model(counted, reach, 0, 5.0).probabilities(windows, *place)
    there = model(counted, 0, reach, 5.0).probabilities(reverse_complement(windows), *place)
    np.testing.assert_allclose(here, there[:, ::-1])
    np.testing.assert_allclose(here.sum(1), 1)


def test_hidden_neighbours_shorten_the_context() -> None:
    codes = np.random.default_rng(2).integers(0, 4, 2000, dtype=np.uint8)
    far, near = encode("ACG#T")[None].copy(), encode("###" + "#T")[None]
    one = model(codes, 3, 0, 2.0)
    place = np.array([0]), np.array([3])
    near_probability = one.probabilities(near, *place)
    assert not np.allclose(one.probabilities(far, *place), near_probability)
    counts = both_strand_counts([codes], 1) + 1
    np.testing.assert_allclose(near_probability[0], counts / counts.sum())


def test_fitting_finds_what_only_a_long_context_tells() -> None:
    random = np.random.default_rng(3)
    # Every base is the complement of the one two before it, so that order 2 tells all and order 1 nothing.
    codes = np.empty(6000, dtype=np.uint8)
    codes[:2] = 0, 2
    codes[2:] = 0
    for place in range(2, len(codes)):
        codes[place] = 3 - codes[place - 2] if random.random() < 0.9 else random.integers(0, 4)
    windows = np.lib.stride_tricks.sliding_window_view(codes[4000:], 9)
    fitted = fit_kmer_model(both_strand_counts([codes[:4000]], 3), 2, 0, windows)
    hidden = windows.copy()
    hidden[:, 4] = MASK
    rows = np.arange(len(windows))
    found = fitted.probabilities(hidden, rows, np.full(len(rows), 4))
    assert (found.argmax(1) == windows[:, 4]).mean() > 0.85


def test_sides_join_as_independent_evidence() -> None:
    prior = np.array([0.4, 0.1, 0.1, 0.4])
    joined = combine_sides(prior[None], np.array([[0.7, 0.1, 0.1, 0.1]]), prior)
    np.testing.assert_allclose(joined, [[0.7, 0.1, 0.1, 0.1]])


def test_a_pool_trusts_the_model_that_knows() -> None:
    random = np.random.default_rng(4)
    truth = random.integers(0, 4, 4000)
    knows = np.full((4000, 4), 0.1)
    knows[np.arange(4000), np.where(random.random(4000) < 0.7, truth, (truth + 1) % 4)] = 0.7
    guesses = random.dirichlet(np.ones(4), 4000)
    weights = fit_pool_weights([knows, guesses], truth)
    assert weights[1] < 0.05 * weights[0]
    both, alone = (
        -np.log(p[np.arange(4000), truth]).mean()
        for p in (logarithmic_pool([knows, guesses], weights), knows)
    )
    assert both < alone


def test_what_cannot_be_fitted_is_reported() -> None:
    counts = both_strand_counts([encode("ACGTACGT")], 3)
    with pytest.raises(BudwoodError, match="needs longer k-mers"):
        fit_kmer_model(counts, 2, 1, np.zeros((4, 9), dtype=np.uint8))
    with pytest.raises(BudwoodError, match="known bases all around"):
        fit_kmer_model(counts, 1, 1, np.full((4, 9), 4, dtype=np.uint8))
