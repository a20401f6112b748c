"""A trait of a clade: which genes act in which species, and how alike their effects are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.simulate.clade.clade import SyntheticClade
from budwood.simulate.functional_class import classify
from budwood.simulate.random_stream import random_stream
from budwood.simulate.trait import EFFECT_CLASSES

Vector = NDArray[np.float64]

#: Share of the causal genes that every species has in common.
SHARING: Final[Mapping[str, float]] = {"shared": 1.0, "partly shared": 0.5, "species-specific": 0.0}


@dataclass(frozen=True, kw_only=True)
class CladeTraitConfig:
    """Architecture of a trait over a clade.

    Attributes
    ----------
    name
        Of the trait.
    sharing
        ``"shared"``: the same genes act in every species; ``"partly shared"``: half of them; and
        ``"species-specific"``: every species has genes of its own (stay-green).
    genes
        Causal genes of each species.
    drift
        Effects of one gene in two species at distance d correlate with ``exp(-drift d)``.
    against
        Share of the damaging variants that act against their gene's direction.
    heritability
        Of a value in one environment.
    minimum_frequency
        Lowest frequency of the rarer allele of a causal variant.
    field_correlation
        Genetic correlation of the trait in a controlled environment and in the field.
    seed
        Determines everything random.
    """

    name: str = "height"
    sharing: Literal["shared", "partly shared", "species-specific"] = "shared"
    genes: int = 30
    drift: float = 2.0
    against: float = 0.1
    heritability: float = 0.6
    minimum_frequency: float = 0.02
    field_correlation: float = 0.8
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.heritability <= 1 or not 0 <= self.against <= 1 or self.genes < 1 or self.drift < 0:
            raise BudwoodError("a trait of a clade is out of range", mend="give shares from 0 to 1 and genes")


@dataclass(frozen=True, kw_only=True, eq=False)
class SpeciesTrait:
    """A trait in one species.

    Attributes
    ----------
    genes
        Causal genes and the effect of losing one copy of each, before scaling.
    causal
        Columns of the population's causal sites.
    effect
        Effect of one copy of ALT at each, in units of the trait.
    controlled, field
        (n,) genetic values of the lines in each kind of environment; mean 100, standard deviation 10 times
        the root of the heritability.
    controlled_phenotype, field_phenotype
        (n,) the same with environmental deviations.
    """

    genes: Mapping[str, float]
    causal: NDArray[np.int64]
    effect: Vector
    controlled: Vector
    field: Vector
    controlled_phenotype: Vector
    field_phenotype: Vector


def simulate_clade_trait(clade: SyntheticClade, config: CladeTraitConfig) -> dict[str, SpeciesTrait]:
    """Simulate a trait in every species of a clade.

    A gene has a direction in each species; every variant that damages it (changes the protein, a splice site
    or a motif) moves the trait in that direction, by an amount that depends on its class, except for a share
    ``against``. What is common between species are genes and directions; variants are each species' own.

    Parameters
    ----------
    clade
        Genomes and lines.
    config
        Architecture of the trait.

    Returns
    -------
    dict
        The trait by species.

    Raises
    ------
    BudwoodError
        If a species has too few genes with variants.

    Examples
    --------
    >>> from budwood.simulate.clade.clade import simulate_clade
    >>> from budwood.simulate.clade.config import CladeConfig
    >>> from budwood.simulate.population import PopulationConfig
    >>> clade = simulate_clade(CladeConfig(tree="(x:0.1,y:0.1);", contigs=1, genes_per_contig=10,
    ...                                    population=PopulationConfig(lines=40, mutation_rate=4e-6)))
    >>> trait = simulate_clade_trait(clade, CladeTraitConfig(genes=4))
    >>> sorted(trait), trait["x"].field_phenotype.shape
    (['x', 'y'], (40,))
    """
    names = list(clade.species)
    chosen = _causal_genes(clade, config)
    effects = _gene_effects(clade, config, chosen)
    return {
        name: _in_species(clade, name, config, {g: effects[name][g] for g in chosen[name]}) for name in names
    }


def _causal_genes(clade: SyntheticClade, config: CladeTraitConfig) -> dict[str, list[int]]:
    """Ancestral numbers of the causal genes of each species."""
    rng = random_stream(config.seed, config.name, "genes")
    common = sorted(set.intersection(*(set(genes) for genes in clade.orthologs.values())))
    shared = round(SHARING[config.sharing] * config.genes)
    order = rng.permutation(common).tolist()
    pool, used = order[shared:], order[:shared]
    chosen: dict[str, list[int]] = {}
    for name in clade.species:
        own = config.genes - shared
        if len(pool) < own:
            raise BudwoodError(
                f"{len(common)} genes are too few for {config.genes} causal ones in every species",
                mend="ask for fewer causal genes or simulate more",
            )
        chosen[name], pool = used + pool[:own], pool[own:]
    return chosen


def _gene_effects(
    clade: SyntheticClade, config: CladeTraitConfig, chosen: Mapping[str, list[int]]
) -> dict[str, dict[int, float]]:
    """Effect of each causal gene in each species, correlated along the tree."""
    rng = random_stream(config.seed, config.name, "gene effects")
    root = np.linalg.cholesky(np.exp(-config.drift * clade.distances()) + 1e-9 * np.eye(len(clade.species)))
    drawn = {
        gene: root @ rng.normal(size=len(clade.species)) for gene in sorted(set().union(*chosen.values()))
    }
    return {
        name: {gene: float(drawn[gene][i]) for gene in chosen[name]} for i, name in enumerate(clade.species)
    }


def _in_species(
    clade: SyntheticClade, name: str, config: CladeTraitConfig, effects: Mapping[int, float]
) -> SpeciesTrait:
    population = clade.populations[name]
    by_name = {clade.orthologs[name][gene]: effect for gene, effect in effects.items()}
    frequency = population.haplotypes.mean(axis=0)
    common = np.minimum(frequency, 1 - frequency) >= config.minimum_frequency
    classified = classify(clade.species[name], population.sites)
    rng = random_stream(config.seed, config.name, "variants", name)
    causal, raw, other = [], [], []
    for column, (functional, gene) in enumerate(classified):
        if functional in EFFECT_CLASSES and gene in by_name and common[column]:
            size = EFFECT_CLASSES[functional].scale * rng.gamma(4.0, 0.25)
            size *= -1.0 if rng.random() < config.against else 1.0
            causal.append(column)
            raw.append(by_name[gene] * size)
            other.append(rng.normal() * size)
    if len(causal) < 2:
        raise BudwoodError(
            f"species {name} has {len(causal)} causal variants", mend="simulate more genes or variants"
        )
    columns = np.array(causal, dtype=np.int64)
    dosage = 2.0 * population.haplotypes[:, columns].astype(np.float64)
    effect, second = _scaled(dosage, np.array(raw), config), _scaled(dosage, np.array(other), config)
    r = config.field_correlation
    centred = dosage - np.asarray(dosage.mean(axis=0), dtype=np.float64)
    controlled = centred @ effect
    field = centred @ _scaled(dosage, r * effect + (1.0 - r**2) ** 0.5 * second, config)
    spread = 10.0 * (1.0 - config.heritability) ** 0.5
    noise = random_stream(config.seed, config.name, "environment", name).normal(size=(2, len(dosage)))
    return SpeciesTrait(
        genes=by_name,
        causal=columns,
        effect=effect,
        controlled=100.0 + controlled,
        field=100.0 + field,
        controlled_phenotype=100.0 + controlled + spread * noise[0],
        field_phenotype=100.0 + field + spread * noise[1],
    )


def _scaled(dosage: NDArray[np.float64], raw: Vector, config: CladeTraitConfig) -> Vector:
    size = float((dosage @ raw).std())
    return raw * (10.0 * config.heritability**0.5 / size)
