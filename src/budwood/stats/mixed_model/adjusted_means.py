"""Means of lines adjusted for environments: best linear unbiased estimates of a two-way table with gaps.

The value of line i in environment j is ``v_i + e_j + d_ij`` with fixed lines, fixed environments whose
effects add up to 0, and independent ``d_ij ~ N(0, s + se_ij^2)``: the variance s of interaction (and of
error, where no standard error is known) is estimated by restricted maximum likelihood. Environments are
fixed, since breeders try better lines in later years: random environments would shrink such trends into the
lines.

With W the inverse variances (lines x environments, 0 in gaps), D their row sums and C a basis of contrasts of
environments, the lines are absorbed, so that only a system of the environments' size is solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cho_factor, cho_solve, helmert
from scipy.optimize import minimize_scalar
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Interaction variances tried, as log10 multiples of the variance within environments.
_SEARCH: Final = (-6.0, 2.0)


@dataclass(frozen=True)
class AdjustedMeans:
    """Estimates of n lines in E environments.

    Attributes
    ----------
    value
        (n,) expected mean of the line over all environments, each counting the same; NaN where the line has
        no record or shares no environment with another line.
    standard_error
        (n,) of that mean; NaN where nothing tells the variance.
    weight
        (n,) diagonal of the inverse covariance of the values: what a second stage that takes them as
        independent weights them by (Smith, Cullis and Gilmour 2001, Australian and New Zealand Journal of
        Statistics 43:129). Relative to a record of variance 1 where nothing tells the variance.
    environment_effect
        (E,) deviation of each environment.
    interaction
        Variance s of a value around line + environment, beyond its standard error; NaN where not estimable.
    component
        (E,) set of connected environments; sets share no line.
    """

    value: Vector
    standard_error: Vector
    weight: Vector
    environment_effect: Vector
    interaction: float
    component: NDArray[np.int32]


def adjusted_means(
    line: Rows, environment: Rows, value: Vector, error_variance: Vector | None = None
) -> AdjustedMeans:
    """Adjust the means of lines for the environments in which they were observed.

    Where sets of environments share no line, the mean line of each set is taken for equal.

    Parameters
    ----------
    line, environment
        (N,) row of the line, 0 to n - 1, and of the environment of each value; a pair stands once.
    value
        (N,) values.
    error_variance
        (N,) their squared standard errors, or None where they are unknown.

    Returns
    -------
    AdjustedMeans
        Of the lines and environments up to the largest rows.

    Examples
    --------
    The second environment yields 10 more, and line 2 was only there:

    >>> found = adjusted_means(np.array([0, 1, 0, 1, 2]), np.array([0, 0, 1, 1, 1]),
    ...                        np.array([1.0, 3.0, 11.0, 13.0, 12.0]))
    >>> found.value.round(6).tolist(), found.environment_effect.round(6).tolist()
    ([6.0, 8.0, 7.0], [-5.0, 5.0])
    """
    table = _Table.of(line, environment, value)
    known = np.zeros(len(value)) if error_variance is None else error_variance
    freedom = table.degrees_of_freedom
    if error_variance is None:
        solved = table.solve(np.ones(len(value)))
        interaction = solved.squares / freedom if freedom else np.nan
        scale = interaction if freedom and interaction > 0.0 else np.nan
    else:
        interaction = table.interaction(known) if freedom else 0.0
        solved, scale = table.solve(interaction + known), 1.0
    values = solved.value.copy()
    values[table.alone] = np.nan
    weight = np.where(table.alone, 0.0, solved.information) / (1.0 if np.isnan(scale) else scale)
    error = np.sqrt(solved.variance * scale)
    error[table.alone] = np.nan
    return AdjustedMeans(values, error, weight, solved.environment, float(interaction), table.component)


@dataclass(frozen=True)
class _Solved:
    """Estimates for given variances of the values."""

    value: Vector
    environment: Vector
    variance: Vector
    information: Vector
    squares: float
    log_determinant: float


@dataclass(frozen=True)
class _Table:
    """A two-way table with gaps.

    Attributes
    ----------
    contrasts
        (E, E - components) orthonormal contrasts of the environments of each component.
    component, line_component
        (E,) and (n,) connected set, -1 of a line without records.
    alone
        (n,) whether a line is the only one of its component, or has no records.
    """

    line: Rows
    environment: Rows
    value: Vector
    contrasts: Matrix
    component: NDArray[np.int32]
    line_component: NDArray[np.int32]
    alone: NDArray[np.bool_]

    @classmethod
    def of(cls, line: Rows, environment: Rows, value: Vector) -> _Table:
        n, several = int(line.max()) + 1, int(environment.max()) + 1
        graph = coo_matrix((np.ones(len(line)), (line, n + environment)), shape=(n + several, n + several))
        _, labels = connected_components(graph, directed=False)
        component, of_line = labels[n:].copy(), labels[:n].copy()
        observed = np.bincount(line, minlength=n) > 0
        sizes = np.bincount(of_line[observed], minlength=int(labels.max()) + 1)
        alone = ~observed | (sizes[of_line] < 2)
        of_line[~observed] = -1
        members = [np.flatnonzero(component == each) for each in np.unique(component)]
        basis = block_diag(*(helmert(len(each)).T for each in members))
        contrasts = np.empty_like(basis)
        contrasts[np.concatenate(members)] = basis
        return cls(line, environment, value, contrasts, component, of_line, alone)

    @property
    def degrees_of_freedom(self) -> int:
        """Of the rest beside lines and environments."""
        lines = int((self.line_component >= 0).sum())
        return len(self.value) - lines - self.contrasts.shape[1]

    def interaction(self, known: Vector) -> float:
        """The variance beyond the known ones with the highest restricted likelihood."""

        def deviance(s: float) -> float:
            solved = self.solve(s + known)
            return float(np.log(s + known).sum() + solved.log_determinant + solved.squares)

        unit = float(np.mean(known)) + self.solve(np.ones(len(known))).squares / self.degrees_of_freedom
        found = minimize_scalar(
            lambda t: deviance(unit * 10.0**t), bounds=_SEARCH, method="bounded", options={"xatol": 1e-6}
        )
        return 0.0 if deviance(0.0) <= found.fun else float(unit * 10.0**found.x)

    def solve(self, variance: Vector) -> _Solved:
        """Weighted least squares."""
        n, several = len(self.line_component), len(self.component)
        weights = np.zeros((n, several))
        weights[self.line, self.environment] = 1.0 / variance
        total = weights.sum(axis=1)
        share = weights / np.where(total > 0.0, total, 1.0)[:, None]
        response = np.zeros((n, several))
        response[self.line, self.environment] = self.value
        raw = (share * response).sum(axis=1)
        of_environment = weights.sum(axis=0)
        contrasts = self.contrasts
        information = contrasts.T @ (np.diag(of_environment) - weights.T @ share) @ contrasts
        right = contrasts.T @ ((weights * (response - raw[:, None])).sum(axis=0))
        effects, inverse, log_determinant = _solve_system(information, right)
        environment = contrasts @ effects
        value = raw - share @ environment
        rest = self.value - value[self.line] - environment[self.environment]
        between = share @ contrasts
        _, without_lines, _ = _solve_system(contrasts.T @ (of_environment[:, None] * contrasts), right)
        crossed = weights @ contrasts
        reciprocal = 1.0 / np.where(total > 0.0, total, np.inf)
        return _Solved(
            value=self._level(value),
            environment=environment,
            variance=reciprocal + _quadratic(between, inverse),
            information=total - _quadratic(crossed, without_lines),
            squares=float((rest**2 / variance).sum()),
            log_determinant=float(np.log(total[total > 0.0]).sum()) + log_determinant,
        )

    def _level(self, value: Vector) -> Vector:
        """Values with the mean line of each component at the mean of all."""
        observed = self.line_component >= 0
        level = value.copy()
        if len(np.unique(self.line_component[observed])) > 1:
            overall = value[observed].mean()
            for each in np.unique(self.line_component[observed]):
                rows = self.line_component == each
                level[rows] += overall - value[rows].mean()
        return level


def _solve_system(matrix: Matrix, right: Vector) -> tuple[Vector, Matrix, float]:
    """Solution, inverse and log-determinant of a positive definite system, possibly of size 0."""
    if not len(matrix):
        return right, matrix, 0.0
    factor = cho_factor(matrix, lower=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(matrix)), check_finite=False)
    return inverse @ right, inverse, 2.0 * float(np.log(np.diagonal(factor[0])).sum())


def _quadratic(rows: Matrix, middle: Matrix) -> Vector:
    """Diagonal of rows middle rows'."""
    return np.einsum("ij,jk,ik->i", rows, middle, rows, optimize=True)
