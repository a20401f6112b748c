"""The statistic of transfer: the effect of a source's score on the target's phenotypes.

``y = mu + delta s + u + e`` with s the score that a source gives the target's lines, ``u ~ N(0, Vg G)`` and
``e ~ N(0, Ve)``: variances by restricted maximum likelihood, delta by generalised least squares. Delta tells
whether the score adds to what the target's own relationship explains; lines of one family share u, so that
population structure alone does not make it significant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import chi2, f

from budwood.stats.mixed_model.band_reml import KernelReml, kernel_reml
from budwood.stats.mixed_model.blup import Blup, blup
from budwood.stats.mixed_model.boundary import PLAUSIBLE, averaged_components, genetic_share
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Lines that the two fixed effects and the variances need at least.
FEWEST_LINES = 10


@dataclass(frozen=True, kw_only=True)
class ScoreEffect:
    """Effect of a score on a trait beside the target's relationship.

    Attributes
    ----------
    delta, standard_error
        Change of the trait per unit of the score; NaN where the score does not vary.
    p_value
        Two-sided, of the hypothesis that delta is 0: a score test with the variances of the model without
        delta, which holds its level at 25 lines, where a test by the standard error rejects too often.
    used
        The part of delta that predictions use: 0 where delta is not positive or no larger than its standard
        error, else ``delta (1 - standard_error^2 / delta^2)`` (positive-part shrinkage; James and Stein
        1961).
    """

    delta: float
    standard_error: float
    p_value: float
    used: float


def decomposed(relationship: Matrix) -> KernelReml:
    """The relationship of n lines, decomposed once for all traits and scores of these lines.

    Parameters
    ----------
    relationship
        (n, n).

    Returns
    -------
    KernelReml
        With an intercept as the only fixed effect.
    """
    return kernel_reml(relationship, whitened_design(len(relationship)))


def score_effect(
    y: Vector, score: Vector, relationship: Matrix, known: KernelReml | None = None
) -> ScoreEffect:
    """Estimate and test the effect of a score.

    Parameters
    ----------
    y
        (n,) trait values.
    score
        (n,) score of the same lines, made without these values.
    relationship
        (n, n) of the same lines.
    known
        :func:`decomposed` of the relationship; decomposed here where None.

    Returns
    -------
    ScoreEffect
        Estimate, test and the part that predictions use.

    Raises
    ------
    BudwoodError
        If the trait does not vary.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> score = rng.normal(size=60)
    >>> found = score_effect(2.0 * score + rng.normal(size=60), score, np.eye(60) + 0.01)
    >>> bool(found.p_value < 1e-6), bool(0.0 < found.used < found.delta)
    (True, True)
    """
    spread = float(np.std(score))
    if len(y) < FEWEST_LINES or spread <= 1e-12 * float(np.abs(score).max(initial=0.0)):
        return ScoreEffect(delta=np.nan, standard_error=np.nan, p_value=np.nan, used=0.0)
    scaled = (score - score.mean()) / spread
    fixed = np.column_stack([np.ones(len(y)), scaled])
    solved = blup(y, [relationship], reml(y, [relationship], fixed=fixed), fixed=fixed)
    delta, error = float(solved.fixed_effects[1]), float(solved.fixed_covariance[1, 1]) ** 0.5
    t = delta / error
    p_value = float(p_of(score_statistics(y, scaled[None], relationship, known), len(y))[0])
    used = delta * (1.0 - 1.0 / t**2) if t > 1.0 else 0.0
    return ScoreEffect(
        delta=delta / spread,
        standard_error=error / spread,
        p_value=p_value,
        used=used / spread,
    )


def score_statistics(
    y: Vector, scores: Matrix, relationship: Matrix, known: KernelReml | None = None
) -> Vector:
    """``L = (s' P y)^2 / (s' P s)`` of each score, P that of the model without a score.

    Parameters
    ----------
    y
        (n,) trait values.
    scores
        (k, n) scores, each tested alone.
    relationship, known
        As in :func:`score_effect`.

    Returns
    -------
    ndarray
        (k,) statistics, of mean 1 where scores have nothing to do with the trait; 0 for a score that does not
        vary.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> scores, y = rng.normal(size=(400, 50)), rng.normal(size=50)
    >>> bool(abs(score_statistics(y, scores, np.eye(50) + 0.01).mean() - 1.0) < 0.3)
    True
    """
    n = len(y)
    components = (known or decomposed(relationship)).fit(y)
    residual = max(components.residual, 1e-6 * float(np.var(y)))
    covariance = components.kernels[0] * relationship + residual * np.eye(n)
    solved = cho_solve(cho_factor(covariance, lower=True), np.column_stack([np.ones(n), y, scores.T]))
    solved -= np.outer(solved[:, 0], solved.sum(axis=0) / float(solved[:, 0].sum()))
    spread = np.einsum("kn,nk->k", scores, solved[:, 2:])
    found = np.zeros(len(scores))
    np.divide((scores @ solved[:, 1]) ** 2, spread, out=found, where=spread > 0.0)
    return found


def p_of(statistics: Vector, lines: int) -> Vector:
    """p-values of :func:`score_statistics`.

    ``(n - 2) L / (n - 1 - L)`` has the F distribution exactly where the variances are known up to a factor.
    """
    n = lines
    return np.asarray(f.sf((n - 2) * statistics / np.maximum(n - 1 - statistics, 1e-9), 1, n - 2))


@dataclass(frozen=True)
class TransferFit:
    """GBLUP of what a score leaves of a trait, plus the score.

    Attributes
    ----------
    effect
        Of the score; where ``effect.used`` is 0 this is GBLUP on the target alone.
    solved
        Mixed model of ``y - used score``.
    score
        (n,) of the training lines.
    """

    effect: ScoreEffect
    solved: Blup
    score: Vector

    def predict(self, cross: Matrix, own: Vector, score: Vector) -> Vector:
        """(c,) values of lines from their (c, n) relationship, its (c,) diagonal and their (c,) scores."""
        return self.solved.predict([cross], [own]).value + self.effect.used * score

    def leave_one_out(self) -> Vector:
        """(n,) prediction of each training line from the others, delta and variances kept."""
        return self.solved.leave_one_out() + self.effect.used * self.score


def fit_transfer(
    y: Vector, score: Vector, relationship: Matrix, known: KernelReml | None = None
) -> TransferFit:
    """Fit the trait of a target with a source's score.

    Parameters
    ----------
    y, score, relationship, known
        As in :func:`score_effect`.

    Returns
    -------
    TransferFit
        Predicts further lines.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> kernel = np.eye(30) + 0.2
    >>> fit = fit_transfer(rng.normal(size=30), np.zeros(30), kernel)
    >>> fit.effect.used
    0.0
    """
    known = known or decomposed(relationship)
    effect = score_effect(y, score, relationship, known)
    rest = y - effect.used * score if effect.used else y
    return TransferFit(effect, gblup(rest, [relationship], known), score)


def gblup(y: Vector, kernels: list[Matrix], known: KernelReml | None = None) -> Blup:
    """Mixed model with variances by restricted maximum likelihood.

    Where the likelihood puts the genetic share at 1, which few lines cannot show, the mean over the
    likelihood is used, as Budwood's kernel models do.

    Parameters
    ----------
    y
        (n,) records.
    kernels
        (n, n) each.
    known
        :func:`decomposed` of the only kernel, where many records share it.

    Returns
    -------
    Blup
        The solved equations.
    """
    alone = known is not None and len(kernels) == 1
    components = known.fit(y) if known is not None and alone else reml(y, kernels)
    if genetic_share(components, kernels) > PLAUSIBLE[1]:
        if known is not None and alone:
            components = known.average(y)
        else:
            components = averaged_components(y, kernels, components)
    return blup(y, kernels, components)


def second_kernel_test(y: Vector, relationship: Matrix, second: Matrix) -> tuple[float, VarianceComponents]:
    """Likelihood-ratio test of a second kernel beside the relationship.

    Under the null the statistic is 0 in half of the cases and chi-squared with one degree of freedom in the
    others (Self and Liang 1987, JASA 82:605).

    Parameters
    ----------
    y
        (n,) trait values.
    relationship, second
        (n, n) kernels.

    Returns
    -------
    p_value : float
        Of the hypothesis that the second kernel has no variance.
    components : VarianceComponents
        With both kernels.
    """
    alone, both = reml(y, [relationship]), reml(y, [relationship, second])
    statistic = 2.0 * (both.log_likelihood - alone.log_likelihood)
    p_value = 0.5 * float(chi2.sf(statistic, 1)) if statistic > 0.0 else 1.0
    return p_value, both
