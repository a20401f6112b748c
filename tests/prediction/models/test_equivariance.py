"""A trait in other units, or counted from another level, has the same predictions in those units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.evaluation.results import TraitPrediction
from budwood.prediction.trait_model import TraitModel

MODELS = (
    *("gblup", "gaussian", "multi-kernel", "major-loci", "elastic-net", "random-forest", "lightgbm"),
    "auto",
)

N, TRAINED = 60, 45


def panel() -> tuple[Genotypes, np.ndarray]:
    generator = np.random.default_rng(11)
    parents = generator.integers(0, 3, (8, 80))
    dosage = np.where(generator.random((N, 80)) < 0.5, *parents[generator.integers(0, 8, (2, N))])
    names = [f"line{number}" for number in range(N)]
    y = dosage[:, :20] @ generator.standard_normal(20) + generator.standard_normal(N)
    y[TRAINED:] = np.nan
    return Genotypes.from_matrix(names, dosage.astype(np.int8)), y


GENOTYPES, Y = panel()


def predicted(model: str, y: np.ndarray) -> TraitPrediction:
    return TraitModel(model).fit(GENOTYPES, y, trait="t").predict(GENOTYPES)


def check(model: str, level: float, unit: float, tolerance: float) -> None:
    """Compare in standard deviations of the trait; at a level of 1e7 values keep nine digits of these."""
    first, second = predicted(model, Y), predicted(model, level + unit * Y)
    spread = float(np.nanstd(Y))
    for name in ("prediction", "lower_90", "upper_90"):
        wanted, found = getattr(first, name), (getattr(second, name) - level) / unit
        np.testing.assert_allclose(found, wanted, atol=tolerance * spread, err_msg=name)
    found = second.standard_error / unit
    np.testing.assert_allclose(found, first.standard_error, atol=tolerance * spread)
    np.testing.assert_allclose(second.reliability, first.reliability, atol=tolerance)


@pytest.mark.parametrize("model", ["gblup", "elastic-net"])
@given(st.floats(-1e6, 1e6), st.integers(-80, 80))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_level_and_any_unit(model: str, level: float, power: int) -> None:
    unit = 10.0**power
    check(model, level * unit, unit, 1e-4)


@pytest.mark.parametrize(("level", "unit"), [(1e7, 1.0), (0.0, 2.0**-40), (-(2.0**50), 2.0**40)])
@pytest.mark.parametrize("model", MODELS)
def test_every_model(model: str, level: float, unit: float) -> None:
    check(model, level, unit, 1e-4)


@pytest.mark.parametrize("level", [1e12, -1e14])
def test_differences_below_precision_are_refused_with_their_size(level: float) -> None:
    with pytest.raises(BudwoodError, match="too little to compute with beside their size"):
        TraitModel("gblup").fit(GENOTYPES, level + Y, trait="t")
