"""Saved models of earlier releases open, and predict what they predicted then.

``python tests/prediction/saved/test_model_folder.py`` wrote the folders of the present format; they are
written once for each format and never again.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from budwood.prediction.environments.fitted_trait_model import FittedEnvironmentTraitModel
from budwood.prediction.environments.predict import fit_environments
from budwood.prediction.saved.model_folder import FORMAT
from budwood.prediction.trait_model import TraitModel
from prediction.saved.small_panel import small_field, small_panel

HERE = Path(__file__).parent
MODELS = ("gblup", "multi-kernel", "elastic-net", "major-loci")
FORMATS = sorted(folder.name for folder in HERE.glob("format_*"))


def _write(folder: Path) -> None:
    genotypes, y = small_panel()
    expected = {}
    for name in MODELS:
        fitted = TraitModel(name).fit(genotypes, y, trait="height")
        fitted.save(folder / name)
        found = fitted.predict(genotypes)
        expected[name] = {part: getattr(found, part).tolist() for part in ("prediction", "upper_90")}
    phenotypes, environments = small_field()
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
    found = TraitModel.load(HERE / folder / name).predict(small_panel()[0])
    for part, values in expected.items():
        np.testing.assert_allclose(getattr(found, part), values, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("folder", FORMATS)
def test_a_stored_multi_environment_model_predicts_what_it_predicted(folder) -> None:
    expected = json.loads((HERE / folder / "expected.json").read_text())["environments"]
    found = FittedEnvironmentTraitModel.load(HERE / folder / "environments").predict(small_panel()[0])
    np.testing.assert_allclose(found.value, expected, rtol=1e-8, atol=1e-8)


if __name__ == "__main__":
    _write(HERE / f"format_{FORMAT}")
