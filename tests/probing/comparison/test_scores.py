"""Weighted measures against scikit-learn, and the block bootstrap against copies of the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics

from budwood.probing.comparison.scores import (
    ProbePredictions,
    draw_blocks,
    measure_classes,
    measure_values,
    ranking_measures,
)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_ranking_measures_are_those_of_scikit_learn(seed: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    score = random.normal(size=40).round(1 if ties else 8)
    positive = np.arange(40) % 3 == 0
    weights = random.integers(0, 3, (3, 40)).astype(float)
    area, precision = ranking_measures(score, positive, weights)
    for row, each in enumerate(weights):
        assert area[row] == pytest.approx(metrics.roc_auc_score(positive, score, sample_weight=each))
        assert precision[row] == pytest.approx(
            metrics.average_precision_score(positive, score, sample_weight=each)
        )


def test_measures_of_classes_and_values() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 3, 60)
    decision = random.normal(size=(60, 3)) + 1.5 * np.eye(3)[truth]
    found = ProbePredictions(decision=decision, chosen=decision.argmax(1))
    weights = random.integers(1, 4, (1, 60)).astype(float)
    got = measure_classes(truth, found, weights, ("a", "b", "c"))
    options = {"sample_weight": weights[0]}
    assert got["accuracy"][0] == pytest.approx(metrics.accuracy_score(truth, found.chosen, **options))
    balanced = metrics.balanced_accuracy_score(truth, found.chosen, **options)
    assert got["balanced_accuracy"][0] == pytest.approx(balanced)
    recalls = metrics.recall_score(truth, found.chosen, average=None, **options)
    np.testing.assert_allclose([got[f"recall {name}"][0] for name in "abc"], recalls)
    y, p = random.normal(size=60), random.normal(size=60)
    ones = np.ones((1, 60))
    values = measure_values(y, ProbePredictions(decision=p[:, None], chosen=np.empty(0, dtype=int)), ones)
    assert values["pearson_r"][0] == pytest.approx(np.corrcoef(y, p)[0, 1])
    assert values["spearman_r"][0] == pytest.approx(spearmanr(y, p).statistic)
    assert values["r2"][0] == pytest.approx(metrics.r2_score(y, p))
    assert values["rmse"][0] == pytest.approx(metrics.root_mean_squared_error(y, p))


def test_blocks_are_drawn_whole() -> None:
    blocks = np.array([3, 3, 7, 7, 7, 9])
    drawn = draw_blocks(blocks, draws=50)
    for block in (3, 7, 9):
        rows = drawn[:, blocks == block]
        assert (rows == rows[:, :1]).all()
    assert (drawn[:, [0, 2, 5]].sum(axis=1) == 3).all()
