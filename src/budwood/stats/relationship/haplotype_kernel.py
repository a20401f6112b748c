"""Relationship of accessions by the embeddings of their haplotypes, computed in haplotype space.

With E_w the vectors of window w's sequences minus the reference's, and Z_w the shares of an accession's
copies that carry each sequence, an accession's features in window w are Z_w E_w and the kernel is
K = sum_w C Z_w E_w E_w' Z_w' C', C centring by the training rows. Features of shape n x W x D are never
held: E_w E_w' is h_w x h_w, and any factor L_w with L_w L_w' = E_w E_w' gives the same kernel from
n x h_w numbers per window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from budwood.errors import BudwoodError

#: Numbers in one block of factor columns or vectors (128 MiB as float64).
_BLOCK = 1 << 24


def haplotype_kernel(
    codes: NDArray[np.unsignedinteger],
    offsets: NDArray[np.int64],
    vectors: NDArray[np.float32],
    *,
    training: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Kernel of accessions from the vectors of their haplotypes.

    An accession's entries depend on itself and the training rows only, so a line predicted alone and the
    same line in a batch have the same relationships.

    Parameters
    ----------
    codes
        (n, W, ploidy): for each copy its row among the window's sequences; the type's largest value marks a
        copy the accession does not have. An accession's copies are averaged, so ploidies compare.
    offsets
        (W + 1,): window w owns rows ``offsets[w]:offsets[w + 1]`` of ``vectors``, the reference first.
    vectors
        (H, D), float32 or wider: differences between alleles are too small for float16.
    training
        (n,) ``bool``: rows whose mean is the origin and whose mean diagonal is the unit; all when None.
    weights
        (W,) factors of the windows' contributions, none negative; all 1 when None.

    Returns
    -------
    (n, n) symmetric, positive semi-definite; mean diagonal over the training rows 1.

    Raises
    ------
    BudwoodError
        If the arrays do not fit together or the training accessions do not differ in any window.

    Examples
    --------
    >>> vectors = np.array([[0.0, 1.0], [0.0, 3.0]], dtype=np.float32)
    >>> codes = np.array([[[0, 0]], [[0, 1]], [[1, 1]]], dtype=np.uint8)
    >>> haplotype_kernel(codes, np.array([0, 2]), vectors)
    array([[ 1.5,  0. , -1.5],
           [ 0. ,  0. ,  0. ],
           [-1.5,  0. ,  1.5]])
    """
    _check(codes, offsets, vectors)
    n = len(codes)
    chosen = np.ones(n, dtype=np.bool_) if training is None else training
    if len(chosen) != n or not chosen.any():
        raise BudwoodError("the training rows do not fit the accessions, or there are none")
    share = np.ones(len(offsets) - 1) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(share) != len(offsets) - 1 or not np.all(share >= 0):
        raise BudwoodError("the window weights must be one number of at least 0 per window")
    kernel = np.zeros((n, n))
    for first, stop in _blocks(offsets, n):
        features = _factor_features(
            codes[:, first:stop], offsets[first : stop + 1], vectors, share[first:stop]
        )
        features -= features[chosen].mean(axis=0)
        kernel += features @ features.T
    unit = float(np.diagonal(kernel)[chosen].mean())
    if not unit > 0:
        raise BudwoodError(
            "the training accessions carry the same sequence in every window",
            mend="give more training accessions or more variants",
        )
    return kernel / unit


def haplotype_products(
    codes: NDArray[np.unsignedinteger],
    offsets: NDArray[np.int64],
    vectors: NDArray[np.float32],
    training: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inner products of accessions' features with those of training rows, and with themselves.

    Features are differences from the reference, neither centred nor scaled, so that an entry depends on its
    two accessions alone.

    Parameters
    ----------
    codes, offsets, vectors
        As for :func:`haplotype_kernel`, n accessions.
    training
        (t,) rows.

    Returns
    -------
    products, own
        (n, t) and (n,).

    Examples
    --------
    >>> vectors = np.array([[0.0, 1.0], [0.0, 3.0]], dtype=np.float32)
    >>> codes = np.array([[[0, 0]], [[0, 1]], [[1, 1]]], dtype=np.uint8)
    >>> haplotype_products(codes, np.array([0, 2]), vectors, np.array([2]))
    (array([[0.],
           [2.],
           [4.]]), array([0., 1., 4.]))
    """
    _check(codes, offsets, vectors)
    products, own = np.zeros((len(codes), len(training))), np.zeros(len(codes))
    share = np.ones(len(offsets) - 1)
    for first, stop in _blocks(offsets, len(codes)):
        features = _factor_features(
            codes[:, first:stop], offsets[first : stop + 1], vectors, share[first:stop]
        )
        products += features @ features[training].T
        own += np.einsum("ij,ij->i", features, features)
    return products, own


def haplotype_features(
    codes: NDArray[np.unsignedinteger], offsets: NDArray[np.int64], vectors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Mean vector of each accession over its windows and copies.

    The sum runs over differences from the reference, so that they are not lost beside the mean itself.

    Parameters
    ----------
    codes
        (n, W, ploidy) sequence of each copy in each window.
    offsets
        (W + 1,) where the sequences of each window stand.
    vectors
        (H, D) embeddings of the sequences.

    Returns
    -------
    ndarray
        (n, D).

    Examples
    --------
    >>> vectors = np.array([[0.0, 1.0], [0.0, 3.0]], dtype=np.float32)
    >>> codes = np.array([[[0, 0]], [[0, 1]]], dtype=np.uint8)
    >>> haplotype_features(codes, np.array([0, 2]), vectors)
    array([[0., 1.],
           [0., 2.]])
    """
    _check(codes, offsets, vectors)
    n, n_windows, _ = codes.shape
    features = np.tile(vectors[offsets[:-1]].mean(axis=0, dtype=np.float64), (n, 1))
    for first, stop in _blocks(offsets, vectors.shape[1]):
        rows, copies = _rows_and_copies(codes[:, first:stop])
        local = offsets[first : stop + 1] - offsets[first]
        accession, window, copy = np.nonzero(rows)
        column = local[window] + rows[accession, window, copy]
        value = 1.0 / copies[accession, window]
        counts = sparse.csr_array((value, (accession, column)), shape=(n, int(local[-1])))
        features += counts @ _differences(vectors, offsets[first : stop + 1]) / n_windows
    return features


def window_contributions(
    codes: NDArray[np.unsignedinteger],
    offsets: NDArray[np.int64],
    vectors: NDArray[np.float32],
    training: NDArray[np.intp],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Part of a weighted sum of centred products that each window gives.

    With f the features of an accession, centred by the training rows, the sum over training rows t of
    weights[t] f'f_t is a sum over windows. A window's part is linear in the accession's mean vector there.

    Parameters
    ----------
    codes, offsets, vectors
        As for :func:`haplotype_kernel`, n accessions and W windows.
    training
        (t,) rows that centre the features.
    weights
        (t,) weight of each training row.

    Returns
    -------
    parts, directions
        (n, W) parts; (W, D) what one more unit of each number of the window's mean vector adds.

    Examples
    --------
    >>> vectors = np.array([[0.0, 1.0], [0.0, 3.0]], dtype=np.float32)
    >>> codes = np.array([[[0, 0]], [[0, 1]], [[1, 1]]], dtype=np.uint8)
    >>> rows, weights = np.arange(3), np.array([-1.0, 0.0, 1.0])
    >>> parts, directions = window_contributions(codes, np.array([0, 2]), vectors, rows, weights)
    >>> parts.ravel(), directions
    (array([-2.,  0.,  2.]), array([[0., 2.]]))
    """
    _check(codes, offsets, vectors)
    centred = weights - weights.mean()
    parts = np.zeros((len(codes), len(offsets) - 1))
    directions = np.zeros((len(offsets) - 1, vectors.shape[1]))
    rows, copies = _rows_and_copies(codes)
    for w in range(len(offsets) - 1):
        own = vectors[offsets[w] : offsets[w + 1]].astype(np.float64)
        share = np.zeros((len(codes), len(own)))
        for copy in range(rows.shape[2]):
            np.add.at(share, (np.arange(len(codes)), rows[:, w, copy]), 1.0)
        # Absent copies stand on the reference, whose difference from itself is 0.
        share /= copies[:, w, None]
        difference = own - own[0]
        directions[w] = difference.T @ (share[training].T @ centred)
        effect = difference @ directions[w]
        parts[:, w] = share @ effect
    return parts - parts[training].mean(axis=0), directions


def _check(
    codes: NDArray[np.unsignedinteger], offsets: NDArray[np.int64], vectors: NDArray[np.float32]
) -> None:
    if codes.ndim != 3 or codes.shape[1] != len(offsets) - 1 or len(vectors) != offsets[-1]:
        raise BudwoodError(
            f"codes {codes.shape}, {len(offsets) - 1} windows of {offsets[-1]} sequences and "
            f"vectors {vectors.shape} do not belong together"
        )
    if codes.shape[1] == 0 or not np.isfinite(vectors).all():
        raise BudwoodError("there are no windows, or a vector has entries that are not numbers")


def _blocks(offsets: NDArray[np.int64], width: int) -> Iterator[tuple[int, int]]:
    """Runs of windows whose sequences times ``width`` numbers fit in a block (at least one window)."""
    first, n_windows = 0, len(offsets) - 1
    while first < n_windows:
        limit = offsets[first] + _BLOCK // width
        stop = max(first + 1, int(np.searchsorted(offsets, limit, side="right")) - 1)
        yield first, min(stop, n_windows)
        first = stop


def _rows_and_copies(
    codes: NDArray[np.unsignedinteger],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows with absent copies on the reference, and the copies an accession has in each window (n, W)."""
    absent = codes == np.iinfo(codes.dtype).max
    copies = np.maximum(1, codes.shape[2] - absent.sum(axis=2))
    return np.where(absent, 0, codes).astype(np.int64), copies


def _differences(vectors: NDArray[np.float32], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Vectors of a run of windows minus their window's reference."""
    reference = np.repeat(offsets[:-1], np.diff(offsets))
    return vectors[offsets[0] : offsets[-1]].astype(np.float64) - vectors[reference]


def _factor_features(
    codes: NDArray[np.unsignedinteger],
    offsets: NDArray[np.int64],
    vectors: NDArray[np.float32],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Columns whose products over a run of windows are sum_w Z_w E_w E_w' Z_w'."""
    rows, copies = _rows_and_copies(codes)
    ranks = np.minimum(np.diff(offsets) - 1, vectors.shape[1])
    column = np.concatenate([[0], np.cumsum(ranks)])
    features = np.empty((len(codes), int(column[-1])))
    for w in np.flatnonzero(ranks):
        factor = np.sqrt(weights[w]) * _factor(vectors[offsets[w] : offsets[w + 1]])
        total = factor[rows[:, w, 0]]
        for copy in range(1, rows.shape[2]):
            total += factor[rows[:, w, copy]]
        np.divide(total, copies[:, w, None], out=features[:, column[w] : column[w + 1]])
    return features


def _factor(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """L with L L' = E E' for one window; h rows, the reference's zero, and min(h - 1, D) columns."""
    differences = vectors[1:].astype(np.float64) - vectors[0]
    if len(differences) < differences.shape[1]:
        values, axes = np.linalg.eigh(differences @ differences.T)
        # Rounding can leave eigenvalues of dependent sequences just below zero.
        differences = axes * np.sqrt(np.maximum(values, 0.0))
    return np.vstack([np.zeros(differences.shape[1]), differences])
