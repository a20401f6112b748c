"""Histograms count every line once, whatever the values are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.report.pictures.histogram import trait_histogram
from report.plausible import make_prediction


def counted(bars: Any) -> int:
    return sum(int(bar.text.rpartition(": ")[2]) for bar in bars)


@given(st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=40), st.integers(1, 3))
def test_every_line_is_in_one_bar(values: list[float], phenotyped: int) -> None:
    n = len(values)
    prediction = make_prediction(max(n, 4), 2)
    observed = np.full(len(prediction.accessions), np.nan)
    observed[:phenotyped] = values[:phenotyped]
    value = np.resize(np.array(values), len(observed))
    changed = make_prediction(max(n, 4), 2, observed=observed, prediction=value)
    picture = trait_histogram(changed)
    assert sum(series.lines for series in picture.series) == len(observed)
    for series in picture.series:
        assert counted(series.bars) == series.lines
        assert all(0 <= bar.start <= bar.end <= 1.000001 and 0 < bar.height <= 1 for bar in series.bars)


@pytest.mark.parametrize("value", [0.0, 5.0, -3e8])
def test_equal_values_are_one_bar(value: float) -> None:
    prediction = make_prediction(10, 10)
    same = np.full(10, value)
    picture = trait_histogram(make_prediction(10, 10, observed=same, prediction=same))
    assert [len(series.bars) for series in picture.series] == [1]
    assert len(prediction.accessions) == 10
