"""The transcripts near a stretch of a contig, found without a search through all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from budwood.genomics.annotation.genes import Annotation, Gene, Transcript

#: Bases of a bin: a gene with what lies around it falls into a few of them.
_BIN_BITS: Final = 14


class IndexedTranscript(NamedTuple):
    """A transcript with its gene, or a gene without a transcript.

    Attributes
    ----------
    number
        Its place in the annotation, for an order among equals.
    start, end
        0-based half-open, on the + strand.
    gene, transcript
        ``transcript`` is None where the gene has none.
    """

    number: int
    start: int
    end: int
    gene: Gene
    transcript: Transcript | None


class GeneIndex:
    """Transcripts of an annotation by place.

    Every transcript stands in the bins that it reaches, so that a search looks at those of a bin or two.

    Parameters
    ----------
    annotation
        The genes.
    flank
        Bases on either side of a transcript that count as near.

    Examples
    --------
    >>> index = GeneIndex(Annotation((Gene("g", "1", 100, 200, "+"),)), flank=10)
    >>> [found.gene.name for found in index.near("1", 205, 206)]
    ['g']
    >>> list(index.near("1", 210, 211))
    []
    """

    def __init__(self, annotation: Annotation, flank: int) -> None:
        self._flank = flank
        self._bins: dict[str, dict[int, list[IndexedTranscript]]] = {}
        number = 0
        for gene in annotation.genes:
            bins = self._bins.setdefault(gene.contig, defaultdict(list))
            for transcript in gene.transcripts or (None,):
                start = transcript.exons[0].start if transcript else gene.start
                end = transcript.exons[-1].end if transcript else gene.end
                entry = IndexedTranscript(number, start, end, gene, transcript)
                number += 1
                for place in range(max(0, start - flank) >> _BIN_BITS, (end + flank >> _BIN_BITS) + 1):
                    bins[place].append(entry)

    def __contains__(self, contig: str) -> bool:
        return contig in self._bins

    def near(self, contig: str, start: int, end: int) -> Iterator[IndexedTranscript]:
        """Transcripts that a stretch meets or that lie within the flank of it, each once.

        Parameters
        ----------
        contig
            Name of the contig.
        start, end
            0-based half-open; an insertion has ``start == end``.

        Yields
        ------
        IndexedTranscript
            In the order of the bins, within one in that of the annotation.
        """
        bins = self._bins.get(contig)
        if bins is None:
            return
        low, high = start - self._flank, end + self._flank
        first = max(0, start) >> _BIN_BITS
        for place in range(first, (max(end - 1, start) >> _BIN_BITS) + 1):
            for entry in bins.get(place, ()):
                met = entry.start < high and entry.end > low
                if met and place == max(first, max(0, entry.start - self._flank) >> _BIN_BITS):
                    yield entry
