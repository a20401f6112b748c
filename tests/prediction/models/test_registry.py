"""Every model by its name keeps the contract of trait models."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.prediction.kernels.panel_kernels import EMBEDDING_KERNEL, PanelKernels
from budwood.prediction.models.gblup import GBLUP_OF_ANY_SIZE
from budwood.prediction.models.registry import MODEL_NAMES, model_named
from budwood.prediction.uncertainty.calibrated import Calibrated
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel

TRAINING = np.arange(0, 60)
CANDIDATES = np.arange(60, 80)


def _predictors(panel) -> PanelKernels:
    table = panel.haplotypes
    half = np.arange(len(panel.genotypes.markers)) % 2 == 0
    return PanelKernels(
        panel.genotypes,
        {EMBEDDING_KERNEL: haplotype_kernel(table.codes, table.offsets, panel.vectors)},
        {"subgenome:A": half.astype(float), "subgenome:B": (~half).astype(float)},
    )


def _y(panel) -> np.ndarray:
    return np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])


@pytest.mark.parametrize(
    "model", [*map(model_named, MODEL_NAMES), Calibrated(GBLUP_OF_ANY_SIZE)], ids=lambda m: m.name
)
def test_a_model_predicts_with_uncertainty_and_is_repeatable(panel, model) -> None:
    predictors, y = _predictors(panel), _y(panel)
    fitted = model.fit(predictors, TRAINING, y)
    found = fitted.predict(predictors.lines(CANDIDATES, TRAINING))
    for part in (found.value, found.standard_error, found.reliability, found.lower_90, found.upper_90):
        assert part.shape == (20,)
        assert np.isfinite(part).all()
    assert (found.lower_90 < found.value).all()
    assert (found.value < found.upper_90).all()
    assert (found.standard_error > 0).all()
    assert 0.0 <= found.reliability.min() <= found.reliability.max() <= 1.0
    assert sum(fitted.variance_shares.values()) == pytest.approx(1.0)
    assert pearson_r(found.value, panel.genetic[60:]) > 0.3
    # Nothing a fit draws depends on what was fitted before, and rows do not influence one another.
    other = _predictors(panel)
    again = model.fit(other, TRAINING, y).predict(other.lines(CANDIDATES[:3], TRAINING))
    np.testing.assert_allclose(again.value, found.value[:3], rtol=1e-9)
    np.testing.assert_allclose(again.upper_90, found.upper_90[:3], rtol=1e-9)


@pytest.mark.parametrize("name", ["major-loci", "elastic-net", "random-forest", "lightgbm", "auto"])
def test_predictions_follow_the_scale_of_the_trait(panel, name) -> None:
    predictors, y = _predictors(panel), _y(panel)
    once = model_named(name).fit(predictors, TRAINING, y).predict(predictors.lines(CANDIDATES, TRAINING))
    scaled = (
        model_named(name)
        .fit(predictors, TRAINING, 1e-4 * y + 7.0)
        .predict(predictors.lines(CANDIDATES, TRAINING))
    )
    np.testing.assert_allclose(scaled.value, 1e-4 * once.value + 7.0, atol=2e-6)
    np.testing.assert_allclose(scaled.standard_error, 1e-4 * once.standard_error, rtol=0.02)


@pytest.mark.parametrize("name", ["major-loci", "elastic-net", "random-forest", "lightgbm", "auto"])
def test_a_model_of_few_binary_records_with_weights(panel, name) -> None:
    """Inner folds in which the trait does not vary are passed over."""
    y = np.zeros(60)
    y[[3, 17, 31]] = 1.0
    predictors = _predictors(panel)
    candidates = predictors.lines(CANDIDATES, TRAINING)
    found = model_named(name).fit(predictors, TRAINING, y, np.linspace(0.5, 2.0, 60))
    assert np.isfinite(found.predict(candidates).upper_90).all()
    y[[17, 31]] = 0.0
    found = model_named(name).fit(predictors, TRAINING, y)
    assert np.isfinite(found.predict(candidates).upper_90).all()


@pytest.mark.parametrize("name", ["major-loci", "elastic-net", "random-forest", "lightgbm", "auto"])
def test_ten_records_are_enough_and_six_are_a_sentence(panel, name) -> None:
    predictors, y = _predictors(panel), _y(panel)
    found = (
        model_named(name)
        .fit(predictors, TRAINING[:10], y[:10])
        .predict(predictors.lines(CANDIDATES, TRAINING[:10]))
    )
    assert np.isfinite(found.upper_90).all()
    with pytest.raises(BudwoodError, match="6 training accessions are too few"):
        model_named(name).fit(predictors, TRAINING[:6], y[:6])


def test_an_unknown_name_is_a_sentence() -> None:
    with pytest.raises(BudwoodError, match=r"no trait model 'bayesb': did you mean 'bayes-c'\?"):
        model_named("bayesb")
    for name in ("gblup:steady", "auto:own", "lightgbm:own"):
        with pytest.raises(BudwoodError, match="no trait model"):
            model_named(name)


def test_kernel_models_are_calibrated_unless_their_own_intervals_are_asked_for(panel) -> None:
    predictors, y = _predictors(panel), _y(panel)
    calibrated, own = model_named("gblup"), model_named("gblup:own")
    assert calibrated == Calibrated(GBLUP_OF_ANY_SIZE)
    assert (calibrated.name, own.name) == ("GBLUP", "GBLUP, own interval")
    found, plain = (
        model.fit(predictors, TRAINING, y).predict(predictors.lines(CANDIDATES, TRAINING))
        for model in (own, GBLUP_OF_ANY_SIZE)
    )
    np.testing.assert_array_equal(found.upper_90, plain.upper_90)
