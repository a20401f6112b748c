"""Heritability that r is related to: the one simulated, and sentences where it says nothing."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.evaluation.heritability import (
    genomic_heritability,
    given_heritability,
    heritability_notes,
)
from budwood.prediction.evaluation.results import Heritability
from budwood.prediction.kernels.panel_kernels import PanelKernels


@pytest.mark.parametrize("h2", [0.0, 0.3, 0.7])
def test_reml_finds_the_simulated_heritability(h2: float) -> None:
    generator = np.random.default_rng(3)
    families = generator.uniform(0.1, 0.9, (5, 300))
    found = []
    for _ in range(12):
        dosage = generator.binomial(2, families[generator.integers(0, 5, 150)]).astype(np.int8)
        genetic = dosage @ generator.standard_normal(300)
        genetic *= np.sqrt(h2) / genetic.std()
        y = genetic + np.sqrt(1.0 - h2) * generator.standard_normal(150)
        names = [f"line{k}" for k in range(150)]
        found.append(genomic_heritability(PanelKernels(Genotypes.from_matrix(names, dosage)), y).value)
    assert np.mean(found) == pytest.approx(h2, abs=0.09)


def test_it_does_not_depend_on_the_unit() -> None:
    generator = np.random.default_rng(1)
    dosage = generator.binomial(2, 0.4, (40, 60)).astype(np.int8)
    panel = PanelKernels(Genotypes.from_matrix([f"l{k}" for k in range(40)], dosage))
    y = dosage[:, :10].sum(axis=1) + generator.standard_normal(40)
    expected = genomic_heritability(panel, y)
    assert genomic_heritability(panel, 1e3 * y + 7e4).value == pytest.approx(expected.value, rel=1e-6)
    assert "REML of GBLUP" in expected.source


def test_notes() -> None:
    h2 = Heritability(0.25, "given by the user")
    assert heritability_notes(h2, {"GBLUP": 0.49}) == ()
    (told,) = heritability_notes(h2, {"GBLUP": 0.49, "forest": 0.6})
    assert told.startswith(
        "r / h is above 1 for forest, which no accuracy can be: h2 = 0.25 (given by the user)"
    )
    (told,) = heritability_notes(Heritability(0.0, "REML"), {"GBLUP": 0.1})
    assert told == "r / h is not given, since the heritability (REML) is 0.000."


@pytest.mark.parametrize("value", [0.0, -0.5, 1.01, float("nan")])
def test_what_is_no_heritability(value: float) -> None:
    with pytest.raises(BudwoodError, match="no heritability to divide by"):
        given_heritability(value)
