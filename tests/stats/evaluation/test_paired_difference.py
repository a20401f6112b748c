"""Intervals of paired differences hold what they promise."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from budwood.stats.evaluation.paired_difference import (
    bootstrap_difference,
    bootstrap_interval,
    bootstrap_mean_r,
    corrected_interval,
)


def test_without_overlap_it_is_the_t_interval() -> None:
    differences = np.random.default_rng(0).standard_normal(25)
    found = corrected_interval(differences, test_to_train=0.0)
    expected = ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))


def test_overlap_of_training_lines_widens_it() -> None:
    differences = np.random.default_rng(0).standard_normal(25)
    plain, corrected = (corrected_interval(differences, share) for share in (0.0, 0.25))
    ratio = (corrected.upper - corrected.lower) / (plain.upper - plain.lower)
    assert ratio == pytest.approx(np.sqrt((1 / 25 + 0.25) * 25))


def test_bootstrap_covers_the_mean_about_as_often_as_promised() -> None:
    generator = np.random.default_rng(4)
    covered = 0
    for trial in range(200):
        found = bootstrap_interval(generator.standard_normal(30) + 1.0, seed=trial, draws=500)
        covered += found.lower <= 1.0 <= found.upper
    assert 0.88 <= covered / 200 <= 0.98


def test_one_difference_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two"):
        corrected_interval(np.ones(1), 0.25)


def test_draws_of_mean_r_are_weighted_correlations_within_folds() -> None:
    generator = np.random.default_rng(2)
    y, predicted = generator.standard_normal(12), generator.standard_normal((2, 12)) + 50.0
    folds = np.stack([generator.permutation(12) % 3 for _ in range(2)])
    weights = np.random.default_rng(9).standard_exponential((4, 12))
    expected = np.zeros(4)
    for repeat in range(2):
        for fold in range(3):
            rows = folds[repeat] == fold
            for draw in range(4):
                both = np.cov(predicted[repeat, rows], y[rows], aweights=weights[draw, rows])
                expected[draw] += both[0, 1] / np.sqrt(both[0, 0] * both[1, 1]) / 6
    found = bootstrap_mean_r(predicted, y, folds, seed=9, draws=4)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_predictions_that_do_not_differ_have_r_of_0_in_every_draw() -> None:
    found = bootstrap_mean_r(
        np.full((1, 6), 0.1) * 3, np.arange(6.0), np.arange(6)[None] % 2, seed=1, draws=5
    )
    assert not found.any()


def test_an_interval_over_lines_is_that_of_the_draws_stretched_for_the_overlap_of_training_sets() -> None:
    generator = np.random.default_rng(5)
    mixing = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.5, 0.3, 0.81]])
    y, first, second = mixing @ generator.standard_normal((3, 120))
    folds = np.arange(120)[None] % 4
    draws = [bootstrap_mean_r(each[None], y, folds, seed=3, draws=4000) for each in (first, second)]
    found = bootstrap_difference(draws[0], draws[1], 0.1, folds=4)
    spread = (draws[1] - draws[0]).std()
    # Rows drawn with the same weights are correlated, so the difference spreads less than its parts.
    assert spread < np.hypot(draws[0].std(), draws[1].std())
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * spread * np.sqrt(1 + 4 / 3), rel=0.06)
    assert found.lower < found.mean == 0.1 < found.upper


def test_draws_cover_the_difference_of_fixed_predictors() -> None:
    """Without training there is no overlap: unstretched, the interval holds what it promises."""
    generator = np.random.default_rng(5)
    mixing = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.5, 0.3, 0.81]])
    truth = mixing[2] @ mixing[0] - mixing[1] @ mixing[0]
    folds, covered = np.arange(120)[None] % 4, 0
    for trial in range(150):
        y, first, second = mixing @ generator.standard_normal((3, 120))
        draws = [bootstrap_mean_r(each[None], y, folds, seed=trial, draws=300) for each in (first, second)]
        lower, upper = np.quantile(draws[1] - draws[0], [0.025, 0.975])
        covered += lower <= truth <= upper
    assert 0.88 <= covered / 150 <= 0.99
