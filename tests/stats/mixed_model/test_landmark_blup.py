"""Error variances of the kernel through landmarks, on truths drawn from the kernel."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.landmark_blup import landmark_blup

N, NEW, LANDMARKS, DRAWS = 300, 100, 60, 25


@pytest.fixture(scope="module")
def draws():
    """Errors of held-out records, of the truth of new places, and what the model says of them."""
    rng = np.random.default_rng(0)
    place = rng.random((N + NEW, 2))
    kernel = np.exp(-((place[:, None] - place) ** 2).sum(axis=2) / 0.012)
    root = np.linalg.cholesky(kernel + 1e-6 * np.eye(N + NEW))
    cross, square = kernel[:, :LANDMARKS], kernel[:LANDMARKS, :LANDMARKS]
    folds, found = np.arange(N) % 5, []
    for _ in range(DRAWS):
        truth = root @ rng.normal(size=N + NEW)
        y = truth[:N] + rng.normal(size=N)
        fit = landmark_blup(cross[:N], square, y, whitened_design(N), folds, residual=1.0)
        old = landmark_blup(cross[:N], square, y, whitened_design(N), folds)
        new, known = fit.solved.predict(cross[N:]), fit.solved.predict(cross[:N])
        found.append((truth, y, fit, old, new, known))
    return found


def test_held_out_errors_are_as_large_as_the_model_says(draws) -> None:
    squares, expected = [], []
    for truth, y, fit, *_ in draws:
        squares.append(np.mean((y - fit.held_out) ** 2))
        expected.append(np.mean(fit.held_out_variance) + fit.solved.components.residual)
        own = np.mean((truth[:N] - fit.held_out) ** 2)
        assert own < 2.5 * np.mean(fit.held_out_variance)
    assert np.mean(squares) == pytest.approx(np.mean(expected), rel=0.06)


def test_the_truth_of_new_places_lies_within_its_errors(draws) -> None:
    inside = [np.abs(new.value - truth[N:]) <= 1.645 * np.sqrt(new.pev_value) for truth, *_, new, _ in draws]
    assert 0.85 <= np.mean(inside) <= 0.95


def test_effects_beyond_the_features_are_no_larger_than_the_residual_leaves(draws) -> None:
    for _, _, fit, old, *_ in draws:
        components = fit.solved.components
        assert fit.solved.own_variance <= components.kernels[0]
        assert old.solved.own_variance == components.kernels[0]
        np.testing.assert_allclose(fit.held_out, old.held_out)
        np.testing.assert_allclose(fit.solved.effects, old.solved.effects)
        assert components.residual >= old.solved.components.residual


def test_places_held_out_are_known_worse_than_those_that_were_learnt(draws) -> None:
    for _, _, fit, _, _, known in draws:
        assert np.mean(fit.held_out_variance) > np.mean(known.pev_value)
