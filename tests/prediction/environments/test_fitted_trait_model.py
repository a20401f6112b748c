"""Multi-environment models that leave their panel."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.fitted_trait_model import FittedEnvironmentTraitModel
from budwood.prediction.environments.predict import fit_environments
from budwood.prediction.environments.registry import ENVIRONMENT_MODELS
from budwood.prediction.trait_model import TraitModel

PARTS = ("value", "standard_error", "lower_90", "upper_90", "mean", "mean_standard_error", "slope")


def _incomplete(phenotypes: Phenotypes, genotypes, *, lines: int) -> Phenotypes:
    """The records of the first lines only, some environments left out of some of them."""
    known = set(genotypes.accessions[:lines])
    keep = np.array([name in known for name in phenotypes.accession])
    keep &= np.arange(len(keep)) % 9 > 0
    return Phenotypes(
        *(
            getattr(phenotypes, name)[keep]
            for name in ("accession", "trait", "environment", "value", "standard_error")
        )
    )


@pytest.mark.parametrize("model", ENVIRONMENT_MODELS)
def test_lines_of_another_file_are_predicted_as_inside_the_panel(field, model, tmp_path) -> None:
    phenotypes = _incomplete(field.phenotypes, field.genotypes, lines=40)
    environments = field.environments
    fitted, kernels = fit_environments(
        field.genotypes, phenotypes, "yield", environments=environments, model=model
    )
    lines = kernels.lines(np.arange(60), fitted.estimator.lines)
    inside = fitted.forecast(lines, kernels.genotypes.accessions).in_order_of(field.genotypes.accessions)
    shuffled = field.genotypes.take_markers(np.random.default_rng(0).permutation(120))
    outside = fitted.predict(shuffled)
    for part in PARTS:
        np.testing.assert_allclose(getattr(outside, part), getattr(inside, part), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(outside.observed, inside.observed)
    fitted.save(tmp_path / "model")
    again = FittedEnvironmentTraitModel.load(tmp_path / "model").predict(shuffled)
    for part in PARTS:
        np.testing.assert_array_equal(getattr(again, part), getattr(outside, part))


def test_one_line_alone_is_predicted(field) -> None:
    fitted, _ = fit_environments(field.genotypes, field.phenotypes, "yield", environments=field.environments)
    found = fitted.predict(field.genotypes.take([7]))
    assert found.value.shape == (1, 7)
    assert np.isfinite(found.standard_error).all()


def test_the_two_kinds_of_saved_model_are_told_apart(field, tmp_path) -> None:
    fitted, _ = fit_environments(field.genotypes, field.phenotypes, "yield", environments=field.environments)
    fitted.save(tmp_path / "model")
    with pytest.raises(BudwoodError, match="kind 'environment-model'"):
        TraitModel.load(tmp_path / "model")
