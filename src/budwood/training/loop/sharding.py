"""Weights split over devices: torch's fully sharded data parallel, second version (FSDP2).

Accelerate switches FSDP2 on for accelerators alone; applied here, it can be tested on processors too.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed import get_world_size, is_initialized
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor

from budwood.errors import BudwoodError
from budwood.model.strand_network import AttentionBlock
from budwood.training.objective.objectives import PretrainingObjective


def sharded(objective: PretrainingObjective, device: torch.device) -> PretrainingObjective:
    """Split the weights of an objective over the processes of a training, in place.

    Every attention block is gathered when it is needed and released afterwards; the rest is one unit.

    Parameters
    ----------
    objective
        Network and losses.
    device
        Device of this process.

    Returns
    -------
    PretrainingObjective
        The same module.

    Raises
    ------
    BudwoodError
        If there is one process only.
    """
    if not is_initialized():
        raise BudwoodError(
            "weights cannot be split over one process", mend="start it with torchrun, or leave --shard out"
        )
    objective.to(device)
    mesh = init_device_mesh(device.type, (get_world_size(),))
    for module in objective.modules():
        if isinstance(module, AttentionBlock):
            fully_shard(module, mesh=mesh)
    fully_shard(objective, mesh=mesh)
    register_fsdp_forward_method(objective, "read")
    return objective


def whole_tensor(value: Tensor) -> Tensor:
    """A tensor gathered from all processes where it is split, itself where it is not.

    Parameters
    ----------
    value
        A tensor, split over processes or not.

    Returns
    -------
    Tensor
        The whole tensor. Every process must call this where it is split.
    """
    gathered: Tensor = value.full_tensor() if isinstance(value, DTensor) else value
    return gathered
