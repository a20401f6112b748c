"""What a network for sequences predicts: one or several values, or one of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from budwood.errors import BudwoodError


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Names and scales of the outputs.

    Attributes
    ----------
    names
        Names of the values; the one name of the classes.
    classes
        The classes in order; empty for values.
    centres, scales
        Mean and standard deviation of each value among the training sequences: the network predicts values
        minus the one, over the other. Empty for classes.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    centres: tuple[float, ...] = ()
    scales: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Numbers that the network gives for each sequence."""
        return len(self.classes) or len(self.names)

    def targets(self, truth: NDArray[np.float64]) -> Tensor:
        """The truth as the network is to predict it.

        Parameters
        ----------
        truth
            (rows, names) values, NaN where unknown; or (rows, 1) numbers of classes.

        Returns
        -------
        Tensor
            (rows, names) float32; numbers of classes stay as they are.
        """
        if self.classes:
            return torch.from_numpy(truth.astype(np.float32))
        scaled = (truth - np.array(self.centres)) / np.array(self.scales)
        return torch.from_numpy(scaled.astype(np.float32))

    def loss(self, predicted: Tensor, targets: Tensor) -> Tensor:
        """Mean squared error of the known values, or mean cross-entropy (nats) of the classes.

        Parameters
        ----------
        predicted
            (rows, size) what the network gives.
        targets
            (rows, names) from :meth:`targets`.

        Returns
        -------
        Tensor
            One number.
        """
        if self.classes:
            return functional.cross_entropy(predicted, targets[:, 0].long())
        known = torch.isfinite(targets)
        difference = torch.where(known, predicted - torch.nan_to_num(targets), torch.zeros_like(predicted))
        return difference.square().sum() / known.sum().clamp(min=1)

    def predictions(self, given: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the network gives, on the scale of the values or as probabilities.

        Parameters
        ----------
        given
            (rows, size) what the network gives.

        Returns
        -------
        ndarray
            (rows, size): values, or probabilities of the classes.
        """
        if not self.classes:
            return given * np.array(self.scales) + np.array(self.centres)
        powers = np.exp(given - given.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares


def value_outputs(names: Sequence[str], truth: NDArray[np.float64], training: NDArray[np.intp]) -> Outputs:
    """Outputs that are values, scaled by the training sequences.

    Parameters
    ----------
    names
        Names of the values.
    truth
        (rows, names) values, NaN where unknown.
    training
        Rows that serve for training.

    Returns
    -------
    Outputs
        With centres and scales.

    Raises
    ------
    BudwoodError
        If a value has fewer than two training sequences or does not vary among them.

    Examples
    --------
    >>> value_outputs(["strength"], np.array([[1.0], [3.0], [9.0]]), np.array([0, 1])).centres
    (2.0,)
    """
    centres, scales = [], []
    for name, column in zip(names, truth[training].T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 2 or not known.std() > 0:
            raise BudwoodError(
                f"{name!r} does not vary among the {len(known)} sequences to train on",
                mend="give sequences with other values, or leave it out",
            )
        centres.append(float(known.mean()))
        scales.append(float(known.std()))
    return Outputs(names=tuple(names), centres=tuple(centres), scales=tuple(scales))


def class_outputs(name: str, labels: Sequence[str]) -> tuple[Outputs, NDArray[np.float64]]:
    """Outputs that are classes.

    Parameters
    ----------
    name
        What the classes are of.
    labels
        Class of each sequence.

    Returns
    -------
    tuple
        The outputs, and (rows, 1) the number of each sequence's class.

    Raises
    ------
    BudwoodError
        If there are fewer than two classes.

    Examples
    --------
    >>> outputs, truth = class_outputs("tissue", ["root", "leaf", "root"])
    >>> outputs.classes, truth.ravel().tolist()
    (('leaf', 'root'), [1.0, 0.0, 1.0])
    """
    classes = sorted(set(labels))
    if len(classes) < 2:
        only = f", {classes[0]!r}" if classes else ""
        raise BudwoodError(f"{name!r} has a single class{only}", mend="give sequences of two classes or more")
    number = {each: k for k, each in enumerate(classes)}
    return Outputs(names=(name,), classes=tuple(classes)), np.array(
        [[float(number[each])] for each in labels]
    )
