from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import tabulate_haplotypes
from budwood.genomics.sequence import decode
from budwood.simulate.population import Population, PopulationConfig, simulate_population
from budwood.simulate.species import Species, SpeciesConfig, simulate_species

#: One pool of constant size: the standard neutral coalescent, whose expectations are known.
NEUTRAL = PopulationConfig(
    lines=60, shares=(1.0,), pool_size=100, founder_size=100, ancestral_size=100, mutation_rate=1e-5
)


def is_indel(population: Population) -> np.ndarray:
    return np.array([len(site.alleles[0]) != len(site.alleles[1]) for site in population.sites])


def test_reference_alleles_are_the_sequence(species: Species, population: Population) -> None:
    for site in population.sites:
        reference, alternative = site.alleles
        found = decode(species.sequences[site.contig][site.start : site.start + len(reference)])
        assert found == reference != alternative


def test_sites_are_normalised_and_apart(population: Population) -> None:
    for site in population.sites:
        reference, alternative = site.alleles
        assert min(len(reference), len(alternative)) == 1
        if len(reference) != len(alternative):
            assert reference[0] == alternative[0]
            assert (reference + alternative)[1:][: abs(len(reference) - len(alternative))]
            # Left-aligned: the last base gained or lost differs from the base before.
            longer = max(reference, alternative, key=len)
            assert longer[-1] != longer[0]
    for one, other in pairwise(population.sites):
        if one.contig == other.contig:
            assert one.start + len(one.alleles[0]) <= other.start


def test_every_site_segregates_and_pools_have_the_requested_sizes(population: Population) -> None:
    carriers = population.haplotypes.sum(axis=0)
    assert ((carriers > 0) & (carriers < 120)).all()
    assert population.haplotypes.dtype == np.int8
    assert np.bincount(population.pool).tolist() == [54, 40, 26]
    assert len(set(population.accessions)) == 120
    # Lines are in no order of pools: neighbours share one about as often as any two lines.
    assert np.mean(np.diff(population.pool) == 0) < 0.55


def test_segregating_sites_and_diversity_of_the_neutral_coalescent() -> None:
    species = simulate_species(SpeciesConfig(contigs=3, contig_length=60_000, genes_per_contig=5))
    config = replace(NEUTRAL, morgans=10.0, indel_share=0.0)
    panels = [simulate_population(species, replace(config, seed=seed)) for seed in range(4)]
    length = sum(len(codes) for codes in species.sequences.values())
    # Two haploid lines part 100 generations ago on average: theta = 2 N mu; E[S] = theta L a_n
    # (Watterson 1975), E[pi] = theta (Tajima 1983). Sites hit twice make up about 1 %.
    theta = 2 * 100 * 1e-5
    watterson = sum(1 / i for i in range(1, config.lines))
    sites = np.mean([len(panel.sites) for panel in panels])
    assert sites / length == pytest.approx(theta * watterson, rel=0.06)
    frequency = np.concatenate([panel.haplotypes.mean(axis=0) for panel in panels])
    n = config.lines
    diversity = (2 * frequency * (1 - frequency)).sum() * n / (n - 1) / (len(panels) * length)
    assert diversity == pytest.approx(theta, rel=0.1)
    # The site-frequency spectrum falls as 1 / i (Fu 1995).
    count = np.bincount(np.rint(frequency * n).astype(int), minlength=n)[1:n]
    expected = 1 / np.arange(1, n) / watterson
    assert count[:3] / count.sum() == pytest.approx(expected[:3], rel=0.12)


def test_kinds_of_mutation_come_in_the_requested_ratios(species: Species) -> None:
    config = replace(NEUTRAL, mutation_rate=3e-5, indel_share=0.1, transition_ratio=3.0)
    population = simulate_population(species, config)
    indel = is_indel(population)
    assert indel.mean() == pytest.approx(0.1, abs=0.012)
    shorter = [len(site.alleles[0]) > 1 for site in population.sites]
    # A deletion that would not be left-aligned (about one in four) is an insertion instead.
    assert np.sum(shorter) / indel.sum() == pytest.approx(0.5 * 0.73, abs=0.06)
    snvs = [site.alleles for site, other in zip(population.sites, indel, strict=True) if not other]
    transitions = sum("".join(sorted(pair)) in ("AG", "CT") for pair in snvs)
    assert transitions / len(snvs) == pytest.approx(0.75, abs=0.02)
    assert not is_indel(simulate_population(species, replace(config, indel_share=0.0))).any()


def test_pools_differ_and_lines_of_one_pool_are_closer(population: Population) -> None:
    calls, pool = population.haplotypes.astype(float), population.pool
    within = np.array([calls[pool == k].mean(axis=0) for k in range(3)])
    heterozygosity = (2 * within * (1 - within)).mean()
    mean = within.mean(axis=0)
    fixation = 1 - heterozygosity / (2 * mean * (1 - mean)).mean()
    assert 0.05 < fixation < 0.45


def test_more_migration_makes_pools_more_alike(species: Species) -> None:
    def between(migration: float) -> float:
        panel = simulate_population(species, PopulationConfig(lines=90, migration=migration))
        means = [panel.haplotypes[panel.pool == k].mean(axis=0) for k in range(3)]
        return float(np.var(means, axis=0).mean())

    assert between(0.1) < between(0.0)


def test_same_seed_same_panel(species: Species) -> None:
    one, other = (simulate_population(species, PopulationConfig(lines=30, seed=5)) for _ in range(2))
    assert one.sites == other.sites
    np.testing.assert_array_equal(one.haplotypes, other.haplotypes)
    another = simulate_population(species, PopulationConfig(lines=30, seed=6))
    assert one.sites != another.sites


def test_blocks_hold_the_whole_matrix_and_never_span_contigs(population: Population) -> None:
    blocks = list(population.blocks(sites_per_block=100))
    assert all(len({site.contig for site in block.sites}) == 1 for block in blocks)
    assert max(len(block.sites) for block in blocks) == 100
    assert [site for block in blocks for site in block.sites] == list(population.sites)
    alleles = np.concatenate([block.alleles for block in blocks])
    np.testing.assert_array_equal(alleles, np.stack([population.haplotypes.T] * 2, axis=2))
    assert all(block.phased.all() for block in blocks)


def test_every_site_serves_the_haplotype_table(species: Species, population: Population) -> None:
    table = tabulate_haplotypes(population, species.assembly)
    assert table.assumptions["sites_used"] == len(population.sites)
    np.testing.assert_array_equal(table.codes[:, :, 0], table.codes[:, :, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": (0.5, 0.6)}, "add up to 1"),
        ({"lines": 2}, "too few"),
        ({"pool_size": 0}, "above 0"),
        ({"migration": 0.9}, "not a probability"),
        ({"mutation_rate": -1.0}, "negative"),
    ],
)
def test_what_cannot_be_simulated_is_reported(change: dict[str, float], message: str) -> None:
    with pytest.raises(BudwoodError, match=message):
        replace(PopulationConfig(), **change)
