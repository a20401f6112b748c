"""The learning rate rises, stays and falls as the recipe says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budwood.training.recipe.schedule import Schedule, rate


@given(st.integers(2, 400), st.integers(0, 50), st.floats(0.05, 1.0), st.floats(0.0, 0.5))
def test_it_never_rises_after_the_warm_up_and_stays_within_bounds(steps, warmup, decay, floor) -> None:
    schedule = Schedule(steps=steps, warmup=min(warmup, steps - 1), decay=decay, floor=floor)
    rates = np.array([rate(step, schedule) for step in range(steps)])
    assert (rates[: schedule.warmup] <= 1).all()
    assert (np.diff(rates[schedule.warmup :]) <= 1e-12).all()
    assert (rates[schedule.warmup :] >= floor - 1e-12).all()
    level = steps - decay * (steps - schedule.warmup)
    assert (rates[schedule.warmup : int(level)] == 1).all()


def test_a_decay_of_one_is_a_cosine_from_the_warm_up_on() -> None:
    schedule = Schedule(steps=110, warmup=10, floor=0.0)
    assert np.isclose(rate(60, schedule), 0.5)
