"""Consequences against a brute-force oracle, and what must not change them."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from budwood.genomics.annotation.genes import Annotation, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.consequence import Consequence
from budwood.genomics.consequences.edit import complemented
from budwood.genomics.consequences.term import Term
from budwood.genomics.genetic_code import translate
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.sequence import encode
from genomics.consequences.random_genes import alleles, random_gene

CODING = {
    *(Term.STOP_GAINED, Term.FRAMESHIFT, Term.STOP_LOST, Term.START_LOST, Term.INFRAME_INSERTION),
    *(Term.INFRAME_DELETION, Term.MISSENSE, Term.STOP_RETAINED, Term.SYNONYMOUS, Term.CODING_SEQUENCE),
}
SPLICE = {Term.SPLICE_ACCEPTOR, Term.SPLICE_DONOR}


def call(
    genome: str, annotation: Annotation, start: int, reference: str, allele: str, flank: int = 5_000
) -> Consequence:
    caller = ConsequenceCaller(annotation, InMemoryAssembly({"1": genome}), flank=flank)
    (found,) = caller.call(Site("1", start, "v", (reference, allele)))
    return found


def protein(letters: str) -> str:
    found = translate(encode(letters[: len(letters) // 3 * 3]))
    return found[: found.find("*") + 1] if "*" in found else found


def alike(one: str, other: str) -> int:
    """Letters at the start of both."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def oracle(genome: str, transcript: Transcript, start: int, reference: str, allele: str) -> set[Term] | None:
    """Terms by writing the changed transcript and translating it; None where the exons' ends change.

    Every way to write the same change is tried; the first that leaves splice sites and start codon counts.
    """
    changed = genome[:start] + allele + genome[start + len(reference) :]
    exonic = [p for exon in transcript.exons for p in range(exon.start, exon.end)]
    coding = [p for part in transcript.cds for p in range(part.start, part.end)]
    spliced = "".join(genome[p] for p in exonic)
    first = exonic.index(coding[0])
    before = spliced[first:]
    sites = {p for i in transcript.introns for p in (i.start, i.start + 1, i.end - 2, i.end - 1)}
    size, net = max(len(reference), len(allele)), len(allele) - len(reference)
    options = []
    ahead, behind = alike(genome, changed), len(genome) - alike(genome[::-1], changed[::-1])
    for place in range(ahead + 1):
        for lost in range(max(0, behind - place), min(size, len(genome) - place) + 1):
            gained = lost + net
            if gained < 0:
                continue
            inserted = changed[place : place + gained]
            if genome[:place] + inserted + genome[place + lost :] != changed:
                continue
            if lost and gained and (genome[place] == inserted[0] or genome[place + lost - 1] == inserted[-1]):
                continue  # not the shortest way to write it
            options.append((place, lost, inserted))
    shortest = min(lost for _, lost, _ in options)
    terms = []
    for place, lost, inserted in options:
        if lost != shortest:
            continue
        gone = set(range(place, place + lost))
        if lost == len(inserted):
            gone = {
                p
                for p, letter in zip(range(place, place + lost), inserted, strict=True)
                if genome[p] != letter
            }
        inside = [i for i in transcript.introns if i.start <= place and place + lost <= i.end]
        if any(i.start + 2 <= place and place + lost <= i.end - 2 for i in inside):
            return None
        if place + lost <= exonic[0] or place > exonic[-1]:
            return None
        within = [e for e in transcript.exons if e.start <= place and place + lost <= e.end]
        if gone & sites:
            continue
        if lost and not gone & set(coding):
            return None  # across an end of the transcript, for example, where nothing coding is lost
        if not within:
            continue
        if net < 0 and any(place <= e.start and e.end <= place + lost for e in transcript.exons):
            continue  # the loss of a whole exon counts as worse than that of a splice site
        at = sum(p < place for p in exonic)
        if lost == 0 and (at <= first or at >= first + len(coding)):
            return None
        if at < first and net:
            continue
        mutated = spliced[:at] + inserted + spliced[at + lost :]
        after = mutated[first:]
        terms.append(effects(before, after, net, len(coding), at - first, lost))
    return min(terms, key=lambda t: -min(x.severity for x in t), default=None)


def effects(before: str, after: str, net: int, coding: int, at: int, lost: int) -> set[Term]:
    """Terms from the two sequences, each from its start codon to the end of the transcript."""
    if not after.startswith("ATG"):
        return {Term.START_LOST}
    one, other = protein(before), protein(after)
    if net % 3:
        return {Term.STOP_RETAINED} if one == other else {Term.FRAMESHIFT}
    found: set[Term] = set()
    stop = coding // 3 - 1 + net // 3
    if one == other:
        same = before[coding - 3 : coding] == after[coding - 3 : coding] and not net
        return {Term.SYNONYMOUS} if same else {Term.STOP_RETAINED}
    if other.endswith("*") and len(other) - 1 < stop:
        found.add(Term.STOP_GAINED)
    elif not other.endswith("*") or len(other) - 1 > stop:
        found.add(Term.STOP_LOST)
    elif before[coding - 3 : coding] != after[coding + net - 3 : coding + net]:
        found.add(Term.STOP_RETAINED)
    if net:
        found.add(Term.INFRAME_DELETION if net < 0 else Term.INFRAME_INSERTION)
    elif not found & {Term.STOP_GAINED, Term.STOP_LOST}:
        found.add(Term.MISSENSE)
    return found


@settings(max_examples=400, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_agrees_with_the_translation_of_the_changed_transcript(seed: int, data: st.DataObject) -> None:
    genome, annotation = random_gene(seed)
    transcript = annotation.genes[0].transcripts[0]
    start, reference, allele = data.draw(alleles(genome))
    assume(reference != allele)
    expected = oracle(genome, transcript, start, reference, allele)
    if expected is None:
        return
    found = call(genome, annotation, start, reference, allele)
    terms = set(found.terms) & CODING
    if Term.FRAMESHIFT in terms:
        terms -= {Term.STOP_GAINED, Term.STOP_LOST}
    assert terms == expected, found


def test_a_start_codon_that_is_still_there_is_not_lost() -> None:
    genome, annotation = random_gene(2423)
    assert genome[5:14] == "GGCCATGCC"  # the second ATG follows GGCC once five bases are gone
    found = call(genome, annotation, 5, "GGCCAT", "G")
    assert (set(found.terms) & CODING, found.hgvs_c) == ({Term.FRAMESHIFT}, "c.4_8del")


def test_as_many_bases_across_the_start_codon_keep_the_frame() -> None:
    genome, annotation = random_gene(7014191)
    assert genome[11:16] == "CGATG"
    found = call(genome, annotation, 11, "CGA", "ATG")  # GTG is left of the start codon
    assert set(found.terms) & CODING == {Term.START_LOST}


def test_a_place_within_an_exon_goes_before_one_across_its_end() -> None:
    genome, annotation = random_gene(524288)
    assert annotation.genes[0].end == 48  # the deletion can be written up to 49 as well
    found = call(genome, annotation, 41, "TGAGGAG", "T")
    assert set(found.terms) & CODING == {Term.STOP_LOST, Term.INFRAME_DELETION}
    assert found.hgvs_c == "c.23_*4del"


def test_places_between_ends_count_as_well() -> None:
    genome, annotation = random_gene(729, "-")
    other, turned = random_gene(729, "+")
    here = call(genome, annotation, 6, "TGCTGGT", "T", flank=0)
    there = call(other, turned, len(genome) - 13, complemented("TGCTGGT"), "A", flank=0)
    assert here.terms == there.terms
    assert here.hgvs_c == there.hgvs_c == "c.*2+5_*3del"


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 10_000), strand=st.sampled_from("+-"), data=st.data())
def test_the_other_strand_has_the_same_consequences(seed: int, strand: str, data: st.DataObject) -> None:
    genome, annotation = random_gene(seed, strand)
    other, turned = random_gene(seed, "-" if strand == "+" else "+")
    assert other == complemented(genome)
    start, reference, allele = data.draw(alleles(genome))
    assume(reference != allele)
    flank = data.draw(st.sampled_from([0, 3, 5_000]))
    here = ConsequenceCaller(annotation, InMemoryAssembly({"1": genome}), flank=flank)
    there = ConsequenceCaller(turned, InMemoryAssembly({"1": other}), flank=flank)
    site = Site("1", start, "v", (reference, allele))
    mirrored = Site(
        "1",
        len(genome) - start - len(reference),
        "v",
        (complemented(reference), complemented(allele)),
    )
    (one,), (two,) = here.call(site), there.call(mirrored)
    for name in ("terms", "rank", "hgvs_c", "hgvs_p", "cdna", "cds", "protein", "distance"):
        assert getattr(one, name) == getattr(two, name), name


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    strand=st.sampled_from("+-"),
    place=st.integers(1, 80),
    lost=st.integers(0, 6),
    gained=st.text("ACGT", min_size=1, max_size=4),
)
def test_every_way_to_write_an_indel_has_the_same_consequence(
    seed: int, strand: str, place: int, lost: int, gained: str
) -> None:
    genome, annotation = random_gene(seed, strand)
    place = min(place, len(genome) - lost - 1)
    gained = "" if lost else gained
    changed = genome[:place] + gained + genome[place + lost :]
    found = set()
    for start in range(len(genome)):
        for before in range(max(1, lost + 1 - len(gained)), lost + 3):
            after = changed[start : start + before + len(gained) - lost]
            if after and genome[:start] + after + genome[start + before :] == changed:
                reference = genome[start : start + before]
                one = call(genome, annotation, start, reference, after)
                found.add((one.terms, one.hgvs_c, one.hgvs_p, one.cdna))
    assert len(found) == 1


@pytest.mark.parametrize("seed", range(12))
def test_every_single_base_change_of_a_gene(seed: int) -> None:
    genome, annotation = random_gene(seed, "+-"[seed % 2])
    if seed % 2:
        genome, annotation = complemented(genome), random_gene(seed)[1]
    transcript = annotation.genes[0].transcripts[0]
    for start, reference in enumerate(genome):
        for allele in set("ACGT") - {reference}:
            expected = oracle(genome, transcript, start, reference, allele)
            terms = set(call(genome, annotation, start, reference, allele).terms)
            assert (terms & CODING) == (expected or set()), (start, reference, allele)
