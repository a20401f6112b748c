"""Which encoder reads sequence, and where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.model.backbone import Backbone
    from budwood.model.checkpoint import Checkpoint

Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """Which encoder reads sequence, and where it runs.

    Attributes
    ----------
    checkpoint
        Folder of the encoder. Where None: the packaged one that the adapters were made over, or the
        default.
    adapter
        Folders of adapters of that checkpoint, which are added up; one that was trained over others stands
        after them.
    device
        Where it runs; ``auto`` is a CUDA device, else Apple's, else the processor.
    batch_size
        Windows that it reads at once; 16 where None.
    precision
        ``float32``, or ``bf16`` for products in bfloat16.

    Raises
    ------
    BudwoodError
        If the batch size is under 1.
    """

    checkpoint: Path | None = None
    adapter: tuple[Path, ...] = ()
    device: Device = "auto"
    batch_size: int | None = None
    precision: Literal["float32", "bf16"] = "float32"

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
            If the folder holds no checkpoint, there is no such device, or an adapter is damaged or is of
            another checkpoint.
        """
        from budwood.model.backbone import load_backbone

        if not self.adapter:
            return load_backbone(self.checkpoint, device=self.device, precision=self.precision)
        from budwood.model.adapters.adapter_folder import adapter_base, load_adapters
        from budwood.model.checkpoint import Checkpoint, packaged_checkpoint_of

        folder = self.checkpoint or packaged_checkpoint_of(adapter_base(self.adapter[0]))
        backbone = load_backbone(folder, device=self.device)

        if not isinstance(backbone, Checkpoint):
            raise BudwoodError(
                "adapters are for checkpoints of Budwood, and this is another model",
                where=str(self.checkpoint),
                mend="leave out --adapter",
            )
        return load_adapters(backbone, self.adapter).in_precision(self.precision)

    def open_tracks(self) -> Checkpoint:
        """The encoder with its head of tracks; adapters, with which no head is trained, are left out.

        Returns
        -------
        Checkpoint
            Where no folder is named, the packaged checkpoint that predicts tracks.

        Raises
        ------
        BudwoodError
            If the folder holds no checkpoint of Budwood, or one that predicts no tracks.
        """
        from budwood.model.backbone import load_backbone
        from budwood.model.checkpoint import Checkpoint, track_checkpoint

        folder = self.checkpoint or track_checkpoint()
        opened = load_backbone(folder, device=self.device, precision=self.precision)
        if not isinstance(opened, Checkpoint):
            raise BudwoodError(
                "tracks are predicted by checkpoints of Budwood, and this is another model",
                where=str(folder),
                mend="give a checkpoint that was trained on tracks",
            )
        opened.head.rows()
        return opened
