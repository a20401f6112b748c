"""A trait that is pure noise is predicted by no model, and the audit finds a leak that was planted."""

from dataclasses import replace

import numpy as np
import pytest

from meristem.genomics.genotypes import Genotypes
from meristem.prediction.audit import leakage_audit
from meristem.prediction.boosted_trees import BoostedTrees
from meristem.prediction.calibrated import Calibrated
from meristem.prediction.cross_fit import CrossFitter
from meristem.prediction.cross_fit_model import CrossFitModel
from meristem.prediction.evaluate import Comparison, Scheme, evaluate
from meristem.prediction.models import MODEL_NAMES, model_named
from meristem.prediction.predictors import EMBEDDING, RELATIONSHIP, Predictors
from meristem.prediction.random_forest import RandomForest
from meristem.prediction.stack import Stack
from meristem.prediction.trait_model import GBLUP, TraitModel
from meristem.stats.metrics import pearson_r
from meristem.stats.splits import cluster_folds, random_folds

LINES = 60


def _predictors(markers: int = 150) -> Predictors:
    generator = np.random.default_rng(7)
    families = generator.uniform(0.05, 0.95, (4, markers))
    dosage = generator.binomial(2, families[generator.integers(0, 4, LINES)]).astype(np.int8)
    features = generator.standard_normal((LINES, 5))
    names = [f"line{i:02d}" for i in range(LINES)]
    return Predictors(Genotypes.from_matrix(names, dosage), {EMBEDDING: features @ features.T})


def _light(name: str) -> TraitModel:
    """The model, with fewer trees where it has a forest."""
    model = model_named(name)
    if isinstance(model, CrossFitModel):
        return replace(model, fitter=_lighter(model.fitter))
    return model


def _lighter(fitter: CrossFitter) -> CrossFitter:
    if isinstance(fitter, Stack):
        return Stack(tuple(_lighter(member) for member in fitter.members))
    if isinstance(fitter, BoostedTrees):
        return replace(fitter, rounds=40)
    return replace(fitter, trees=60) if isinstance(fitter, RandomForest) else fitter


def _mean_r(model: TraitModel, predictors: Predictors, y: np.ndarray, folds: np.ndarray) -> float:
    found = []
    for fold in np.unique(folds):
        training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        forecast = model.fit(predictors, training, y[training]).predict(held_out)
        found.append(pearson_r(forecast.value, y[held_out]))
    return float(np.mean(found))


@pytest.mark.parametrize("scheme", ["random", "clusters"])
@pytest.mark.parametrize("model", [*map(_light, MODEL_NAMES), Calibrated(GBLUP)], ids=lambda m: m.name)
def test_noise_is_not_predicted(model, scheme) -> None:
    predictors = _predictors()
    generator, draws = np.random.default_rng(11), 3
    if scheme == "random":
        folds = random_folds(predictors.genotypes.accessions, 3, 0)
    else:
        folds = cluster_folds(predictors.kernel(RELATIONSHIP, np.arange(LINES)), 3)
    found = [_mean_r(model, predictors, generator.standard_normal(LINES), folds) for _ in range(draws)]
    # The sampling error of a correlation of n pairs is 1 / sqrt(n); four of it.
    assert abs(np.mean(found)) < 4.0 / np.sqrt(LINES * draws)


def _gblup_r(predictors: Predictors, y: np.ndarray) -> float:
    folds = random_folds(predictors.genotypes.accessions, 4, 0)
    scheme = Scheme("random", (folds,))
    found = evaluate(predictors, y, Comparison((GBLUP,), "GBLUP"), scheme, trait="noise", permutations=1)
    return found.scores[0].mean_r


def test_the_audit_catches_markers_chosen_on_all_accessions() -> None:
    predictors = _predictors(2000)
    genotypes = predictors.genotypes

    def preselected(y: np.ndarray) -> float:
        centred = genotypes.dosage - genotypes.dosage.mean(axis=0)
        size = np.linalg.norm(centred, axis=0)
        association = np.abs((y - y.mean()) @ centred) / np.maximum(size, 1e-9)
        chosen = np.argsort(-association)[:40]
        return _gblup_r(Predictors(genotypes.take_markers(np.sort(chosen))), y)

    y = np.random.default_rng(1).standard_normal(LINES)
    leaking = leakage_audit(preselected, y, name="markers chosen on all", shuffles=8)
    assert leaking.lower > 0.2
    honest = leakage_audit(lambda values: _gblup_r(predictors, values), y, name="GBLUP", shuffles=8)
    assert honest.lower < 0.0 < honest.upper
