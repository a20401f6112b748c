"""A multi-environment model that has learnt: equations solved for K of lines times G of environments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from budwood.errors import BudwoodError
from budwood.prediction.contract import Forecast, Lines
from budwood.prediction.environments.scaling import EnvironmentScales
from budwood.prediction.environments.trials import Trials
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.mixed_model.column_covariance import ColumnCovariance
from budwood.stats.mixed_model.kronecker_grid import kronecker_grid_of
from budwood.stats.mixed_model.kronecker_model import KroneckerFit, KroneckerRecords, Targets, kronecker_reml
from budwood.stats.mixed_model.kronecker_scattered import kronecker_scattered_of
from budwood.stats.relationship.kernel_scaling import kernel_spread
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Largest matrix that is factored: 8 N^2 bytes, 0.65 GB at the limit.
LARGEST: Final = 9_000


@dataclass(frozen=True)
class FittedKroneckerModel:
    """Variances by restricted maximum likelihood and solved equations.

    Attributes
    ----------
    trials
        What it learnt from.
    scales
        Mean and spread of every environment.
    structure, fit
        Covariance between environments, and its estimates.
    kernel
        Name of the kernel of the accessions.
    spread
        Expected sample variance of an effect of unit variance among the training lines.
    """

    trials: Trials
    scales: EnvironmentScales
    structure: ColumnCovariance
    fit: KroneckerFit
    kernel: str
    spread: float

    @property
    def lines(self) -> Rows:
        """Training lines, in rising order: rows of the panel that the model was fitted in."""
        return self.trials.lines

    @property
    def variance_shares(self) -> dict[str, float]:
        """Share of the expected sample variance within an environment by source."""
        parts = dict(self.structure.parts(self.fit.parameters))
        shares = {name: part * (1.0 if name == "residual" else self.spread) for name, part in parts.items()}
        total = sum(shares.values())
        return {name: share / total for name, share in shares.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence where the search for variance components ran out of steps."""
        if self.fit.settled:
            return ()
        return (
            "The variance components did not settle: the search ran out of steps, so they may be short of "
            "the maximum of the likelihood. Compare with a simpler model.",
        )

    def predict_cells(self, lines: Lines, row: Rows, environments: Rows) -> Forecast:
        """Forecast cells; see :class:`budwood.prediction.environments.contract.FittedEnvironmentModel`.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.
        row
            (c,) line of each cell.
        environments
            (c,) environment of each cell.

        Returns
        -------
        Forecast
            (c,) values, standard errors and intervals.
        """
        wanted, column = np.unique(environments, return_inverse=True)
        found = self.predict_mixtures(lines, np.eye(len(self.trials.environments))[wanted])
        parts = (found.value, found.standard_error, found.reliability, found.lower_90, found.upper_90)
        return Forecast(*(part[row, column] for part in parts))

    def predict_mixtures(self, lines: Lines, mixtures: Matrix) -> Forecast:
        """Forecast means over mixtures of environments.

        Intervals are for the mean of one new record in each environment of the mixture, each observed as
        the training means were.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.
        mixtures
            (b, environments) weights; rows sum to 1.

        Returns
        -------
        Forecast
            (c, b) values, standard errors and intervals.
        """
        scales, seen = self.scales, self.scales.seen
        everywhere = self.structure.everywhere(self.fit.parameters)
        weights = mixtures * scales.scale[None, :]
        targets = Targets(
            weights @ everywhere[:, seen],
            np.einsum("be,ef,bf->b", weights, everywhere, weights),
            weights[:, seen],
        )
        found = self.fit.solved.predict(lines.cross(self.kernel), lines.own(self.kernel), targets)
        value = found.value + (mixtures @ scales.centre)[None, :]
        unseen = (mixtures**2) @ scales.centre_variance
        error = found.pev_value + unseen[None, :]
        _, residual = self.structure.covariance(self.fit.parameters)
        noise = np.full(len(scales.scale), residual.mean())
        noise[seen] = residual
        record = found.pev_value + ((weights**2) @ noise)[None, :]
        # What is known of a new environment's mean comes from the few environments seen, not from the
        # records, so the two parts have t quantiles of different degrees of freedom. Their half-widths add as
        # squares: the method of variance estimates recovery (Zou and Donner 2008, Statistics in Medicine
        # 27:1693).
        within = float(stdtrit(len(self.trials) - len(seen), 0.95)) ** 2
        between = float(stdtrit(max(len(seen) - 1, 1), 0.95)) ** 2
        half = np.sqrt(within * record + between * unseen[None, :])
        unexplained = np.ones_like(value)
        np.divide(found.pev_effect, found.effect_variance, out=unexplained, where=found.effect_variance > 0.0)
        reliability = np.clip(1.0 - unexplained, 0.0, 1.0)
        return Forecast(value, np.sqrt(error), reliability, value - half, value + half)


def fit_kronecker(
    kernels: PanelKernels,
    trials: Trials,
    scales: EnvironmentScales,
    structure: ColumnCovariance,
    kernel: str,
) -> FittedKroneckerModel:
    """Fit a structure of the covariance between environments to scaled means.

    Parameters
    ----------
    kernels
        The panel as models see it.
    trials
        Means of accessions in environments.
    scales
        Means and spreads of the environments.
    structure
        Covariance between environments.
    kernel
        Name of the kernel.

    Returns
    -------
    FittedKroneckerModel
        The fitted model.

    Raises
    ------
    BudwoodError
        If there are too many records with gaps or unequal weights.
    """
    lines = trials.lines
    own = kernels.cross(kernel, lines, lines)
    fit = kronecker_reml(_records(trials, scales, own), structure)
    return FittedKroneckerModel(trials, scales, structure, fit, kernel, kernel_spread(own))


def _records(trials: Trials, scales: EnvironmentScales, kernel: Matrix) -> KroneckerRecords:
    """The scaled records in the engine that costs less; both are exact."""
    lines, seen = trials.lines, trials.seen
    row, column = np.searchsorted(lines, trials.line), np.searchsorted(seen, trials.environment)
    scaled = (trials.value - scales.centre[trials.environment]) / scales.scale[trials.environment]
    weights = trials.weights()
    holes = len(lines) * len(seen) - len(trials)
    if np.ptp(weights) <= 1e-9 and holes <= min(len(trials), LARGEST):
        grid = np.full((len(lines), len(seen)), np.nan)
        grid[row, column] = scaled
        return kronecker_grid_of(kernel, grid)
    if len(trials) > LARGEST:
        raise BudwoodError(
            f"{len(trials):,} means of accessions in environments with {holes:,} gaps or unequal standard "
            f"errors are too many (at most {LARGEST:,})",
            mend="take fewer environments or accessions, or leave standard errors out",
        )
    return kronecker_scattered_of(kernel, row, column, scaled, weights)
