"""Conformal intervals cover what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from budwood.stats.evaluation.conformal import Widening, conformal_quantile, local_scale


def test_the_quantile_is_the_finite_sample_one() -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, 100.0))
    assert conformal_quantile(scores, 0.9) == 90.0
    assert conformal_quantile(np.array([3.0, 1.0]), 0.9) == 3.0
    with pytest.raises(ValueError, match="at least one"):
        conformal_quantile(np.empty(0))


@pytest.mark.parametrize("n", [19, 50])
def test_coverage_under_exchangeability(n) -> None:
    """Exactly ceil((n + 1) 0.9) / (n + 1) for continuous scores, whatever their distribution."""
    scores = np.random.default_rng(1).exponential(size=(4000, n + 1))
    inside = [row[-1] <= conformal_quantile(row[:-1]) for row in scores]
    expected = np.ceil((n + 1) * 0.9 - 1e-9) / (n + 1)
    assert np.mean(inside) == pytest.approx(expected, abs=4 * np.sqrt(0.09 / 4000))


def test_normalised_scores_widen_where_it_is_difficult() -> None:
    generator = np.random.default_rng(2)
    difficulty = generator.choice([1.0, 4.0], 600)
    errors = np.abs(difficulty * generator.standard_normal(600))
    plain = errors[300:] <= conformal_quantile(errors[:300])
    factor = conformal_quantile(errors[:300] / difficulty[:300])
    normalised = errors[300:] <= factor * difficulty[300:]
    hard = difficulty[300:] == 4.0
    assert plain[hard].mean() < 0.85 < normalised[hard].mean()
    assert normalised[~hard].mean() < 0.96 < plain[~hard].mean()


def test_a_local_scale_sharpens_where_groups_of_relatives_differ() -> None:
    """Two groups with errors of 1 and 3: both are covered, and the mean width falls."""
    generator = np.random.default_rng(4)
    group = np.repeat([0, 1], 100)
    correlation = np.where(group[:, None] == group, 0.6, -0.2)
    inside, widths = [], []
    for _ in range(40):
        scores, new = (np.abs(generator.standard_normal(200)) * (1.0 + 2.0 * group) for _ in range(2))
        among = correlation.copy()
        np.fill_diagonal(among, -1.0)
        near = conformal_quantile(scores / local_scale(among, scores))
        half = near * local_scale(correlation, scores)
        plain = conformal_quantile(scores)
        inside.append([new[group == g] <= half[group == g] for g in (0, 1)])
        widths.append(half.mean() / plain)
    covered = np.mean(inside, axis=(0, 2))
    assert (np.abs(covered - 0.9) < 0.04).all()
    assert np.mean(widths) < 0.95


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(1e-6, 1e6))
def test_a_local_scale_is_between_the_extremes_and_free_of_units(seed, count, unit) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.exponential(size=count)
    correlation = generator.uniform(-1.0, 1.0, (4, count))
    found = local_scale(correlation, scores)
    assert (found >= scores.min() / scores.mean() - 1e-9).all()
    assert (found <= scores.max() / scores.mean() + 1e-9).all()
    np.testing.assert_allclose(local_scale(correlation, unit * scores), found, rtol=1e-9)
    np.testing.assert_allclose(local_scale(-np.ones((2, count)), scores), 1.0)


def test_a_local_scale_in_blocks_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(3)
    correlation, scores = rng.uniform(-1.0, 1.0, (75, 40)), rng.uniform(0.0, 2.0, 40)
    weights = np.maximum(correlation, 0.0) ** 2
    count = weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)
    near = weights @ scores / weights.sum(axis=1) / scores.mean()
    expected = (count * near + 20.0) / (count + 20.0)
    np.testing.assert_allclose(local_scale(correlation, scores), expected, rtol=1e-12)


def test_a_local_scale_of_nothing_is_one() -> None:
    np.testing.assert_array_equal(local_scale(np.empty((3, 0)), np.empty(0)), np.ones(3))
    np.testing.assert_array_equal(local_scale(np.ones((3, 2)), np.zeros(2)), np.ones(3))


def _clusters_with_shifts(
    generator: np.random.Generator, shift: float, count: int = 5, size: int = 30
) -> tuple[np.ndarray, np.ndarray]:
    """Errors of clusters that share a shift each, and their labels."""
    labels = np.repeat(np.arange(count), size)
    return generator.standard_normal(count * size) + shift * generator.standard_normal(count)[labels], labels


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
def test_a_new_cluster_is_covered_by_what_other_clusters_err(shift) -> None:
    """The foreseen half-width knows nothing of shifts; five clusters held out tell."""
    generator = np.random.default_rng(6)
    foreseen, close = 1.645, generator.uniform(0.6, 1.0, 200)
    inside, plain = [], []
    for _ in range(300):
        errors, labels = _clusters_with_shifts(generator, shift)
        near = conformal_quantile(np.abs(generator.standard_normal(200)) / foreseen)
        found = Widening.learn(near, close, np.zeros(150), np.abs(errors) / foreseen, labels)
        new = np.abs(_clusters_with_shifts(generator, shift, count=1)[0])
        half = near * foreseen * found.factors(np.zeros(30))
        inside.append((new <= half).mean())
        plain.append((new <= near * foreseen).mean())
    noise = 4.0 * np.std(inside) / np.sqrt(300)
    assert 0.9 - 0.03 - noise <= np.mean(inside) <= 0.93 + noise
    if shift:
        assert np.mean(inside) > np.mean(plain) + (0.1 if shift > 1.0 else 0.05)


def test_a_large_cluster_has_one_vote() -> None:
    """A hundred good records of one cluster do not drown ten bad ones of another."""
    labels = np.repeat([0, 1], [100, 10])
    scores = np.where(labels == 0, 0.5, 3.0)
    found = Widening.learn(1.0, np.linspace(0.5, 1.0, 50), np.zeros(110), scores, labels)
    # Mean square 4.625 with a variance of 38.28 / 2: Satterthwaite's 2.23 degrees of freedom.
    squares, student = np.sqrt(4.625), stdtrit(2.0 * 4.625**2 / (38.28125 / 2.0), 0.95)
    assert found.factors(np.zeros(1))[0] == pytest.approx(squares * student, rel=1e-6)


@given(
    st.floats(0.3, 3.0),
    st.lists(st.floats(-1, 1), min_size=2, max_size=60),
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 5), st.integers(0, 4)), max_size=60),
    st.lists(st.floats(-1, 1), min_size=2, max_size=20),
)
def test_intervals_widen_with_distance_and_never_promise_more_than_foreseen(
    near, random, clusters, candidates
) -> None:
    relatedness, scores, labels = (
        np.array([record[part] for record in clusters], dtype=kind)
        for part, kind in enumerate((float, float, np.int64))
    )
    found = Widening.learn(near, np.array(random), relatedness, scores, labels)
    factors = found.factors(np.sort(candidates))
    assert np.isfinite(factors).all()
    assert (np.diff(factors) <= 1e-12).all()
    assert (factors >= 1.0).all()
    assert near * found.factors(np.array([found.distant - 1.0]))[0] >= 1.0 - 1e-9


def test_candidates_do_not_influence_one_another() -> None:
    generator = np.random.default_rng(5)
    found = Widening.learn(
        1.0, generator.uniform(size=50), np.zeros(20), generator.exponential(size=20), np.arange(20) // 5
    )
    together = found.factors(np.array([0.1, 0.5, 3.0]))
    assert together[2] == found.factors(np.array([3.0]))[0] == 1.0
