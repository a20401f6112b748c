from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from budwood.genomics.haplotypes.edits import trim_allele

LETTERS = st.text("AC", min_size=1, max_size=8)


@given(LETTERS, LETTERS)
def test_the_trimmed_allele_writes_the_same_sequence(ref: str, alt: str) -> None:
    first, stop, letters = trim_allele(ref, alt)
    assert ref[:first] + letters + ref[stop:] == alt
    if letters and first < stop:
        assert letters[0] != ref[first]
        assert letters[-1] != ref[stop - 1]


@given(LETTERS, LETTERS, st.text("AC", max_size=4))
def test_letters_shared_behind_change_nothing(ref: str, alt: str, behind: str) -> None:
    assert trim_allele(ref + behind, alt + behind) == trim_allele(ref, alt)
