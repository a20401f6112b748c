"""Terms of the Sequence Ontology for what a variant does, and how severe each is."""

from __future__ import annotations

from enum import StrEnum


class Impact(StrEnum):
    """Class of severity, mildest first."""

    MODIFIER = "MODIFIER"
    LOW = "LOW"
    MODERATE = "MODERATE"
    HIGH = "HIGH"


class Term(StrEnum):
    """Term of the Sequence Ontology, most severe first.

    Order and impact are those of the Ensembl Variant Effect Predictor (McLaren et al. 2016, Genome Biol.
    17:122); terms of SnpEff stand beside their nearest neighbours.

    Examples
    --------
    >>> Term.STOP_GAINED.impact
    <Impact.HIGH: 'HIGH'>
    >>> min([Term.INTRON, Term.SPLICE_DONOR], key=lambda term: term.severity)
    <Term.SPLICE_DONOR: 'splice_donor_variant'>
    """

    TRANSCRIPT_ABLATION = "transcript_ablation"
    EXON_LOSS = "exon_loss_variant"
    SPLICE_ACCEPTOR = "splice_acceptor_variant"
    SPLICE_DONOR = "splice_donor_variant"
    STOP_GAINED = "stop_gained"
    FRAMESHIFT = "frameshift_variant"
    STOP_LOST = "stop_lost"
    START_LOST = "start_lost"
    INFRAME_INSERTION = "inframe_insertion"
    INFRAME_DELETION = "inframe_deletion"
    MISSENSE = "missense_variant"
    SPLICE_REGION = "splice_region_variant"
    INCOMPLETE_TERMINAL_CODON = "incomplete_terminal_codon_variant"
    STOP_RETAINED = "stop_retained_variant"
    SYNONYMOUS = "synonymous_variant"
    CODING_SEQUENCE = "coding_sequence_variant"
    FIVE_PRIME_UTR = "5_prime_UTR_variant"
    THREE_PRIME_UTR = "3_prime_UTR_variant"
    NON_CODING_EXON = "non_coding_transcript_exon_variant"
    INTRON = "intron_variant"
    INTRAGENIC = "intragenic_variant"
    UPSTREAM = "upstream_gene_variant"
    DOWNSTREAM = "downstream_gene_variant"
    INTERGENIC = "intergenic_variant"
    SEQUENCE = "sequence_variant"

    @property
    def impact(self) -> Impact:
        """Class of severity."""
        return _IMPACT[self]

    @property
    def severity(self) -> int:
        """Rank among the terms, 0 for the most severe."""
        return _SEVERITY[self]


_SEVERITY = {term: rank for rank, term in enumerate(Term)}


def _impact(term: Term) -> Impact:
    if term.severity <= Term.START_LOST.severity:
        return Impact.HIGH
    if term.severity <= Term.MISSENSE.severity:
        return Impact.MODERATE
    return Impact.LOW if term.severity <= Term.SYNONYMOUS.severity else Impact.MODIFIER


_IMPACT = {term: _impact(term) for term in Term}
