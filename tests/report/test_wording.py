"""The sentences say what the numbers say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from budwood.prediction.evaluation.results import (
    CandidateSet,
    Evaluation,
    ModelScore,
    PermutationTest,
    TraitPrediction,
)
from budwood.report import wording
from report.plausible import DNA, make_context, make_evaluation, make_prediction


def with_r(prediction: TraitPrediction, *fold_r: float, **changes: object) -> Evaluation:
    evaluation = make_evaluation(prediction, **changes)
    scores = tuple(
        replace(score, fold_r=fold_r, mean_r=float(np.mean(fold_r))) if score.name == DNA else score
        for score in evaluation.scores
    )
    return replace(evaluation, scores=scores)


@pytest.mark.parametrize(
    ("fold_r", "said"),
    [
        ((0.65, 0.7, 0.68, 0.72), "strong guide"),
        ((0.4, 0.45, 0.42, 0.44), "moderate guide"),
        ((0.15, 0.16, 0.14, 0.15), "weak guide"),
        ((0.5, -0.3, 0.2, 0.1), "Nothing shows that this ranking beats chance"),
    ],
)
def test_the_headline_follows_r_and_its_interval(
    prediction: TraitPrediction, fold_r: tuple[float, ...], said: str
) -> None:
    assert said in wording.headline(prediction, with_r(prediction, *fold_r), make_context())


def test_a_leaking_evaluation_is_not_praised(prediction: TraitPrediction) -> None:
    leaking = with_r(prediction, 0.9, 0.91, 0.9, permutation=PermutationTest(DNA, 0.4, 0.3, 0.5))
    assert wording.headline(prediction, leaking, make_context()).startswith("Do not rely")
    assert "biased" in wording.evaluation_notes(leaking, make_context())[-1]


def test_the_headline_without_a_score_says_why(prediction: TraitPrediction, evaluation: Evaluation) -> None:
    context = make_context(no_evaluation="Two lines are too few.")
    assert wording.headline(prediction, None, context).endswith("measured: Two lines are too few.")
    assert "could not be measured" in wording.headline(prediction, evaluation, make_context(model="another"))


def test_candidates_outside_the_training_set_are_counted_and_labelled_ones_are_not() -> None:
    flags = np.zeros(10, dtype=bool)
    prediction = make_prediction(10, 4, extrapolation=flags)
    assert wording.coverage_sentence(prediction).startswith("Every candidate is about as related")
    flags[np.isfinite(prediction.observed)] = True
    assert wording.coverage_sentence(prediction).startswith("Every candidate is about as related")
    flags[np.flatnonzero(np.isnan(prediction.observed))[:1]] = True
    assert wording.coverage_sentence(prediction).startswith("1 of 6 candidates is marked “extrapolation”")
    assert "no candidate" in wording.coverage_sentence(make_prediction(4, 4))


def test_an_unknown_scheme_is_named(prediction: TraitPrediction) -> None:
    notes = wording.evaluation_notes(make_evaluation(prediction, scheme="years"), make_context())
    assert "scheme “years”" in notes[0]


@pytest.mark.parametrize(
    ("slope", "said"), [(0.5, "smaller in the field"), (1.0, "right size"), (1.6, "larger in")]
)
def test_the_slope_is_explained(prediction: TraitPrediction, slope: float, said: str) -> None:
    evaluation = make_evaluation(prediction)
    scores = tuple(replace(score, slope=slope) for score in evaluation.scores)
    notes = wording.evaluation_notes(replace(evaluation, scores=scores), make_context())
    assert said in " ".join(notes)


def test_lower_can_be_better_and_a_loss_is_called_one(prediction: TraitPrediction) -> None:
    evaluation = make_evaluation(prediction, lower_is_better=True)
    notes = " ".join(wording.evaluation_notes(evaluation, make_context()))
    assert "6.3 lower than all hidden lines" in notes
    assert "the truly best quarter was 11.9 lower" in notes
    scores = tuple(replace(score, gain=-2.0, gain_sd=-0.2) for score in evaluation.scores)
    notes = " ".join(wording.evaluation_notes(replace(evaluation, scores=scores), make_context()))
    assert "2.0 higher than all hidden lines (0.20 standard deviations); the truly best" in notes


def test_r_over_h_above_1_is_not_believed(prediction: TraitPrediction) -> None:
    evaluation = make_evaluation(prediction)
    scores = tuple(replace(score, accuracy=1.3) for score in evaluation.scores)
    notes = " ".join(wording.evaluation_notes(replace(evaluation, scores=scores), make_context()))
    assert "r / h is 1.30" in notes
    assert "it only says that the heritability is too low" in notes


def test_what_was_not_measured_is_not_told(prediction: TraitPrediction) -> None:
    evaluation = make_evaluation(prediction, heritability=None, possible_gain=math.nan, notes=())
    first = evaluation.scores[0]
    bare = ModelScore(DNA, first.fold_r, first.mean_r, 0.9, 9.0, 1.0, 1.0)
    notes = wording.evaluation_notes(replace(evaluation, scores=(bare,), paired=()), make_context())
    assert len(notes) == 4
    assert "nan" not in " ".join(notes)


def test_a_flat_picture_has_no_r(prediction: TraitPrediction) -> None:
    count = int(np.isfinite(prediction.observed).sum())
    flat = make_evaluation(prediction, held_out_observed=np.full(count, math.nan))
    assert "r has no meaning" in wording.agreement_note(flat)


@pytest.mark.parametrize("kernel", ["relationship", "function", "subgenome A", "residual"])
def test_a_share_of_variance_is_explained(kernel):
    assert wording.share_meaning(kernel)
    assert not wording.share_meaning("a kernel of one's own")


def test_candidates_in_a_group_of_their_own_are_said_to_be(prediction: TraitPrediction) -> None:
    names = prediction.accessions
    mixed = CandidateSet("near", names[25:40], 1.0, 0.68, 0.9, 0.9, 1)
    family = CandidateSet("near group", names[40:50], 1.1, 0.2, 0.72, 0.85, 4, 4, -0.1, 0.5)
    evaluation = with_r(prediction, 0.65, 0.7, 0.68, 0.72, candidates=(mixed, family))
    told = wording.headline(prediction, evaluation, make_context())
    assert "for 10 near phenotyped lines but in groups of their own it is a weak guide (r = 0.20" in told
    assert "four in five lie between -0.10 and 0.50" in told.replace("\u2212", "-")
    assert "For 10 candidates the 90 % intervals cannot be promised to hold" in told
    assert "they held 72 % or more" in told
    ordinary = replace(evaluation, candidates=(mixed,))
    assert "groups of their own" not in wording.headline(prediction, ordinary, make_context())
