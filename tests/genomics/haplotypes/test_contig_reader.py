from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.haplotypes import contig_reader
from budwood.genomics.haplotypes.contig_reader import ContigReader


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 80)), max_size=12), st.integers(1, 90))
def test_any_order_of_requests_equals_slicing(requests: list[tuple[int, int]], stretch: int) -> None:
    codes = np.random.default_rng(0).integers(0, 5, 50).astype(np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contig_reader, "_STRETCH", stretch)
        reader = ContigReader(InMemoryAssembly({"Chr1": codes}), "Chr1")
        for start, end in requests:
            np.testing.assert_array_equal(reader.codes(start, end), codes[start:end])


def test_neighbouring_requests_cost_one_access() -> None:
    class Counted(InMemoryAssembly):
        accesses = 0

        def sequence(self, interval):
            self.accesses += 1
            return super().sequence(interval)

    genome = Counted({"Chr1": np.zeros(10_000, dtype=np.uint8)})
    reader = ContigReader(genome, "Chr1")
    for start in range(0, 9_000, 100):
        reader.codes(start, start + 50)
    assert genome.accesses == 1
