from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from budwood.genomics.checks.series_labels import series_labels


def test_labels_of_series_and_tables() -> None:
    assert series_labels(pd.Series([1.0, 2.0], index=["b", "a"])) == ["b", "a"]
    assert series_labels(pd.DataFrame({"height": [1.0]}, index=["b"])) == ["b"]
    assert series_labels(pd.Series([1.0, 2.0])) == [0, 1]


@pytest.mark.parametrize("values", [[1.0], (1.0,), "ab", np.ones(2), {"a": 1.0}, None, 3])
def test_other_values_have_none(values: object) -> None:
    assert series_labels(values) is None
