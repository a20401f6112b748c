"""What a training needs to go on exactly where it stopped, as safetensors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from meristem.errors import MeristemError

_WEIGHTS: Final = "weights.safetensors"
_OPTIMISER: Final = "optimiser.safetensors"
_STEP: Final = "step.json"


def save_state(
    folder: Path, module: nn.Module, optimisers: Sequence[torch.optim.Optimizer], step: int
) -> None:
    """Write the state after ``step`` steps; the folder is replaced as a whole."""
    folder = Path(folder)
    draft = folder.with_name(folder.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save_file({k: v.contiguous() for k, v in module.state_dict().items()}, draft / _WEIGHTS)
    moments = {
        f"{number}.{index}.{name}": torch.as_tensor(value).contiguous()
        for number, optimiser in enumerate(optimisers)
        for index, entry in optimiser.state_dict()["state"].items()
        for name, value in entry.items()
    }
    save_file(moments, draft / _OPTIMISER)
    (draft / _STEP).write_text(json.dumps({"step": step}), encoding="utf-8")
    retired = folder.with_name(folder.name + ".old")
    shutil.rmtree(retired, ignore_errors=True)
    if folder.exists():
        folder.replace(retired)
    draft.replace(folder)
    shutil.rmtree(retired, ignore_errors=True)


def load_state(folder: Path, module: nn.Module, optimisers: Sequence[torch.optim.Optimizer]) -> int:
    """Load the newest whole state; returns the steps done, 0 where there is none.

    Raises
    ------
    MeristemError
        If the state does not fit the module.
    """
    folder = Path(folder)
    if not folder.exists():
        # A crash between the two renames of save_state leaves the previous state under this name.
        folder = folder.with_name(folder.name + ".old")
        if not folder.exists():
            return 0
    try:
        module.load_state_dict(load_file(folder / _WEIGHTS))
    except RuntimeError as error:
        raise MeristemError(
            "the saved state is of another network",
            where=str(folder),
            mend="choose another --out, or the recipe it was begun with",
        ) from error
    entries: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimisers]
    for key, value in load_file(folder / _OPTIMISER).items():
        number, index, name = key.split(".", 2)
        entries[int(number)].setdefault(int(index), {})[name] = value
    for optimiser, entry in zip(optimisers, entries, strict=True):
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": entry, "param_groups": groups})
    return int(json.loads((folder / _STEP).read_text(encoding="utf-8"))["step"])
