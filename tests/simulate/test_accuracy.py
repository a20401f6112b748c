"""How well the markers alone predict a simulated trait: the demo is neither trivial nor hopeless."""

import numpy as np
import pytest

from budwood.simulate.files import DemoConfig
from budwood.simulate.population import Population, simulate_population
from budwood.simulate.species import simulate_species
from budwood.simulate.trait import Trait, simulate_trait


def ridge(population: Population, trait: Trait) -> tuple[float, float]:
    """Pearson r with the hidden phenotypes and genetic values, of ridge on markers at the true ratio."""
    known, hidden = trait.phenotyped, ~trait.phenotyped
    calls = population.haplotypes - population.haplotypes[known].mean(axis=0)
    kernel = calls @ calls.T
    kernel /= np.trace(kernel[np.ix_(known, known)]) / known.sum()
    ratio = (1 - trait.config.heritability) / trait.config.heritability
    mean = trait.phenotype[known].mean()
    system = kernel[np.ix_(known, known)] + ratio * np.eye(known.sum())
    predicted = kernel[np.ix_(hidden, known)] @ np.linalg.solve(system, trait.phenotype[known] - mean)
    truth = (trait.phenotype[hidden], trait.genetic_value[hidden])
    return float(np.corrcoef(predicted, truth[0])[0, 1]), float(np.corrcoef(predicted, truth[1])[0, 1])


@pytest.mark.slow
def test_markers_alone_predict_the_demo_trait_about_as_in_a_real_panel() -> None:
    found = []
    for seed in range(1, 21):
        config = DemoConfig.from_seed(seed)
        species = simulate_species(config.species)
        population = simulate_population(species, config.population)
        found.append(ridge(population, simulate_trait(species, population, config.trait)))
    phenotype, genetic = np.array(found).T
    print(f"r of 20 demos: phenotype {phenotype.mean():.3f} ({phenotype.min():.2f} to {phenotype.max():.2f})")
    print(f"genetic value {genetic.mean():.3f} ({genetic.min():.2f} to {genetic.max():.2f})")
    assert 0.5 < phenotype.mean() < 0.7
    assert phenotype.min() > 0.3
    # A phenotype correlates with its genetic value by the root of heritability.
    assert phenotype.mean() == pytest.approx(genetic.mean() * 0.6**0.5, abs=0.03)
