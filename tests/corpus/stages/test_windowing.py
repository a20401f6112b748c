"""Windows keep to stretches without gaps, and know whether a gene is near."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budwood.corpus.recipe.recipe import WindowConfig
from budwood.corpus.sampling.locus import Loci
from budwood.corpus.stages.select_windows import choose_windows
from budwood.corpus.stages.windowing import tile_contig
from budwood.genomics.sequence import encode


def loci(*genes: tuple[int, int, int]) -> Loci:
    start, end, direction = (np.array(column) for column in zip(*genes, strict=True))
    return Loci(start, end, start, direction.astype(np.int8))


NONE = Loci(*(np.empty(0, np.int64),) * 3, np.empty(0, np.int8))


def test_gaps_and_ends_by_hand():
    codes = encode("A" * 25 + "N" * 10 + "C" * 7 + "N" * 12 + "G" * 3)
    config = WindowConfig(length=10, shortest=4, max_unknown=0.2)
    start, length, _ = tile_contig(codes, NONE, config)
    assert list(zip(start.tolist(), length.tolist(), strict=True)) == [(0, 10), (10, 10), (20, 5), (35, 7)]


def test_a_window_with_too_much_n_is_left_out():
    codes = encode("AAANNNAAAA" + "ACGTACGTAC")
    assert tile_contig(codes, NONE, WindowConfig(length=10, shortest=4, max_unknown=0.2))[0].tolist() == [10]
    assert tile_contig(codes, NONE, WindowConfig(length=10, shortest=4, max_unknown=0.3))[0].tolist() == [
        0,
        10,
    ]


def test_the_promoter_lies_before_the_gene_on_its_own_strand():
    codes = np.zeros(1000, dtype=np.uint8)
    config = WindowConfig(length=100, promoter=150, flank=0, shortest=10)
    for direction, near in ((1, [2, 3, 4]), (-1, [4, 5, 6]), (0, [2, 3, 4, 5, 6])):
        genic = tile_contig(codes, loci((400, 500, direction)), config)[2]
        assert np.flatnonzero(genic).tolist() == near
    # A long gene that began before a short one still covers what follows.
    genic = tile_contig(codes, loci((0, 900, 1), (100, 150, 1)), config)[2]
    assert genic[:9].all()
    assert not genic[9]


@given(st.lists(st.tuples(st.sampled_from("AN"), st.integers(1, 40)), max_size=8), st.integers(5, 30))
def test_windows_never_overlap_and_stay_within_the_contig(runs, width):
    codes = encode("".join(letter * count for letter, count in runs))
    start, length, _ = tile_contig(codes, NONE, WindowConfig(length=width, shortest=min(5, width)))
    assert ((start[1:] - start[:-1]) >= length[:-1]).all()
    assert (length <= width).all()
    assert ((start + length) <= len(codes)).all()


def test_as_many_windows_from_elsewhere_as_of_genes():
    genic = np.zeros(1000, dtype=np.bool_)
    genic[:200] = True
    random = np.random.default_rng(0)
    rows = choose_windows(genic, 1.0, 0, random)
    assert len(rows) == 400
    assert set(range(200)) <= set(rows.tolist())
    assert len(choose_windows(~genic & False, 1.0, 0, random)) == 1000
    limited = choose_windows(genic, 1.0, 100, random)
    assert (len(limited), genic[limited].sum()) == (100, 50)
