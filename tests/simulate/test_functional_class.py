import numpy as np
import pytest

from budwood.genomics.genetic_code import translate
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import decode, encode, reverse_complement
from budwood.simulate.functional_class import FunctionalClass, classify
from budwood.simulate.gene import SyntheticGene
from budwood.simulate.gene_draft import BRANCH_POINT, POLY_A_SIGNAL, PYRIMIDINE_TRACT, TATA_BOX
from budwood.simulate.population import Population
from budwood.simulate.species import Species


def substitution(species: Species, contig: str, start: int, alternative: str = "") -> Site:
    reference = decode(species.sequences[contig][start : start + 1])
    other = alternative or {"A": "G", "G": "A", "C": "T", "T": "C"}[reference]
    return Site(contig, start, "site", (reference, other))


def along(gene: SyntheticGene, interval: Interval, offset: int) -> int:
    """Position of the base that lies ``offset`` bases into an interval, read along the gene."""
    return interval.start + offset if gene.model.strand == "+" else interval.end - 1 - offset


@pytest.fixture(params=["+", "-"])
def gene(species: Species, request: pytest.FixtureRequest) -> SyntheticGene:
    return next(g for g in species.genes if g.model.strand == request.param and len(g.coding) > 2)


def one(species: Species, site: Site) -> tuple[FunctionalClass, str]:
    (found,) = classify(species, [site])
    return found


def test_regions_of_a_gene(species: Species, gene: SyntheticGene) -> None:
    contig = gene.model.contig
    motif = {motif.name: motif.interval for motif in gene.motifs}
    intron = Interval(contig, *gene.transcript.introns[0], gene.model.strand)
    five = gene.transcript.utrs[0 if gene.model.strand == "+" else -1]
    places = {
        along(gene, gene.promoter, 10): FunctionalClass.PROMOTER,
        along(gene, motif[TATA_BOX], 3): FunctionalClass.TF_BINDING_SITE,
        along(gene, Interval(contig, *five, gene.model.strand), 5): FunctionalClass.UNTRANSLATED,
        along(gene, gene.coding[0], 1): FunctionalClass.START_LOST,
        along(gene, intron, 0): FunctionalClass.SPLICE_SITE,
        along(gene, intron, 1): FunctionalClass.SPLICE_SITE,
        along(gene, intron, 4): FunctionalClass.SPLICE_REGION,
        along(gene, intron, intron.length - 2): FunctionalClass.SPLICE_SITE,
        along(gene, intron, intron.length - 3): FunctionalClass.SPLICE_REGION,
        along(gene, motif[BRANCH_POINT], 3): FunctionalClass.SPLICE_REGION,
        along(gene, motif[PYRIMIDINE_TRACT], 3): FunctionalClass.INTRON,
        along(gene, intron, 10): FunctionalClass.INTRON,
        along(gene, motif[POLY_A_SIGNAL], 2): FunctionalClass.POLY_A_SIGNAL,
    }
    for position, expected in places.items():
        assert one(species, substitution(species, contig, position)) == (expected, gene.name)


def test_outside_genes(species: Species) -> None:
    copy = species.transposons[0].interval
    inside = one(species, substitution(species, copy.contig, copy.start + 5))
    assert inside == (FunctionalClass.TRANSPOSON, "")
    # The doubled target site belongs to no element.
    flank = one(species, substitution(species, copy.contig, copy.start - 5))
    assert flank == (FunctionalClass.INTERGENIC, "")


def test_substitutions_agree_with_translating_the_mutated_genome(
    species: Species, population: Population
) -> None:
    genes = {gene.name: gene for gene in species.genes}
    checked = set()
    for site, (functional_class, name) in zip(
        population.sites, classify(species, population.sites), strict=True
    ):
        if not name or len(site.alleles[0]) != 1 or len(site.alleles[1]) != 1:
            continue
        gene = genes[name]
        if not any(part.start <= site.start < part.end for part in gene.coding):
            continue
        genome = species.sequences[site.contig].copy()
        proteins = []
        for base in site.alleles:
            genome[site.start] = encode(base)[0]
            parts = [genome[part.start : part.end] for part in sorted(gene.coding)]
            read = np.concatenate(parts)
            proteins.append(translate(read if gene.model.strand == "+" else reverse_complement(read)))
        before, after = proteins
        if before[0] != after[0]:
            expected = FunctionalClass.START_LOST
        elif "*" in after[:-1]:
            expected = FunctionalClass.STOP_GAINED
        elif after[-1] != "*":
            expected = FunctionalClass.STOP_LOST
        else:
            expected = FunctionalClass.SYNONYMOUS if before == after else FunctionalClass.MISSENSE
        assert functional_class == expected
        checked.add((functional_class, gene.model.strand))
    assert {(c, s) for c in (FunctionalClass.SYNONYMOUS, FunctionalClass.MISSENSE) for s in "+-"} <= checked


@pytest.mark.parametrize(("length", "expected"), [(1, "frameshift_variant"), (3, "inframe")])
def test_deletions_and_insertions_in_coding_sequence(
    species: Species, gene: SyntheticGene, length: int, expected: str
) -> None:
    part = max(gene.coding, key=lambda coding: coding.length)
    start = (part.start + part.end) // 2
    letters = decode(species.sequences[part.contig][start : start + length + 1])
    deletion = Site(part.contig, start, "deletion", (letters, letters[0]))
    insertion = Site(part.contig, start, "insertion", (letters[0], letters[0] + "C" * length))
    for site in (deletion, insertion):
        functional_class, name = one(species, site)
        assert name == gene.name
        if expected == "inframe":
            # Out of the codons' frame, what is lost or gained can also leave a stop codon behind.
            assert functional_class in (FunctionalClass.INFRAME_INDEL, FunctionalClass.STOP_GAINED)
        else:
            assert functional_class == expected


def test_a_deletion_counts_as_the_worst_it_takes_away(species: Species, gene: SyntheticGene) -> None:
    intron = gene.transcript.introns[0]
    start = intron.start - 3
    letters = decode(species.sequences[gene.model.contig][start : start + 5])
    site = Site(gene.model.contig, start, "deletion", (letters, letters[0]))
    assert one(species, site) == (FunctionalClass.SPLICE_SITE, gene.name)


def test_an_insertion_next_to_a_splice_site_counts_as_its_milder_neighbour(
    species: Species, gene: SyntheticGene
) -> None:
    start = gene.transcript.introns[0].start + 1
    letter = decode(species.sequences[gene.model.contig][start : start + 1])
    within = Site(
        gene.model.contig,
        start - 1,
        "site",
        (decode(species.sequences[gene.model.contig][start - 1 : start]), "AC"),
    )
    assert one(species, within)[0] == FunctionalClass.SPLICE_SITE
    beyond = Site(gene.model.contig, start, "site", (letter, letter + "A"))
    assert one(species, beyond)[0] in (FunctionalClass.SPLICE_REGION, FunctionalClass.INTRON)


def test_an_insertion_at_the_end_of_a_contig(species: Species) -> None:
    last = species.assembly.contigs["Chr1"] - 1
    letter = decode(species.sequences["Chr1"][last:])
    assert one(species, Site("Chr1", last, "site", (letter, letter + "A")))[0] == FunctionalClass.INTERGENIC
