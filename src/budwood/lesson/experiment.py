"""The experiments of the lesson: learn task 1, then task 2 from three starting points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from budwood.lesson.network import (
    Matrix,
    Optimiser,
    Weights,
    answer,
    middle,
    new_weights,
    probabilities,
)
from budwood.lesson.random_numbers import RandomNumbers
from budwood.lesson.tasks import OUTPUTS, classes, coding_windows, one_hot, opened_windows

#: The three arms of task 2.
Arm = Literal["pre-trained", "from scratch", "randomised"]
ARMS: Final[tuple[Arm, ...]] = ("pre-trained", "from scratch", "randomised")
#: Windows of task 1 that are held out, of those that begin with ATG.
HELD_OUT: Final = 819
#: Windows of task 2 that are held out.
TESTED: Final = 1000
_FIRST_RATE, _FIRST_DECAY, _FIRST_BATCH = 0.005, 0.2, 32
_SECOND_RATE, _SECOND_BATCH = 0.002, 16
#: Seeds of task 2 begin here, apart from those of task 1.
_SECOND_SEED: Final = 1000


@dataclass(frozen=True, kw_only=True)
class FirstTask:
    """What task 1 has learnt.

    Attributes
    ----------
    weights
        After each epoch, those before the first included.
    accuracy
        Share of the held-out windows that begin with ATG whose three letters are all right, after each epoch.
    """

    weights: tuple[Weights, ...]
    accuracy: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class SecondTask:
    """One run of task 2.

    Attributes
    ----------
    weights
        At the end.
    error
        Root mean squared error on the held-out windows, in units of hydropathy, after each epoch, that before
        the first included.
    """

    weights: Weights
    error: tuple[float, ...]


def learn_first_task(*, epochs: int = 30, seed: int = 0, examples: int = 4096 - HELD_OUT) -> FirstTask:
    """Learn task 1: nine bases to the amino acids of the frame.

    Half of the examples begin with ATG, and as many are random windows.

    Parameters
    ----------
    epochs
        Passes over the examples.
    seed
        Of weights, windows and batches.
    examples
        Windows of either half.

    Returns
    -------
    FirstTask
        Weights and held-out accuracy by epoch.

    Examples
    --------
    >>> learn_first_task(epochs=2, examples=200).accuracy[-1] < 0.5
    True
    """
    random = RandomNumbers(seed)
    opened = opened_windows()
    order = random.permutation(len(opened))
    others = np.floor(4 * random.uniform(9 * examples)).astype(np.uint8).reshape(examples, 9)
    windows = np.vstack([opened[order[:examples]], others])
    inputs, wanted = one_hot(windows), classes(windows)
    held_out = opened[order[len(opened) - HELD_OUT :]]
    test, truth = one_hot(held_out), classes(held_out)
    optimiser = Optimiser(new_weights(random, OUTPUTS), _FIRST_RATE, _FIRST_DECAY)
    weights, accuracy = [optimiser.weights], [_first_accuracy(optimiser.weights, test, truth)]
    for _ in range(epochs):
        shuffled = random.permutation(len(inputs))
        for start in range(0, len(inputs), _FIRST_BATCH):
            rows = shuffled[start : start + _FIRST_BATCH]
            hidden = middle(optimiser.weights, inputs[rows])
            slope = probabilities(hidden @ optimiser.weights[2] + optimiser.weights[3])
            for place in range(wanted.shape[1]):
                slope[np.arange(len(rows)), place, wanted[rows, place]] -= 1.0
            optimiser.step(inputs[rows], slope.reshape(len(rows), OUTPUTS) / len(rows), hidden)
        weights.append(optimiser.weights)
        accuracy.append(_first_accuracy(optimiser.weights, test, truth))
    return FirstTask(weights=tuple(weights), accuracy=tuple(accuracy))


def _first_accuracy(weights: Weights, inputs: Matrix, truth: NDArray[np.intp]) -> float:
    return float((probabilities(answer(weights, inputs)).argmax(axis=2) == truth).all(axis=1).mean())


def learn_second_task(first: Weights, arm: Arm, examples: int, *, epochs: int, seed: int = 0) -> SecondTask:
    """Learn task 2: nine bases to the summed hydropathy of the three amino acids.

    All weights are trained in every arm. The middle layer starts from that of task 1, from new random
    weights, or from those of task 1 in random order, which have the same values without what was learnt.

    Parameters
    ----------
    first
        Weights of task 1.
    arm
        Where the middle layer starts.
    examples
        Windows to learn from.
    epochs
        Passes over them.
    seed
        Of windows, weights and batches; arms with the same seed see the same windows.

    Returns
    -------
    SecondTask
        Weights and held-out error.

    Examples
    --------
    >>> first = learn_first_task(epochs=0).weights[0]
    >>> run = learn_second_task(first, "from scratch", 50, epochs=20)
    >>> run.error[-1] < run.error[0]
    True
    """
    windows, values = coding_windows()
    inputs, centre, unit = one_hot(windows), float(values.mean()), float(values.std())
    wanted = ((values - centre) / unit)[:, None]
    random = RandomNumbers(_SECOND_SEED + seed)
    order = random.permutation(len(windows))
    rows, tested = order[:examples], order[len(order) - TESTED :]
    weights = new_weights(random, 1)
    if arm == "pre-trained":
        weights = (first[0], first[1], weights[2], weights[3])
    elif arm == "randomised":
        mixed = first[0].ravel()[random.permutation(first[0].size)].reshape(first[0].shape)
        weights = (mixed, first[1][random.permutation(len(first[1]))], weights[2], weights[3])
    optimiser = Optimiser(weights, _SECOND_RATE)
    errors = [_second_error(optimiser.weights, inputs[tested], wanted[tested], unit)]
    # Arms draw unequal numbers so far; batches come from a stream of their own.
    batches = RandomNumbers(2 * _SECOND_SEED + seed)
    for _ in range(epochs):
        shuffled = batches.permutation(examples)
        for start in range(0, examples, _SECOND_BATCH):
            chosen = rows[shuffled[start : start + _SECOND_BATCH]]
            hidden = middle(optimiser.weights, inputs[chosen])
            slope = 2.0 * (hidden @ optimiser.weights[2] + optimiser.weights[3] - wanted[chosen])
            optimiser.step(inputs[chosen], slope / len(chosen), hidden)
        errors.append(_second_error(optimiser.weights, inputs[tested], wanted[tested], unit))
    return SecondTask(weights=optimiser.weights, error=tuple(errors))


def _second_error(weights: Weights, inputs: Matrix, wanted: Matrix, unit: float) -> float:
    return float(np.sqrt(np.mean((answer(weights, inputs) - wanted) ** 2)) * unit)


def mean_and_band(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of runs with different seeds, and its 95 % interval by Student's t.

    Parameters
    ----------
    values
        At least two.

    Returns
    -------
    mean, lower, upper
        In units of the values.

    Examples
    --------
    >>> [round(number, 3) for number in mean_and_band([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=np.float64)
    half = float(t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array)))
    return float(array.mean()), float(array.mean()) - half, float(array.mean()) + half
