"""Lines of a species of a clade as genotypes, with what is known of its variants and genes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.interval import Interval
from budwood.simulate.functional_class import classify
from budwood.simulate.population import Population
from budwood.simulate.species import Species
from budwood.simulate.trait import EFFECT_CLASSES


def population_genotypes(population: Population) -> Genotypes:
    """Dosages of ALT, as a reader of the population's VCF finds them.

    Parameters
    ----------
    population
        Inbred lines.

    Returns
    -------
    Genotypes
        Diploid, without missing calls.
    """
    sites = population.sites

    def words(values: list[str]) -> NDArray[np.object_]:
        return np.array(values, dtype=object)

    markers = Markers(
        words([site.identifier for site in sites]),
        words([site.contig for site in sites]),
        np.array([site.start for site in sites], dtype=np.int64),
        words([site.alleles[1] for site in sites]),
        words([site.alleles[0] for site in sites]),
    )
    n = len(population.accessions)
    dosage = (2 * population.haplotypes).astype(np.int8)
    return Genotypes(population.accessions, markers, dosage, np.full(n, 2, dtype=np.int8))


def variant_scores(species: Species, population: Population) -> NDArray[np.float64]:
    """How damaging each variant is by its true class: the mean size of a causal variant's effect, else 0.

    Parameters
    ----------
    species, population
        Genes and variants.

    Returns
    -------
    ndarray
        (m,) one score for each site.
    """
    classes = [found for found, _ in classify(species, population.sites)]
    return np.array([EFFECT_CLASSES[each].scale if each in EFFECT_CLASSES else 0.0 for each in classes])


def gene_places(species: Species) -> dict[str, Interval]:
    """Place of each gene.

    Parameters
    ----------
    species
        The genome.

    Returns
    -------
    dict
        Interval by name.
    """
    return {
        gene.name: Interval(gene.model.contig, gene.model.start, gene.model.end) for gene in species.genes
    }
