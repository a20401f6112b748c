"""Checkpoints: a pre-trained encoder with the digest by which its results are known."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.artifacts import sha256
from budwood.errors import BudwoodError
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder

WEIGHTS: Final = "model.safetensors"
PACKAGED: Final = "small"


@dataclass(frozen=True)
class Checkpoint:
    """An encoder ready to use: Budwood's own kind of :class:`~budwood.model.backbone.Backbone`.

    Attributes
    ----------
    name
        Folder name of a saved checkpoint, or what a random one was made from.
    encoder
        In evaluation mode, float32.
    digest
        SHA-256 of the weights file (of shape and seed for random weights): what embeddings are cached and
        labelled by.
    """

    name: str
    encoder: BudwoodEncoder
    digest: str

    @property
    def parameters(self) -> int:
        """Number of trained numbers."""
        return sum(p.numel() for p in self.encoder.parameters())

    @property
    def embedding_size(self) -> int:
        """Numbers in one embedding."""
        return self.encoder.config.embedding_size

    def embed_strands(self, codes: NDArray[np.uint8], *, centre: int | None = None) -> NDArray[np.float32]:
        """Vectors of windows as read on either strand, (2, rows, embedding_size)."""
        tokens = torch.from_numpy(codes.astype(np.int64)).to(self.encoder.device)
        with torch.inference_mode():
            vectors: NDArray[np.float32] = self.encoder.embed_strands(tokens, centre=centre).cpu().numpy()
        return vectors


def load_checkpoint(folder: Path | None = None) -> Checkpoint:
    """Open a checkpoint folder, by default the one that comes with the package.

    Raises
    ------
    BudwoodError
        If the folder holds no checkpoint, or a broken one.
    """
    folder = packaged_checkpoint() if folder is None else Path(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise BudwoodError(
            "there is no checkpoint in this folder",
            where=str(folder),
            mend="give one that holds model.safetensors",
        )
    try:
        encoder = BudwoodEncoder.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except Exception as error:  # transformers and safetensors raise many kinds for a broken file
        raise BudwoodError(
            f"the checkpoint cannot be read: {error}", where=str(folder), mend="copy it again from its source"
        ) from error
    encoder.eval()
    return Checkpoint(folder.name, encoder, sha256(weights))


def random_checkpoint(config: BudwoodConfig | None = None, *, seed: int = 0) -> Checkpoint:
    """An untrained encoder of the same shape: the control that every claim of pre-training needs.

    Attention and feed-forward branches, which training starts at zero, are drawn at random as well.
    """
    config = config or BudwoodConfig()
    generator_state = torch.get_rng_state()
    torch.manual_seed(seed)
    encoder = BudwoodEncoder(config)
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.ndim > 1 and not parameter.any():
                parameter.normal_(std=parameter.shape[1] ** -0.5)
    torch.set_rng_state(generator_state)
    encoder.eval()
    described = f"random {seed} {sorted(config.to_diff_dict().items())}"
    return Checkpoint(f"random-{seed}", encoder, hashlib.sha256(described.encode()).hexdigest())


def packaged_checkpoint() -> Path:
    """Folder of the checkpoint inside the package."""
    return Path(str(files("budwood") / "checkpoints" / PACKAGED))
