"""A network of three layers: bases, a middle layer, an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.lesson.random_numbers import RandomNumbers
from budwood.lesson.tasks import INPUTS, LETTERS, PLACES

#: Numbers of the middle layer.
MIDDLE: Final = 64
Matrix = NDArray[np.float64]
#: Weights and offsets of the middle layer, weights and offsets of the answer.
Weights = tuple[Matrix, Matrix, Matrix, Matrix]
_DECAY_1, _DECAY_2, _SMALLEST = 0.9, 0.999, 1e-8


def new_weights(random: RandomNumbers, outputs: int) -> Weights:
    """Random weights, scaled by the root of the numbers that come in.

    Parameters
    ----------
    random
        Draws the weights, layer by layer and row by row.
    outputs
        Numbers of the answer.

    Returns
    -------
    Weights
        (36, 64), (64,), (64, outputs), (outputs,).
    """
    first = random.normal(INPUTS * MIDDLE).reshape(INPUTS, MIDDLE) / np.sqrt(INPUTS)
    second = random.normal(MIDDLE * outputs).reshape(MIDDLE, outputs) / np.sqrt(MIDDLE)
    return first, np.zeros(MIDDLE), second, np.zeros(outputs)


def middle(weights: Weights, inputs: Matrix) -> Matrix:
    """Activations of the middle layer.

    Parameters
    ----------
    weights
        Of the network.
    inputs
        (n, 36).

    Returns
    -------
    ndarray
        (n, 64), between -1 and 1.
    """
    return np.tanh(inputs @ weights[0] + weights[1])


def answer(weights: Weights, inputs: Matrix) -> Matrix:
    """Numbers of the answer: for task 1 one for each place and letter, for task 2 one.

    Parameters
    ----------
    weights
        Of the network.
    inputs
        (n, 36).

    Returns
    -------
    ndarray
        (n, outputs).
    """
    return middle(weights, inputs) @ weights[2] + weights[3]


def probabilities(scores: Matrix) -> Matrix:
    """Probability of each letter at each place.

    Parameters
    ----------
    scores
        (n, 66) answer of task 1.

    Returns
    -------
    ndarray
        (n, 3, 22); they sum to 1 over the letters.
    """
    by_place = scores.reshape(-1, PLACES, len(LETTERS))
    raised = np.exp(by_place - by_place.max(axis=2, keepdims=True))
    return np.asarray(raised / raised.sum(axis=2, keepdims=True))


@dataclass
class Optimiser:
    """Adam (Kingma and Ba 2015) with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    Parameters
    ----------
    weights
        Those it starts from.
    rate
        Learning rate.
    decay
        Weight decay; offsets do not decay.
    """

    weights: Weights
    rate: float
    decay: float = 0.0

    def __post_init__(self) -> None:
        self._mean = [np.zeros_like(each) for each in self.weights]
        self._square = [np.zeros_like(each) for each in self.weights]
        self._steps = 0

    def step(self, inputs: Matrix, slope: Matrix, hidden: Matrix) -> None:
        """One step down the gradient.

        Parameters
        ----------
        inputs
            (n, 36) of the batch.
        slope
            (n, outputs) derivatives of the loss by the answer.
        hidden
            (n, 64) activations of the middle layer.
        """
        below = (slope @ self.weights[2].T) * (1.0 - hidden**2)
        gradients = (inputs.T @ below, below.sum(axis=0), hidden.T @ slope, slope.sum(axis=0))
        self._steps += 1
        first, second = 1.0 - _DECAY_1**self._steps, 1.0 - _DECAY_2**self._steps
        changed = []
        for place, (weight, gradient) in enumerate(zip(self.weights, gradients, strict=True)):
            self._mean[place] = _DECAY_1 * self._mean[place] + (1.0 - _DECAY_1) * gradient
            self._square[place] = _DECAY_2 * self._square[place] + (1.0 - _DECAY_2) * gradient**2
            root = np.sqrt(self._square[place] / second) + _SMALLEST
            moved = weight - self.rate * (self._mean[place] / first) / root
            changed.append(moved * (1.0 - self.rate * self.decay) if place % 2 == 0 else moved)
        self.weights = (changed[0], changed[1], changed[2], changed[3])
