"""Models that share a training set predict what each predicts alone, whatever was fitted before."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.contract import Forecast
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GBLUP, fitted_gblup
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.models.gblup import GBLUP_OF_ANY_SIZE
from budwood.prediction.models.major_loci import MajorLoci
from budwood.prediction.models.stack import Stack
from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.calibrated import Calibrated
from budwood.prediction.uncertainty.cross_fit import KernelFitter
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.prediction.uncertainty.inner_folds import inner_random_folds
from budwood.prediction.uncertainty.kernel_calibration import kernel_calibration

ROWS, HELD_OUT = np.arange(10, 70), np.arange(10)
BAGGING = Bagging(repeats=1)
MODELS = (
    Calibrated(GBLUP_OF_ANY_SIZE),
    Calibrated(MULTI_KERNEL),
    CrossFitModel(
        "stack",
        Stack((KernelFitter(GBLUP), MajorLoci(bagging=BAGGING), BoostedTrees(rounds=10, bagging=BAGGING))),
    ),
)


@pytest.fixture(scope="module")
def genotypes() -> Genotypes:
    dosage = np.random.default_rng(4).integers(-1, 3, (70, 90)).astype(np.int8)
    return Genotypes.from_matrix([f"line{i:02d}" for i in range(70)], dosage)


def _traits(genotypes: Genotypes) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    y = genotypes.dosage @ rng.standard_normal(90) / 6 + rng.standard_normal(70)
    return [y[ROWS], rng.permutation(y)[ROWS]]


def _forecast(model, kernels: PanelKernels, y: np.ndarray, weights: np.ndarray | None = None) -> Forecast:
    return model.fit(kernels, ROWS, y, weights).predict(kernels.lines(HELD_OUT, ROWS))


@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_shared_changes_no_bit(genotypes, weighted) -> None:
    shared = PanelKernels(genotypes)
    for y in _traits(genotypes):
        weights = np.linspace(0.5, 2.0, len(y)) if weighted else None
        for model in MODELS:
            found = _forecast(model, shared, y, weights)
            alone = _forecast(model, PanelKernels(genotypes), y, weights)
            for name in ("value", "standard_error", "lower_90", "upper_90", "reliability"):
                np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))


def test_gblup_and_its_errors_are_made_once(genotypes) -> None:
    kernels, (y, other) = PanelKernels(genotypes), _traits(genotypes)
    fitted = fitted_gblup(kernels, ROWS, y)
    assert fitted_gblup(kernels, ROWS, y.copy()) is fitted
    folds = inner_random_folds(kernels, ROWS, 5, 0)
    errors = kernel_calibration(kernels, ROWS, fitted, y, folds)
    assert kernel_calibration(kernels, ROWS, fitted, y, folds) is errors
    different = inner_random_folds(kernels, ROWS, 5, 1)
    assert kernel_calibration(kernels, ROWS, fitted, y, different) is not errors
    again = fitted_gblup(kernels, ROWS, other)
    assert again is not fitted
    assert fitted_gblup(kernels, ROWS, other, np.ones(len(ROWS))) is not again
