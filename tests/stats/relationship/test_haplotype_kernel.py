"""The haplotype kernel against features written out accession by accession."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.stats.relationship import haplotype_kernel as module
from budwood.stats.relationship.haplotype_kernel import haplotype_features, haplotype_kernel


def random_table(seed: int, n: int = 9, ploidy: int = 3, mixed: bool = True, size: int = 6):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, size=7)
    sizes[0] = 3
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    codes = np.stack([rng.integers(0, h, size=(n, ploidy)) for h in sizes], axis=1).astype(np.uint8)
    codes[:2, 0, 0] = 0, 1
    if mixed:
        copies = rng.integers(1, ploidy + 1, size=n)
        codes[np.arange(ploidy)[None, None, :] >= copies[:, None, None].repeat(7, axis=1)] = 255
    # Differences a thousandth of the vectors themselves, as between alleles.
    base = np.repeat(rng.standard_normal((7, size)), sizes, axis=0)
    vectors = (base + 1e-3 * rng.standard_normal((offsets[-1], size))).astype(np.float32)
    return codes, offsets, vectors


def features_written_out(codes, offsets, vectors) -> np.ndarray:
    n, n_windows, ploidy = codes.shape
    features = np.zeros((n, n_windows, vectors.shape[1]))
    for i in range(n):
        for w in range(n_windows):
            own = [codes[i, w, c] for c in range(ploidy) if codes[i, w, c] != 255]
            features[i, w] = np.mean([vectors[offsets[w] + int(c)].astype(float) for c in own], axis=0)
    return features


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 6, 40]), st.booleans())
def test_kernel_equals_explicit_features(seed: int, size: int, mixed: bool) -> None:
    codes, offsets, vectors = random_table(seed, mixed=mixed, size=size)
    training = np.arange(9) < 6
    flat = features_written_out(codes, offsets, vectors).reshape(9, -1)
    flat -= flat[training].mean(axis=0)
    expected = flat @ flat.T
    expected /= np.diagonal(expected)[training].mean()
    found = haplotype_kernel(codes, offsets, vectors, training=training)
    np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_array_equal(found, found.T)
    assert np.linalg.eigvalsh(found).min() > -1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_features_equal_the_mean_written_out(seed: int) -> None:
    codes, offsets, vectors = random_table(seed)
    expected = features_written_out(codes, offsets, vectors).mean(axis=1)
    np.testing.assert_allclose(haplotype_features(codes, offsets, vectors), expected, rtol=1e-12, atol=1e-12)


def test_blocks_of_windows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = random_table(3)
    kernel, features = haplotype_kernel(*table), haplotype_features(*table)
    monkeypatch.setattr(module, "_BLOCK", 60)
    assert len(list(module._blocks(table[1], 9))) > 3
    np.testing.assert_allclose(haplotype_kernel(*table), kernel, atol=1e-12)
    np.testing.assert_allclose(haplotype_features(*table), features, rtol=1e-13)


def test_one_line_alone_equals_the_line_in_a_batch() -> None:
    codes, offsets, vectors = random_table(5)
    training = np.arange(9) < 5
    batch = haplotype_kernel(codes, offsets, vectors, training=training)
    for line in range(5, 9):
        rows = np.array([0, 1, 2, 3, 4, line])
        alone = haplotype_kernel(codes[rows], offsets, vectors, training=training[rows])
        np.testing.assert_allclose(alone, batch[np.ix_(rows, rows)], atol=1e-12)


def test_kernel_does_not_depend_on_units_origin_or_order_of_copies() -> None:
    codes, offsets, vectors = random_table(7, mixed=False)
    kernel = haplotype_kernel(codes, offsets, vectors)
    np.testing.assert_allclose(haplotype_kernel(codes[:, :, ::-1], offsets, vectors), kernel, atol=1e-12)
    np.testing.assert_allclose(haplotype_kernel(codes, offsets, vectors * 4), kernel, atol=1e-12)
    doubled = np.concatenate([codes, codes], axis=2)
    np.testing.assert_allclose(haplotype_kernel(doubled, offsets, vectors), kernel, atol=1e-12)
    order = np.random.default_rng(0).permutation(9)
    np.testing.assert_allclose(
        haplotype_kernel(codes[order], offsets, vectors), kernel[np.ix_(order, order)], atol=1e-12
    )


def test_weights_scale_each_window() -> None:
    codes, offsets, vectors = random_table(11)
    only_first = haplotype_kernel(codes[:, :1], offsets[:2], vectors[: offsets[1]])
    weights = np.zeros(7)
    weights[0] = 0.3
    np.testing.assert_allclose(
        haplotype_kernel(codes, offsets, vectors, weights=weights), only_first, atol=1e-12
    )
    scaled = vectors.astype(np.float64)
    scaled[: offsets[1]] *= 3
    weights = np.ones(7)
    weights[0] = 9.0
    np.testing.assert_allclose(
        haplotype_kernel(codes, offsets, vectors, weights=weights),
        haplotype_kernel(codes, offsets, scaled),
        atol=1e-12,
    )


def test_what_cannot_be_a_kernel_is_refused() -> None:
    codes, offsets, vectors = random_table(13)
    with pytest.raises(BudwoodError, match="same sequence"):
        haplotype_kernel(np.zeros_like(codes), offsets, vectors)
    with pytest.raises(BudwoodError, match="belong together"):
        haplotype_kernel(codes, offsets, vectors[:-1])
    with pytest.raises(BudwoodError, match="not numbers"):
        haplotype_kernel(codes, offsets, np.full_like(vectors, np.nan))
    with pytest.raises(BudwoodError, match="training rows"):
        haplotype_kernel(codes, offsets, vectors, training=np.zeros(9, dtype=bool))
    with pytest.raises(BudwoodError, match="window weights"):
        haplotype_kernel(codes, offsets, vectors, weights=np.full(7, -1.0))
