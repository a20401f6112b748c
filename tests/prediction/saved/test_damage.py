"""Saved models whose content makes no sense although every digest fits: they predict, or are refused.

Every array is altered in shape, type and values, and every value of the JSON file is replaced; then the
digests are made anew, so that only the content can tell. Nothing but a prediction or one sentence comes out.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts.manifest import MANIFEST, manifest_digest, read_manifest, sha256
from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.fitted_trait_model import FittedEnvironmentTraitModel
from budwood.prediction.environments.predict import fit_environments
from budwood.prediction.fitted_trait_model import FittedTraitModel
from budwood.prediction.models.registry import MODEL_NAMES, model_named
from budwood.prediction.trait_model import FitData, fit_panel
from prediction.saved.small_panel import small_field, small_panel

ENVIRONMENTS = {"main": False, "reaction-norm": False, "factor": False, "factor-gaps": True}
#: What JSON values are replaced by.
REPLACEMENTS = (None, True, -1, 0.5, 1e300, 10**400, "x", [], {}, {"tuple": []}, {"tuple": [1, 2]})
REPLACEMENTS += ({"number": "nan"}, {"number": "inf"}, {"mapping": [[1, 2]]}, {"array": "a00000"}, {"x": 1})
REPLACEMENTS += ({"array": []}, {"class": "Widening", "fields": {}}, {"class": "nothing", "fields": {}})


def _with_haplotypes(conftest_panel) -> FitData:
    genotypes, _ = small_panel()
    rows = np.arange(36)
    half = np.arange(40) % 2 == 0
    return FitData(
        genotypes=genotypes,
        haplotypes=conftest_panel.haplotypes.take(rows),
        vectors=conftest_panel.vectors,
        digest="d",
        weights={"subgenome:A": half.astype(float), "subgenome:B": (~half).astype(float)},
    )


@pytest.fixture(scope="module")
def folders(panel, tmp_path_factory) -> Path:
    """A saved model of every kind."""
    place = tmp_path_factory.mktemp("models")
    data = _with_haplotypes(panel)
    y = small_panel()[1]
    for name in MODEL_NAMES:
        model = model_named(name)
        fit_panel(data, model, name, np.arange(30), y[:30], trait="h").save(place / name)
    phenotypes, environments = small_field()
    for name, gaps in ENVIRONMENTS.items():
        if name == "reaction-norm":
            environments = replace(environments, covariates={"rain": np.array([1.0, 5.0, 2.0])})
        some = _some(phenotypes, np.arange(90) % 11 > 2) if gaps else phenotypes
        model, _ = fit_environments(
            data.genotypes, some, "h", environments=environments, model=name.removesuffix("-gaps")
        )
        model.save(place / name)
    return place


def _some(phenotypes: Phenotypes, chosen: np.ndarray) -> Phenotypes:
    names = ("accession", "trait", "environment", "value", "standard_error")
    return Phenotypes(*(getattr(phenotypes, name)[chosen] for name in names))


class Damaged:
    """A saved model that is damaged in one place at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = "environments" if (folder / "environments.json").exists() else "model"
        self.json = json.loads((folder / f"{self.name}.json").read_text())
        with np.load(folder / f"{self.name}-arrays.npz") as stored:
            self.arrays = {key: stored[key] for key in stored.files}

    def damages(self) -> Iterator[tuple[str, object, dict[str, np.ndarray]]]:
        for key, array in self.arrays.items():
            for word, other in _altered(array):
                yield f"{key} {word}", self.json, {**self.arrays, key: other}
        for path in _paths(self.json["model"]):
            for new in REPLACEMENTS:
                yield f"{path} = {str(new)[:30]}", _replaced(self.json, ("model", *path), new), self.arrays
        for new in (None, "1", 1.0, 0, 2, True):
            yield f"format = {new}", {**self.json, "format": new}, self.arrays

    def write(self, place: Path, stored: object, arrays: dict[str, np.ndarray]) -> None:
        (place / f"{self.name}.json").write_text(json.dumps(stored))
        np.savez(place / f"{self.name}-arrays.npz", **arrays)
        manifest = read_manifest(self.folder)
        manifest["files"] = {name: sha256(place / name) for name in manifest["files"]}
        manifest["digest"] = manifest_digest(manifest)
        (place / MANIFEST).write_text(json.dumps(manifest))


def _altered(array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if not array.size:
        yield "one value", np.zeros(1, array.dtype)
        return
    yield "shorter", array[:-1]
    yield "longer", np.concatenate([array, array[:1]])
    yield "empty", array[:0]
    yield "wider", array[..., None]
    yield "transposed", array.T if array.ndim > 1 else array[None]
    yield "scalar", np.array(array.ravel()[0])
    yield "text", array.astype(np.str_) if array.dtype.kind != "U" else np.arange(len(array))
    yield "bytes", array.astype(np.bytes_)
    if array.dtype.kind == "U":
        yield "same", np.full_like(array, array.ravel()[0])
        return
    yield "complex", array.astype(np.complex128)
    yield "floats", array.astype(np.float64) if array.dtype != np.float64 else array.astype(np.float32)
    yield "flags", array.astype(np.bool_) if array.dtype != np.bool_ else array.astype(np.int64)
    for value in (np.nan, np.inf, -np.inf, 0, 1, -1, -5, 100, 250, 1e9, -1e9, 1e300):
        with np.errstate(all="ignore"):
            if array.dtype.kind == "f" or (np.isfinite(value) and abs(value) < 1e12):
                full = np.full(array.shape, value).astype(array.dtype)
                yield f"all {value}", full
                one = array.copy()
                one.ravel()[len(one.ravel()) // 2] = full.ravel()[0]
                yield f"one {value}", one
    yield "shuffled", np.random.default_rng(0).permutation(array)


def _paths(value: object, path: tuple = ()) -> Iterator[tuple]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _paths(each, (*path, key))


def _replaced(value: object, path: tuple, new: object) -> object:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


def _use(folder: Path, name: str, panel) -> None:
    genotypes, _ = small_panel()
    fresh = Genotypes(
        tuple(f"new{i}" for i in range(36)), genotypes.markers, genotypes.dosage, genotypes.ploidy
    )
    if name == "environments":
        model = FittedEnvironmentTraitModel.load(folder)
        model.predict(fresh)
        dict(model.variance_shares)
        return
    model = FittedTraitModel.load(folder)
    rows = np.arange(36)
    model.predict(fresh, haplotypes=panel.haplotypes.take(rows), vectors=panel.vectors, digest="d")
    dict(model.variance_shares)
    repr(model)


def _try(folder: Path, panel, tmp_path: Path, share: float) -> tuple[list[str], int, int]:
    damaged, generator = Damaged(folder), np.random.default_rng(5)
    place = tmp_path / folder.name
    place.mkdir()
    wrong, tried, refused = [], 0, 0
    for word, stored, arrays in damaged.damages():
        if generator.random() > share:
            continue
        tried += 1
        damaged.write(place, stored, arrays)
        try:
            _use(place, damaged.name, panel)
        except BudwoodError as error:
            refused += 1
            if "damaged" in error.what and not (error.where and error.mend):
                wrong.append(f"{word}: {error} names no file")
        except Exception as error:
            wrong.append(f"{word}: {type(error).__name__} {error}")
    return wrong, tried, refused


@pytest.mark.parametrize("name", [*MODEL_NAMES, *ENVIRONMENTS])
def test_senseless_content_is_refused_or_predicts(folders, panel, tmp_path, name) -> None:
    wrong, tried, refused = _try(folders / name, panel, tmp_path, 0.005)
    assert not wrong, "\n".join(wrong)
    assert refused > 0.5 * tried


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MODEL_NAMES, *ENVIRONMENTS])
def test_every_senseless_content_is_refused_or_predicts(folders, panel, tmp_path, name) -> None:
    wrong, tried, refused = _try(folders / name, panel, tmp_path, 1.0)
    print(f"{name}: {tried} damages, {refused} refused, {len(wrong)} wrong")
    assert not wrong, f"{len(wrong)} of {tried}\n" + "\n".join(wrong[:40])
    assert refused > 0.5 * tried
