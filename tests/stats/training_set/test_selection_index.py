"""Selection indices against their closed forms and defining properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.stats.training_set.selection_index import desired_gains_index, restricted_index


def covariances(seed: int, t: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Phenotypic and genetic covariance of t traits."""
    generator = np.random.default_rng(seed)
    g, e = (a @ a.T + 0.2 * np.eye(t) for a in generator.standard_normal((2, t, t)))
    return g + e, g


def test_without_restriction_it_is_the_index_of_smith_and_hazel() -> None:
    p, g = covariances(1)
    economic = np.array([1.0, -2.0, 0.5, 0.0])
    np.testing.assert_allclose(restricted_index(economic, [], p, g).weights, np.linalg.solve(p, g @ economic))
    np.testing.assert_allclose(restricted_index(economic, [], g).weights, economic, atol=1e-12)


def test_the_formula_of_kempthorne_and_nordskog() -> None:
    p, g = covariances(2)
    a, c = np.array([1.0, 2.0, -1.0, 0.3]), np.eye(4)[:, [1, 3]]
    q, projection = np.linalg.inv(p), np.eye(4)
    projection -= q @ g @ c @ np.linalg.inv(c.T @ g @ q @ g @ c) @ c.T @ g
    np.testing.assert_allclose(restricted_index(a, [1, 3], p, g).weights, projection @ q @ g @ a)


@given(st.integers(0, 1000), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_restricted_traits_stay_and_no_feasible_index_gains_more(seed: int, held: int) -> None:
    p, g = covariances(seed)
    economic = np.array([1.0, 0.7, -0.4, 0.2])
    index = restricted_index(economic, [held], p, g)
    assert index.expected_gain[held] == pytest.approx(0.0, abs=1e-9)
    best = economic @ index.expected_gain
    other = np.random.default_rng(seed).standard_normal(4)
    other -= g[:, held] * (g[:, held] @ other) / (g[:, held] @ g[:, held])
    rival = economic @ g.T @ other / np.sqrt(other @ p @ other)
    assert best >= rival - 1e-9


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_gains_are_in_the_proportions_desired(seed: int) -> None:
    p, g = covariances(seed)
    desired = np.array([2.0, -1.0, 0.0, 0.5])
    gain = desired_gains_index(desired, p, g).expected_gain
    np.testing.assert_allclose(gain / gain[0], desired / 2.0, atol=1e-7)
    assert gain[0] > 0.0


def test_desired_gains_in_the_general_form() -> None:
    p, g = covariances(3)
    d, q = np.array([1.0, 1.0, 0.0, -1.0]), np.linalg.inv(p)
    np.testing.assert_allclose(
        desired_gains_index(d, p, g).weights, q @ g @ np.linalg.inv(g.T @ q @ g) @ d, rtol=1e-7
    )


def test_expected_gain_is_what_selection_gives() -> None:
    """Truncation selection on best linear predictions of 200,000 simulated candidates."""
    _, g = covariances(4, 2)
    generator = np.random.default_rng(1)
    error = 0.8 * np.eye(2)
    u = generator.multivariate_normal(np.zeros(2), g, 200_000)
    y = u + generator.multivariate_normal(np.zeros(2), error, 200_000)
    regression = g @ np.linalg.inv(g + error)
    predicted = y @ regression.T
    index = restricted_index(np.array([1.0, 1.0]), [1], regression @ g)
    score = index.score(predicted)
    best = score > np.quantile(score, 0.9)
    intensity = (score[best].mean() - score.mean()) / score.std()
    np.testing.assert_allclose(u[best].mean(axis=0) / intensity, index.expected_gain, atol=0.02)


def test_units_do_not_change_the_ranking() -> None:
    p, g = covariances(5, 3)
    unit = np.array([1.0, 1000.0, 0.001])
    predictions = np.random.default_rng(2).standard_normal((20, 3))
    plain = restricted_index(np.array([1.0, 2.0, 3.0]), [2], p, g)
    scale = np.outer(unit, unit)
    other = restricted_index(np.array([1.0, 2.0, 3.0]) / unit, [2], p * scale, g * scale)
    np.testing.assert_allclose(other.score(predictions * unit), plain.score(predictions))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: desired_gains_index(np.zeros(2), np.eye(2)), "weight is 0"),
        (lambda: desired_gains_index(np.ones(2), np.ones((2, 2))), "cannot be inverted"),
        (lambda: desired_gains_index(np.ones(2), np.eye(2), np.ones((2, 2))), "cannot be changed indep"),
        (lambda: restricted_index(np.ones(2), [0, 1], np.eye(2)), "nothing to select for"),
        (lambda: restricted_index(np.array([1.0, 0.0]), [0], np.eye(2)), "nothing to select for"),
        (lambda: restricted_index(np.ones(2), [0, 0], np.eye(2)), "cannot be separated"),
        (lambda: restricted_index(np.ones(2), [], np.array([[1.0, 0.5], [0.1, 1.0]])), "not symmetric"),
        (lambda: restricted_index(np.array([1.0, np.nan]), [], np.eye(2)), "not a number"),
        (lambda: restricted_index(np.ones(2), [], np.diag([1.0, 0.0])), "cannot be inverted"),
    ],
)
def test_what_has_no_index_is_told(call: object, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        call()  # type: ignore[operator]


@given(st.lists(st.integers(-140, 140), min_size=4, max_size=4), st.integers(-100, 100))
@settings(max_examples=40, deadline=None)
def test_units_of_the_traits_change_nothing_but_units(powers: list[int], worth: int) -> None:
    """Traits in other units, up to 1e140 of them and down to 1e-140, have the index of the first units."""
    p, g = covariances(5)
    unit = 10.0 ** np.array(powers, dtype=float)
    wide = [each * unit[:, None] * unit[None, :] for each in (p, g)]
    economic, desired = np.array([1.0, -2.0, 0.5, 0.3]), np.array([1.0, 0.5, -0.2, 0.1])
    for first, second in (
        (
            restricted_index(economic, [1], p, g),
            restricted_index(economic / unit * 10.0**worth, [1], *wide),
        ),
        (desired_gains_index(desired, p, g), desired_gains_index(desired * unit, *wide)),
    ):
        size = np.abs(first.expected_gain).max()
        np.testing.assert_allclose(second.expected_gain / unit, first.expected_gain, atol=1e-9 * size)
        weights = second.weights * unit
        np.testing.assert_allclose(
            weights / np.abs(weights).max(), first.weights / np.abs(first.weights).max(), atol=1e-9
        )
