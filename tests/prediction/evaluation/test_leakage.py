"""A trait that is pure noise is predicted by no model, and the audit finds a leak that was planted."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.compare import SCHEMES
from budwood.prediction.contract import Estimator
from budwood.prediction.evaluation.evaluate import Comparison, evaluate
from budwood.prediction.evaluation.permutation_test import permutation_test
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import EMBEDDING_KERNEL, RELATIONSHIP, PanelKernels
from budwood.prediction.models.bayes_c import BayesC
from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.models.random_forest import RandomForest
from budwood.prediction.models.registry import MODEL_NAMES, model_named
from budwood.prediction.models.stack import Stack
from budwood.prediction.uncertainty.cross_fit import CrossFitter
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.stats.evaluation.splitters import cluster_folds, group_folds, random_folds

LINES = 60
#: Contigs of two subgenomes, for the model that has a relationship for each.
HALVES = {"subgenome:A": 0, "subgenome:B": 1}


def _predictors(markers: int = 150, lines: int = LINES, *, halved: bool = False) -> PanelKernels:
    generator = np.random.default_rng(7)
    families = generator.uniform(0.05, 0.95, (4, markers))
    dosage = generator.binomial(2, families[generator.integers(0, 4, lines)]).astype(np.int8)
    features = generator.standard_normal((lines, 5))
    names = [f"line{i:02d}" for i in range(lines)]
    weights = {name: (np.arange(markers) % 2 == half) * 1.0 for name, half in HALVES.items()}
    grams = {EMBEDDING_KERNEL: features @ features.T}
    return PanelKernels(Genotypes.from_matrix(names, dosage), grams, weights if halved else {})


def _light(name: str) -> Estimator:
    """The model, with fewer trees where it has a forest, and a shorter chain where it samples."""
    model = model_named(name)
    if isinstance(model, CrossFitModel):
        return replace(model, fitter=_lighter(model.fitter))
    return model


def _lighter(fitter: CrossFitter) -> CrossFitter:
    if isinstance(fitter, Stack):
        return Stack(tuple(_lighter(member) for member in fitter.members))
    if isinstance(fitter, BoostedTrees):
        return replace(fitter, rounds=20)
    if isinstance(fitter, BayesC):
        return replace(fitter, iterations=150, burn_in=50)
    return replace(fitter, trees=30) if isinstance(fitter, RandomForest) else fitter


def _scheme(name: str, predictors: PanelKernels) -> Scheme:
    lines = predictors.genotypes.accessions
    if name == "random":
        return Scheme(name, (random_folds(lines, 3, 0),))
    if name == "clusters":
        return Scheme(name, (cluster_folds(predictors.kernel(RELATIONSHIP, np.arange(len(lines))), 3),))
    families = tuple(f"family {i % 5}" for i in range(len(lines)))
    return Scheme(name, (group_folds(families, 3),), families)


def _noise_r(model: Estimator, scheme: str, predictors: PanelKernels, draws: int) -> float:
    """Mean r, by the evaluation that users get, on a trait that nothing can predict and on shuffles of it."""
    y, folds = np.random.default_rng(11).standard_normal(len(predictors)), _scheme(scheme, predictors)
    comparison = Comparison((model,), model.name)
    found = evaluate(predictors, y, comparison, folds, trait="noise", permutations=draws - 1)
    return (found.scores[0].mean_r + (draws - 1) * found.permutation.mean_r) / draws


def _bound(lines: int, draws: int) -> float:
    """Four times the sampling error of a correlation over that many independent pairs, 1 / sqrt(pairs)."""
    return 4.0 / np.sqrt(lines * draws)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", [*MODEL_NAMES, "gblup:own"])
def test_noise_is_not_predicted(name: str, scheme: str) -> None:
    model = _light(name)
    # The stack fits every other model many times: two traits of it here, more in the slow test.
    draws = 2 if name == "auto" else 3
    predictors = _predictors(halved=name == "subgenomes")
    assert abs(_noise_r(model, scheme, predictors, draws)) < _bound(LINES, draws)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", [*MODEL_NAMES, "gblup:own"])
def test_noise_is_not_predicted_by_whole_models(name: str, scheme: str) -> None:
    predictors = _predictors(300, 150, halved=name == "subgenomes")
    assert abs(_noise_r(model_named(name), scheme, predictors, 8)) < _bound(150, 8)


def _gblup_r(predictors: PanelKernels, y: np.ndarray) -> float:
    folds = random_folds(predictors.genotypes.accessions, 4, 0)
    scheme = Scheme("random", (folds,))
    found = evaluate(predictors, y, Comparison((GBLUP,), "GBLUP"), scheme, trait="noise", permutations=1)
    return found.scores[0].mean_r


def _associated(genotypes: Genotypes, y: np.ndarray, count: int) -> np.ndarray:
    """Markers with the largest correlation with the trait over all accessions."""
    centred = genotypes.dosage - genotypes.dosage.mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    association = np.abs((y - y.mean()) @ centred) / np.maximum(size, 1e-9)
    return np.sort(np.argsort(-association)[:count])


def test_the_audit_catches_markers_chosen_on_all_accessions() -> None:
    predictors = _predictors(2000)
    genotypes = predictors.genotypes

    def preselected(y: np.ndarray) -> float:
        return _gblup_r(PanelKernels(genotypes.take_markers(_associated(genotypes, y, 40))), y)

    y = np.random.default_rng(1).standard_normal(LINES)
    leaking = permutation_test(preselected, y, name="markers chosen on all", shuffles=8)
    assert leaking.lower > 0.2
    assert leaking.leaks
    honest = permutation_test(lambda values: _gblup_r(predictors, values), y, name="GBLUP", shuffles=8)
    assert honest.lower < 0.0 < honest.upper
    assert not honest.leaks


def test_the_control_of_an_evaluation_cannot_see_what_was_done_before_it() -> None:
    """Why the audit takes the whole procedure: shuffled values do not fit markers that true ones chose."""
    predictors = _predictors(2000)
    y = np.random.default_rng(1).standard_normal(LINES)
    chosen = _associated(predictors.genotypes, y, 40)
    scheme = Scheme("random", (random_folds(predictors.genotypes.accessions, 4, 0),))
    found = evaluate(
        PanelKernels(predictors.genotypes.take_markers(chosen)),
        y,
        Comparison((GBLUP,), "GBLUP"),
        scheme,
        trait="t",
    )
    assert found.scores[0].mean_r > 0.3
    assert not found.permutation.leaks
