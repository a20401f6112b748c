"""A transcript as it is read: exons in ascending order on its own strand, its sequence and its frame."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import cached_property
from typing import Final

from budwood.genomics.annotation.genes import Gene, Transcript
from budwood.genomics.consequences.consequence import AnnotationReason
from budwood.genomics.consequences.edit import complemented
from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import encode

#: Introns shorter than this have no splice sites: annotations use them to mend a frame.
SHORTEST_INTRON: Final = 4
_START: Final = "ATG"


class TranscriptModel:
    """One transcript with its sequence; a gene without a transcript is a model of one exon.

    Positions on the - strand count backwards (``-end`` to ``-start``), so that every transcript is ascending.

    Parameters
    ----------
    gene, transcript
        Gene and transcript of the annotation; ``transcript`` is None where the gene has none.
    read
        Gives the letters of a stretch of the contig's + strand, cut at its ends.

    Attributes
    ----------
    gene, transcript
        As given.
    forward
        Whether the transcript lies on the + strand (also where it has no strand).
    exons
        0-based half-open, ascending.
    offsets
        Bases of the exons before each exon.
    start, end, length
        Outermost positions, and bases of all exons.
    coding
        0-based half-open stretch of the spliced transcript that is coding; None where nothing is.
    """

    def __init__(self, gene: Gene, transcript: Transcript | None, read: Callable[[int, int], str]) -> None:
        self.gene: Final = gene
        self.transcript: Final = transcript
        self.forward: Final = gene.strand != "-"
        spans = transcript.exons if transcript else ((gene.start, gene.end),)
        self.exons: Final = self._ascending([(start, end) for start, end in spans])
        self.start: Final = self.exons[0][0]
        self.end: Final = self.exons[-1][1]
        self._starts = [start for start, _ in self.exons]
        offsets = [0]
        for start, end in self.exons:
            offsets.append(offsets[-1] + end - start)
        self.offsets: Final = offsets[:-1]
        self.length: Final = offsets[-1]
        self._read = read
        self._cds = self._ascending([(p.start, p.end) for p in transcript.cds]) if transcript else []
        self.coding: Final = self._coding()

    @property
    def name(self) -> str:
        """Name of the transcript, ``""`` where the gene has none."""
        return self.transcript.name if self.transcript else ""

    @property
    def span(self) -> tuple[int, int]:
        """0-based half-open stretch of the contig's + strand."""
        return (self.start, self.end) if self.forward else (-self.end, -self.start)

    @property
    def biotype(self) -> str:
        """Biotype of the transcript."""
        return self.transcript.biotype if self.transcript else ""

    @cached_property
    def introns(self) -> list[tuple[int, int]]:
        """0-based half-open stretches between the exons, ascending."""
        return [(left[1], right[0]) for left, right in zip(self.exons, self.exons[1:], strict=False)]

    @cached_property
    def letters(self) -> str:
        """Sequence of the spliced transcript, N where the contig has ended."""
        pieces = []
        for start, end in self.exons:
            piece = self._read(start, end) if self.forward else complemented(self._read(-end, -start))
            pieces.append(piece + "N" * (end - start - len(piece)))
        return "".join(pieces)

    @property
    def contiguous(self) -> bool:
        """Whether the coding sequence has no gap within exons (a programmed frameshift has)."""
        assert self.coding is not None
        return sum(end - start for start, end in self._cds) == self.coding[1] - self.coding[0]

    @cached_property
    def frame(self) -> int:
        """Bases before the first whole codon of the coding sequence."""
        return self._frame[0]

    @cached_property
    def protein(self) -> str:
        """Translation of the whole codons of the coding sequence."""
        assert self.coding is not None
        return _translated(self.letters[self.coding[0] + self.frame : self.coding[1]])

    @cached_property
    def starts(self) -> bool:
        """Whether the coding sequence begins with ATG."""
        return self.coding is not None and not self.frame and self.letters.startswith(_START, self.coding[0])

    @cached_property
    def stops(self) -> bool:
        """Whether the coding sequence ends with a stop codon."""
        if self.coding is None:
            return False
        whole = (self.coding[1] - self.coding[0] - self.frame) % 3 == 0
        return whole and self.protein.endswith("*")

    def boundaries_between(self, start: int, end: int) -> list[int]:
        """Positions at which the class of a change can differ.

        Parameters
        ----------
        start, end
            Stretch on the transcript's strand, both ends included.

        Returns
        -------
        list of int
            Ends of exons, of splice sites and regions and of the coding sequence, ascending.
        """
        return self._boundaries[bisect_left(self._boundaries, start) : bisect_right(self._boundaries, end)]

    @cached_property
    def _boundaries(self) -> list[int]:
        found = {edge for exon in self.exons for edge in exon}
        for start, end in self.introns:
            found |= {start - 3, start + 2, start + 8, end - 8, end - 2, end + 3}
        if self.coding is not None:
            found |= {self.position(self.coding[0]), self.position(self.coding[1] - 1) + 1}
        return sorted(found)

    @cached_property
    def reasons(self) -> tuple[AnnotationReason, ...]:
        """What is unusual about the coding sequence."""
        if self.coding is None:
            return (
                (AnnotationReason.NON_CODING,)
                if self.transcript
                else (AnnotationReason.GENE_WITHOUT_TRANSCRIPT,)
            )
        found = list(self._frame[1])
        if "N" in self.letters and self._outside():
            found.append(AnnotationReason.OUTSIDE_CONTIG)
        if self.frame or (self.coding[1] - self.coding[0]) % 3 or not self.contiguous:
            found.append(AnnotationReason.INCOMPLETE)
        if not self.starts:
            found.append(AnnotationReason.NO_START_CODON)
        if not self.stops:
            found.append(AnnotationReason.NO_STOP_CODON)
        if "*" in self.protein[:-1]:
            found.append(AnnotationReason.STOP_CODONS_INSIDE)
        return tuple(found)

    def exon_at(self, position: int) -> int:
        """Number of the exon that begins last at or before a position, -1 before the first.

        Parameters
        ----------
        position
            Position on the transcript's strand.

        Returns
        -------
        int
            Number of the exon, from 0.
        """
        return bisect_right(self._starts, position) - 1

    def position(self, offset: int) -> int:
        """Position of a base of the spliced transcript.

        Parameters
        ----------
        offset
            0-based number of the base.

        Returns
        -------
        int
            Its position on the transcript's strand.
        """
        exon = bisect_right(self.offsets, offset) - 1
        return self.exons[exon][0] + offset - self.offsets[exon]

    def _ascending(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return spans if self.forward else [(-end, -start) for start, end in reversed(spans)]

    def _coding(self) -> tuple[int, int] | None:
        if not self._cds or self.gene.strand not in "+-":
            return None
        first, last = self._cds[0][0], self._cds[-1][1] - 1
        return self._offset(first), self._offset(last) + 1

    def _offset(self, position: int) -> int:
        exon = self.exon_at(position)
        return self.offsets[exon] + position - self.exons[exon][0]

    def _outside(self) -> bool:
        first, last = self.span
        return len(self._read(first, last)) < last - first

    @cached_property
    def _frame(self) -> tuple[int, tuple[AnnotationReason, ...]]:
        """The frame in which the coding sequence translates, the file's where it does or none does."""
        assert self.coding is not None
        assert self.transcript is not None
        part = self.transcript.cds[0 if self.forward else -1]
        coding = self.letters[self.coding[0] : self.coding[1]]
        given = part.phase
        opened = [frame for frame in (given, 0, 1, 2) if "*" not in _translated(coding[frame:])[:-1]]
        whole = len(coding) % 3 == 0 and coding.startswith(_START) and _translated(coding).endswith("*")
        frame = 0 if 0 in opened and whole else (opened or [given])[0]
        return frame, (AnnotationReason.PHASE_RECOMPUTED,) if frame != given else ()


def _translated(letters: str) -> str:
    return translate(encode(letters[: len(letters) // 3 * 3]))
