"""Major loci: what a polygenic kernel misses, and nothing where there is none."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.major_loci import MajorLoci
from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.inner_folds import inner_random_folds
from budwood.stats.evaluation.metrics import pearson_r

ROWS, CANDIDATES = np.arange(120), np.arange(120, 200)


@pytest.fixture(scope="module")
def predictors() -> PanelKernels:
    generator = np.random.default_rng(8)
    dosage = 2 * generator.binomial(1, 0.5, (200, 300))
    return PanelKernels(Genotypes.from_matrix([f"line{i:03d}" for i in range(200)], dosage.astype(np.int8)))


def _values(found: CrossFit, predictors: PanelKernels, rows: np.ndarray = CANDIDATES) -> np.ndarray:
    return found.predictor.value(predictors.lines(rows, ROWS))


def _fit(predictors: PanelKernels, y: np.ndarray, **settings) -> CrossFit:
    folds = inner_random_folds(predictors, ROWS, 5, 0)
    return MajorLoci(**settings).cross_fit(TrainingSet(predictors, ROWS, y[ROWS], folds))


def test_two_genes_among_many_are_worth_more_than_the_kernel(predictors) -> None:
    dosage, generator = predictors.genotypes.dosage, np.random.default_rng(1)
    genetic = 1.0 * dosage[:, 40] - 0.8 * dosage[:, 222]
    y = genetic + 0.8 * genetic.std() * generator.standard_normal(200)
    found = pearson_r(_values(_fit(predictors, y), predictors), genetic[CANDIDATES])
    kernel = GBLUP.fit(predictors, ROWS, y[ROWS]).predict(predictors.lines(CANDIDATES, ROWS)).value
    assert found > 0.9
    assert found > pearson_r(kernel, genetic[CANDIDATES]) + 0.2


def test_noise_is_not_predicted(predictors) -> None:
    generator = np.random.default_rng(2)
    r = []
    for _ in range(12):
        y = generator.standard_normal(200)
        found = _fit(predictors, y, bagging=Bagging(repeats=2))
        r.append([pearson_r(_values(found, predictors), y[CANDIDATES]), pearson_r(found.held_out, y[ROWS])])
    mean, error = np.mean(r, axis=0), np.std(r, axis=0) / np.sqrt(len(r))
    assert (mean < 2.5 * error).all()


def test_fits_search_different_markers_when_there_are_many(predictors) -> None:
    """With a third of the markers for each fit, a gene is found by some of the fits."""
    dosage, generator = predictors.genotypes.dosage, np.random.default_rng(3)
    y = dosage[:, 100] + 0.5 * generator.standard_normal(200)
    some, every = (
        _values(_fit(predictors, y, bagging=Bagging(markers=most)), predictors) for most in (100, 300)
    )
    assert pearson_r(every, y[CANDIDATES]) > pearson_r(some, y[CANDIDATES]) > 0.5


def test_rows_do_not_influence_one_another(predictors) -> None:
    y = predictors.genotypes.dosage[:, 5] + np.random.default_rng(4).standard_normal(200)
    together = _values(_fit(predictors, y), predictors)
    fewer = predictors.take(np.array([*ROWS, 150]))
    alone = _values(_fit(fewer, y), fewer, np.array([120]))
    assert alone[0] == pytest.approx(together[30], abs=1e-9)
