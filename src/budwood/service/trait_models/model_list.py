"""The saved trait models of a service: the sound artifacts of that kind in one folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from budwood.artifacts import read_manifest
from budwood.errors import BudwoodError, suggestion
from budwood.prediction.saved.model_folder import KIND
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Models that use no sequence whatever they were fitted with.
_MARKERS_ALONE: Final = {
    "gblup",
    "gaussian",
    "major-loci",
    "elastic-net",
    "bayes-c",
    "random-forest",
    "lightgbm",
}


def list_models(settings: ServiceSettings) -> list[dict[str, Any]]:
    """What is known of each saved model.

    Parameters
    ----------
    settings
        Name the folder.

    Returns
    -------
    list of dict
        As :class:`budwood.service.schemas.SavedModel`, sorted by name; other folders are left out.
    """
    folder = settings.model_folder
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        manifest = _manifest(path)
        if manifest is not None:
            found.append(_described(path.name, manifest))
    return found


def saved_model_named(settings: ServiceSettings, name: str) -> Path:
    """Folder of a saved model.

    Parameters
    ----------
    settings
        Name the folder.
    name
        As a request gives it.

    Returns
    -------
    Path
        The model, whose files are checked when it is read.

    Raises
    ------
    Refusal
        If there is no such model.
    """
    path = settings.model_folder / name
    if not is_model_name(name) or _manifest(path) is None:
        names = [each["name"] for each in list_models(settings)]
        mend = suggestion(name, names) if names else "save one first, by a job of the verb predict"
        raise Refusal(404, f"there is no saved model {name[:80]!r}", mend=mend)
    return path


def is_model_name(name: str) -> bool:
    """Whether a model may have a name: letters, digits, ``.``, ``_`` and ``-``, at most 64.

    Parameters
    ----------
    name
        As a request gives it.

    Returns
    -------
    bool
        False for names that lead out of the folder.

    Examples
    --------
    >>> is_model_name("height-2026"), is_model_name("../keys"), is_model_name("")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def keep_model(settings: ServiceSettings, folder: Path, name: str) -> None:
    """Copy a model that a job saved into the folder of models; done twice, it is done once.

    Parameters
    ----------
    settings
        Name the folder.
    folder
        The model.
    name
        Name that it gets.

    Raises
    ------
    BudwoodError
        If there is a model of that name already.
    """
    settings.model_folder.mkdir(parents=True, exist_ok=True)
    target, partial = settings.model_folder / name, settings.model_folder / f".{name}.partial"
    if target.exists():
        if read_manifest(target).get("digest") == read_manifest(folder).get("digest"):
            return
        raise BudwoodError(f"there is a model {name!r} already", mend="choose another name")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial)
    partial.rename(target)


def _manifest(path: Path) -> dict[str, Any] | None:
    """Manifest of a saved model; None for any other folder, and for one behind a link."""
    if path.is_symlink() or not path.is_dir() or not is_model_name(path.name):
        return None
    try:
        manifest = read_manifest(path)
    except BudwoodError:
        return None
    return manifest if manifest["kind"] == KIND else None


def _described(name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    parameters, mean_r = manifest["parameters"], manifest["metrics"].get("mean_r", {})
    model, lines = str(parameters.get("model", "")), parameters.get("training_lines")
    return {
        "name": name,
        "trait": str(parameters.get("trait", "")),
        "model": model,
        "training_lines": lines if isinstance(lines, int) else None,
        "lower_is_better": bool(parameters.get("lower_is_better", False)),
        "mean_r": json.loads(json.dumps(mean_r)) if isinstance(mean_r, dict) else {},
        "reads_sequence": True if "dna" in model else False if model in _MARKERS_ALONE else None,
        "digest": str(manifest.get("digest", "")),
    }
