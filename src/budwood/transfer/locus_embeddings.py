"""Embeddings by orthologous locus: what lines carry at each locus, as vectors that two species share.

A line's features at a locus are the mean embedding of its windows that belong to the locus, less the mean of
all lines of its side. With X_l (n, D) of the source's lines and T_l (c, D) of the target's, the kernels are
``sum_l X_l X_l' / u_l`` and ``sum_l T_l X_l' / u_l``: a change of a locus' embedding has one effect on the
trait in both species, drawn anew for each locus, with a variance of 1 / u_l for each of its D directions.

u_l is the locus' total variance (the sum over its directions), the mean of both sides. So every locus
explains equally much of the trait before any phenotype is seen: one that varies in many directions, or that
has many variants, has no more say than one with two alleles. One number for both sides keeps the effects the
same on both. As the mean of both it keeps a locus that varies on one side alone from dominating: the part of
a locus is at most twice the usual one in the kernel of the source, and at most the usual one between the
sides. Dividing by the source's variance alone would let a locus that hardly varies there score the target's
lines by noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from budwood.transfer.embedded_lines import EmbeddedLines
from budwood.transfer.locus_map import LocusMap, locus_windows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LocusKernels:
    """Products of the features of all loci.

    Attributes
    ----------
    square
        (n, n) between the source's lines.
    cross
        (c, n) between the target's lines and the source's.
    own
        (c, c) between the target's lines.
    """

    square: Matrix
    cross: Matrix
    own: Matrix


@dataclass(frozen=True, eq=False)
class LocusEmbeddings:
    """Both sides' embeddings at pairs of loci.

    Attributes
    ----------
    source, target
        n and c lines.
    here, there
        (L, W) windows of each side in each locus.
    unit
        (L,) total variance of each locus, the mean of both sides.
    """

    source: EmbeddedLines
    target: EmbeddedLines
    here: csr_matrix
    there: csr_matrix
    unit: Vector

    @classmethod
    def of(cls, source: EmbeddedLines, target: EmbeddedLines, loci: LocusMap, reach: int) -> LocusEmbeddings:
        """The loci whose embeddings differ between lines on both sides.

        Parameters
        ----------
        source, target
            Lines of each side.
        loci
            Pairs of loci.
        reach
            Bases on either side of a locus that belong to it; windows that overlap them do.
        """
        here = locus_windows(loci.source, source.table.windows, reach)
        there = locus_windows(loci.target, target.table.windows, reach)
        ours, theirs = _variance(source, here), _variance(target, there)
        both = np.flatnonzero((ours > 0.0) & (theirs > 0.0))
        return cls(source, target, here[both], there[both], (ours[both] + theirs[both]) / 2)

    def __len__(self) -> int:
        return len(self.unit)

    def features(self, locus: int) -> tuple[Matrix, Matrix]:
        """Features of both sides at a locus, not scaled, whose products are those of the mean embeddings.

        Parameters
        ----------
        locus
            Number of the pair, from 0.

        Returns
        -------
        tuple of ndarray
            (n, k) of the source's lines and (c, k) of the target's, both centred. They are coordinates in the
            space that both sides' sequences of the locus span, with k at most D and seldom near it.
        """
        ours, our_vectors = self.source.at(_row(self.here, locus))
        theirs, their_vectors = self.target.at(_row(self.there, locus))
        vectors = np.concatenate([our_vectors, their_vectors])
        if len(vectors) < vectors.shape[1]:
            # E = R' Q' with orthonormal Q': rows of R' have the same products as those of E.
            vectors = np.linalg.qr(vectors.T)[1].T
        return ours @ vectors[: ours.shape[1]], theirs @ vectors[ours.shape[1] :]

    def kernels(self) -> LocusKernels:
        """Sums of products over loci, each in units of its variance."""
        n, c = len(self.source), len(self.target)
        square, cross, own = np.zeros((n, n)), np.zeros((c, n)), np.zeros((c, c))
        for locus, unit in enumerate(self.unit.tolist()):
            ours, theirs = self.features(locus)
            square += ours @ ours.T / unit
            cross += theirs @ ours.T / unit
            own += theirs @ theirs.T / unit
        return LocusKernels(square=square, cross=cross, own=own)

    def shuffled_scores(self, weights: Vector, shuffles: int, rng: np.random.Generator) -> Matrix:
        """Scores of the target's lines where each locus has the effects of another one.

        Parameters
        ----------
        weights
            (n,) of the source's lines: the score with true orthology is ``cross @ weights``.
        shuffles
            How many.
        rng
            Random number generator.

        Returns
        -------
        ndarray
            (shuffles, c).
        """
        root = np.sqrt(self.unit)
        effects = np.empty((len(self), self.source.vectors.shape[1]))
        for locus in range(len(self)):
            shares, vectors = self.source.at(_row(self.here, locus))
            effects[locus] = vectors.T @ (shares.T @ weights) / root[locus]
        orders = np.array([rng.permutation(len(self)) for _ in range(shuffles)]).reshape(shuffles, -1)
        scores = np.zeros((shuffles, len(self.target)))
        for locus in range(len(self)):
            shares, vectors = self.target.at(_row(self.there, locus))
            scores += (shares @ (vectors @ effects[orders[:, locus]].T)).T / root[locus]
        return scores


def _row(members: csr_matrix, locus: int) -> NDArray[np.intp]:
    return np.asarray(members.indices[members.indptr[locus] : members.indptr[locus + 1]], dtype=np.intp)


def _variance(lines: EmbeddedLines, members: csr_matrix) -> Vector:
    """(L,) total variance between lines of the mean embedding at each locus."""
    found = np.zeros(members.shape[0])
    for locus in range(len(found)):
        shares, vectors = lines.at(_row(members, locus))
        features = shares @ vectors
        found[locus] = np.einsum("ij,ij->", features, features) / max(len(lines) - 1, 1)
    return found
