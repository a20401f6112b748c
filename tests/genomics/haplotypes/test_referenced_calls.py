"""Calls as a reference sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.haplotypes.calls import CallBlock, Site
from budwood.genomics.haplotypes.referenced_calls import ReferencedCalls
from budwood.genomics.haplotypes.table import tabulate_haplotypes

GENOME = InMemoryAssembly({"Chr1": "ACGTACGTAC", "Chr2": "TTTT"})


@dataclass(frozen=True)
class Calls:
    """A CallSource in memory."""

    given: tuple[CallBlock, ...]
    accessions: tuple[str, ...] = ("a", "b")
    contigs: Mapping[str, int | None] = None  # type: ignore[assignment]
    has_letters: bool = True

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        yield from self.given


def source(contig: str, *sites: tuple[int, tuple[str, ...], list[list[int]]]) -> Calls:
    made = tuple(Site(contig, start, f"m{start}", alleles) for start, alleles, _ in sites)
    calls = np.array([calls for _, _, calls in sites], dtype=np.int8)
    block = CallBlock(made, calls, np.zeros(calls.shape[:2], dtype=bool))
    return Calls((block,), contigs={contig: None})


def test_the_reference_allele_comes_first() -> None:
    calls = source("Chr1", (1, ("T", "C"), [[0, 1], [-1, 1]]), (2, ("G", "A"), [[0, 1], [1, 1]]))
    (block,) = ReferencedCalls(calls, GENOME, reorder=True).blocks()
    assert [site.alleles for site in block.sites] == [("C", "T"), ("G", "A")]
    assert block.alleles.tolist() == [[[1, 0], [-1, 0]], [[0, 1], [1, 1]]]
    assert calls.given[0].alleles.tolist()[0] == [[0, 1], [-1, 1]]


def test_sites_without_the_reference_allele_stay() -> None:
    calls = source("Chr1", (1, ("T", "A"), [[0, 1], [0, 0]]), (-1, ("T", "A"), [[0, 1], [0, 0]]))
    (block,) = ReferencedCalls(calls, GENOME, reorder=True).blocks()
    assert block.sites == calls.given[0].sites
    assert block.alleles is calls.given[0].alleles


def test_aliases_are_applied_and_checked() -> None:
    calls = source("1", (1, ("C", "T"), [[0, 1], [0, 0]]))
    renamed = ReferencedCalls(calls, GENOME, aliases={"1": "Chr1"})
    assert list(renamed.contigs) == ["Chr1"]
    assert [site.contig for block in renamed.blocks() for site in block.sites] == ["Chr1"]
    for aliases in ({"2": "Chr1"}, {"1": "chr1"}):
        with pytest.raises(BudwoodError, match="there is no contig"):
            ReferencedCalls(calls, GENOME, aliases=aliases)


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(-1, 1), min_size=4, max_size=4)), min_size=1))
def test_the_order_of_alleles_does_not_change_the_haplotypes(
    rows: list[tuple[bool, list[int]]],
) -> None:
    """Swapping REF and ALT of any site, as PLINK may, gives the same sequences for everyone."""
    letters = "ACGT" * len(rows)
    genome = InMemoryAssembly({"Chr1": letters})
    plain, swapped = [], []
    for position, (swap, row) in enumerate(rows):
        calls = [row[:2], row[2:]]
        # A missing call is the reference allele in a haplotype table, whichever order the alleles have.
        reference = letters[position]
        other = "G" if reference == "T" else "T"
        plain.append((position, (reference, other), calls))
        turned = [[copy if copy < 0 else 1 - copy for copy in each] for each in calls]
        swapped.append((position, (other, reference), turned) if swap else plain[-1])
    if not any(copy == 1 for _, row in rows for copy in row):
        return
    expected = tabulate_haplotypes(source("Chr1", *plain), genome)
    found = tabulate_haplotypes(ReferencedCalls(source("Chr1", *swapped), genome, reorder=True), genome)
    np.testing.assert_array_equal(found.sequences, expected.sequences)
    np.testing.assert_array_equal(found.codes, expected.codes)
