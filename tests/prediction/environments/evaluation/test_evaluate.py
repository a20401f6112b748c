"""Held-out accuracy: what it finds, and that nothing leaks."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.prediction.environments.contract import (
    DEVIATIONS,
    FACTOR_1,
    MAIN_EFFECT,
    REACTION_NORM,
    forecast_cells,
)
from budwood.prediction.environments.evaluation.compare import compare_environment_models
from budwood.prediction.environments.evaluation.evaluate import evaluate_environments
from budwood.prediction.environments.evaluation.schemes import ENVIRONMENT_SCHEMES
from budwood.prediction.environments.predict import predict_environments
from budwood.prediction.environments.trials import match_trials
from budwood.prediction.kernels.panel_kernels import PanelKernels

MODELS = (MAIN_EFFECT, DEVIATIONS, REACTION_NORM)


@pytest.fixture(scope="module")
def trials(field):
    return match_trials(field.genotypes, field.phenotypes, "yield", field.environments)


@pytest.fixture(scope="module")
def predictors(field):
    return PanelKernels(field.genotypes)


@pytest.mark.parametrize("scheme", ENVIRONMENT_SCHEMES)
def test_every_scheme_scores_every_model(scheme: str, predictors, trials) -> None:
    found = evaluate_environments(
        predictors, trials, MODELS, scheme, trait="yield", folds=3, permutations=0, seed=1
    )
    assert [score.name for score in found.scores] == [model.name for model in MODELS]
    held = {"e4", "e5", "e6", "e2", "e3"} if scheme == "forward" else set(trials.environments.names)
    for score in found.scores:
        assert set(score.environment_r) == held
        assert score.mean_r == pytest.approx(np.mean(list(score.environment_r.values())))
        assert score.mean_r > 0.3
        # Where the mean of the environment itself is to be predicted, few environments make wide intervals.
        assert 0.75 < score.coverage_90 <= 1.0
    pairs = {(d.model, d.baseline) for d in found.paired}
    assert (REACTION_NORM.name, DEVIATIONS.name) in pairs
    assert all(d.lower <= d.mean <= d.upper for d in found.paired)
    assert found.interval_over == ("folds" if scheme in ("cv1", "cv2") else "environments")
    assert found.conclusion.startswith("Covariates of the environments")


def test_covariates_help_where_new_environments_differ_by_them(predictors, trials) -> None:
    found = evaluate_environments(
        predictors, trials, (DEVIATIONS, REACTION_NORM), "cv0", trait="yield", folds=7, permutations=0
    )
    plain, covaried = found.scores
    assert covaried.mean_r > plain.mean_r + 0.03
    assert "add accuracy (cv0)" in found.conclusion


@pytest.mark.parametrize("scheme", ENVIRONMENT_SCHEMES)
def test_shuffled_values_give_no_accuracy(scheme: str, predictors, trials) -> None:
    generator = np.random.default_rng(3)
    found = []
    for _ in range(6):
        told = evaluate_environments(
            predictors,
            trials.shuffled(generator),
            (REACTION_NORM,),
            scheme,
            trait="yield",
            folds=3,
            permutations=0,
        )
        found.append(told.scores[0].mean_r)
    # 60 lines in 7 environments: the standard deviation of one mean is about .05.
    assert abs(np.mean(found)) < 0.08


def test_held_out_values_do_not_move_predictions(predictors, trials) -> None:
    """What a model says of held-out cells is the same whatever stands in them."""
    keep = np.flatnonzero(trials.line >= 12)
    changed = replace(trials, value=np.where(trials.line < 12, 1e3, trials.value))
    held = np.flatnonzero(trials.line < 12)
    cells = (trials.line[held], trials.environment[held])
    for model in (REACTION_NORM, FACTOR_1):
        ours = forecast_cells(model.fit(predictors, trials.take(keep)), predictors, *cells)
        theirs = forecast_cells(model.fit(predictors, changed.take(keep)), predictors, *cells)
        assert (ours.value == theirs.value).all()


def test_the_control_is_on_shuffled_values(predictors, trials) -> None:
    found = evaluate_environments(
        predictors, trials, (MAIN_EFFECT,), "cv1", trait="yield", folds=3, permutations=3
    )
    assert found.permutation.model == MAIN_EFFECT.name
    assert abs(found.permutation.mean_r) < 0.2 < found.scores[0].mean_r


def test_few_environments_are_judged_over_lines(predictors, trials) -> None:
    three = trials.take(np.flatnonzero(trials.environment < 3))
    found = evaluate_environments(
        predictors, three, (MAIN_EFFECT, DEVIATIONS), "cv0", trait="yield", folds=3, permutations=0
    )
    assert found.interval_over == "lines"
    assert found.paired[0].lower < found.paired[0].upper


def test_an_environment_with_few_lines_is_not_judged(predictors, trials) -> None:
    thin = trials.take(np.flatnonzero((trials.environment != 3) | (trials.line < 8)))
    found = evaluate_environments(
        predictors, thin, (MAIN_EFFECT,), "cv1", trait="yield", folds=3, permutations=0
    )
    assert "e3" not in found.scores[0].environment_r
    assert any("Not judged" in told and "e3" in told for told in found.notes)
    few = trials.take(np.flatnonzero(trials.line < 12))
    with pytest.raises(BudwoodError, match="none can be judged"):
        evaluate_environments(predictors, few, (MAIN_EFFECT,), "cv1", trait="yield", folds=3, permutations=0)


def test_models_are_named(field) -> None:
    found = compare_environment_models(
        field.genotypes,
        field.phenotypes,
        "yield",
        environments=field.environments,
        models=["main", "separate"],
        scheme="cv1",
        folds=2,
    )
    assert [score.name for score in found.scores] == ["main effect", "each environment alone"]
    with pytest.raises(BudwoodError, match="the reaction norm needs covariates"):
        compare_environment_models(field.genotypes, field.phenotypes, "yield", models=["reaction-norm"])
    with pytest.raises(BudwoodError, match="there is no multi-environment model 'gblup'"):
        compare_environment_models(field.genotypes, field.phenotypes, "yield", models=["gblup"])
    with pytest.raises(BudwoodError, match="not distinct"):
        compare_environment_models(field.genotypes, field.phenotypes, "yield", models=["main", "main"])


def test_variance_components_that_did_not_settle_are_noted(predictors, trials, field, monkeypatch) -> None:
    monkeypatch.setattr("budwood.stats.mixed_model.kronecker_model._ITERATIONS", 2)
    monkeypatch.setattr("budwood.stats.mixed_model.kronecker_model._SEARCHES", 1)
    found = evaluate_environments(
        predictors, trials, (MAIN_EFFECT, FACTOR_1), "cv1", trait="yield", folds=2, permutations=0
    )
    assert any("factor" in note and "did not settle in 2 of 2 fits" in note for note in found.notes)
    predicted = predict_environments(
        field.genotypes, field.phenotypes, "yield", environments=field.environments, model="factor"
    )
    assert any("did not settle" in note for note in predicted.notes)


def test_the_intervals_of_all_pairs_are_over_the_same_unit(predictors, trials, monkeypatch) -> None:
    """A pair that can be judged in few places and years must not change the unit of those after it."""
    models = (MAIN_EFFECT, DEVIATIONS, FACTOR_1)
    arguments = {"trait": "yield", "folds": 3, "permutations": 0}
    before = evaluate_environments(predictors, trials, models, "cv0", **arguments)
    again = evaluate_environments(predictors, trials, (MAIN_EFFECT, FACTOR_1, DEVIATIONS), "cv0", **arguments)
    assert before.interval_over == again.interval_over
    assert {(d.model, d.lower, d.upper) for d in before.paired} == {
        (d.model, d.lower, d.upper) for d in again.paired
    }
