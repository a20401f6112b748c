"""Matching records, genotypes and environments."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.prediction.environments.trials import match_trials


def test_every_cell_is_matched(field) -> None:
    trials = match_trials(field.genotypes, field.phenotypes, "yield", field.environments)
    assert len(trials) == field.value.size
    assert trials.value == pytest.approx(field.value[trials.line, trials.environment])
    assert (trials.weights() == 1.0).all()


def test_without_a_table_environments_are_those_of_the_records(field) -> None:
    trials = match_trials(field.genotypes, field.phenotypes, "yield")
    assert trials.environments.names == field.environments.names
    assert not trials.environments.has_covariates


def test_shuffling_stays_within_environments(field) -> None:
    trials = match_trials(field.genotypes, field.phenotypes, "yield")
    shuffled = trials.shuffled(np.random.default_rng(0))
    assert (shuffled.value != trials.value).any()
    for environment in trials.seen:
        cells = trials.environment == environment
        assert sorted(shuffled.value[cells]) == pytest.approx(sorted(trials.value[cells]))


def test_standard_errors_become_weights_relative_to_the_environment(field) -> None:
    errors = np.where(np.arange(field.value.size) % 2, 0.5, 1.0)
    trials = match_trials(field.genotypes, replace(field.phenotypes, standard_error=errors), "yield")
    weights = trials.weights()
    for environment in trials.seen:
        assert weights[trials.environment == environment].mean() == pytest.approx(1.0)
    assert sorted(set((weights / weights.min()).round(6))) == [1.0, 4.0]


def told(field, **changes: object) -> str:
    environments = changes.pop("environments", field.environments)
    trait = changes.pop("trait", "yield")
    genotypes = changes.pop("genotypes", field.genotypes)
    with pytest.raises(BudwoodError) as caught:
        match_trials(genotypes, replace(field.phenotypes, **changes), trait, environments)
    return caught.value.sentence


def test_what_does_not_fit_is_told(field) -> None:
    count = len(field.phenotypes.value)
    assert "trait 'height' is not in the phenotypes" in told(field, trait="height")
    unknown = Environments.named(["e0", "e1"])
    assert "environment 'e2' is not in the environment table" in told(field, environments=unknown)
    single = np.full(count, "e1", dtype=object)
    assert "name one environment only, 'e1'" in told(field, environment=single)
    assert "name no environment" in told(field, environment=np.full(count, "", dtype=object))
    few = field.genotypes.take(np.arange(4))
    assert "only 4 accessions have both genotypes" in told(field, genotypes=few)
    others = np.array([f"x{name}" for name in field.phenotypes.accession], dtype=object)
    assert "only 0 accessions have both genotypes" in told(field, accession=others)
    same = np.where(field.phenotypes.environment == "e3", 1.5, field.phenotypes.value)
    assert "the same value, 1.5, in all 60 accessions of environment 'e3'" in told(field, value=same)
