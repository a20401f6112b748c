"""Intervals of paired differences hold what they promise."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from meristem.stats.paired import bootstrap_interval, corrected_interval


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
