"""Bagging: who learns from what."""

import numpy as np
import pytest

from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import TrainingSet
from budwood.prediction.uncertainty.inner_folds import inner_random_folds

ROWS = np.arange(10, 70)


@pytest.fixture
def training(panel) -> TrainingSet:
    predictors = PanelKernels(panel.genotypes)
    y = np.arange(60.0)
    return TrainingSet(predictors, ROWS, y, inner_random_folds(predictors, ROWS, 5, 0))


def test_every_record_is_left_out_once_in_each_repeat(training) -> None:
    left_out = np.zeros(60, dtype=int)

    def learn(rows: np.ndarray, markers: np.ndarray) -> np.ndarray:
        left_out[np.setdiff1d(np.arange(60), rows)] += 1
        return np.zeros(len(markers))

    Bagging(folds=3, repeats=4).cross_fit(training, learn)
    assert (left_out == 4).all()


def test_held_out_predictions_are_of_the_fits_without_the_record(training) -> None:
    """A learner that remembers the records it saw (1 at their rows) knows no record held out."""

    def learn(rows: np.ndarray, markers: np.ndarray) -> np.ndarray:
        seen = np.zeros(len(markers))
        seen[training.rows[rows]] = 1.0
        return seen

    found = Bagging(folds=3, repeats=2).cross_fit(training, learn)
    assert (found.held_out == 0.0).all()
    np.testing.assert_allclose(found.value(ROWS), 2.0 / 3.0)
    assert (found.value(np.arange(10)) == 0.0).all()


def test_fits_see_different_markers_of_one_spacing(training) -> None:
    every = training.predictors.markers(ROWS)
    sets = []

    def learn(rows: np.ndarray, markers: np.ndarray) -> np.ndarray:
        columns = [int(np.flatnonzero((every == column[:, None]).all(axis=0))[0]) for column in markers.T]
        assert set(np.diff(columns)) == {4}
        sets.append(columns[0])
        return np.zeros(len(markers))

    Bagging(markers=every.shape[1] // 4 + 1).cross_fit(training, learn)
    assert set(sets) <= {0, 1, 2, 3}
    assert len(set(sets)) > 1
