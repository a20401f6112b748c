"""Which encoder reads sequence, and where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.model.backbone import Backbone

Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """Which encoder reads sequence, and where it runs.

    Attributes
    ----------
    checkpoint
        Folder of the encoder; the packaged one where None.
    device
        Where it runs; ``auto`` is a CUDA device, else Apple's, else the processor.
    batch_size
        Windows that it reads at once; 16 where None.

    Raises
    ------
    BudwoodError
        If the batch size is under 1.
    """

    checkpoint: Path | None = None
    device: Device = "auto"
    batch_size: int | None = None

    def __post_init__(self) -> None:
        if self.batch_size is not None and self.batch_size < 1:
            raise BudwoodError(
                f"--batch-size {self.batch_size} is not possible", mend="give 1 or more, or leave it out"
            )

    def open(self) -> Backbone:
        """The encoder on its device.

        Returns
        -------
        Backbone
            The encoder, in evaluation mode.

        Raises
        ------
        BudwoodError
            If the folder holds no checkpoint, or there is no such device.
        """
        from budwood.model.backbone import load_backbone

        return load_backbone(self.checkpoint, device=self.device)
