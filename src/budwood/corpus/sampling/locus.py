"""The locus of a window: the gene it lies in or beside, and where that gene begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.genes import Annotation, Gene

#: Anchor of a window without a gene.
NO_ANCHOR: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True)
class Loci:
    """Genes of one contig as arrays, ordered by start.

    Attributes
    ----------
    start, end
        (genes,) 0-based half-open ends on the contig.
    anchor
        (genes,) where the gene begins: the first base of its start codon where the coding sequence of the
        representative transcript begins with a whole codon, else its first base along its strand.
        NO_ANCHOR where the strand is unknown.
    direction
        (genes,) ``int8``: 1 on the forward strand, -1 on the reverse strand, 0 unknown.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    anchor: NDArray[np.int64]
    direction: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.start)

    def at(self, centre: int, flank: int) -> tuple[int, int]:
        """Find the locus of a window by its centre.

        The locus is the gene whose span, extended by ``flank`` bases on either side, contains the centre. If
        there are several, it is the one that begins nearest to the centre.

        Parameters
        ----------
        centre
            0-based position of the window's centre on the contig.
        flank
            Bases by which genes are extended on either side.

        Returns
        -------
        tuple of int
            Anchor and direction of the gene; (NO_ANCHOR, 0) without one.

        Examples
        --------
        >>> loci = Loci(np.array([100]), np.array([200]), np.array([199]), np.array([-1], dtype=np.int8))
        >>> loci.at(90, 20)
        (199, -1)
        >>> loci.at(250, 20) == (NO_ANCHOR, 0)
        True
        """
        near = (self.start - flank <= centre) & (centre < self.end + flank) & (self.direction != 0)
        genes = np.flatnonzero(near)
        if len(genes) == 0:
            return NO_ANCHOR, 0
        gene = genes[np.argmin(np.abs(self.anchor[genes] - centre))]
        return int(self.anchor[gene]), int(self.direction[gene])


def loci_of_contig(annotation: Annotation | None, contig: str) -> Loci:
    """Collect the genes of a contig.

    Parameters
    ----------
    annotation
        Genes of the genome; None for no annotation.
    contig
        Name of the contig.

    Returns
    -------
    Loci
        The genes, none without an annotation.
    """
    genes = [] if annotation is None else list(annotation.genes_on(contig))
    genes.sort(key=lambda gene: (gene.start, gene.end, gene.name))
    directions = [{"+": 1, "-": -1}.get(gene.strand, 0) for gene in genes]
    return Loci(
        np.array([gene.start for gene in genes], dtype=np.int64),
        np.array([gene.end for gene in genes], dtype=np.int64),
        np.array([_anchor(gene) for gene in genes], dtype=np.int64),
        np.array(directions, dtype=np.int8),
    )


def reverse_locus(anchor: int, direction: int, window: int) -> tuple[int, int]:
    """Convert anchor and direction to the reverse complement of the window.

    Parameters
    ----------
    anchor
        Anchor in window coordinates, or NO_ANCHOR.
    direction
        1, -1, or 0 without a gene.
    window
        Bases of the window.

    Returns
    -------
    tuple of int
        Anchor and direction in the reverse-complemented window.

    Examples
    --------
    >>> reverse_locus(-3, 1, 10)
    (12, -1)
    """
    return (NO_ANCHOR, 0) if anchor == NO_ANCHOR else (window - 1 - anchor, -direction)


def _anchor(gene: Gene) -> int:
    if gene.strand not in ("+", "-"):
        return NO_ANCHOR
    forward = gene.strand == "+"
    best = gene.representative
    if best is not None and best.cds:
        first = best.cds[0 if forward else -1]
        if first.phase == 0:
            return first.start if forward else first.end - 1
    return gene.start if forward else gene.end - 1
