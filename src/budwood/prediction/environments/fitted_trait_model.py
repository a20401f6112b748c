"""A multi-environment model that has learnt: it predicts any lines in all environments it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.artifacts import Draft, write_artifact
from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, check_is_genotypes
from budwood.prediction.contract import Lines
from budwood.prediction.environments.contract import FittedEnvironmentModel
from budwood.prediction.environments.results import EnvironmentPrediction
from budwood.prediction.environments.trials import Trials
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.kernels.training_lines import NewLines, TrainingLines, check_share
from budwood.prediction.saved.model_folder import ENVIRONMENTS, read_model, write_model
from budwood.prediction.saved.model_folder import KIND as TRAIT_MODEL
from budwood.prediction.saved.record import damaged
from budwood.prediction.saved.rules import Rule, check_rules
from budwood.prediction.saved.trial_prediction import try_prediction
from budwood.stats.evaluation.finlay_wilkinson import finlay_wilkinson
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

KIND = "environment-model"


@dataclass(frozen=True, kw_only=True)
class FittedEnvironmentTraitModel:
    """A multi-environment model of a trait that has learnt.

    Attributes
    ----------
    trait
        Name of the trait.
    model, name
        Name that people read, and the name by which the model is chosen.
    training
        The training lines, in the order of ``estimator.lines``.
    estimator
        What it has learnt.
    trials
        The means it learnt from; ``line`` is the position among the training lines.
    targets
        Environments whose mean is predicted.
    notes
        Sentences about the training, warnings first.
    """

    trait: str
    model: str
    name: str
    training: TrainingLines
    estimator: FittedEnvironmentModel
    trials: Trials
    targets: Rows
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        kernels: PanelKernels,
        estimator: FittedEnvironmentModel,
        trials: Trials,
        targets: Rows,
        *,
        trait: str,
        model: str,
        name: str,
        notes: tuple[str, ...],
    ) -> FittedEnvironmentTraitModel:
        """Keep what a model that was fitted in a panel needs to predict any line.

        Parameters
        ----------
        kernels
            The panel, and the means in its environments; ``trials.line`` are rows of the panel.
        estimator
            Fitted to them.
        trials
            The panel, and the means in its environments; ``trials.line`` are rows of the panel.
        targets
            Rows of the environments whose mean is predicted.
        trait, model, name, notes
            As the attributes.
        """
        lines = estimator.lines
        return cls(
            trait=trait,
            model=model,
            name=name,
            training=TrainingLines.of(kernels, lines),
            estimator=estimator,
            trials=replace(trials, line=np.searchsorted(lines, trials.line)),
            targets=targets,
            notes=notes,
        )

    @property
    def variance_shares(self) -> Mapping[str, float]:
        """Share of the variance within environments by source."""
        return self.estimator.variance_shares

    def predict(self, genotypes: Genotypes, *, minimum_share: float = 0.1) -> EnvironmentPrediction:
        """Predict lines of any file in every environment.

        Parameters
        ----------
        genotypes
            c accessions; see :meth:`budwood.prediction.fitted_trait_model.FittedTraitModel.predict`.
        minimum_share
            Share of the model's markers below which the genotypes are refused.

        Returns
        -------
        EnvironmentPrediction
            Predictions in every environment and of their mean.

        Raises
        ------
        BudwoodError
            If too few markers match.
        """
        check_is_genotypes(genotypes)
        check_share(minimum_share)
        lines = NewLines(self.training, genotypes, minimum_share=minimum_share)
        return self.forecast(lines, genotypes.accessions, lines.match.notes())

    def forecast(
        self, lines: Lines, accessions: tuple[str, ...], notes: tuple[str, ...] = ()
    ) -> EnvironmentPrediction:
        """Predict lines as the model sees them.

        Parameters
        ----------
        lines, accessions
            c lines and their ids.
        notes
            Sentences that come before the model's own.

        Returns
        -------
        EnvironmentPrediction
            Predictions in every environment and of their mean.
        """
        known = self.trials.environments
        cells = self.estimator.predict_mixtures(lines, np.eye(len(known)))
        mixture = np.zeros((1, len(known)))
        mixture[0, self.targets] = 1.0 / len(self.targets)
        mean = self.estimator.predict_mixtures(lines, mixture)
        slope, deviation, stability_notes = _stability(cells.value)
        spread = cells.value.std(axis=0, ddof=1) if len(accessions) > 1 else np.zeros(len(known))
        return EnvironmentPrediction(
            trait=self.trait,
            model=self.model,
            accessions=accessions,
            environments=known.names,
            observed=self._observed(lines.training_position),
            value=cells.value,
            standard_error=cells.standard_error,
            lower_90=cells.lower_90,
            upper_90=cells.upper_90,
            trained=np.isin(np.arange(len(known)), self.trials.seen),
            spread=spread,
            mean=mean.value[:, 0],
            mean_standard_error=mean.standard_error[:, 0],
            slope=slope,
            deviation=deviation,
            variance_shares=self.variance_shares,
            notes=(*notes, *self.notes, *stability_notes),
        )

    def _observed(self, position: Rows) -> Matrix:
        """(c, a) means of lines that are training lines, NaN elsewhere."""
        table = np.full((len(self.training.accessions) + 1, len(self.trials.environments)), np.nan)
        table[self.trials.line, self.trials.environment] = self.trials.value
        return table[np.where(position >= 0, position, len(table) - 1)]

    def save(self, folder: Path | str, *, overwrite: bool = False) -> None:
        """Save the model as an artifact of kind ``environment-model``.

        Parameters
        ----------
        folder
            Where to; it must not exist, unless ``overwrite`` and it holds an earlier result.
        overwrite
            Whether an earlier result there is replaced.
        """
        parameters = {
            "trait": self.trait,
            "model": self.name,
            "environments": list(self.trials.environments.names),
        }
        with write_artifact(Path(folder), kind=KIND, parameters=parameters, overwrite=overwrite) as draft:
            self.write(draft)

    def write(self, draft: Draft) -> None:
        """Write the model into an artifact, perhaps beside a model of one trait value.

        Parameters
        ----------
        draft
            The artifact that is being written.
        """
        write_model(draft, self, (FittedEnvironmentTraitModel,), name=ENVIRONMENTS)

    @classmethod
    def load(cls, folder: Path | str) -> FittedEnvironmentTraitModel:
        """Read a saved model.

        Parameters
        ----------
        folder
            What :meth:`save` wrote.

        Raises
        ------
        BudwoodError
            If the folder holds no saved multi-environment model, or a damaged one.
        """
        model = read_model(Path(folder), (cls,), kinds=(KIND, TRAIT_MODEL), name=ENVIRONMENTS)
        if not isinstance(model, cls):
            raise BudwoodError(
                "the folder holds another kind of saved model",
                where=str(folder),
                mend="give a saved multi-environment model",
            )
        model._check(str(Path(folder) / f"{ENVIRONMENTS}.json"))
        return model

    def _check(self, where: str) -> None:
        """Refuse a model that was read and makes no sense."""
        training, trials = self.training, self.trials
        lengths = {
            "lines": len(training.accessions),
            "markers": len(training.markers),
            "environments": len(trials.environments),
            "seen": len(trials.seen),
            "records": len(trials),
        }
        check_rules(
            self, lengths, {"targets": Rule(("targets",), least=0, below="environments")}, where=where
        )
        if len(trials.line) and int(trials.line.max()) >= len(training.accessions):
            raise damaged("has records of lines that are not there", "trials.line", where)
        if not len(self.targets):
            raise damaged("names no environment", "targets", where)

        def predict(genotypes: Genotypes, _: object) -> tuple[NDArray[np.float64], ...]:
            found = self.predict(genotypes)
            return found.value, found.standard_error, found.lower_90, found.upper_90

        try_prediction(training, predict, where)


def _stability(value: Matrix) -> tuple[Vector, Vector, tuple[str, ...]]:
    try:
        found = finlay_wilkinson(value)
    except BudwoodError as error:
        unknown = np.full(len(value), np.nan)
        return unknown, unknown, (f"No stability: {error.what}.",)
    note = "Slopes and deviations of stability are those of predictions, which are shrunk towards the mean."
    return found.slope, found.deviation, (note,)
