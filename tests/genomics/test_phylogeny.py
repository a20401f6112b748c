"""Trees lose species without losing distances."""

from __future__ import annotations

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.newick import parse_newick
from budwood.genomics.phylogeny import Clade, tree_of_lineages


def depths(clade: Clade, above: float = 0.0) -> dict[str, float]:
    here = above + clade.length
    if not clade.children:
        return {clade.name: here}
    return {name: depth for child in clade.children for name, depth in depths(child, here).items()}


def test_pruning_joins_branches():
    tree = parse_newick("(((A:1,B:1):2,C:3):4,D:7);").pruned(["A", "C", "D"])
    assert depths(tree) == {"A": 7, "C": 7, "D": 7}
    assert depths(parse_newick("(((A:1,B:1):2,C:3):4,D:7);").pruned(["A", "B"])) == {"A": 1, "B": 1}


def test_a_species_that_the_tree_misses_is_named():
    with pytest.raises(BudwoodError, match="misses the species 'Zea mays'"):
        parse_newick("(A:1,B:1);").pruned(["A", "Zea mays"])


def test_species_of_lineages_stand_at_equal_depth():
    tree = tree_of_lineages({"a": ["X", "Y"], "b": ["X", "Z"], "c": ["X", "Z"], "d": []})
    assert set(depths(tree).values()) == {3.0}
    assert [len(child.children) for child in tree.children] == [2, 0]
