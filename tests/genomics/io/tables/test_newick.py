"""Newick trees survive writing and reading; broken ones are told apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.newick import parse_newick, read_newick
from budwood.genomics.phylogeny import Clade


def notation(clade: Clade) -> str:
    inner = f"({','.join(notation(child) for child in clade.children)})" if clade.children else ""
    quoted = clade.name.replace("'", "''")
    label = f"'{quoted}'" if clade.name else ""
    return f"{inner}{label}:{clade.length!r}"


@st.composite
def trees(draw: st.DrawFn) -> Clade:
    names = draw(st.lists(st.text("abXY' _.", min_size=1, max_size=5), min_size=1, max_size=8, unique=True))
    lengths = st.floats(0, 1e3)
    clades = [Clade(name, draw(lengths)) for name in names]
    while len(clades) > 1:
        take = draw(st.integers(2, len(clades)))
        clades = [
            Clade(draw(st.sampled_from(["", "in"])), draw(lengths), tuple(clades[:take])),
            *clades[take:],
        ]
    return clades[0]


@given(trees())
def test_what_is_written_is_read(tree: Clade) -> None:
    assert parse_newick(notation(tree) + ";") == tree


@pytest.mark.parametrize(
    "text", ["", "(A,B", "A,B)", "(A:x,B);", "(A:-1,B);", "(A,);(", "(A,A);", "('A,B);", "(A:nan,B);", "(,);"]
)
def test_broken_trees_are_one_sentence(text: str) -> None:
    with pytest.raises(BudwoodError):
        parse_newick(text)


@pytest.mark.real
def test_the_dated_tree_of_plants(real_data) -> None:
    tree = read_newick(real_data / "phylogeny" / "species36_GBOTB.nwk")
    names = {leaf.name for leaf in tree.leaves()}
    assert len(names) == 33
    assert {"Brassica napus", "Theobroma cacao"} <= names


@pytest.mark.parametrize("depth", [201, 2_000, 50_000])
def test_trees_nested_too_deep_are_refused(depth: int) -> None:
    with pytest.raises(BudwoodError, match="nested more than 200 deep"):
        parse_newick("(" * depth + "a" + ")" * depth + ";")
