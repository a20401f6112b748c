"""Point predictors get intervals that hold, close to the training set and far from it."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.uncertainty.cross_fit import CrossFit, KernelFitter, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel


def _population(seed: int, shift: float, n: int = 150, m: int = 120):
    generator = np.random.default_rng(seed)
    frequency = generator.uniform(0.05, 0.95, (6, m))
    group = generator.integers(0, 6, n)
    dosage = generator.binomial(2, frequency[group]).astype(np.int8)
    genetic = dosage @ generator.standard_normal(m)
    y = genetic / genetic.std() + shift * generator.standard_normal(6)[group]
    y += 0.5 * generator.standard_normal(n)
    return PanelKernels(Genotypes.from_matrix([f"line{i:03d}" for i in range(n)], dosage)), y, group


def _inside(model: CrossFitModel, seed: int, shift: float, *, cluster: bool) -> tuple[float, float]:
    predictors, y, group = _population(seed, shift)
    held = group == 0 if cluster else np.random.default_rng(seed).permutation(len(y)) < 38
    training, left = np.flatnonzero(~held), np.flatnonzero(held)
    found = model.fit(predictors, training, y[training]).predict(predictors.lines(left, training))
    inside = (found.lower_90 <= y[left]) & (y[left] <= found.upper_90)
    return float(inside.mean()), float(np.mean(found.upper_90 - found.lower_90))


@pytest.mark.parametrize(
    "fitter", [KernelFitter(GBLUP), BoostedTrees(rounds=15)], ids=["gblup", "boosted trees"]
)
def test_coverage_at_random_and_of_subpopulations_with_shifts(fitter) -> None:
    model = CrossFitModel("any", fitter)
    random = [_inside(model, seed, 1.0, cluster=False) for seed in range(6)]
    cluster = [_inside(model, seed, 1.0, cluster=True) for seed in range(6)]
    covered, width = np.mean(random, axis=0)
    assert covered == pytest.approx(0.9, abs=3.0 * np.sqrt(0.09 / 228))
    assert np.mean(cluster, axis=0)[0] >= 0.9 - 2.0 * np.std([x for x, _ in cluster]) / np.sqrt(6) - 0.03
    assert np.mean(cluster, axis=0)[1] > 1.15 * width


class _Constant:
    """Predicts one number."""

    def __init__(self, number: float) -> None:
        self.number = number

    def value(self, lines) -> np.ndarray:
        return np.full(len(lines), self.number)


class _Mean:
    """Predicts the mean: what it errs is the scatter of the records."""

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        mean = training.y.mean()
        return CrossFit(np.full(len(training.y), mean), _Constant(mean))


def test_the_size_is_the_predictors_own() -> None:
    """The mean errs more than GBLUP where the trait is heritable: wider intervals, reliability 0."""
    predictors, y, _ = _population(0, 0.0)
    rows, left = np.arange(100), np.arange(100, 150)
    found = {
        name: CrossFitModel(name, fitter).fit(predictors, rows, y[:100]).predict(predictors.lines(left, rows))
        for name, fitter in (("mean", _Mean()), ("gblup", KernelFitter(GBLUP)))
    }
    widths = {name: np.mean(each.upper_90 - each.lower_90) for name, each in found.items()}
    assert widths["mean"] > 1.2 * widths["gblup"]
    assert found["mean"].standard_error.mean() > 1.2 * found["gblup"].standard_error.mean()
    assert found["mean"].reliability.max() == 0.0
