"""Geometry: neighbours, distances along a tree, and permutation tests."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.newick import parse_newick
from budwood.genomics.phylogeny import branch_distances
from budwood.probing.comparison.geometry import mantel, species_geometry, window_geometry

TREE = parse_newick("((a:1,b:1):3,((c:1,d:1):1,e:2):2);")


def test_distances_along_a_tree_by_hand() -> None:
    found = branch_distances(TREE, ["a", "b", "c", "e"])
    np.testing.assert_allclose(found, [[0, 2, 8, 8], [2, 0, 8, 8], [8, 8, 0, 4], [8, 8, 4, 0]])


def test_groups_have_pure_neighbours_and_noise_has_none() -> None:
    random = np.random.default_rng(0)
    labels = np.array(["x", "y"])[np.arange(80) % 2]
    noise = random.normal(size=(80, 6))
    apart = noise + 3.0 * (labels == "x")[:, None]
    blocks = np.arange(80)
    found = window_geometry(apart, noise, labels, blocks)
    assert found.purity > 0.95
    assert found.p == 0.001
    assert abs(found.baseline_purity - found.chance) < 0.1
    assert found.components.explained[0] > 0.5
    assert window_geometry(noise, noise, labels, blocks).p > 0.01


def test_neighbours_of_the_same_block_do_not_count() -> None:
    vectors = np.repeat(np.random.default_rng(0).normal(size=(20, 4)), 2, axis=0)
    labels = np.repeat([f"l{k}" for k in range(20)], 2)
    found = window_geometry(vectors, vectors, labels, np.repeat(np.arange(20), 2))
    assert found.purity == 0.0


def test_species_whose_means_follow_a_tree_correlate_with_it() -> None:
    random = np.random.default_rng(1)
    names = ["a", "b", "c", "d", "e"]
    ages = branch_distances(TREE, names)
    # Classical scaling puts the species where their distances are those of the tree.
    squared = -0.5 * ages**2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    values, axes = np.linalg.eigh(centred)
    places = axes * np.sqrt(np.maximum(values, 0))
    vectors = {n: p + random.normal(size=(60, 5)) for n, p in zip(names, places, strict=True)}
    noise = {"noise": {n: random.normal(size=(60, 5)) for n in names}}
    found = species_geometry(vectors, noise, TREE)
    assert found.correlations["embedding"].r > 0.9
    assert found.correlations["embedding"].p < 0.05
    assert found.correlations["noise"].p > 0.05
    with pytest.raises(BudwoodError, match="3 species"):
        species_geometry({n: vectors[n] for n in "abc"}, {}, TREE)
    with pytest.raises(BudwoodError, match="misses the species"):
        species_geometry({**vectors, "z": vectors["a"]}, {}, TREE)


def test_mantel_of_equal_matrices_is_one() -> None:
    ages = branch_distances(TREE, ["a", "b", "c", "d", "e"])
    assert mantel(ages, ages).r == pytest.approx(1.0)


def test_umap_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    labels = np.array(["x", "y"])[np.arange(20) % 2]
    vectors = np.random.default_rng(0).normal(size=(20, 3))
    with pytest.raises(BudwoodError, match=r"budwood\[umap\]"):
        window_geometry(vectors, vectors, labels, np.arange(20), with_umap=True)
