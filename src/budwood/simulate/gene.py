"""A synthetic gene, including the promoter and motifs that an annotation does not list."""

from __future__ import annotations

from dataclasses import dataclass, replace

from budwood.genomics.annotation.genes import Gene, Transcript
from budwood.genomics.interval import Interval


@dataclass(frozen=True)
class Motif:
    """A functional motif.

    Attributes
    ----------
    name
        Kind of motif, for example ``"TATA box"``.
    interval
        Its place; the strand is the one on which the motif reads.
    """

    name: str
    interval: Interval


@dataclass(frozen=True)
class SyntheticGene:
    """A gene with its promoter and its functional motifs.

    Attributes
    ----------
    model
        The gene with its only transcript; introns lie only within the coding sequence.
    promoter
        The bases upstream of the transcription start.
    motifs
        TATA box and binding sites of the promoter, splice signals of every intron, and the poly-A signal. A
        binding site may lie on the opposite strand of its gene.
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
        """Interval of the transcript, including introns."""
        return Interval(self.model.contig, self.model.start, self.model.end, self.model.strand)

    @property
    def transcript(self) -> Transcript:
        """The only transcript."""
        return self.model.transcripts[0]

    @property
    def coding(self) -> tuple[Interval, ...]:
        """Parts of the coding sequence in the order of transcription, including the stop codon."""
        model = self.model
        parts = (Interval(model.contig, p.start, p.end, model.strand) for p in self.transcript.cds)
        ascending = tuple(parts)
        return ascending if model.strand == "+" else ascending[::-1]

    def on_contig(self, contig: str) -> SyntheticGene:
        """The same gene at the same place of a contig of another name.

        Parameters
        ----------
        contig
            The other name.

        Returns
        -------
        SyntheticGene
            The gene.
        """
        motifs = tuple(Motif(each.name, replace(each.interval, contig=contig)) for each in self.motifs)
        return SyntheticGene(
            replace(self.model, contig=contig), replace(self.promoter, contig=contig), motifs
        )
