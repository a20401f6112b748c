from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site
from budwood.genomics.io.variants.allele_counts import count_alleles


class InMemoryCalls:
    """Calls given as lists: one entry per site, (alleles, calls of every accession)."""

    has_letters = True

    def __init__(self, sites: list[tuple[tuple[str, ...], list[list[int]]]]) -> None:
        self._sites = sites
        self.accessions = tuple(f"a{i}" for i in range(len(sites[0][1])))
        self.contigs: Mapping[str, int | None] = {"c": None}

    def blocks(self, sites_per_block: int = 2) -> Iterator[CallBlock]:
        for first in range(0, len(self._sites), 2):
            part = self._sites[first : first + 2]
            width = max(len(call) for _, calls in part for call in calls)
            padded = [[call + [ABSENT] * (width - len(call)) for call in calls] for _, calls in part]
            alleles = np.array(padded, dtype=np.int8)
            sites = tuple(Site("c", first + j, f"s{first + j}", names) for j, (names, _) in enumerate(part))
            yield CallBlock(sites, alleles, np.zeros(alleles.shape[:2], dtype=np.bool_))


BIALLELIC = ("A", "C")


def test_every_alternative_allele_makes_a_marker() -> None:
    panel = count_alleles(
        InMemoryCalls(
            [
                (("A", "C", "T"), [[0, 2, 2, 1], [1, 1, 1, 1]]),
                (("G",), [[0, 0, 0, 0], [0, 0, 0, 0]]),
                (BIALLELIC, [[0, 0, 1, 1], [0, MISSING, 1, 1]]),
            ]
        )
    )
    assert panel.markers.identifier.tolist() == ["s0:C", "s0:T", "s2"]
    assert panel.markers.counted.tolist() == ["C", "T", "C"]
    assert panel.markers.other.tolist() == ["A", "A", "A"]
    assert panel.dosage.tolist() == [[1, 2, 2], [4, 0, -1]]
    assert panel.ploidy.tolist() == [4, 4]


def test_narrow_calls_are_scaled_to_their_accessions_ploidy() -> None:
    diploid, haploid = (BIALLELIC, [[0, 1], [1, 1, 0, 0]]), (BIALLELIC, [[1], [1]])
    panel = count_alleles(InMemoryCalls([diploid, diploid, haploid, (BIALLELIC, [[MISSING], [0]])]))
    assert panel.ploidy.tolist() == [2, 4]
    assert panel.dosage.dtype == np.int8
    assert panel.dosage.tolist() == [[1, 1, 2, -1], [2, 2, 4, 0]]


def test_scaling_that_is_not_whole_is_fractional() -> None:
    panel = count_alleles(
        InMemoryCalls([(BIALLELIC, [[0, 1, 1]]), (BIALLELIC, [[0, 1]]), (BIALLELIC, [[MISSING]])])
    )
    assert panel.dosage.dtype == np.float32
    np.testing.assert_array_equal(panel.dosage, [[2, 1.5, np.nan]])


def test_an_accession_without_a_call_takes_the_widest_ploidy() -> None:
    panel = count_alleles(InMemoryCalls([(BIALLELIC, [[MISSING], [0, 0, 1, 1]])]))
    assert panel.ploidy.tolist() == [4, 4]
    assert panel.dosage.tolist() == [[-1], [2]]


@given(
    seed=st.integers(0, 2**32 - 1),
    ploidies=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    kinds=st.lists(st.integers(1, 4), min_size=1, max_size=7),
)
def test_equal_to_counting_call_by_call(seed: int, ploidies: list[int], kinds: list[int]) -> None:
    rng = np.random.default_rng(seed)
    sites = []
    for kind in kinds:
        calls = [
            [int(c) for c in np.where(rng.random(p) < 0.1, -1, rng.integers(0, kind, p))] for p in ploidies
        ]
        sites.append((tuple("ACGT"[:kind]), calls))
    panel = count_alleles(InMemoryCalls(sites))
    expected = [
        [-1 if MISSING in call else call.count(allele) for call in calls]
        for names, calls in sites
        for allele in range(1, len(names))
    ]
    assert panel.dosage.T.tolist() == expected
    complete = [any(MISSING not in calls[i] for _, calls in sites) for i in range(len(ploidies))]
    assert all(panel.ploidy[i] == p for i, p in enumerate(ploidies) if complete[i])
