"""Apply: predictions of new lines by a saved trait model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError, counted
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.command import command_of
from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.setup.threads import blas_threads

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.panel.panel import Panel
    from budwood.prediction.environments.mean_ranking import MeanRanking
    from budwood.prediction.environments.results import EnvironmentPrediction
    from budwood.prediction.evaluation.results import TraitPrediction
    from budwood.prediction.fitted_trait_model import FittedTraitModel


@dataclass(frozen=True, kw_only=True)
class ApplyOptions:
    """Which model predicts which lines.

    Attributes
    ----------
    model
        Folder that ``predict --save-model`` wrote.
    files
        Genotypes of the new lines; with the reference genome where the model reads sequence.
    encoder
        Which encoder reads the sequence, and where it runs.
    minimum_markers
        Share of the model's markers below which the genotypes are refused.
    """

    model: Path
    files: PanelFiles
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    minimum_markers: float = 0.1

    def check(self) -> None:
        """Refuse a share that is none.

        Raises
        ------
        BudwoodError
            If the share is not between 0 and 1.
        """
        if not 0.0 <= self.minimum_markers <= 1.0:
            raise BudwoodError(
                f"--minimum-markers {self.minimum_markers:g} is no share",
                mend="give a number between 0 and 1",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class ApplyResult:
    """Predictions of new lines, and the model they come from.

    Attributes
    ----------
    panel
        The new lines.
    fitted
        The model.
    prediction
        Of the trait.
    in_environments
        Predictions in each environment, where the folder holds a multi-environment model.
    mean_r
        Accuracy of the models on held-out lines of the panel they were fitted in, by name; empty where it is
        not stored.
    """

    panel: Panel
    fitted: FittedTraitModel
    prediction: TraitPrediction
    in_environments: EnvironmentPrediction | None
    mean_r: dict[str, float]

    @property
    def environment_means(self) -> MeanRanking | None:
        """Means over the environments of the model's table; None where it has none."""
        from budwood.prediction.environments.mean_ranking import mean_ranking

        several = self.in_environments
        return None if several is None else mean_ranking(self.prediction, several)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was read and assumed, from the files to the model."""
        read = (*identity_notes(self.panel), *read_notes(self.panel))
        means = self.environment_means
        compared = () if means is None else (means.sentence,)
        return tuple(dict.fromkeys((*read, *self.prediction.notes, *compared)))

    def record(self) -> dict[str, Any]:
        """The result as plain values, the tables left out.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        prediction = self.prediction
        return {
            "trait": prediction.trait,
            "model": self.fitted.model,
            "accessions": len(prediction.accessions),
            "training_lines": len(self.fitted.observed),
            "extrapolations": int(prediction.extrapolation.sum()),
            "mean_r": self.mean_r,
            "notes": list(self.notes),
        }


def apply(
    options: ApplyOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> ApplyResult:
    """Read the model and the new lines, and predict them.

    Parameters
    ----------
    options
        Which model predicts which lines.
    out
        Folder to write: predictions.csv and report.html; environments.csv and stability.csv where the model
        has environments. Nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Returns
    -------
    ApplyResult
        Predictions of the new lines and how their markers matched.

    Raises
    ------
    BudwoodError
        If the model is damaged, a file cannot be used, or too few markers match.
    """
    from budwood.artifacts import write_artifact

    options.check()
    if out is None:
        return _apply(options, announce)
    inputs = [options.model / "manifest.json", *options.files.inputs]
    with write_artifact(out, kind="apply", inputs=inputs, overwrite=overwrite) as draft:
        result = _apply(options, announce)
        if result.panel.vectors is not None:
            draft.parameters["device"] = result.panel.vectors.device
        _write(draft, result, options)
    return result


def _apply(options: ApplyOptions, announce: Announce) -> ApplyResult:
    """Compute without writing."""
    from budwood.artifacts import read_manifest
    from budwood.prediction.environments.fitted_trait_model import FittedEnvironmentTraitModel
    from budwood.prediction.saved.model_folder import ENVIRONMENTS
    from budwood.prediction.trait_model import TraitModel
    from budwood.workflows.setup.sequence import add_sequence

    fitted = TraitModel.load(options.model)
    if fitted.reads_sequence and options.files.reference is None:
        raise BudwoodError(
            f"model {fitted.model} reads sequence",
            where=str(options.model),
            mend="give --reference with the genome that the model was fitted with",
        )
    panel = read_panel(options.files)
    if fitted.reads_sequence:
        panel = add_sequence(panel, options.files, encoder_of(fitted, options.encoder), announce=announce)
    several = None
    with blas_threads(len(fitted.observed)):
        prediction = fitted.predict(panel, minimum_share=options.minimum_markers)
        if (options.model / f"{ENVIRONMENTS}.json").is_file():
            model = FittedEnvironmentTraitModel.load(options.model)
            several = model.predict(panel.genotypes, minimum_share=options.minimum_markers)
    manifest = read_manifest(options.model)
    if manifest.get("parameters", {}).get("lower_is_better", False) is True:
        prediction = prediction.with_lowest_best()
    return ApplyResult(
        panel=panel,
        fitted=fitted,
        prediction=prediction,
        in_environments=several,
        mean_r=_accuracies(manifest, options.model),
    )


def encoder_of(fitted: FittedTraitModel, encoder: EncoderOptions) -> EncoderOptions:
    """The packaged encoder that a model was fitted with, where the options name none and the package has it.

    Parameters
    ----------
    fitted
        The model.
    encoder
        What the user asked for.

    Returns
    -------
    EncoderOptions
        The same options, with the folder of the packaged encoder where it is found.
    """
    trained = fitted.training.haplotypes
    if encoder.checkpoint is not None or trained is None:
        return encoder
    from budwood.model.checkpoint import packaged_checkpoint_of

    return replace(encoder, checkpoint=packaged_checkpoint_of(trained.digest))


def _accuracies(manifest: dict[str, Any], folder: Path) -> dict[str, float]:
    """Accuracy of models by name, as the manifest of a saved model states it."""
    found = manifest.get("metrics", {}).get("mean_r", {})
    if isinstance(found, dict) and all(
        type(each) in (int, float) and -1.0 <= each <= 1.0 for each in found.values()
    ):
        return {name: float(each) for name, each in found.items()}
    raise BudwoodError(
        "the saved model is damaged: metrics.mean_r holds no accuracies",
        where=str(folder / "manifest.json"),
        mend="copy it again from its source, or fit the model again",
    )


def _write(draft: Draft, result: ApplyResult, options: ApplyOptions) -> None:
    from budwood.report.pages.prediction import write_report
    from budwood.report.parts.environments import environment_section
    from budwood.workflows.records.environments import write_environment_predictions
    from budwood.workflows.records.report_context import run_context
    from budwood.workflows.records.trait import write_predictions

    n, m = result.panel.shape
    context = run_context(
        model=result.fitted.model,
        inputs={
            "model": f"{options.model.name}, fitted to {counted(len(result.fitted.observed), 'line')} with "
            f"{result.fitted.trait or 'the trait'}",
            "genotypes": f"{options.files.genotypes.name}, "
            f"{counted(n, 'accession')} x {counted(m, 'marker')}",
        },
        identity=identity_notes(result.panel),
        notes=read_notes(result.panel),
        checkpoint=result.panel.vectors.checkpoint if result.panel.vectors else None,
        command=command_of("apply", options).replace("--model ", "", 1),
        no_evaluation=_accuracy_sentence(result),
    )
    several, means = result.in_environments, result.environment_means
    section = None
    if several is not None and means is not None:
        section = environment_section(result.prediction, several, means)
    write_predictions(draft.path("predictions.csv"), result.prediction, means=means)
    write_report(draft.path("report.html"), result.prediction, None, context=context, environments=section)
    draft.notes += result.notes
    draft.parameters |= {"trait": result.prediction.trait, "model": result.fitted.name}
    draft.metrics |= json.loads(json.dumps({"mean_r_of_training_panel": result.mean_r}))
    if result.in_environments is not None:
        lowest = result.prediction.lower_is_better
        write_environment_predictions(draft, result.in_environments, lower_is_better=lowest)


def _accuracy_sentence(result: ApplyResult) -> str:
    """Why there is no accuracy here, and what it was in the panel of the model."""
    found = result.mean_r.get(result.fitted.model)
    known = "" if found is None else f"; on held-out lines of its own panel r was {found:.2f}"
    return f"these lines have no trait values, and the model was fitted to another panel{known}"
