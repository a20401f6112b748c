"""Predictions inside a training set are what fits without the held-out records give."""

import numpy as np
import pytest

from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GAUSSIAN_KERNEL, GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.uncertainty.inner_folds import TrainingKernels, held_out_forecast, held_out_solved
from budwood.stats.evaluation.splitters import random_folds

ROWS = np.arange(60)


def _y(panel) -> np.ndarray:
    return np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])


@pytest.mark.parametrize("model", [GBLUP, GAUSSIAN_KERNEL], ids=lambda model: model.name)
def test_inner_folds_of_shared_kernels_predict_as_fits_of_their_own(panel, model) -> None:
    """Kernels of all training rows, centred again, give what kernels of the inner rows give."""
    y, predictors = _y(panel), PanelKernels(panel.genotypes)
    folds = random_folds(panel.genotypes.accessions[:60], 4, 0)
    found = held_out_forecast(model, TrainingKernels(predictors, ROWS), y, folds, None)
    assert found.judged.all()
    for fold in range(4):
        own = model.fit(predictors, ROWS[folds != fold], y[folds != fold]).predict(
            predictors.lines(ROWS[folds == fold], ROWS[folds != fold])
        )
        tolerance = 1e-3 if model is GBLUP else 0.1
        np.testing.assert_allclose(found.value[folds == fold], own.value, atol=tolerance)
        np.testing.assert_allclose(
            2.0 * found.half[folds == fold], own.upper_90 - own.lower_90, rtol=tolerance
        )


@pytest.mark.parametrize("model", [GBLUP, GAUSSIAN_KERNEL, MULTI_KERNEL], ids=lambda model: model.name)
def test_algebra_without_a_fold_is_close_to_fitting_without_it(panel, model) -> None:
    """They differ by the variance components, which algebra leaves as they are."""
    y, predictors = _y(panel), PanelKernels(panel.genotypes)
    folds = random_folds(panel.genotypes.accessions[:60], 5, 0)
    refitted = held_out_forecast(model, TrainingKernels(predictors, ROWS), y, folds, None)
    solved = held_out_solved(model.fit(predictors, ROWS, y), y, folds)
    assert solved.judged.all()
    assert np.corrcoef(solved.value, refitted.value)[0, 1] > 0.97
    assert np.median(solved.half / refitted.half) == pytest.approx(1.0, abs=0.1)


def test_a_single_fold_judges_nobody(panel) -> None:
    y, predictors = _y(panel), PanelKernels(panel.genotypes)
    found = held_out_solved(GBLUP.fit(predictors, ROWS, y), y, np.zeros(60, dtype=np.int64))
    assert not found.judged.any()
    np.testing.assert_allclose(found.value, y.mean())
