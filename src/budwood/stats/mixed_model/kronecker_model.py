"""Records of rows in columns whose effects are covaried by rows times columns.

The effect of row i in column j has ``Cov(u_ij, u_kl) = K_ik G_jl``: K is given, G is estimated. Every column
has a fixed mean, and a record of weight w in column j has residual variance ``r_j / w``. Two engines solve
this exactly and are interchangeable: :class:`~budwood.stats.mixed_model.kronecker_grid.KroneckerGrid` for
grids that are full or nearly so, and
:class:`~budwood.stats.mixed_model.kronecker_scattered.KroneckerScattered` for any set of weighted records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from scipy.optimize import minimize

from budwood.errors import BudwoodError
from budwood.stats.mixed_model.column_covariance import ColumnCovariance
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector

#: Steps of one search, and searches that go on where the one before ran out of steps.
_ITERATIONS: Final = 400
_SEARCHES: Final = 5
#: Status of scipy's L-BFGS-B where the limit of steps or evaluations was reached.
_OUT_OF_STEPS: Final = 1


@dataclass(frozen=True)
class Likelihood:
    """Restricted log-likelihood at one G and r, with its derivatives.

    Attributes
    ----------
    value
        Log-likelihood of the error contrasts, constants included.
    by_covariance
        (m, m) derivative with respect to each entry of G, entries taken as free.
    by_residual
        (m,) derivative with respect to each r.
    """

    value: float
    by_covariance: Matrix
    by_residual: Vector


@dataclass(frozen=True)
class Targets:
    """What to predict of every row: b linear combinations of columns, seen or not.

    Attributes
    ----------
    covariance
        (b, m) covariance (per unit of K) of the combination with the m columns that have records.
    variance
        (b,) its variance, per unit of K.
    mean
        (b, m) how its fixed part is made from the columns' means; 0 where it is to be left out.
    """

    covariance: Matrix
    variance: Vector
    mean: Matrix


@dataclass(frozen=True)
class CellPrediction:
    """Predictions of c rows for b targets, (c, b) each.

    Attributes
    ----------
    effect, value
        Random part, and fixed part + random part.
    effect_variance
        Variance of the random part before anything was observed.
    pev_effect, pev_value
        Variance of effect_hat - effect and of value_hat - value.
    """

    effect: Matrix
    value: Matrix
    effect_variance: Matrix
    pev_effect: Matrix
    pev_value: Matrix


class Solved(Protocol):
    """The mixed-model equations at one G and r."""

    @property
    def means(self) -> Vector:
        """(m,) estimated mean of each column."""

    def predict(self, cross: Matrix, own: Vector, targets: Targets) -> CellPrediction:
        """Predict rows.

        Parameters
        ----------
        cross
            (c, n) kernel of the rows to predict with the n rows of the records.
        own
            (c,) their own kernel.
        targets
            Combinations of columns to predict.

        Returns
        -------
        CellPrediction
            Predictions of c rows for the b targets.
        """


class KroneckerRecords(Protocol):
    """Records and K, ready for any G and r."""

    @property
    def count(self) -> int:
        """Number of records."""

    def likelihood(self, covariance: Matrix, residual: Vector) -> Likelihood:
        """Restricted log-likelihood and its derivatives.

        Parameters
        ----------
        covariance
            (m, m) covariance G of the columns.
        residual
            (m,) residual variances r.

        Returns
        -------
        Likelihood
            At G and r.
        """

    def solve(self, covariance: Matrix, residual: Vector) -> Solved:
        """Solve the mixed-model equations.

        Parameters
        ----------
        covariance
            (m, m) covariance G of the columns.
        residual
            (m,) residual variances r.

        Returns
        -------
        Solved
            The solved equations.
        """


@dataclass(frozen=True)
class KroneckerFit:
    """Restricted maximum likelihood estimates.

    Attributes
    ----------
    parameters
        Of the column covariance.
    log_likelihood
        At the maximum.
    solved
        The equations there.
    settled
        Whether the search ended at a maximum; False where it ran out of steps, so that the estimates may be
        short of it.
    """

    parameters: Vector
    log_likelihood: float
    solved: Solved
    settled: bool = True


def kronecker_reml(records: KroneckerRecords, structure: ColumnCovariance) -> KroneckerFit:
    """Restricted maximum likelihood for a structure of G and r.

    Quasi-Newton steps with exact derivatives and bounds (Byrd et al. 1995, SIAM J. Sci. Comput. 16:1190), so
    a variance may be exactly 0. A search that runs out of steps is continued from where it stopped, up to
    2,000 steps in all; whether it ended is part of the result.

    Parameters
    ----------
    records
        Records and K, in either engine.
    structure
        Structure of G and r.

    Returns
    -------
    KroneckerFit
        Estimates, and the equations solved with them.

    Raises
    ------
    BudwoodError
        If the likelihood or an estimate is not finite.

    Examples
    --------
    >>> from budwood.stats.mixed_model.column_covariance import SumOfKernels
    >>> from budwood.stats.mixed_model.kronecker_grid import kronecker_grid_of
    >>> families = np.kron(np.eye(3), np.ones((2, 2)))
    >>> y = np.array([[1.0, 1.2], [1.1, 1.5], [3.0, 3.1], [3.2, 3.6], [2.0, 2.2], [2.1, 1.9]])
    >>> structure = SumOfKernels({"main": np.ones((2, 2))}, np.arange(2))
    >>> found = kronecker_reml(kronecker_grid_of(families, y), structure)
    >>> found.settled, bool(found.parameters[0] > found.parameters[1])
    (True, True)
    """

    def loss(parameters: Vector) -> tuple[float, Vector]:
        found = records.likelihood(*structure.covariance(parameters))
        gradient = structure.gradient(parameters, found.by_covariance, found.by_residual)
        return -found.value / records.count, -gradient / records.count

    bounds = [(low, None) for low in structure.lower]
    options: Any = {"maxiter": _ITERATIONS, "maxfun": 4 * _ITERATIONS, "ftol": 1e-10, "gtol": 1e-6}
    start = structure.start
    for _ in range(_SEARCHES):
        best = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options)
        start = best.x
        if best.status != _OUT_OF_STEPS:
            break
    # A search whose last steps gain less than rounding reports a failure although it has arrived.
    if not (np.isfinite(best.fun) and np.isfinite(best.x).all()):
        raise BudwoodError(
            "variance components did not settle", mend="leave out columns with few or odd values"
        )
    solved = records.solve(*structure.covariance(best.x))
    settled = best.status != _OUT_OF_STEPS
    return KroneckerFit(best.x, -float(best.fun) * records.count, solved, settled)
