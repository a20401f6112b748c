"""Burden of each locus: the scores of the variants that a line carries in it, added up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from budwood.genomics.genotypes import Genotypes

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def locus_burdens(genotypes: Genotypes, members: csr_matrix, scores: Vector | None = None) -> Matrix:
    """Burden of each locus in each line.

    The burden counts ALT alleles where the file names alleles (VCF), and the rarer allele where it does not:
    a new mutation is rare at first.

    Parameters
    ----------
    genotypes
        n lines x m markers.
    members
        (L, m) which markers lie in which locus.
    scores
        (m,) how damaging each variant is, 0 or more; all alike when None.

    Returns
    -------
    ndarray
        (n, L) sums over the locus of score times relative dosage; missing calls take the mean.

    Examples
    --------
    >>> panel = Genotypes.from_matrix(["a", "b", "c"], np.array([[0, 2], [0, 2], [2, 0]], dtype=np.int8))
    >>> locus_burdens(panel, csr_matrix(np.array([[1.0, 1.0]]))).tolist()
    [[0.0], [0.0], [2.0]]
    """
    frequency = genotypes.frequency_matrix()
    known = np.isfinite(frequency)
    count = known.sum(axis=0)
    mean = np.where(known, frequency, 0.0).sum(axis=0) / np.maximum(count, 1)
    filled = np.where(known, frequency, mean)
    named = genotypes.markers.other != ""
    turned = ~named & (mean > 0.5)
    filled[:, turned] = 1.0 - filled[:, turned]
    weights = members if scores is None else csr_matrix(members.multiply(scores))
    return np.asarray((weights @ filled.T).T, dtype=np.float64)
