"""The region label of every base of a contig, with the marks of gene structure on top."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.annotation.genes import Annotation, Gene

_CODON: Final = 3
_SITE: Final = 2


def base_class_track(annotation: Annotation, contig: str, length: int) -> NDArray[np.uint8]:
    """:class:`~budwood.genomics.annotation.base_class.BaseClass` of every base of a contig.

    The classes of :meth:`Annotation.paint`, over which the two bases at either end of an intron and the
    start and stop codons of each representative transcript are marked.

    Parameters
    ----------
    annotation
        Genes and repeats of the assembly.
    contig
        Name of the contig.
    length
        Its length in bases.

    Returns
    -------
    ndarray
        (length,) ``uint8``.
    """
    track = annotation.paint(contig, length)
    for site in annotation.splice_sites(contig):
        forward = site.strand == "+"
        donor = site.kind == "donor"
        mark = BaseClass[f"{'DONOR' if donor else 'ACCEPTOR'}_{'FORWARD' if forward else 'REVERSE'}"]
        # The site's position is the intron's outermost base; the mark reaches one base into the intron.
        first = site.position if donor == forward else site.position - 1
        track[max(first, 0) : first + _SITE] = mark
    for gene in annotation.genes_on(contig):
        _mark_codons(track, gene)
    return track


def _mark_codons(track: NDArray[np.uint8], gene: Gene) -> None:
    """Mark start and stop codons; one split by an intron is marked on its outer exon only."""
    best = gene.representative
    if best is None or not best.cds or gene.strand not in "+-":
        return
    low, high = best.cds[0], best.cds[-1]
    left = slice(low.start, min(low.start + _CODON, low.end))
    right = slice(max(high.end - _CODON, high.start), high.end)
    if gene.strand == "+":
        track[left], track[right] = BaseClass.START_FORWARD, BaseClass.STOP_FORWARD
    else:
        track[right], track[left] = BaseClass.START_REVERSE, BaseClass.STOP_REVERSE
