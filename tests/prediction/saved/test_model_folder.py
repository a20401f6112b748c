"""Saved models of earlier releases open, and predict what they predicted then.

``python tests/prediction/saved/test_model_folder.py`` wrote the folders of the present format; they are
written once for each format and never again.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.fitted_trait_model import FittedEnvironmentTraitModel
from budwood.prediction.environments.predict import fit_environments
from budwood.prediction.saved.model_folder import FORMAT
from budwood.prediction.trait_model import TraitModel

HERE = Path(__file__).parent
MODELS = ("gblup", "multi-kernel", "elastic-net", "major-loci")
FORMATS = sorted(folder.name for folder in HERE.glob("format_*"))


def _panel() -> tuple[Genotypes, np.ndarray]:
    """36 lines at 40 markers; the first 30 have values."""
    row, column = np.divmod(np.arange(36 * 40), 40)
    dosage = ((row * (3 + column) + (row % 5) * column // 3 + column) % 3).reshape(36, 40).astype(np.int8)
    dosage[4, 7] = dosage[33, 2] = -1
    words = [np.full(40, word, dtype=object) for word in ("1", "A", "C")]
    names = np.array([f"m{j}" for j in range(40)], dtype=object)
    markers = Markers(names, words[0], np.arange(40), words[1], words[2])
    genotypes = Genotypes(tuple(f"line{i:02d}" for i in range(36)), markers, dosage, np.full(36, 2, np.int8))
    y = dosage[:, 3] - 0.5 * dosage[:, 21] + 0.2 * np.sin(np.arange(36.0))
    return genotypes, np.where(np.arange(36) < 30, y, np.nan)


def _field() -> tuple[Phenotypes, Environments]:
    genotypes, y = _panel()
    line, place = np.divmod(np.arange(90), 3)
    names = np.array(genotypes.accessions, dtype=object)[line]
    environments = Environments.named(["dry", "wet", "cold"])
    value = y[line] + np.array([0.0, 2.0, 1.0])[place] + 0.1 * np.cos(np.arange(90.0))
    where = np.array(environments.names, dtype=object)[place]
    return Phenotypes(names, np.full(90, "h", dtype=object), where, value, np.full(90, np.nan)), environments


def _write(folder: Path) -> None:
    genotypes, y = _panel()
    expected = {}
    for name in MODELS:
        fitted = TraitModel(name).fit(genotypes, y, trait="height")
        fitted.save(folder / name)
        found = fitted.predict(genotypes)
        expected[name] = {part: getattr(found, part).tolist() for part in ("prediction", "upper_90")}
    phenotypes, environments = _field()
    several, _ = fit_environments(genotypes, phenotypes, "h", environments=environments)
    several.save(folder / "environments")
    expected["environments"] = several.predict(genotypes).value.tolist()
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


def test_the_present_format_is_stored() -> None:
    assert f"format_{FORMAT}" in FORMATS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("folder", FORMATS)
def test_a_stored_model_predicts_what_it_predicted(folder, name) -> None:
    expected = json.loads((HERE / folder / "expected.json").read_text())[name]
    found = TraitModel.load(HERE / folder / name).predict(_panel()[0])
    for part, values in expected.items():
        np.testing.assert_allclose(getattr(found, part), values, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("folder", FORMATS)
def test_a_stored_multi_environment_model_predicts_what_it_predicted(folder) -> None:
    expected = json.loads((HERE / folder / "expected.json").read_text())["environments"]
    found = FittedEnvironmentTraitModel.load(HERE / folder / "environments").predict(_panel()[0])
    np.testing.assert_allclose(found.value, expected, rtol=1e-8, atol=1e-8)


if __name__ == "__main__":
    _write(HERE / f"format_{FORMAT}")
