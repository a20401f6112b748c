"""Genes and repeats of an assembly, and the class of every base."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.interval import by_contig


class Span(NamedTuple):
    """0-based half-open stretch of the gene's contig."""

    start: int
    end: int


class CodingPart(NamedTuple):
    """One piece of a coding sequence; ``phase`` bases at its 5' end complete the codon before it."""

    start: int
    end: int
    phase: int


class Signal(NamedTuple):
    """A position with a meaning.

    ``kind`` is ``"donor"`` (first base of an intron), ``"acceptor"`` (its last base) or
    ``"start_codon"`` (first base of the coding sequence), each along the gene's strand.
    """

    contig: str
    position: int
    strand: str
    kind: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """One transcript.

    Attributes
    ----------
    name
        Its identifier in the file, without the prefix ``transcript:``.
    exons
        Ascending, not touching one another. Where the file gives none they are put together from the
        coding parts and UTRs.
    cds
        Ascending; empty when the transcript codes for no protein.
    biotype
        What kind of transcript the file calls it, ``""`` where nothing tells.
    """

    name: str
    exons: tuple[Span, ...]
    cds: tuple[CodingPart, ...] = ()
    biotype: str = ""

    @property
    def coding_length(self) -> int:
        """Bases of coding sequence."""
        return sum(part.end - part.start for part in self.cds)

    @property
    def introns(self) -> tuple[Span, ...]:
        """What lies between its exons."""
        return tuple(
            Span(left.end, right.start) for left, right in zip(self.exons, self.exons[1:], strict=False)
        )

    @property
    def utrs(self) -> tuple[Span, ...]:
        """Exon bases outside the coding sequence; empty for a transcript without one.

        Examples
        --------
        >>> Transcript("t", (Span(0, 10), Span(20, 40)), (CodingPart(5, 10, 0), CodingPart(20, 24, 1))).utrs
        (Span(start=0, end=5), Span(start=24, end=40))
        """
        if not self.cds:
            return ()
        found = []
        for exon in self.exons:
            position = exon.start
            for part in self.cds:
                if part.end <= exon.start or part.start >= exon.end:
                    continue
                if part.start > position:
                    found.append(Span(position, part.start))
                position = part.end
            if position < exon.end:
                found.append(Span(position, exon.end))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Gene:
    """One gene with its transcripts in file order; ``strand`` is ``+``, ``-`` or ``.``.

    Attributes
    ----------
    name
        Identifier of the gene.
    contig
        Contig that holds it.
    start, end
        0-based half-open interval on the + strand.
    strand
        ``+``, ``-`` or ``.``.
    transcripts
        Transcripts in file order.
    """

    name: str
    contig: str
    start: int
    end: int
    strand: str
    transcripts: tuple[Transcript, ...] = ()

    @property
    def representative(self) -> Transcript | None:
        """The transcript with the longest coding sequence; then the longest exons, then the first."""
        return max(
            self.transcripts,
            key=lambda t: (t.coding_length, sum(exon.end - exon.start for exon in t.exons)),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class Repeat:
    """One repeat; ``repeat_class`` is its class as the file writes it (``LTR/Gypsy``, ``ATCOPIA24``).

    Attributes
    ----------
    contig
        Contig that holds it.
    start, end
        0-based half-open interval on the + strand.
    strand
        ``+``, ``-`` or ``.``.
    name
        Identifier of the repeat.
    repeat_class
        Its class as the file writes it.
    """

    contig: str
    start: int
    end: int
    strand: str
    name: str
    repeat_class: str


@dataclass(frozen=True)
class Annotation:
    """Genes and repeats.

    Attributes
    ----------
    genes, repeats
        In file order.
    assumptions
        How often something had to be assumed or left out while reading, by reason.

    Examples
    --------
    A gene of two exons on the + strand; the intron interrupts a codon after its first base.

    >>> cds = (CodingPart(2, 6, 0), CodingPart(9, 11, 2))
    >>> gene = Gene("g", "Chr1", 1, 12, "+", (Transcript("g.1", (Span(1, 6), Span(9, 12)), cds),))
    >>> Annotation((gene,)).classes("Chr1", 0, 13)
    array([0, 2, 3, 4, 5, 3, 1, 1, 1, 4, 5, 2, 0], dtype=uint8)
    """

    genes: tuple[Gene, ...]
    repeats: tuple[Repeat, ...] = ()
    assumptions: Mapping[str, int] = field(default_factory=dict)

    @property
    def contigs(self) -> tuple[str, ...]:
        """Contigs that carry a gene or repeat, in order of appearance."""
        of_genes = [gene.contig for gene in self.genes]
        return tuple(dict.fromkeys(of_genes + [repeat.contig for repeat in self.repeats]))

    def genes_on(self, contig: str) -> tuple[Gene, ...]:
        """Genes of a contig in file order; their number alone decides how long it takes.

        Parameters
        ----------
        contig
            Name of the contig.

        Returns
        -------
        tuple of Gene
            None for a contig without a gene.
        """
        return tuple(self._by_contig.get(contig, ()))

    def classes(self, contig: str, start: int, end: int) -> NDArray[np.uint8]:
        """BaseClass class of each base of a stretch, seen from the + strand.

        The representative transcript of each protein-coding gene counts; genes that code for no protein
        are left intergenic, as is what lies between a gene's ends and its coding sequence when the file
        gives neither exons nor UTRs. Where genes overlap, coding wins over UTR and UTR over intron; of
        two coding genes the one with the longer coding sequence wins, then the one that starts first.

        Parameters
        ----------
        contig
            Name of the contig.
        start, end
            0-based half-open interval.

        Returns
        -------
        ``uint8`` array of ``end - start`` :class:`~budwood.genomics.annotation.base_class.BaseClass` values,
        without the marks of gene structure that
        :func:`~budwood.genomics.annotation.base_class_track.base_class_track` adds. A contig without genes is
        intergenic throughout.
        """
        painted = np.zeros(end - start, dtype=np.uint8)
        models = self._models.get(contig)
        if models is None or end <= start:
            return painted
        first = bisect_left(models.reach, start + 1)
        chosen = models.ordered[first : bisect_left(models.starts, end)]
        for model in chosen:
            _fill(painted, start, model.introns, BaseClass.INTRON)
        for model in chosen:
            _fill(painted, start, model.utrs, BaseClass.UTR)
        for model in sorted(chosen, key=lambda m: m.rank):
            _fill_codons(painted, start, model)
        return painted

    def paint(self, contig: str, length: int) -> NDArray[np.uint8]:
        """BaseClass classes of a whole contig of ``length`` bases; see :meth:`classes`.

        Parameters
        ----------
        contig
            Name of the contig.
        length
            Its length in bases.

        Returns
        -------
        ndarray
            (length,) ``uint8``.
        """
        return self.classes(contig, 0, length)

    def splice_sites(self, contig: str | None = None, *, all_transcripts: bool = False) -> list[Signal]:
        """Donors and acceptors of protein-coding genes, each place once, in file order.

        By default those of the representative transcripts, which :meth:`classes` paints.

        Parameters
        ----------
        contig
            Name of the contig; None takes all contigs.
        all_transcripts
            Take every transcript of a gene instead of the representative one.

        Returns
        -------
        list of Signal
            Outermost bases of introns, with strand and kind (``donor`` or ``acceptor``).
        """
        found: dict[Signal, None] = {}
        for gene, transcript in self._coding(contig, all_transcripts):
            for intron in transcript.introns:
                ends = (intron.start, intron.end - 1)
                donor, acceptor = ends if gene.strand == "+" else ends[::-1]
                found[Signal(gene.contig, donor, gene.strand, "donor")] = None
                found[Signal(gene.contig, acceptor, gene.strand, "acceptor")] = None
        return list(found)

    def start_codons(self, contig: str | None = None, *, all_transcripts: bool = False) -> list[Signal]:
        """First bases of coding sequences that begin with a whole codon, each place once.

        Parameters
        ----------
        contig
            Name of the contig; None takes all contigs.
        all_transcripts
            Take every transcript of a gene instead of the representative one.

        Returns
        -------
        list of Signal
            First bases of start codons, with strand.
        """
        found: dict[Signal, None] = {}
        for gene, transcript in self._coding(contig, all_transcripts):
            first = transcript.cds[0 if gene.strand == "+" else -1]
            if first.phase == 0:
                position = first.start if gene.strand == "+" else first.end - 1
                found[Signal(gene.contig, position, gene.strand, "start_codon")] = None
        return list(found)

    def _coding(self, contig: str | None, every: bool) -> Iterator[tuple[Gene, Transcript]]:
        for gene in self.genes if contig is None else self.genes_on(contig):
            best = gene.representative
            if best is None or not best.cds:
                continue
            for transcript in gene.transcripts if every else (best,):
                if transcript.cds:
                    yield gene, transcript

    @cached_property
    def _by_contig(self) -> dict[str, list[Gene]]:
        return by_contig(self.genes)

    @cached_property
    def _models(self) -> dict[str, _ContigModels]:
        by_contig: dict[str, list[_Model]] = {}
        for gene, best in self._coding(None, every=False):
            by_contig.setdefault(gene.contig, []).append(_model(gene, best))
        return {contig: _ContigModels.of(models) for contig, models in by_contig.items()}


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in ascending order, those that overlap or touch made one.

    Parameters
    ----------
    spans
        0-based half-open spans in any order.

    Returns
    -------
    tuple of Span
        Spans that neither overlap nor touch.

    Examples
    --------
    >>> joined([Span(8, 9), Span(1, 4), Span(4, 6)])
    (Span(start=1, end=6), Span(start=8, end=9))
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Span(start, end))
    return tuple(found)


class _Model(NamedTuple):
    """What is painted for a gene; the model of higher rank is painted later, over the others."""

    start: int
    end: int
    rank: tuple[int, int, str]
    introns: tuple[Span, ...]
    utrs: tuple[Span, ...]
    cds: tuple[CodingPart, ...]
    forward: bool


class _ContigModels(NamedTuple):
    """Models by start, with the largest end reached so far, for finding those that meet a stretch."""

    ordered: list[_Model]
    starts: list[int]
    reach: list[int]

    @classmethod
    def of(cls, models: list[_Model]) -> _ContigModels:
        ordered = sorted(models, key=lambda m: (m.start, m.end))
        reach = np.maximum.accumulate([m.end for m in ordered]).tolist()
        return cls(ordered, [m.start for m in ordered], reach)


def _model(gene: Gene, transcript: Transcript) -> _Model:
    start, end = transcript.exons[0].start, transcript.exons[-1].end
    rank = (transcript.coding_length, -start, gene.name)
    forward = gene.strand == "+"
    return _Model(start, end, rank, transcript.introns, transcript.utrs, transcript.cds, forward)


def _fill(painted: NDArray[np.uint8], origin: int, spans: Iterable[Span], value: int) -> None:
    for start, end in spans:
        if end > origin:
            painted[max(0, start - origin) : end - origin] = value


def _fill_codons(painted: NDArray[np.uint8], origin: int, model: _Model) -> None:
    for start, end, phase in model.cds:
        left, right = max(start, origin), min(end, origin + len(painted))
        if right <= left:
            continue
        # A base at distance d from the part's 5' end has codon position (d - phase) mod 3.
        if model.forward:
            distance = np.arange(left - start, right - start)
            painted[left - origin : right - origin] = BaseClass.CODING_FORWARD_0 + (distance - phase) % 3
        else:
            distance = np.arange(end - 1 - left, end - 1 - right, -1)
            painted[left - origin : right - origin] = BaseClass.CODING_REVERSE_0 + (distance - phase) % 3
