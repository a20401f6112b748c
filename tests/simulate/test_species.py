from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genetic_code import translate
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import decode, reverse_complement
from budwood.simulate.composition import plant_composition
from budwood.simulate.gene import SyntheticGene
from budwood.simulate.gene_draft import (
    ACCEPTOR,
    BINDING_SITES,
    BRANCH_POINT,
    DONOR,
    POLY_A_SIGNAL,
    PROMOTER,
    PYRIMIDINE_TRACT,
    SHORTEST_EXON,
    SHORTEST_INTRON,
    TATA_BOX,
)
from budwood.simulate.random_stream import random_stream
from budwood.simulate.species import Species, SpeciesConfig, simulate_species
from budwood.simulate.transposon import INVERTED_REPEAT, TARGET_SITE, master_copy


def letters(species: Species, interval: Interval) -> str:
    return decode(species.assembly.sequence(interval))


def same(one: Species, other: Species) -> bool:
    parts = [(one.sequences, other.sequences), (one.soft_masked, other.soft_masked)]
    arrays = all(np.array_equal(a[name], b[name]) for a, b in parts for name in a)
    return arrays and (one.genes, one.transposons) == (other.genes, other.transposons)


def from_start(gene: SyntheticGene, interval: Interval) -> int:
    """First base of an interval counted from the transcription start, along the gene."""
    if gene.model.strand == "+":
        return interval.start - gene.model.start
    return gene.model.end - interval.end


def test_every_gene_is_an_open_reading_frame(species: Species) -> None:
    for gene in species.genes:
        coding = np.concatenate([species.assembly.sequence(part) for part in gene.coding])
        protein = translate(coding)
        assert protein[0] == "M"
        assert protein.find("*") == len(protein) - 1
        assert gene.transcript.coding_length == len(coding)


def test_every_intron_obeys_the_splice_rules(species: Species) -> None:
    introns = 0
    for gene in species.genes:
        for start, end in gene.transcript.introns:
            intron = letters(species, Interval(gene.model.contig, start, end, gene.model.strand))
            assert intron.startswith("GT")
            assert intron.endswith("AG")
            assert len(intron) >= SHORTEST_INTRON
            introns += 1
        assert all(exon.end - exon.start >= SHORTEST_EXON for exon in gene.transcript.exons)
    signals = [motif for motif in species.motifs if motif.name == PYRIMIDINE_TRACT]
    assert len(signals) == introns > 40
    tract = "".join(letters(species, motif.interval) for motif in signals)
    assert sum(map(tract.count, "CT")) / len(tract) > 0.75


def test_signals_read_as_they_should(species: Species) -> None:
    for gene in species.genes:
        count = Counter(motif.name for motif in gene.motifs)
        introns = len(gene.transcript.introns)
        assert count[TATA_BOX] == count[POLY_A_SIGNAL] == 1
        assert all(count[name] == introns for name in (DONOR, BRANCH_POINT, PYRIMIDINE_TRACT, ACCEPTOR))
        assert 3 <= sum(count[name] for name in BINDING_SITES) <= 6
        for motif in gene.motifs:
            read = letters(species, motif.interval)
            if motif.name in BINDING_SITES:
                assert read == BINDING_SITES[motif.name]
                assert gene.promoter.start <= motif.interval.start < motif.interval.end <= gene.promoter.end
            elif motif.name == TATA_BOX:
                assert read.startswith("TATA")
                assert -34 <= from_start(gene, motif.interval) <= -30
            elif motif.name == BRANCH_POINT:
                assert (read[:2], read[3]) == ("CT", "A")
            elif motif.name == POLY_A_SIGNAL:
                assert read == "AATAAA"
                assert gene.interval.length - from_start(gene, motif.interval) == 26


def test_promoters_lie_upstream_and_transcripts_begin_with_a(species: Species) -> None:
    for gene in species.genes:
        assert from_start(gene, gene.promoter) == -PROMOTER
        assert gene.promoter.length == PROMOTER
        assert letters(species, gene.promoter)[-1] + letters(species, gene.interval)[0] == "CA"


def test_genes_and_transposons_are_apart_and_in_order_on_both_strands(species: Species) -> None:
    for contig, length in species.assembly.contigs.items():
        genes = [gene for gene in species.genes if gene.model.contig == contig]
        assert [gene.name for gene in genes] == sorted(gene.name for gene in genes)
        assert [gene.model.start for gene in genes] == sorted(gene.model.start for gene in genes)
        assert {gene.model.strand for gene in genes} == {"+", "-"}
        spans = [
            (*sorted([g.promoter.start, g.model.start])[:1], max(g.promoter.end, g.model.end)) for g in genes
        ]
        spans += [
            (c.interval.start - TARGET_SITE, c.interval.end + TARGET_SITE)
            for c in species.transposons
            if c.interval.contig == contig
        ]
        ordered = sorted(spans)
        assert ordered[0][0] >= 0
        assert ordered[-1][1] <= length
        assert all(left[1] < right[0] for left, right in pairwise(ordered))


def test_transposons_are_copies_of_the_master_between_doubled_target_sites() -> None:
    config = SpeciesConfig(contigs=1, contig_length=150_000, genes_per_contig=5, transposons_per_contig=60)
    species = simulate_species(config)
    master = master_copy(
        random_stream(config.seed, "transposon"), plant_composition(config.gc), config.transposon_length
    )
    np.testing.assert_array_equal(master[-INVERTED_REPEAT:], reverse_complement(master[:INVERTED_REPEAT]))
    for copy in species.transposons:
        where, genome = copy.interval, species.sequences[copy.interval.contig]
        before = genome[where.start - TARGET_SITE : where.start]
        np.testing.assert_array_equal(before, genome[where.end : where.end + TARGET_SITE])
        assert where.length == len(master) - copy.deleted
        if copy.deleted == 0:
            differs = species.assembly.sequence(where) != master
            assert differs.mean() == pytest.approx(copy.divergence)
    full = [copy for copy in species.transposons if copy.deleted == 0]
    assert 15 < len(full) < 45
    # Gamma with shape 2 and the mean asked for; the standard error over 60 copies is 0.0073.
    assert np.mean([copy.divergence for copy in species.transposons]) == pytest.approx(0.08, abs=0.025)
    assert {copy.interval.strand for copy in species.transposons} == {"+", "-"}


def test_exactly_the_transposons_are_soft_masked(species: Species) -> None:
    for contig, length in species.assembly.contigs.items():
        expected = np.zeros(length, dtype=bool)
        for copy in species.transposons:
            if copy.interval.contig == contig:
                expected[copy.interval.start : copy.interval.end] = True
        np.testing.assert_array_equal(species.assembly.soft_mask(Interval(contig, 0, length)), expected)
        assert expected.any()


def test_same_seed_same_species() -> None:
    config = SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=8)
    assert same(simulate_species(config), simulate_species(config))
    assert not same(simulate_species(config), simulate_species(replace(config, seed=2)))


def test_parts_draw_from_their_own_streams() -> None:
    config = SpeciesConfig(contigs=1, contig_length=80_000, genes_per_contig=6)

    def proteins(species: Species) -> set[str]:
        return {
            translate(np.concatenate([species.assembly.sequence(part) for part in gene.coding]))
            for gene in species.genes
        }

    plain = simulate_species(config)
    richer = simulate_species(replace(config, transposons_per_contig=40))
    longer = simulate_species(replace(config, contigs=2))
    assert proteins(plain) == proteins(richer)
    assert proteins(plain) < proteins(longer)
    np.testing.assert_array_equal(plain.sequences["Chr1"], longer.sequences["Chr1"])


def test_intergenic_composition_is_as_requested() -> None:
    config = SpeciesConfig(contigs=1, contig_length=100_000, genes_per_contig=1, transposons_per_contig=0)
    for gc in (0.3, 0.45):
        codes = simulate_species(replace(config, gc=gc)).sequences["Chr1"]
        assert np.isin(codes, [1, 2]).mean() == pytest.approx(gc, abs=0.015)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contig_length": 20_000}, "do not fit on a contig of 20000"),
        ({"genes_per_contig": 0}, "needs contigs and genes"),
        ({"codons": 10}, "too short"),
        ({"transposon_divergence": 0.9}, "out of range"),
        ({"seed": -1}, "positive numbers"),
    ],
)
def test_what_cannot_be_made_is_reported(change: dict[str, int], message: str) -> None:
    with pytest.raises(BudwoodError, match=message):
        simulate_species(replace(SpeciesConfig(contigs=1), **change))
