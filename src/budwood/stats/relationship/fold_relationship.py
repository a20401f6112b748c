"""Centred marker products for many training sets of the same accessions, from one Gram matrix.

Cross-validation asks for ``Z Z'`` once for each fold, each time with frequencies, mean imputation and marker
filter of that fold's training rows. With ``W`` the frequencies centred by all rows (missing entries 0), ``N``
the indicator of missing entries and ``d`` the training means minus those of all rows, the fold's matrix is
``Z = W - 1 d' + N diag(d)``, so that

    Z Z' = W W' - (W d) 1' - 1 (W d)' + (d'd) 1 1' + C + C',   C = N diag(d) (W' + diag(d) N' / 2 - d 1')

``W W'`` is made once, ``W d`` is one product with a vector, and ``C`` touches missing entries only. Markers
that pass the filter in the fold and not over all rows are added one by one, and those of the other kind taken
off. The expected squares of missing entries go onto the diagonal.

Nothing is approximated: the result is that of
:func:`budwood.stats.relationship.relationship.centred_products` up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from budwood.stats.relationship.relationship import (
    CentredProducts,
    Dosage,
    MarkerFilter,
    MarkerSummary,
    Rows,
    centre,
    centred_products,
    missing_squares,
    summarise_markers,
)

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

_BLOCK: Final = 4096
#: Variance of frequencies under which they differ by rounding only, as in ``summarise_markers``.
_NO_VARIANCE: Final = 1e-10
#: Distance from the least frequency within which sums in another order could fall on the other side of it.
_ROUNDING: Final = 1e-9
#: Share of missing entries above which plain products are faster.
_MOST_MISSING: Final = 0.12
#: Entries of the centred matrix above which it is not kept (8 bytes each).
_MOST_ENTRIES: Final = 150_000_000
#: Lines above which no matrix of lines by lines is shared.
_MOST_LINES: Final = 7_500


class FoldRelationship:
    """Marker summaries and centred products of n accessions for one training set after another.

    The first training set is served directly; what several share is made when a second one comes.

    Parameters
    ----------
    dosage
        (n, m) copies of the counted allele; missing is negative or NaN.
    ploidy
        (n,) copies per accession.

    Examples
    --------
    >>> dosage = np.array([[0, 1], [1, -1], [2, 2], [1, 0]], dtype=np.int8)
    >>> folds = FoldRelationship(dosage, np.full(4, 2, dtype=np.int8))
    >>> for held_out in range(2):
    ...     summary = folds.summary(np.delete(np.arange(4), held_out))
    ...     print(folds.products(summary).products.round(3)[0])
    [ 0.444  0.111 -0.222  0.111]
    [ 0.25  0.   -0.25  0.  ]
    """

    def __init__(self, dosage: Dosage, ploidy: NDArray[np.int8]) -> None:
        self._dosage, self._ploidy = dosage, ploidy
        self._first: bytes | None = None
        self._shared: _Shared | None = None

    def summary(self, training: Rows) -> MarkerSummary:
        """Allele frequencies of the training rows and the markers that pass the filter.

        Equal to :func:`budwood.stats.relationship.relationship.summarise_markers`.

        Parameters
        ----------
        training
            Rows of the training set.

        Returns
        -------
        MarkerSummary
            Frequencies and markers kept.

        Raises
        ------
        BudwoodError
            If no marker passes.
        """
        rows = np.asarray(training, dtype=np.intp)
        if self._first is None or self._first == rows.tobytes() or not self._worthwhile:
            self._first = rows.tobytes()
            return summarise_markers(self._dosage, self._ploidy, rows)
        if self._shared is None:
            self._shared = _shared(self._dosage, self._ploidy)
        return self._shared.summary(rows)

    def products(self, summary: MarkerSummary) -> CentredProducts:
        """Inner products of all rows after centring by the summary.

        Equal to :func:`budwood.stats.relationship.relationship.centred_products` up to rounding.

        Parameters
        ----------
        summary
            Of a training set, by :meth:`summary`.

        Returns
        -------
        CentredProducts
            (n, n) products with their summary.
        """
        if self._shared is None or self._shared.missing_share > _MOST_MISSING or summary.weight is not None:
            return centred_products(self._dosage, self._ploidy, summary)
        return self._shared.products(summary)

    @property
    def _worthwhile(self) -> bool:
        return self._dosage.size <= _MOST_ENTRIES and len(self._dosage) <= _MOST_LINES


@dataclass(frozen=True)
class _Shared:
    """What the training sets of a panel share.

    ``frequency`` and ``kept`` are those of all rows; ``centred`` is W', (markers kept, n); ``missing`` is N
    over the markers kept, with the marker of each entry and its place in the flat W'; ``sums``, ``squares``
    and ``seen`` are totals of frequencies, their squares and entries over all rows, (m,) each.
    """

    dosage: Dosage
    ploidy: NDArray[np.int8]
    frequency: Vector
    kept: NDArray[np.bool_]
    centred: Matrix
    gram: Matrix
    missing: csc_array
    missing_marker: NDArray[np.intp]
    missing_place: NDArray[np.intp]
    sums: Vector
    squares: Vector
    seen: Vector

    @property
    def missing_share(self) -> float:
        """Share of entries that are missing, of the markers kept."""
        return _missing_share(self.seen[self.kept], len(self.dosage))

    def summary(self, training: Rows) -> MarkerSummary:
        """Totals of all rows less those of the rows held out."""
        keep, rows = MarkerFilter(), len(training)
        held_out = np.setdiff1d(np.arange(len(self.dosage)), training)
        part = _totals(self.dosage[held_out], self.ploidy[held_out])
        sums, squares, seen = self.sums - part[0], self.squares - part[1], self.seen - part[2]
        # Where rounding could decide, the training rows are summed up themselves.
        frequency, _, _ = _kept(sums, squares, seen, rows, keep)
        minor = np.minimum(frequency, 1.0 - frequency)
        close = np.flatnonzero(np.abs(minor - keep.minimum_frequency) < _ROUNDING)
        sums[close], squares[close], seen[close] = _totals(
            self.dosage[np.ix_(training, close)], self.ploidy[training]
        )
        frequency, kept, variance = _kept(sums, squares, seen, rows, keep)
        if not kept.any():
            return summarise_markers(self.dosage, self.ploidy, training, keep)
        return MarkerSummary(frequency, kept, variance, float(np.mean(self.ploidy[training])))

    def products(self, summary: MarkerSummary) -> CentredProducts:
        """The formula of the module, and the markers in which the two filters differ."""
        taken = summary.kept[self.kept]
        shift = np.where(taken, (summary.frequency - self.frequency)[self.kept], 0.0)
        toward = shift @ self.centred
        found = self.gram + (shift @ shift) - (toward[:, None] + toward[None, :])
        if self.missing.nnz:
            correction = self._imputed(shift)
            found += correction + correction.T
        dropped = self.centred[~taken]
        found -= dropped.T @ dropped
        added = summary.kept & ~self.kept
        if added.any():
            every = np.ones(int(added.sum()), dtype=np.bool_)
            of_these = MarkerSummary(summary.frequency[added], every, summary.variance[added], summary.ploidy)
            z = centre(self.dosage[:, added], self.ploidy, of_these)
            found += z @ z.T
            found[np.diag_indices(len(found))] += missing_squares(self.dosage[:, added], of_these)
        if self.missing.nnz:
            expected = np.where(taken, summary.variance[self.kept], 0.0)
            found[np.diag_indices(len(found))] += self.missing @ expected
        return CentredProducts(found, summary)

    def _imputed(self, shift: Vector) -> Matrix:
        """C, what the fold's own means in the place of missing entries change (half of it)."""
        own = shift[self.missing_marker]
        moved = csc_array((own, self.missing.indices, self.missing.indptr), shape=self.missing.shape)
        # Missing entries of W' are 0: d / 2 stands there for the time of one product.
        flat = self.centred.reshape(-1)
        flat[self.missing_place] = 0.5 * own
        found = np.asarray(moved @ self.centred)
        flat[self.missing_place] = 0.0
        squares = np.bincount(self.missing.indices, weights=own**2, minlength=len(self.dosage))
        return found - squares[:, None]


def _shared(dosage: Dosage, ploidy: NDArray[np.int8]) -> _Shared:
    """Everything that one pass over the markers yields."""
    totals = _totals(dosage, ploidy)
    frequency, kept, _ = _kept(*totals, len(dosage), MarkerFilter())
    # Where plain products are faster nothing of the markers is held.
    few = _missing_share(totals[2][kept], len(dosage)) <= _MOST_MISSING
    columns = np.flatnonzero(kept) if few else np.zeros(0, dtype=np.intp)
    centred = np.empty((len(columns), len(dosage)))
    rows, counts = [np.zeros(0, dtype=np.intp)], [np.zeros(1, dtype=np.intp)]
    for start in range(0, len(columns), _BLOCK):
        block = columns[start : start + _BLOCK]
        chosen = dosage[:, block]
        summary = MarkerSummary(
            frequency[block], np.ones(len(block), dtype=np.bool_), np.zeros(len(block)), 1.0
        )
        centred[start : start + len(block)] = centre(chosen, ploidy, summary).T
        marker, row = np.nonzero(~(chosen >= 0).T)
        rows.append(row)
        counts.append(np.bincount(marker, minlength=len(block)))
    indices, starts = np.concatenate(rows), np.cumsum(np.concatenate(counts))
    missing = csc_array((np.ones(len(indices)), indices, starts), shape=(len(dosage), len(columns)))
    marker = np.repeat(np.arange(len(columns)), np.diff(starts))
    gram, place = centred.T @ centred, marker * len(dosage) + indices
    return _Shared(dosage, ploidy, frequency, kept, centred, gram, missing, marker, place, *totals)


def _missing_share(seen: Vector, rows: int) -> float:
    return 1.0 - float(seen.sum()) / max(rows * len(seen), 1)


def _totals(dosage: Dosage, ploidy: NDArray[np.int8]) -> tuple[Vector, Vector, Vector]:
    """Sums of relative frequencies and of their squares, and entries that are not missing, by marker."""
    m = dosage.shape[1]
    sums, squares, seen = np.zeros(m), np.zeros(m), np.zeros(m)
    for start in range(0, m, _BLOCK):
        columns = slice(start, start + _BLOCK)
        known = dosage[:, columns] >= 0
        f = np.where(known, dosage[:, columns], 0) / ploidy[:, None].astype(np.float64)
        sums[columns], seen[columns] = f.sum(axis=0), known.sum(axis=0)
        squares[columns] = np.einsum("ij,ij->j", f, f)
    return sums, squares, seen


def _kept(
    sums: Vector, squares: Vector, seen: Vector, rows: int, keep: MarkerFilter
) -> tuple[Vector, NDArray[np.bool_], Vector]:
    """Mean frequency of each marker, whether it passes the filter, and its variance."""
    count = np.maximum(seen, 1.0)
    frequency = sums / count
    minor = np.minimum(frequency, 1.0 - frequency)
    enough = seen >= (1.0 - keep.maximum_missing) * rows
    variance = np.maximum(squares / count - frequency**2, 0.0)
    varies = variance > _NO_VARIANCE
    return frequency, enough & varies & (minor >= keep.minimum_frequency), variance
