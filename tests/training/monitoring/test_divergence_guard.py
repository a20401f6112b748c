"""A training that goes wrong is stopped, a noisy one is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.training.monitoring.divergence_guard import DivergenceGuard


@pytest.mark.parametrize(("loss", "gradient"), [(np.nan, 1.0), (np.inf, 1.0), (1.0, np.nan)])
def test_what_is_no_number_stops_at_once(loss: float, gradient: float) -> None:
    with pytest.raises(BudwoodError, match="no number any more at step 8"):
        DivergenceGuard().check(loss, gradient, 7, Path("x"))


def test_noise_and_a_single_peak_are_let_pass() -> None:
    watch = DivergenceGuard()
    random = np.random.default_rng(0)
    for step in range(1000):
        watch.check(2.0 + random.normal(0, 0.3) + 10 * (step == 500), 1.0, step, Path("x"))


def test_a_loss_that_has_risen_for_good_stops() -> None:
    watch = DivergenceGuard()
    for step in range(300):
        watch.check(2.0, 1.0, step, Path("x"))

    def go_on() -> None:
        for step in range(300, 500):
            watch.check(4.0, 1.0, step, Path("x"))

    with pytest.raises(BudwoodError, match=r"has risen from 2 to 3\.\d+"):
        go_on()
