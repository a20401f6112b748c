"""A relationship that the user gives, in the place of the markers'."""

import numpy as np
import pytest

import budwood
from budwood.errors import BudwoodError
from budwood.genomics.kinship import Kinship
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.relationship import relationship

PARTS = ("value", "standard_error", "lower_90", "upper_90")


def _rows(panel):
    names = panel.genotypes.accessions
    rows = np.array([row for row, name in enumerate(names) if name in panel.values])
    return rows, np.array([panel.values[names[row]] for row in rows])


def test_the_markers_own_relationship_predicts_what_the_markers_do(panel) -> None:
    # Of all lines, so with another origin and another unit than the phenotyped lines give.
    given = 3.7 * relationship(panel.genotypes.dosage, panel.genotypes.ploidy)
    rows, y = _rows(panel)
    everyone = np.arange(len(panel.genotypes.accessions))
    found = []
    for kernels in (PanelKernels(panel.genotypes), PanelKernels(panel.genotypes, relationship=given)):
        found.append(model_named("gblup:own").fit(kernels, rows, y).predict(kernels.lines(everyone, rows)))
    assert np.corrcoef(found[0].value, found[1].value)[0, 1] > 0.9999


def test_predictions_are_those_of_the_mixed_model_with_the_matrix(panel) -> None:
    generator = np.random.default_rng(8)
    n = len(panel.genotypes.accessions)
    features = generator.normal(size=(n, 300))
    given = features @ features.T / 1000.0 + relationship(panel.genotypes.dosage, panel.genotypes.ploidy)
    rows, y = _rows(panel)
    kernels = PanelKernels(panel.genotypes, relationship=given)
    fitted = model_named("gblup:own").fit(kernels, rows, y)
    candidates = np.setdiff1d(np.arange(n), rows)
    found = fitted.predict(kernels.lines(candidates, rows))
    among = given[np.ix_(rows, rows)] / given.trace()
    expected = blup(y, [among], reml(y, [among])).predict(
        [given[np.ix_(candidates, rows)] / given.trace()], [np.diagonal(given)[candidates] / given.trace()]
    )
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-5)
    np.testing.assert_allclose(found.standard_error, np.sqrt(expected.pev_value), rtol=1e-4)


@pytest.mark.parametrize("name", ["gblup", "multi-kernel"])
def test_unit_and_origin_of_the_matrix_do_not_matter(panel, name) -> None:
    generator = np.random.default_rng(9)
    n = len(panel.genotypes.accessions)
    features = generator.normal(size=(n, 200))
    rows, y = _rows(panel)
    forecasts = []
    for moved in (features, 5.0 * (features + generator.normal(size=200))):
        kernels = PanelKernels(panel.genotypes, relationship=moved @ moved.T)
        assert kernels.take(rows).kernel(RELATIONSHIP, np.arange(len(rows))).shape == (len(rows),) * 2
        fitted = model_named(name).fit(kernels, rows, y)
        forecasts.append(fitted.predict(kernels.lines(np.arange(n), rows)))
    for part in PARTS:
        np.testing.assert_allclose(
            getattr(forecasts[0], part), getattr(forecasts[1], part), rtol=1e-6, atol=1e-8, err_msg=part
        )


def test_a_model_that_leaves_its_panel_is_refused(panel) -> None:
    names = panel.genotypes.accessions
    kinship = Kinship(accessions=names[::-1], values=np.eye(len(names)))
    given = budwood.Panel(genotypes=panel.genotypes, kinship=kinship)
    with pytest.raises(BudwoodError, match="no kinship with the training lines"):
        budwood.TraitModel("gblup").fit(given, panel.values)
    assert given.take(names[:5]).kinship is kinship
    evaluation = budwood.cross_validate("gblup", given, panel.values, cv=budwood.RandomKFold(5, 1))
    assert any("kinship" in note for note in evaluation.notes)
    assert len(budwood.select_training_set(given, 3).lines) == 3
    with pytest.raises(BudwoodError, match="not in the kinship"):
        budwood.Panel(genotypes=panel.genotypes, kinship=Kinship(accessions=("a",), values=np.eye(1)))
