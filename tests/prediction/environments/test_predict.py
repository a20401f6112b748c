"""Every accession in every environment."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.prediction.environments.predict import predict_environments
from budwood.stats.evaluation.metrics import pearson_r


def with_new(field, provenance: str) -> Environments:
    """The environments of the field and a new one, dry and of the given provenance."""
    known = field.environments
    return Environments(
        (*known.names, "next"),
        (*known.year, "2020"),
        (*known.location, "west"),
        (*known.treatment, "rainfed"),
        (*known.provenance, provenance),
        {"rain": np.append(known.covariates["rain"], 95.0)},
    )


def test_predictions_stability_and_the_target_mean(field) -> None:
    found = predict_environments(field.genotypes, field.phenotypes, "yield", environments=field.environments)
    assert found.model == "reaction norm"
    assert found.value.shape == (60, 7)
    for j in range(7):
        assert pearson_r(found.value[:, j], field.genetic[:, j]) > 0.8
    assert found.mean == pytest.approx(found.value.mean(axis=1))
    assert (found.mean_standard_error < found.standard_error.mean(axis=1)).all()
    assert found.slope.mean() == pytest.approx(1.0)
    assert (found.deviation > 0.0).all()
    assert found.spread == pytest.approx(found.value.std(axis=0, ddof=1))
    assert not any(told.startswith("Warning") for told in found.notes)


def test_a_new_environment_is_predicted_and_its_provenance_is_minded(field) -> None:
    table = with_new(field, "controlled")
    found = predict_environments(field.genotypes, field.phenotypes, "yield", environments=table)
    assert found.trained.tolist() == [True] * 7 + [False]
    assert np.isfinite(found.value).all()
    assert found.notes[0].startswith(
        "Warning: the model learnt from field environments and predicts controlled ones ('next')"
    )
    assert "1 environments have no records (next)" in found.notes[1]
    field_only = predict_environments(
        field.genotypes, field.phenotypes, "yield", environments=table, targets=["e0", "e1"]
    )
    assert not any(told.startswith("Warning") for told in field_only.notes)
    assert field_only.mean == pytest.approx(field_only.value[:, :2].mean(axis=1))


def test_without_a_table_the_records_are_enough(field) -> None:
    few = field.phenotypes.accession != field.genotypes.accessions[0]
    columns = ("accession", "trait", "environment", "value", "standard_error")
    part = replace(field.phenotypes, **{name: getattr(field.phenotypes, name)[few] for name in columns})
    found = predict_environments(field.genotypes, part, "yield")
    assert found.model == "main effect + deviations"
    assert np.isnan(found.observed[0]).all()
    assert (found.standard_error[0] > np.median(found.standard_error, axis=0)).all()


def test_two_environments_tell_no_stability(field) -> None:
    two = np.isin(field.phenotypes.environment, ["e0", "e5"])
    columns = ("accession", "trait", "environment", "value", "standard_error")
    part = replace(field.phenotypes, **{name: getattr(field.phenotypes, name)[two] for name in columns})
    found = predict_environments(field.genotypes, part, "yield")
    assert np.isnan(found.slope).all()
    assert any(told.startswith("No stability") for told in found.notes)


def test_unknown_targets_are_refused(field) -> None:
    with pytest.raises(BudwoodError, match="environment 'moon' is not in the environment table"):
        predict_environments(field.genotypes, field.phenotypes, "yield", targets=["moon"])
    with pytest.raises(BudwoodError, match="no target environment is named"):
        predict_environments(field.genotypes, field.phenotypes, "yield", targets=[])
