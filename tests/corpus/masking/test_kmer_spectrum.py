"""k-mer counts against counting by hand, and excess where a sequence repeats itself."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.corpus.masking import kmer_spectrum
from budwood.corpus.masking.kmer_spectrum import STEPS, ZERO, both_strands, count_kmers, excess
from budwood.genomics.sequence import decode, encode, reverse_complement


@given(st.lists(st.text("ACGTN", max_size=60), min_size=1, max_size=3), st.integers(1, 5))
def test_counts_are_those_of_both_strands(texts, k):
    spectrum = both_strands(count_kmers([encode(text) for text in texts], k))
    expected: Counter[str] = Counter()
    for text in texts:
        for strand in (text, decode(reverse_complement(encode(text)))):
            words = (strand[i : i + k] for i in range(len(strand) - k + 1))
            expected.update(word for word in words if "N" not in word)
    found = {
        "".join("ACGT"[number >> 2 * place & 3] for place in reversed(range(k))): int(spectrum.counts[number])
        for number in np.flatnonzero(spectrum.counts)
    }
    assert found == expected


def test_a_repeat_stands_out_by_the_bits_of_its_copies():
    random = np.random.default_rng(3)
    codes = random.integers(0, 4, 300_000, dtype=np.uint8)
    unit = random.integers(0, 4, 400, dtype=np.uint8)
    places = np.arange(32) * 9000 + 1000
    for place in places[::2]:
        codes[place : place + 400] = unit
    for place in places[1::2]:
        codes[place : place + 400] = reverse_complement(unit)
    codes[:50] = 4
    spectrum = both_strands(count_kmers([codes], 10))
    bits = (excess(codes, spectrum, 0.5).astype(float) - ZERO) / STEPS
    inside = bits[places[:, None] + np.arange(100, 300)].mean()
    # 32 copies over an expectation of 300,000 x 2 / 4^10.
    assert inside == pytest.approx(np.log2(32.6 / 0.572), abs=0.2)
    assert abs(np.median(bits[5000:9000])) < 1.5
    assert (excess(codes, spectrum, 0.5)[:50] == 0).all()


def test_pieces_leave_no_seam(monkeypatch):
    codes = np.random.default_rng(0).integers(0, 4, 5000, dtype=np.uint8)
    codes[2000:2100] = 4
    spectrum = both_strands(count_kmers([codes], 8))
    whole = excess(codes, spectrum, 0.5)
    monkeypatch.setattr(kmer_spectrum, "_PIECE", 700)
    assert np.array_equal(both_strands(count_kmers([codes], 8)).counts, spectrum.counts)
    # The running mean adds in another order at a piece's start: at most one step of rounding apart.
    assert np.abs(excess(codes, spectrum, 0.5).astype(int) - whole).max() <= 1
