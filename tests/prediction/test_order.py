"""Results do not depend on the order of lines, records or markers; the seed reaches every draw."""

from dataclasses import fields
from functools import partial

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.panel.marker_weights import MarkerWeights
from budwood.prediction import compare, predict
from budwood.prediction.compare import Design, compare_models
from budwood.prediction.environments.predict import predict_environments
from budwood.prediction.evaluation.evaluate import evaluate
from budwood.prediction.evaluation.results import TraitPrediction
from budwood.prediction.models.registry import MODEL_NAMES
from budwood.prediction.phenotype_next import phenotype_next
from budwood.prediction.predict import predict_trait

LINES, PHENOTYPED, MARKERS = 36, 26, 40


def _panel() -> tuple[Genotypes, dict[str, float], MarkerWeights]:
    generator = np.random.default_rng(3)
    dosage = generator.integers(0, 3, (LINES, MARKERS)).astype(np.int8)
    dosage[generator.random(dosage.shape) < 0.05] = -1
    names = [f"line{i:02d}" for i in generator.permutation(LINES)]
    y = np.maximum(dosage, 0)[:, :6].sum(axis=1) + generator.normal(size=LINES)
    half = (np.arange(MARKERS) % 2).astype(float)
    weights = MarkerWeights({"subgenome:A": half, "subgenome:B": 1.0 - half})
    values = dict(zip(names[:PHENOTYPED], y.tolist(), strict=False))
    return Genotypes.from_matrix(names, dosage), values, weights


def _shuffled(panel: tuple[Genotypes, dict[str, float], MarkerWeights]):
    genotypes, values, weights = panel
    generator = np.random.default_rng(9)
    rows, columns = generator.permutation(LINES), generator.permutation(MARKERS)
    names = [list(values)[i] for i in generator.permutation(len(values))]
    moved = genotypes.take(rows).take_markers(columns)
    return moved, {name: values[name] for name in names}, weights.take(columns)


def _by_name(found: TraitPrediction) -> TraitPrediction:
    return found.in_order_of(sorted(found.accessions))


def _same(first: TraitPrediction, second: TraitPrediction) -> bool:
    return all(
        np.asarray(getattr(first, each.name)).tobytes() == np.asarray(getattr(second, each.name)).tobytes()
        for each in fields(TraitPrediction)
        if isinstance(getattr(first, each.name), np.ndarray)
    )


@pytest.mark.usefixtures("unevaluated")
@pytest.mark.parametrize("model", [name for name in MODEL_NAMES if name != "gblup+dna"])
def test_predictions_are_the_same_to_the_byte_whatever_the_order(model: str) -> None:
    panel = _panel()
    (first, _), (second, _) = (
        predict_trait(genotypes, values, "t", weights=weights, model=model)
        for genotypes, values, weights in (panel, _shuffled(panel))
    )
    assert second.accessions != first.accessions
    first, second = _by_name(first), _by_name(second)
    assert _same(first, second)
    assert first.notes == second.notes
    assert first.nearest_training_accession == second.nearest_training_accession


def test_figures_of_candidates_are_the_same_whatever_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "evaluate", partial(evaluate, permutations=1))
    panel = _panel()
    (first, judged), (second, again) = (
        predict_trait(genotypes, values, "t", repeats=1) for genotypes, values, _ in (panel, _shuffled(panel))
    )
    assert _same(_by_name(first), _by_name(second))
    # Compared as text, because a bound that cannot be given is NaN, which equals nothing.
    assert repr(judged.candidates) == repr(again.candidates)
    assert judged.candidates


def test_evaluations_are_the_same_whatever_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "evaluate", partial(evaluate, permutations=1))
    panel = _panel()
    for design in (
        Design(("gblup", "elastic-net", "random-forest"), folds=2, repeats=1, seed=4),
        Design(("gblup", "multi-kernel"), scheme="clusters", folds=2),
    ):
        first, second = (
            compare_models(genotypes, values, "t", design)
            for genotypes, values, _ in (panel, _shuffled(panel))
        )
        assert [score.fold_r for score in first.scores] == [score.fold_r for score in second.scores]
        assert first.held_out_accessions == second.held_out_accessions
        assert first.held_out_prediction.tobytes() == second.held_out_prediction.tobytes()
        assert first.paired == second.paired
        assert first.permutation == second.permutation


@pytest.mark.usefixtures("unevaluated")
@pytest.mark.parametrize("model", ["major-loci", "random-forest", "lightgbm"])
def test_the_seed_reaches_the_draws_of_a_model(model: str) -> None:
    genotypes, values, _ = _panel()
    first, again, other = (
        predict_trait(genotypes, values, "t", model=model, seed=seed)[0] for seed in (5, 5, 6)
    )
    assert first.prediction.tobytes() == again.prediction.tobytes()
    assert not np.array_equal(first.prediction, other.prediction)


def test_a_mean_does_not_depend_on_the_order_of_records() -> None:
    value = np.array([0.1, 0.2, 0.3, 1e9, -1e9])
    name, trait, place = (np.full(5, text, dtype=object) for text in ("a", "t", ""))
    means = {
        Phenotypes(name, trait, place, value[order], np.full(5, np.nan)).means("t")["a"]
        for order in ([0, 1, 2, 3, 4], [3, 0, 1, 2, 4], [4, 3, 2, 1, 0])
    }
    assert len(means) == 1


def _field(genotypes: Genotypes, order: np.ndarray) -> Phenotypes:
    """Records of 26 lines in three places, some of them twice, some missing, in an order."""
    generator = np.random.default_rng(4)
    lines = sorted(genotypes.accessions)[:PHENOTYPED]
    pairs = [(line, place) for line in lines for place in ("dry", "wet", "cold")]
    pairs = [pair for k, pair in enumerate(pairs) if k % 7] + pairs[:9]
    value = generator.normal(size=len(pairs)).round(3)
    names, places = (np.array(each, dtype=object)[order] for each in zip(*pairs, strict=True))
    trait = np.full(len(order), "t", dtype=object)
    return Phenotypes(names, trait, places, value[order], np.full(len(order), np.nan))


@pytest.mark.parametrize("model", ["main", "deviations", "factor"])
def test_environment_models_do_not_depend_on_the_order_of_lines_records_and_markers(model: str) -> None:
    genotypes, _, _ = _panel()
    moved, _, _ = _shuffled(_panel())
    records = PHENOTYPED * 3 - -(-PHENOTYPED * 3 // 7) + 9
    generator = np.random.default_rng(6)
    first = predict_environments(genotypes, _field(genotypes, np.arange(records)), "t", model=model)
    second = predict_environments(moved, _field(moved, generator.permutation(records)), "t", model=model)
    assert second.accessions == moved.accessions
    second = second.in_order_of(first.accessions)
    for each in fields(first):
        one, other = getattr(first, each.name), getattr(second, each.name)
        if isinstance(one, np.ndarray):
            assert one.tobytes() == other.tobytes(), each.name


def test_lines_to_phenotype_next_do_not_depend_on_the_order() -> None:
    genotypes, values, _ = _panel()
    moved, turned, _ = _shuffled(_panel())
    few = dict(sorted(values.items())[:8])
    first = phenotype_next(genotypes, 6, values=few)
    second = phenotype_next(moved, 6, values={name: turned[name] for name in reversed(list(few))})
    assert first == second
