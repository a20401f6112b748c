"""What a model's own folder says of it: kind, traits, accuracy, encoder; and whether it can be opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from budwood.artifacts import read_manifest, verify_artifact
from budwood.errors import BudwoodError
from budwood.library.card import StatedAccuracy
from budwood.stats.evaluation.paired_difference import corrected_interval

CHECKPOINT: Final = "checkpoint"
ADAPTER: Final = "adapter"
TRAIT_MODEL: Final = "trait-model"
FINE_TUNED: Final = "fine-tuned"
#: A measured transfer between two models or panels, for the map over a library.
TRANSFER: Final = "transfer-evaluate"
KINDS: Final = (CHECKPOINT, ADAPTER, TRAIT_MODEL, FINE_TUNED, TRANSFER)
_MEND: Final = "give a folder that pretrain, adapt, finetune, predict --save-model or transfer evaluate wrote"


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What is known of a model from its own folder.

    Attributes
    ----------
    kind
        One of KINDS.
    traits, accuracy, date, digest, encoder, budwood
        As a :class:`~budwood.library.card.Card` has them.
    """

    kind: str
    traits: tuple[str, ...]
    accuracy: tuple[StatedAccuracy, ...]
    date: str
    digest: str
    encoder: Mapping[str, str]
    budwood: str


def model_facts(folder: Path) -> ModelFacts:
    """Check that a folder holds a whole model that opens, and read what it says of itself.

    Parameters
    ----------
    folder
        An artifact.

    Returns
    -------
    ModelFacts
        Kind, traits, accuracy, encoder and digest.

    Raises
    ------
    BudwoodError
        If it is no model of Budwood's, or a file is missing, changed, damaged or foreign.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BudwoodError("there is no such folder", where=str(folder), mend=_MEND)
    manifest = read_manifest(folder)
    kind = manifest["kind"]
    if kind not in KINDS:
        raise BudwoodError(f"this folder holds a result of kind {kind!r}", where=str(folder), mend=_MEND)
    problems = verify_artifact(folder)
    if problems:
        raise BudwoodError(
            f"the model is damaged or has foreign files: {problems[0]}",
            where=str(folder),
            mend="copy it again from its source",
        )
    if not manifest.get("digest"):
        raise BudwoodError(
            "an early release wrote this model without a digest of its manifest",
            where=str(folder),
            mend="write it again with this release",
        )
    encoder = _open(folder, kind, manifest)
    return ModelFacts(
        kind=kind,
        traits=tuple(_traits(folder, kind, manifest)),
        accuracy=tuple(_accuracy(folder, kind)),
        date=str(manifest.get("created", "")),
        digest=str(manifest["digest"]),
        encoder=encoder,
        budwood=str(manifest.get("budwood", "")),
    )


def _open(folder: Path, kind: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Open a model as far as its own folder allows; returns name and digest of its encoder."""
    if kind == CHECKPOINT:
        from budwood.model.checkpoint import load_checkpoint

        opened = load_checkpoint(folder, device="cpu")
        return {"name": opened.name, "digest": opened.digest}
    if kind == TRAIT_MODEL:
        from budwood.prediction.trait_model import TraitModel

        fitted = TraitModel.load(folder)
        read = fitted.training.haplotypes
        return {} if read is None else {"name": "encoder", "digest": read.digest}
    if kind == TRANSFER:
        _transfer(folder)
        return {}
    if kind == FINE_TUNED and (folder / "config.json").is_file():
        from budwood.probing.sequence_model_folder import read_sequence_model

        read_sequence_model(folder)
    else:
        _read_weights(folder / "adapter_model.safetensors")
    stated = manifest["parameters"].get("adapter", manifest["parameters"]).get("checkpoint")
    if not isinstance(stated, dict) or not isinstance(stated.get("digest"), str):
        raise BudwoodError(
            "the model does not say which checkpoint it belongs to", where=str(folder), mend=_MEND
        )
    return {"name": str(stated.get("name", "")), "digest": stated["digest"]}


def _transfer(folder: Path) -> dict[str, Any]:
    """The record of a measured transfer; refuses one that does not say what was measured."""
    record = _json(folder / "transfer.json")
    sides = [record.get("source"), record.get("target")]
    if not all(isinstance(each, dict) and each.get("name") for each in sides) or not record.get("outcome"):
        raise BudwoodError("transfer.json is damaged", where=str(folder), mend="run transfer evaluate again")
    return record


def _read_weights(path: Path) -> None:
    """Refuse weights that cannot be read; their shapes are compared when the checkpoint is there."""
    from budwood.model.weights import read_tensors

    if not path.is_file():
        raise BudwoodError("the adapter has no weights", where=str(path), mend=_MEND)
    read_tensors(path)


def _traits(folder: Path, kind: str, manifest: Mapping[str, Any]) -> list[str]:
    parameters = manifest["parameters"]
    if kind == TRANSFER:
        record = _transfer(folder)
        named = [str(record[side].get("trait") or "") for side in ("source", "target")]
        return [trait for trait in dict.fromkeys(named) if trait]
    if kind == FINE_TUNED:
        return [str(name) for name in _json(folder / "outputs.json").get("names", ())]
    named = parameters.get("adapter", parameters) if kind == ADAPTER else parameters
    return [str(named["trait"])] if named.get("trait") else []


def _accuracy(folder: Path, kind: str) -> Iterator[StatedAccuracy]:
    if kind == TRAIT_MODEL:
        found = _json(folder / "evaluation.json")
        place = f"{found.get('trait', '')}: mean r of"
        for name, score in (found.get("models") or {}).items():
            lower, upper = _interval(score.get("fold_r"), found.get("folds"))
            record = {"mean_r": score.get("mean_r"), "lower": lower, "upper": upper}
            yield from _figure(f"{place} {name}", record)
    elif kind == FINE_TUNED:
        for name, model in (_json(folder / "accuracy.json").get("models") or {}).items():
            for score in model.get("scores", ()):
                record = {**score, "mean_r": score.get("score")}
                yield from _figure(f"{score.get('output')}: test score of {name}", record)
    elif kind == TRANSFER:
        record = _transfer(folder)
        pair = f"{record['source']['name']} to {record['target']['name']}"
        gains = record.get("gain")
        for size, gain in gains.items() if isinstance(gains, dict) else ():
            what = "r without phenotypes" if size == "0" else f"gain at {size} lines"
            if isinstance(gain, dict):
                yield from _figure(f"{pair}: {what}", {**gain, "mean_r": gain.get("mean")})
    elif kind == ADAPTER:
        for change in _json(folder / "adaptation.json").get("masked_bases", ()):
            value, error = change.get("difference"), change.get("standard_error")
            if isinstance(value, float) and isinstance(error, float):
                measure = f"change of the loss on masked bases of {change.get('name')}"
                yield StatedAccuracy(
                    measure=measure, value=value, lower=value - 1.96 * error, upper=value + 1.96 * error
                )


def _interval(fold_r: Any, folds: Any) -> tuple[float | None, float | None]:
    """95 % interval of a mean of cross-validated r, corrected for training sets that overlap."""
    r = [each for each in fold_r or () if isinstance(each, float)]
    if len(r) < 2 or not isinstance(folds, int) or folds < 2:
        return None, None
    found = corrected_interval(np.array(r), test_to_train=1 / (folds - 1))
    return max(found.lower, -1.0), min(found.upper, 1.0)


def _figure(measure: str, record: Mapping[str, Any]) -> Iterator[StatedAccuracy]:
    def number(name: str) -> float | None:
        found = record.get(name)
        return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None

    value = number("mean_r")
    if value is not None:
        yield StatedAccuracy(measure=measure, value=value, lower=number("lower"), upper=number("upper"))


def _json(path: Path) -> dict[str, Any]:
    """A JSON object of the folder; empty where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
