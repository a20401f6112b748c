"""Windows cut from alignments: rows without gaps, columns of the other species, on both strands."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.alignment import GAP, Alignment
from budwood.genomics.sequence import PAD
from budwood.training.objective.alignment_columns import ColumnSampler


def alignment(columns: int, rows: int = 6, seed: int = 0) -> Alignment:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 4, (rows, columns), dtype=np.uint8)
    codes[random.random(codes.shape) < 0.2] = GAP
    return Alignment("locus", tuple(f"Genus s{i}" for i in range(rows)), codes)


def test_a_batch_depends_on_seed_and_number_alone() -> None:
    one, other = (ColumnSampler([alignment(300)], window=64, seed=3) for _ in range(2))
    one.batch(0, 2)
    for field in ("codes", "share"):
        assert (getattr(one.batch(7, 4), field) == getattr(other.batch(7, 4), field)).all()
    assert not (one.batch(7, 4).codes == one.batch(8, 4).codes).all()


def test_every_window_is_a_row_with_the_shares_of_the_other_rows() -> None:
    whole = alignment(30, rows=5)
    sampler = ColumnSampler([whole], window=64, least_species=1, seed=0)
    batch = sampler.batch(0, 40)
    weights = whole.row_weights()
    strands = set()
    for codes, share in zip(batch.codes, batch.share, strict=True):
        length = (codes != PAD).sum()
        assert (codes[length:] == PAD).all()
        assert not share[length:].any()
        for strand in (1, -1):
            bases = codes[:length] if strand == 1 else 3 - codes[:length][::-1]
            shares = share[:length] if strand == 1 else share[:length][::-1, ::-1]
            for row in range(5):
                columns = np.flatnonzero(whole.codes[row] != GAP)
                if len(columns) == length and (whole.codes[row, columns] == bases).all():
                    others = [other for other in range(5) if other != row]
                    expected = whole.column_bases(np.array(others), weights)[columns]
                    total = expected.sum(1, keepdims=True)
                    np.testing.assert_allclose(shares * total, expected, atol=1e-5)
                    strands.add(strand)
    assert strands == {1, -1}


def test_rows_of_the_same_species_are_no_target() -> None:
    codes = np.zeros((4, 20), dtype=np.uint8)
    codes[2:] = 3
    twins = Alignment("x", ("a a", "a a", "b b", "c c"), codes)
    batch = ColumnSampler([twins], window=20, least_species=2, seed=0).batch(0, 30)
    # Rows a, a of base A see T alone and twice; b and c see A and T, three rows in all.
    of_a = batch.share[np.isclose(batch.share.max((1, 2)), 1.0)]
    assert len(of_a) > 0
    assert np.isclose(batch.share.sum(-1), 1).all()


def test_columns_of_few_species_teach_nothing() -> None:
    codes = np.full((6, 10), GAP, dtype=np.uint8)
    codes[:, :5] = 1
    codes[:2, 5:] = 1
    few = Alignment("x", tuple(f"g s{i}" for i in range(6)), codes)
    batch = ColumnSampler([few], window=10, least_species=4, seed=0).batch(0, 20)
    asked = batch.share.any(-1)
    assert asked.sum(1).tolist() == [5] * 20


def test_alignments_of_too_few_species_are_told() -> None:
    with pytest.raises(BudwoodError, match="no alignment has more than 6 species"):
        ColumnSampler([alignment(10)], window=8, least_species=6, seed=0)
