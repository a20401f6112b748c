"""GBLUP of large panels: the same predictions as with matrices of the lines, saved and loaded too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels import dense_limit
from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.marker_model import FittedMarkerModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.prediction.predict import PredictionOptions, predict_trait, predict_traits_together
from budwood.prediction.trait_model import TraitModel
from stats.matrix_free.conftest import mosaics

N, NEW = 620, 60


def _panel(missing: float = 0.02) -> tuple[Genotypes, np.ndarray]:
    rng = np.random.default_rng(4)
    dosage = mosaics(N + NEW, 400, 4)
    value = dosage[:, ::20] @ rng.normal(size=20)
    dosage[rng.random(dosage.shape) < missing] = -1
    names = [f"line{number:04d}" for number in range(N + NEW)]
    y = 10.0 + value / value.std() + 0.7 * rng.normal(size=N + NEW)
    return Genotypes.from_matrix(names, dosage), np.where(np.arange(N + NEW) < N, y, np.nan)


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine for large panels from 500 lines on."""
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 500)


def test_the_engine_is_chosen_by_the_number_of_lines(monkeypatch) -> None:
    genotypes, y = _panel()
    kernels, few = PanelKernels(genotypes), np.arange(300)
    assert isinstance(model_named("gblup:own").fit(kernels, few, y[:300]), FittedKernelModel)
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 299)
    assert isinstance(model_named("gblup:own").fit(kernels, few, y[:300]), FittedMarkerModel)


@pytest.mark.parametrize("weighted", [False, True])
def test_predictions_equal_those_of_the_dense_engine(monkeypatch, weighted) -> None:
    genotypes, y = _panel()
    training, every = np.arange(N), np.arange(N + NEW)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, N) if weighted else None
    kernels = PanelKernels(genotypes)
    model = model_named("gblup:own")
    dense = model.fit(kernels, training, y[:N], weights)
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 500)
    # Variance components have a Monte Carlo error: here both engines are given the same ones.
    components = dense.solved.components
    from budwood.prediction.kernels import marker_model

    original = marker_model.stochastic_reml

    def same(*arguments, **options):
        (found,), space = original(*arguments, **options)
        own = components.kernels[0] * arguments[0].mean_eigenvalue
        assert abs(found.share - own / (own + components.residual)) < 4.0 * found.monte_carlo_error
        object.__setattr__(found, "components", components)
        return (found,), space

    monkeypatch.setattr(marker_model, "stochastic_reml", same)
    large = model.fit(PanelKernels(genotypes), training, y[:N], weights)
    found = large.predict(PanelKernels(genotypes).lines(every, training))
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 6_000)
    expected = dense.predict(kernels.lines(every, training))
    np.testing.assert_allclose(found.value, expected.value, atol=1e-6)
    ratio = found.standard_error / expected.standard_error
    assert abs(ratio.mean() - 1.0) < 0.03
    assert np.std(ratio) < 1.5 * large.solved.monte_carlo_error
    assert large.variance_shares["relationship"] == pytest.approx(
        dense.variance_shares["relationship"], abs=0.03
    )
    assert "engine for large panels" in large.notes[0]


def test_a_saved_model_predicts_new_lines_as_before(forced, tmp_path: Path) -> None:
    genotypes, y = _panel()
    fitted = TraitModel("gblup").fit(genotypes, y, trait="height")
    before = fitted.predict(genotypes)
    fitted.save(tmp_path / "model")
    after = TraitModel.load(tmp_path / "model").predict(genotypes)
    for name in ("prediction", "standard_error", "lower_90", "upper_90", "relatedness", "structure"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-12, atol=1e-12)
    assert any("Monte Carlo error" in note for note in before.notes)
    np.testing.assert_array_equal(np.isnan(before.observed), np.isnan(y))
    assert fitted.marker_effects().effect.shape == (fitted.training.dosage.shape[1],)


def test_relatives_and_axes_are_those_of_the_dense_engine(monkeypatch) -> None:
    genotypes, y = _panel()
    dense = TraitModel("gblup").fit(genotypes, y)
    expected = dense.predict(genotypes.take(range(N, N + NEW)))
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 500)
    large = TraitModel("gblup").fit(genotypes, y)
    found = large.predict(genotypes.take(range(N, N + NEW)))
    assert found.nearest_training_accession == expected.nearest_training_accession
    np.testing.assert_allclose(found.relatedness, expected.relatedness, atol=1e-5)
    np.testing.assert_allclose(
        found.structure, expected.structure, atol=0.02 * np.abs(expected.structure).max()
    )
    np.testing.assert_allclose(found.structure_explained, expected.structure_explained, rtol=1e-3)
    assert large.training.mean_distance == pytest.approx(dense.training.mean_distance, rel=1e-6)
    # The estimates differ by the Monte Carlo error of the variance components alone.
    np.testing.assert_allclose(found.prediction, expected.prediction, atol=0.1 * np.std(expected.prediction))


def test_lines_alone_and_in_a_batch_are_predicted_alike(forced) -> None:
    genotypes, y = _panel()
    fitted = TraitModel("gblup").fit(genotypes, y)
    together = fitted.predict(genotypes.take(range(N, N + 5)))
    alone = fitted.predict(genotypes.take([N + 3]))
    assert alone.prediction[0] == pytest.approx(together.prediction[3], abs=1e-9)
    assert alone.standard_error[0] == pytest.approx(together.standard_error[3], rel=1e-5)


def test_a_large_panel_is_predicted_and_evaluated(monkeypatch) -> None:
    genotypes, y = _panel()
    values = {name: float(each) for name, each in zip(genotypes.accessions, y, strict=True)}
    expected, dense = predict_trait(genotypes, values, "height", folds=2, repeats=1)
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 280)
    found, evaluation = predict_trait(genotypes, values, "height", folds=2, repeats=1)
    assert [score.name for score in evaluation.scores] == ["GBLUP"]
    assert evaluation.scores[0].mean_r == pytest.approx(dense.scores[0].mean_r, abs=0.02)
    assert evaluation.scores[0].coverage_90 == pytest.approx(0.9, abs=0.05)
    assert evaluation.heritability.value == pytest.approx(dense.heritability.value, abs=0.04)
    assert not evaluation.permutation.leaks
    # At fewer markers than are looked up, relatives are those of the whole relationship.
    assert found.nearest_training_accession == expected.nearest_training_accession
    np.testing.assert_allclose(found.relatedness, expected.relatedness, atol=1e-5)
    np.testing.assert_allclose(found.prediction, expected.prediction, atol=0.1 * np.std(expected.prediction))
    assert any("The panel is large" in note for note in found.notes)


def _traits(genotypes: Genotypes, y: np.ndarray) -> dict[str, dict[str, float]]:
    """Two traits of the same lines, and one that other lines have."""
    rng = np.random.default_rng(8)
    width = 3.0 * y + rng.normal(size=len(y))
    colour = np.where(np.arange(len(y)) % 17 == 3, np.nan, y + 2.0 * rng.normal(size=len(y)))
    return {
        name: dict(zip(genotypes.accessions, values.tolist(), strict=True))
        for name, values in (("height", y), ("width", width), ("colour", colour))
    }


def _few() -> tuple[Genotypes, np.ndarray]:
    genotypes, y = _panel()
    return genotypes.take(range(N - 240, N + 20)), y[N - 240 : N + 20]


def _same_as_alone(found, expected) -> None:
    scale = np.nanstd(expected.observed)
    # Variance components settle a pass sooner or later: they differ by a small part of their own error.
    np.testing.assert_allclose(found.prediction, expected.prediction, atol=5e-3 * scale)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=0.05)
    assert found.variance_shares["relationship"] == pytest.approx(
        expected.variance_shares["relationship"], abs=5e-3
    )
    np.testing.assert_array_equal(found.observed, expected.observed)


def test_several_traits_are_fitted_as_each_alone(monkeypatch) -> None:
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 200)
    monkeypatch.setattr("budwood.prediction.trait_model._SAMPLE", 50)
    genotypes, y = _few()
    traits = _traits(genotypes, y)
    found = TraitModel("gblup").fit_traits(genotypes, traits)
    assert list(found) == ["height", "width", "colour"]
    assert "for 2 traits together" in " ".join(found["width"].notes)
    assert "together" not in " ".join(found["colour"].notes)
    for name, fitted in found.items():
        alone = TraitModel("gblup").fit(genotypes, traits[name], trait=name)
        _same_as_alone(fitted.predict(genotypes), alone.predict(genotypes))
    with pytest.raises(BudwoodError, match="no traits"):
        TraitModel("gblup").fit_traits(genotypes, {})


def test_several_traits_are_predicted_as_each_alone(monkeypatch) -> None:
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 110)
    genotypes, y = _few()
    traits = _traits(genotypes, y)
    options = PredictionOptions(folds=2, repeats=1)
    together = predict_traits_together(genotypes, traits, options)
    assert list(together) == ["height", "width"]
    for name, (found, evaluation) in together.items():
        expected, alone = predict_trait(genotypes, traits[name], name, folds=2, repeats=1)
        _same_as_alone(found, expected)
        assert evaluation.trait == found.trait == name
        assert evaluation.scores[0].mean_r == pytest.approx(alone.scores[0].mean_r, abs=2e-3)
        assert evaluation.scores[0].seconds > 0.0
        assert found.nearest_training_accession == expected.nearest_training_accession
    few = {name: dict(list(values.items())[:100]) for name, values in traits.items()}
    assert predict_traits_together(genotypes, few, options) == {}


def test_intervals_are_as_wide_as_held_out_errors_ask_for(forced) -> None:
    genotypes, y = _panel()
    rows = np.arange(N)
    # Errors of the records that the model does not know of: some values are far off.
    spoilt = y[:N] + np.where(np.arange(N) % 5 == 0, 4.0, 0.0) * np.random.default_rng(0).normal(size=N)
    kernels = PanelKernels(genotypes)
    own, calibrated = (model_named(name).fit(kernels, rows, spoilt) for name in ("gblup:own", "gblup"))
    assert own.interval_factor == 1.0
    assert calibrated.interval_factor < 0.95  # most errors are small beside the variance of all
    assert "held-out lines" in calibrated.notes[-1]
    fit = own.predict(kernels.lines(np.arange(N, N + NEW), rows))
    np.testing.assert_array_equal(
        calibrated.predict(kernels.lines(np.arange(N, N + NEW), rows)).value, fit.value
    )
