"""What embedding needs of a model, and how one is opened, whoever trained it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.model.checkpoint import load_checkpoint
from budwood.model.device import Precision
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.language_model import load_language_model


class Backbone(Protocol):
    """A model that turns windows of DNA into vectors."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def digest(self) -> str:
        """SHA-256 over its weights and configuration: vectors are cached and labelled by it."""

    @property
    def embedding_size(self) -> int:
        """Numbers in one vector."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    @property
    def precision(self) -> Precision:
        """``float32``, or ``bf16`` for products in bfloat16."""

    def on(self, device: str | torch.device | None) -> Self:
        """Move it to a device.

        Parameters
        ----------
        device
            As for :func:`budwood.model.device.choose_device`.

        Returns
        -------
        Backbone
            The same model.
        """

    def embed_strands(self, codes: NDArray[np.uint8], *, centre: int | None = None) -> NDArray[np.float32]:
        """Vectors of windows as read on either strand.

        The reverse complement of a window has the same two vectors in the other order. Neither padding nor
        the other rows change a vector by more than rounding does; a row of padding alone gives zeros.

        Parameters
        ----------
        codes
            (rows, length) bases of :mod:`budwood.genomics.sequence`, padded on either side; at most 512 long.
        centre
            Mean over that many middle bases; over all where None.

        Returns
        -------
        ndarray
            (2, rows, embedding_size) ``float32``: the given strand, then the other one.
        """


def load_backbone(
    folder: Path | None = None,
    *,
    device: str | torch.device | None = "auto",
    precision: Precision = "float32",
) -> Backbone:
    """Open a checkpoint of Budwood (by default the packaged one) or a published masked language model.

    The latter is a folder in the format of transformers: config.json, weights in safetensors, and the files
    of a tokenizer that reads plain DNA letters. Nothing is downloaded and no code of the folder is run.

    Parameters
    ----------
    folder
        Folder of the model.
    device, precision
        As for :func:`budwood.model.checkpoint.load_checkpoint`.

    Returns
    -------
    Backbone
        The model in evaluation mode, on the device.

    Raises
    ------
    BudwoodError
        If the folder holds no such model, or a damaged one, or there is no such device.

    Examples
    --------
    >>> load_backbone(device="cpu").name
    'tracks'
    """
    if folder is None or not (Path(folder) / "config.json").is_file():
        return load_checkpoint(folder, device=device, precision=precision)
    folder = Path(folder)
    config = folder / "config.json"
    try:
        kind = json.loads(config.read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BudwoodError(
            "config.json does not say which kind of model this is",
            where=str(config),
            mend="copy the folder again from its source",
        ) from error
    opener = load_checkpoint if kind == BudwoodConfig.model_type else load_language_model
    return opener(folder, device=device, precision=precision)
