"""One gene: its parts on the genome."""

from __future__ import annotations

from dataclasses import dataclass

from meristem.genomics.interval import Interval


@dataclass(frozen=True)
class Motif:
    """A functional motif: its name and where it stands (strand: as the motif reads)."""

    name: str
    interval: Interval


@dataclass(frozen=True)
class Gene:
    """A gene with one transcript. Every interval bears the gene's strand.

    Attributes
    ----------
    name
        Identifier.
    interval
        The transcript, introns with it.
    promoter
        The bases upstream of the transcription start.
    exons, coding
        Exons, and their coding parts (the stop codon with them), in the order of transcription.
    motifs
        TATA box and binding sites of the promoter, splice signals of every intron, poly-A signal. A
        binding site may read against its gene.
    """

    name: str
    interval: Interval
    promoter: Interval
    exons: tuple[Interval, ...]
    coding: tuple[Interval, ...]
    motifs: tuple[Motif, ...]

    @property
    def introns(self) -> tuple[Interval, ...]:
        """Introns in the order of transcription.

        Examples
        --------
        >>> exons = (Interval("1", 300, 400, "-"), Interval("1", 100, 200, "-"))
        >>> whole, promoter = Interval("1", 100, 400, "-"), Interval("1", 400, 900, "-")
        >>> [str(intron) for intron in Gene("g", whole, promoter, exons, exons, ()).introns]
        ['1:201-300(-)']
        """
        pairs = [sorted(pair) for pair in zip(self.exons[:-1], self.exons[1:], strict=True)]
        return tuple(Interval(low.contig, low.end, high.start, low.strand) for low, high in pairs)

    @property
    def untranslated(self) -> tuple[Interval, Interval]:
        """5' and 3' untranslated region; introns stand only within the coding sequence."""
        whole, strand = self.interval, self.interval.strand
        low = Interval(whole.contig, whole.start, min(part.start for part in self.coding), strand)
        high = Interval(whole.contig, max(part.end for part in self.coding), whole.end, strand)
        return (low, high) if strand == "+" else (high, low)
