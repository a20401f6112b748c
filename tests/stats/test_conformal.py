"""Conformal intervals cover what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meristem.stats.conformal import LocalConformal, conformal_quantile


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


def test_a_shifted_cluster_is_covered_by_scores_of_shifted_clusters() -> None:
    """Candidates far away err more than foreseen; plain conformal fails them, localised does not."""
    generator = np.random.default_rng(3)
    plain, local = [], []
    for _ in range(60):
        relatedness = np.concatenate([generator.uniform(0.7, 1.0, 150), generator.uniform(0.0, 0.3, 150)])
        scores = np.abs(generator.standard_normal(300) * np.where(relatedness > 0.5, 1.0, 2.5))
        far, near = generator.uniform(0.0, 0.3, 40), generator.uniform(0.7, 1.0, 40)
        kept = LocalConformal(scores, relatedness)
        new = np.abs(2.5 * generator.standard_normal(40))
        plain.append(new <= conformal_quantile(scores))
        local.append(new <= kept.factors(far))
        assert kept.factors(near).mean() < kept.factors(far).mean()
    assert np.mean(plain) < 0.85
    assert np.mean(local) == pytest.approx(0.9, abs=0.025)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=150), st.floats(-2, 2))
def test_the_scores_used_are_the_nearest_ones(relatedness, candidate) -> None:
    at = np.array(relatedness)
    scores = np.abs(at - candidate)
    factor = LocalConformal(scores, at).factors(np.array([candidate]))[0]
    count = min(len(at), max(60, -(-len(at) // 4)))
    assert factor == pytest.approx(conformal_quantile(np.sort(scores)[:count]), abs=1e-12)


def test_candidates_do_not_influence_one_another() -> None:
    generator = np.random.default_rng(5)
    kept = LocalConformal(generator.exponential(size=200), generator.uniform(size=200))
    together = kept.factors(np.array([0.1, 0.5, 3.0]))
    assert together[2] == kept.factors(np.array([3.0]))[0] == kept.factors(np.array([1.0]))[0]
