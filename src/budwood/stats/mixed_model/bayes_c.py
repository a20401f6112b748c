"""Bayesian regression on many predictors of which a share has no effect: BayesC with an estimated share.

``y_i = mu + sum_j x_ij a_j + e_i``, ``e_i ~ N(0, Ve / w_i)``; an effect ``a_j`` is 0 with probability
``1 - pi`` and ``N(0, Va)`` otherwise (Habier, Fernando, Kizilkaya and Garrick 2011, BMC Bioinformatics
12:186). Priors and their default values are those of the R package BGLR (Pérez and de los Campos 2014,
Genetics 198:483): scaled inverse chi-squared variances that expect half of the variance in the predictors,
and a beta distribution of ``pi``. Gibbs sampling draws one effect after another; several chains, on different
records, run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Batches of a chain from which its Monte Carlo error is taken.
_BATCHES: Final = 10


@dataclass(frozen=True, kw_only=True)
class BayesCPrior:
    """Prior distributions.

    Attributes
    ----------
    inclusion, counts
        Mean and number of prior observations of ``pi``, the share of predictors with an effect; it stays at
        its mean where counts is infinite.
    explained
        Share of the variance that the predictors are expected to explain.
    degrees
        Degrees of freedom of the scaled inverse chi-squared variances.
    variances
        Va and Ve, where they are known.
    """

    inclusion: float = 0.5
    counts: float = 10.0
    explained: float = 0.5
    degrees: float = 5.0
    variances: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class BayesCPosterior:
    """Posterior means of C chains.

    Attributes
    ----------
    mean
        (C,) mu.
    effects, inclusion
        (C, m) effects, and how often each predictor was in the model.
    share
        (C,) pi.
    effect_variance, residual
        (C,) Va and Ve.
    monte_carlo_error
        (C,) standard error of the fitted values by batch means, relative to their standard deviation.
    """

    mean: Vector
    effects: Matrix
    inclusion: Matrix
    share: Vector
    effect_variance: Vector
    residual: Vector
    monte_carlo_error: Vector


def sample_bayes_c(
    x: Matrix,
    y: Vector,
    weights: Matrix,
    *,
    prior: BayesCPrior | None = None,
    iterations: int = 1000,
    burn_in: int = 200,
    seed: int = 0,
) -> BayesCPosterior:
    """Sample the posterior distribution.

    Parameters
    ----------
    x
        (n, m) predictors, centred.
    y
        (n,) records.
    weights
        (C, n) record weights of each chain; 0 leaves a record out.
    prior
        Prior distributions.
    iterations, burn_in
        Rounds over all predictors, and how many of the first are dropped.
    seed
        Of the draws.

    Returns
    -------
    BayesCPosterior
        Posterior means of each chain.

    Examples
    --------
    >>> x = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    >>> found = sample_bayes_c(x, np.array([0.0, 2.0, 0.1, 1.9]), np.ones((1, 4)), iterations=200, burn_in=50)
    >>> found.effects.shape, bool(found.effects[0, 0] > 0.0)
    ((1, 1), True)
    """
    chains = _Chains(
        np.ascontiguousarray(x.T), y, weights, prior or BayesCPrior(), np.random.default_rng(seed)
    )
    sums = _Sums.empty(len(weights), x.shape[1])
    batch = max((iterations - burn_in) // _BATCHES, 1)
    for step in range(iterations):
        chains.round()
        if step >= burn_in:
            sums.add(chains, close=(step - burn_in + 1) % batch == 0)
    return sums.posterior(x)


class _Chains:
    """The state of C chains."""

    def __init__(
        self, x: Matrix, y: Vector, weights: Matrix, prior: BayesCPrior, generator: np.random.Generator
    ) -> None:
        self.x, self.weights, self.prior, self.generator = x, weights, prior, generator
        count, m = len(weights), len(x)
        self.total = weights.sum(axis=1)
        self.records = (weights > 0.0).sum(axis=1)
        self.mean = weights @ y / self.total
        rest = y - self.mean[:, None]
        variance = (weights * rest**2).sum(axis=1) / self.records
        self.weighted = weights * rest
        self.squares = (x**2) @ weights.T
        size = self.squares.sum(axis=0) / self.total
        self.effects, self.included = np.zeros((m, count)), np.zeros((m, count))
        self.share = np.full(count, prior.inclusion)
        spread = prior.degrees + 2.0
        explained = variance * prior.explained / (np.maximum(size, 1e-300) * prior.inclusion)
        self.scale_effect, self.scale_residual = (
            explained * spread,
            variance * (1.0 - prior.explained) * spread,
        )
        self.effect_variance, self.residual = explained, variance * (1.0 - prior.explained)
        if prior.variances is not None:
            self.effect_variance = np.full(count, prior.variances[0])
            self.residual = np.full(count, prior.variances[1])

    def round(self) -> None:
        """One round over all predictors, the mean, the variances and the share."""
        self._draw_mean()
        self._draw_effects()
        if self.prior.variances is None:
            self._draw_variances()
        if np.isfinite(self.prior.counts):
            prior, m = self.prior, len(self.x)
            within = self.included.sum(axis=0)
            self.share = self.generator.beta(
                prior.counts * prior.inclusion + within, prior.counts * (1.0 - prior.inclusion) + m - within
            )

    def _draw_mean(self) -> None:
        centre = self.weighted.sum(axis=1) / self.total
        step = centre + self.generator.normal(size=len(centre)) * np.sqrt(self.residual / self.total)
        self.mean = self.mean + step
        self.weighted -= self.weights * step[:, None]

    def _draw_effects(self) -> None:
        m, count = self.effects.shape
        normal = self.generator.normal(size=(m, count))
        uniform = self.generator.random((m, count))
        precision = self.squares / self.residual + 1.0 / self.effect_variance
        with np.errstate(divide="ignore"):
            odds = np.log(self.share) - np.log1p(-self.share) - 0.5 * np.log(self.effect_variance * precision)
            threshold = 2.0 * (np.log(uniform) - np.log1p(-uniform) - odds)
        noise, scale = normal / np.sqrt(precision), 1.0 / (precision * self.residual)
        for j in range(m):
            before, x = self.effects[j], self.x[j]
            right = self.weighted @ x + self.squares[j] * before
            centre = right * scale[j]
            inside = centre * centre * precision[j] > threshold[j]
            after = np.where(inside, centre + noise[j], 0.0)
            change = after - before
            if change.any():
                self.weighted -= (self.weights * x) * change[:, None]
                self.effects[j] = after
            self.included[j] = inside

    def _draw_variances(self) -> None:
        degrees, generator = self.prior.degrees, self.generator
        squares = (self.effects**2).sum(axis=0)
        inside = self.included.sum(axis=0)
        self.effect_variance = (squares + self.scale_effect) / generator.chisquare(degrees + inside)
        safe = np.where(self.weights > 0.0, self.weights, 1.0)
        rest = (self.weighted**2 / safe).sum(axis=1)
        self.residual = (rest + self.scale_residual) / generator.chisquare(degrees + self.records)


@dataclass
class _Sums:
    """Sums over the draws that are kept."""

    count: int
    mean: Vector
    effects: Matrix
    inclusion: Matrix
    share: Vector
    effect_variance: Vector
    residual: Vector
    batches: list[Matrix]
    closed: Matrix

    @classmethod
    def empty(cls, chains: int, m: int) -> _Sums:
        mean, share, effect_variance, residual = np.zeros((4, chains))
        effects, inclusion, closed = np.zeros((3, m, chains))
        return cls(0, mean, effects, inclusion, share, effect_variance, residual, [], closed)

    def add(self, chains: _Chains, *, close: bool) -> None:
        self.count += 1
        self.mean = self.mean + chains.mean
        self.effects += chains.effects
        self.inclusion += chains.included
        self.share = self.share + chains.share
        self.effect_variance = self.effect_variance + chains.effect_variance
        self.residual = self.residual + chains.residual
        if close:
            self.batches.append(self.effects - self.closed)
            self.closed = self.effects.copy()

    def posterior(self, x: Matrix) -> BayesCPosterior:
        count, effects = self.count, self.effects / self.count
        spread = (x @ effects).std(axis=0)
        per_batch = count / max(len(self.batches), 1)
        fitted = np.array([x @ (batch / per_batch) for batch in self.batches])
        error = np.sqrt(fitted.var(axis=0, ddof=1).mean(axis=0) / len(fitted)) if len(fitted) > 1 else spread
        return BayesCPosterior(
            mean=self.mean / count,
            effects=effects.T,
            inclusion=self.inclusion.T / count,
            share=self.share / count,
            effect_variance=self.effect_variance / count,
            residual=self.residual / count,
            monte_carlo_error=np.divide(error, spread, out=np.ones_like(error), where=spread > 0.0),
        )
