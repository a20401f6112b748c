"""A window knows where its gene begins, on either strand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.corpus.sampling.genome import load_training_genome, no_tracks
from budwood.corpus.sampling.locus import NO_ANCHOR, loci_of_contig, reverse_locus
from budwood.corpus.sampling.sampler import DrawnWindow, SamplerConfig, WindowSampler
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode


def gene(name: str, start: int, end: int, strand: str, coding: CodingPart | None = None) -> Gene:
    cds = (coding,) if coding else ()
    return Gene(name, "c", start, end, strand, (Transcript(f"{name}.1", (Span(start, end),), cds),))


@pytest.mark.parametrize(
    ("given_gene", "anchor", "direction"),
    [
        (gene("g", 100, 200, "+", CodingPart(120, 150, 0)), 120, 1),
        (gene("g", 100, 200, "-", CodingPart(120, 150, 0)), 149, -1),
        (gene("g", 100, 200, "+", CodingPart(120, 150, 1)), 100, 1),
        (gene("g", 100, 200, "-"), 199, -1),
        (gene("g", 100, 200, "."), NO_ANCHOR, 0),
    ],
    ids=["start codon", "start codon, reverse", "broken codon", "no coding sequence", "no strand"],
)
def test_a_gene_begins_at_its_start_codon_or_else_its_first_base(given_gene, anchor, direction):
    loci = loci_of_contig(Annotation((given_gene,)), "c")
    assert (loci.anchor.tolist(), loci.direction.tolist()) == ([anchor], [direction])
    assert len(loci_of_contig(Annotation((given_gene,)), "other")) == len(loci_of_contig(None, "c")) == 0


def test_of_two_genes_the_one_that_begins_nearer_counts():
    loci = loci_of_contig(Annotation((gene("a", 100, 400, "+"), gene("b", 350, 500, "-"))), "c")
    assert loci.at(360, 10) == (499, -1)
    assert loci.at(105, 10) == (100, 1)
    assert loci.at(600, 10) == (NO_ANCHOR, 0)


@given(st.integers(-(10**9), 10**9), st.sampled_from([-1, 1]), st.integers(1, 2000))
def test_turning_twice_changes_nothing(anchor, direction, window):
    assert reverse_locus(*reverse_locus(anchor, direction, window), window) == (anchor, direction)
    assert reverse_locus(NO_ANCHOR, 0, window) == (NO_ANCHOR, 0)


@given(st.integers(0, 63), st.integers(0, 2**32 - 1))
def test_the_anchor_of_a_turned_window_points_at_the_same_base(anchor, seed):
    random = np.random.default_rng(seed)
    codes = random.integers(0, 4, 64, dtype=np.uint8)
    marked = np.arange(64) == anchor
    turned = DrawnWindow(
        codes, marked, np.zeros(64, dtype=np.uint8), anchor, 1, 0, no_tracks(64)
    ).reverse_complement()
    assert turned.repeat[turned.anchor]
    assert turned.codes[turned.anchor] == 3 - codes[anchor]
    assert turned.direction == -1


@settings(max_examples=30, deadline=None)
@given(
    st.integers(300, 900),
    st.integers(30, 400),
    st.sampled_from("+-"),
    st.integers(0, 2**16),
)
def test_drawn_windows_place_the_anchor_where_the_genome_has_it(start, length, strand, seed):
    """Only the base at the anchor is repeat, so wherever it is in sight the track and the number agree."""
    anchor = start if strand == "+" else start + length - 1
    random = np.random.default_rng(seed)
    letters = decode(random.integers(0, 4, 1500, dtype=np.uint8))
    letters = letters[:anchor] + letters[anchor].lower() + letters[anchor + 1 :]
    annotation = Annotation((gene("g", start, start + length, strand),))
    genome = load_training_genome("s", InMemoryAssembly({"c": letters}), annotation)
    sampler = WindowSampler([genome, genome], [1.0, 1.0], SamplerConfig(window=64, flank=50), seed=seed)
    batch = sampler.batch(0, 16)
    assert set(batch.species) <= {0, 1}
    for row in range(16):
        if batch.repeat[row].any():
            assert batch.anchor[row] == np.flatnonzero(batch.repeat[row])[0]
        if batch.anchor[row] == NO_ANCHOR:
            assert batch.direction[row] == 0
            continue
        forward = batch.codes[row].tobytes() in genome.training[0].codes.tobytes()
        assert (batch.direction[row] == 1) == (forward == (strand == "+"))
