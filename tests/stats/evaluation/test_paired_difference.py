"""Intervals of paired differences hold what they promise."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from budwood.stats.evaluation.paired_difference import (
    bootstrap_difference,
    bootstrap_mean_r,
    clustered_interval,
    corrected_interval,
    side_of_zero,
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


@pytest.mark.parametrize("sizes", [(1,) * 4, (1,) * 6, (3,) * 4, (1, 2, 3, 2, 1)])
def test_an_interval_of_few_clusters_covers_as_often_as_it_says(sizes: tuple[int, ...]) -> None:
    """Environments of one place and year share a shift; a bootstrap of four of them covers 80 %."""
    generator, trials = np.random.default_rng(4), 3000
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    covered = 0
    for _ in range(trials):
        shared = generator.standard_normal(len(sizes))[clusters]
        found = clustered_interval(shared + generator.standard_normal(len(clusters)) + 1.0, clusters)
        covered += found.lower <= 1.0 <= found.upper
    # A binomial standard error is .004; unequal clusters cost the approximation a little.
    assert covered / trials == pytest.approx(0.95, abs=0.012 if len(set(sizes)) == 1 else 0.03)


def test_single_differences_have_the_t_interval() -> None:
    differences = np.random.default_rng(0).standard_normal(5)
    found = clustered_interval(differences, np.array([7, 1, 4, 2, 9]))
    expected = ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high))
    with pytest.raises(ValueError, match="at least two clusters"):
        clustered_interval(differences, np.zeros(5, dtype=int))


@pytest.mark.parametrize(
    ("lower", "upper", "side"),
    [
        (0.01, 0.2, 1),
        (-0.2, -0.01, -1),
        (-0.1, 0.1, 0),
        (0.0, 0.1, 0),
        (-0.1, 0.0, 0),
        (0.0004, 0.1, 0),  # printed as 0.000
        (-0.1, -0.0004, 0),
        (0.0006, 0.1, 1),
        (np.nan, np.nan, 0),
    ],
)
def test_one_rule_says_whether_an_interval_contains_zero(lower: float, upper: float, side: int) -> None:
    from budwood.prediction.environments.evaluation.conclusion import covariate_conclusion
    from budwood.prediction.evaluation.conclusion import dna_conclusion
    from budwood.prediction.evaluation.results import PairedDifference, PermutationTest

    assert side_of_zero(lower, upper) == side
    words = {1: " add", 0: "nothing", -1: " harm"}[side]
    difference = PairedDifference("reaction norm", "main effect + deviations", 0.0, lower, upper)
    assert words in covariate_conclusion([difference], "cv1", "folds")
    assert words in dna_conclusion([difference], "reaction norm")
    assert PermutationTest("GBLUP", 0.0, lower, upper).leaks == (side > 0)


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
