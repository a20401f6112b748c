"""Figures of a model are those of its held-out forecasts, fold by fold."""

import numpy as np
import pytest

from budwood.prediction.contract import Forecast
from budwood.prediction.evaluation.cv_predictions import CvPredictions, Scorer
from budwood.prediction.evaluation.results import Heritability
from budwood.prediction.evaluation.splitting import Scheme
from budwood.stats.evaluation.metrics import auroc, pearson_r, selection_gain, top_overlap
from budwood.stats.evaluation.splitters import group_folds

LINES = 48
FAMILIES = tuple(f"f{k % 4}" for k in range(LINES))


def _tally(scheme: Scheme, y: np.ndarray, seed: int = 1, noise: float = 1.0) -> CvPredictions:
    generator = np.random.default_rng(seed)
    tally = CvPredictions(len(scheme.repeats), len(y))
    for repeat in range(len(scheme.repeats)):
        for _, rows in scheme.splits(repeat):
            value = 0.5 * y[rows] + noise * generator.standard_normal(len(rows)) + 3.0
            zero = np.zeros(len(rows))
            tally.add(repeat, rows, Forecast(value, zero, zero, value - 2.0, value + 2.0), 0.25)
    return tally


def _random(y: np.ndarray, repeats: int = 2) -> Scheme:
    generator = np.random.default_rng(8)
    return Scheme("random", tuple(generator.permutation(len(y)) % 4 for _ in range(repeats)))


def test_every_measure_is_that_of_the_folds() -> None:
    y = np.random.default_rng(0).normal(20.0, 3.0, LINES)
    scheme = _random(y)
    tally = _tally(scheme, y)
    found = Scorer(y, scheme, Heritability(0.49, "test")).score("model", tally)
    folds = [(tally.value[r, rows], y[rows]) for r in range(2) for _, rows in scheme.splits(r)]
    assert found.fold_r == pytest.approx([pearson_r(p, o) for p, o in folds])
    assert found.accuracy == pytest.approx(found.mean_r / 0.7)
    assert found.top_quarter == pytest.approx(np.mean([top_overlap(p, o) for p, o in folds]))
    assert found.gain == pytest.approx(np.mean([selection_gain(p, o) for p, o in folds]))
    assert found.gain_sd == pytest.approx(found.gain / y.std(ddof=1))
    every, observed = tally.value.ravel(), np.tile(y, 2)
    assert found.bias == pytest.approx(every.mean() - observed.mean())
    slope, intercept = np.polyfit(every, observed, 1)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept))
    assert found.interval_width == pytest.approx(4.0)
    assert found.coverage_90 == pytest.approx(np.mean(np.abs(every - observed) <= 2.0))
    assert found.seconds == pytest.approx(0.25 * 8)
    assert np.isnan(found.auroc)
    assert found.family_r == ()


def test_where_lower_is_better_the_lowest_are_chosen() -> None:
    y = np.random.default_rng(0).normal(20.0, 3.0, LINES)
    scheme = _random(y)
    tally = _tally(scheme, y, noise=0.1)
    h2 = Heritability(0.5, "test")
    low = Scorer(y, scheme, h2, lower_is_better=True)
    mirrored = CvPredictions(2, LINES)
    mirrored.value, mirrored.lower, mirrored.upper = -tally.value, -tally.upper, -tally.lower
    found, other = low.score("low", tally), Scorer(-y, scheme, h2).score("mirrored", mirrored)
    assert (found.gain, found.top_quarter) == pytest.approx((other.gain, other.top_quarter))
    assert 0.0 < found.gain <= low.possible_gain
    assert low.possible_gain == pytest.approx(Scorer(-y, scheme, h2).possible_gain)


def test_chance_is_counted_on_the_folds() -> None:
    y = np.arange(10.0)
    yardstick = Scorer(y, Scheme("random", (np.arange(10) % 2,)), Heritability(0.5, "test"))
    assert yardstick.top_quarter_chance == pytest.approx(1 / 5)


def test_a_heritability_of_0_gives_no_accuracy() -> None:
    y = np.random.default_rng(0).standard_normal(LINES)
    scheme = _random(y)
    assert np.isnan(Scorer(y, scheme, Heritability(0.0, "test")).score("m", _tally(scheme, y)).accuracy)


def test_two_values_are_judged_by_auroc_too() -> None:
    y = np.where(np.random.default_rng(0).random(LINES) < 0.4, 3.0, 1.0)
    scheme = _random(y)
    tally = _tally(scheme, y)
    found = Scorer(y, scheme, Heritability(0.5, "test")).score("m", tally)
    parts = [auroc(tally.value[r, rows], y[rows] == 3.0) for r in range(2) for _, rows in scheme.splits(r)]
    assert found.auroc == pytest.approx(np.mean(parts))


def test_families_have_a_correlation_each_where_they_are_large_enough() -> None:
    y = np.random.default_rng(0).standard_normal(LINES)
    families = (*FAMILIES[:-3], "small", "small", "small")
    scheme = Scheme("families", (group_folds(families, smallest=10),), families)
    tally = _tally(scheme, y)
    yardstick = Scorer(y, scheme, Heritability(0.5, "test"))
    found = yardstick.score("m", tally)
    assert [family.name for family in yardstick.families] == ["f0", "f1", "f2", "f3", "small"]
    assert [family.lines for family in yardstick.families] == [12, 11, 11, 11, 3]
    rows = np.array(families) == "f2"
    assert found.family_r[2] == pytest.approx(pearson_r(tally.value[0, rows], y[rows]))
    assert np.isnan(found.family_r[4])
    assert found.mean_family_r == pytest.approx(np.mean(found.family_r[:4]))


def test_paired_intervals_are_of_the_same_mean() -> None:
    y = np.random.default_rng(0).standard_normal(LINES)
    scheme = _random(y, repeats=3)
    tallies = {"near": _tally(scheme, y, noise=0.2), "far": _tally(scheme, y, seed=2, noise=2.0)}
    yardstick = Scorer(y, scheme, Heritability(0.5, "test"))
    scores = [yardstick.score(name, tally) for name, tally in tallies.items()]
    found = yardstick.paired(scores[0], scores[1], tallies, seed=4)
    assert found.mean == pytest.approx(scores[1].mean_r - scores[0].mean_r)
    assert found.lower < found.mean < found.upper < 0.0
    assert found.bootstrap_lower < found.mean < found.bootstrap_upper < 0.0
    assert yardstick.paired(scores[0], scores[1], tallies, seed=4) == found
