"""Kernels come from training rows and are shared between models."""

import numpy as np
import pytest

from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.uncertainty.inner_folds import TrainingKernels
from budwood.stats.relationship.gaussian import gaussian_kernel
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel
from budwood.stats.relationship.kernel_scaling import kernel_spread, recentred
from budwood.stats.relationship.relationship import centred_products, relationship, summarise_markers

TRAINING = np.arange(5, 40)


def test_kernels_by_name(panel) -> None:
    genotypes = panel.genotypes
    predictors = PanelKernels(genotypes)
    expected = relationship(genotypes.dosage, genotypes.ploidy, TRAINING)
    np.testing.assert_allclose(predictors.kernel("relationship", TRAINING), expected)
    products = centred_products(
        genotypes.dosage, genotypes.ploidy, summarise_markers(genotypes.dosage, genotypes.ploidy, TRAINING)
    )
    squared = products.squared_distances()
    np.testing.assert_allclose(
        predictors.kernel("gaussian:0.5", TRAINING), gaussian_kernel(squared, 0.5, TRAINING)
    )
    with pytest.raises(ValueError, match="no kernel 'embedding'"):
        predictors.kernel("embedding", TRAINING)
    features = predictors.markers(TRAINING)
    np.testing.assert_allclose(features @ features.T, products.products, atol=1e-9)
    np.testing.assert_allclose(features[TRAINING].mean(axis=0), 0.0, atol=1e-12)


def test_embedding_kernel_is_that_of_the_training_rows(panel) -> None:
    table = panel.haplotypes
    gram = haplotype_kernel(table.codes, table.offsets, panel.vectors)
    predictors = PanelKernels(panel.genotypes, {"embedding": gram})
    mask = np.isin(np.arange(80), TRAINING)
    expected = haplotype_kernel(table.codes, table.offsets, panel.vectors, training=mask)
    np.testing.assert_allclose(predictors.kernel("embedding", TRAINING), expected, atol=1e-9)
    rows = np.array([*TRAINING, 60])
    chosen = predictors.take(rows).kernel("embedding", np.arange(len(TRAINING)))
    np.testing.assert_allclose(chosen, expected[np.ix_(rows, rows)], atol=1e-9)


def test_further_kernels_are_named_and_each_name_gives_one(panel) -> None:
    table, genotypes = panel.haplotypes, panel.genotypes
    gram = haplotype_kernel(table.codes, table.offsets, panel.vectors)
    half = np.arange(len(genotypes.markers)) % 2 == 0
    weights = {"function": 1.0 + half, "subgenome:A": half.astype(float)}
    predictors = PanelKernels(genotypes, {"embedding": gram}, weights)
    assert PanelKernels(genotypes).further_kernels == ()
    assert predictors.further_kernels == ("embedding", "function", "subgenome:A")
    assert predictors.take(np.arange(60)).further_kernels == predictors.further_kernels
    assert TrainingKernels(predictors, TRAINING).further_kernels == predictors.further_kernels
    for name in predictors.further_kernels:
        assert predictors.kernel(name, TRAINING).shape == (80, 80)
    expected = relationship(genotypes.dosage[:, half], genotypes.ploidy, TRAINING)
    np.testing.assert_allclose(predictors.kernel("subgenome:A", TRAINING), expected)
    inner = TrainingKernels(predictors, TRAINING).kernel("subgenome:A", np.arange(len(TRAINING)))
    square = predictors.kernel("subgenome:A", TRAINING)[np.ix_(TRAINING, TRAINING)]
    np.testing.assert_allclose(inner, recentred(square, np.arange(len(TRAINING))))


def test_another_training_set_is_another_kernel(panel) -> None:
    predictors = PanelKernels(panel.genotypes)
    first = predictors.kernel("relationship", np.arange(40))
    second = predictors.kernel("relationship", np.arange(40, 80))
    assert np.abs(first - second).max() > 0.01
    again = predictors.kernel("relationship", np.arange(40))
    np.testing.assert_allclose(again, first, rtol=0, atol=1e-12)


class Clock:
    """Seconds that pass when something takes them, and not otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("budwood.prediction.kernels.cache.perf_counter", lambda: self.now)

    def take(self, seconds: float) -> None:
        self.now += seconds


def test_a_lap_counts_what_the_model_alone_would_need(panel, monkeypatch) -> None:
    clock, make = Clock(monkeypatch), PanelKernels._relationship

    def slow(kernels: PanelKernels, training: np.ndarray) -> np.ndarray:
        clock.take(2.0)
        return make(kernels, training)

    monkeypatch.setattr(PanelKernels, "_relationship", slow)
    predictors = PanelKernels(panel.genotypes)
    predictors.lap()
    predictors.kernel("relationship", TRAINING)
    first = predictors.lap()
    predictors.kernel("relationship", TRAINING)
    assert [first, predictors.lap(), predictors.lap()] == [2.0, 2.0, 0.0]


def test_a_lap_counts_what_rests_on_other_values_once(panel, monkeypatch) -> None:
    clock, slow = Clock(monkeypatch), []
    predictors = PanelKernels(panel.genotypes)

    def make() -> int:
        clock.take(3.0)
        slow.append(3.0)
        return len(slow)

    def ask(values: np.ndarray) -> int:
        return predictors.recall_for("fit", TRAINING, (values, None), make)

    predictors.lap()
    assert [ask(np.zeros(3)), ask(np.zeros(3))] == [1, 1]
    assert predictors.lap() == 3.0
    assert [ask(np.ones(3)), ask(np.ones(3))] == [2, 2]
    assert predictors.lap() == 3.0
    assert ask(np.ones(3)) == 2
    assert predictors.lap() == 3.0
    assert ask(np.zeros(3)) == 3
    assert predictors.lap() == 3.0


def test_a_spread_is_that_of_the_kernel(panel) -> None:
    predictors = PanelKernels(panel.genotypes)
    for name in ("relationship", "gaussian:0.5"):
        kernel = predictors.training_kernel(name, TRAINING)
        assert predictors.spread(name, TRAINING) == kernel_spread(kernel)
