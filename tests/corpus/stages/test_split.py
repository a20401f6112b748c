"""Clusters stay whole, shares are kept, large clusters are trained on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budwood.corpus.recipe.recipe import SplitConfig
from budwood.corpus.stages.split import split_clusters


@given(st.integers(0, 2**16), st.floats(0, 0.6), st.integers(1, 60))
def test_whole_clusters_and_no_more_than_the_share(seed, share, clusters):
    random = np.random.default_rng(seed)
    cluster = random.integers(0, clusters, 300)
    species = random.integers(0, 4, 300)
    config = SplitConfig(validation=share, largest_cluster=0.05)
    kept = split_clusters(cluster, species, config, seed)
    assert not set(cluster[kept]) & set(cluster[~kept])
    for each in range(4):
        assert kept[species == each].sum() <= share * (species == each).sum()
    sizes = np.bincount(cluster)
    assert all(sizes[number] <= 15 for number in set(cluster[kept]))
    assert np.array_equal(kept, split_clusters(cluster, species, config, seed))


def test_every_species_gets_its_share_where_clusters_are_small():
    cluster = np.arange(1000)
    species = np.repeat([0, 1], [900, 100])
    kept = split_clusters(cluster, species, SplitConfig(validation=0.1, largest_cluster=0.01), 1)
    assert (kept[:900].sum(), kept[900:].sum()) == (90, 10)
