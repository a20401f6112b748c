"""k-mer models of a masked base given its neighbours: the baseline for an encoder.

One table of k-mer counts on both strands determines every model. The probability of a masked base given the
bases before and after it is a ratio of counts, and the counts of shorter contexts are its marginals. Long
contexts are rare, so each is interpolated with the next shorter one as under a Dirichlet prior (MacKay and
Peto 1995, Natural Language Engineering 1:289): ``p = (count + a p_shorter) / (total + a)``, where ``a`` is
chosen on held-out sequence for each length of context.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from budwood.corpus.masking.kmer_spectrum import both_strands, count_kmers, of_reverse_complements
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N

_CONCENTRATIONS: Final = tuple(2.0**power for power in range(0, 15))
_PRIOR: Final = 1.0


def both_strand_counts(sequences: Iterable[NDArray[np.uint8]], k: int = 12) -> NDArray[np.int64]:
    """Count every k-mer on both strands, leaving out those with an N.

    Parameters
    ----------
    sequences
        Base codes of each sequence.
    k
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray
        (4 ** k,) counts; the first base is the most significant digit of the index.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> both_strand_counts([encode("AAC")], 2).reshape(4, 4)
    array([[1, 1, 0, 0],
           [0, 0, 0, 0],
           [0, 0, 0, 1],
           [0, 0, 0, 1]])
    """
    return both_strands(count_kmers(sequences, k)).counts.astype(np.int64)


def canonical_kmers(k: int) -> tuple[NDArray[np.int64], int]:
    """Number the k-mers so that a k-mer and its reverse complement share a number.

    Parameters
    ----------
    k
        Length of the k-mers.

    Returns
    -------
    tuple
        (4 ** k,) numbers, and how many different ones there are.

    Examples
    --------
    >>> canonical_kmers(1)
    (array([0, 1, 1, 0]), 2)
    """
    index = np.arange(4**k)
    either = np.minimum(index, of_reverse_complements(index, k))
    kinds, classes = np.unique(either, return_inverse=True)
    return classes, len(kinds)


def fit_pool_weights(
    experts: Sequence[NDArray[np.float64]], truth: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Fit the weights of a logarithmic opinion pool by the lowest cross-entropy.

    Parameters
    ----------
    experts
        (q, 4) probabilities of each model at the same positions.
    truth
        (q,) true bases.

    Returns
    -------
    numpy.ndarray
        (models,) weights for :func:`logarithmic_pool`, none negative.
    """
    logs = np.log(np.stack(experts))
    rows = np.arange(len(truth))

    def cross_entropy(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        probabilities = _softmax(np.einsum("m,mqb->qb", weights, logs))
        expected = (logs * probabilities).sum(2)
        return -float(np.log(probabilities[rows, truth]).mean()), (expected - logs[:, rows, truth]).mean(1)

    start = np.full(len(experts), 1.0 / len(experts))
    found = minimize(cross_entropy, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(experts))
    return np.asarray(found.x, dtype=np.float64)


def logarithmic_pool(
    experts: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Combine models in a logarithmic opinion pool: the normalised weighted product of their probabilities.

    Parameters
    ----------
    experts
        (q, 4) probabilities of each model at the same positions.
    weights
        (models,) exponents.

    Returns
    -------
    numpy.ndarray
        (q, 4) probabilities.

    Examples
    --------
    >>> sure, unsure = np.array([[0.7, 0.1, 0.1, 0.1]]), np.full((1, 4), 0.25)
    >>> logarithmic_pool([sure, unsure], np.array([1.0, 3.0])).round(2)
    array([[0.7, 0.1, 0.1, 0.1]])
    """
    return _softmax(np.einsum("m,mqb->qb", weights, np.log(np.stack(experts))))


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return shares


def kmer_tables(counts: NDArray[np.int64], length: int) -> tuple[NDArray[np.int64], ...]:
    """Sum k-mer counts to counts of shorter k-mers.

    Parameters
    ----------
    counts
        (4 ** k,) counts.
    length
        Largest length, at most k.

    Returns
    -------
    tuple of ndarray
        Counts of k-mers of lengths 1 to ``length``, each (4 ** length,).

    Examples
    --------
    >>> kmer_tables(np.arange(16), 1)
    (array([ 6, 22, 38, 54]),)
    """
    return tuple(counts.reshape(4**size, -1).sum(1) for size in range(1, length + 1))


@dataclass(frozen=True)
class KmerModel:
    """Interpolated probabilities of a masked base given its neighbours.

    Attributes
    ----------
    tables
        Counts of k-mers of length 1, 2, ... on both strands, each (4 ** length,).
    left, right
        Largest number of bases read before and after the masked one. ``(5, 0)`` is a Markov chain of order 5.
    concentration
        Weight of the shorter context against the counts of the longer one, by length of the longer.
    """

    tables: tuple[NDArray[np.int64], ...]
    left: int
    right: int
    concentration: tuple[float, ...]

    def probabilities(
        self, codes: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Predict masked bases; bases beyond another masked or unknown one are not read.

        Parameters
        ----------
        codes
            (windows, length) bases; everything but A, C, G or T counts as masked.
        rows, columns
            (q,) positions to predict.

        Returns
        -------
        numpy.ndarray
            (q, 4) probabilities of A, C, G, T.
        """
        digits, reach = _neighbours(codes, rows, columns, self.left, self.right)
        found = np.empty((len(rows), 4))
        for left, right in np.unique(reach, axis=0):
            asked = np.flatnonzero((reach == (left, right)).all(1))
            found[asked] = self._probabilities(digits[asked], _path(int(left), int(right)))
        return found

    def _probabilities(self, digits: NDArray[np.int64], path: list[tuple[int, int]]) -> NDArray[np.float64]:
        """(q, 4) probabilities along a path of increasing contexts, as far as there are concentrations."""
        counts = self._counted(digits, 0, 0) + _PRIOR
        chance = counts / counts.sum(1, keepdims=True)
        for strength, context in zip(self.concentration, path, strict=False):
            seen = self._counted(digits, *context)
            chance = (seen + strength * chance) / (seen.sum(1, keepdims=True) + strength)
        return chance

    def _counted(self, digits: NDArray[np.int64], before: int, after: int) -> NDArray[np.int64]:
        """(q, 4) counts of each letter in a context; column ``self.left`` of ``digits`` is hidden."""
        index = np.zeros(len(digits), dtype=np.int64)
        for column in range(self.left - before, self.left + after + 1):
            index = 4 * index + (0 if column == self.left else digits[:, column])
        table = self.tables[before + after]
        return table[index[:, None] + np.arange(4) * 4**after]

    def with_next_concentration(self, digits: NDArray[np.int64], truth: NDArray[np.int64]) -> KmerModel:
        """Choose the concentration of one more length of context, by the lowest cross-entropy.

        Parameters
        ----------
        digits
            (q, left + 1 + right) base codes around each position.
        truth
            (q,) true bases.

        Returns
        -------
        KmerModel
            The model with one more concentration.
        """
        path = _path(self.left, self.right)
        rows = np.arange(len(truth))
        lower = self._probabilities(digits, path)[rows, truth]
        seen = self._counted(digits, *path[len(self.concentration)])
        right, total = seen[rows, truth], seen.sum(1)
        cross_entropy = [-np.log((right + a * lower) / (total + a)).mean() for a in _CONCENTRATIONS]
        best = _CONCENTRATIONS[int(np.argmin(cross_entropy))]
        return replace(self, concentration=(*self.concentration, best))


def fit_kmer_model(
    counts: NDArray[np.int64], left: int, right: int, held_out: NDArray[np.uint8]
) -> KmerModel:
    """Fit a model: choose the concentrations on held-out windows, one length of context after another.

    Parameters
    ----------
    counts
        From :func:`both_strand_counts` on other sequence.
    left, right
        Largest number of bases read before and after the masked one.
    held_out
        (windows, length) bases; the middle base of each is predicted from whole contexts.

    Returns
    -------
    KmerModel
        The fitted model.

    Raises
    ------
    BudwoodError
        If the counted k-mers are too short for the context, or no held-out window has a whole context.
    """
    length = left + right + 1
    if 4**length > len(counts):
        raise BudwoodError(
            f"a context of {left} + {right} letters needs longer k-mers", mend="count with a larger k"
        )
    rows = np.arange(len(held_out))
    middle = np.full(len(held_out), held_out.shape[1] // 2)
    truth = held_out[rows, middle]
    digits, reach = _neighbours(held_out, rows, middle, left, right)
    whole = (reach == (left, right)).all(1) & (truth < N)
    if not whole.any():
        raise BudwoodError(
            "no held-out window has known bases all around its middle", mend="give longer ones"
        )
    model = KmerModel(kmer_tables(counts, length), left, right, ())
    for _ in range(left + right):
        model = model.with_next_concentration(digits[whole], truth[whole].astype(np.int64))
    return model


def combine_sides(
    one: NDArray[np.float64], other: NDArray[np.float64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Combine the probabilities given either side, independent given the base: one times other over prior.

    Parameters
    ----------
    one, other
        (q, 4) probabilities given the bases before, and given those after.
    prior
        (4,) or (q, 4) probabilities without neighbours.

    Returns
    -------
    numpy.ndarray
        (q, 4) probabilities.

    Examples
    --------
    >>> side = np.array([[0.4, 0.2, 0.2, 0.2]])
    >>> combine_sides(side, side, np.full(4, 0.25)).round(3)
    array([[0.571, 0.143, 0.143, 0.143]])
    """
    product = one * other / prior
    return product / product.sum(1, keepdims=True)


def _path(left: int, right: int) -> list[tuple[int, int]]:
    """Contexts of increasing length from one base on: the shorter side grows, the left one first."""
    before = after = 0
    path = []
    while (before, after) != (left, right):
        if before < left and (before <= after or after == right):
            before += 1
        else:
            after += 1
        path.append((before, after))
    return path


def _neighbours(
    codes: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp], left: int, right: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bases around positions, (q, left + 1 + right), and (q, 2) how many on either side are known."""
    padded = np.pad(codes, ((0, 0), (left, right)), constant_values=N)
    around = columns[:, None] + np.arange(left + 1 + right)
    digits = padded[rows[:, None], around].astype(np.int64)
    known = digits < N
    before = np.cumprod(known[:, :left][:, ::-1], axis=1).sum(1)
    after = np.cumprod(known[:, left + 1 :], axis=1).sum(1)
    return np.where(known, digits, 0), np.stack([before, after], axis=1)
