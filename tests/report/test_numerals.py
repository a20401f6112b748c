"""Numbers as people and files show them: differences are seen at any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.report.numerals import decimals_for, digits_that_tell_apart, fixed


@given(
    st.floats(-12.0, 12.0),
    st.integers(-250, 250),
    st.lists(st.integers(0, 10_000), min_size=2, max_size=20, unique=True),
)
@settings(max_examples=200, deadline=None)
def test_values_that_differ_are_written_differently(size: float, power: int, steps: list[int]) -> None:
    """Values around a level of up to 1e12 times their range, in any unit."""
    level = 0.0 if abs(size) < 0.1 else np.sign(size) * 10.0 ** abs(size)
    values = (level + np.array(steps) / (max(steps) - min(steps))) * 10.0**power
    digits = digits_that_tell_apart(values)
    assert 8 <= digits <= 17
    written = [f"{value:.{digits}g}" for value in values]
    error = np.abs(np.array(written, dtype=float) - values).max()
    assert error <= 1e-5 * np.ptp(values)


@pytest.mark.parametrize("unit", [1e-200, 1e-12, 1e-6, 1.0, 1e9, 1e15, 1e200])
def test_a_number_of_any_size_is_short_and_never_shown_as_zero(unit: float) -> None:
    decimals = decimals_for([0.12 * unit, 0.15 * unit])
    shown = fixed(-3.456 * unit, decimals)
    assert len(shown) <= 24
    assert any(digit in shown for digit in "123456789")
    assert shown.startswith("−")
    assert float(shown.replace("−", "-").replace(",", "")) == pytest.approx(-3.456 * unit, rel=0.01)


def test_a_level_far_above_the_differences_keeps_them() -> None:
    decimals = decimals_for([0.49])
    assert fixed(1000000010.6484, decimals) == "1,000,000,010.65"
