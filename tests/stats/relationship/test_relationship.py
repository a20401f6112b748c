"""VanRaden's matrix against closed forms, R and the promise that only training rows teach."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.stats.relationship.relationship import (
    MarkerFilter,
    centre,
    centred_products,
    genomic_correlation,
    missing_squares,
    relationship,
    summarise_markers,
)

EVERY_MARKER = MarkerFilter(maximum_missing=1.0, minimum_frequency=0.0)


def _dosage(seed: int, n: int, m: int, ploidy: int = 2, missing: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    frequency = generator.uniform(0.1, 0.9, m)
    dosage = generator.binomial(ploidy, frequency, (n, m)).astype(np.int8)
    dosage[generator.random((n, m)) < missing] = -1
    return dosage


def _ploidy(n: int, ploidy: int = 2) -> np.ndarray:
    return np.full(n, ploidy, dtype=np.int8)


@pytest.mark.parametrize("ploidy", [1, 2, 4, 6])
def test_equals_the_textbook_formula_at_any_ploidy(ploidy: int) -> None:
    dosage = _dosage(1, 30, 5000, ploidy)
    p = dosage.mean(axis=0) / ploidy
    z = dosage - ploidy * p
    expected = z @ z.T / (ploidy * np.sum(p * (1 - p)))
    np.testing.assert_allclose(
        relationship(dosage, _ploidy(30, ploidy), keep=EVERY_MARKER), expected, atol=1e-10
    )


def test_tetraploid_written_as_doubled_diploid_has_the_same_relatives_in_a_mixed_panel() -> None:
    dosage = _dosage(2, 20, 800)
    ploidy = _ploidy(20)
    dosage[10:] = dosage[:10] * 2
    ploidy[10:] = 4
    mixed = relationship(dosage, ploidy)
    np.testing.assert_allclose(mixed[:10, :10], mixed[10:, 10:])
    np.testing.assert_allclose(mixed[:10, :10], mixed[:10, 10:])


def test_missing_is_the_training_mean_of_unknown_size_and_fractions_are_read() -> None:
    dosage = _dosage(3, 25, 400, missing=0.1)
    training = np.arange(22)
    filled = dosage.astype(np.float64)
    filled[dosage < 0] = np.nan
    means = np.nanmean(filled[training], axis=0)
    unknown = np.isnan(filled) @ (np.nanvar(filled[training], axis=0) / 2)
    filled = np.where(np.isnan(filled), means, filled)
    z = filled - means
    p = means / 2
    scale = np.sum(p * (1 - p))
    expected = z @ z.T / (2 * scale) + np.diag(unknown / scale)
    found = relationship(dosage, _ploidy(25), training, EVERY_MARKER)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    fractional = np.where(dosage < 0, np.nan, dosage).astype(np.float32)
    np.testing.assert_allclose(
        relationship(fractional, _ploidy(25), training, EVERY_MARKER), found, atol=1e-12
    )


@given(seed=st.integers(0, 10_000), training=st.integers(3, 12))
def test_a_candidate_has_the_same_relationships_alone_and_in_any_batch(seed: int, training: int) -> None:
    dosage = _dosage(seed, 20, 60, missing=0.1)
    rows = np.arange(training)
    together = relationship(dosage, _ploidy(20), rows)
    alone = relationship(dosage[[*rows, 19]], _ploidy(training + 1), rows)
    np.testing.assert_allclose(alone[-1, :-1], together[19, :training], atol=1e-12)
    np.testing.assert_allclose(alone[:-1, :-1], together[:training, :training], atol=1e-12)


def test_filter_counts_on_training_rows_only() -> None:
    dosage = np.ones((100, 5), dtype=np.int8)
    dosage[:50, 0] = 2  # varies
    dosage[:10, 1] = 0  # varies
    dosage[:40, 2] = -1  # too much missing in training
    dosage[3, 2] = 0
    dosage[:, 3] = 0
    dosage[0, 3] = 1  # 1 of 100 alleles in training
    dosage[50:, 4] = 2  # varies outside training only
    summary = summarise_markers(dosage, _ploidy(100), np.arange(50), MarkerFilter(0.6, 0.02))
    assert summary.kept.tolist() == [False, True, False, False, False]
    summary = summarise_markers(dosage, _ploidy(100), None, MarkerFilter(0.6, 0.02))
    assert summary.kept.tolist() == [True, True, True, False, True]


def test_no_marker_left_is_one_sentence() -> None:
    with pytest.raises(BudwoodError, match="none of the 3 markers varies enough among the 4 training"):
        relationship(np.ones((4, 3), dtype=np.int8), _ploidy(4))


def test_products_and_centred_rows_agree() -> None:
    dosage = _dosage(4, 12, 300, 4, missing=0.05)
    summary = summarise_markers(dosage, _ploidy(12, 4), np.arange(8))
    z = centre(dosage, _ploidy(12, 4), summary)
    products = centred_products(dosage, _ploidy(12, 4), summary)
    unknown = missing_squares(dosage, summary)
    np.testing.assert_allclose(products.products, z @ z.T + np.diag(unknown), atol=1e-10)
    # Two lines are further apart by what is unknown of either.
    expected = ((z[:, None, :] - z[None, :, :]) ** 2).sum(axis=2) + unknown[:, None] + unknown
    np.fill_diagonal(expected, 0.0)
    expected /= summary.scale
    np.testing.assert_allclose(products.squared_distances(), expected, atol=1e-10)


def test_weights_are_those_of_the_formula_and_their_unit_does_not_matter() -> None:
    dosage = _dosage(6, 15, 5000)
    weight = np.random.default_rng(6).exponential(size=5000)
    weight[::7] = 0.0
    training = np.arange(11)
    p = dosage[training].mean(axis=0) / 2
    z = dosage - 2 * p
    weight[dosage[training].var(axis=0) == 0.0] = 0.0
    expected = (z * weight) @ z.T / np.sum(weight * 2 * p * (1 - p))
    summary = summarise_markers(dosage, _ploidy(15), training, EVERY_MARKER)
    found = centred_products(dosage, _ploidy(15), summary.weighted(weight)).relationship()
    np.testing.assert_allclose(found, expected, atol=1e-10)
    tenfold = centred_products(dosage, _ploidy(15), summary.weighted(10.0 * weight)).relationship()
    np.testing.assert_allclose(tenfold, expected, atol=1e-10)
    alike = centred_products(dosage, _ploidy(15), summary.weighted(np.full(5000, 3.0))).relationship()
    np.testing.assert_allclose(alike, relationship(dosage, _ploidy(15), training, EVERY_MARKER), atol=1e-10)


def test_weights_on_markers_that_do_not_vary_are_one_sentence() -> None:
    dosage = _dosage(7, 10, 30)
    dosage[:, 4] = 2
    with pytest.raises(BudwoodError, match="none of the 1 markers with a weight varies"):
        summarise_markers(dosage, _ploidy(10)).weighted(np.arange(30) == 4)


def test_correlation_is_bounded_and_survives_a_line_at_the_centre() -> None:
    kernel = relationship(_dosage(5, 10, 100), _ploidy(10))
    kernel[0] = kernel[:, 0] = 0.0
    found = genomic_correlation(kernel)
    assert found[0].tolist() == [0.0] * 10
    assert np.abs(found).max() <= 1.0
    np.testing.assert_allclose(np.diagonal(found)[1:], 1.0)


@pytest.mark.real
def test_equals_rrblup_without_shrinkage(real_data: Path) -> None:
    expected = pd.read_csv(real_data / "reference/wheat599_Amat_10x10.csv", index_col=0).to_numpy()
    dosage = np.load(real_data / "panels/wheat_cimmyt599/geno.npz")["dosage"]
    found = relationship(dosage, _ploidy(len(dosage)), keep=EVERY_MARKER)
    np.testing.assert_allclose(found[:10, :10], expected, rtol=1e-10)
