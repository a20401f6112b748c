"""Features of the middle bases of windows whose strand is known."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budwood.config import CENTRE_BASES
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass
from budwood.genomics.sequence import reverse_complement
from budwood.inference.vector_store import open_store
from budwood.model.checkpoint import Checkpoint
from budwood.progress import progress

#: Base class that marks a site on the given strand, and the middle bases it marks, by kind of site.
SITE_MARKS: Final = {
    "donor": (BaseClass.DONOR_FORWARD, (0, 2)),
    "acceptor": (BaseClass.ACCEPTOR_FORWARD, (-2, 0)),
    "start_codon": (BaseClass.START_FORWARD, (0, 3)),
}
_BATCH: Final = 16
_SAVE: Final = 256


@dataclass(frozen=True)
class CentreFeatures:
    """Output of the encoder at the middle 8 bases of windows.

    Attributes
    ----------
    along, against
        (rows, embedding_size) mean features of the middle bases on the given strand, and on the other one.
    regions
        (rows, 8, regions) log probabilities of the base classes, both strands combined.
    """

    along: NDArray[np.float32]
    against: NDArray[np.float32]
    regions: NDArray[np.float32]

    @property
    def mean(self) -> NDArray[np.float32]:
        """(rows, d) mean of both strands: the result of ``embed_windows`` with ``Pool.CENTRE``."""
        mean: NDArray[np.float32] = (self.along + self.against) / np.float32(2)
        return mean

    @property
    def oriented(self) -> NDArray[np.float32]:
        """(rows, 2 d) features of the given strand beside those of the other one."""
        return np.concatenate([self.along, self.against], axis=1)

    @property
    def oriented_regions(self) -> NDArray[np.float32]:
        """(rows, 2 d + 8 * regions) features of both strands and the base classes of the middle bases."""
        return np.concatenate([self.oriented, self.flat_regions], axis=1)

    @property
    def flat_regions(self) -> NDArray[np.float32]:
        """(rows, 8 * regions) the base classes of the middle bases."""
        return self.regions.reshape(len(self.regions), -1)

    def site_log_odds(self, kind: str) -> NDArray[np.float64]:
        """Mean log odds of a site's own base class at the bases it marks, without any fit.

        Parameters
        ----------
        kind
            ``"donor"``, ``"acceptor"`` or ``"start_codon"``.

        Returns
        -------
        numpy.ndarray
            (rows,) log odds.
        """
        region, (first, last) = SITE_MARKS[kind]
        middle = self.regions.shape[1] // 2
        log_probability = self.regions[:, middle + first : middle + last, region].astype(np.float64)
        log_probability = np.minimum(log_probability, -1e-12)
        odds: NDArray[np.float64] = (log_probability - np.log(-np.expm1(log_probability))).mean(1)
        return odds


def encode_centres(
    windows: NDArray[np.uint8],
    checkpoint: Checkpoint,
    *,
    half_precision: bool = False,
    show: bool | None = None,
) -> CentreFeatures:
    """Compute the features of the middle bases of windows; known windows are read from the cache.

    Parameters
    ----------
    windows
        (rows, length) bases along the gene, without padding.
    checkpoint
        The encoder.
    half_precision
        Multiply in bfloat16: about twice as fast on a CPU with AMX; the last digits differ.
    show
        Whether to show progress; by default where the output is a terminal.

    Returns
    -------
    CentreFeatures
        The features.

    Raises
    ------
    BudwoodError
        If the windows have an odd length or padding.
    """
    if windows.shape[1] % 2 or windows.max(initial=0) >= 6:
        raise BudwoodError(
            "windows of odd length or with padding have no middle",
            mend="give an even number of bases without padding",
        )
    config = checkpoint.encoder.config
    size = config.embedding_size
    found = np.empty((len(windows), 2 * size + CENTRE_BASES * config.regions), dtype=np.float32)
    keys = [hashlib.sha256(row.tobytes()).digest() for row in windows]
    name = "middle-bf16" if half_precision else "middle"
    if checkpoint.device.type != "cpu":
        name += f"-{checkpoint.device.type}"
    with open_store(checkpoint.digest, name, found.shape[1]) as store:
        known = store.get(keys)
        todo = []
        for row, key in enumerate(keys):
            if key in known:
                found[row] = known[key]
            else:
                todo.append(row)
        with progress("reading", total=len(todo), show=show) as advance:
            for first in range(0, len(todo), _SAVE):
                rows = todo[first : first + _SAVE]
                for begin in range(0, len(rows), _BATCH):
                    batch = rows[begin : begin + _BATCH]
                    found[batch] = _read(windows[batch], checkpoint, half_precision)
                    advance(len(batch))
                store.put([keys[row] for row in rows], found[rows])
    regions = found[:, 2 * size :].reshape(len(windows), CENTRE_BASES, config.regions)
    return CentreFeatures(found[:, :size], found[:, size : 2 * size], regions)


def _read(codes: NDArray[np.uint8], checkpoint: Checkpoint, half_precision: bool) -> NDArray[np.float32]:
    mixed = torch.autocast(checkpoint.device.type, torch.bfloat16) if half_precision else nullcontext()
    with torch.inference_mode(), mixed:
        there, back = (
            checkpoint.encoder.strand(torch.from_numpy(strand.astype(np.int64)).to(checkpoint.device))
            for strand in (codes, reverse_complement(codes))
        )
    joined = (there.regions.float() + back.regions.float().flip(1)[..., list(COMPLEMENT_REGION)]) / 2
    parts = [_middle(reading.features.float()).mean(1) for reading in (there, back)]
    parts.append(_middle(joined).log_softmax(-1).flatten(1))
    found: NDArray[np.float32] = torch.cat(parts, dim=1).cpu().numpy()
    return found


def _middle(values: Tensor) -> Tensor:
    """(batch, length, d) -> (batch, 8, d)."""
    middle = values.shape[1] // 2
    return values[:, middle - CENTRE_BASES // 2 : middle + CENTRE_BASES // 2]
