from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.haplotypes.calls import ABSENT, MISSING
from budwood.genomics.io.variants.allele_counts import count_alleles
from budwood.genomics.io.variants.dosage_calls import DosageCalls


def words(*texts: str) -> NDArray[np.object_]:
    return np.array(texts, dtype=object)


def panel(dosage: NDArray[np.int8], ploidy: NDArray[np.int8], letters: bool = True) -> Genotypes:
    m = dosage.shape[1]
    contig = words(*(f"chr{1 + 2 * j // max(m, 1)}" for j in range(m)))
    counted = words(*("T" if letters and j else "" for j in range(m)))
    other = words(*("C" if letters and j else "" for j in range(m)))
    names = words(*(f"m{j}" for j in range(m)))
    markers = Markers(names, contig, np.arange(m, dtype=np.int64), counted, other)
    return Genotypes(tuple(f"a{i}" for i in range(len(dosage))), markers, dosage, ploidy)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 5), m=st.integers(1, 9), size=st.integers(1, 4))
def test_calls_count_back_to_the_dosages(seed: int, n: int, m: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    ploidy = rng.integers(1, 7, n).astype(np.int8)
    dosage = rng.integers(-1, ploidy[:, None] + 1, (n, m)).astype(np.int8)
    source = DosageCalls(panel(dosage, ploidy), "test")
    assert all(len({site.contig for site in block.sites}) == 1 for block in source.blocks(size))
    back = count_alleles(source)
    np.testing.assert_array_equal(back.dosage, dosage)
    called = (dosage >= 0).any(axis=1)
    np.testing.assert_array_equal(back.ploidy[called], ploidy[called])


def test_missing_and_absent_copies_and_unknown_letters() -> None:
    source = DosageCalls(
        panel(np.array([[1, -1], [1, 0]], dtype=np.int8), np.array([3, 1], dtype=np.int8)), "test"
    )
    first, second = source.blocks()
    assert first.alleles[0].tolist() == [[0, 0, 1], [1, ABSENT, ABSENT]]
    assert second.alleles[0].tolist() == [[MISSING] * 3, [0, ABSENT, ABSENT]]
    assert first.phased[0].tolist() == [False, True]
    assert [first.sites[0].alleles, second.sites[0].alleles] == [("N", "N"), ("C", "T")]
    bare = DosageCalls(
        panel(np.zeros((1, 1), dtype=np.int8), np.ones(1, dtype=np.int8), letters=False), "test"
    )
    assert not bare.has_letters
    assert next(bare.blocks()).sites[0].alleles == ("", "")


def test_fractional_dosages_are_no_calls() -> None:
    fractional = Genotypes.from_matrix(["a"], np.array([[0.5]], dtype=np.float32))
    with pytest.raises(BudwoodError, match="dosages are fractional"):
        next(DosageCalls(fractional, "test").blocks())
