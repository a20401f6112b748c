"""Saved trait models: folders with ``model.json`` and ``model-arrays.npz`` beside the manifest.

A model of several environments is in ``environments.json`` and ``environments-arrays.npz``, perhaps of the
same folder. Version 1: the JSON file holds ``{"format": 1, "model": VALUE}`` with VALUE as in
:mod:`budwood.prediction.saved.record`; the other file the arrays that it names. Later releases read every
earlier version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from budwood.artifacts import Draft, inner_artifacts, read_manifest, verify_artifact
from budwood.errors import BudwoodError
from budwood.genomics.io.arrays import read_arrays
from budwood.prediction.saved.classes import stored_classes
from budwood.prediction.saved.record import Record, from_record, to_record

FORMAT: Final = 1
KIND: Final = "trait-model"
MODEL: Final = "model"
ENVIRONMENTS: Final = "environments"


def write_model(draft: Draft, model: object, classes: tuple[type, ...], *, name: str = MODEL) -> None:
    """Write a fitted model into an artifact.

    Parameters
    ----------
    draft
        The artifact.
    model
        A fitted model.
    classes
        Dataclasses it may hold beside :func:`~budwood.prediction.saved.classes.stored_classes`.
    name
        Of the files: ``NAME.json`` and ``NAME-arrays.npz``.
    """
    record = to_record(model, (*stored_classes(), *classes))
    text = json.dumps({"format": FORMAT, "model": record.value}, allow_nan=False)
    draft.path(f"{name}.json").write_text(text + "\n", encoding="utf-8")
    with draft.path(f"{name}-arrays.npz").open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **record.arrays)


def read_model(
    folder: Path, classes: tuple[type, ...], *, kinds: tuple[str, ...] = (KIND,), name: str = MODEL
) -> Any:
    """Read a saved model whose files are those that were written.

    Parameters
    ----------
    folder
        An artifact.
    classes
        As for :func:`write_model`.
    kinds
        Kinds of artifact that may hold the model.
    name
        As for :func:`write_model`.

    Returns
    -------
    Any
        The model.

    Raises
    ------
    BudwoodError
        If the folder holds no saved model, a file of it is missing, changed or damaged, or it was written by
        a later release.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest.get("kind") not in kinds:
        inner = inner_artifacts(folder)  # an entry of a library holds its model
        raise BudwoodError(
            f"this folder holds a result of kind {manifest.get('kind')!r}, not a saved model ({kinds[0]})",
            where=str(folder),
            mend=f"give {folder / inner[0]}" if inner else "give a folder that predict --save-model wrote",
        )
    problems = verify_artifact(folder)
    if problems:
        raise BudwoodError(
            f"the saved model is damaged: {problems[0]}",
            where=str(folder),
            mend="copy it again from its source, or fit the model again",
        )
    stored = _stored(folder / f"{name}.json")
    if stored["format"] > FORMAT:
        raise BudwoodError(
            f"the saved model has format {stored['format']}, this release reads up to {FORMAT}",
            where=str(folder),
            mend="update budwood",
        )
    record = Record(value=stored["model"], arrays=_arrays(folder / f"{name}-arrays.npz"))
    try:
        return from_record(record, (*stored_classes(), *classes))
    except BudwoodError as error:
        where = str(folder / f"{name}.json")
        raise BudwoodError(error.what, where=error.where or where, mend=error.mend) from error


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if (
            isinstance(stored, dict)
            and type(stored.get("format")) is int
            and stored["format"] > 0
            and "model" in stored
        ):
            return stored
    except (OSError, ValueError, RecursionError):
        pass
    raise BudwoodError(
        "the description of the saved model cannot be read",
        where=str(path),
        mend="copy it again from its source, or fit the model again",
    )


def _arrays(path: Path) -> dict[str, Any]:
    try:
        return dict(read_arrays(path))
    except (OSError, BudwoodError) as error:
        raise BudwoodError(
            "the arrays of the saved model cannot be read",
            where=str(path),
            mend="copy it again from its source, or fit the model again",
        ) from error
