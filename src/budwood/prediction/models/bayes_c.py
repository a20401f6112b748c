"""BayesC: Bayesian regression on markers of which a share has no effect."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.models.elastic_net import MarkerEffects
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.prediction.uncertainty.inner_folds import inner_splits
from budwood.stats.mixed_model.bayes_c import BayesCPrior, sample_bayes_c

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class BayesC:
    """Bayesian whole-genome regression (:mod:`budwood.stats.mixed_model.bayes_c`).

    The chain on all training records and those without each inner fold run side by side.

    Attributes
    ----------
    iterations, burn_in
        Rounds over all markers, and how many of the first are dropped.
    markers
        Most markers used, evenly spaced.
    prior
        Prior distributions.
    seed
        Of the draws.
    """

    iterations: int = 1000
    burn_in: int = 200
    markers: int = 3000
    prior: BayesCPrior = field(default_factory=BayesCPrior)
    seed: int = 0

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Sample effects; held-out predictions are posterior means without the fold.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CrossFit
            The fitted predictor, and its prediction of each training record from inner folds without it.
        """
        columns = training.columns(self.markers)
        own, y = training.markers()[:, columns], training.y
        w = np.ones(len(y)) if training.weights is None else training.weights / training.weights.mean()
        splits = list(inner_splits(training.folds))
        weights = np.tile(w, (1 + len(splits), 1))
        for chain, (_, held) in enumerate(splits, start=1):
            weights[chain, held] = 0.0
        found = sample_bayes_c(
            own,
            y,
            weights,
            prior=self.prior,
            iterations=self.iterations,
            burn_in=self.burn_in,
            seed=self.seed,
        )
        held_out = np.empty(len(y))
        for chain, (_, held) in enumerate(splits, start=1):
            held_out[held] = found.mean[chain] + own[held] @ found.effects[chain]
        effects = MarkerEffects(
            columns, np.zeros(len(columns)), float(found.mean[0]), found.effects[0].copy()
        )
        return CrossFit(
            held_out,
            SampledEffects(
                effects=effects,
                inclusion=found.inclusion[0].copy(),
                share=float(found.share[0]),
                iterations=self.iterations,
                burn_in=self.burn_in,
                monte_carlo_error=float(found.monte_carlo_error[0]),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class SampledEffects:
    """Posterior means of marker effects.

    Attributes
    ----------
    effects
        The linear predictor.
    inclusion
        (k,) how often each marker was in the model.
    share
        Posterior mean of the share of markers with an effect.
    iterations, burn_in
        Length of the chain.
    monte_carlo_error
        Standard error of the predictions that is due to the chain's length, relative to their spread.
    """

    effects: MarkerEffects
    inclusion: Vector
    share: float
    iterations: int
    burn_in: int
    monte_carlo_error: float

    def value(self, lines: Lines) -> Vector:
        """(c,) predicted values.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        return self.effects.value(lines)

    @property
    def notes(self) -> tuple[str, ...]:
        """How long the chain is, and whether that is enough."""
        text = (
            f"BayesC: {self.iterations:,} rounds of Gibbs sampling, the first {self.burn_in:,} dropped; "
            f"{self.share:.0%} of the markers have an effect on average; the chain's length adds "
            f"{self.monte_carlo_error:.1%} of the predictions' spread as error."
        )
        warning = (
            "Warning: the chain of BayesC is too short for these data."
            if self.monte_carlo_error > 0.1
            else ""
        )
        return (text, warning) if warning else (text,)


BAYES_C = CrossFitModel("BayesC", BayesC())
