"""What the middle layer has learnt: codons in its first two principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.lesson.network import Matrix, Weights, middle
from budwood.lesson.tasks import HYDROPATHY, LETTERS, classes, one_hot, opened_windows


@dataclass(frozen=True, kw_only=True)
class Structure:
    """The codons without stops in the plane of the middle layer.

    Attributes
    ----------
    codons, letters
        61 codons and their amino acids.
    places
        (61, 2) coordinates.
    explained
        (2,) share of the variance of either axis.
    correlation
        Correlation of distances in the plane with differences of hydropathy, over pairs of codons of
        different amino acids.
    p
        Share of shuffles of the hydropathy among the amino acids with a correlation at least as high
        (Mantel 1967, Cancer Res. 27:209).
    """

    codons: tuple[str, ...]
    letters: tuple[str, ...]
    places: Matrix
    explained: NDArray[np.float64]
    correlation: float
    p: float


def structure_of(weights: Weights, *, shuffles: int = 999, seed: int = 0) -> Structure:
    """The middle layer's answer to every codon, averaged over the other codon: M X X over all X.

    A codon's activations are the mean over windows that begin with ATG and hold it as second or third codon,
    beside any codon that is no stop.

    Parameters
    ----------
    weights
        Of a network of either task.
    shuffles
        Of the permutation test.
    seed
        Of the shuffles.

    Returns
    -------
    Structure
        Places and the test.

    Examples
    --------
    >>> from budwood.lesson.experiment import learn_first_task
    >>> found = structure_of(learn_first_task(epochs=0).weights[0], shuffles=99)
    >>> found.places.shape, 0.01 <= found.p <= 1.0
    ((61, 2), True)
    """
    windows = opened_windows()
    read = classes(windows)
    kept = (read < LETTERS.index("*")).all(axis=1)
    hidden = middle(weights, one_hot(windows[kept]))
    numbers = windows[kept].astype(np.intp)
    second = numbers[:, 3:6] @ np.array([16, 4, 1])
    third = numbers[:, 6:9] @ np.array([16, 4, 1])
    codons = np.unique(second)
    means = np.array(
        [(hidden[second == c].mean(axis=0) + hidden[third == c].mean(axis=0)) / 2 for c in codons]
    )
    centred = means - means.mean(axis=0)
    left, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    # The sign of an axis is arbitrary: its largest loading is made positive.
    signs = np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])
    places = left[:, :2] * sizes[:2] * signs
    names = ["".join("ACGT"[(c >> shift) & 3] for shift in (4, 2, 0)) for c in codons.tolist()]
    letter = {int(c): LETTERS[int(read[kept][second == c][0, 1])] for c in codons}
    letters = tuple(letter[int(c)] for c in codons)
    correlation, p = _mantel(places, letters, shuffles, seed)
    return Structure(
        codons=tuple(names),
        letters=letters,
        places=places,
        explained=(sizes**2 / (sizes**2).sum())[:2],
        correlation=correlation,
        p=p,
    )


def _mantel(places: Matrix, letters: tuple[str, ...], shuffles: int, seed: int) -> tuple[float, float]:
    kinds = sorted(set(letters))
    of = np.array([kinds.index(letter) for letter in letters])
    scale = np.array([HYDROPATHY[letter] for letter in kinds])
    i, j = np.triu_indices(len(letters), 1)
    apart = of[i] != of[j]
    i, j = i[apart], j[apart]
    distance = np.linalg.norm(places[i] - places[j], axis=1)
    distance = (distance - distance.mean()) / distance.std()

    def correlation(values: NDArray[np.float64]) -> float:
        difference = np.abs(values[of[i]] - values[of[j]])
        return float((distance * (difference - difference.mean())).mean() / difference.std())

    observed = correlation(scale)
    random = np.random.default_rng(seed)
    above = sum(correlation(random.permutation(scale)) >= observed - 1e-12 for _ in range(shuffles))
    return observed, (1 + above) / (1 + shuffles)
