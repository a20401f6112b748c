"""Clades: what is conserved, what drifts, and that the truth fits the genomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import reverse_complement
from budwood.simulate.clade.blueprint import ContigBlueprint, Element, ancestor, species_of
from budwood.simulate.clade.clade import SyntheticClade, allotetraploid, simulate_clade
from budwood.simulate.clade.config import CladeConfig, EvolutionRates
from budwood.simulate.clade.evolution import evolve
from budwood.simulate.population import PopulationConfig
from budwood.simulate.species import Species

SMALL = CladeConfig(
    contigs=2,
    genes_per_contig=15,
    transposons_per_contig=6,
    codons=120,
    population=PopulationConfig(lines=30),
)


@pytest.fixture(scope="module")
def clade() -> SyntheticClade:
    return simulate_clade(SMALL)


def coding(species: Species, name: str) -> np.ndarray:
    gene = next(gene for gene in species.genes if gene.name == name)
    codes = species.sequences[gene.model.contig]
    parts = [codes[part.start : part.end] for part in gene.coding]
    return np.concatenate([p if gene.model.strand == "+" else reverse_complement(p) for p in parts])


def test_the_same_configuration_gives_the_same_clade(clade: SyntheticClade) -> None:
    again = simulate_clade(SMALL)
    for name, species in clade.species.items():
        for contig, codes in species.sequences.items():
            np.testing.assert_array_equal(codes, again.species[name].sequences[contig])
        np.testing.assert_array_equal(clade.populations[name].haplotypes, again.populations[name].haplotypes)


def test_reading_frames_stay_open_in_every_species(clade: SyntheticClade) -> None:
    for species in clade.species.values():
        for gene in species.genes:
            protein = translate(coding(species, gene.name))
            assert protein.startswith("M")
            assert protein.index("*") == len(protein) - 1


def test_orthologs_are_more_alike_in_close_species(clade: SyntheticClade) -> None:
    def identity(one: str, other: str) -> float:
        pairs = clade.ortholog_pairs(one, other)
        same = [(coding(clade.species[one], a) == coding(clade.species[other], b)).mean() for a, b in pairs]
        return float(np.mean(same))

    assert identity("alpha", "beta") > identity("alpha", "gamma") > identity("alpha", "delta") > 0.7


def test_neutral_sequence_drifts_as_far_as_the_branch_says_and_motifs_less() -> None:
    contigs, master = ancestor(SMALL)
    still = EvolutionRates(
        indel=0, gene_loss=0, transposon_turnover=0, inversions=0, translocations=0, motif=0.05
    )
    evolved = evolve(contigs, 0.2, still, master, np.random.default_rng(1))
    gaps = [
        (old != new).mean()
        for name in contigs
        for old, new in zip(contigs[name].gaps, evolved[name].gaps, strict=True)
    ]
    # Jukes and Cantor: 3/4 (1 - exp(-4 d / 3)).
    assert np.mean(gaps) == pytest.approx(0.75 * (1 - np.exp(-0.2 * 4 / 3)), abs=0.02)
    changed = []
    for name in contigs:
        for old, new in zip(contigs[name].elements, evolved[name].elements, strict=True):
            for _, start, end, _ in getattr(old.draft, "motifs", ()):
                changed.append((old.draft.codes[start:end] != new.draft.codes[start:end]).mean())
    assert np.mean(changed) < 0.03


def test_names_tell_nothing_of_orthology_but_the_table_does(clade: SyntheticClade) -> None:
    pairs = clade.ortholog_pairs("alpha", "delta")
    assert {a for a, _ in pairs} <= {gene.name for gene in clade.species["alpha"].genes}
    assert {b for _, b in pairs} <= {gene.name for gene in clade.species["delta"].genes}


def test_reference_alleles_are_those_of_the_genome(clade: SyntheticClade) -> None:
    for name, population in clade.populations.items():
        for site in population.sites[::50]:
            codes = clade.species[name].sequences[site.contig]
            assert "ACGT"[codes[site.start]] == site.alleles[0][0]


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_an_inversion_done_twice_changes_nothing(data: st.DataObject) -> None:
    contig = next(iter(ancestor(SMALL)[0].values()))
    first = data.draw(st.integers(0, len(contig.elements) - 1))
    last = data.draw(st.integers(first + 1, len(contig.elements)))
    twice = contig.inverted(first, last).inverted(first, last)
    assert [e.strand for e in twice.elements] == [e.strand for e in contig.elements]
    assert [e.draft for e in twice.elements] == [e.draft for e in contig.elements]
    for one, other in zip(twice.gaps, contig.gaps, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_inverted_contig_is_the_reverse_complement_between_its_ends() -> None:
    contig = next(iter(ancestor(SMALL)[0].values()))
    inner = ContigBlueprint(
        contig.elements, (np.empty(0, np.uint8), *contig.gaps[1:-1], np.empty(0, np.uint8))
    )
    whole, _ = species_of({"c": inner}, "g", SMALL)
    turned, _ = species_of({"c": inner.inverted(0, len(inner.elements))}, "g", SMALL)
    np.testing.assert_array_equal(turned.sequences["c"], reverse_complement(whole.sequences["c"]))


def test_genes_are_kept_through_rearrangements() -> None:
    contigs, master = ancestor(SMALL)
    rates = EvolutionRates(gene_loss=0, inversions=60, translocations=60)
    evolved = evolve(contigs, 0.3, rates, master, np.random.default_rng(3))
    kept = sorted(e.ancestor for c in evolved.values() for e in c.elements if e.ancestor >= 0)
    assert kept == list(range(30))
    assert all(len(c.gaps) == len(c.elements) + 1 for c in evolved.values())


def test_transposons_turn_over(clade: SyntheticClade) -> None:
    contigs, master = ancestor(SMALL)
    old = {id(e.draft) for c in contigs.values() for e in c.elements if e.ancestor < 0}
    rates = EvolutionRates(transposon_turnover=1e6)
    evolved = evolve(contigs, 1e-4, rates, master, np.random.default_rng(0))
    new = [e for c in evolved.values() for e in c.elements if e.ancestor < 0]
    assert new
    assert not old & {id(e.draft) for e in new}
    assert isinstance(new[0], Element)


def test_an_allotetraploid_holds_both_subgenomes_apart(clade: SyntheticClade) -> None:
    species, population = allotetraploid(clade, "alpha", "gamma")
    assert list(species.sequences) == ["1A", "2A", "1B", "2B"]
    names = {gene.name for gene in species.genes}
    assert {g.name for g in clade.species["alpha"].genes} < names
    np.testing.assert_array_equal(species.sequences["2B"], clade.species["gamma"].sequences["Chr2"])
    assert {site.contig[-1] for site in population.sites} == {"A", "B"}
    for gene in species.genes:
        assert translate(coding(species, gene.name)).endswith("*")


@pytest.mark.parametrize("tree", ["(a:1,a:1);", "(a:1,:1);", "a;"])
def test_a_tree_without_two_names_is_refused(tree: str) -> None:
    with pytest.raises(BudwoodError):
        simulate_clade(CladeConfig(tree=tree))
