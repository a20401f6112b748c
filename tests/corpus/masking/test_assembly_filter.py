"""Contig N50 by hand, and which assemblies pass."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budwood.corpus.masking.assembly_filter import (
    AssemblyFacts,
    filter_assemblies,
    known_stretches,
    n50,
)
from budwood.corpus.recipe.recipe import FilterConfig
from budwood.genomics.sequence import encode


def test_n50_by_hand():
    # 70 + 50 + 40 reach 160 of 280: more than half; 70 + 50 = 120 do not.
    assert n50(np.array([30, 70, 20, 40, 50, 40, 30])) == 40
    assert n50(np.array([5, 5])) == 5
    assert n50(np.array([], dtype=np.int64)) == 0


def test_scaffolds_are_cut_at_gaps_of_ten():
    codes = encode("NN" + "A" * 5 + "N" * 9 + "C" * 4 + "N" * 10 + "G" * 3 + "N")
    assert known_stretches(codes).tolist() == [[2, 20], [30, 33]]
    assert known_stretches(encode("NNN")).tolist() == []


@given(st.text("ACN", max_size=200), st.integers(1, 12))
def test_stretches_cover_every_known_base_and_hold_no_gap(letters, gap):
    covered = "".join(letters[a:b] for a, b in known_stretches(encode(letters), gap))
    assert covered.replace("N", "") == letters.replace("N", "")
    for start, end in known_stretches(encode(letters), gap):
        assert "N" * gap not in letters[start:end]
        assert letters[start] != "N" != letters[end - 1]


def test_a_poor_assembly_is_used_only_without_a_better_one():
    facts = [
        AssemblyFacts("rye", "v1", 40_000, 0.1),
        AssemblyFacts("rye", "v2", 900_000, 0.1),
        AssemblyFacts("fig", "v1", 20_000, 0.1),
        AssemblyFacts("fig", "v2", 30_000, 0.1),
        AssemblyFacts("yam", "v1", 90_000, 0.7),
        AssemblyFacts("oat", "v1", 50_000, 0.5),
    ]
    conclusions = filter_assemblies(facts, FilterConfig())
    assert [conclusion.used for conclusion in conclusions] == [False, True, False, True, True, True]
    assert conclusions[0].reason == "contig N50 40000 is under 50000"
    assert "nothing better" in conclusions[3].reason
    assert "70% of it is N" in conclusions[4].reason
    assert conclusions[5].reason == "passes"
