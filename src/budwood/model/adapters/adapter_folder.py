"""Adapters on disk: peft's standard files beside a manifest that states the encoder they belong to.

``adapter_config.json`` and ``adapter_model.safetensors`` open with ``peft.PeftModel.from_pretrained`` as
well. The manifest holds the digest of the encoder that the adapter was trained on, and those of the files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file

from budwood.artifacts import Draft, files_digest, read_manifest, verify_artifact
from budwood.errors import BudwoodError
from budwood.model.adapters.adapted import AdaptedEncoder, Adapter
from budwood.model.adapters.low_rank import LowRank, peft_config, target_layers
from budwood.model.checkpoint import Checkpoint
from budwood.model.encoder import BudwoodEncoder
from budwood.model.weights import read_tensors

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
KIND: Final = "adapter"
FINE_TUNED: Final = "fine-tuned"
_PREFIX: Final = "base_model.model."
_AGAIN: Final = "copy the adapter again from its source, or train it again"


def write_adapter(
    draft: Draft, adapted: AdaptedEncoder, name: str, low_rank: LowRank, base: Checkpoint
) -> None:
    """Write an adapter into an artifact of kind ``adapter``.

    Parameters
    ----------
    draft
        The artifact.
    adapted
        Holds the adapter.
    name
        Its name.
    low_rank
        Its size.
    base
        What it was trained on: a checkpoint, or :attr:`AdaptedEncoder.checkpoint` before it was added.
    """
    config = peft_config(base.encoder, low_rank)
    config.base_model_name_or_path = base.name
    config.inference_mode = True
    config.save_pretrained(str(draft.folder))
    save_file(adapted.weights(name), draft.path(WEIGHTS), metadata={"format": "pt"})
    total = sum(p.numel() for p in base.encoder.parameters())
    added = sum(value.numel() for value in adapted.weights(name).values())
    draft.parameters["adapter"] = {
        "name": name,
        "rank": low_rank.rank,
        "alpha": low_rank.alpha,
        "parameters": added,
        "encoder_parameters": total,
        "share": added / total,
        "checkpoint": {"name": base.name, "digest": base.digest},
    }


def read_adapter(folder: Path, encoder: BudwoodEncoder) -> Adapter:
    """Read an adapter whose files are those that were written.

    Parameters
    ----------
    folder
        An artifact that :func:`write_adapter` has written into.
    encoder
        The encoder that it is for, without adapters: gives names and shapes.

    Returns
    -------
    Adapter
        Its weights, and what it was trained on.

    Raises
    ------
    BudwoodError
        If the folder is no adapter of Budwood's, or one of another shape, a file of it is missing or changed,
        or a number is not finite.
    """
    folder = Path(folder)
    stated = _manifest(folder)
    low_rank = _low_rank(folder, stated)
    _check_config(folder / CONFIG, encoder, low_rank)
    weights = read_tensors(folder / WEIGHTS, _expected(encoder, low_rank.rank), mend=_AGAIN)
    digest = files_digest(folder, (CONFIG, WEIGHTS))
    name = str(stated.get("name") or folder.name)
    return Adapter(
        name=name, low_rank=low_rank, base=str(stated["checkpoint"]["digest"]), weights=weights, digest=digest
    )


def adapter_base(folder: Path) -> str:
    """The digest of the encoder that an adapter was trained over.

    Parameters
    ----------
    folder
        An adapter.

    Returns
    -------
    str
        As :attr:`budwood.model.checkpoint.Checkpoint.digest`.

    Raises
    ------
    BudwoodError
        If the folder is no adapter of Budwood's, or a file of it is missing or changed.
    """
    return str(_manifest(Path(folder))["checkpoint"]["digest"])


def load_adapters(checkpoint: Checkpoint, folders: Sequence[Path]) -> Checkpoint:
    """The checkpoint with adapters merged into its weights, in the order given.

    Parameters
    ----------
    checkpoint
        What the adapters were trained on.
    folders
        Folders of adapters; one that was trained over others stands after them.

    Returns
    -------
    Checkpoint
        Plain weights; its digest depends on checkpoint and adapters.

    Raises
    ------
    BudwoodError
        If a folder holds no whole adapter, or one of another encoder.
    """
    adapted = AdaptedEncoder(checkpoint)
    for folder in folders:
        adapter = read_adapter(folder, checkpoint.encoder)
        try:
            adapted.add(adapter)
            adapted.use(*adapted.used, adapter.name)
        except BudwoodError as error:
            where = f"{folder}, {error.where}" if error.where else str(folder)
            raise BudwoodError(error.what, where=where, mend=error.mend) from error
    return adapted.merged_checkpoint()


def _manifest(folder: Path) -> dict[str, Any]:
    if (folder / CONFIG).is_file() and not (folder / "manifest.json").is_file():
        raise BudwoodError(
            "this adapter has no manifest that says which encoder it belongs to",
            where=str(folder),
            mend="give a folder that budwood adapt wrote",
        )
    if not folder.is_dir():
        raise BudwoodError(
            "there is no such folder", where=str(folder), mend="give one that budwood adapt wrote"
        )
    manifest = read_manifest(folder)
    stated = manifest["parameters"].get("adapter")
    if manifest["kind"] not in (KIND, FINE_TUNED) or stated is None:
        raise BudwoodError(
            f"this folder holds a result of kind {manifest['kind']!r}, not an adapter",
            where=str(folder),
            mend="give a folder that budwood adapt wrote",
        )
    problems = verify_artifact(folder)
    problems += [f"{name} is missing" for name in (CONFIG, WEIGHTS) if name not in manifest["files"]]
    if problems:
        raise BudwoodError(f"the adapter is damaged: {problems[0]}", where=str(folder), mend=_AGAIN)
    return dict(stated) if isinstance(stated, dict) else {}


def _low_rank(folder: Path, stated: dict[str, Any]) -> LowRank:
    try:
        if not isinstance(stated["checkpoint"]["digest"], str):
            raise TypeError("the digest is no text")
        return LowRank(rank=stated["rank"], alpha=stated["alpha"])
    except (KeyError, TypeError, BudwoodError) as error:
        raise BudwoodError(
            "the manifest does not describe an adapter", where=str(folder), mend=_AGAIN
        ) from error


def _check_config(path: Path, encoder: BudwoodEncoder, low_rank: LowRank) -> None:
    """Refuse a configuration that peft would read as another adapter than the manifest describes."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        layers, rank, alpha = sorted(found["target_modules"]), found["r"], found["lora_alpha"]
        kind = found["peft_type"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BudwoodError(
            "the adapter's configuration cannot be read", where=str(path), mend=_AGAIN
        ) from error
    if kind != "LORA" or (rank, alpha) != (low_rank.rank, low_rank.alpha):
        raise BudwoodError(
            "this is another adapter than its manifest describes", where=str(path), mend=_AGAIN
        )
    if layers != sorted(target_layers(encoder)):
        raise BudwoodError(
            "this adapter is of an encoder of another shape",
            where=str(path),
            mend="give the checkpoint it was trained on",
        )


def _expected(encoder: BudwoodEncoder, rank: int) -> dict[str, Any]:
    """Empty tensors by name, with the shapes that an adapter of this rank has."""
    expected = {}
    for name, layer in target_layers(encoder).items():
        rows, columns = layer.weight.shape[:2]
        width = tuple(layer.weight.shape[2:])
        ones = (1,) * len(width)
        expected[f"{_PREFIX}{name}.lora_A.weight"] = torch.empty(rank, columns, *width, device="meta")
        expected[f"{_PREFIX}{name}.lora_B.weight"] = torch.empty(rows, rank, *ones, device="meta")
    return expected
