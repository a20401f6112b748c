"""What is stated of candidates holds for candidates as far away as these, or is not stated."""

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.evaluation.candidate_accuracy import CandidateAccuracy
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.prediction.predict import predict_trait
from budwood.report.wording import headline
from report.plausible import make_context


def _panel(pools: int, lines: int, seed: int = 0) -> tuple[PanelKernels, np.ndarray, np.ndarray]:
    """Inbred lines of pools that drifted apart from common ancestors."""
    generator = np.random.default_rng(seed)
    ancestral = generator.uniform(0.1, 0.9, 300)
    frequency = [generator.beta(ancestral, 1.0 - ancestral) for _ in range(pools)]
    pool = np.repeat(np.arange(pools), lines)
    dosage = np.array([2 * (generator.random(300) < frequency[each]) for each in pool], dtype=np.int8)
    genetic = dosage @ generator.normal(size=300)
    y = genetic / genetic.std() + 0.5 * generator.normal(size=len(pool))
    names = [f"l{i:03d}" for i in range(len(pool))]
    return PanelKernels(Genotypes.from_matrix(names, dosage)), y, pool


def _judge(kernels: PanelKernels, y: np.ndarray, phenotyped: np.ndarray, model=GBLUP):
    rows = np.flatnonzero(phenotyped)
    return CandidateAccuracy(kernels, rows, y[rows], model, random_r=0.9, random_coverage=0.9).judge()


def test_candidates_among_the_phenotyped_lines_have_the_accuracy_of_random_folds() -> None:
    kernels, y, pool = _panel(2, 50)
    phenotyped = np.random.default_rng(1).random(len(pool)) < 0.7
    sets, far = _judge(kernels, y, phenotyped)
    assert [each.kind for each in sets] == ["near"]
    assert sets[0].mean_r == 0.9
    assert far.mean() < 0.1
    assert not far[phenotyped].any()


@pytest.mark.parametrize("groups", [1, 2])
def test_another_population_is_far_even_where_the_training_set_is_two_groups(groups: int) -> None:
    kernels, y, pool = _panel(groups + 1, 60 if groups == 1 else 40)
    sets, far = _judge(kernels, y, pool < groups)
    assert far[pool == groups].all()
    assert not far[pool < groups].any()
    kinds = {each.kind for each in sets}
    assert kinds == ({"not judged"} if groups == 1 else {"far"})
    assert not any(each.promised for each in sets if each.kind != "near")


def test_what_held_out_pools_show_is_what_a_further_pool_gives() -> None:
    stated, true = [], []
    for seed in range(4):
        kernels, y, pool = _panel(6, 30, seed)
        sets, _ = _judge(kernels, y, pool < 5)
        assert {each.kind for each in sets} == {"far"}
        stated.append(np.mean([each.mean_r for each in sets]))
        rows, held = np.flatnonzero(pool < 5), np.flatnonzero(pool == 5)
        said = GBLUP.fit(kernels, rows, y[rows]).predict(kernels.lines(held, rows))
        true.append(np.corrcoef(said.value, y[held])[0, 1])
    assert abs(np.mean(stated) - np.mean(true)) < 0.2
    assert np.mean(stated) < 0.6


def test_four_in_five_further_pools_lie_in_the_stated_interval() -> None:
    inside = []
    for seed in range(8):
        kernels, y, pool = _panel(6, 30, seed)
        sets, _ = _judge(kernels, y, pool < 5)
        rows, held = np.flatnonzero(pool < 5), np.flatnonzero(pool == 5)
        said = GBLUP.fit(kernels, rows, y[rows]).predict(kernels.lines(held, rows))
        true = np.corrcoef(said.value, y[held])[0, 1]
        lower, upper = (np.mean([getattr(each, end) for each in sets]) for end in ("lower_r", "upper_r"))
        assert lower < np.mean([each.mean_r for each in sets]) < upper
        inside.append(lower <= true <= upper)
    assert np.mean(inside) >= 0.6


def test_the_headline_is_about_the_candidates() -> None:
    kernels, y, pool = _panel(2, 60)
    names = kernels.genotypes.accessions
    values = {names[row]: float(y[row]) for row in np.flatnonzero(pool == 0)}
    prediction, evaluation = predict_trait(kernels.genotypes, values, "yield", repeats=1)
    assert prediction.extrapolation[60:].all()
    (only,) = {each.kind for each in evaluation.candidates}
    assert only == "not judged"
    told = headline(prediction, evaluation, make_context(model=model_named("gblup").name))
    assert told.startswith(("Not judged: the 60 candidates", "Nothing shows"))
    mixed = {names[row]: float(y[row]) for row in range(40)}
    prediction, evaluation = predict_trait(kernels.genotypes, mixed, "yield", repeats=1)
    assert {each.kind for each in evaluation.candidates} == {"near", "not judged"}
    assert sum(len(each.accessions) for each in evaluation.candidates) == 80


def test_without_candidates_nothing_is_stated_of_them() -> None:
    kernels, y, _ = _panel(2, 20)
    sets, far = _judge(kernels, y, np.ones(40, dtype=bool))
    assert sets == ()
    assert not far.any()


def _families(seed: int) -> tuple[PanelKernels, np.ndarray, np.ndarray]:
    """40 diverse lines, and five inbred families of 25 of two parents each that are among them."""
    generator = np.random.default_rng(seed)
    founders = generator.random((40, 400)) < generator.uniform(0.1, 0.9, 400)
    lines = [founders]
    for _ in range(5):
        parents = generator.choice(40, 2, replace=False)
        origin = generator.integers(2, size=(25, 20)).repeat(20, axis=1)
        lines.append(founders[parents[origin], np.arange(400)])
    dosage = (2 * np.concatenate(lines)).astype(np.int8)
    genetic = dosage @ generator.normal(size=400)
    y = genetic / genetic.std() + 0.5 * generator.normal(size=len(dosage))
    names = [f"l{i:03d}" for i in range(len(y))]
    return PanelKernels(Genotypes.from_matrix(names, dosage)), y, np.repeat(np.arange(6), [40, *[25] * 5])


def test_a_family_without_phenotypes_is_a_group_of_its_own_though_near() -> None:
    stated, true, kinds = [], [], []
    for seed in range(4):
        kernels, y, family = _families(seed)
        sets, far = _judge(kernels, y, family < 5)
        kinds += [each.kind for each in sets for _ in each.accessions]
        grouped = [each for each in sets if each.kind == "near group"]
        assert all(each.held_out_sets and each.mean_r < 0.9 and not each.promised for each in grouped)
        names = kernels.genotypes.accessions
        near = [names.index(name) for each in grouped for name in each.accessions]
        assert far[near].mean() < 0.3 if near else True
        stated.append(np.average([e.mean_r for e in sets], weights=[len(e.accessions) for e in sets]))
        rows, held = np.flatnonzero(family < 5), np.flatnonzero(family == 5)
        said = GBLUP.fit(kernels, rows, y[rows]).predict(kernels.lines(held, rows))
        true.append(np.corrcoef(said.value, y[held])[0, 1])
    assert kinds.count("near group") > 0.5 * len(kinds)
    assert "near" not in kinds
    assert abs(np.mean(stated) - np.mean(true)) < 0.2


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_candidates_of_every_family_have_the_accuracy_of_random_folds(share: float) -> None:
    for seed in range(3):
        kernels, y, _ = _families(seed)
        sets, _ = _judge(kernels, y, np.random.default_rng(seed).random(len(y)) < share)
        assert "near group" not in {each.kind for each in sets}


def test_a_population_of_which_few_lines_are_phenotyped_is_no_group_of_its_own() -> None:
    kernels, y, pool = _panel(2, 80)
    phenotyped = np.random.default_rng(2).random(len(y)) < np.where(pool == 0, 0.8, 0.25)
    sets, _ = _judge(kernels, y, phenotyped)
    assert "near group" not in {each.kind for each in sets}
