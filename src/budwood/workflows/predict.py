"""Predict: a ranked list of accessions, with its accuracy and a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.command import command_of
from budwood.workflows.setup.cost import Announce, model_cost, silent
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.setup.threads import blas_threads

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.panel.accession_means import AccessionMeans
    from budwood.panel.panel import Panel
    from budwood.prediction.environments.mean_ranking import MeanRanking
    from budwood.prediction.environments.results import EnvironmentPrediction
    from budwood.prediction.evaluation.results import Evaluation, TraitPrediction
    from budwood.prediction.fitted_trait_model import FittedTraitModel
    from budwood.prediction.marker_effects import EffectTable
    from budwood.report.parts.leaders import Leader


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """What to predict, and how.

    Attributes
    ----------
    files
        Genotypes, phenotypes and what else is known.
    trait
        Trait to predict, as named in the phenotypes.
    model
        Model that predicts; by default the one that uses what is given.
    encoder
        Which encoder reads the sequence, and where it runs.
    save_model
        Folder for the fitted model, which predicts lines of other files; none is saved where None.
    marker_effects
        Whether marker_effects.csv is written; the model must be linear in the markers.
    lower_is_better
        Whether the best lines are those with the smallest values.
    seed
        Of folds, permutations and everything that the models draw.
    csv_dialect
        How the tables are written.
    """

    files: PanelFiles
    trait: str
    model: str | None = None
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    save_model: Path | None = None
    marker_effects: bool = False
    lower_is_better: bool = False
    seed: int = 0
    csv_dialect: CsvDialect = CsvDialect.PLAIN

    def check(self) -> None:
        """Refuse a model that does not exist or lacks its files, before anything is read.

        Raises
        ------
        BudwoodError
            If the model cannot be fitted to these files.
        """
        from budwood.prediction.models.registry import model_named

        if self.files.phenotypes is None:
            raise BudwoodError("a prediction needs phenotypes", mend="give --phenotypes as well")
        if self.files.kinship is not None and (self.save_model is not None or self.marker_effects):
            raise BudwoodError(
                "--kinship excludes --save-model and --marker-effects: "
                "a kinship matrix tells neither how new lines are related nor what a marker does",
                where="command line",
                mend="leave one of them out",
            )
        if self.model is None:
            return
        model_named(self.model)
        plain = self.model.partition(":")[0]
        if plain == "gblup+dna" and self.files.reference is None:
            raise BudwoodError(
                f"model {self.model!r} reads sequence",
                mend="give the reference genome, or choose another model",
            )
        if plain == "subgenomes" and not (self.files.subgenomes or self.files.subgenomes_by_name):
            raise BudwoodError(
                "the panel has no subgenomes",
                mend="say which contig belongs to which subgenome with --subgenomes, or choose another model",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictResult:
    """Predictions of every accession, how right such predictions are, and the panel they come from.

    Attributes
    ----------
    panel
        With haplotypes and vectors where a reference genome was given.
    prediction, evaluation
        Of the trait; the model that predicts is the one with the permutation test.
    values
        Trait values that the models learnt from, adjusted for environments and covariates.
    in_environments
        Predictions in each environment, where a table of environments was given.
    effects
        Marker effects, where they are wanted.
    """

    panel: Panel
    prediction: TraitPrediction
    evaluation: Evaluation
    values: AccessionMeans
    in_environments: EnvironmentPrediction | None = None
    effects: EffectTable | None = None

    @property
    def model(self) -> str:
        """Name of the model that the predictions come from."""
        return self.evaluation.permutation.model

    @property
    def phenotyped(self) -> int:
        """Number of accessions with a value of the trait."""
        observed = self.prediction.observed
        return int((observed == observed).sum())

    @property
    def mean_r(self) -> dict[str, float]:
        """Mean accuracy on held-out lines by model."""
        return {score.name: score.mean_r for score in self.evaluation.scores}

    @property
    def headline(self) -> str:
        """How far the ranking can be trusted, as the report says it."""
        from budwood.report.context import ReportContext
        from budwood.report.wording import headline

        context = ReportContext(model=self.model, created=datetime.now(UTC).astimezone())
        return headline(self.prediction, self.evaluation, context)

    @property
    def leaders(self) -> tuple[Leader, ...]:
        """The candidates with the largest predictions, best first."""
        from budwood.report.parts.leaders import leaders

        return leaders(self.prediction, lowest=self.prediction.lower_is_better).candidates

    @property
    def environment_means(self) -> MeanRanking | None:
        """Means over the environments of the table; None where there is no table."""
        from budwood.prediction.environments.mean_ranking import mean_ranking

        several = self.in_environments
        return None if several is None else mean_ranking(self.prediction, several)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was read and assumed, from the files to the model."""
        read = (*identity_notes(self.panel, self.prediction.trait), *read_notes(self.panel))
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
        from budwood.workflows.records.environments import environment_prediction_record

        prediction, panel, several = self.prediction, self.panel, self.in_environments
        return {
            "trait": prediction.trait,
            "model": self.model,
            "accessions": len(prediction.accessions),
            "phenotyped": self.phenotyped,
            "candidates": len(prediction.accessions) - self.phenotyped,
            "extrapolations": int(prediction.extrapolation.sum()),
            "lower_is_better": prediction.lower_is_better,
            "mean_r": self.mean_r,
            "headline": self.headline,
            "conclusion": self.evaluation.conclusion,
            "variance_shares": dict(prediction.variance_shares),
            "checkpoint": panel.vectors.digest if panel.vectors else None,
            "reference_share": panel.reference_check.share if panel.reference_check else None,
            "identity": panel.identity.sentences() if panel.identity else [],
            "notes": list(self.notes),
        } | ({} if several is None else {"environments": environment_prediction_record(several)})


def predict(
    options: PredictOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> PredictResult:
    """Read, check, embed, evaluate and predict.

    Parameters
    ----------
    options
        What to predict, and how.
    out
        Folder to write: predictions.csv, evaluation.json, report.html; with environments also
        environments.csv and stability.csv, with marker effects marker_effects.csv. Nothing is written where
        None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Returns
    -------
    PredictResult
        Predictions, their evaluation and what was assumed.

    Raises
    ------
    BudwoodError
        If the options contradict each other, a file cannot be used, or the trait cannot be predicted.
    """
    from budwood.artifacts import check_apart, check_destination, write_artifact

    options.check()
    check_apart({"--out": out, "--save-model": options.save_model})
    inputs, seeds = options.files.inputs, {"seed": options.seed}
    if options.save_model is not None:
        check_destination(options.save_model, inputs=inputs, overwrite=overwrite)
    if out is None:
        return _finished(compute_prediction(options, announce), options, overwrite=overwrite)
    with write_artifact(out, kind="predict", inputs=inputs, seeds=seeds, overwrite=overwrite) as draft:
        result = compute_prediction(options, announce)
        write_prediction(draft, result, options, command=command_of("predict", options))
    return _finished(result, options, overwrite=overwrite)


def _finished(result: PredictResult, options: PredictOptions, *, overwrite: bool) -> PredictResult:
    """The result, once its model is saved where that is wanted."""
    if options.save_model is not None:
        save_model(result, options, options.save_model, overwrite=overwrite)
    return result


def save_model(
    result: PredictResult,
    options: PredictOptions,
    folder: Path,
    *,
    overwrite: bool = False,
    fitted: FittedTraitModel | None = None,
) -> None:
    """Save the model that predicts, with the multi-environment model where there is one.

    Parameters
    ----------
    result, options
        What was predicted, and how.
    folder
        Folder to write, an artifact of kind ``trait-model``.
    overwrite
        Whether an earlier result in the folder may be replaced.
    fitted
        The model, where it has been fitted.
    """
    from budwood.artifacts import write_artifact
    from budwood.prediction.environments.predict import fit_environments
    from budwood.prediction.predict import usual_model
    from budwood.prediction.saved.model_folder import KIND
    from budwood.prediction.trait_model import TraitModel
    from budwood.workflows.records.trait import write_evaluation

    panel = result.panel
    name = options.model or usual_model(panel.weights, embedded=panel.vectors is not None)
    inputs, seeds = options.files.inputs, {"seed": options.seed}
    parameters = {"trait": options.trait, "model": name, "training_lines": result.phenotyped}
    parameters["lower_is_better"] = options.lower_is_better
    with (
        blas_threads(len(panel)),
        write_artifact(
            folder, kind=KIND, inputs=inputs, seeds=seeds, parameters=parameters, overwrite=overwrite
        ) as draft,
    ):
        model = TraitModel(name, seed=options.seed)
        (fitted or model.fit(panel, result.values, trait=options.trait)).write(draft)
        write_evaluation(draft.path("evaluation.json"), result.evaluation)
        if panel.environments is not None and panel.phenotypes is not None:
            several, _ = fit_environments(
                panel.genotypes, panel.phenotypes, options.trait, environments=panel.environments
            )
            several.write(draft)
        draft.metrics["mean_r"] = result.mean_r


def prepared_panel(options: PredictOptions, announce: Announce = silent, panel: Panel | None = None) -> Panel:
    """The panel with its sequence; what cannot be predicted is refused before the long work.

    Parameters
    ----------
    options
        What to predict, and how.
    announce
        Receives what long work will take.
    panel
        The panel, where it has been read.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or the trait cannot be predicted.
    """
    from budwood.prediction.compare import Design
    from budwood.prediction.marker_effects import check_linear
    from budwood.prediction.phenotyped import match_phenotyped
    from budwood.prediction.predict import check_model, usual_model
    from budwood.workflows.setup.sequence import add_sequence
    from budwood.workflows.setup.tracks import add_predicted_tracks

    known, embedded = panel is not None, options.files.reference is not None
    panel = panel or read_panel(options.files, options.trait, predicts=True)
    match_phenotyped(panel.genotypes, panel.measured(options.trait), options.trait)
    if options.marker_effects:
        weighted = "multi-kernel" if options.files.predicted_tracks else None
        check_linear(options.model or weighted or usual_model(panel.weights, embedded=embedded))
    if options.model is not None:
        check_model(options.model, panel.weights, embedded=embedded)
    if not known:
        panel = add_predicted_tracks(panel, options.files, options.encoder, announce=announce)
        panel = add_sequence(panel, options.files, options.encoder, announce=announce)
    fits = {} if options.model is None else Design((options.model,)).fits
    announce(model_cost(panel, options.trait, fits))
    return panel


def compute_prediction(
    options: PredictOptions,
    announce: Announce = silent,
    *,
    panel: Panel | None = None,
    known: tuple[TraitPrediction, Evaluation] | None = None,
) -> PredictResult:
    """Read, embed, evaluate and predict without writing.

    Parameters
    ----------
    options
        What to predict, and how.
    announce
        Receives what long work will take.
    panel
        The panel with its sequence, where it has been read; its notes are about the trait.
    known
        Prediction and evaluation, where they were made with other traits'.

    Raises
    ------
    BudwoodError
        As :func:`predict`.
    """
    from budwood.prediction.environments.predict import predict_environments
    from budwood.prediction.predict import predict_trait, usual_model
    from budwood.prediction.trait_model import TraitModel
    from budwood.workflows.traits.trait_values import trait_values

    panel = prepared_panel(options, announce, panel)
    values = trait_values(panel, options.files, options.trait)
    with blas_threads(len(panel)):
        prediction, evaluation = known or predict_trait(
            panel.genotypes,
            values,
            options.trait,
            haplotypes=panel.haplotypes,
            vectors=panel.vectors.values if panel.vectors else None,
            weights=panel.weights,
            kinship=panel.kinship,
            model=options.model,
            lower_is_better=options.lower_is_better,
            seed=options.seed,
        )
        effects = None
        if options.marker_effects:
            name = options.model or usual_model(panel.weights, embedded=panel.vectors is not None)
            model = TraitModel(name, seed=options.seed)
            effects = model.fit(panel, values, trait=options.trait).marker_effects()
        several = None
        if panel.environments is not None and panel.phenotypes is not None:
            several = predict_environments(
                panel.genotypes, panel.phenotypes, options.trait, environments=panel.environments
            )
    return PredictResult(
        panel=panel,
        prediction=prediction,
        evaluation=evaluation,
        in_environments=several,
        values=values,
        effects=effects,
    )


def write_prediction(draft: Draft, result: PredictResult, options: PredictOptions, *, command: str) -> None:
    """Write the files of a prediction, and its figures into the manifest.

    Parameters
    ----------
    draft
        The artifact being written.
    result, options
        What was predicted, and how.
    command
        The command that gives the same result, for the report.
    """
    from budwood.workflows.records.environments import write_environment_predictions
    from budwood.workflows.records.trait import write_evaluation, write_marker_effects, write_predictions

    means = result.environment_means
    path = draft.path("predictions.csv")
    write_predictions(path, result.prediction, means=means, dialect=options.csv_dialect)
    write_evaluation(draft.path("evaluation.json"), result.evaluation)
    prediction_report(draft.path("report.html"), result, options, command)
    draft.notes += result.notes
    parameters, metrics = prediction_manifest(result)
    draft.parameters |= parameters
    draft.metrics |= metrics
    if result.effects is not None:
        write_marker_effects(draft.path("marker_effects.csv"), result.effects, dialect=options.csv_dialect)
        draft.metrics["marker_effects"] = {"mean": result.effects.mean, "ploidy": result.effects.ploidy}
    if result.in_environments:
        write_environment_predictions(
            draft,
            result.in_environments,
            lower_is_better=options.lower_is_better,
            dialect=options.csv_dialect,
        )


def prediction_report(path: Path, result: PredictResult, options: PredictOptions, command: str) -> None:
    """Write the report of a prediction.

    Parameters
    ----------
    path
        The file to write.
    result, options
        What was predicted, and how.
    command
        The command that gives the same result.
    """
    from budwood.report.pages.prediction import write_report
    from budwood.report.parts.environments import environment_section
    from budwood.workflows.records.report_context import run_context

    several, means = result.in_environments, result.environment_means
    section = None
    if several is not None and means is not None:
        section = environment_section(result.prediction, several, means)
    vectors = result.panel.vectors
    context = run_context(
        described_inputs(result, options.files),
        model=result.model,
        identity=identity_notes(result.panel, result.prediction.trait),
        notes=read_notes(result.panel),
        checkpoint=vectors.checkpoint if vectors else None,
        command=command,
    )
    write_report(path, result.prediction, result.evaluation, context=context, environments=section)


def prediction_manifest(result: PredictResult) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters and metrics of a prediction, as its manifest has them."""
    prediction, vectors = result.prediction, result.panel.vectors
    parameters: dict[str, Any] = {"trait": prediction.trait, "model": result.model}
    if vectors:
        parameters["checkpoint"] = {"name": vectors.checkpoint, "digest": vectors.digest}
        parameters["device"] = vectors.device
    return parameters, {"mean_r": result.mean_r, "variance_shares": dict(prediction.variance_shares)}


def described_inputs(result: PredictResult, files: PanelFiles) -> dict[str, str]:
    """Each input's part in the run and what it is, for the report.

    Parameters
    ----------
    files
        Input files.
    result
        What was read from them.

    Returns
    -------
    dict[str, str]
        Description by the input's part in the run.
    """
    n, m = result.panel.shape
    described = {"genotypes": f"{files.genotypes.name}, {counted(n, 'accession')} x {counted(m, 'marker')}"}
    if files.phenotypes is not None:
        described["phenotypes"] = (
            f"{files.phenotypes.name}, {result.phenotyped:,} of these with {result.prediction.trait}"
        )
    table, check = result.panel.haplotypes, result.panel.reference_check
    if files.reference is not None and table is not None and check is not None:
        described["reference"] = f"{files.reference.name}. {check.sentences()[0]}"
        described["haplotypes"] = (
            f"{(files.haplotypes or files.genotypes).name}, {counted(len(table.windows), 'window')}, "
            f"{table.n_sequences:,} distinct sequences instead of {table.brute_force_windows:,}"
        )
    return described
