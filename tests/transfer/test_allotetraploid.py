"""An allotetraploid keeps its subgenomes apart, and predictions give each its share of the variance."""

from __future__ import annotations

import numpy as np

from budwood.genomics.annotation.subgenome import subgenomes_by_name
from budwood.panel.panel import Panel
from budwood.panel.subgenome_weights import subgenome_weights
from budwood.prediction.trait_model import TraitModel
from budwood.simulate.clade.clade import allotetraploid, simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.panel import population_genotypes
from budwood.simulate.population import PopulationConfig


def test_a_trait_of_subgenome_b_is_given_to_subgenome_b() -> None:
    lines = PopulationConfig(lines=120, pool_size=150, founder_size=300, mutation_rate=2e-6)
    config = CladeConfig(tree="(x:0.05,y:0.05);", contigs=1, genes_per_contig=15, population=lines)
    species, population = allotetraploid(simulate_clade(config), "x", "y")
    genotypes = population_genotypes(population)
    weights = subgenome_weights(genotypes.markers, subgenomes_by_name(species.sequences))
    assert set(weights.by_kernel) == {"subgenome:A", "subgenome:B"}
    rng = np.random.default_rng(1)
    in_b = np.flatnonzero(genotypes.markers.contig == "1B")
    chosen = rng.choice(in_b, size=40, replace=False)
    dosage = genotypes.dosage[:, chosen].astype(float)
    value = (dosage - dosage.mean(axis=0)) @ rng.normal(size=40)
    y = value / value.std() + 0.5 * rng.normal(size=120)
    shares = TraitModel("subgenomes").fit(Panel(genotypes=genotypes, weights=weights), y).variance_shares
    assert shares["subgenome B"] > 0.4
    assert shares["subgenome B"] > 3.0 * shares.get("subgenome A", 0.0)
