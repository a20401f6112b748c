"""Random sequence with the short-range composition of a plant's intergenic DNA."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

# Observed over expected frequency of each dinucleotide. Methylated plant DNA is poor in CpG and TpA and
# rich in TpG, CpA and runs of one base. Rows and columns are A C G T; both strands have the same values.
_DINUCLEOTIDES: Final = np.array(
    [
        [1.13, 0.91, 1.03, 0.91],
        [1.10, 1.05, 0.76, 1.03],
        [1.09, 1.00, 1.05, 0.91],
        [0.76, 1.09, 1.10, 1.13],
    ]
)
_RUN: Final = 1.15  # additional excess of AAA and TTT


@dataclass(frozen=True, eq=False)
class Composition:
    """A second-order Markov chain over A C G T that is the same on both strands.

    Attributes
    ----------
    transition
        (16, 4) probability of the next base after the two bases of context ``4 a + b``.
    stationary
        (16,) probability of each pair of bases.
    """

    transition: NDArray[np.float64]
    stationary: NDArray[np.float64]

    @property
    def gc(self) -> float:
        """Expected share of G and C, between 0 and 1."""
        return float(self.stationary.reshape(4, 4).sum(axis=0)[1:3].sum())

    def sequence(self, rng: np.random.Generator, length: int) -> NDArray[np.uint8]:
        """Draw a random sequence.

        Parameters
        ----------
        rng
            Random number generator.
        length
            Number of bases.

        Returns
        -------
        numpy.ndarray
            (length,) ``uint8`` base codes.

        Examples
        --------
        >>> sequence = plant_composition(gc=0.36).sequence(np.random.default_rng(1), 20_000)
        >>> round(float(np.isin(sequence, [1, 2]).mean()), 2)
        0.36
        """
        bounds = np.cumsum(self.transition, axis=1)[:, :3].tolist()
        state = int(rng.choice(16, p=self.stationary))
        found = bytearray(length)
        for i, uniform in enumerate(rng.random(length).tolist()):
            base = bisect(bounds[state], uniform)
            found[i] = base
            state = (state * 4 + base) & 15
        return np.frombuffer(found, dtype=np.uint8)


def plant_composition(gc: float) -> Composition:
    """Build the second-order chain with a given share of G and C.

    The probability of a sequence is proportional to the product of the weights of its overlapping triplets; a
    triplet and its reverse complement have the same weight. The chain samples exactly from this distribution
    (transfer matrix and Perron vectors). The weight of G and C is found by bisection.

    Parameters
    ----------
    gc
        Share of G and C, 0.1 to 0.9.

    Returns
    -------
    Composition
        The chain.

    Raises
    ------
    BudwoodError
        If ``gc`` does not lie between 0.1 and 0.9.

    Examples
    --------
    >>> round(plant_composition(gc=0.42).gc, 6)
    0.42
    """
    if not 0.1 <= gc <= 0.9:
        raise BudwoodError(f"a GC share of {gc} cannot be simulated", mend="choose 0.1 to 0.9")
    low, high = -4.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        if _chain(middle).gc < gc:
            low = middle
        else:
            high = middle
    return _chain((low + high) / 2)


def _chain(log_weight: float) -> Composition:
    base = np.exp(log_weight * np.array([0.0, 1.0, 1.0, 0.0]))
    triplet = np.ones((4, 4, 4)) * base[None, None, :] * _DINUCLEOTIDES[None, :, :]
    triplet[0, 0, 0] *= _RUN
    triplet[3, 3, 3] *= _RUN
    # The transfer matrix leads from pair ab to pair bc; its Perron vectors turn weights into probabilities.
    transfer = np.zeros((4, 4, 4, 4))
    for b in range(4):
        transfer[:, b, b, :] = triplet[:, b, :]
    matrix = transfer.reshape(16, 16)
    right, left = _perron(matrix), _perron(matrix.T)
    onward = triplet.reshape(16, 4) * np.tile(right.reshape(4, 4), (4, 1))
    return Composition(onward / onward.sum(axis=1, keepdims=True), left * right / (left @ right))


def _perron(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eig(matrix)
    leading = np.abs(vectors[:, np.argmax(values.real)].real)
    shares: NDArray[np.float64] = leading / leading.sum()
    return shares
