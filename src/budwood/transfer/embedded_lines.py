"""Lines of one side of a transfer as vectors of the window sequences that they carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.stats.relationship.haplotype_kernel import haplotype_features

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EmbeddedLines:
    """The distinct window sequences of a side's lines, and their embeddings.

    Attributes
    ----------
    table
        n lines and W windows.
    vectors
        (H, D) embedding of each of the table's sequences.
    """

    table: HaplotypeTable
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.table.accessions)

    def pooled(self) -> Matrix:
        """(n, D) mean embedding of each line over its windows and copies."""
        return haplotype_features(self.table.codes, self.table.offsets, self.vectors)

    def at(self, windows: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
        """Mean embeddings of the lines over a few windows, as a product of two matrices.

        Parameters
        ----------
        windows
            (w,) numbers of windows.

        Returns
        -------
        shares, differences
            (n, h) share of a line's copies and windows that carries each of the windows' h sequences, centred
            over lines; (h, D) embedding of each sequence less that of its window's reference. Their product
            is each line's mean embedding less the mean of all lines. All shares are exactly 0 where the lines
            do not differ.

        Notes
        -----
        Differences from the reference are taken before anything is summed, in float64: they are small beside
        the vectors, and what all lines have in common drops out.
        """
        table = self.table
        shares, differences = [], []
        for window in windows.tolist():
            counts = table.counts(window).astype(np.float64)
            # A line without a copy of the window stands on its reference, whose difference is 0.
            copies = np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
            shares.append(counts / copies / len(windows))
            own = self.vectors[table.offsets[window] : table.offsets[window + 1]].astype(np.float64)
            differences.append(own - own[0])
        if not shares:
            return np.zeros((len(self), 0)), np.zeros((0, self.vectors.shape[1]))
        joined = np.concatenate(shares, axis=1)
        # Rounding of the mean would otherwise let a sequence vary that every line carries alike.
        joined = np.where(np.ptp(joined, axis=0) > 0.0, joined - joined.mean(axis=0), 0.0)
        return joined, np.concatenate(differences)
