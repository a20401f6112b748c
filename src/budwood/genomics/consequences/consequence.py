"""What one allele does to one transcript."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from budwood.genomics.consequences.term import Impact, Term


class AnnotationReason(StrEnum):
    """Why nothing is annotated, or what was assumed.

    The words are SnpEff's where it has one, since programs that read ``ANN`` know them.
    """

    CONTIG_NOT_FOUND = "ERROR_CHROMOSOME_NOT_FOUND"
    OUT_OF_RANGE = "ERROR_OUT_OF_CHROMOSOME_RANGE"
    REFERENCE_DIFFERS = "WARNING_REF_DOES_NOT_MATCH_GENOME"
    ALLELE_DELETED_UPSTREAM = "INFO_ALLELE_DELETED_UPSTREAM"
    ALLELE_SYMBOLIC = "INFO_ALLELE_SYMBOLIC"
    ALLELE_IS_REFERENCE = "INFO_ALLELE_IS_REFERENCE"
    ALLELE_AMBIGUOUS = "WARNING_ALLELE_WITH_AMBIGUOUS_BASES"
    REFERENCE_AMBIGUOUS = "WARNING_REFERENCE_WITH_AMBIGUOUS_BASES"
    NO_GENES_ON_CONTIG = "WARNING_NO_GENES_ON_CONTIG"
    GENE_WITHOUT_TRANSCRIPT = "WARNING_GENE_WITHOUT_TRANSCRIPT"
    NON_CODING = "INFO_TRANSCRIPT_NON_CODING"
    NO_STRAND = "WARNING_TRANSCRIPT_WITHOUT_STRAND"
    OUTSIDE_CONTIG = "ERROR_TRANSCRIPT_OUTSIDE_CONTIG"
    INCOMPLETE = "WARNING_TRANSCRIPT_INCOMPLETE"
    NO_START_CODON = "WARNING_TRANSCRIPT_NO_START_CODON"
    NO_STOP_CODON = "WARNING_TRANSCRIPT_NO_STOP_CODON"
    STOP_CODONS_INSIDE = "WARNING_TRANSCRIPT_MULTIPLE_STOP_CODONS"
    PHASE_RECOMPUTED = "INFO_PHASE_RECOMPUTED"
    MOVED_TO_THREE_PRIME = "INFO_REALIGN_3_PRIME"
    MOVED_TO_MILDEST = "INFO_REALIGN_MILDEST"
    CROSSES_EXON_END = "INFO_VARIANT_CROSSES_EXON_END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What one allele does to one transcript, or to the genome where it meets none.

    Attributes
    ----------
    allele, allele_number
        The ALT as written, and its number in the record, from 1.
    terms
        Most severe first, at least one.
    gene, transcript, biotype
        Names in the annotation, ``""`` where there is none.
    rank
        Exon or intron and their number (``3/5``), along the transcript; ``""`` outside transcripts.
    hgvs_c, hgvs_p
        The change in the transcript and the protein in the notation of the Human Genome Variation Society;
        ``""`` where it cannot be written.
    cdna, cds, protein
        1-based position of the first changed base or residue in the transcript, its coding sequence and its
        protein, each with the length of the whole; None outside them.
    distance
        Bases to the nearest base of the transcript, for variants upstream and downstream; None otherwise.
    reasons
        Why nothing is annotated, or what was assumed.

    Examples
    --------
    >>> found = Consequence(allele="T", allele_number=1, terms=(Term.MISSENSE, Term.SPLICE_REGION))
    >>> str(found.impact)
    'MODERATE'
    """

    allele: str
    allele_number: int
    terms: tuple[Term, ...]
    gene: str = ""
    transcript: str = ""
    biotype: str = ""
    rank: str = ""
    hgvs_c: str = ""
    hgvs_p: str = ""
    cdna: tuple[int, int] | None = None
    cds: tuple[int, int] | None = None
    protein: tuple[int, int] | None = None
    distance: int | None = None
    reasons: tuple[AnnotationReason, ...] = ()

    @property
    def impact(self) -> Impact:
        """Class of severity of the most severe term."""
        return self.terms[0].impact

    @property
    def annotated(self) -> bool:
        """Whether the allele's place and letters are known, so that its terms mean something."""
        return self.terms[0] is not Term.SEQUENCE
