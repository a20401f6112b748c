"""Kernel models where few records put the genetic share at 0 or 1: no false certainty."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.mixed_model.boundary import genetic_share
from budwood.stats.mixed_model.reml import reml


def _panel(seed: int, n: int = 40, candidates: int = 40, noise: float = 0.7):
    generator = np.random.default_rng(seed)
    families = generator.uniform(0.05, 0.95, (4, 150))
    dosage = generator.binomial(2, families[generator.integers(0, 4, n + candidates)]).astype(np.int8)
    genetic = dosage @ generator.normal(size=150)
    genetic = (genetic - genetic.mean()) / genetic.std()
    names = [f"l{i:03d}" for i in range(n + candidates)]
    y = genetic + noise * generator.normal(size=n + candidates)
    return PanelKernels(Genotypes.from_matrix(names, dosage)), genetic, y


@pytest.mark.parametrize("model", [GBLUP, MULTI_KERNEL])
def test_standard_errors_are_as_large_as_errors_where_reml_finds_no_residual(model) -> None:
    squares, variances, found = [], [], 0
    for seed in range(60):
        kernels, genetic, y = _panel(seed)
        rows = np.arange(40)
        square = kernels.kernel(RELATIONSHIP, rows)[:40, :40]
        if genetic_share(reml(y[rows], [square]), [square]) < 0.99:
            continue
        found += 1
        fitted = model.fit(kernels, rows, y[rows])
        assert any("genetic share" in note for note in fitted.notes)
        forecast = fitted.predict(kernels.lines(rows, rows))
        assert forecast.reliability.max() < 0.99
        squares.append(np.mean((forecast.value - genetic[rows]) ** 2))
        variances.append(np.mean(forecast.standard_error**2))
    assert found >= 4
    assert 0.6 < np.sqrt(np.mean(squares) / np.mean(variances)) < 1.4


def test_a_trait_without_heritability_is_a_constant_with_honest_errors() -> None:
    kernels, _, _ = _panel(1)
    rows = np.arange(40)
    for seed in range(20):
        y = np.random.default_rng(seed).normal(size=40)
        fitted = GBLUP.fit(kernels, rows, y)
        if fitted.solved.components.kernels[0] == 0.0:
            break
    forecast = fitted.predict(kernels.lines(np.arange(80), rows))
    assert np.ptp(forecast.value) == 0.0
    assert (forecast.reliability == 0.0).all()
    # The mean of 40 values of variance 1 is known to 0.16; no genetic value is.
    assert forecast.standard_error.min() > 0.2
    assert "used for standard errors" in fitted.notes[0]


@pytest.mark.parametrize("name", ["gblup", "gaussian", "elastic-net"])
def test_the_interval_of_an_observation_is_no_narrower_than_that_of_the_genetic_value(name: str) -> None:
    for seed in range(4):
        kernels, _, y = _panel(seed, noise=0.3)
        rows = np.arange(40)
        forecast = model_named(name).fit(kernels, rows, y[rows]).predict(kernels.lines(np.arange(80), rows))
        half = 0.5 * (forecast.upper_90 - forecast.lower_90)
        assert (half >= 1.6448 * forecast.standard_error * (1.0 - 1e-9)).all()


def test_an_estimate_inside_is_taken_as_it_is() -> None:
    kernels, _, y = _panel(2, n=70, candidates=10)
    rows = np.arange(70)
    square = kernels.kernel(RELATIONSHIP, rows)[:70, :70]
    estimate = reml(y[rows], [square])
    assert 0.05 < genetic_share(estimate, [square]) < 0.95
    fitted = GBLUP.fit(kernels, rows, y[rows])
    assert fitted.solved.components.kernels == pytest.approx(estimate.kernels, rel=1e-6)
    assert fitted.notes == ()
