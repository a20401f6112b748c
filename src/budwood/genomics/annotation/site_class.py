"""What a marker is part of, coarsely: classes that differ in how often they hold causal variants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import CODING, BaseClass
from budwood.genomics.annotation.genes import Annotation, Span, joined
from budwood.genomics.genotypes import Markers

#: Bases before the first exon of a coding gene that count as its promoter.
PROMOTER_REACH: Final = 1_000
# Bases painted at once, so that a chromosome of hundreds of millions is never held.
_PIECE: Final = 1 << 20


class SiteClass(IntEnum):
    """Class of a site by the protein-coding genes around it."""

    INTERGENIC = 0
    INTRON = 1
    PROMOTER = 2
    UTR = 3
    CODING = 4


def site_classes(
    markers: Markers, annotation: Annotation, *, aliases: Mapping[str, str] | None = None
) -> NDArray[np.uint8]:
    """Class of each marker by its first base.

    Coding sequence, UTR and intron are those of :meth:`Annotation.classes`; what is intergenic there and lies
    within 1,000 bases before the first exon of a coding gene's representative transcript is its promoter. A
    marker without a place, or on a contig without genes, is intergenic.

    Parameters
    ----------
    markers
        m markers.
    annotation
        Genes of the assembly that the markers refer to.
    aliases
        Contig names of the markers and what the annotation calls them.

    Returns
    -------
    ndarray
        (m,) ``uint8`` of :class:`SiteClass`.

    Raises
    ------
    BudwoodError
        If no marker lies on a contig of the annotation.

    Examples
    --------
    >>> from budwood.genomics.annotation.genes import CodingPart, Gene, Transcript
    >>> cds = (CodingPart(2_002, 2_006, 0),)
    >>> gene = Gene("g", "1", 2_000, 2_010, "+", (Transcript("g.1", (Span(2_000, 2_010),), cds),))
    >>> positions = np.array([900, 1_000, 2_000, 2_003, 2_020])
    >>> blank = np.full(5, "", dtype=object)
    >>> markers = Markers(blank, np.full(5, "1", dtype=object), positions, blank, blank)
    >>> [SiteClass(value).name for value in site_classes(markers, Annotation((gene,)))]
    ['INTERGENIC', 'PROMOTER', 'UTR', 'CODING', 'INTERGENIC']
    """
    naming = aliases or {}
    contigs = np.array([naming.get(name, name) for name in markers.contig], dtype=object)
    found = np.full(len(markers), SiteClass.INTERGENIC, dtype=np.uint8)
    annotated = set(annotation.contigs)
    here = [name for name in dict.fromkeys(contigs) if name and name in annotated]
    if not here:
        raise _none_annotated(markers, annotation)
    promoters = _promoters(annotation)
    for name in here:
        rows = np.flatnonzero((contigs == name) & (markers.position >= 0))
        found[rows] = _classes_at(annotation, name, markers.position[rows], promoters[name])
    return found


def _classes_at(
    annotation: Annotation, contig: str, positions: NDArray[np.int64], promoters: tuple[Span, ...]
) -> NDArray[np.uint8]:
    found = np.zeros(len(positions), dtype=np.uint8)
    pieces = positions // _PIECE
    for piece in np.unique(pieces):
        rows, start = np.flatnonzero(pieces == piece), int(piece) * _PIECE
        painted = annotation.classes(contig, start, start + _PIECE)
        found[rows] = _OF_REGION[painted[positions[rows] - start]]
    if promoters:
        starts, ends = np.array(promoters).T
        before = np.searchsorted(starts, positions, side="right") - 1
        inside = (before >= 0) & (positions < ends[before])
        found[inside & (found == SiteClass.INTERGENIC)] = SiteClass.PROMOTER
    return found


def _promoters(annotation: Annotation) -> defaultdict[str, tuple[Span, ...]]:
    """Stretches before coding genes by contig, ascending and apart."""
    spans: dict[str, list[Span]] = {}
    for gene in annotation.genes:
        best = gene.representative
        if best is None or not best.cds or gene.strand not in "+-":
            continue
        if gene.strand == "+":
            first = best.exons[0].start
            span = Span(max(0, first - PROMOTER_REACH), first)
        else:
            span = Span(best.exons[-1].end, best.exons[-1].end + PROMOTER_REACH)
        if span.end > span.start:
            spans.setdefault(gene.contig, []).append(span)
    return defaultdict(tuple, {contig: joined(each) for contig, each in spans.items()})


def _none_annotated(markers: Markers, annotation: Annotation) -> BudwoodError:
    named = [name for name in dict.fromkeys(markers.contig) if name]
    if not named:
        return BudwoodError(
            "the markers have no places, so they cannot be joined to the annotation",
            mend="give a marker map, or leave out the annotation",
        )
    where = f"genotypes have {', '.join(named[:6])}; the annotation has {', '.join(annotation.contigs[:6])}"
    return BudwoodError(
        "no contig of the genotypes is in the annotation",
        where=where,
        mend="name the contigs alike or give --alias GENOTYPES=ANNOTATION",
    )


def _class_of(region: BaseClass) -> SiteClass:
    if region in CODING:
        return SiteClass.CODING
    return {BaseClass.INTERGENIC: SiteClass.INTERGENIC, BaseClass.UTR: SiteClass.UTR}.get(
        region, SiteClass.INTRON
    )


_OF_REGION: Final = np.array([_class_of(region) for region in BaseClass], dtype=np.uint8)
