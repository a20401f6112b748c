"""Checks of weights before they are used: names, shapes, types, values, and digests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from budwood.artifacts import MANIFEST, read_manifest, sha256
from budwood.errors import BudwoodError
from budwood.model.encoder_config import BudwoodConfig

WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"

#: Values that every config.json of a checkpoint states.
_SHAPE: Final = ("stem_channels", "hidden_size", "layers", "heads", "patch", "kernel", "regions")
_AGAIN: Final = "copy it again from its source"


def check_folder(
    folder: Path, network: Callable[[BudwoodConfig], Mapping[str, Tensor]]
) -> tuple[BudwoodConfig, dict[str, Tensor]]:
    """Read the configuration and weights of a checkpoint and check that they belong together.

    Parameters
    ----------
    folder
        Holds ``config.json`` and ``model.safetensors``; a ``manifest.json`` beside them states their digests.
    network
        Gives the names and shapes of the weights of a configuration. It is called on the meta device, where
        tensors take no memory.

    Returns
    -------
    tuple
        The configuration, and the weights in the type of the file.

    Raises
    ------
    BudwoodError
        If a file is missing, damaged or not that of the manifest, the configuration is impossible, or the
        weights are not those of its network.
    """
    for name in (WEIGHTS, CONFIG):
        if not (folder / name).is_file():
            raise BudwoodError(
                "there is no checkpoint in this folder",
                where=str(folder),
                mend=f"give one that holds {WEIGHTS} and {CONFIG}",
            )
    check_digests(folder, (CONFIG, WEIGHTS))
    config = read_config(folder / CONFIG)
    with torch.device("meta"):
        expected = network(config)
    return config, read_tensors(folder / WEIGHTS, expected)


def read_config(path: Path) -> BudwoodConfig:
    """Read the configuration of a checkpoint.

    Parameters
    ----------
    path
        A ``config.json``.

    Returns
    -------
    BudwoodConfig
        The shape of the network.

    Raises
    ------
    BudwoodError
        If it is no JSON object, lacks a value of the network's shape, or no network has this shape.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        kind = values["model_type"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BudwoodError(
            "config.json does not say which kind of model this is", where=str(path), mend=_AGAIN
        ) from error
    if kind != BudwoodConfig.model_type:
        raise BudwoodError(
            f"this is no checkpoint of Budwood but a model of type {kind!r}", where=str(path), mend=_AGAIN
        )
    absent = [name for name in _SHAPE if name not in values]
    if absent:
        raise BudwoodError(f"config.json does not state {absent[0]}", where=str(path), mend=_AGAIN)
    try:
        config: BudwoodConfig = BudwoodConfig.from_dict(values)
    except BudwoodError as error:
        raise BudwoodError(error.what, where=str(path), mend=_AGAIN) from error
    except Exception as error:  # transformers checks its own values in many ways
        raise BudwoodError(f"config.json cannot be used: {error}", where=str(path), mend=_AGAIN) from error
    return config


def check_digests(folder: Path, names: tuple[str, ...]) -> None:
    """Compare files with the digests in the manifest of their folder, where it has one.

    Parameters
    ----------
    folder
        An artifact, or a folder without a manifest, of which nothing is known.
    names
        Files that must be those of the manifest.

    Raises
    ------
    BudwoodError
        If a file is not listed or has changed.
    """
    if not (folder / MANIFEST).is_file():
        return
    listed = read_manifest(folder).get("files")
    for name in names:
        stated = listed.get(name) if isinstance(listed, dict) else None
        if stated is None:
            raise BudwoodError(f"{name} is not in the manifest", where=str(folder), mend=_AGAIN)
        if sha256(folder / name) != stated:
            raise BudwoodError(
                f"{name} has changed since the manifest was written", where=str(folder), mend=_AGAIN
            )


def read_tensors(
    path: Path, expected: Mapping[str, Tensor] | None = None, *, mend: str = _AGAIN
) -> dict[str, Tensor]:
    """Read a safetensors file whose tensors must be as expected.

    Parameters
    ----------
    path
        The file.
    expected
        Names and shapes; any where None.
    mend
        What to do about a file that is not as expected.

    Returns
    -------
    dict
        Tensors in the type of the file, on the processor.

    Raises
    ------
    BudwoodError
        If the file cannot be read, a tensor is missing, unexpected, of another shape or no floating-point
        number, or a value is not finite.
    """
    try:
        if expected is not None:
            # Shapes stand in the header: a file that does not fit is refused before it takes memory.
            with safe_open(path, framework="pt") as file:
                shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            _check_names(shapes, expected, path, mend)
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise BudwoodError(f"the weights cannot be read: {error}", where=str(path), mend=mend) from error
    for name, value in tensors.items():
        if not value.is_floating_point():
            raise BudwoodError(
                f"the weights in {name} are of type {str(value.dtype).removeprefix('torch.')}",
                where=str(path),
                mend=mend,
            )
        if not torch.isfinite(value.float()).all():
            raise BudwoodError(f"{name} holds numbers that are not finite", where=str(path), mend=mend)
    return tensors


def _check_names(
    shapes: Mapping[str, tuple[int, ...]], expected: Mapping[str, Tensor], path: Path, mend: str
) -> None:
    missing, unknown = sorted(set(expected) - set(shapes)), sorted(set(shapes) - set(expected))
    for what, names in (("lacks", missing), ("has the unexpected", unknown)):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise BudwoodError(f"the file {what} tensor {names[0]}{more}", where=str(path), mend=mend)
    for name, shape in shapes.items():
        wanted = tuple(expected[name].shape)
        if shape != wanted:
            raise BudwoodError(
                f"tensor {name} has shape {shape}, and the network needs {wanted}",
                where=str(path),
                mend=mend,
            )
