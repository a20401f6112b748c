"""Published masked language models of DNA, in the format of transformers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForMaskedLM, AutoTokenizer

from budwood.artifacts import files_digest
from budwood.errors import BudwoodError
from budwood.genomics.sequence import MASK, PAD, N, decode, reverse_complement
from budwood.model.device import Precision, check_precision, choose_device
from budwood.model.dna_tokenizer import DnaTokenizer, dna_tokenizer
from budwood.model.encoder import pool_weights
from budwood.model.quiet import quiet_transformers

#: Files that a model's vectors depend on.
_READ: Final = frozenset({".safetensors", ".json", ".txt", ".model"})
_UNSAFE: Final = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
#: Parts of a network that vectors of tokens do not pass through.
_UNUSED: Final = ("contact_head", "pooler")
#: Numbers that older releases of transformers saved and newer ones compute from the configuration.
_COMPUTED: Final = ("position_ids", "inv_freq")
_MEND: Final = "give a masked language model that transformers knows; code in the folder is never run"


@dataclass(frozen=True)
class Piece:
    """Tokens that are read at once, and their shares in a vector.

    Attributes
    ----------
    row
        Number of the sequence they come from.
    ids, shares
        (tokens,) numbers, and weights that sum to 1 over the pieces of a sequence.
    """

    row: int
    ids: NDArray[np.int64]
    shares: NDArray[np.float64]


@dataclass(frozen=True)
class LanguageModel:
    """A masked language model as a :class:`~budwood.model.backbone.Backbone`.

    A base's vector is that of the token it belongs to, from the last hidden layer; a window's vector is the
    mean over its bases, so a token counts by the bases it stands for. Both strands are cut into tokens and
    read. A sequence of more tokens than the model takes is read in equal pieces. The tokenizer is given N as
    it is.

    Attributes
    ----------
    name, digest, embedding_size
        As :class:`~budwood.model.backbone.Backbone` has them.
    tokenizer
        The folder's own.
    network
        The model without its head, in evaluation mode, float32.
    most_tokens
        Tokens it reads at once, without those at the ends; None for any number.
    precision
        ``float32``, or ``bf16``: matrix products in bfloat16.
    """

    name: str
    digest: str
    embedding_size: int
    tokenizer: DnaTokenizer
    network: Any
    most_tokens: int | None
    precision: Precision = "float32"

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        device: torch.device = self.network.device
        return device

    def on(self, device: str | torch.device | None) -> Self:
        """Move it to a device.

        Parameters
        ----------
        device
            As for :func:`budwood.model.device.choose_device`.

        Returns
        -------
        LanguageModel
            The same object.

        Raises
        ------
        BudwoodError
            If there is no such device.
        """
        self.network.to(choose_device(device))
        return self

    def in_precision(self, precision: Precision) -> Self:
        """The same network computing in another precision.

        Parameters
        ----------
        precision
            ``float32`` or ``bf16``.

        Returns
        -------
        LanguageModel
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
            (2, rows, embedding_size) ``float32``: the given strand, then the other one.
        """
        weights = pool_weights(torch.from_numpy(codes.astype(np.int64)), centre)[..., 0].numpy()
        windows = [row[row != PAD] for row in codes]
        strands = [*windows, *(reverse_complement(window) for window in windows)]
        vectors = np.zeros((len(strands), self.embedding_size), dtype=np.float32)
        pieces = list(self._pieces(strands, np.concatenate([weights, weights])))
        if pieces:
            for piece, vector in zip(pieces, self._read(pieces), strict=True):
                vectors[piece.row] += vector
        return vectors.reshape(2, len(codes), self.embedding_size)

    def _pieces(self, strands: list[NDArray[np.uint8]], weights: NDArray[np.float32]) -> Iterator[Piece]:
        texts = [decode(np.where(codes == MASK, N, codes).astype(np.uint8)) for codes in strands]
        for number, tokens in enumerate(self.tokenizer.read(texts)):
            # The weights are the same from either end, so they fit both strands.
            summed = np.concatenate([[0.0], np.cumsum(weights[number, : len(strands[number])], dtype=float)])
            shares = summed[tokens.spans[:, 1]] - summed[tokens.spans[:, 0]]
            total = shares.sum()
            if total <= 0:
                continue
            count = len(shares)
            parts = 1 if self.most_tokens is None else -(-count // self.most_tokens)
            for part in np.array_split(np.arange(count), parts):
                yield Piece(number, tokens.ids[part], shares[part] / total)

    def _read(self, pieces: list[Piece]) -> NDArray[np.float32]:
        """Sum of each piece's token vectors times their shares, (pieces, embedding_size)."""
        before, after = self.tokenizer.before, self.tokenizer.after
        longest = max(len(piece.ids) for piece in pieces) + len(before) + len(after)
        ids = np.full((len(pieces), longest), self.tokenizer.pad, dtype=np.int64)
        present = np.zeros_like(ids)
        shares = np.zeros(ids.shape, dtype=np.float32)
        for k, piece in enumerate(pieces):
            line = [*before, *piece.ids, *after]
            ids[k, : len(line)] = line
            present[k, : len(line)] = 1
            shares[k, len(before) : len(before) + len(piece.ids)] = piece.shares
        tensors = (torch.from_numpy(array).to(self.network.device) for array in (ids, present, shares))
        tokens, mask, weight = tensors
        with ExitStack() as modes:
            modes.enter_context(torch.inference_mode())
            if self.precision == "bf16":
                modes.enter_context(torch.autocast(self.device.type, torch.bfloat16))
            hidden = self.network(input_ids=tokens, attention_mask=mask).last_hidden_state
            pooled: NDArray[np.float32] = (hidden * weight.unsqueeze(-1)).sum(1).float().cpu().numpy()
        return pooled


def load_language_model(
    folder: Path, *, device: str | torch.device | None = "auto", precision: Precision = "float32"
) -> LanguageModel:
    """Open the folder of a published masked language model.

    Parameters
    ----------
    folder
        Holds config.json, weights in safetensors and the files of a tokenizer.
    device, precision
        As for :func:`budwood.model.checkpoint.load_checkpoint`.

    Returns
    -------
    LanguageModel
        The model in evaluation mode, on the device.

    Raises
    ------
    BudwoodError
        If its weights are not safetensors, do not fit an architecture of transformers, or its tokenizer
        does not read DNA.
    """
    _check_weights(folder)
    with quiet_transformers():
        network = _network(folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # each kind of tokenizer has its own ways to fail
            raise BudwoodError(
                f"the tokenizer of this model cannot be read: {_first_line(error)}",
                where=str(folder),
                mend="put the tokenizer's files beside the weights",
            ) from error
    try:
        reader = dna_tokenizer(tokenizer)
    except BudwoodError as error:
        raise BudwoodError(error.what, where=str(folder), mend=error.mend) from error
    limit = reader.most_tokens(getattr(network.config, "max_position_embeddings", None))
    model = LanguageModel(folder.name, _digest(folder), _size(network, reader), reader, network, limit)
    return model.on(device).in_precision(precision)


def _network(folder: Path) -> Any:
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        whole, report = AutoModelForMaskedLM.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as error:  # transformers and safetensors raise many kinds
        raise BudwoodError(
            f"the model cannot be read: {_first_line(error)}",
            where=str(folder),
            mend=_MEND,
        ) from error
    _check_names(whole, report, folder)
    for name, value in whole.base_model.state_dict().items():
        if not torch.isfinite(value.float()).all():
            raise BudwoodError(
                f"{name} holds numbers that are not finite",
                where=str(folder),
                mend="copy the weights again from their source",
            )
    return whole.base_model.eval()


def _check_names(whole: Any, report: dict[str, Any], folder: Path) -> None:
    """Refuse weights that the used part of the network lacks, or for which it has no parameter."""
    prefix, parts = f"{whole.base_model_prefix}.", {name for name, _ in whole.base_model.named_children()}

    def used(key: str) -> bool:
        # A file saved without the head has the names without the prefix.
        inside = key.startswith(prefix) or key.split(".")[0] in parts
        return inside and not any(part in key for part in (*_UNUSED, *_COMPUTED))

    for what, names in (("lack", report["missing_keys"]), ("hold the unexpected", report["unexpected_keys"])):
        found = sorted(key for key in names if used(key))
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise BudwoodError(
                f"the weights do not fit a {whole.config.model_type} network: they {what} {found[0]}{more}",
                where=str(folder),
                mend=_MEND,
            )


def _size(network: Any, tokenizer: DnaTokenizer) -> int:
    (row,) = tokenizer.read(["ACGT"])
    line = torch.tensor([[*tokenizer.before, *row.ids, *tokenizer.after]])
    with torch.inference_mode():
        return int(network(input_ids=line, attention_mask=torch.ones_like(line)).last_hidden_state.shape[-1])


def _check_weights(folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    unsafe = sorted(file.name for pattern in _UNSAFE for file in folder.glob(pattern))
    if unsafe:
        raise BudwoodError(
            f"the weights are a pickle ({unsafe[0]}), which can run code and is never opened",
            where=str(folder),
            mend="convert them to safetensors, or take them from a source that has these",
        )
    raise BudwoodError(
        "there are no weights in this folder", where=str(folder), mend="give one that holds model.safetensors"
    )


def _digest(folder: Path) -> str:
    files = sorted(file for file in folder.iterdir() if file.suffix in _READ and file.is_file())
    return files_digest(folder, [file.name for file in files])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".: ") if lines else type(error).__name__
