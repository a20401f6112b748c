"""What a training needs to resume exactly, as safetensors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from budwood.artifacts import sha256
from budwood.errors import BudwoodError
from budwood.genomics.io.text.whole_number import whole_number
from budwood.model.weights import read_tensors
from budwood.training.loop.sharding import whole_tensor
from budwood.training.monitoring.divergence_guard import DivergenceGuard

_WEIGHTS: Final = "weights.safetensors"
_OPTIMISER: Final = "optimiser.safetensors"
_STEP: Final = "step.json"
_MEND: Final = "choose another --out, or the recipe that the training was begun with"


def save_state(
    folder: Path,
    module: nn.Module,
    optimisers: Sequence[torch.optim.Optimizer],
    step: int,
    watch: DivergenceGuard,
    *,
    main: bool = True,
) -> None:
    """Write the state after ``step`` steps; the folder is replaced as a whole.

    Every process of a distributed training calls it, since sharded tensors are gathered from all; the process
    that is ``main`` writes.

    Parameters
    ----------
    folder
        Where the state is kept.
    module
        Holds the weights.
    optimisers
        Hold the moments.
    step
        Steps done.
    watch
        The guard, which is saved as it is.
    main
        Whether this process writes.
    """
    weights = {name: _whole(value) for name, value in module.state_dict().items()}
    moments = {
        f"{number}.{index}.{name}": _whole(torch.as_tensor(value))
        for number, index, parameter, optimiser in _parameters(optimisers)
        for name, value in optimiser.state.get(parameter, {}).items()
    }
    if not main:
        return
    folder = Path(folder)
    draft = folder.with_name(folder.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save_file(weights, draft / _WEIGHTS)
    save_file(moments, draft / _OPTIMISER)
    digests = {name: sha256(draft / name) for name in (_WEIGHTS, _OPTIMISER)}
    facts = {"step": step, "watch": asdict(watch), "files": digests}
    (draft / _STEP).write_text(json.dumps(facts), encoding="utf-8")
    retired = folder.with_name(folder.name + ".old")
    shutil.rmtree(retired, ignore_errors=True)
    if folder.exists():
        folder.replace(retired)
    draft.replace(folder)
    shutil.rmtree(retired, ignore_errors=True)


def saved_state(folder: Path) -> Path | None:
    """Folder of the newest whole state, None where there is none.

    Parameters
    ----------
    folder
        Where :func:`save_state` writes.

    Returns
    -------
    Path or None
        The state, which may stand under another name after a crash.
    """
    # A crash between the two renames of save_state leaves the previous state under the other name.
    candidates = (Path(folder), Path(folder).with_name(Path(folder).name + ".old"))
    return next((found for found in candidates if found.exists()), None)


def load_weights(state: Path, module: nn.Module) -> tuple[int, DivergenceGuard]:
    """Load the weights, before the module is wrapped for a device.

    Parameters
    ----------
    state
        Folder that :func:`save_state` wrote.
    module
        Gets the weights.

    Returns
    -------
    tuple
        Steps done, and the guard as it was.

    Raises
    ------
    BudwoodError
        If the state is damaged or does not fit the module.
    """
    try:
        facts = json.loads((state / _STEP).read_text(encoding="utf-8"))
        step, watch = facts["step"], DivergenceGuard(**facts.get("watch", {}))
        digests = dict(facts.get("files", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BudwoodError("the saved state cannot be read", where=str(state / _STEP), mend=_MEND) from error
    if type(step) is not int or step < 0:
        raise BudwoodError(f"the saved state is of step {step!r}", where=str(state / _STEP), mend=_MEND)
    # States of earlier releases have no digests; names, shapes and values are checked all the same.
    for name, digest in digests.items():
        if not (state / name).is_file() or sha256(state / name) != digest:
            raise BudwoodError(f"{name} has changed since it was saved", where=str(state), mend=_MEND)
    module.load_state_dict(read_tensors(state / _WEIGHTS, module.state_dict(), mend=_MEND))
    return step, watch


def load_moments(state: Path, optimisers: Sequence[torch.optim.Optimizer]) -> None:
    """Load what the optimisers remember, once they hold the parameters they will train.

    Parameters
    ----------
    state
        Folder that :func:`save_state` wrote.
    optimisers
        Get their moments.

    Raises
    ------
    BudwoodError
        If the state is damaged or is of other optimisers.
    """
    file = state / _OPTIMISER
    parameters = {(number, index): (p, o) for number, index, p, o in _parameters(optimisers)}
    for key, value in read_tensors(file, mend=_MEND).items():
        number, index, name = [*key.split(".", 2), "", ""][:3]
        first, second = whole_number(number), whole_number(index)
        found = None if first is None or second is None else parameters.get((first, second))
        if found is None or not name:
            raise BudwoodError(f"the saved state has the unexpected {key}", where=str(file), mend=_MEND)
        parameter, optimiser = found
        if value.ndim and value.shape != parameter.shape:
            raise BudwoodError(
                f"{key} has shape {tuple(value.shape)}, and the network needs {tuple(parameter.shape)}",
                where=str(file),
                mend=_MEND,
            )
        # The count of steps stays where AdamW keeps it: a number on the processor.
        placed = value if value.ndim == 0 else _like(value, parameter)
        optimiser.state[parameter][name] = placed


def _parameters(
    optimisers: Sequence[torch.optim.Optimizer],
) -> Iterator[tuple[int, int, Tensor, torch.optim.Optimizer]]:
    for number, optimiser in enumerate(optimisers):
        held = [p for group in optimiser.param_groups for p in group["params"]]
        yield from ((number, index, parameter, optimiser) for index, parameter in enumerate(held))


def _whole(value: Tensor) -> Tensor:
    return whole_tensor(value).detach().contiguous()


def _like(value: Tensor, parameter: Tensor) -> Tensor:
    if isinstance(parameter, DTensor):
        return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)
    return value.to(parameter.device)
