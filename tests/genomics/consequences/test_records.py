"""Records of every kind, annotations of every dialect, and coding sequences that are not whole."""

from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.consequences.ann import ann_value
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.consequence import AnnotationReason, Consequence
from budwood.genomics.consequences.term import Term
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.io.annotation.open_annotation import read_annotation

# M A K L W P S * over two exons; the intron lies after the first base of K.
GENOME = "TTTTTCCATGGCTAGTACCATAAGAACTTTGGCCATCATAAGGTTTTT"
EXONS, CODING = ((5, 14), (24, 43)), ((7, 14, 0), (24, 41, 2))


def gene(phases: tuple[int, int] = (0, 2), coding: tuple[tuple[int, int, int], ...] = CODING) -> Annotation:
    parts = tuple(CodingPart(a, b, p) for (a, b, _), p in zip(coding, phases, strict=True))
    transcript = Transcript("t", tuple(Span(*e) for e in EXONS), parts, "protein_coding")
    return Annotation((Gene("g", "1", 5, 43, "+", (transcript,)),))


def call(
    start: int, *alleles: str, annotation: Annotation | None = None, contig: str = "1"
) -> tuple[Consequence, ...]:
    caller = ConsequenceCaller(annotation or gene(), InMemoryAssembly({"1": GENOME, "2": "ACGTACGT"}))
    return caller.call(Site(contig, start, "v", alleles))


@pytest.mark.parametrize(
    ("start", "alleles", "contig", "reason"),
    [
        (7, ("A", "*"), "1", AnnotationReason.ALLELE_DELETED_UPSTREAM),
        (7, ("A", "<DEL>"), "1", AnnotationReason.ALLELE_SYMBOLIC),
        (7, ("A", "<*>"), "1", AnnotationReason.ALLELE_SYMBOLIC),
        (7, ("A", "A[2:3["), "1", AnnotationReason.ALLELE_SYMBOLIC),
        (7, ("A", "A"), "1", AnnotationReason.ALLELE_IS_REFERENCE),
        (7, ("A", "."), "1", AnnotationReason.ALLELE_IS_REFERENCE),
        (7, ("A", "T"), "chrUn", AnnotationReason.CONTIG_NOT_FOUND),
        (47, ("TT", "T"), "1", AnnotationReason.OUT_OF_RANGE),
        (48, ("T", "A"), "1", AnnotationReason.OUT_OF_RANGE),
        (-1, ("N", "A"), "1", AnnotationReason.OUT_OF_RANGE),
    ],
)
def test_what_cannot_be_called_has_a_reason(
    start: int, alleles: tuple[str, ...], contig: str, reason: AnnotationReason
) -> None:
    (found,) = call(start, *alleles, contig=contig)
    assert (found.terms, found.reasons, found.annotated) == ((Term.SEQUENCE,), (reason,), False)
    assert ann_value([found]).count("|") == 15


@pytest.mark.parametrize(
    ("start", "reference", "allele", "reason"),
    [
        (10, "G", "N", AnnotationReason.ALLELE_AMBIGUOUS),
        (10, "G", "R", AnnotationReason.ALLELE_AMBIGUOUS),
        (10, "T", "A", AnnotationReason.REFERENCE_DIFFERS),
        (10, "N", "A", AnnotationReason.REFERENCE_AMBIGUOUS),
    ],
)
def test_unsure_letters_in_a_codon_are_said(
    start: int, reference: str, allele: str, reason: AnnotationReason
) -> None:
    (found,) = call(start, reference, allele)
    assert reason in found.reasons
    assert found.terms == (Term.CODING_SEQUENCE,) or reason is AnnotationReason.REFERENCE_AMBIGUOUS


def test_the_last_and_the_first_base_of_a_contig() -> None:
    assert call(0, "T", "A")[0].distance == 5
    assert call(47, "T", "A")[0].distance == 5
    assert call(47, "T", "TACGT")[0].terms == (Term.DOWNSTREAM,)
    (found,) = call(0, "A", "C", contig="2")
    assert (found.terms, found.reasons) == ((Term.INTERGENIC,), (AnnotationReason.NO_GENES_ON_CONTIG,))


def test_every_allele_of_a_record_the_most_severe_first() -> None:
    found = call(13, "A", "G", "T", "*", "AC")
    assert [(str(one.terms[0]), one.allele_number) for one in found] == [
        ("stop_gained", 2),
        ("frameshift_variant", 4),
        ("missense_variant", 1),
        ("sequence_variant", 3),
    ]
    assert found[0].hgvs_c == "c.7A>T"


def test_a_codon_over_an_intron_is_whole() -> None:
    # A|AA: the third base is the second of the next exon.
    (found,) = call(25, "A", "C")
    assert found.hgvs_p == "p.Lys3Asn"
    assert (found.cds, found.protein, found.cdna, found.rank) == ((9, 24), (3, 7), (11, 28), "2/2")


@pytest.mark.parametrize("phases", [(0, 2), (0, 0), (1, 1), (2, 0), (0, 1)])
def test_wrong_phase_columns_change_nothing(phases: tuple[int, int]) -> None:
    (right,), (found,) = call(25, "A", "C"), call(25, "A", "C", annotation=gene(phases))
    assert (found.terms, found.hgvs_p) == (right.terms, right.hgvs_p)
    assert (AnnotationReason.PHASE_RECOMPUTED in found.reasons) == (phases[0] != 0)


def test_an_incomplete_coding_sequence_is_read_in_its_phase_with_a_reason() -> None:
    # The start codon and one base are not annotated: two bases complete the codon GCT.
    incomplete = gene((2, 2), ((11, 14, 2), (24, 41, 2)))
    (found,) = call(25, "A", "C", annotation=incomplete)
    assert found.hgvs_p == "p.Lys1Asn"
    assert {AnnotationReason.INCOMPLETE, AnnotationReason.NO_START_CODON} <= set(found.reasons)
    (found,) = call(11, "C", "G", annotation=incomplete)
    assert Term.CODING_SEQUENCE in found.terms


def test_what_codes_for_nothing_has_a_reason() -> None:
    exons = tuple(Span(*e) for e in EXONS)
    silent = Annotation((Gene("g", "1", 5, 43, "-", (Transcript("t", exons, (), "lncRNA"),)),))
    (found,) = call(7, "A", "T", annotation=silent)
    assert (found.terms, found.biotype, found.hgvs_c) == ((Term.NON_CODING_EXON,), "lncRNA", "n.26T>A")
    (found,) = call(16, "A", "C", annotation=silent)
    assert Term.INTRON in found.terms
    bare = Annotation((Gene("g", "1", 5, 43, "+"),))
    (found,) = call(7, "A", "T", annotation=bare)
    assert (found.terms, found.reasons) == ((Term.INTRAGENIC,), (AnnotationReason.GENE_WITHOUT_TRANSCRIPT,))


def test_all_transcripts_of_a_gene_are_called() -> None:
    whole = gene().genes[0].transcripts[0]
    short = Transcript("short", (Span(5, 14),), (CodingPart(7, 14, 0),), "protein_coding")
    both = Annotation((Gene("g", "1", 5, 43, "+", (short, whole)),))
    found = call(14, "G", "C", annotation=both)
    assert [(one.transcript, str(one.terms[0])) for one in found] == [
        ("t", "splice_donor_variant"),
        ("short", "downstream_gene_variant"),
    ]


DIALECTS = {
    "Ensembl": [
        "gene\t.\tID=gene:g;biotype=protein_coding",
        "mRNA\t.\tID=transcript:t;Parent=gene:g;biotype=protein_coding",
        "exon 1\t.\tParent=transcript:t;rank=1",
        "exon 2\t.\tParent=transcript:t;rank=2",
        "CDS 1\t0\tID=CDS:p;Parent=transcript:t",
        "CDS 2\t2\tID=CDS:p;Parent=transcript:t",
    ],
    "NCBI": [
        "gene\t.\tID=g;gene_biotype=protein_coding",
        "mRNA\t.\tID=t;Parent=g",
        "exon 1\t.\tID=e1;Parent=t",
        "exon 2\t.\tID=e2;Parent=t",
        "CDS 1\t0\tID=cds-p;Parent=t;protein_id=p",
        "CDS 2\t2\tID=cds-p;Parent=t;protein_id=p",
    ],
    "Phytozome": [
        "gene\t.\tID=g;Name=g",
        "mRNA\t.\tID=t;Name=t;pacid=1;longest=1;Parent=g",
        "five_prime_UTR 0\t.\tID=t.utr5;Parent=t;pacid=1",
        "CDS 1\t0\tID=t.CDS.1;Parent=t;pacid=1",
        "CDS 2\t2\tID=t.CDS.2;Parent=t;pacid=1",
        "three_prime_UTR 3\t.\tID=t.utr3;Parent=t;pacid=1",
    ],
    "MSU": [
        "gene\t.\tID=g;Name=g;Note=expressed%20protein",
        "mRNA\t.\tID=t;Name=t;Parent=g",
        "exon 1\t.\tID=t:exon_1;Parent=t",
        "exon 2\t.\tID=t:exon_2;Parent=t",
        "CDS 1\t.\tID=t:cds_1;Parent=t",
        "CDS 2\t.\tID=t:cds_2;Parent=t",
    ],
    "AUGUSTUS": [
        "gene\t.\tg",
        "transcript\t.\tt",
        'exon 1\t.\ttranscript_id "t"; gene_id "g";',
        'exon 2\t.\ttranscript_id "t"; gene_id "g";',
        'CDS 1\t0\ttranscript_id "t"; gene_id "g";',
        'intron\t.\ttranscript_id "t"; gene_id "g";',
        'CDS 2\t2\ttranscript_id "t"; gene_id "g";',
    ],
    "BRAKER": [
        'gene\t.\tgene_id "g";',
        'transcript\t.\ttranscript_id "t"; gene_id "g";',
        'start_codon\t0\ttranscript_id "t"; gene_id "g";',
        'CDS 1\t0\ttranscript_id "t"; gene_id "g";',
        'exon 1\t.\ttranscript_id "t"; gene_id "g";',
        'CDS 2 short\t2\ttranscript_id "t"; gene_id "g";',
        'exon 2\t.\ttranscript_id "t"; gene_id "g";',
        'stop_codon\t0\ttranscript_id "t"; gene_id "g";',
    ],
}
PLACES = {
    **{"gene": (6, 43), "mRNA": (6, 43), "transcript": (6, 43), "intron": (15, 24)},
    **{"exon 1": (6, 14), "exon 2": (25, 43), "CDS 1": (8, 14), "CDS 2": (25, 41), "CDS 2 short": (25, 38)},
    **{"five_prime_UTR 0": (6, 7), "three_prime_UTR 3": (42, 43)},
    **{"start_codon": (8, 10), "stop_codon": (39, 41)},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "site", [(13, "A", "T"), (25, "A", "C"), (38, "T", "C"), (6, "C", "G"), (24, "AA", "A")]
)
def test_every_dialect_gives_the_same_consequences(
    dialect: str, site: tuple[int, str, str], tmp_path: Path
) -> None:
    lines = []
    for line in DIALECTS[dialect]:
        kind, phase, attributes = line.split("\t")
        start, end = PLACES[kind]
        lines.append(f"1\tx\t{kind.split()[0]}\t{start}\t{end}\t.\t+\t{phase}\t{attributes}\n")
    path = tmp_path / "genes.gff3"
    path.write_text("".join(lines))
    expected, found = call(*site), call(*site, annotation=read_annotation(path))
    assert ann_value(found) == ann_value(expected)


def test_a_foreign_annotation_is_refused() -> None:
    with pytest.raises(BudwoodError, match="no contig of the annotation is in the reference"):
        ConsequenceCaller(gene(), InMemoryAssembly({"Chr9": GENOME}))
    with pytest.raises(BudwoodError, match="negative"):
        ConsequenceCaller(gene(), InMemoryAssembly({"1": GENOME}), flank=-1)
