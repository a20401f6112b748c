"""Kernel models: the mixed model with kernels made from the training rows."""

import numpy as np
import pytest

from budwood.prediction.kernels import kernel_model
from budwood.prediction.kernels.kernel_model import BANDWIDTHS, GAUSSIAN_KERNEL, GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.mixed_model import band_reml
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml

TRAINING = np.arange(0, 60)
CANDIDATES = np.arange(60, 80)


def _y(panel) -> np.ndarray:
    return np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])


def test_gblup_is_the_mixed_model_on_the_training_kernel(panel) -> None:
    predictors, y = PanelKernels(panel.genotypes), _y(panel)
    weights = np.linspace(0.5, 2.0, 60)
    fitted = GBLUP.fit(predictors, TRAINING, y, weights)
    kernel = predictors.kernel("relationship", TRAINING)
    components = reml(y, [kernel[:60, :60]], weights=weights)
    expected = blup(y, [kernel[:60, :60]], components, weights=weights).predict(
        [kernel[60:, :60]], [np.diagonal(kernel)[60:]]
    )
    found = fitted.predict(predictors.lines(CANDIDATES, TRAINING))
    np.testing.assert_allclose(found.value, expected.value)
    np.testing.assert_allclose(found.standard_error, np.sqrt(expected.pev_value))
    np.testing.assert_allclose(found.reliability, expected.reliability)
    assert ((found.upper_90 - found.lower_90) > 2 * 1.645 * found.standard_error).all()


@pytest.mark.parametrize("noise", [1.0, 0.0])
def test_many_records_have_the_same_variances_in_single_precision(panel, monkeypatch, noise) -> None:
    """Six digits where some of the variance is residual, those of double precision where hardly any is."""
    generator = np.random.default_rng(3)
    kernel = PanelKernels(panel.genotypes).training_kernel("relationship", TRAINING)
    genetic = kernel @ generator.standard_normal(60)
    y = genetic / genetic.std() + noise * generator.standard_normal(60)
    monkeypatch.setattr(band_reml, "BAND_RECORDS", 20)
    exact = GBLUP.fit(PanelKernels(panel.genotypes), TRAINING, y).solved.components
    monkeypatch.setattr(kernel_model, "COMPARED", 50)
    found = GBLUP.fit(PanelKernels(panel.genotypes), TRAINING, y).solved.components
    tolerance = 1e-5 if noise else 0.0
    np.testing.assert_allclose(found.kernels, exact.kernels, rtol=tolerance)
    np.testing.assert_allclose(found.residual, exact.residual, rtol=tolerance)
    assert (found != exact) == bool(noise)


def test_rows_do_not_influence_one_another(panel) -> None:
    y = _y(panel)
    kernels = PanelKernels(panel.genotypes)
    together = GBLUP.fit(kernels, TRAINING, y).predict(kernels.lines(CANDIDATES, TRAINING))
    for candidate in (60, 79):
        alone = PanelKernels(panel.genotypes.take([*TRAINING, candidate]))
        forecast = GBLUP.fit(alone, TRAINING, y).predict(alone.lines(np.array([60]), TRAINING))
        for field in ("value", "standard_error", "reliability", "lower_90", "upper_90"):
            expected = getattr(together, field)[candidate - 60]
            assert getattr(forecast, field)[0] == pytest.approx(expected, abs=1e-9)


def test_the_likelihood_chooses_among_alternatives(panel) -> None:
    predictors, y = PanelKernels(panel.genotypes), _y(panel)
    chosen = GAUSSIAN_KERNEL.fit(predictors, TRAINING, y)
    each = [
        KernelModel("one", ((f"gaussian:{b:g}",),)).fit(predictors, TRAINING, y).solved.components
        for b in BANDWIDTHS
    ]
    assert chosen.solved.components.log_likelihood == max(c.log_likelihood for c in each)


def test_shares_add_up_and_are_named_by_kind(panel) -> None:
    both = KernelModel("both", (("relationship", "gaussian:0.5"),))
    shares = both.fit(PanelKernels(panel.genotypes), TRAINING, _y(panel)).variance_shares
    assert list(shares) == ["relationship", "gaussian", "residual"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0.0


def test_intervals_cover_new_records_of_the_simulated_model(panel) -> None:
    """Over many simulated traits, nine in ten new phenotypes of candidates fall inside."""
    predictors = PanelKernels(panel.genotypes)
    kernel = predictors.kernel("relationship", TRAINING)
    root = np.linalg.cholesky(kernel + 1e-8 * np.eye(80))
    generator = np.random.default_rng(2)
    inside = []
    for _ in range(60):
        records = root @ generator.standard_normal(80) + 0.7 * generator.standard_normal(80)
        forecast = GBLUP.fit(predictors, TRAINING, records[:60]).predict(
            predictors.lines(CANDIDATES, TRAINING)
        )
        inside.append((forecast.lower_90 <= records[60:]) & (records[60:] <= forecast.upper_90))
    assert 0.86 <= np.mean(inside) <= 0.94
