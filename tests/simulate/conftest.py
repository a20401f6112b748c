"""A small species, panel and trait that the tests share."""

from __future__ import annotations

import pytest

from budwood.simulate.population import Population, PopulationConfig, simulate_population
from budwood.simulate.species import Species, SpeciesConfig, simulate_species
from budwood.simulate.trait import Trait, TraitConfig, simulate_trait


@pytest.fixture(scope="session")
def species() -> Species:
    return simulate_species(SpeciesConfig(contigs=2, contig_length=120_000, genes_per_contig=22, seed=3))


@pytest.fixture(scope="session")
def population(species: Species) -> Population:
    return simulate_population(species, PopulationConfig(lines=120, seed=3, mutation_rate=3e-6))


@pytest.fixture(scope="session")
def trait(species: Species, population: Population) -> Trait:
    return simulate_trait(species, population, TraitConfig(causal=40, phenotyped=50, seed=3))
