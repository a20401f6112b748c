"""The devices of a training, through Hugging Face Accelerate."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from budwood.errors import BudwoodError
from budwood.model.device import choose_device


def open_accelerator(precision: str, device: str = "auto") -> Accelerator:
    """Prepare the devices of a training.

    Parameters
    ----------
    precision
        ``bf16`` or ``no``.
    device
        ``auto`` (cuda, then mps, then cpu), or one of these.

    Returns
    -------
    Accelerator
        Device, number of processes and mixed precision.

    Raises
    ------
    BudwoodError
        If there is no such device.

    Examples
    --------
    >>> open_accelerator("no", "cpu").device.type
    'cpu'
    """
    kind = choose_device(device).type if device != "auto" else "auto"
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        # Accelerate keeps one state per process; a second training may have another precision or device.
        AcceleratorState._reset_state(reset_partial_state=True)
    accelerator = Accelerator(mixed_precision=precision, cpu=kind == "cpu")
    if kind not in ("auto", accelerator.device.type):
        raise BudwoodError(
            f"this training would run on {accelerator.device.type}, not on {kind}",
            where="--device",
            mend="choose auto, or another device",
        )
    return accelerator
