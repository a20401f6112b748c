"""Covariates as fixed effects: dense generalised least squares, invariances, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.panel.accession_means import AccessionMeans
from budwood.prediction.covariates import adjust_for_covariates
from budwood.prediction.trait_model import TraitModel

NAMES = tuple(f"line{i:02d}" for i in range(70))


def _panel() -> tuple[Genotypes, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    dosage = rng.binomial(2, 0.4, (70, 80)).astype(np.int8)
    genetic = dosage[:, :10].sum(axis=1).astype(float)
    age, block = rng.normal(size=70), rng.integers(0, 3, 70)
    y = genetic + 4.0 * age + np.array([0.0, 10.0, -6.0])[block] + 0.5 * rng.normal(size=70)
    return Genotypes.from_matrix(NAMES, dosage), y, age, block


def _covariates(age: np.ndarray, block: np.ndarray) -> dict[str, dict[str, float | str]]:
    return {
        "age": dict(zip(NAMES, age.tolist(), strict=True)),
        "block": dict(zip(NAMES, map(str, block.tolist()), strict=True)),
    }


def _values(y: np.ndarray) -> AccessionMeans:
    return AccessionMeans(values=dict(zip(NAMES[:50], y.tolist(), strict=False)))


def test_effects_of_covariates_are_taken_out() -> None:
    genotypes, y, age, block = _panel()
    found = adjust_for_covariates(genotypes, _values(y), _covariates(age, block), "height")
    effect = 4.0 * age[:50] + np.array([0.0, 10.0, -6.0])[block[:50]]
    expected = y[:50] - effect + effect.mean()
    adjusted = np.array([found.values[name] for name in NAMES[:50]])
    np.testing.assert_allclose(adjusted, expected, atol=0.8)
    assert np.corrcoef(adjusted, expected)[0, 1] > 0.98
    assert "age, block (3 levels)" in found.notes[0]


def test_scales_names_of_levels_repeats_and_order_do_not_matter() -> None:
    genotypes, y, age, block = _panel()
    plain = adjust_for_covariates(genotypes, _values(y), _covariates(age, block), "height").values
    other = _covariates(100.0 * age - 7.0, block)
    other["block"] = {
        name: {"0": "z", "1": "b", "2": "k"}[str(level)] for name, level in other["block"].items()
    }
    other["twice"] = {name: 2.0 * float(value) + 1.0 for name, value in other["age"].items()}
    order = np.random.default_rng(0).permutation(70)
    found = adjust_for_covariates(genotypes.take(order), _values(y), other, "height")
    np.testing.assert_allclose([found.values[n] for n in plain], list(plain.values()), rtol=1e-6)
    assert "1 effects of covariates that others determine" in found.notes[1]


def test_a_line_without_a_covariate_counts_as_average() -> None:
    genotypes, y, age, block = _panel()
    covariates = _covariates(age, block)
    del covariates["age"]["line03"], covariates["block"]["line03"]
    found = adjust_for_covariates(genotypes, _values(y), covariates, "height")
    assert found.values["line03"] == pytest.approx(y[3])
    assert "missing for 1 lines" in found.notes[0]


def test_models_fitted_with_covariates_predict_better_and_say_so(tmp_path) -> None:
    genotypes, y, age, block = _panel()
    truth = genotypes.dosage[50:, :10].sum(axis=1)
    new = genotypes.take(range(50, 70))
    values = _values(y).values
    model = TraitModel("gblup")
    with_covariates = model.fit(genotypes, values, covariates=_covariates(age, block))
    without = model.fit(genotypes, values).predict(new)
    with_covariates.save(tmp_path / "model")
    found = TraitModel.load(tmp_path / "model").predict(new)
    assert np.corrcoef(found.prediction, truth)[0, 1] > np.corrcoef(without.prediction, truth)[0, 1] + 0.1
    assert any("adjusted for covariates" in note for note in found.notes)


def test_covariates_that_cannot_be_used_are_refused() -> None:
    genotypes, y, _age, _block = _panel()
    with pytest.raises(BudwoodError, match="no phenotyped line has a value of covariate 'age'"):
        adjust_for_covariates(genotypes, _values(y), {"age": {"elsewhere": 1.0}}, "height")
    own = {"plot": {name: name for name in NAMES}}
    with pytest.raises(BudwoodError, match="too many for 50 phenotyped lines"):
        adjust_for_covariates(genotypes, _values(y), own, "height")
