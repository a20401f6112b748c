from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.simulate.functional_class import FunctionalClass
from budwood.simulate.population import Population
from budwood.simulate.species import Species
from budwood.simulate.trait import EFFECT_CLASSES, EffectClass, Trait, TraitConfig, simulate_trait


@pytest.mark.parametrize("heritability", [0.1, 0.6, 1.0])
def test_genetic_variance_is_exactly_the_requested_share(
    species: Species, population: Population, heritability: float
) -> None:
    config = TraitConfig(heritability=heritability, causal=40, phenotyped=50)
    trait = simulate_trait(species, population, config)
    assert trait.genetic_value.var() == pytest.approx(heritability * 12.0**2)
    assert trait.genetic_value.mean() == pytest.approx(100.0)
    if heritability == 1:
        np.testing.assert_array_equal(trait.phenotype, trait.genetic_value)


def test_environmental_variance_has_its_expectation(species: Species, population: Population) -> None:
    config = TraitConfig(causal=40, phenotyped=50)
    residuals = [
        trait.phenotype - trait.genetic_value
        for trait in (simulate_trait(species, population, replace(config, seed=s)) for s in range(12))
    ]
    # 1,440 normal deviates: the standard error of their variance is 3.7 % of it.
    assert np.var(residuals) == pytest.approx(0.4 * 12.0**2, rel=0.12)


def test_genetic_values_are_the_sum_of_the_causal_effects(population: Population, trait: Trait) -> None:
    dosage = 2 * population.haplotypes[:, trait.causal]
    np.testing.assert_allclose(np.ptp(trait.genetic_value - dosage @ trait.effect), 0, atol=1e-9)


def test_causal_variants_are_common_and_of_the_classes_that_act(population: Population, trait: Trait) -> None:
    frequency = population.haplotypes[:, trait.causal].mean(axis=0)
    assert np.minimum(frequency, 1 - frequency).min() >= trait.config.minimum_frequency
    assert {trait.functional_class[j] for j in trait.causal} <= set(EFFECT_CLASSES)
    assert all(trait.gene[j] for j in trait.causal)
    assert len(set(trait.causal.tolist())) == 40 < len(population.sites) / 10
    assert (np.diff(trait.causal) > 0).all()


def test_classes_set_the_size_of_effects(species: Species, population: Population) -> None:
    classes = {
        FunctionalClass.MISSENSE: EffectClass(scale=1.0, weight=1.0),
        FunctionalClass.TF_BINDING_SITE: EffectClass(scale=0.0, weight=100.0),
    }
    trait = simulate_trait(species, population, TraitConfig(causal=40, phenotyped=50, effect_classes=classes))
    found = np.array([trait.functional_class[j] for j in trait.causal])
    assert {FunctionalClass.MISSENSE, FunctionalClass.TF_BINDING_SITE} == set(found)
    assert (trait.effect[found == FunctionalClass.TF_BINDING_SITE] == 0).all()
    assert (trait.effect[found == FunctionalClass.MISSENSE] != 0).all()


def test_parts_draw_from_their_own_streams(species: Species, population: Population) -> None:
    config = TraitConfig(causal=40, phenotyped=50)
    one = simulate_trait(species, population, config)
    more = simulate_trait(species, population, replace(config, phenotyped=60, heritability=0.3))
    np.testing.assert_array_equal(one.causal, more.causal)
    assert (one.phenotyped <= more.phenotyped).all()
    assert (one.phenotyped.sum(), more.phenotyped.sum()) == (50, 60)
    again = simulate_trait(species, population, config)
    np.testing.assert_array_equal(one.phenotype, again.phenotype)
    other = simulate_trait(species, population, replace(config, seed=2))
    assert not np.array_equal(one.causal, other.causal)


def test_impossible_traits_are_reported(species: Species, population: Population) -> None:
    with pytest.raises(BudwoodError, match="121 of 120 lines"):
        simulate_trait(species, population, TraitConfig(phenotyped=121))
    with pytest.raises(BudwoodError, match="variants can be causal, 99999 were asked for"):
        simulate_trait(species, population, TraitConfig(causal=99_999, phenotyped=10))
    with pytest.raises(BudwoodError, match="heritability"):
        TraitConfig(heritability=0.0)
    with pytest.raises(BudwoodError, match="needs causal variants"):
        TraitConfig(causal=0)
