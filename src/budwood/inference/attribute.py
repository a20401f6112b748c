"""Which bases move the embedding of a window: integrated gradients from one sequence to another.

Sundararajan, Taly and Yan 2017 (PMLR 70:3319). The path goes in a straight line from the letters of the
baseline to those of the sequence, its integral is taken at the nodes of Gauss and Legendre, and both strands
are read. What the bases receive sums to the difference of the two values (completeness), up to the error of
the integral, which is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from budwood.errors import BudwoodError
from budwood.genomics.sequence import PAD
from budwood.model.checkpoint import Checkpoint
from budwood.progress import progress

#: Nodes of the integral.
NODES: Final = 24
#: Letters as seen from the other strand: A C G T N mask.
_COMPLEMENT: Final = (3, 2, 1, 0, 4, 5)


@dataclass(frozen=True, kw_only=True, eq=False)
class BaseAttribution:
    """What each base adds to the difference of two values.

    Attributes
    ----------
    bases
        (rows, length) contributions.
    difference
        (rows,) value of the sequence minus that of the baseline.
    """

    bases: NDArray[np.float64]
    difference: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """(rows,) sum of the contributions minus the difference: the error of the integral."""
        return self.bases.sum(axis=1) - self.difference


def integrated_gradients(
    codes: NDArray[np.uint8],
    baseline: NDArray[np.uint8],
    directions: NDArray[np.floating],
    checkpoint: Checkpoint,
    *,
    nodes: int = NODES,
    show: bool | None = None,
) -> BaseAttribution:
    """Contributions of bases to the product of a window's embedding with a direction.

    Parameters
    ----------
    codes, baseline
        (rows, length) sequences and what each is compared with, padding at the same places on the right.
    directions
        (rows, embedding_size) what one more unit of each number of the embedding is worth.
    checkpoint
        The encoder.
    nodes
        Nodes of the integral.
    show
        Whether to show progress; by default where the output is a terminal.

    Returns
    -------
    BaseAttribution
        Contributions, 0 where sequence and baseline have the same base, and the difference they sum to.

    Raises
    ------
    BudwoodError
        If the sequences and baselines have other shapes or padding.

    Examples
    --------
    >>> from budwood.model.checkpoint import random_checkpoint
    >>> from budwood.model.encoder import BudwoodConfig
    >>> tiny = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    >>> one, other = np.zeros((1, 16), dtype=np.uint8), np.zeros((1, 16), dtype=np.uint8)
    >>> other[0, 5] = 2
    >>> found = integrated_gradients(other, one, np.ones((1, 32)), tiny, show=False)
    >>> np.flatnonzero(found.bases[0]), bool(abs(found.error[0]) < 1e-3)
    (array([5]), True)
    """
    if codes.shape != baseline.shape or not np.array_equal(codes == PAD, baseline == PAD):
        raise BudwoodError(
            "a sequence and its baseline differ in length", mend="give sequences padded at the same places"
        )
    points, weights = np.polynomial.legendre.leggauss(nodes)
    bases, difference = np.zeros(codes.shape), np.zeros(len(codes))
    # Differences of alleles are small beside the embedding, so that float32 would round much of them away.
    network = checkpoint.encoder.network.double()
    try:
        with progress("attributing", total=len(codes), show=show) as advance:
            for row in range(len(codes)):
                bases[row], difference[row] = _attribute(
                    checkpoint, codes[row], baseline[row], directions[row], (points + 1) / 2, weights / 2
                )
                advance()
    finally:
        network.float()
    return BaseAttribution(bases=bases, difference=difference)


def _attribute(
    checkpoint: Checkpoint,
    codes: NDArray[np.uint8],
    baseline: NDArray[np.uint8],
    direction: NDArray[np.floating],
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    length = int((codes != PAD).sum())
    end, start = (_letters(each[:length], checkpoint) for each in (codes, baseline))
    toward = torch.as_tensor(direction, dtype=torch.float64, device=checkpoint.device)
    with torch.no_grad():
        ends = _value(checkpoint, torch.stack([end, start]), toward)
    steps = torch.as_tensor(points, dtype=torch.float64, device=checkpoint.device)[:, None, None]
    path = (start + steps * (end - start)).requires_grad_()
    (gradient,) = torch.autograd.grad(_value(checkpoint, path, toward).sum(), path)
    share = torch.as_tensor(weights, dtype=torch.float64, device=checkpoint.device)
    mean = torch.einsum("n,nlc->lc", share, gradient)
    found = np.zeros(len(codes))
    found[:length] = ((end - start) * mean).sum(-1).cpu().numpy()
    return found, float(ends[0] - ends[1])


def _letters(codes: NDArray[np.uint8], checkpoint: Checkpoint) -> Tensor:
    tokens = torch.from_numpy(codes.astype(np.int64)).to(checkpoint.device)
    return functional.one_hot(tokens, PAD).double()


def _value(checkpoint: Checkpoint, letters: Tensor, direction: Tensor) -> Tensor:
    """(batch,) product of the embedding, the mean of both strands' readings, with the direction."""
    network = checkpoint.encoder.network
    present = torch.ones(letters.shape[:2], dtype=torch.bool, device=letters.device)
    turned = letters.flip(1)[..., list(_COMPLEMENT)]
    strands = [network.read_letters(each, present).features.mean(1) for each in (letters, turned)]
    return torch.stack(strands).mean(0) @ direction
