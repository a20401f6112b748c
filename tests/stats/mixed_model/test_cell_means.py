"""From replicates to means with standard errors."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.stats.mixed_model.cell_means import cell_means

NONE = np.full(6, np.nan)
LINE, PLACE = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 0, 0, 1, 1])
VALUE = np.array([1.0, 3.0, 5.0, 5.0, 2.0, 9.0])


def test_replicates_are_averaged_and_pooled_for_standard_errors() -> None:
    found = cell_means(LINE, PLACE, VALUE, NONE)
    assert found.line.tolist() == [0, 1, 0, 1]
    assert found.environment.tolist() == [0, 0, 1, 1]
    assert found.value.tolist() == [2.0, 5.0, 2.0, 9.0]
    # Deviations -1, 1, 0, 0 with 2 degrees of freedom: variance 1 of a record.
    assert found.standard_error == pytest.approx([0.5**0.5, 0.5**0.5, 1.0, 1.0])
    assert "6 records were averaged to 4 means" in found.notes[0]


def test_an_environment_with_many_replicates_has_its_own_variance() -> None:
    rng = np.random.default_rng(0)
    line, place = np.tile(np.arange(20), 4), np.repeat([0, 1], 40)
    value = rng.normal(size=80) * np.where(place == 0, 1.0, 5.0)
    found = cell_means(line, place, value, np.full(80, np.nan))
    quiet, loud = found.standard_error[:20], found.standard_error[20:]
    assert 3.0 < (loud / quiet).mean() < 8.0


def test_given_standard_errors_weight_the_records() -> None:
    found = cell_means(LINE, PLACE, VALUE, np.array([1.0, 0.5, 1.0, 1.0, 0.2, 0.3]))
    assert found.value[0] == pytest.approx((1.0 + 4 * 3.0) / 5)
    assert found.standard_error[0] == pytest.approx(1 / 5**0.5)
    assert found.standard_error[2:] == pytest.approx([0.2, 0.3])


def test_without_replicates_nothing_tells_a_standard_error() -> None:
    found = cell_means(LINE[3:], PLACE[3:], VALUE[3:], NONE[3:])
    assert np.isnan(found.standard_error).all()
    assert not found.notes


def test_some_standard_errors_are_said_not_to_be_used() -> None:
    given = NONE.copy()
    given[0] = 0.1
    assert any(
        "1 of 6 records have a standard error" in told for told in cell_means(LINE, PLACE, VALUE, given).notes
    )


@pytest.mark.parametrize(("place", "number"), [("value", np.inf), ("error", 0.0)])
def test_impossible_numbers_are_refused(place: str, number: float) -> None:
    value, error = VALUE.copy(), np.ones(6)
    (value if place == "value" else error)[2] = number
    with pytest.raises(BudwoodError):
        cell_means(LINE, PLACE, value, error)
