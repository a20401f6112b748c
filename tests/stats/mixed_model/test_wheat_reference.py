"""wheat_cimmyt599 against R rrBLUP: everything within a relative 1e-3."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.spectral_reml import spectral_reml
from budwood.stats.relationship.relationship import MarkerFilter, relationship

pytestmark = pytest.mark.real
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Wheat:
    kernel: np.ndarray
    traits: np.ndarray
    folds: np.ndarray
    fitted: pd.DataFrame
    hidden: pd.DataFrame


@pytest.fixture(scope="module")
def wheat(real_data: Path) -> Wheat:
    stored = np.load(real_data / "panels/wheat_cimmyt599/geno.npz")
    ids, dosage = [str(i) for i in stored["ids"]], stored["dosage"]
    by_line = {"line": str, "id": str}
    reference = real_data / "reference"
    traits = pd.read_csv(real_data / "panels/wheat_cimmyt599/pheno.csv", dtype=by_line).set_index("id")
    folds = pd.read_csv(reference / "wheat599_folds.csv", dtype=by_line).set_index("line")["fold"]
    hidden = pd.read_csv(reference / "wheat599_env1_fold1_kinblup.csv", dtype=by_line).set_index("line")
    return Wheat(
        relationship(dosage, np.full(len(ids), 2, dtype=np.int8), keep=MarkerFilter(1.0, 0.0)),
        traits.loc[ids].to_numpy(dtype=np.float64),
        folds.loc[ids].to_numpy(),
        pd.read_csv(reference / "wheat599_rrblup.csv"),
        hidden.loc[ids],
    )


def test_variance_components_effects_and_likelihood_differences(wheat: Wheat) -> None:
    shared = spectral_reml(wheat.kernel, whitened_design(599))
    estimates = [shared.fit(y) for y in wheat.traits.T]
    np.testing.assert_allclose([e.kernels[0] for e in estimates], wheat.fitted["Vu"], rtol=TOLERANCE)
    np.testing.assert_allclose([e.residual for e in estimates], wheat.fitted["Ve"], rtol=TOLERANCE)
    likelihoods = np.array([e.log_likelihood for e in estimates])
    np.testing.assert_allclose(np.diff(likelihoods), np.diff(wheat.fitted["LL"]), rtol=TOLERANCE)
    own = np.diagonal(wheat.kernel)
    for y, estimate, row in zip(wheat.traits.T, estimates, wheat.fitted.itertuples(), strict=True):
        found = blup(y, [wheat.kernel], estimate).predict([wheat.kernel[:3]], [own[:3]])
        np.testing.assert_allclose(found.effect, [row.u1, row.u2, row.u3], rtol=TOLERANCE)


def test_hidden_fold_effects_variances_and_predictions(wheat: Wheat) -> None:
    train = np.flatnonzero(wheat.folds != 1)
    block = wheat.kernel[np.ix_(train, train)]
    y = wheat.traits[train, 0]
    solved = blup(y, [block], reml(y, [block]))
    found = solved.predict([wheat.kernel[:, train]], [np.diagonal(wheat.kernel)])
    np.testing.assert_allclose(found.effect, wheat.hidden["g"], rtol=TOLERANCE, atol=1e-6)
    np.testing.assert_allclose(found.value, wheat.hidden["pred"], rtol=TOLERANCE, atol=1e-6)
    np.testing.assert_allclose(found.pev_effect, wheat.hidden["PEV"], rtol=TOLERANCE)


def test_ten_fold_accuracy(wheat: Wheat) -> None:
    accuracy = np.zeros((10, 4))
    for fold in range(1, 11):
        train, test = np.flatnonzero(wheat.folds != fold), np.flatnonzero(wheat.folds == fold)
        block = wheat.kernel[np.ix_(train, train)]
        shared = spectral_reml(block, whitened_design(len(train)))
        for trait, y in enumerate(wheat.traits.T):
            solved = blup(y[train], [block], shared.fit(y[train]))
            found = solved.predict([wheat.kernel[np.ix_(test, train)]], [np.diagonal(wheat.kernel)[test]])
            accuracy[fold - 1, trait] = pearson_r(found.value, y[test])
    np.testing.assert_allclose(accuracy.mean(axis=0), wheat.fitted["cv10_r"], rtol=TOLERANCE)
