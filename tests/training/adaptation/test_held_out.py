"""The part of a genome that is kept out of an adaptation."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.corpus.sampling.genome import TrainingContig, TrainingGenome, no_tracks
from budwood.corpus.sampling.locus import Loci
from budwood.errors import BudwoodError
from budwood.training.adaptation.held_out import hold_out


def genome(length: int) -> TrainingGenome:
    random = np.random.default_rng(0)
    starts = np.arange(0, length - 1000, 2000)
    loci = Loci(starts, starts + 900, starts + 10, np.ones(len(starts), dtype=np.int8))
    codes = random.integers(0, 4, length, dtype=np.uint8)
    contig = TrainingContig("c", codes, codes == 0, codes + 1, loci, no_tracks(length))
    short = TrainingContig(
        "d",
        codes[:600],
        codes[:600] == 0,
        codes[:600],
        Loci(*(starts[:0],) * 3, loci.direction[:0]),
        no_tracks(600),
    )
    return TrainingGenome("x", (contig, short), ())


def test_the_parts_are_the_genome_and_genes_keep_their_places() -> None:
    whole = genome(60_000)
    parts = hold_out(whole, 0.1)
    (kept,) = parts.validation
    first = parts.training[0]
    assert np.array_equal(np.concatenate([first.codes, kept.codes]), whole.training[0].codes)
    assert len(kept.codes) == 11 * 512
    assert len(parts.training[1].codes) == 600
    border = len(first.codes)
    assert (first.loci.end <= border).all()
    assert (kept.loci.anchor == kept.loci.start + 10).all()
    assert set(kept.loci.start + border) | set(first.loci.start) <= set(whole.training[0].loci.start)
    assert len(kept.loci) + len(first.loci) >= len(whole.training[0].loci) - 1


@pytest.mark.parametrize(("length", "share"), [(60_000, 0.0), (60_000, 0.7), (5_000, 0.1)])
def test_what_cannot_be_held_out_is_refused(length: int, share: float) -> None:
    with pytest.raises(BudwoodError):
        hold_out(genome(length), share)
