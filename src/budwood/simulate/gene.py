"""What is true about one synthetic gene, beyond what an annotation tells."""

from __future__ import annotations

from dataclasses import dataclass

from budwood.genomics.annotation.genes import Gene, Transcript
from budwood.genomics.interval import Interval


@dataclass(frozen=True)
class Motif:
    """A functional motif: its name and where it stands (strand: as the motif reads)."""

    name: str
    interval: Interval


@dataclass(frozen=True)
class SyntheticGene:
    """A gene as an annotation holds it, with its promoter and its functional motifs.

    Attributes
    ----------
    model
        The gene with its one transcript; introns stand only within the coding sequence.
    promoter
        The bases upstream of the transcription start.
    motifs
        TATA box and binding sites of the promoter, splice signals of every intron, poly-A signal. A
        binding site may read against its gene.
    """

    model: Gene
    promoter: Interval
    motifs: tuple[Motif, ...]

    @property
    def name(self) -> str:
        """The gene's identifier."""
        return self.model.name

    @property
    def interval(self) -> Interval:
        """Where its transcript lies, introns with it."""
        return Interval(self.model.contig, self.model.start, self.model.end, self.model.strand)

    @property
    def transcript(self) -> Transcript:
        """Its one transcript."""
        return self.model.transcripts[0]

    @property
    def coding(self) -> tuple[Interval, ...]:
        """Parts of the coding sequence in the order of transcription, the stop codon with them."""
        model = self.model
        parts = (Interval(model.contig, p.start, p.end, model.strand) for p in self.transcript.cds)
        ascending = tuple(parts)
        return ascending if model.strand == "+" else ascending[::-1]
