"""Covariates as fixed effects: dense generalised least squares, invariances, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.panel.accession_means import AccessionMeans
from budwood.prediction.covariates import adjust_for_covariates
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.prediction.trait_model import TraitModel
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents

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
    assert "1 effect of covariates that others determine" in found.notes[1]


def test_a_line_without_a_covariate_counts_as_average() -> None:
    genotypes, y, age, block = _panel()
    covariates = _covariates(age, block)
    del covariates["age"]["line03"], covariates["block"]["line03"]
    found = adjust_for_covariates(genotypes, _values(y), covariates, "height")
    assert found.values["line03"] == pytest.approx(y[3])
    assert "missing for 1 line," in found.notes[0]


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


def test_kernel_models_have_the_covariates_as_fixed_effects(panel) -> None:
    """Generalised least squares and Henderson's variances on the values as they were measured."""
    rng = np.random.default_rng(12)
    names = panel.genotypes.accessions
    block = {name: "ABC"[i % 3] for i, name in enumerate(names)}
    height = {name: float(rng.normal()) for name in names}
    shift = {"A": 0.0, "B": 3.0, "C": -2.0}
    raw = {name: value + shift[block[name]] + 0.7 * height[name] for name, value in panel.values.items()}
    means = adjust_for_covariates(
        panel.genotypes, AccessionMeans.of(raw), {"block": block, "size": height}, "height"
    )
    rows = np.array([i for i, name in enumerate(names) if name in raw])
    others = np.setdiff1d(np.arange(len(names)), rows)
    kernels = PanelKernels(panel.genotypes, covariates=means.design(names))
    adjusted = np.array([means.values[names[row]] for row in rows])
    fitted = model_named("gblup:own").fit(kernels, rows, adjusted)
    found = fitted.predict(kernels.lines(others, rows))

    y = np.array([raw[names[row]] for row in rows])
    x = np.column_stack([np.ones(len(rows)), means.design(names)[rows]])
    k = kernels.kernel(RELATIONSHIP, rows)
    own, cross = k[np.ix_(rows, rows)], k[np.ix_(others, rows)]
    parts = reml(y, [own], fixed=x)
    np.testing.assert_allclose(fitted.solved.components.kernels, parts.kernels, rtol=1e-6)
    genetic, residual = fitted.solved.components.kernels[0], fitted.solved.components.residual
    inverse = np.linalg.inv(genetic * own + residual * np.eye(len(y)))
    covariance = np.linalg.inv(x.T @ inverse @ x)
    effects = covariance @ x.T @ inverse @ y
    c = genetic * cross
    value = effects[0] + c @ inverse @ (y - x @ effects)
    at_mean = np.zeros((len(others), x.shape[1]))
    at_mean[:, 0] = 1.0
    rest = at_mean - c @ inverse @ x
    variance = genetic * np.diagonal(k)[others] - np.einsum("ij,jk,ik->i", c, inverse, c)
    variance += np.einsum("ij,jk,ik->i", rest, covariance, rest)
    np.testing.assert_allclose(found.value, value, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.standard_error**2, variance, rtol=1e-8)
    alone = model_named("gblup:own").fit(PanelKernels(panel.genotypes), rows, adjusted)
    assert (found.standard_error > alone.predict(kernels.lines(others, rows)).standard_error).mean() > 0.9


@pytest.mark.parametrize("name", ["gblup", "multi-kernel", "elastic-net"])
def test_models_with_covariates_leave_their_panel_and_calibrate(panel, name) -> None:
    names = panel.genotypes.accessions
    # The last level is known from few lines, which inner folds and clusters can hold out together.
    block = {line: "A" if i % 2 else "B" if i > 9 else "C" for i, line in enumerate(names)}
    fitted = TraitModel(name).fit(panel.genotypes, panel.values, covariates={"block": block})
    found = fitted.predict(panel.genotypes)
    for part in ("prediction", "standard_error", "lower_90", "upper_90"):
        assert np.isfinite(getattr(found, part)).all()


def test_a_group_that_alone_knows_a_fixed_effect_is_predicted_without_it() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=12)
    fixed = np.column_stack([np.ones(12), np.arange(12) < 3])
    solved = blup(y, [np.eye(12)], VarianceComponents((1.0,), 1.0, 0.0), fixed=fixed)
    value, variance = solved.leave_groups_out(np.repeat([0, 1, 2, 3], 3))
    assert np.isfinite(value).all()
    assert np.isfinite(variance).all()
    fixed = np.column_stack([np.ones(12), np.arange(12) < 1])
    alone = blup(y, [np.eye(12)], VarianceComponents((1.0,), 1.0, 0.0), fixed=fixed).leave_one_out()
    assert alone[0] == y[0]
    np.testing.assert_allclose(alone[1:], (y[1:].sum() - y[1:]) / 10)
