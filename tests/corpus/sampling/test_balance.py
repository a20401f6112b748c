"""Weights from trees, by hand and by what must hold of any tree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.corpus.sampling.balance import combine_group_weights, effective_number, tree_weights
from budwood.genomics.io.tables.newick import parse_newick, read_newick
from budwood.genomics.phylogeny import tree_of_lineages


def test_the_example_of_the_method():
    """Gerstein, Sonnhammer and Chothia's four sequences: .35, .35, .5 and .8 before the last branch."""
    weights = tree_weights(parse_newick("(((A:.2,B:.2):.3,C:.5):.3,D:.8);"))
    expected = {"A": 0.4375, "B": 0.4375, "C": 0.625, "D": 0.8}
    assert weights == pytest.approx({name: value / 2.3 for name, value in expected.items()})


def test_many_close_relatives_count_hardly_more_than_one():
    crops = ",".join(f"c{number}:0.01" for number in range(50))
    weights = tree_weights(parse_newick(f"(({crops}):0.99,lone:1);"))
    assert weights["lone"] == pytest.approx(0.4, abs=0.02)
    assert effective_number(weights.values()) < effective_number([1] * 51)
    star = tree_weights(parse_newick("(A:1,B:1,C:1,D:1);"))
    assert effective_number(star.values()) == pytest.approx(4)


@given(st.lists(st.lists(st.sampled_from("XYZ"), max_size=3), min_size=1, max_size=12))
def test_weights_sum_to_one_and_equal_lineages_weigh_the_same(lineages):
    weights = tree_weights(tree_of_lineages({str(n): ranks for n, ranks in enumerate(lineages)}))
    assert sum(weights.values()) == pytest.approx(1)
    assert 1 <= effective_number(weights.values()) <= len(lineages) + 1e-9
    for one, ranks in enumerate(lineages):
        for other in range(one):
            if lineages[other] == ranks:
                assert weights[str(one)] == pytest.approx(weights[str(other)])


def test_a_tree_without_lengths_weighs_all_the_same():
    assert tree_weights(parse_newick("((A,B),C);")) == pytest.approx({"A": 1 / 3, "B": 1 / 3, "C": 1 / 3})


def test_shares_are_taken_first():
    weights = combine_group_weights(
        {"": (0.0, {"a": 2, "b": 2}), "x": (0.1, {"c": 3, "d": 1}), "y": (0.0, {"e": 4})}
    )
    assert weights == pytest.approx({"a": 0.225, "b": 0.225, "c": 0.075, "d": 0.025, "e": 0.45})
    assert combine_group_weights({"x": (0.1, {"c": 3}), "y": (0.3, {"d": 1})}) == pytest.approx(
        {"c": 0.25, "d": 0.75}
    )


@pytest.mark.real
def test_crops_of_the_dated_tree(real_data):
    tree = read_newick(real_data / "phylogeny" / "species36_GBOTB.nwk")
    weights = tree_weights(tree)
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["Amborella trichopoda"] == max(weights.values())
    assert weights["Brassica napus"] < np.median(list(weights.values()))
