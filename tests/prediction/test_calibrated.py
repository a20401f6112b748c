"""Calibrated intervals hold in random folds and for clusters that were held out."""

import numpy as np
import pytest

from meristem.genomics.genotypes import Genotypes
from meristem.prediction.calibrated import Calibrated
from meristem.prediction.inner_folds import TrainingPredictors, held_out_forecast
from meristem.prediction.predictors import Predictors
from meristem.prediction.trait_model import GAUSSIAN_KERNEL, GBLUP
from meristem.stats.splits import random_folds


def _population(seed: int, n: int = 160, m: int = 200) -> tuple[Predictors, np.ndarray, np.ndarray]:
    """Six subpopulations with effects of their own that no marker model foresees."""
    generator = np.random.default_rng(seed)
    frequency = generator.uniform(0.05, 0.95, (6, m))
    group = generator.integers(0, 6, n)
    dosage = generator.binomial(2, frequency[group]).astype(np.int8)
    genetic = dosage @ generator.standard_normal(m)
    local = generator.standard_normal((6, m))
    genetic += np.einsum("ij,ij->i", dosage - 1.0, local[group])
    y = genetic / genetic.std() + 0.5 * generator.standard_t(4, n)
    names = [f"line{i:03d}" for i in range(n)]
    return Predictors(Genotypes.from_matrix(names, dosage)), y, group


def _covered(model, predictors, y, held) -> tuple[np.ndarray, np.ndarray]:
    training, candidates = np.flatnonzero(~held), np.flatnonzero(held)
    found = model.fit(predictors, training, y[training]).predict(candidates)
    inside = (found.lower_90 <= y[candidates]) & (y[candidates] <= found.upper_90)
    return inside, found.upper_90 - found.lower_90


def test_coverage_at_random_and_on_held_out_clusters() -> None:
    random, clusters = [], []
    for seed in range(6):
        predictors, y, group = _population(seed)
        generator = np.random.default_rng(seed)
        random.append(_covered(Calibrated(GBLUP), predictors, y, generator.permutation(160) < 40)[0])
        clusters.append(_covered(Calibrated(GBLUP), predictors, y, group == 0)[0])
    assert 0.85 <= np.concatenate(random).mean() <= 0.96
    assert 0.83 <= np.mean([part.mean() for part in clusters]) <= 0.98


def test_distant_candidates_get_wider_intervals() -> None:
    predictors, y, group = _population(0)
    near = np.zeros(160, dtype=bool)
    near[np.flatnonzero(group != 0)[::5]] = True
    held = near | (group == 0)
    _, width = _covered(Calibrated(GBLUP), predictors, y, held)
    distant = group[held] == 0
    assert width[distant].mean() > 1.15 * width[~distant].mean()


def test_the_point_and_its_error_are_those_of_the_model(panel) -> None:
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    rows = np.arange(60)
    plain = GBLUP.fit(Predictors(panel.genotypes), rows, y).predict(np.arange(80))
    found = Calibrated(GBLUP).fit(Predictors(panel.genotypes), rows, y).predict(np.arange(80))
    np.testing.assert_array_equal(found.value, plain.value)
    np.testing.assert_array_equal(found.standard_error, plain.standard_error)
    np.testing.assert_allclose(0.5 * (found.lower_90 + found.upper_90), plain.value, rtol=1e-9)


@pytest.mark.parametrize("model", [GBLUP, GAUSSIAN_KERNEL], ids=lambda model: model.name)
def test_inner_folds_of_shared_kernels_predict_as_fits_of_their_own(panel, model) -> None:
    """Kernels of all training rows, centred again, give what kernels of the inner rows give."""
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    predictors, rows = Predictors(panel.genotypes), np.arange(60)
    folds = random_folds(panel.genotypes.accessions[:60], 4, 0)
    found = held_out_forecast(model, TrainingPredictors(predictors, rows), y, folds, None)
    assert found.judged.all()
    for fold in range(4):
        own = model.fit(predictors, rows[folds != fold], y[folds != fold]).predict(rows[folds == fold])
        tolerance = 1e-3 if model is GBLUP else 0.1
        np.testing.assert_allclose(found.value[folds == fold], own.value, atol=tolerance)
        np.testing.assert_allclose(
            2.0 * found.half[folds == fold], own.upper_90 - own.lower_90, rtol=tolerance
        )
