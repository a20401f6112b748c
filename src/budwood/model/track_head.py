"""The head of a checkpoint that reads interval tracks: a small file beside the weights, or none.

``tracks.safetensors`` holds ``weight`` (tracks, embedding_size) and ``bias`` (tracks,) in float32. Its
metadata name the tracks, say how the head is read, and hold the digest of the encoder that it was trained
with. The digest of a checkpoint does not depend on it: vectors are the same with and without.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from budwood.artifacts import MANIFEST, read_manifest
from budwood.config import CENTRE_BASES
from budwood.errors import BudwoodError, suggestion
from budwood.model.weights import check_digests, read_tensors

TRACKS: Final = "tracks.safetensors"
#: How probabilities are read; a file that says anything else is of another release.
READOUT: Final = f"sigmoid of weight @ v + bias, v the mean vector of {CENTRE_BASES} bases"
_MEND: Final = "copy the checkpoint again from its source, or write it again with budwood pretrain"


@dataclass(frozen=True, eq=False)
class TrackHead:
    """A linear layer from vectors of bases to tracks, trained with an encoder.

    Attributes
    ----------
    names
        What each track is called.
    weight
        (tracks, embedding_size) float32.
    bias
        (tracks,) float32.
    """

    names: tuple[str, ...]
    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, layer: nn.Linear, names: Sequence[str]) -> TrackHead:
        """The head as training has it.

        Parameters
        ----------
        layer
            From embedding_size numbers to one for each track; it stays as it is.
        names
            Names of the tracks, in the order of its rows.

        Returns
        -------
        TrackHead
            A copy on the processor.
        """
        weight, bias = (each.detach().cpu().float().clone() for each in (layer.weight, layer.bias))
        return cls(tuple(names), weight, bias)

    def layer(self, rows: Sequence[int], device: torch.device) -> nn.Linear:
        """The layer of some of the tracks.

        Parameters
        ----------
        rows
            Numbers of tracks, from 0.
        device
            Where it computes.

        Returns
        -------
        Linear
            From embedding_size numbers to one for each of these tracks, without gradients.
        """
        chosen = nn.Linear(self.weight.shape[1], len(rows), device="meta")
        for name, value in (("weight", self.weight), ("bias", self.bias)):
            setattr(chosen, name, nn.Parameter(value[list(rows)].to(device), requires_grad=False))
        return chosen

    def rows(self, names: Sequence[str] = ()) -> list[int]:
        """Numbers of tracks by their names.

        Parameters
        ----------
        names
            Names of tracks; all where there is none.

        Returns
        -------
        list of int
            Numbers of tracks, from 0, in the order of the names.

        Raises
        ------
        BudwoodError
            If the head has no track of a name.
        """
        for name in names:
            if name not in self.names:
                raise BudwoodError(
                    f"the checkpoint predicts no track {name!r}", mend=suggestion(name, self.names, most=20)
                )
        return [self.names.index(name) for name in names or self.names]


def write_track_head(head: TrackHead, folder: Path, encoder: str) -> None:
    """Write the head of a checkpoint.

    Parameters
    ----------
    head
        The head.
    folder
        Holds the checkpoint.
    encoder
        Digest of that checkpoint.

    Raises
    ------
    BudwoodError
        If a number is not finite.
    """
    if not all(bool(torch.isfinite(each).all()) for each in (head.weight, head.bias)):
        raise BudwoodError(
            "the head of the tracks holds numbers that are not finite",
            where=str(folder),
            mend="train again with a lower learning_rate",
        )
    metadata = {"format": "pt", "names": json.dumps(head.names), "readout": READOUT, "encoder": encoder}
    save_file({"weight": head.weight, "bias": head.bias}, folder / TRACKS, metadata=metadata)


def read_track_head(folder: Path, embedding_size: int, encoder: str) -> TrackHead | None:
    """Read the head of a checkpoint, if it has one.

    Parameters
    ----------
    folder
        Holds the checkpoint.
    embedding_size
        Numbers in a vector of its encoder.
    encoder
        Digest of the checkpoint.

    Returns
    -------
    TrackHead or None
        None where the checkpoint was written without.

    Raises
    ------
    BudwoodError
        If the file is damaged, of another checkpoint or of another shape, or the manifest lists one that is
        not there.
    """
    path = folder / TRACKS
    if not path.is_file():
        if (folder / MANIFEST).is_file() and TRACKS in (read_manifest(folder).get("files") or {}):
            raise BudwoodError(f"{TRACKS} is missing", where=str(folder), mend=_MEND)
        return None
    check_digests(folder, (TRACKS,))
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
        names = json.loads(metadata.get("names", "null"))
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise BudwoodError(f"{TRACKS} cannot be read: {error}", where=str(path), mend=_MEND) from error
    if not _are_names(names):
        raise BudwoodError(f"{TRACKS} does not name its tracks", where=str(path), mend=_MEND)
    if metadata.get("readout") != READOUT:
        raise BudwoodError(
            f"{TRACKS} is to be read in a way that this release does not know", where=str(path), mend=_MEND
        )
    if metadata.get("encoder") != encoder:
        raise BudwoodError(f"{TRACKS} is of another checkpoint", where=str(path), mend=_MEND)
    with torch.device("meta"):
        expected = {"weight": torch.empty(len(names), embedding_size), "bias": torch.empty(len(names))}
    tensors = read_tensors(path, expected, mend=_MEND)
    return TrackHead(tuple(names), tensors["weight"].float(), tensors["bias"].float())


def _are_names(names: object) -> bool:
    if not isinstance(names, list) or not names or len(names) != len(set(map(str, names))):
        return False
    return all(isinstance(name, str) and name.strip() for name in names)
