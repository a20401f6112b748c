"""The Gaussian kernel and auto of large panels: landmarks, members, saved and loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels import dense_limit, landmark_model
from budwood.prediction.kernels.landmark_model import FittedLandmarkModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.models.major_loci import MajorLoci
from budwood.prediction.models.random_forest import RandomForest
from budwood.prediction.models.registry import model_named
from budwood.prediction.models.stack import AUTO, Stack
from budwood.prediction.trait_model import TraitModel
from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import KernelFitter
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel, FittedLargeModel
from stats.matrix_free.conftest import mosaics

N, NEW = 540, 40


def _panel(seed: int = 4) -> tuple[Genotypes, np.ndarray]:
    rng = np.random.default_rng(seed)
    dosage = mosaics(N + NEW, 300, seed)
    value = dosage[:, ::20] @ rng.normal(size=15)
    dosage[rng.random(dosage.shape) < 0.02] = -1
    names = [f"line{number:04d}" for number in range(N + NEW)]
    y = 10.0 + value / value.std() + 0.7 * rng.normal(size=N + NEW)
    return Genotypes.from_matrix(names, dosage), y


@pytest.mark.parametrize("weighted", [False, True])
def test_all_lines_as_landmarks_are_the_kernel_itself(monkeypatch, weighted) -> None:
    genotypes, y = _panel()
    training, every = np.arange(N), np.arange(N, N + NEW)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, N) if weighted else None
    dense = model_named("gaussian:own").fit(PanelKernels(genotypes), training, y[:N], weights)
    expected = dense.predict(PanelKernels(genotypes).lines(every, training))
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 500)
    large = model_named("gaussian").fit(PanelKernels(genotypes), training, y[:N], weights)
    assert isinstance(large, FittedLandmarkModel)
    assert large.names == dense.names
    found = large.predict(PanelKernels(genotypes).lines(every, training))
    np.testing.assert_allclose(found.value, expected.value, atol=2e-3)
    np.testing.assert_allclose(found.standard_error, expected.standard_error, rtol=2e-2)
    assert "Nyström" in large.notes[0]


def test_fewer_landmarks_predict_nearly_as_well(monkeypatch) -> None:
    genotypes, y = _panel()
    training, every = np.arange(N), np.arange(N, N + NEW)
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 500)
    kernels = PanelKernels(genotypes)
    predicted = []
    for count in (N, N // 2):
        monkeypatch.setattr(landmark_model, "_LANDMARKS", count)
        fitted = model_named("gaussian").fit(kernels, training, y[:N])
        assert len(fitted.landmarks) == count
        predicted.append(fitted.predict(kernels.lines(every, training)).value)
    assert np.corrcoef(*predicted)[0, 1] > 0.9


@pytest.mark.parametrize("name", ["gaussian", "auto"])
def test_saved_models_of_large_panels_predict_the_same(monkeypatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setattr(dense_limit, "DENSE_LINES", 500)
    genotypes, y = _panel()
    if name == "auto":
        monkeypatch.setattr("budwood.prediction.models.registry._MODELS", {"auto": _small_auto()})
    values = dict(zip(genotypes.accessions[:N], y[:N].tolist(), strict=True))
    fitted = TraitModel(name).fit(genotypes.take(range(N)), values)
    new = genotypes.take(range(N - 5, N + NEW))
    expected = fitted.predict(new)
    fitted.save(tmp_path / "model")
    found = TraitModel.load(tmp_path / "model").predict(new)
    np.testing.assert_array_equal(found.prediction, expected.prediction)
    np.testing.assert_array_equal(found.upper_90, expected.upper_90)
    assert np.corrcoef(found.prediction, y[N - 5 :])[0, 1] > 0.4
    if name == "auto":
        assert isinstance(fitted.estimator, FittedLargeModel)
        assert len(fitted.estimator.predictor.members) == 4
        assert any("major loci are left out" in note for note in fitted.notes)


def _small_auto() -> CrossFitModel:
    """Auto with few trees."""
    gblup, kernels = (each for each in AUTO.fitter.members if isinstance(each, KernelFitter))
    trees = BoostedTrees(rounds=10, bagging=Bagging(repeats=1))
    members = (gblup, kernels, MajorLoci(), RandomForest(trees=20), trees)
    return CrossFitModel(AUTO.name, Stack(members, prior=AUTO.fitter.prior))
