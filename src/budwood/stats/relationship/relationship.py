"""Genomic relationship from allele dosages, for any ploidy, with everything learnt from training rows.

Dosages are divided by ploidy first, so that accessions of different ploidy stand on one scale: the relative
frequency ``f`` of the counted allele. With ``p`` the training mean of ``f``, ``Z = f - p`` (missing entries
0, that is the training mean) and ``phi`` the mean ploidy of the training rows,

    G = phi * Z Z' / sum_j p_j (1 - p_j)

which is the first matrix of VanRaden (2008), J. Dairy Sci. 91:4414, for diploids, its autopolyploid form
(Endelman et al. 2018, Genetics 209:77) for one higher ploidy, and a multiple of kinship for mixtures. An
unrelated accession of ploidy k in Hardy-Weinberg proportions has ``phi / k`` on the diagonal, 1 where all
have one ploidy; counting every copy twice multiplies all relationships by 2.

A missing entry is unknown, not average: its ``z`` is 0 in every product of two lines, and the training
variance of its marker is added to the line's own product. A line with missing calls so keeps the expected
diagonal, is less similar to every other line, and its prediction is less certain.

Markers may have weights w_j; then it is ``phi * sum_j w_j z_j z_j' / sum_j w_j p_j (1 - p_j)``. No row
outside the training set moves the frequencies, so an accession's relationships do not depend on what else is
in the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted

_BLOCK: Final = 4096
#: Entries summarised at once: 64 MB in double precision.
_ENTRIES: Final = 8_000_000
#: Variance of relative frequencies under which they differ by rounding only.
_NO_VARIANCE: Final = 1e-10

Rows = NDArray[np.intp]
Dosage = NDArray[np.int8] | NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class MarkerFilter:
    """Which markers take part, by limits counted on the training rows; markers that do not vary never do.

    Attributes
    ----------
    maximum_missing
        Largest share of missing calls.
    minimum_frequency
        Lowest frequency of the rarer allele.
    """

    maximum_missing: float = 0.6
    minimum_frequency: float = 0.01


@dataclass(frozen=True)
class MarkerSummary:
    """Training means of the markers.

    Attributes
    ----------
    frequency
        (m,) mean relative frequency of the counted allele, 0 where every training value is missing.
    kept
        (m,) whether the marker passes the filter.
    variance
        (m,) variance of the relative frequency among the training rows: the expected square of a centred
        entry that is missing.
    ploidy
        Mean ploidy of the training rows.
    weight
        (m,) weight of each marker in a relationship; all alike when None.
    """

    frequency: NDArray[np.float64]
    kept: NDArray[np.bool_]
    variance: NDArray[np.float64]
    ploidy: float
    weight: NDArray[np.float64] | None = None

    @property
    def scale(self) -> float:
        """Sum of w p (1 - p) over the markers kept."""
        p = self.frequency[self.kept]
        heterozygosity = p * (1.0 - p)
        return float(
            np.sum(heterozygosity if self.weight is None else self.weight[self.kept] * heterozygosity)
        )

    def weighted(self, weight: NDArray[np.float64]) -> MarkerSummary:
        """The same markers with weights; those of weight 0 take no part.

        Parameters
        ----------
        weight
            (m,) weights of 0 or more.

        Returns
        -------
        MarkerSummary
            The summary with weights.

        Raises
        ------
        BudwoodError
            If no marker with a weight is left.
        """
        kept = self.kept & (weight > 0.0)
        if not kept.any():
            raise BudwoodError(
                f"none of the {np.count_nonzero(weight > 0.0)} markers with a weight varies enough among the "
                "training accessions",
                mend="give weights to more markers, or give more training accessions",
            )
        return replace(self, kept=kept, weight=weight)


@dataclass(frozen=True)
class CentredProducts:
    """``Z Z'`` of all rows, and the training summary that centred it.

    Attributes
    ----------
    products
        (n, n) inner products of the centred rows over the markers kept, ``sum w_j z_j z_j'`` with weights;
        the diagonal holds the expected squares of missing entries too.
    summary
        Where the centre came from.
    """

    products: NDArray[np.float64]
    summary: MarkerSummary

    @property
    def unit(self) -> float:
        """What products are multiplied by to be relationships."""
        return self.summary.ploidy / self.summary.scale

    def relationship(self, rows: Rows | None = None, others: Rows | None = None) -> NDArray[np.float64]:
        """VanRaden's relationship matrix.

        Parameters
        ----------
        rows
            Rows of the result; all by default.
        others
            Columns of the result; all by default.

        Returns
        -------
        ndarray
            Relationships of the rows with the others, (n, n) by default.
        """
        return self._block(rows, others) * self.unit

    def squared_distances(self, rows: Rows | None = None, others: Rows | None = None) -> NDArray[np.float64]:
        """Squared Euclidean distances per unit of sum p (1 - p).

        Parameters
        ----------
        rows
            Rows of the result; all by default.
        others
            Columns of the result; all by default.

        Returns
        -------
        ndarray
            Distances of the rows from the others, (n, n) by default.
        """
        n, own = len(self.products), np.diagonal(self.products)
        first = np.arange(n) if rows is None else rows
        second = np.arange(n) if others is None else others
        distances = own[first][:, None] + own[second][None, :] - 2.0 * self._block(rows, others)
        distances[first[:, None] == second[None, :]] = 0.0
        return np.maximum(distances, 0.0) / self.summary.scale

    def _block(self, rows: Rows | None, others: Rows | None) -> NDArray[np.float64]:
        return self.products if rows is None or others is None else self.products[np.ix_(rows, others)]


def summarise_markers(
    dosage: Dosage,
    ploidy: NDArray[np.int8],
    training: Rows | None = None,
    keep: MarkerFilter | None = None,
) -> MarkerSummary:
    """Allele frequencies of the training rows and the markers that pass the filter.

    Parameters
    ----------
    dosage
        (n, m) copies of the counted allele; missing is negative or NaN.
    ploidy
        (n,) copies per accession.
    training
        Rows to learn from; all by default.
    keep
        Which markers take part; :class:`MarkerFilter` by default.

    Returns
    -------
    MarkerSummary
        Frequencies, and the markers that pass.

    Raises
    ------
    BudwoodError
        If no marker passes.

    Examples
    --------
    >>> dosage = np.array([[0, 2, 2], [1, 1, 2], [2, -1, 2]], dtype=np.int8)
    >>> found = summarise_markers(dosage, np.full(3, 2, dtype=np.int8))
    >>> found.frequency, found.kept
    (array([0.5 , 0.75, 1.  ]), array([ True,  True, False]))
    """
    keep = keep or MarkerFilter()
    rows = np.arange(len(dosage)) if training is None else np.asarray(training, dtype=np.intp)
    m = dosage.shape[1]
    frequency, variance, seen = np.zeros(m), np.zeros(m), np.zeros(m)
    whole = training is None or np.array_equal(rows, np.arange(len(dosage)))
    for columns in _blocks(m, max(min(_BLOCK, _ENTRIES // max(len(rows), 1)), 16)):
        calls = dosage[:, columns] if whole else dosage[rows, columns]
        f, missing = _frequencies(calls, ploidy[rows])
        np.copyto(f, 0.0, where=missing)
        seen[columns] = len(rows) - missing.sum(axis=0)
        count = np.maximum(seen[columns], 1.0)
        frequency[columns] = f.sum(axis=0) / count
        variance[columns] = np.einsum("ij,ij->j", f, f) / count - frequency[columns] ** 2
    variance = np.maximum(variance, 0.0)
    minor = np.minimum(frequency, 1.0 - frequency)
    enough = seen >= (1.0 - keep.maximum_missing) * len(rows)
    kept = enough & (minor >= keep.minimum_frequency) & (variance > _NO_VARIANCE)
    if not kept.any():
        raise BudwoodError(
            f"none of the {m} markers varies enough among the {counted(len(rows), 'training accession')}",
            mend=f"give markers with a minor allele frequency of at least {keep.minimum_frequency:g} "
            f"and at most {keep.maximum_missing:.0%} missing calls",
        )
    return MarkerSummary(frequency, kept, variance, float(np.mean(ploidy[rows])))


def centred_products(dosage: Dosage, ploidy: NDArray[np.int8], summary: MarkerSummary) -> CentredProducts:
    """Inner products of all rows after centring by the summary, with its weights, in blocks of markers.

    Parameters
    ----------
    dosage
        (n, m) copies of the counted allele; missing is negative or NaN.
    ploidy
        (n,) copies per accession.
    summary
        Frequencies and markers kept, of the training rows.

    Returns
    -------
    CentredProducts
        (n, n) products with their summary.

    Examples
    --------
    >>> dosage = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8)
    >>> two = np.full(3, 2, dtype=np.int8)
    >>> centred_products(dosage, two, summarise_markers(dosage, two)).relationship()
    array([[ 2.,  0., -2.],
           [ 0.,  0.,  0.],
           [-2.,  0.,  2.]])
    """
    n = len(dosage)
    products, unknown = np.zeros((n, n)), np.zeros(n)
    for columns in _blocks(dosage.shape[1]):
        z = centre(dosage[:, columns], ploidy, summary, columns)
        if summary.weight is not None:
            z *= np.sqrt(summary.weight[columns][summary.kept[columns]])
        products += z @ z.T
        unknown += missing_squares(dosage[:, columns], summary, columns)
    products[np.diag_indices(n)] += unknown
    return CentredProducts(products, summary)


def missing_squares(
    dosage: Dosage, summary: MarkerSummary, columns: slice = slice(None)
) -> NDArray[np.float64]:
    """Expected sum of squares of each row's missing entries, over the markers kept.

    Parameters
    ----------
    dosage
        (n, k) the ``columns`` of the matrix that was summarised; missing is negative or NaN.
    summary
        Training variances, weights and the filter.
    columns
        Which columns of the summarised matrix ``dosage`` holds.

    Returns
    -------
    ndarray
        (n,), 0 for rows without a missing entry.

    Examples
    --------
    >>> dosage = np.array([[0, 2], [2, 0], [1, -1]], dtype=np.int8)
    >>> missing_squares(dosage, summarise_markers(dosage, np.full(3, 2, dtype=np.int8)))
    array([0.  , 0.  , 0.25])
    """
    kept = summary.kept[columns]
    square = summary.variance[columns][kept]
    if summary.weight is not None:
        square = summary.weight[columns][kept] * square
    return np.asarray(~(dosage[:, kept] >= 0) @ square, dtype=np.float64)


def centre(
    dosage: Dosage, ploidy: NDArray[np.int8], summary: MarkerSummary, columns: slice = slice(None)
) -> NDArray[np.float64]:
    """Relative allele frequencies minus their training means, missing 0, markers kept only.

    ``dosage`` holds the ``columns`` of the matrix that was summarised.

    Parameters
    ----------
    dosage
        (n, m) copies of the counted allele; missing is negative or NaN.
    ploidy
        (n,) copies per accession.
    summary
        Frequencies and markers kept, of the training rows.
    columns
        Columns of the summarised matrix that ``dosage`` holds; all by default.

    Returns
    -------
    ndarray
        (n, markers kept) centred relative frequencies.

    Examples
    --------
    >>> dosage, two = np.array([[0, 2], [1, 1], [2, -1]], dtype=np.int8), np.full(3, 2, dtype=np.int8)
    >>> centre(dosage, two, summarise_markers(dosage, two))
    array([[-0.5 ,  0.25],
           [ 0.  , -0.25],
           [ 0.5 ,  0.  ]])
    """
    kept = summary.kept[columns]
    z, missing = _frequencies(dosage[:, kept], ploidy)
    z -= summary.frequency[columns][kept]
    np.copyto(z, 0.0, where=missing)
    return z


def relationship(
    dosage: Dosage,
    ploidy: NDArray[np.int8],
    training: Rows | None = None,
    keep: MarkerFilter | None = None,
) -> NDArray[np.float64]:
    """VanRaden's relationship matrix of all rows, frequencies from the training rows.

    Parameters
    ----------
    dosage
        (n, m) copies of the counted allele; missing is negative or NaN.
    ploidy
        (n,) copies per accession.
    training
        Rows that frequencies, imputation and filter learn from; all by default.
    keep
        Which markers take part; :class:`MarkerFilter` by default.

    Returns
    -------
    ndarray
        (n, n) symmetric, positive semidefinite.

    Examples
    --------
    >>> dosage = np.array([[0, 1], [1, 0], [2, 2]], dtype=np.int8)
    >>> np.diag(relationship(dosage, np.full(3, 2, dtype=np.int8)))
    array([1., 1., 2.])
    """
    return centred_products(dosage, ploidy, summarise_markers(dosage, ploidy, training, keep)).relationship()


def genomic_correlation(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kernel scaled to a unit diagonal; 0 for a row that sits at the centre.

    Parameters
    ----------
    kernel
        (n, n) relationship.

    Returns
    -------
    ndarray
        (n, n) correlations, -1 to 1.

    Examples
    --------
    >>> genomic_correlation(np.array([[4.0, 1.0], [1.0, 1.0]]))
    array([[1. , 0.5],
           [0.5, 1. ]])
    """
    own = np.diagonal(kernel)
    return correlation_with(kernel, own, own)


def correlation_with(
    cross: NDArray[np.float64], own: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Kernel between two sets of rows, scaled by each row's kernel with itself.

    Parameters
    ----------
    cross
        (c, n) kernel.
    own, other
        (c,) and (n,) kernel of each row with itself.

    Returns
    -------
    ndarray
        (c, n) from -1 to 1; 0 for a row that sits at the centre.

    Examples
    --------
    >>> correlation_with(np.array([[1.0, -4.0]]), np.array([4.0]), np.array([1.0, 4.0]))
    array([[ 0.5, -1. ]])
    """
    scale = np.sqrt(np.outer(np.maximum(own, 0.0), np.maximum(other, 0.0)))
    correlation = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0.0)
    return np.clip(correlation, -1.0, 1.0)


def _blocks(m: int, size: int = _BLOCK) -> Iterator[slice]:
    for start in range(0, m, size):
        yield slice(start, min(start + size, m))


def _frequencies(dosage: Dosage, ploidy: NDArray[np.int8]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Dosage divided by ploidy, anything where missing; and where it is missing."""
    # NaN is not >= 0 either.
    return dosage / ploidy[:, None].astype(np.float64), ~(dosage >= 0)
