"""Cross-validation: the same folds for every model, held-out values unseen, honest controls."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.prediction.contract import FittedEstimator, Forecast
from budwood.prediction.evaluation.evaluate import Comparison, Scheme, evaluate
from budwood.prediction.kernels.kernel_model import GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.splitters import random_folds

FLAT = KernelModel("flat", (("gaussian:100",),))


@dataclass
class Spy:
    """GBLUP that writes down which rows it was trained on and with which values."""

    name: str
    seen: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def fit(
        self, predictors: PanelKernels, training: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
    ) -> FittedEstimator:
        self.seen.append((training, y))
        return GBLUP.fit(predictors, training, y, weights)


def _labelled(panel) -> tuple[PanelKernels, np.ndarray]:
    y = np.array([panel.values[name] for name in panel.genotypes.accessions[:60]])
    return PanelKernels(panel.genotypes.take(range(60))), y


def _scheme(predictors: PanelKernels, folds: int = 4, repeats: int = 2) -> Scheme:
    lines = predictors.genotypes.accessions
    return Scheme("random", tuple(random_folds(lines, folds, repeat) for repeat in range(repeats)))


def test_every_model_sees_the_same_folds_and_only_training_values(panel) -> None:
    predictors, y = _labelled(panel)
    scheme, first, second = _scheme(predictors), Spy("first"), Spy("second")
    evaluate(predictors, y, Comparison((first, second), "second"), scheme, trait="height", permutations=0 + 1)
    assert len(first.seen) == 8
    for training, values in first.seen:
        np.testing.assert_array_equal(values, y[training])
    shuffled = [seen for seen in second.seen if not np.array_equal(seen[1], y[seen[0]])]
    assert len(shuffled) == 4
    true = [seen for seen in second.seen if np.array_equal(seen[1], y[seen[0]])]
    for (rows, _), (others, _) in zip(first.seen, true, strict=True):
        np.testing.assert_array_equal(rows, others)


def test_scores_are_those_of_the_folds(panel) -> None:
    predictors, y = _labelled(panel)
    scheme = _scheme(predictors)
    found = evaluate(predictors, y, Comparison((GBLUP, FLAT), "GBLUP"), scheme, trait="height")
    expected = []
    for repeat, folds in enumerate(scheme.repeats):
        for fold in range(4):
            train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            value = GBLUP.fit(predictors, train, y[train]).predict(predictors.lines(test, train)).value
            expected.append(pearson_r(value, y[test]))
            if repeat == 0:
                np.testing.assert_allclose(found.held_out_prediction[test], value)
    assert found.scores[0].fold_r == pytest.approx(expected)
    assert found.scores[0].mean_r == pytest.approx(np.mean(expected))
    assert (found.folds, found.repeats, found.trait) == (4, 2, "height")
    assert found.held_out_accessions == predictors.genotypes.accessions
    difference = np.array(found.scores[1].fold_r) - np.array(found.scores[0].fold_r)
    (paired,) = found.paired
    assert (paired.model, paired.baseline) == ("flat", "GBLUP")
    assert paired.mean == pytest.approx(difference.mean())
    assert paired.lower < paired.mean < paired.upper


def test_shuffled_values_are_not_predicted(panel) -> None:
    predictors, y = _labelled(panel)
    found = evaluate(predictors, y, Comparison((GBLUP,), "GBLUP"), _scheme(predictors), trait="height")
    assert found.scores[0].mean_r > 0.3
    assert found.permutation.lower < 0.0 < found.permutation.upper
    assert abs(found.permutation.mean_r) < 0.12


def test_a_planted_leak_shows_in_the_permutation_control(panel) -> None:
    predictors, y = _labelled(panel)

    @dataclass(frozen=True)
    class Leak:
        """A model that has seen the answers: shuffles included, through the shuffle's own seed."""

        name: str = "leak"

        def fit(self, predictors, training, values, weights=None):
            generator = np.random.default_rng(0)
            known = [y, *(generator.permutation(y) for _ in range(20))]
            return Answers(next(k for k in known if np.array_equal(k[training], values)))

    @dataclass(frozen=True)
    class Answers:
        known: np.ndarray

        def predict(self, lines):
            value = self.known[lines.rows]
            return Forecast(value, value * 0 + 1, value * 0, value - 1, value + 1)

    found = evaluate(
        predictors, y, Comparison((GBLUP, Leak()), "leak"), _scheme(predictors), trait="t", seed=0
    )
    assert found.permutation.lower > 0.9


def test_a_binary_trait_gets_figures_and_a_rare_one_a_sentence(panel) -> None:
    predictors, y = _labelled(panel)
    binary = (y > np.median(y)).astype(float)
    found = evaluate(predictors, binary, Comparison((GBLUP,), "GBLUP"), _scheme(predictors), trait="awn")
    assert np.isfinite([found.scores[0].mean_r, found.scores[0].slope, found.permutation.lower]).all()
    rare = np.zeros(60)
    rare[:2] = 1.0
    with pytest.raises(BudwoodError, match="all 15 accessions of fold 2 of 4, repeat 1, have the same"):
        evaluate(predictors, rare, Comparison((GBLUP,), "GBLUP"), _scheme(predictors), trait="awn")


def test_folds_too_small_are_a_sentence(panel) -> None:
    predictors, y = _labelled(panel)
    with pytest.raises(BudwoodError, match="fold 1 of 30, repeat 1, holds 2 of 60 phenotyped accessions"):
        evaluate(predictors, y, Comparison((GBLUP,), "GBLUP"), _scheme(predictors, 30), trait="height")
