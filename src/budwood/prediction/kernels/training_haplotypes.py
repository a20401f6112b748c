"""The sequences of training lines, and the embedding kernel of new lines with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.stats.relationship.haplotype_kernel import haplotype_products, window_contributions

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TrainingHaplotypes:
    """Distinct window sequences of n training lines with their vectors.

    Attributes
    ----------
    contigs, starts, ends
        (W,) windows.
    sequences, vectors
        (H, window) ``uint8`` codes and (H, D) ``float32`` embeddings, grouped by window, the reference first.
    offsets
        (W + 1,) rows of each window.
    codes
        (n, W, ploidy) row within the window of each copy.
    digest
        Of the checkpoint that made the vectors.
    row_mean, mean, unit
        (n,) mean product of each training line with all, the mean of these, and the mean diagonal after
        centring: what makes raw products the kernel of the training set.
    """

    contigs: tuple[str, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    sequences: NDArray[np.uint8]
    vectors: NDArray[np.float32]
    offsets: NDArray[np.int64]
    codes: NDArray[np.unsignedinteger]
    digest: str
    row_mean: Vector
    mean: float
    unit: float

    @classmethod
    def of(
        cls,
        table: HaplotypeTable,
        vectors: NDArray[np.float32],
        training: NDArray[np.intp],
        digest: str,
    ) -> TrainingHaplotypes:
        """Keep the training rows of a panel's table.

        Parameters
        ----------
        table, vectors
            Haplotypes of the panel, and the (H, D) embeddings of their sequences.
        training
            (n,) rows of the table.
        digest
            Of the checkpoint.
        """
        codes = table.codes[training]
        products, own = haplotype_products(codes, table.offsets, vectors, np.arange(len(training)))
        row_mean = products.mean(axis=1)
        mean = float(row_mean.mean())
        return cls(
            contigs=tuple(window.contig for window in table.windows),
            starts=np.array([window.start for window in table.windows], dtype=np.int64),
            ends=np.array([window.end for window in table.windows], dtype=np.int64),
            sequences=table.sequences,
            vectors=np.asarray(vectors, dtype=np.float32),
            offsets=table.offsets,
            codes=codes,
            digest=digest,
            row_mean=row_mean,
            mean=mean,
            unit=float((own - 2.0 * row_mean + mean).mean()),
        )

    def kernel(self, table: HaplotypeTable, vectors: NDArray[np.float32]) -> tuple[Matrix, Vector]:
        """Embedding kernel of new lines with the training lines, and with themselves.

        Windows without a variant in one of the two are the reference there.

        Parameters
        ----------
        table, vectors
            Haplotypes of c new lines on the same reference, and embeddings by the same checkpoint.

        Returns
        -------
        cross, own
            (c, n) and (c,).

        Raises
        ------
        BudwoodError
            If a window has another reference sequence than in training.
        """
        codes, offsets, joined = self._joined(table, vectors)
        n = len(self.codes)
        products, own = haplotype_products(codes, offsets, joined, np.arange(n))
        products, own = products[n:], own[n:]
        toward = products.mean(axis=1)
        cross = (products - toward[:, None] - self.row_mean + self.mean) / self.unit
        return cross, (own - 2.0 * toward + self.mean) / self.unit

    def table(self, rows: NDArray[np.intp], accessions: tuple[str, ...]) -> HaplotypeTable:
        """Haplotypes of some of the training lines as a panel's.

        Parameters
        ----------
        rows
            (c,) training lines.
        accessions
            c ids that the table has for them.

        Returns
        -------
        HaplotypeTable
            With all windows and sequences.
        """
        windows = tuple(self._window(w) for w in range(len(self.contigs)))
        return HaplotypeTable(accessions, windows, self.sequences, self.offsets, self.codes[rows], {})

    def contributions(
        self, table: HaplotypeTable, vectors: NDArray[np.float32], weights: Vector
    ) -> tuple[tuple[Interval, ...], Matrix, Matrix]:
        """Parts of ``kernel(table, vectors)[0] @ weights`` by window.

        Parameters
        ----------
        table, vectors
            Haplotypes of c new lines on the same reference, and embeddings by the same checkpoint.
        weights
            (n,) weight of each training line.

        Returns
        -------
        windows, parts, directions
            W windows of both; (c, W) parts, which sum to the product; (W, D) what one more unit of each
            number of a line's mean vector in the window adds to its part.

        Raises
        ------
        BudwoodError
            As :meth:`kernel`.
        """
        codes, offsets, joined = self._joined(table, vectors)
        n = len(self.codes)
        parts, directions = window_contributions(codes, offsets, joined, np.arange(n), weights)
        ours = [self._window(w) for w in range(len(self.contigs))]
        known = set(ours)
        windows = (*ours, *(window for window in table.windows if window not in known))
        return windows, parts[n:] / self.unit, directions / self.unit

    def _joined(
        self, table: HaplotypeTable, vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.float32]]:
        """Codes of training lines and new lines over the windows of both, with offsets and vectors."""
        ours = {self._window(w): w for w in range(len(self.contigs))}
        theirs = {window: w for w, window in enumerate(table.windows)}
        windows = [*ours, *(window for window in theirs if window not in ours)]
        n, c = len(self.codes), len(table.codes)
        copies = max(self.codes.shape[2], table.codes.shape[2])
        absent = int(np.iinfo(np.uint32).max)
        codes = np.full((n + c, len(windows), copies), absent, dtype=np.uint32)
        parts: list[NDArray[np.float32]] = []
        sizes: list[int] = []
        for w, window in enumerate(windows):
            first, second = ours.get(window), theirs.get(window)
            known = self._rows(first, self.offsets)
            new = self._rows(second, table.offsets)
            if known and new and not np.array_equal(self.sequences[known[0]], table.sequences[new[0]]):
                raise BudwoodError(
                    f"the reference of window {window.contig}:{window.start + 1}-{window.end} is "
                    "another one than the model was fitted with",
                    mend="give the reference genome that the model was fitted with",
                )
            codes[:n, w] = _copies(self.codes, first, copies, 0, absent)
            codes[n:, w] = _copies(table.codes, second, copies, max(len(known) - 1, 0), absent)
            parts.append(self.vectors[known] if known else vectors[new])
            if known and new:
                parts.append(vectors[new[1:]])
            sizes.append(sum(map(len, parts)) - sum(sizes))
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return codes, offsets, np.concatenate(parts)

    def _window(self, w: int) -> Interval:
        return Interval(self.contigs[w], int(self.starts[w]), int(self.ends[w]))

    @staticmethod
    def _rows(window: int | None, offsets: NDArray[np.int64]) -> list[int]:
        return [] if window is None else list(range(int(offsets[window]), int(offsets[window + 1])))


def _copies(
    codes: NDArray[np.unsignedinteger], window: int | None, copies: int, shift: int, absent: int
) -> NDArray[np.uint32]:
    """(n, copies) codes of one window in the joined table; the reference where the window is not known."""
    found = np.full((len(codes), copies), absent, dtype=np.uint32)
    if window is None:
        found[:, 0] = 0
        return found
    own = codes[:, window].astype(np.int64)
    missing = codes[:, window] == np.iinfo(codes.dtype).max
    found[:, : own.shape[1]] = np.where(missing, absent, np.where(own > 0, own + shift, 0))
    return found
