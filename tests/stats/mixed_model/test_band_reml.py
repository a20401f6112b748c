"""The band finds what an eigendecomposition and average information find."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.stats.mixed_model import band_reml as module
from budwood.stats.mixed_model.average_information import average_information_reml
from budwood.stats.mixed_model.band_reml import BandReml, columns_reml, kernel_reml
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.spectral_reml import SpectralReml, spectral_reml

N = 240


@pytest.fixture(autouse=True)
def _band_of_few_records(monkeypatch) -> None:
    monkeypatch.setattr(module, "BAND_RECORDS", 100)


def _records(share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((N, 150))
    genetic = features @ rng.standard_normal(150) / 150**0.5
    return features @ features.T / 150, share**0.5 * genetic + (1 - share) ** 0.5 * rng.standard_normal(N)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_estimates_are_those_of_the_spectrum(share, weighted) -> None:
    kernel, y = _records(share)
    rng = np.random.default_rng(1)
    design = whitened_design(N)
    if weighted:
        design = whitened_design(N, np.column_stack([np.ones(N), y > 0]), rng.uniform(0.5, 2.0, N))
    band, spectrum = kernel_reml(kernel, design), spectral_reml(kernel, design)
    assert isinstance(band, BandReml)
    for found, expected in ((band.fit(y), spectrum.fit(y)), (band.average(y), spectrum.average(y))):
        np.testing.assert_allclose(found.kernels, expected.kernels, rtol=1e-8)
        np.testing.assert_allclose(found.residual, expected.residual, rtol=1e-8)
        np.testing.assert_allclose(found.log_likelihood, expected.log_likelihood, atol=1e-8)
    single = kernel_reml(kernel, design, single=True)
    assert not single.unresolved(y)
    np.testing.assert_allclose(single.fit(y).log_likelihood, spectrum.fit(y).log_likelihood, atol=1e-3)


def test_records_without_error_are_left_to_double_precision() -> None:
    kernel, _ = _records(0.5)
    y = np.linalg.cholesky(kernel + 1e-6 * np.eye(N)) @ np.random.default_rng(2).standard_normal(N)
    single = kernel_reml(kernel, whitened_design(N), single=True)
    assert single.unresolved(y)
    assert not kernel_reml(kernel, whitened_design(N)).unresolved(y)


def test_what_the_band_cannot_judge_goes_to_the_spectrum() -> None:
    kernel, _ = _records(0.5)
    design = whitened_design(N)
    assert isinstance(kernel_reml(np.ones((N, N)), design), SpectralReml)
    with pytest.raises(BudwoodError, match="not positive semidefinite"):
        kernel_reml(kernel - 0.3 * np.eye(N), design)


@pytest.mark.parametrize("effect", [0.0, 0.1, 1.0])
def test_columns_have_the_variance_of_average_information(effect) -> None:
    kernel, y = _records(0.5)
    columns = np.random.default_rng(3).standard_normal((N, 3))
    y = y + effect * columns @ np.array([1.0, 0.3, -0.8])
    design = whitened_design(N, weights=np.random.default_rng(4).uniform(0.5, 2.0, N))
    found = columns_reml(kernel_reml(kernel, design), y, columns)
    expected = average_information_reml(y, [kernel, columns @ columns.T], design)
    np.testing.assert_allclose(found.log_likelihood, expected.log_likelihood, atol=1e-6)
    np.testing.assert_allclose(found.kernels, expected.kernels, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.residual, expected.residual, rtol=1e-4)
