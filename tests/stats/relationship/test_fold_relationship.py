"""One Gram matrix for all folds gives what each fold gives by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.stats.relationship.fold_relationship import FoldRelationship
from budwood.stats.relationship.relationship import centred_products, summarise_markers


def _panel(seed: int, n: int, m: int, missing: float, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Dosages with rare, constant, always heterozygous and often missing markers among them."""
    generator = np.random.default_rng(seed)
    ploidy = np.full(n, {"diploid": 2, "hexaploid": 6}.get(kind, 4), dtype=np.int8)
    if kind == "mixed":
        ploidy = generator.choice([2, 3, 4], n).astype(np.int8)
    frequency = generator.choice([0.0, 0.005, 0.01, 0.02, 0.3, 0.5, 0.97, 1.0], m)
    dosage = generator.binomial(ploidy[:, None], frequency).astype(np.int8)
    dosage[:, :2] = ploidy[:, None] // 2
    gone = generator.random((n, m)) < missing * generator.choice([0.2, 1.0, 8.0], m)
    if kind == "fractional":
        return np.where(gone, np.nan, np.clip(dosage + generator.normal(0.0, 0.1, (n, m)), 0.0, 4.0)), ploidy
    return np.where(gone, -1, dosage).astype(np.int8), ploidy


def _check(dosage: np.ndarray, ploidy: np.ndarray, trainings: list[np.ndarray]) -> None:
    folds = FoldRelationship(dosage, ploidy)
    for training in trainings:
        expected = summarise_markers(dosage, ploidy, training)
        found = folds.summary(training)
        np.testing.assert_array_equal(found.kept, expected.kept)
        np.testing.assert_allclose(found.frequency, expected.frequency, rtol=0, atol=1e-13)
        assert found.ploidy == expected.ploidy
        plain, products = centred_products(dosage, ploidy, expected), folds.products(found)
        size = np.abs(plain.products).max()
        np.testing.assert_allclose(products.products, plain.products, rtol=0, atol=1e-12 * size)
        np.testing.assert_array_equal(products.products, products.products.T)
        np.testing.assert_allclose(products.relationship(), plain.relationship(), rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", ["diploid", "tetraploid", "hexaploid", "mixed", "fractional"])
@pytest.mark.parametrize("missing", [0.0, 0.03, 0.3])
def test_equal_to_each_fold_by_itself(kind: str, missing: float) -> None:
    dosage, ploidy = _panel(1, 60, 5000, missing, kind)
    order = np.random.default_rng(2).permutation(60)
    folds = [np.sort(np.setdiff1d(np.arange(60), order[fold::4])) for fold in range(4)]
    _check(dosage, ploidy, [*folds, folds[0], np.arange(60), order[:20]])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(8, 30),
    missing=st.floats(0.0, 0.12),
    kind=st.sampled_from(["diploid", "mixed", "fractional"]),
)
def test_whatever_the_panel(seed: int, n: int, missing: float, kind: str) -> None:
    dosage, ploidy = _panel(seed, n, 60, missing, kind)
    generator = np.random.default_rng(seed)
    sizes = generator.integers(4, n, 3)
    _check(dosage, ploidy, [np.sort(generator.permutation(n)[:size]) for size in sizes])


def test_markers_that_only_some_folds_keep_are_added_and_taken_off() -> None:
    dosage, ploidy = _panel(3, 60, 400, 0.02, "diploid")
    trainings = [np.delete(np.arange(60), np.arange(fold, 60, 3)) for fold in range(3)]
    kept = [summarise_markers(dosage, ploidy, training).kept for training in trainings]
    every = summarise_markers(dosage, ploidy).kept
    assert any((each & ~every).any() for each in kept)
    assert any((~each & every).any() for each in kept)
    _check(dosage, ploidy, trainings)


def test_held_out_rows_change_nothing() -> None:
    dosage, ploidy = _panel(4, 40, 300, 0.05, "diploid")
    training, other = np.arange(30), np.arange(10, 40)
    changed = dosage.copy()
    changed[30:] = np.random.default_rng(0).integers(-1, 3, (10, 300))
    found = []
    for panel in (dosage, changed):
        folds = FoldRelationship(panel, ploidy)
        folds.summary(other)
        summary = folds.summary(training)
        found.append((summary.frequency, folds.products(summary).products[:30, :30]))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=0, atol=1e-11)


def test_a_fold_without_a_marker_is_a_sentence() -> None:
    dosage = np.zeros((8, 5), dtype=np.int8)
    dosage[:4] = 2
    folds = FoldRelationship(dosage, np.full(8, 2, dtype=np.int8))
    folds.summary(np.arange(2, 8))
    with pytest.raises(BudwoodError, match="none of the 5 markers varies enough among the 4 training"):
        folds.summary(np.arange(4))


def test_a_fold_may_keep_markers_where_all_rows_keep_none() -> None:
    dosage = np.full((10, 3), -1, dtype=np.int8)
    dosage[:4] = [[0, 1, 2], [1, 2, 0], [2, 0, 1], [1, 1, 1]]
    _check(dosage, np.full(10, 2, dtype=np.int8), [np.arange(6), np.arange(5), np.arange(4)])
