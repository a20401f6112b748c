"""Relationships of autopolyploids and of mixed ploidies: by hand, and as theory expects of relatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.stats.relationship.relationship import MarkerFilter, relationship

EVERY_MARKER = MarkerFilter(maximum_missing=1.0, minimum_frequency=0.0)


def of(
    dosage: np.ndarray, ploidy: int | list[int] | np.ndarray, training: np.ndarray | None = None
) -> np.ndarray:
    copies = np.broadcast_to(np.asarray(ploidy, dtype=np.int8), len(dosage))
    return relationship(dosage, copies, training, EVERY_MARKER)


def test_tetraploids_by_hand() -> None:
    """p = 1/2 and 1/4; Z = dosage - 4 p; sum of 4 p q = 1 + 3/4 = 7/4."""
    dosage = np.array([[0, 1], [4, 1], [2, 0], [2, 2]], dtype=np.int8)
    z = np.array([[-2, 0], [2, 0], [0, -1], [0, 1]])
    expected = 4 / 7 * np.array([[4, -4, 0, 0], [-4, 4, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]])
    np.testing.assert_allclose(z @ z.T / (7 / 4), expected)
    np.testing.assert_allclose(of(dosage, 4), expected, atol=1e-12)


def test_mixed_ploidy_by_hand() -> None:
    """Frequencies 0, 1/2, 1/4, 1/4 have mean 1/4; mean ploidy 3; p q = 3/16, so G = 16 z z'."""
    dosage = np.array([[0], [1], [1], [1]], dtype=np.int8)
    z = np.array([-1, 1, 0, 0]) / 4
    np.testing.assert_allclose(of(dosage, [2, 2, 4, 4]), 3 / (3 / 16) * np.outer(z, z), atol=1e-12)


def test_fractions_by_hand() -> None:
    """Frequencies .1, .5, .9 of expected dosages: G = 4 z z' / .25."""
    dosage = np.array([[0.4], [2.0], [3.6]], dtype=np.float32)
    z = np.array([-0.4, 0.0, 0.4])
    np.testing.assert_allclose(of(dosage, 4), 16 * np.outer(z, z), atol=1e-6)


@pytest.mark.parametrize("ploidy", [4, 6, 8])
def test_equals_the_formulas_in_use_for_autopolyploids(ploidy: int) -> None:
    """Endelman et al. (2018), as AGHmatrix has it with its ploidy correction; without, a constant multiple.

    AGHmatrix 3: G = Z Z' / K with Z = X - column means, K = sum ploidy f (1 - f) (corrected) or the sum of
    the columns' sample variances.
    """
    rng = np.random.default_rng(ploidy)
    x = rng.binomial(ploidy, rng.uniform(0.1, 0.9, 400), (40, 400)).astype(np.int8)
    mean = x.mean(axis=0)
    z, f = x - mean, mean / ploidy
    found = of(x, ploidy)
    np.testing.assert_allclose(found, z @ z.T / np.sum(ploidy * f * (1 - f)), atol=1e-10)
    uncorrected = z @ z.T / np.sum(x.var(axis=0, ddof=1))
    ratio = found[np.abs(uncorrected) > 1e-3] / uncorrected[np.abs(uncorrected) > 1e-3]
    np.testing.assert_allclose(ratio, ratio[0])


@given(seed=st.integers(0, 1_000), factor=st.integers(2, 4))
def test_counting_every_copy_twice_multiplies_relationships_by_as_much(seed: int, factor: int) -> None:
    """Z is unchanged and the mean ploidy is multiplied: doubled diploids are inbred tetraploids, F = 1/3."""
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0.2, 0.8, 60), (12, 60)).astype(np.int8)
    np.testing.assert_allclose(of(factor * dosage, 2 * factor), factor * of(dosage, 2), atol=1e-10)


FREQUENCY = np.random.default_rng(0).uniform(0.1, 0.9, 6_000)


def founders(n: int, ploidy: int, rng: np.random.Generator) -> np.ndarray:
    """Homologues of n unrelated plants in Hardy-Weinberg proportions, (n, ploidy, markers)."""
    return (rng.random((n, ploidy, len(FREQUENCY))) < FREQUENCY).astype(np.int8)


def gamete(plant: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of a plant's homologues at every unlinked marker, without double reduction."""
    order = rng.permuted(np.tile(np.arange(len(plant)), (plant.shape[1], 1)), axis=1)[:, : len(plant) // 2]
    return np.take_along_axis(plant, order.T, axis=0)


def cross(one: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([gamete(one, rng), gamete(other, rng)])


@pytest.mark.parametrize("ploidy", [2, 4, 6])
def test_relatives_have_the_relationships_of_their_pedigree(ploidy: int) -> None:
    """Kerr et al. (2012): parent and child 1/2, full sibs 1/2, half sibs 1/4, a plant 1 + (ploidy - 1) F.

    Two copies drawn from a selfed child without double reduction are identical by descent with probability
    1/2 (from different gametes: 1/ploidy of ploidy/2 / (ploidy - 1) draws), so F = 1 / (2 (ploidy - 1)).
    """
    rng = np.random.default_rng(ploidy)
    base = founders(150, ploidy, rng)
    a, b, c = base[:3]
    family = np.stack([cross(a, b, rng), cross(a, b, rng), cross(a, c, rng), cross(a, a, rng)])
    dosage = np.concatenate([base, family]).sum(axis=1).astype(np.int8)
    found = of(dosage, ploidy, np.arange(150))
    sib, twin, half, selfed = range(150, 154)
    near = {"abs": 0.06}
    np.testing.assert_allclose(np.diagonal(found)[:150].mean(), 1.0, atol=0.02)
    assert found[0, sib] == pytest.approx(0.5, **near)
    assert found[sib, twin] == pytest.approx(0.5, **near)
    assert found[sib, half] == pytest.approx(0.25, **near)
    assert found[0, 1] == pytest.approx(0.0, **near)
    assert found[selfed, selfed] == pytest.approx(1.0 + 0.5, **near)
    assert found[0, selfed] == pytest.approx(1.0, **near)


def test_in_a_mixed_panel_relationships_are_those_of_allele_frequencies() -> None:
    """Unrelated plants of ploidy k vary by p q / k, so their diagonal is mean ploidy / k; relatives of
    different ploidy share what their frequencies share."""
    rng = np.random.default_rng(9)
    diploid, tetraploid = founders(100, 2, rng), founders(100, 4, rng)
    doubled = np.repeat(diploid[:1], 2, axis=1)  # colchicine: the same plant with every chromosome twice
    dosage = np.concatenate([part.sum(axis=1) for part in (diploid, tetraploid, doubled)]).astype(np.int8)
    ploidy = np.repeat([2, 4], [100, 101])
    found = of(dosage, ploidy, np.arange(200))
    own = np.diagonal(found)
    assert own[:100].mean() == pytest.approx(3 / 2, abs=0.03)
    assert own[100:200].mean() == pytest.approx(3 / 4, abs=0.03)
    np.testing.assert_allclose(found[0], found[200], atol=1e-10)
    assert np.abs(found[:100, 100:200]).mean() < 0.05
