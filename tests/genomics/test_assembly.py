from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics import assembly as assembly_module
from budwood.genomics.assembly import InMemoryAssembly, assembly_quality
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import decode, encode


def test_strand_turns_sequence_and_mask_around() -> None:
    genome = InMemoryAssembly({"c": "aaCGT"})
    assert decode(genome.sequence(Interval("c", 0, 4, "-"))) == "CGTT"
    assert genome.soft_mask(Interval("c", 0, 4, "-")).tolist() == [False, False, True, True]


def test_codes_are_taken_as_they_are_and_copied_out() -> None:
    genome = InMemoryAssembly({"c": encode("ACGT")})
    genome.sequence(Interval("c", 0, 4))[:] = 4
    assert decode(genome.sequence(Interval("c", 0, 4))) == "ACGT"
    assert not genome.soft_mask(Interval("c", 0, 4)).any()


@pytest.mark.parametrize(
    ("interval", "what"),
    [(Interval("d", 0, 1), "there is no contig 'd'"), (Interval("c", 2, 5), "runs past the end")],
)
def test_intervals_outside_are_refused(interval: Interval, what: str) -> None:
    with pytest.raises(BudwoodError, match=what):
        InMemoryAssembly({"c": "ACGT"}).sequence(interval)


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_n50_is_the_shortest_of_the_contigs_that_hold_half(lengths: list[int]) -> None:
    quality = assembly_quality(InMemoryAssembly({str(i): "A" * n for i, n in enumerate(lengths)}))
    longest = sorted(lengths, reverse=True)
    assert sum(longest[: quality.l50]) >= sum(lengths) / 2 > sum(longest[: quality.l50 - 1])
    assert quality.n50 == longest[quality.l50 - 1]


def test_quality_is_the_same_when_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = "".join(np.random.default_rng(3).choice(list("ACGTNacgtn"), 1000))
    genome = InMemoryAssembly({"a": letters, "b": letters[:77]})
    whole = assembly_quality(genome)
    monkeypatch.setattr(assembly_module, "_CHUNK", 64)
    assert assembly_quality(genome) == whole
    assert whole.n_share == sum(c in "Nn" for c in letters + letters[:77]) / 1077


def test_an_assembly_without_bases_has_a_quality() -> None:
    assert assembly_quality(InMemoryAssembly({"a": ""})).total == 0
