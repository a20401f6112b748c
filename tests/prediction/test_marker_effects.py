"""Marker effects reproduce the predictions of every linear model."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.panel.marker_weights import MarkerWeights
from budwood.panel.panel import Panel
from budwood.prediction.marker_effects import LINEAR_MODELS, check_linear
from budwood.prediction.models.registry import MODEL_NAMES
from budwood.prediction.trait_model import TraitModel


def _panel(ploidy: int) -> tuple[Panel, dict[str, float]]:
    rng = np.random.default_rng(ploidy)
    dosage = rng.binomial(ploidy, 0.4, (60, 50)).astype(np.int8)
    dosage[40:, ::7] = -1
    genotypes = Genotypes.from_matrix([f"line{i:02d}" for i in range(60)], dosage, ploidy=ploidy)
    y = dosage[:, 1] - 0.7 * dosage[:, 30] + 0.5 * rng.normal(size=60) + 20.0
    half = np.arange(50) < 25
    weights = MarkerWeights({"subgenome:A": half.astype(float), "subgenome:B": (~half).astype(float)})
    return Panel(genotypes=genotypes, weights=weights), {f"line{i:02d}": float(y[i]) for i in range(40)}


@pytest.mark.parametrize("ploidy", [2, 4])
@pytest.mark.parametrize("name", LINEAR_MODELS)
def test_predictions_are_the_mean_and_markers_times_effects(name: str, ploidy: int) -> None:
    panel, values = _panel(ploidy)
    fitted = TraitModel(name).fit(panel, values)
    effects = fitted.marker_effects()
    new = panel.take([f"line{i:02d}" for i in range(40, 60)])
    row = {marker: j for j, marker in enumerate(panel.markers)}
    dosage = new.genotypes.dosage[:, [row[marker] for marker in effects.markers.identifier]].astype(float)
    dosage[dosage < 0] = np.nan
    np.testing.assert_allclose(effects.value(dosage), fitted.predict(new).prediction, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(set(MODEL_NAMES) - set(LINEAR_MODELS)))
def test_models_that_are_not_linear_are_refused(name: str) -> None:
    with pytest.raises(BudwoodError, match="not linear in the markers"):
        check_linear(name)


def test_a_fitted_model_that_is_not_linear_is_refused() -> None:
    panel, values = _panel(2)
    with pytest.raises(BudwoodError, match="not linear in the markers"):
        TraitModel("gaussian").fit(panel, values).marker_effects()
