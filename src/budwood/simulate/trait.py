"""A trait whose causal variants lie in genes and promoters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.simulate.functional_class import FunctionalClass, classify
from budwood.simulate.population import Population
from budwood.simulate.random_stream import random_stream
from budwood.simulate.species import Species


@dataclass(frozen=True)
class EffectClass:
    """Distribution of the effects of a functional class of variants.

    Attributes
    ----------
    scale
        Standard deviation of an effect, relative to a missense variant's.
    weight
        Relative probability that a variant of the class is causal; 1 for a missense variant.
    """

    scale: float
    weight: float


_LOSS: Final = EffectClass(scale=2.0, weight=4.0)

#: Classes that can be causal. Variants of every other class have no effect.
EFFECT_CLASSES: Final[Mapping[FunctionalClass, EffectClass]] = MappingProxyType(
    {
        FunctionalClass.MISSENSE: EffectClass(scale=1.0, weight=1.0),
        FunctionalClass.INFRAME_INDEL: EffectClass(scale=1.0, weight=1.0),
        FunctionalClass.TF_BINDING_SITE: EffectClass(scale=1.5, weight=10.0),
        FunctionalClass.SPLICE_REGION: EffectClass(scale=1.0, weight=4.0),
        FunctionalClass.SPLICE_SITE: _LOSS,
        FunctionalClass.FRAMESHIFT: _LOSS,
        FunctionalClass.START_LOST: _LOSS,
        FunctionalClass.STOP_LOST: _LOSS,
        FunctionalClass.STOP_GAINED: _LOSS,
    }
)


@dataclass(frozen=True)
class TraitConfig:
    """Architecture and phenotypes of the trait.

    Attributes
    ----------
    name
        Column of the trait in a table of phenotypes.
    heritability
        Genetic share of the phenotypic variance over all lines.
    causal
        Number of causal variants.
    minimum_frequency
        Smallest minor allele frequency of a causal variant.
    mean, standard_deviation
        Mean and standard deviation of the phenotypes over all lines.
    phenotyped
        Number of lines with a known phenotype, chosen at random.
    effect_classes
        Effect distribution of each functional class; other classes have no effect.
    seed
        Determines everything random.
    """

    name: str = "plant_height"
    heritability: float = 0.6
    causal: int = 100
    minimum_frequency: float = 0.02
    mean: float = 100.0
    standard_deviation: float = 12.0
    phenotyped: int = 150
    effect_classes: Mapping[FunctionalClass, EffectClass] = field(default_factory=lambda: EFFECT_CLASSES)
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.heritability <= 1:
            raise BudwoodError(f"heritability {self.heritability} is out of range", mend="choose 0 to 1")
        if self.causal < 1 or self.phenotyped < 1 or self.standard_deviation <= 0 or self.seed < 0:
            raise BudwoodError("a trait needs causal variants, lines and variance", mend="give 1 or more")


@dataclass(frozen=True, eq=False)
class Trait:
    """A trait of a population: the phenotypes a breeder sees and the true values.

    Attributes
    ----------
    config
        The configuration it was simulated from.
    functional_class, gene
        Functional class of each of the population's m sites, and the gene it affects.
    causal
        Columns of the population's sites that are causal, ascending.
    effect
        Additive effect of one copy of ALT at each causal site, in units of the trait.
    genetic_value
        (n,) genetic values of all lines, including the mean.
    phenotype
        (n,) genetic value plus environmental deviation of all lines.
    phenotyped
        (n,) ``bool``: lines with a known phenotype.
    """

    config: TraitConfig
    functional_class: tuple[FunctionalClass, ...]
    gene: tuple[str, ...]
    causal: NDArray[np.int64]
    effect: NDArray[np.float64]
    genetic_value: NDArray[np.float64]
    phenotype: NDArray[np.float64]
    phenotyped: NDArray[np.bool_]


def simulate_trait(species: Species, population: Population, config: TraitConfig) -> Trait:
    """Simulate a trait with causal variants that change a protein, a splice site or a promoter motif.

    Effects are normal with a standard deviation that depends on the class of the variant. They are scaled so
    that the variance of the genetic values over all lines is heritability times the phenotypic variance of
    the configuration. The environmental deviation is normal with the remaining variance.

    Parameters
    ----------
    species
        The genome with its genes.
    population
        Lines and their genotypes.
    config
        Architecture of the trait.

    Returns
    -------
    Trait
        Causal variants, genetic values and phenotypes.

    Raises
    ------
    BudwoodError
        If too few variants can be causal, or more lines should be phenotyped than there are.

    Examples
    --------
    >>> from budwood.simulate.population import PopulationConfig, simulate_population
    >>> from budwood.simulate.species import SpeciesConfig, simulate_species
    >>> species = simulate_species(SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=8))
    >>> panel = simulate_population(species, PopulationConfig(lines=40))
    >>> trait = simulate_trait(species, panel, TraitConfig(causal=5, phenotyped=30))
    >>> len(trait.causal), int(trait.phenotyped.sum())
    (5, 30)
    """
    n = len(population.accessions)
    if config.phenotyped > n:
        raise BudwoodError(
            f"{config.phenotyped} of {counted(n, 'line')} cannot be phenotyped",
            mend="phenotype fewer or simulate more",
        )
    classified = classify(species, population.sites)
    functional_class = tuple(found for found, _ in classified)
    causal = _causal(population, functional_class, config)
    scale = np.array([config.effect_classes[functional_class[j]].scale for j in causal])
    raw = scale * random_stream(config.seed, "effect").normal(size=len(causal))
    dosage = 2.0 * population.haplotypes[:, causal]
    genetic_deviation = config.standard_deviation * config.heritability**0.5
    effect = raw * genetic_deviation / float((dosage @ raw).std())
    genetic_value = config.mean + (dosage - dosage.mean(axis=0)) @ effect
    residual_deviation = config.standard_deviation * (1 - config.heritability) ** 0.5
    phenotyped = np.zeros(n, dtype=np.bool_)
    phenotyped[random_stream(config.seed, "phenotyped").permutation(n)[: config.phenotyped]] = True
    return Trait(
        config,
        functional_class,
        tuple(gene for _, gene in classified),
        causal,
        effect,
        genetic_value,
        genetic_value + residual_deviation * random_stream(config.seed, "environment").normal(size=n),
        phenotyped,
    )


def _causal(
    population: Population, functional_class: tuple[FunctionalClass, ...], config: TraitConfig
) -> NDArray[np.int64]:
    frequency = population.haplotypes.mean(axis=0)
    common = np.minimum(frequency, 1 - frequency) >= config.minimum_frequency
    classes = config.effect_classes
    weight = np.array([classes[found].weight if found in classes else 0.0 for found in functional_class])
    weight = np.where(common, weight, 0.0)
    able = int(np.count_nonzero(weight))
    if able < config.causal:
        raise BudwoodError(
            f"only {able} variants can be causal, {config.causal} were asked for",
            mend="ask for fewer causal variants, or simulate a longer genome",
        )
    rng = random_stream(config.seed, "causal")
    chosen = rng.choice(len(weight), size=config.causal, replace=False, p=weight / weight.sum())
    return np.sort(chosen).astype(np.int64)
