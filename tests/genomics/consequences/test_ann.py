import pytest

from budwood.genomics.consequences.ann import ANN_HEADER, FIELDS, ann_value
from budwood.genomics.consequences.consequence import AnnotationReason, Consequence
from budwood.genomics.consequences.term import Impact, Term

FULL = Consequence(
    allele="T",
    allele_number=1,
    terms=(Term.MISSENSE, Term.SPLICE_REGION),
    gene="g",
    transcript="g.1",
    biotype="protein_coding",
    rank="2/3",
    hgvs_c="c.10A>T",
    hgvs_p="p.Lys4Ter",
    cdna=(15, 300),
    cds=(10, 90),
    protein=(4, 29),
    reasons=(AnnotationReason.NO_STOP_CODON, AnnotationReason.PHASE_RECOMPUTED),
)


def test_an_entry_has_the_sixteen_fields_of_the_standard_in_order() -> None:
    assert ann_value([FULL]) == (
        "T|missense_variant&splice_region_variant|MODERATE|g|g|transcript|g.1|protein_coding|2/3|c.10A>T|"
        "p.Lys4Ter|15/300|10/90|4/29||WARNING_TRANSCRIPT_NO_STOP_CODON&INFO_PHASE_RECOMPUTED"
    )
    assert len(FIELDS) == 16


def test_entries_are_separated_by_commas_and_none_is_blank() -> None:
    assert ann_value([FULL, FULL]).count(",") == 1
    assert ann_value([]) == ""


@pytest.mark.parametrize(
    "name", ["a b", "a|b", "a,b", "a;b", "a=b", "a&b", "a%3Bb", 'a"b', "a\tb", "a\u00a0b"]
)
def test_names_cannot_break_the_value(name: str) -> None:
    found = Consequence(allele="T", allele_number=1, terms=(Term.INTRON,), gene=name, transcript=name)
    value = ann_value([found])
    assert value.count("|") == 15
    assert not set(value) & set(' \t,;="\u00a0')
    assert value.split("|")[3] != "ab"


def test_the_header_declares_every_field() -> None:
    assert ANN_HEADER.startswith("##INFO=<ID=ANN,Number=.,Type=String,Description=")
    assert all(field in ANN_HEADER for field in FIELDS)


@pytest.mark.parametrize(
    ("term", "impact"),
    [
        (Term.SPLICE_DONOR, Impact.HIGH),
        (Term.START_LOST, Impact.HIGH),
        (Term.INFRAME_DELETION, Impact.MODERATE),
        (Term.MISSENSE, Impact.MODERATE),
        (Term.SPLICE_REGION, Impact.LOW),
        (Term.STOP_RETAINED, Impact.LOW),
        (Term.SYNONYMOUS, Impact.LOW),
        (Term.CODING_SEQUENCE, Impact.MODIFIER),
        (Term.FIVE_PRIME_UTR, Impact.MODIFIER),
        (Term.INTERGENIC, Impact.MODIFIER),
    ],
)
def test_impact_of_terms_is_that_of_ensembl(term: Term, impact: Impact) -> None:
    assert term.impact is impact


def test_every_term_has_a_severity_of_its_own() -> None:
    assert sorted(term.severity for term in Term) == list(range(len(Term)))
