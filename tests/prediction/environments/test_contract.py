"""Multi-environment models: closed forms, special cases, and what new environments get."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.prediction.environments.contract import (
    DEVIATIONS,
    FACTOR_1,
    MAIN_EFFECT,
    REACTION_NORM,
    SEPARATE,
    SumModel,
    forecast_cells,
)
from budwood.prediction.environments.covariates import environment_kernel
from budwood.prediction.environments.scaling import EnvironmentScales
from budwood.prediction.environments.trials import Trials, match_trials
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.variance_components import VarianceComponents

EVERY_MODEL = [MAIN_EFFECT, SEPARATE, DEVIATIONS, REACTION_NORM, FACTOR_1]


@pytest.fixture(scope="module")
def trials(field):
    return match_trials(field.genotypes, field.phenotypes, "yield", field.environments)


@pytest.fixture(scope="module")
def predictors(field):
    return PanelKernels(field.genotypes)


def test_the_main_effect_of_a_full_table_is_gblup_of_the_means(predictors, trials) -> None:
    """At the same variances; the means of the lines are all that matters."""
    scales = EnvironmentScales.learn(trials)
    scaled = (trials.value - scales.centre[trials.environment]) / scales.scale[trials.environment]
    fitted = MAIN_EFFECT.fit(predictors, trials)
    variance, residual = fitted.fit.parameters
    means = np.zeros(60)
    np.add.at(means, trials.line, scaled / 7)
    kernel = predictors.kernel(RELATIONSHIP, np.arange(60))
    gblup = blup(means, [kernel], VarianceComponents((variance,), residual / 7, 0.0))
    expected = gblup.predict([kernel], [np.diagonal(kernel)])
    found = forecast_cells(fitted, predictors, np.arange(60), np.full(60, 2))
    assert found.value == pytest.approx(scales.centre[2] + scales.scale[2] * expected.value)
    assert found.reliability == pytest.approx(expected.reliability)


def test_predictions_are_the_dense_mixed_model_s(predictors, trials, field) -> None:
    """Point, standard error and interval of the model with deviations, written out on the records."""
    kept = np.flatnonzero((trials.line < 45) & ((trials.line + trials.environment) % 5 > 0))
    training = trials.take(kept)
    fitted = DEVIATIONS.fit(predictors, training)
    main, own, residual = fitted.fit.parameters
    scales = EnvironmentScales.learn(training)
    kernel = predictors.kernel(RELATIONSHIP, training.lines)
    line, place = training.line, training.environment
    z = (training.value - scales.centre[place]) / scales.scale[place]
    same = place[:, None] == place
    v = kernel[np.ix_(line, line)] * (main + own * same) + residual * np.eye(len(z))
    x, inverse = np.eye(7)[place], np.linalg.inv(v)
    normal = np.linalg.inv(x.T @ inverse @ x)
    means = normal @ x.T @ inverse @ z
    rows, where = np.array([50, 3, 59]), np.array([2, 6, 0])
    c = kernel[np.ix_(rows, line)] * (main + own * (where[:, None] == place))
    shift = np.eye(7)[where] - c @ inverse @ x
    value = means[where] + c @ inverse @ (z - x @ means)
    variance = kernel[rows, rows] * (main + own) - np.einsum("ij,jk,ik->i", c, inverse, c)
    variance += np.einsum("ij,jk,ik->i", shift, normal, shift)
    found = forecast_cells(fitted, predictors, rows, where)
    size = scales.scale[where]
    assert found.value == pytest.approx(scales.centre[where] + size * value)
    assert found.standard_error == pytest.approx(size * np.sqrt(variance), rel=1e-6)
    half = stdtrit(len(z) - 7, 0.95) * size * np.sqrt(variance + residual)
    assert found.upper_90 - found.value == pytest.approx(half, rel=1e-6)
    assert found.value - found.lower_90 == pytest.approx(half, rel=1e-6)


def test_a_kernel_of_ones_makes_the_reaction_norm_a_main_effect(predictors, trials, monkeypatch) -> None:
    monkeypatch.setattr(
        "budwood.prediction.environments.contract.environment_kernel", lambda *_: np.ones((7, 7))
    )
    norm = SumModel("reaction norm", covariates=True, deviations=False).fit(predictors, trials)
    plain = MAIN_EFFECT.fit(predictors, trials)
    lines, places = np.arange(60), np.arange(60) % 7
    ours, theirs = (
        forecast_cells(norm, predictors, lines, places),
        forecast_cells(plain, predictors, lines, places),
    )
    assert ours.value == pytest.approx(theirs.value, rel=1e-3)
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-2)


def test_separate_environments_do_not_speak_to_one_another(predictors, trials) -> None:
    fitted = SEPARATE.fit(predictors, trials)
    changed = replace(trials, value=np.where(trials.environment == 0, -5.0 * trials.value, trials.value))
    lines, other = np.arange(60), np.full(60, 3)
    again = forecast_cells(SEPARATE.fit(predictors, changed), predictors, lines, other).value
    # The common spread that small environments lean on does move.
    assert pearson_r(forecast_cells(fitted, predictors, lines, other).value, again) > 0.999


def test_engines_agree_on_weights_that_hardly_differ(predictors, trials) -> None:
    errors = 1.0 + 1e-6 * np.arange(len(trials))
    dense = DEVIATIONS.fit(predictors, replace(trials, standard_error=errors))
    grid = DEVIATIONS.fit(predictors, trials)
    assert type(dense.fit.solved) is not type(grid.fit.solved)
    lines, places = np.arange(60), np.arange(60) % 7
    ours, theirs = (
        forecast_cells(dense, predictors, lines, places),
        forecast_cells(grid, predictors, lines, places),
    )
    assert ours.value == pytest.approx(theirs.value, abs=1e-2)
    assert ours.standard_error == pytest.approx(theirs.standard_error, rel=1e-2)


@pytest.mark.parametrize("model", EVERY_MODEL, ids=lambda model: model.name)
def test_every_model_forecasts_known_and_new_environments(model, predictors, trials) -> None:
    known = trials.take(np.flatnonzero(trials.environment != 6))
    fitted = model.fit(predictors, known)
    lines = np.arange(60)
    for place in (2, 6):
        found = forecast_cells(fitted, predictors, lines, np.full(60, place))
        for part in (found.value, found.standard_error, found.reliability, found.lower_90, found.upper_90):
            assert part.shape == (60,)
            assert np.isfinite(part).all()
        assert (found.lower_90 < found.value).all()
        assert (found.standard_error > 0.0).all()
        assert ((found.reliability >= 0.0) & (found.reliability <= 1.0)).all()
    new, old = (
        forecast_cells(fitted, predictors, lines, np.full(60, 6)),
        forecast_cells(fitted, predictors, lines, np.full(60, 2)),
    )
    assert new.standard_error.min() > old.standard_error.max()
    assert sum(fitted.variance_shares.values()) == pytest.approx(1.0)


def test_covariates_order_a_new_environment(predictors, trials, field) -> None:
    """The response to water is predicted where only the covariate tells that it is dry."""
    known = trials.take(np.flatnonzero(trials.environment != 6))
    lines, dry = np.arange(60), np.full(60, 6)
    with_water = forecast_cells(REACTION_NORM.fit(predictors, known), predictors, lines, dry).value
    without = forecast_cells(DEVIATIONS.fit(predictors, known), predictors, lines, dry).value
    truth = field.genetic[:, 6]
    assert pearson_r(with_water, truth) > pearson_r(without, truth) + 0.03


def test_the_mean_of_a_new_environment_is_expected_from_covariates() -> None:
    count = 12
    rain = np.linspace(0.0, 1.0, count)
    places = Environments(tuple(f"e{i}" for i in range(count)), *(("",) * count,) * 4, {"rain": rain})
    rng = np.random.default_rng(0)
    line, place = np.divmod(np.arange(10 * (count - 1)), count - 1)
    value = 100.0 * rain[place] + rng.normal(size=len(line))
    trials = Trials(places, line, place, value, np.full(len(line), np.nan))
    plain = EnvironmentScales.learn(trials)
    informed = plain.with_similarity(environment_kernel(places, trials.seen))
    assert abs(informed.centre[-1] - 100.0) < 5.0 < abs(plain.centre[-1] - 100.0)
    assert informed.centre_variance[-1] < plain.centre_variance[-1]


def test_covariates_of_noise_do_not_tell_the_mean_of_a_new_environment() -> None:
    """Intervals of new means hold although there are as many covariates as environments."""
    covered, believed = [], 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        count = 12
        noise = {f"c{k}": rng.normal(size=count) for k in range(12)}
        places = Environments(tuple(f"e{i}" for i in range(count)), *(("",) * count,) * 4, noise)
        means = 10.0 * rng.normal(size=count)
        line, place = np.divmod(np.arange(10 * (count - 1)), count - 1)
        value = means[place] + rng.normal(size=len(line))
        trials = Trials(places, line, place, value, np.full(len(line), np.nan))
        plain = EnvironmentScales.learn(trials)
        found = plain.with_similarity(environment_kernel(places, trials.seen))
        believed += found.centre[-1] != plain.centre[-1]
        covered.append(abs(found.centre[-1] - means[-1]) < 1.81 * np.sqrt(found.centre_variance[-1]))
    assert believed < 15
    assert np.mean(covered) > 0.75


def test_what_is_too_large_is_told(predictors, trials, monkeypatch) -> None:
    monkeypatch.setattr("budwood.prediction.environments.fitted.LARGEST", 50)
    MAIN_EFFECT.fit(predictors, trials)  # a full table needs no large matrix
    sparse = trials.take(np.flatnonzero((trials.line + trials.environment) % 2 == 0))
    with pytest.raises(BudwoodError, match="210 means of accessions in environments with 210 gaps"):
        MAIN_EFFECT.fit(predictors, sparse)


def test_an_environment_with_one_record_takes_part(predictors, trials) -> None:
    thin = trials.take(np.flatnonzero((trials.environment != 5) | (trials.line == 3)))
    for model in (DEVIATIONS, FACTOR_1):
        found = forecast_cells(model.fit(predictors, thin), predictors, np.arange(60), np.full(60, 5))
        assert np.isfinite(found.value).all()
        assert np.isfinite(found.standard_error).all()
