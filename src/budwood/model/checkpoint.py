"""Checkpoints: a pre-trained encoder with the digest by which its results are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.artifacts import files_digest
from budwood.errors import BudwoodError
from budwood.model.device import Precision, check_precision, choose_device
from budwood.model.encoder import BudwoodEncoder
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.quiet import quiet_transformers
from budwood.model.tokenizer import save_tokenizer
from budwood.model.track_head import TRACKS, TrackHead, read_track_head, write_track_head
from budwood.model.weights import CONFIG, WEIGHTS, check_folder

PACKAGED: Final = "tracks"
#: The largest number that float16 holds.
_LARGEST_HALF: Final = 65_504.0


@dataclass(frozen=True)
class Checkpoint:
    """An encoder ready to use: Budwood's own kind of :class:`~budwood.model.backbone.Backbone`.

    Attributes
    ----------
    name
        Folder name of a saved checkpoint, or what a random one was made from.
    encoder
        In evaluation mode, with float32 weights.
    digest
        SHA-256 over config.json and the weights file (over shape and seed for random weights): embeddings are
        cached and labelled by it.
    precision
        ``float32``, or ``bf16``: matrix products in bfloat16, sums and means in float32.
    tracks
        The head that predicts interval tracks such as open chromatin; None where it was trained on none.
    """

    name: str
    encoder: BudwoodEncoder
    digest: str
    precision: Precision = "float32"
    tracks: TrackHead | None = None

    @property
    def parameters(self) -> int:
        """Number of trained numbers."""
        return sum(p.numel() for p in self.encoder.parameters())

    @property
    def embedding_size(self) -> int:
        """Numbers in one embedding."""
        return self.encoder.config.embedding_size

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.encoder.device

    @property
    def head(self) -> TrackHead:
        """The head of the tracks; BudwoodError where there is none."""
        if self.tracks is None:
            raise BudwoodError(
                f"the checkpoint {self.name!r} predicts no tracks: it was not trained on any",
                mend=f"give a checkpoint that holds {TRACKS}",
            )
        return self.tracks

    def on(self, device: str | torch.device | None) -> Self:
        """Move it to a device.

        Parameters
        ----------
        device
            As for :func:`budwood.model.device.choose_device`.

        Returns
        -------
        Checkpoint
            The same object.

        Raises
        ------
        BudwoodError
            If there is no such device.
        """
        torch.nn.Module.to(self.encoder, choose_device(device))
        return self

    def in_precision(self, precision: Precision) -> Self:
        """The same encoder computing in another precision.

        Parameters
        ----------
        precision
            ``float32`` or ``bf16``.

        Returns
        -------
        Checkpoint
            A copy that shares the weights.

        Raises
        ------
        BudwoodError
            If the precision is unknown or the device has none such.
        """
        check_precision(precision, self.device)
        return replace(self, precision=precision)

    def embed_strands(self, codes: NDArray[np.uint8], *, centre: int | None = None) -> NDArray[np.float32]:
        """Vectors of windows as read on either strand.

        Parameters
        ----------
        codes
            (rows, length) bases of :mod:`budwood.genomics.sequence`, padded on either side.
        centre
            Mean over that many middle bases; over all where None.

        Returns
        -------
        ndarray
            (2, rows, embedding_size) ``float32``.
        """
        with self._modes():
            read = self.encoder.embed_strands(self._tokens(codes), centre=centre)
            vectors: NDArray[np.float32] = read.cpu().numpy()
        return vectors

    def read_tracks(self, codes: NDArray[np.uint8], names: Sequence[str] = ()) -> NDArray[np.float32]:
        """Logits of the tracks at single bases, both strands averaged.

        The head is linear: the mean of the logits over 8 bases is the logit that it gives for their mean
        vector, for which it was trained.

        Parameters
        ----------
        codes
            (rows, length) bases of :mod:`budwood.genomics.sequence`, padded on either side.
        names
            Tracks to read; all where there is none.

        Returns
        -------
        ndarray
            (rows, length, tracks) ``float32``, which turns with the sequence; 0 on padding.

        Raises
        ------
        BudwoodError
            If the checkpoint has no head for tracks, or none of a name.
        """
        layer = self.head.layer(self.head.rows(names), self.device)
        with self._modes():
            logits: NDArray[np.float32] = self.encoder.read_out(self._tokens(codes), layer).cpu().numpy()
        return logits

    def _tokens(self, codes: NDArray[np.uint8]) -> torch.Tensor:
        return torch.from_numpy(codes.astype(np.int64)).to(self.device)

    def _modes(self) -> ExitStack:
        modes = ExitStack()
        modes.enter_context(torch.inference_mode())
        if self.device.type == "cuda":
            # By default convolutions round their factors to 10 bits there (TF32), more than haplotypes
            # differ.
            modes.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
        if self.precision == "bf16":
            modes.enter_context(torch.autocast(self.device.type, torch.bfloat16))
        return modes


def load_checkpoint(
    folder: Path | None = None,
    *,
    device: str | torch.device | None = "auto",
    precision: Precision = "float32",
) -> Checkpoint:
    """Open a checkpoint folder, by default the one that comes with the package.

    Configuration and weights are checked against each other and against the manifest where there is one, and
    so is the head of the tracks.

    Parameters
    ----------
    folder
        Holds config.json and model.safetensors; tracks.safetensors where it predicts tracks.
    device
        As for :func:`budwood.model.device.choose_device`.
    precision
        ``float32``, or ``bf16`` for products in bfloat16 (docs/embedding.md says where that is safe).

    Returns
    -------
    Checkpoint
        The encoder in evaluation mode, with float32 weights, on the device.

    Raises
    ------
    BudwoodError
        If the folder holds no checkpoint, or a damaged one.

    Examples
    --------
    >>> load_checkpoint(device="cpu").embedding_size
    512
    """
    folder = packaged_checkpoint() if folder is None else Path(folder)
    config, weights = check_folder(folder, lambda shape: BudwoodEncoder(shape).state_dict())
    with torch.device("meta"):
        encoder = BudwoodEncoder(config)
    encoder.load_state_dict({name: value.float() for name, value in weights.items()}, assign=True)
    encoder.eval()
    digest = checkpoint_digest(folder)
    name = folder.name or folder.resolve().name
    tracks = read_track_head(folder, config.embedding_size, digest)
    return Checkpoint(name, encoder, digest, tracks=tracks).on(device).in_precision(precision)


def save_checkpoint(encoder: BudwoodEncoder, folder: Path, tracks: TrackHead | None = None) -> None:
    """Write config.json, float16 weights and the tokenizer, as the auto classes of transformers open them.

    A head of tracks is written beside them, in float32.

    Rounding to float16 moves a weight of at least 2^-14 (6.1e-5) by at most 2^-11 (.049 %) of itself, and a
    smaller one by at most 2^-25 (3e-8).

    Parameters
    ----------
    encoder
        Any precision; it stays as it is.
    folder
        Exists.
    tracks
        Head of the tracks that the encoder was trained on; none is written where None.

    Raises
    ------
    BudwoodError
        If a weight is not finite or too large for float16.
    """
    largest = max((float(p.detach().abs().max()) for p in encoder.parameters()), default=0.0)
    if not largest <= _LARGEST_HALF:
        raise BudwoodError(
            f"the largest weight is {largest:g}, which float16 does not hold",
            where=str(folder),
            mend="train again with a lower learning_rate",
        )
    with torch.device("meta"):
        half = BudwoodEncoder(encoder.config)
    state = {name: value.detach().half().clone() for name, value in encoder.state_dict().items()}
    half.load_state_dict(state, assign=True)
    with quiet_transformers():
        half.save_pretrained(folder)
    save_tokenizer(folder)
    if tracks is not None:
        write_track_head(tracks, folder, checkpoint_digest(folder))


def random_checkpoint(config: BudwoodConfig | None = None, *, seed: int = 0) -> Checkpoint:
    """An untrained encoder of the same shape: the control that every claim of pre-training needs.

    Attention and feed-forward branches, which training starts at zero, are drawn at random as well.

    Parameters
    ----------
    config
        Shape, by default that of the packaged checkpoint.
    seed
        Seed of the weights; the global generator of torch stays as it is.

    Returns
    -------
    Checkpoint
        The encoder in evaluation mode, on the processor.
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


def packaged_checkpoint(name: str = PACKAGED) -> Path:
    """Folder of a checkpoint inside the package.

    Parameters
    ----------
    name
        ``tracks``, which is used where no other is named; ``grasses``, which it continues with chromatin
        states and transposons; or ``small``, which that continues on six annotated genomes.
        docs/checkpoint.md compares them.

    Returns
    -------
    Path
        Holds config.json, model.safetensors and the tokenizer.

    Raises
    ------
    BudwoodError
        If no checkpoint of the package has that name.

    Examples
    --------
    >>> packaged_checkpoint().name, packaged_checkpoint("small").name
    ('tracks', 'small')
    """
    folder, names = _packaged()
    if name not in names:
        raise BudwoodError(
            f"no packaged checkpoint is called {name!r}", mend=f"choose one of {', '.join(names)}"
        )
    return folder / name


def track_checkpoint() -> Path | None:
    """The packaged checkpoint that predicts interval tracks.

    Returns
    -------
    Path | None
        Its folder, that of the default where several do; None where none does.
    """
    folder, names = _packaged()
    heads = [name for name in names if (folder / name / TRACKS).is_file()]
    return folder / (PACKAGED if PACKAGED in heads else heads[0]) if heads else None


def packaged_checkpoint_of(digest: str) -> Path | None:
    """The packaged checkpoint with a digest: what a model or an adapter that states it was made with.

    Parameters
    ----------
    digest
        As :attr:`Checkpoint.digest`.

    Returns
    -------
    Path | None
        Its folder; None where no checkpoint of the package has the digest.

    Examples
    --------
    >>> packaged_checkpoint_of(checkpoint_digest(packaged_checkpoint("small"))).name
    'small'
    """
    folder, names = _packaged()
    return next((folder / name for name in names if checkpoint_digest(folder / name) == digest), None)


def checkpoint_digest(folder: Path) -> str:
    """The digest of a checkpoint's configuration and weights.

    Parameters
    ----------
    folder
        Holds config.json and model.safetensors.

    Returns
    -------
    str
        Hexadecimal SHA-256.

    Examples
    --------
    >>> len(checkpoint_digest(packaged_checkpoint()))
    64
    """
    return files_digest(folder, (CONFIG, WEIGHTS))


def _packaged() -> tuple[Path, list[str]]:
    folder = Path(str(files("budwood") / "checkpoints"))
    return folder, sorted(each.name for each in folder.iterdir() if (each / CONFIG).is_file())
