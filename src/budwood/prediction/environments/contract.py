"""The contract of every multi-environment model, and the models.

All of them are mixed models of the means y of accession i in environment j, scaled to unit variance within
each environment: ``y_ij = mean_j + g_ij + e_ij`` with ``Cov(g_ij, g_kl) = K_ik G_jl``, K the genomic
relationship. They differ in G, the covariance between environments:

    main effect            G = V 11'
    with deviations        G = V 11' + W I
    reaction norm          G = V 11' + C K_e + W I      K_e from covariates (Jarquin et al. 2014)
    factor-analytic        G = L L' + diag(psi)         (Smith, Cullis and Thompson 2001)

Variances are estimated by restricted maximum likelihood; predictions, standard errors and intervals follow
from the same equations (:mod:`budwood.stats.mixed_model.kronecker_model`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Forecast, Lines
from budwood.prediction.environments.covariates import environment_kernel
from budwood.prediction.environments.fitted import FittedKroneckerModel, fit_kronecker
from budwood.prediction.environments.scaling import EnvironmentScales
from budwood.prediction.environments.trials import Trials
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.mixed_model.column_covariance import FactorAnalytic, SumOfKernels
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]


class FittedEnvironmentModel(Protocol):
    """A model that has learnt."""

    @property
    def variance_shares(self) -> Mapping[str, float]:
        """Share of the variance within environments by source, ``"residual"`` included; they add up to 1."""

    @property
    def kernel(self) -> str:
        """Name of the kernel of the accessions."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the fit that a reader must know."""

    @property
    def lines(self) -> Rows:
        """Training lines, rows of the panel it was fitted in."""

    def predict_cells(self, lines: Lines, row: Rows, environments: Rows) -> Forecast:
        """Forecast cells: ``row`` (c,) among the lines, each in one of (c,) environments, seen or not.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.
        row
            (c,) line of each cell.
        environments
            (c,) environment of each cell.
        """

    def predict_mixtures(self, lines: Lines, mixtures: Matrix) -> Forecast:
        """Forecast c lines' means over b mixtures of environments.

        ``mixtures`` is (b, environments) with weights; the forecast's arrays are (c, b).

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.
        mixtures
            (b, environments) weights; rows sum to 1.
        """


def forecast_cells(
    fitted: FittedEnvironmentModel, kernels: PanelKernels, rows: Rows, environments: Rows
) -> Forecast:
    """Forecast cells of the panel that a model was fitted in.

    Parameters
    ----------
    fitted
        A fitted model.
    kernels
        The panel as models see it.
    rows, environments
        (c,) row of the panel and environment of each cell.

    Returns
    -------
    Forecast
        (c,) values, standard errors and intervals.
    """
    lines, row = np.unique(rows, return_inverse=True)
    return fitted.predict_cells(kernels.lines(lines, fitted.lines), row, environments)


class EnvironmentModel(Protocol):
    """A description of a model."""

    @property
    def name(self) -> str:
        """What people call it."""

    def fit(self, kernels: PanelKernels, trials: Trials) -> FittedEnvironmentModel:
        """Learn from the trials' means; ``trials.line`` are rows of the kernels.

        Parameters
        ----------
        kernels
            The panel as models see it.
        trials
            Means of accessions in environments.
        """


@dataclass(frozen=True)
class SumModel:
    """Main effect, reaction norm on covariates and deviations, each with a variance of its own.

    Attributes
    ----------
    name
        What people call it.
    covariates
        Whether environments with similar covariates get similar deviations.
    deviations
        Whether each environment has deviations of its own.
    index
        Whether the training mean of an environment joins the covariates. An environment without training
        records has none and stands at the average.
    kernel
        Kernel of the accessions (see :meth:`PanelKernels.kernel`).
    """

    name: str
    covariates: bool = False
    deviations: bool = True
    index: bool = False
    kernel: str = RELATIONSHIP

    def fit(self, kernels: PanelKernels, trials: Trials) -> FittedKroneckerModel:
        """Estimate variances and solve the mixed model.

        Parameters
        ----------
        kernels
            The panel as models see it.
        trials
            Means of accessions in environments.

        Returns
        -------
        FittedKroneckerModel
            The fitted model.
        """
        scales = EnvironmentScales.learn(trials)
        count = len(trials.environments)
        parts = {"main effect": np.ones((count, count))}
        if self.covariates:
            similar = environment_kernel(trials.environments, trials.seen)
            # Means must not explain themselves, so the index stays out of what new means are expected from.
            scales = scales.with_similarity(similar)
            if self.index:
                similar = environment_kernel(trials.environments, trials.seen, scales.known_means())
            if similar is not None:
                parts["covariates"] = similar
        if self.deviations:
            parts["deviations"] = np.eye(count)
        structure = SumOfKernels(parts, trials.seen)
        return fit_kronecker(kernels, trials, scales, structure, self.kernel)


@dataclass(frozen=True)
class FactorModel:
    """Environments as combinations of a few factors, beside their own deviations and residual variances.

    Attributes
    ----------
    name
        What people call it.
    order
        Number of factors; 0 predicts every environment from its own records alone.
    kernel
        Kernel of the accessions.
    """

    name: str
    order: int = 1
    kernel: str = RELATIONSHIP

    def fit(self, kernels: PanelKernels, trials: Trials) -> FittedKroneckerModel:
        """Estimate loadings and variances and solve the mixed model.

        Parameters
        ----------
        kernels
            The panel as models see it.
        trials
            Means of accessions in environments.

        Returns
        -------
        FittedKroneckerModel
            The fitted model.
        """
        structure = FactorAnalytic(self.order, trials.seen, len(trials.environments))
        return fit_kronecker(kernels, trials, EnvironmentScales.learn(trials), structure, self.kernel)


SEPARATE: Final = FactorModel("each environment alone", 0)
MAIN_EFFECT: Final = SumModel("main effect", deviations=False)
DEVIATIONS: Final = SumModel("main effect + deviations")
REACTION_NORM: Final = SumModel("reaction norm", covariates=True)
INDEX_NORM: Final = SumModel("reaction norm + index", covariates=True, index=True)
FACTOR_1: Final = FactorModel("factor-analytic 1", 1)
FACTOR_2: Final = FactorModel("factor-analytic 2", 2)
