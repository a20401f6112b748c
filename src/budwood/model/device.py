"""Where and how precisely an encoder computes."""

from __future__ import annotations

from typing import Final, Literal

import torch

from budwood.errors import BudwoodError, shown
from budwood.genomics.io.text.whole_number import whole_number

#: Names for ``--device``: ``auto`` is the first of cuda, mps and cpu that this machine has.
DEVICES: Final = ("auto", "cpu", "cuda", "mps")

Precision = Literal["float32", "bf16"]


def choose_device(name: str | torch.device | None = "auto") -> torch.device:
    """The device that a name stands for.

    Parameters
    ----------
    name
        ``auto``, ``cpu``, ``cuda`` (or one of several, ``cuda:1``) or ``mps``; None means ``auto``.

    Returns
    -------
    torch.device
        A device that this machine has.

    Raises
    ------
    BudwoodError
        If there is no such device on this machine.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    wanted = str(name or "auto")
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    kind, _, number = wanted.partition(":")
    index = whole_number(number or "0")
    if kind not in present or index is None:
        raise BudwoodError(
            f"device {shown(wanted)} is unknown", where="--device", mend=f"choose from {', '.join(DEVICES)}"
        )
    if not present[kind] or (kind == "cuda" and index >= torch.cuda.device_count()):
        raise BudwoodError(
            f"this machine has no device {shown(wanted)}", where="--device", mend="choose auto or cpu"
        )
    return torch.device(kind, index) if number else torch.device(kind)


def check_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision that is unknown or that this device does not multiply in.

    Parameters
    ----------
    precision
        ``float32`` or ``bf16``.
    device
        Where the encoder computes.

    Raises
    ------
    BudwoodError
        If it is another one, or bf16 on a GPU that has none.
    """
    if precision not in ("float32", "bf16"):
        raise BudwoodError(
            f"precision {shown(precision)} is unknown", where="precision", mend="choose float32 or bf16"
        )
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise BudwoodError("this GPU does not multiply in bfloat16", where="precision", mend="choose float32")
