"""The control on shuffled values: it stops early where nothing is found, and only there."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.contract import Forecast
from budwood.prediction.evaluation.shuffled_control import ShuffledControl
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.splitters import random_folds


@dataclass
class Guess:
    """Predicts noise, or values that it should not know."""

    name: str = "guess"
    known: tuple[np.ndarray, ...] = ()
    fits: list[int] = field(default_factory=list)

    def fit(self, kernels, training, y, weights=None):
        self.fits.append(len(training))
        of = [each for each in self.known if np.array_equal(each[training], y)]
        noise = np.random.default_rng(len(self.fits)).normal(size=len(kernels))
        return Fitted(of[0] if of else noise)


@dataclass(frozen=True)
class Fitted:
    value: np.ndarray

    def predict(self, lines):
        value = self.value[lines.rows]
        return Forecast(value, value, value, value, value)


def control(lines: int, *, folds: int = 5, shuffles: int = 20) -> ShuffledControl:
    names = [f"l{i}" for i in range(lines)]
    kernels = PanelKernels(Genotypes.from_matrix(names, np.zeros((lines, 1), dtype=np.int8)))
    y = np.random.default_rng(1).normal(size=lines)
    return ShuffledControl(kernels, y, Scheme("random", (random_folds(names, folds, 0),)), shuffles, 0)


@pytest.mark.parametrize(("lines", "fits", "judged"), [(100, 25, 100), (1000, 10, 400), (5500, 5, 1100)])
def test_fits_are_few_where_nothing_is_found(lines: int, fits: int, judged: int) -> None:
    model = Guess()
    found = control(lines).run(model)
    assert len(model.fits) == fits
    assert (found.shuffles, found.held_out) == (5, judged)
    assert found.lower <= 0.0 <= found.upper
    assert not found.leaks


def test_a_leak_is_held_against_all_shuffles() -> None:
    control_of = control(60)
    generator = np.random.default_rng(0)
    model = Guess(known=tuple(generator.permutation(control_of.y) for _ in range(20)))
    found = control_of.run(model)
    assert found.leaks
    assert found.shuffles == 20
    assert len(model.fits) == 100


def test_fewer_shuffles_than_a_step_are_all_run() -> None:
    assert control(60, shuffles=3).run(Guess()).shuffles == 3
