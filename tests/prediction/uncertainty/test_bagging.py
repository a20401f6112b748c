"""Bagging: which records and markers each fit gets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budwood.prediction.uncertainty.bagging import Bagging


@given(records=st.integers(4, 80), folds=st.integers(2, 5), repeats=st.integers(1, 5))
def test_every_record_is_left_out_once_in_each_repeat(records: int, folds: int, repeats: int) -> None:
    left_out = np.zeros(records, dtype=int)
    for draw in Bagging(folds=folds, repeats=repeats).draws(records, 30):
        assert sorted([*draw.rows, *draw.held_out]) == list(range(records))
        left_out[draw.held_out] += 1
    assert (left_out == repeats).all()


def test_fits_see_different_markers_of_one_spacing() -> None:
    columns = [draw.columns for draw in Bagging(markers=51).draws(60, 200)]
    assert all(set(np.diff(chosen)) == {4} for chosen in columns)
    assert {int(chosen[0]) for chosen in columns} <= {0, 1, 2, 3}
    assert len({int(chosen[0]) for chosen in columns}) > 1


def test_draws_follow_the_seed() -> None:
    once, again, other = (list(Bagging(seed=seed).draws(20, 10)) for seed in (1, 1, 2))
    assert all((a.rows == b.rows).all() for a, b in zip(once, again, strict=True))
    assert any(
        len(a.rows) != len(b.rows) or (a.rows != b.rows).any() for a, b in zip(once, other, strict=True)
    )
