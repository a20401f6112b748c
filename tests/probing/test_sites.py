"""Sites and decoys stand in the middle, on the gene's strand, with the letters they must show."""

from __future__ import annotations

import numpy as np
import pytest

from meristem.errors import MeristemError
from meristem.genomics.annotation import Annotation, CodingPart, Gene, Span, Transcript
from meristem.genomics.assembly import InMemoryAssembly
from meristem.genomics.sequence import decode, encode, reverse_complement
from meristem.probing.linear import LinearProbe, one_hot, score_auroc
from meristem.probing.sites import SITE_LETTERS, collect_sites

LENGTH = 3000


def plant(strand: str):
    """A contig with one gene of two exons whose intron is GT..AG and whose first codon is ATG."""
    random = np.random.default_rng(7)
    codes = random.integers(0, 4, LENGTH, dtype=np.uint8)
    for start, letters in ((1000, "ATG"), (1300, "GT"), (1598, "AG")):
        codes[start : start + len(letters)] = encode(letters)
    spans = [(1000, 1300), (1600, 2000)]
    if strand == "-":
        codes = reverse_complement(codes)
        spans = [(LENGTH - end, LENGTH - start) for start, end in reversed(spans)]
    exons = tuple(Span(*span) for span in spans)
    transcript = Transcript("t", exons, tuple(CodingPart(s, e, 0) for s, e in spans))
    gene = Gene("g", "c", spans[0][0], spans[-1][1], strand, (transcript,))
    return InMemoryAssembly({"c": codes}), Annotation((gene,))


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize("kind", sorted(SITE_LETTERS))
def test_letters_stand_at_the_middle_on_both_strands(kind, strand):
    sites = collect_sites(*plant(strand), kind)
    assert sites.is_site.tolist() == [True, False]
    letters = SITE_LETTERS[kind]
    begin = 256 - (2 if kind == "acceptor" else 0)
    assert [decode(w[begin : begin + len(letters)]) for w in sites.windows] == [letters] * 2
    # The true site is the planted one: the same window from either strand.
    assert np.array_equal(sites.windows[0], collect_sites(*plant("+"), kind).windows[0])


def test_unknown_kinds_and_empty_annotations_are_told():
    assembly, annotation = plant("+")
    with pytest.raises(MeristemError, match="unknown site"):
        collect_sites(assembly, annotation, "enhancer")
    with pytest.raises(MeristemError, match="no gene has a donor"):
        collect_sites(assembly, Annotation(()), "donor")


def test_one_hot_keeps_the_middle():
    window = encode("AACGTTNA")[None]
    assert one_hot(window, 2).reshape(4, 4).argmax(1).tolist() == ["ACGT".index(x) for x in "CGTT"]
    assert one_hot(window, 4).sum() == 7


def test_a_probe_finds_a_signal_and_none_in_noise():
    random = np.random.default_rng(0)
    noise, labels = random.normal(size=(400, 5)), np.arange(400) % 2 == 0
    signal = noise + labels[:, None]
    assert LinearProbe().fit(signal[:200], labels[:200]).score(signal[200:], labels[200:]).auroc > 0.9
    blind = LinearProbe().fit(noise[:200], labels[:200]).score(noise[200:], labels[200:])
    assert blind.lower < 0.5 < blind.upper


def test_auroc_interval_holds_the_estimate():
    score = score_auroc(np.array([0.1, 0.4, 0.35, 0.8] * 20), np.array([False, False, True, True] * 20))
    assert score.auroc == 0.75
    assert score.lower <= 0.75 <= score.upper
