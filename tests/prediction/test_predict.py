"""The main job in Python: a prediction for every accession, the evaluation beside it."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.predict import predict_trait


@pytest.fixture(scope="module")
def outcome(panel):
    return predict_trait(
        panel.genotypes, panel.values, "height", haplotypes=panel.haplotypes, vectors=panel.vectors, repeats=2
    )


def test_every_accession_is_predicted_and_ranked(panel, outcome) -> None:
    prediction, _ = outcome
    assert prediction.accessions == panel.genotypes.accessions
    assert sorted(prediction.rank) == list(range(1, 81))
    assert prediction.prediction[prediction.rank == 1] == prediction.prediction.max()
    assert np.isnan(prediction.observed).sum() == 20
    for name in ("prediction", "standard_error", "reliability", "lower_90", "upper_90", "relatedness"):
        assert np.isfinite(getattr(prediction, name)).all()
    assert ((prediction.reliability >= 0) & (prediction.reliability <= 1)).all()
    assert (prediction.lower_90 < prediction.prediction).all()
    assert (prediction.prediction < prediction.upper_90).all()
    assert np.corrcoef(prediction.prediction[60:], panel.genetic[60:])[0, 1] > 0.4
    assert prediction.reliability[:60].mean() > prediction.reliability[60:].mean()


def test_relatives_are_other_labelled_accessions(panel, outcome) -> None:
    prediction, _ = outcome
    assert set(prediction.nearest_training_accession) <= set(panel.values)
    for own, nearest in zip(prediction.accessions, prediction.nearest_training_accession, strict=True):
        assert own != nearest
    assert not prediction.extrapolation[:60].any()


def test_models_stand_beside_gblup_on_the_same_folds(outcome) -> None:
    prediction, evaluation = outcome
    assert [score.name for score in evaluation.scores] == ["GBLUP", "Gaussian kernel", "GBLUP + DNA model"]
    assert {len(score.fold_r) for score in evaluation.scores} == {10}
    assert evaluation.permutation.model == "GBLUP + DNA model"
    assert list(prediction.variance_shares) == ["relationship", "embedding", "residual"]
    assert "DNA model" in evaluation.conclusion
    assert "Sequence: 3 missing calls, taken as the reference allele." in prediction.notes
    assert not any("phase" in told for told in prediction.notes)


def test_without_sequence_the_markers_predict(panel) -> None:
    prediction, evaluation = predict_trait(panel.genotypes, panel.values, "height", repeats=1)
    assert list(prediction.variance_shares) == ["relationship", "residual"]
    assert [score.name for score in evaluation.scores] == ["GBLUP", "Gaussian kernel"]
    assert evaluation.permutation.model == "GBLUP"
    assert evaluation.conclusion == "No DNA model took part: predictions rest on the markers alone."


def test_one_candidate_alone_and_in_another_order_gets_the_same_numbers(panel, outcome) -> None:
    together, _ = outcome
    rows = [70, *reversed(range(60))]
    alone, _ = predict_trait(
        panel.genotypes.take(rows),
        panel.values,
        "height",
        haplotypes=panel.haplotypes,
        vectors=panel.vectors,
        repeats=1,
    )
    for name in ("prediction", "standard_error", "reliability", "lower_90", "upper_90", "relatedness"):
        np.testing.assert_allclose(getattr(alone, name), getattr(together, name)[rows], rtol=1e-5, atol=1e-6)
    assert alone.nearest_training_accession[0] == together.nearest_training_accession[70]


def test_the_same_seed_gives_the_same_answer(panel) -> None:
    first, second = (
        predict_trait(panel.genotypes, panel.values, "height", seed=3, repeats=1) for _ in range(2)
    )
    np.testing.assert_array_equal(first[0].prediction, second[0].prediction)
    assert first[1].scores[0].fold_r == second[1].scores[0].fold_r
    assert first[1].permutation == second[1].permutation


def test_few_labels_mean_fewer_folds_and_say_so(panel) -> None:
    few = dict(list(panel.values.items())[:12])
    prediction, evaluation = predict_trait(panel.genotypes, few, "height", repeats=1)
    assert evaluation.folds == 4
    assert "Cross-validation used 4 folds instead of 5, so that each fold can be judged." in prediction.notes


def test_a_trait_with_a_rare_value_is_predicted_with_fewer_folds(panel) -> None:
    rare = {name: float(i < 6) for i, name in enumerate(panel.values)}
    prediction, evaluation = predict_trait(panel.genotypes, rare, "awn", repeats=1)
    assert 2 <= evaluation.folds <= 5
    assert np.isfinite(prediction.prediction).all()


def test_polyploid_dosage_is_taken_as_it_is(panel) -> None:
    doubled = panel.genotypes.dosage * 2
    tetraploid = Genotypes.from_matrix(panel.genotypes.accessions, doubled.astype(np.int8), ploidy=4)
    found, _ = predict_trait(tetraploid, panel.values, "height", repeats=1)
    expected, _ = predict_trait(panel.genotypes, panel.values, "height", repeats=1)
    np.testing.assert_allclose(found.prediction, expected.prediction, atol=1e-6)
    np.testing.assert_allclose(found.reliability, expected.reliability, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"x1": 1.0}, "no accession has both genotypes and a value of trait 'height': genotypes name"),
        ({}, "every value of trait 'height' is missing"),
        (lambda names: dict.fromkeys(names, float("nan")), "every value of trait 'height' is missing"),
        (lambda names: dict.fromkeys(names, 2.5), "trait 'height' has the same value, 2.5, in all 80"),
        (lambda names: {names[0]: 1.0}, "only 1 accession has both .* phenotype at least 10"),
        (lambda names: dict(zip(names[:9], range(9), strict=True)), "only 9 accessions have"),
        (lambda names: {name: float("inf") for name in names}, "is infinite"),
        (lambda names: {name: float(i == 0) for i, name in enumerate(names)}, "almost all of the 80 values"),
    ],
)
def test_values_that_cannot_teach_are_one_sentence(panel, values, sentence: str) -> None:
    given = values(panel.genotypes.accessions) if callable(values) else values
    with pytest.raises(BudwoodError, match=sentence):
        predict_trait(panel.genotypes, given, "height")


def test_other_bad_input_is_one_sentence(panel) -> None:
    with pytest.raises(BudwoodError, match=r"fewer phenotyped accessions \(60\) than folds \(61\)"):
        predict_trait(panel.genotypes, panel.values, "height", folds=61)
    first = panel.genotypes.take(range(60))
    twice = replace(first, accessions=(first.accessions[0], *first.accessions[:59]))
    with pytest.raises(BudwoodError, match="occurs twice"):
        predict_trait(twice, panel.values, "height")
    renamed = Genotypes.from_matrix([*panel.genotypes.accessions[:79], "elsewhere"], panel.genotypes.dosage)
    with pytest.raises(BudwoodError, match="1 of the 80 genotyped accessions have no haplotypes"):
        predict_trait(renamed, panel.values, "height", haplotypes=panel.haplotypes, vectors=panel.vectors)
