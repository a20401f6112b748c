"""Axes hold what they show and are labelled at round numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.report.pictures.scale import Scale

finite = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(st.lists(finite, min_size=1, max_size=20))
def test_every_number_and_tick_lies_on_the_axis(values: list[float]) -> None:
    scale = Scale.over(values, [np.nan])
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9 for value in values)
    ticks = scale.ticks()
    assert all(-1e-6 <= tick.share <= 1 + 1e-6 for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks)


@pytest.mark.parametrize("values", [[], [np.nan], [0.0], [7.0, 7.0]])
def test_an_axis_without_spread_still_has_a_length(values: list[float]) -> None:
    scale = Scale.over(values)
    assert scale.high > scale.low
    assert 1 <= len(scale.ticks()) <= 12


def test_small_numbers_keep_their_decimals() -> None:
    assert [tick.label for tick in Scale(0.0, 0.02).ticks(about=4)] == [
        "0.000",
        "0.005",
        "0.010",
        "0.015",
        "0.020",
    ]
