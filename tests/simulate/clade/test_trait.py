"""Traits of a clade: which genes act where, and how large the genetic variance is."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.simulate.clade.clade import SyntheticClade, simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.simulate.population import PopulationConfig


@pytest.fixture(scope="module")
def clade() -> SyntheticClade:
    lines = PopulationConfig(lines=60, mutation_rate=3e-6)
    return simulate_clade(CladeConfig(contigs=2, genes_per_contig=25, codons=120, population=lines))


@pytest.mark.parametrize(
    ("sharing", "shared"), [("shared", 8), ("partly shared", 4), ("species-specific", 0)]
)
def test_species_share_the_genes_that_the_trait_says(
    clade: SyntheticClade, sharing: str, shared: int
) -> None:
    trait = simulate_clade_trait(clade, CladeTraitConfig(sharing=sharing, genes=8))  # type: ignore[arg-type]
    ancestral = {}
    for name, found in trait.items():
        number = {gene: key for key, gene in clade.orthologs[name].items()}
        ancestral[name] = {number[gene] for gene in found.genes}
        assert len(ancestral[name]) == 8
    assert len(ancestral["alpha"] & ancestral["beta"]) == shared
    assert len(set.intersection(*ancestral.values())) == shared


def test_variances_are_those_of_the_configuration(clade: SyntheticClade) -> None:
    trait = simulate_clade_trait(clade, CladeTraitConfig(genes=8, heritability=0.5))
    for found in trait.values():
        assert np.var(found.field) == pytest.approx(50.0)
        assert np.var(found.controlled) == pytest.approx(50.0)
        assert np.corrcoef(found.field, found.controlled)[0, 1] > 0.5


def test_gene_effects_of_close_species_are_more_alike(clade: SyntheticClade) -> None:
    def correlation(other: str) -> float:
        pairs = []
        for seed in range(5):
            trait = simulate_clade_trait(clade, CladeTraitConfig(genes=8, drift=4.0, seed=seed))
            for number, gene in clade.orthologs["alpha"].items():
                if gene in trait["alpha"].genes:
                    theirs = clade.orthologs[other][number]
                    pairs.append((trait["alpha"].genes[gene], trait[other].genes[theirs]))
        return float(np.corrcoef(np.array(pairs).T)[0, 1])

    assert correlation("beta") > correlation("delta")
    assert correlation("beta") > 0.6


def test_too_many_genes_are_refused(clade: SyntheticClade) -> None:
    with pytest.raises(BudwoodError, match="too few"):
        simulate_clade_trait(clade, CladeTraitConfig(sharing="species-specific", genes=40))
