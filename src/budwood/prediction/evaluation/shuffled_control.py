"""The reported model on shuffled trait values: as many as it takes to see that nothing is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Estimator, FittedEstimator, fit_several
from budwood.prediction.evaluation.results import PermutationTest
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import side_of_zero
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: Held-out lines from which on further folds hardly sharpen the correlation of one shuffle.
_ENOUGH_LINES: Final = 300
#: Shuffles after which the control stops if the interval contains 0.
STEPS: Final = (5, 10)


@dataclass(frozen=True)
class ShuffledControl:
    """Shuffles of the trait values through the folds of one repeat.

    A model that is slow would spend more time here than on all that is reported. So a shuffle goes through
    the first folds that hold 300 lines between them (all folds where the panel is smaller), and shuffles end
    once five or ten of them give an interval that contains 0: a leak keeps the interval off 0, and then
    all shuffles are run before the evaluation is called biased.

    Attributes
    ----------
    kernels, y
        The n phenotyped lines and their trait values.
    scheme
        Folds.
    shuffles
        Most shuffles.
    seed
        Of the shuffles.
    weights
        (n,) weights of the trait values, shuffled with them; None for equal ones.
    """

    kernels: PanelKernels
    y: Vector
    scheme: Scheme
    shuffles: int
    seed: int
    weights: Vector | None = None

    def first_tasks(self, model: Estimator) -> list[Callable[[], list[float]]]:
        """What :meth:`run` does first, as functions that can run in processes of their own.

        Parameters
        ----------
        model
            The model.

        Returns
        -------
        list of callable
            One for each fold that is gone through.
        """
        first, last = next(self._steps())
        control = replace(self, kernels=self.kernels.fresh())
        orders = self._orders()[first:last]
        return [partial(control._correlations, model, orders, *split) for split in self._splits()]

    def run(self, model: Estimator, first_found: Sequence[list[float]] | None = None) -> PermutationTest:
        """Correlation of predicted and shuffled values on held-out lines.

        Parameters
        ----------
        model
            The model.
        first_found
            Results of :meth:`first_tasks`, where these have been run.

        Returns
        -------
        PermutationTest
            Mean correlation on shuffled values, with its interval.
        """
        orders, splits = self._orders(), self._splits()
        mean_r: list[float] = []
        for first, last in self._steps():
            known = first_found if first == 0 else None
            found = known or [self._correlations(model, orders[first:last], *split) for split in splits]
            mean_r += np.mean(found, axis=0).tolist()
            lower, upper = np.quantile(mean_r, [0.025, 0.975])
            if side_of_zero(float(lower), float(upper)) == 0:
                break
        held_out = sum(len(held) for _, held in splits)
        return PermutationTest(
            model.name, float(np.mean(mean_r)), float(lower), float(upper), len(mean_r), held_out
        )

    def _orders(self) -> list[Rows]:
        generator = np.random.default_rng(self.seed)
        return [generator.permutation(len(self.y)) for _ in range(self.shuffles)]

    def _steps(self) -> Iterator[tuple[int, int]]:
        ends = [*(step for step in STEPS if step < self.shuffles), self.shuffles]
        yield from zip([0, *ends[:-1]], ends, strict=True)

    def _splits(self) -> list[tuple[Rows, Rows]]:
        """The first folds that hold enough lines between them."""
        chosen: list[tuple[Rows, Rows]] = []
        for split in self.scheme.splits(0):
            if sum(len(held) for _, held in chosen) >= _ENOUGH_LINES:
                break
            chosen.append(split)
        return chosen

    def _correlations(
        self, model: Estimator, orders: list[Rows], training: Rows, held_out: Rows
    ) -> list[float]:
        # Shuffling a trait with few levels can leave one level only: nothing to learn or to rank.
        values = [self.y[order] for order in orders]
        varying = [k for k, y in enumerate(values) if min(np.ptp(y[training]), np.ptp(y[held_out])) > 0.0]
        found, lines = [0.0] * len(orders), self.kernels.lines(held_out, training)
        fits = self._fits(model, [orders[k] for k in varying], training)
        for k, fitted in zip(varying, fits, strict=True):
            found[k] = pearson_r(fitted.predict(lines).value, values[k][held_out])
        return found

    def _fits(self, model: Estimator, orders: list[Rows], training: Rows) -> Iterator[FittedEstimator]:
        """The model of each order; shuffles without weights are traits of the same lines."""
        if self.weights is None and is_large(len(training)) and orders:
            shuffled = np.column_stack([self.y[order][training] for order in orders])
            yield from fit_several(model, self.kernels, training, shuffled)
            return
        for order in orders:
            weights = None if self.weights is None else self.weights[order][training]
            yield model.fit(self.kernels, training, self.y[order][training], weights)


def control_note(control: PermutationTest, lines: int) -> str:
    """What was done for the control, as a sentence.

    Parameters
    ----------
    control
        Results of the control.
    lines
        Phenotyped lines.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> control_note(PermutationTest("GBLUP", 0.0, -0.1, 0.1, 5, 320), 800)
    'The control on shuffled values used 5 shuffles, judged on 320 of the 800 lines while held out.'
    """
    part = "the" if control.held_out == lines else f"{control.held_out:,} of the"
    return (
        f"The control on shuffled values used {control.shuffles} shuffles, judged on {part} {lines:,} lines "
        "while held out."
    )
