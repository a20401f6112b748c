"""REML against brute-force maximisation of the textbook likelihood, and at its boundaries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from budwood.errors import BudwoodError
from budwood.stats.mixed_model.average_information import average_information_reml
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.spectral_reml import spectral_reml


def _kernel(generator: np.random.Generator, n: int, rank: int) -> np.ndarray:
    factor = generator.standard_normal((n, rank))
    factor -= factor.mean(axis=0)
    return factor @ factor.T / rank


def _records(seed: int, variances: list[float], n: int = 60) -> tuple[np.ndarray, list[np.ndarray]]:
    generator = np.random.default_rng(seed)
    kernels = [_kernel(generator, n, 20 + 15 * k) for k in range(len(variances) - 1)]
    y = 3.0 + np.sqrt(variances[-1]) * generator.standard_normal(n)
    for variance, kernel in zip(variances, kernels, strict=False):
        y += np.sqrt(variance) * np.linalg.cholesky(kernel + 1e-9 * np.eye(n)) @ generator.standard_normal(n)
    return y, kernels


def _dense_log_likelihood(
    components: np.ndarray, y: np.ndarray, kernels: list[np.ndarray], x: np.ndarray, weights: np.ndarray
) -> float:
    """The restricted likelihood as textbooks write it, of whitened contrasts."""
    v = np.diag(components[-1] / weights)
    for component, kernel in zip(components, kernels, strict=False):
        v = v + component * kernel
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    p = inverse - inverse @ x @ np.linalg.inv(information) @ x.T @ inverse
    constant = (len(y) - x.shape[1]) * np.log(2 * np.pi)
    constant += np.linalg.slogdet(np.diag(weights))[1] - np.linalg.slogdet(x.T @ (weights[:, None] * x))[1]
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return -0.5 * float(logs + y @ p @ y + constant)


def _brute(y: np.ndarray, kernels: list[np.ndarray], x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    best = None
    for share in (0.1, 0.5, 0.9):
        start = np.array([share / len(kernels)] * len(kernels) + [1 - share]) * y.var()
        found = minimize(
            lambda log: -_dense_log_likelihood(np.exp(log), y, kernels, x, weights),
            np.log(start),
            method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000},
        )
        best = found if best is None or found.fun < best.fun else best
    assert best is not None
    return np.array([*np.exp(best.x), -best.fun])


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("extra", [False, True])
def test_one_kernel_equals_brute_force(seed: int, extra: bool) -> None:
    y, kernels = _records(seed, [1.0, 1.0])
    generator = np.random.default_rng(100 + seed)
    x = np.column_stack([np.ones(60), generator.standard_normal(60)]) if extra else np.ones((60, 1))
    weights = generator.uniform(0.5, 2.0, 60) if extra else np.ones(60)
    found = reml(y, kernels, fixed=x, weights=weights)
    expected = _brute(y, kernels, x, weights)
    assert found.log_likelihood == pytest.approx(expected[-1], abs=1e-8)
    np.testing.assert_allclose([*found.kernels, found.residual], expected[:-1], rtol=1e-4)


@pytest.mark.parametrize(
    ("seed", "variances"), [(0, [1.0, 1.0, 1.0]), (1, [2.0, 0.3, 0.5]), (2, [0.3, 0.5, 1.0])]
)
def test_two_kernels_equal_brute_force(seed: int, variances: list[float]) -> None:
    y, kernels = _records(seed, variances)
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, 60)
    found = reml(y, kernels, weights=weights)
    expected = _brute(y, kernels, np.ones((60, 1)), weights)
    assert found.log_likelihood == pytest.approx(expected[-1], abs=1e-6)
    np.testing.assert_allclose([*found.kernels, found.residual], expected[:-1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("seed", range(8))
def test_three_kernels_never_lose_to_brute_force(seed: int) -> None:
    y, kernels = _records(seed, [1.0, 0.0, 0.5, 0.7], n=50)
    found = reml(y, kernels)
    expected = _brute(y, kernels, np.ones((50, 1)), np.ones(50))[:-1]
    # Brute force runs on towards a residual of 0, how far depends on the processor's rounding; the estimate
    # stops at 1e-7 of the variance, and is compared with the best that is allowed.
    expected[-1] = max(expected[-1], 1e-7 * y.var(ddof=1))
    best = _dense_log_likelihood(expected, y, kernels, np.ones((50, 1)), np.ones(50))
    assert found.log_likelihood > best - 1e-6
    assert min(found.kernels) >= 0.0
    value = _dense_log_likelihood(
        np.array([*found.kernels, found.residual]), y, kernels, np.ones((50, 1)), np.ones(50)
    )
    assert found.log_likelihood == pytest.approx(value, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 1.0))
def test_average_information_with_one_kernel_is_the_spectral_answer(seed: int, share: float) -> None:
    y, kernels = _records(seed, [share, 1.05 - share], n=40)
    spectral = reml(y, kernels)
    iterated = average_information_reml(y, kernels, whitened_design(40))
    assert iterated.log_likelihood == pytest.approx(spectral.log_likelihood, abs=1e-5)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), factor=st.floats(1e-4, 1e4), shift=st.floats(-100.0, 100.0))
def test_estimates_follow_the_units_of_trait_and_kernel(seed: int, factor: float, shift: float) -> None:
    y, kernels = _records(seed, [1.0, 0.6, 1.0], n=40)
    for chosen in (kernels[:1], kernels):
        base = reml(y, chosen)
        moved = reml(factor * (y + shift), [2.0 * kernel for kernel in chosen])
        expected = np.array([*(v / 2 for v in base.kernels), base.residual]) * factor**2
        np.testing.assert_allclose(
            [*moved.kernels, moved.residual], expected, rtol=2e-2, atol=2e-3 * factor**2
        )


def test_a_kernel_that_explains_nothing_gets_exactly_zero() -> None:
    generator = np.random.default_rng(5)
    kernel, noise = _kernel(generator, 80, 30), _kernel(generator, 80, 30)
    _, vectors = np.linalg.eigh(kernel)
    y = vectors[:, 1:50].sum(axis=1)  # nothing along the kernel's large eigenvalues
    assert reml(y, [kernel]).kernels == (0.0,)
    found = reml(y, [kernel, noise])
    assert found.kernels[0] == 0.0
    assert found.residual > 0.0


def test_a_kernel_that_explains_everything_leaves_a_small_residual() -> None:
    generator = np.random.default_rng(6)
    kernel = _kernel(generator, 50, 200)
    y = np.linalg.cholesky(kernel + 1e-10 * np.eye(50)) @ generator.standard_normal(50)
    found = reml(y, [kernel])
    assert 0.0 < found.residual < 0.05 * found.kernels[0]
    assert 0.0 < reml(y, [kernel, np.ones((50, 50))]).residual < 0.05 * found.kernels[0]


def test_two_copies_of_a_kernel_share_its_variance() -> None:
    y, kernels = _records(3, [1.0, 1.0])
    alone = reml(y, kernels)
    twice = reml(y, [kernels[0], kernels[0]])
    assert sum(twice.kernels) == pytest.approx(alone.kernels[0], rel=1e-3)
    assert twice.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-6)


def test_a_kernel_of_zeros_explains_nothing() -> None:
    y, kernels = _records(4, [1.0, 1.0])
    nothing = np.zeros((60, 60))
    assert reml(y, [nothing]).residual == pytest.approx(y.var(ddof=1))
    both = reml(y, [kernels[0], nothing])
    assert both.log_likelihood == pytest.approx(reml(y, kernels).log_likelihood, abs=1e-6)


def test_traits_share_one_eigendecomposition() -> None:
    y, kernels = _records(7, [1.0, 1.0])
    shared = spectral_reml(kernels[0], whitened_design(60))
    for trait in (y, np.abs(y), y**2):
        assert shared.fit(trait) == reml(trait, kernels)


def test_bad_input_is_one_sentence() -> None:
    y, kernels = _records(8, [1.0, 1.0])
    for chosen in (kernels, [*kernels, np.eye(60)]):
        with pytest.raises(BudwoodError, match="does not vary"):
            reml(np.full(60, 0.1), chosen)
        with pytest.raises(BudwoodError, match="a record is not a number"):
            reml(np.where(np.arange(60) == 3, np.nan, y), chosen)
    with pytest.raises(BudwoodError, match="not positive semidefinite"):
        reml(y, [kernels[0] - np.eye(60)])
    with pytest.raises(BudwoodError, match="values that are not numbers"):
        reml(y, [np.full((60, 60), np.nan)])
    with pytest.raises(BudwoodError, match="cannot be separated"):
        reml(y, kernels, fixed=np.ones((60, 2)))
    with pytest.raises(BudwoodError, match="weights must be positive"):
        reml(y, kernels, weights=np.zeros(60))
