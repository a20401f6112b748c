"""Held-out predictions of training records are made without them."""

from itertools import pairwise

import numpy as np
import pytest
from lightgbm import Dataset, train

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL, KernelMixture
from budwood.prediction.kernels.kernel_model import GAUSSIAN_KERNEL, GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.models.elastic_net import ElasticNet
from budwood.prediction.models.major_loci import MajorLoci
from budwood.prediction.models.random_forest import RandomForest
from budwood.prediction.models.stack import Stack
from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import CrossFit, CrossFitter, KernelFitter, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.prediction.uncertainty.inner_folds import inner_random_folds
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.mixed_model.reml import reml

ROWS = np.arange(60)
FITTERS = (
    KernelFitter(GBLUP),
    KernelFitter(GAUSSIAN_KERNEL),
    KernelFitter(MULTI_KERNEL),
    MajorLoci(),
    RandomForest(trees=60),
    BoostedTrees(rounds=40),
)


def _y(panel) -> np.ndarray:
    return np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])


def _values(found: CrossFit, panel, rows: np.ndarray = ROWS) -> np.ndarray:
    return found.predictor.value(PanelKernels(panel.genotypes).lines(rows, ROWS))


def _cross_fit(fitter: CrossFitter, panel, y: np.ndarray) -> CrossFit:
    predictors = PanelKernels(panel.genotypes)
    return fitter.cross_fit(TrainingSet(predictors, ROWS, y, inner_random_folds(predictors, ROWS, 5, 0)))


@pytest.mark.parametrize("fitter", FITTERS, ids=lambda fitter: str(fitter)[:28])
def test_a_record_has_no_say_in_its_own_held_out_prediction(panel, fitter) -> None:
    y = _y(panel)
    before = _cross_fit(fitter, panel, y)
    spoilt = y.copy()
    spoilt[7] += 3.0 * y.std()
    after = _cross_fit(fitter, panel, spoilt)
    assert after.held_out[7] == pytest.approx(before.held_out[7], abs=1e-4 * y.std())
    assert np.abs(after.held_out - before.held_out).max() > 0.01 * y.std()
    assert np.abs(_values(after, panel) - _values(before, panel)).max() > 0.01 * y.std()


def test_predictors_of_any_kind_learn_a_trait_of_few_markers() -> None:
    generator = np.random.default_rng(3)
    dosage = generator.binomial(2, 0.5, (150, 30)).astype(np.int8)
    genetic = dosage[:, ::3] @ generator.choice([-1.0, 1.0], 10)
    predictors = PanelKernels(Genotypes.from_matrix([f"line{i:03d}" for i in range(150)], dosage))
    y = genetic[:100] + 0.3 * genetic.std() * generator.standard_normal(100)
    rows = np.arange(100)
    training = TrainingSet(predictors, rows, y, inner_random_folds(predictors, rows, 5, 0))
    for fitter in (*FITTERS[:4], RandomForest(share=0.3), BoostedTrees(share=0.5), ElasticNet()):
        found = fitter.cross_fit(training)
        assert pearson_r(found.held_out, genetic[:100]) > 0.6
        assert (
            pearson_r(found.predictor.value(predictors.lines(np.arange(100, 150), rows)), genetic[100:]) > 0.6
        )


@pytest.mark.parametrize("weighted", [False, True])
def test_boosters_on_shared_bins_are_those_of_their_own_records(panel, weighted) -> None:
    y, trees = _y(panel), BoostedTrees(rounds=10, bagging=Bagging(repeats=1, markers=100))
    predictors = PanelKernels(panel.genotypes)
    folds = inner_random_folds(predictors, ROWS, 5, 0)
    weights = np.linspace(0.5, 2.0, len(y)) if weighted else None
    training = TrainingSet(predictors, ROWS, y, folds, weights)
    features = training.markers().astype(np.float32)
    found = trees.cross_fit(training).predictor
    draws = list(trees.bagging.draws(*features.shape))
    for draw, member in zip(draws, found.members, strict=True):
        settings = trees._settings(len(draw.rows))
        own = features[np.ix_(draw.rows, draw.columns)]
        response = (y - y.mean()) / y.std()
        data = Dataset(own, response[draw.rows], weight=training.weights_of(draw.rows), params=settings)
        alone = train(settings, data, trees.rounds).predict(own)
        np.testing.assert_allclose(member.predict(features[draw.rows]), alone, rtol=1e-12)


def test_a_stack_is_the_weighted_sum_of_its_members(panel) -> None:
    y = _y(panel)
    members = (KernelFitter(GBLUP), BoostedTrees(rounds=40))
    alone = [_cross_fit(member, panel, y) for member in members]
    stacked = _cross_fit(Stack(members), panel, y)
    design = np.column_stack([np.ones(60), *(each.held_out for each in alone)])
    weights, left, *_ = np.linalg.lstsq(design, stacked.held_out)
    assert left.sum() < 1e-18
    expected = weights[0] + sum(w * _values(each, panel) for w, each in zip(weights[1:], alone, strict=True))
    np.testing.assert_allclose(_values(stacked, panel), expected, rtol=1e-6)
    assert (weights[1:] >= 0.0).all()


def test_a_mixture_is_the_best_of_its_proportions_and_close_to_two_variances(panel) -> None:
    predictors, y = PanelKernels(panel.genotypes), _y(panel)
    names = ("relationship", "gaussian:1")
    kernels = [predictors.kernel(name, ROWS)[:60, :60] for name in names]
    free = reml(y, kernels).log_likelihood
    each = [
        KernelMixture("one", (names,), (share,)).fit(predictors, ROWS, y).solved.components.log_likelihood
        for share in (0.25, 0.5, 0.75)
    ]
    chosen = KernelMixture("grid", (names,)).fit(predictors, ROWS, y)
    assert chosen.solved.components.log_likelihood == max(each) <= free + 1e-6
    shares = chosen.variance_shares
    ratio = shares["relationship"] / (shares["relationship"] + shares["gaussian"])
    assert min(abs(ratio - share) for share in (0.25, 0.5, 0.75)) < 1e-9


def test_intervals_and_errors_grow_with_the_errors_made(panel) -> None:
    """Noisier records: larger standard errors, wider intervals, lower reliability."""
    predictors, y = PanelKernels(panel.genotypes), _y(panel)
    noise = np.random.default_rng(0).standard_normal(60)
    model = CrossFitModel("forest", RandomForest(trees=60))
    found = [
        model.fit(predictors, ROWS, y + size * noise).predict(predictors.lines(np.arange(60, 80), ROWS))
        for size in (0.0, 1.0, 4.0)
    ]
    widths = [(each.upper_90 - each.lower_90).mean() for each in found]
    assert all(wide > narrow for narrow, wide in pairwise(widths))
    assert found[0].reliability[0] > found[2].reliability[0]


@pytest.mark.parametrize("model", [GBLUP, MULTI_KERNEL])
def test_kernel_models_learn_once_in_large_training_sets(panel, model, monkeypatch) -> None:
    y = _y(panel)
    refitted = _cross_fit(KernelFitter(model), panel, y)
    fits = []
    original = type(model).fit

    def counted(self, *arguments, **options):
        fits.append(len(arguments[1]))
        return original(self, *arguments, **options)

    monkeypatch.setattr(type(model), "fit", counted)
    once = _cross_fit(KernelFitter(model, refitted=59), panel, y)
    assert fits == [60]
    # Sixty records still move the variance components of a fold a little.
    assert pearson_r(once.held_out, refitted.held_out) > 0.95
    np.testing.assert_array_equal(_values(once, panel), _values(refitted, panel))
