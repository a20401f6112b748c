"""Evaluate: several models on the same folds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.errors import BudwoodError
from budwood.panel.files import PanelFiles, read_panel
from budwood.workflows.records.read_notes import identity_notes, read_notes
from budwood.workflows.setup.cost import Announce, environment_model_cost, silent
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.setup.fold_plan import FoldPlan, fold_runner
from budwood.workflows.setup.threads import blas_threads

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.prediction.compare import Design
    from budwood.prediction.environments.results import EnvironmentEvaluation
    from budwood.prediction.evaluation.results import Evaluation

#: Folds of multi-environment schemes, and how many models are compared where none are named.
_FOLDS: Final = 5
_MODELS: Final = 4
#: Fits of the permutation test for each split of the first repeat, in several environments.
_SHUFFLES: Final = 5


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What to evaluate, and how.

    Attributes
    ----------
    files
        Genotypes, phenotypes and what else is known.
    trait
        Trait to predict, as named in the phenotypes.
    models
        Names; the first is the baseline, the last has the permutation test. By default what the files allow.
    scheme
        ``"random"``, ``"clusters"``, ``"families"``, or for several environments ``"cv1"``, ``"cv2"``,
        ``"cv0"``, ``"cv00"`` or ``"forward"``.
    folds
        Parts; 5 where None, with families one for each.
    repeats
        Random divisions.
    groups, group_column
        Table of accessions and their families, and which of its columns names the family.
    h2
        Heritability for r / h; estimated where None.
    lower_is_better
        Whether the best lines are those with the smallest values.
    encoder
        Which encoder reads the sequence, and where it runs.
    seed
        Of folds, permutations and bootstrap.
    workers
        Processes that share the folds. With None it is one, and for 2,000 phenotyped lines or more as many
        as there are processors with memory for them; a script that asks for more than one runs under
        ``if __name__ == "__main__":``. Multi-environment models run in one.
    ray
        Address of a Ray cluster that runs the folds instead.
    """

    files: PanelFiles
    trait: str
    models: tuple[str, ...] = ()
    scheme: str = "random"
    folds: int | None = None
    repeats: int = 5
    groups: Path | None = None
    group_column: str | None = None
    h2: float | None = None
    lower_is_better: bool = False
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    seed: int = 0
    workers: int | None = 1
    ray: str | None = None

    @property
    def in_environments(self) -> bool:
        """Whether the scheme holds out environments or lines in them."""
        from budwood.prediction.environments.evaluation.schemes import ENVIRONMENT_SCHEMES

        return self.scheme in ENVIRONMENT_SCHEMES

    @property
    def design(self) -> Design:
        """Models and folds, with the usual models where none are named."""
        from budwood.prediction.compare import Design

        models = self.models
        if not models and not self.in_environments:
            models = ("gblup", "gaussian") + (("gblup+dna",) if self.files.reference else ())
        return Design(
            models=models,
            scheme=self.scheme,
            folds=self.folds,
            repeats=self.repeats,
            seed=self.seed,
            h2=self.h2,
            lower_is_better=self.lower_is_better,
        )

    def check(self) -> None:
        """Refuse options that do not fit together, before anything is read.

        Raises
        ------
        BudwoodError
            If a model or scheme does not exist, lacks its files, or does not use an option that is given.
        """
        if self.files.phenotypes is None:
            raise BudwoodError("an evaluation needs phenotypes", mend="give --phenotypes as well")
        if self.groups is None and self.group_column is not None:
            raise BudwoodError(
                "a column of groups needs a table of groups",
                where="command line",
                mend="give --groups as well",
            )
        if self.in_environments:
            self._refuse_unused()
            return
        if self.files.environments is not None:
            from budwood.prediction.environments.evaluation.schemes import ENVIRONMENT_SCHEMES

            raise BudwoodError(
                f"the scheme {self.scheme!r} does not use environments",
                where="command line",
                mend=f"choose one of {', '.join(ENVIRONMENT_SCHEMES)}, or leave --environments out",
            )
        self.design.check(embedded=self.files.reference is not None, grouped=self.groups is not None)

    def _refuse_unused(self) -> None:
        """Refuse options that multi-environment models do not use."""
        given = {
            "--reference": self.files.reference,
            "--annotation": self.files.annotation,
            "--marker-weights": self.files.marker_weights,
            "--tracks": self.files.tracks or None,
            "--subgenomes": self.files.subgenomes or self.files.subgenomes_by_name,
            "--groups": self.groups,
            "--covariates": self.files.covariates,
            "--kinship": self.files.kinship,
            "--h2": self.h2 is not None,
            "--lower-is-better": self.lower_is_better,
            "--workers": self.workers not in (None, 1),
            "--ray": self.ray,
        }
        for option, value in given.items():
            if value:
                raise BudwoodError(
                    f"the scheme {self.scheme} compares multi-environment models, which do not use {option}",
                    where="command line",
                    mend=f"leave {option} out",
                )


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluateResult:
    """Accuracy of every model on the same folds; one of the two is given.

    Attributes
    ----------
    evaluation
        Of models of one value for each line.
    in_environments
        Of models of values in several environments.
    identity
        Sentences about which accessions were found where.
    read
        Sentences about what was read from the files and what was assumed of them.
    device
        Where the encoder ran, such as ``cpu``; None where no sequence was read.
    """

    evaluation: Evaluation | None = None
    in_environments: EnvironmentEvaluation | None = None
    identity: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    device: str | None = None

    def record(self) -> dict[str, Any]:
        """The result as plain values, as evaluation.json has them.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        from budwood.workflows.records.environments import environment_evaluation_record
        from budwood.workflows.records.trait import evaluation_record

        record: dict[str, Any] = {"notes": []}
        if self.evaluation is not None:
            record = evaluation_record(self.evaluation)
        elif self.in_environments is not None:
            record = environment_evaluation_record(self.in_environments)
        return record | {"notes": [*record["notes"], *self.identity, *self.read]}


def evaluate(
    options: EvaluateOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> EvaluateResult:
    """Read, check, embed where a model needs it, and cross-validate.

    Parameters
    ----------
    options
        What to evaluate, and how.
    out
        Folder to write evaluation.json and report.html to; nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Returns
    -------
    EvaluateResult
        Accuracy of each model on the same folds, and their differences.

    Raises
    ------
    BudwoodError
        If the options contradict each other, a file cannot be used, or some fold cannot be judged.
    """
    from budwood.artifacts import write_artifact

    options.check()
    compute = _in_environments if options.in_environments else _of_lines
    if out is None:
        return compute(options, announce)
    inputs = [*options.files.inputs, *([options.groups] if options.groups else [])]
    with write_artifact(
        out, kind="evaluate", inputs=inputs, seeds={"seed": options.seed}, overwrite=overwrite
    ) as draft:
        result = compute(options, announce)
        if result.device is not None:
            draft.parameters["device"] = result.device
        _write(draft, result, options)
    return result


def _of_lines(options: EvaluateOptions, announce: Announce) -> EvaluateResult:
    """Models of one value for each line."""
    from budwood.genomics.io.tables.accession_table import read_accession_column
    from budwood.prediction.compare import DNA_MODEL, compare_models
    from budwood.prediction.phenotyped import match_phenotyped
    from budwood.workflows.setup.sequence import add_sequence
    from budwood.workflows.setup.tracks import add_predicted_tracks
    from budwood.workflows.traits.trait_values import trait_values

    design = options.design
    groups = read_accession_column(options.groups, options.group_column) if options.groups else None
    panel = read_panel(options.files, options.trait, predicts=True)
    values = trait_values(panel, options.files, options.trait)
    match_phenotyped(
        panel.genotypes, values.values, options.trait
    )  # refuses too few lines before the long work
    panel = add_predicted_tracks(panel, options.files, options.encoder, announce=announce)
    if DNA_MODEL in design.models:
        panel = add_sequence(panel, options.files, options.encoder, announce=announce)
    plan = FoldPlan.of(panel, options.trait, design, options.workers)
    announce(plan.sentence())
    runner = fold_runner(plan.processes, options.ray)
    with blas_threads(len(panel)):
        found = compare_models(
            panel.genotypes,
            values,
            options.trait,
            design,
            haplotypes=panel.haplotypes,
            vectors=panel.vectors.values if panel.vectors else None,
            weights=replace(panel.weights, notes=()),  # the notes on what was read have them
            kinship=panel.kinship,
            groups=groups,
            runner=runner,
        )
    return EvaluateResult(
        evaluation=found,
        identity=identity_notes(panel, options.trait),
        read=read_notes(panel),
        device=panel.vectors.device if panel.vectors else None,
    )


def _in_environments(options: EvaluateOptions, announce: Announce) -> EvaluateResult:
    """Models of values in several environments."""
    from budwood.genomics.io.tables.phenotypes.environments import read_environments
    from budwood.prediction.environments.evaluation.compare import compare_environment_models
    from budwood.prediction.environments.registry import check_environment_models

    if options.models:
        table = options.files.environments
        check_environment_models(options.models, None if table is None else read_environments(table))
    panel = read_panel(options.files, options.trait)
    folds = options.folds or _FOLDS
    splits = folds**2 if options.scheme == "cv00" else folds
    fits = splits * (options.repeats * (len(options.models) or _MODELS) + _SHUFFLES)
    announce(environment_model_cost(panel, options.trait, fits))
    assert panel.phenotypes is not None, "checked with the options"
    with blas_threads(len(panel)):
        found = compare_environment_models(
            panel.genotypes,
            panel.phenotypes,
            options.trait,
            environments=panel.environments,
            models=options.models or None,
            scheme=options.scheme,
            folds=folds,
            repeats=options.repeats,
            seed=options.seed,
        )
    return EvaluateResult(
        in_environments=found, identity=identity_notes(panel, options.trait), read=read_notes(panel)
    )


def evaluation_report(path: Path, result: EvaluateResult, options: EvaluateOptions) -> None:
    """Write the report of an evaluation.

    Parameters
    ----------
    path
        The file to write.
    result, options
        What was evaluated, and how.
    """
    from budwood.report.pages.comparison import write_comparison
    from budwood.workflows.records.report_context import named_files, run_context
    from budwood.workflows.setup.command import command_of

    command = command_of("evaluate", options)
    context = run_context(
        named_files(options.files), notes=result.read, identity=result.identity, command=command
    )
    evaluation = result.evaluation or result.in_environments
    assert evaluation is not None, "one of the two is made"
    write_comparison(path, evaluation, context=context)


def _write(draft: Draft, result: EvaluateResult, options: EvaluateOptions) -> None:
    from budwood.workflows.records.files import write_json

    record = result.record()
    write_json(draft.path("evaluation.json"), record)
    evaluation_report(draft.path("report.html"), result, options)
    evaluation = result.evaluation or result.in_environments
    assert evaluation is not None, "one of the two is made"
    if result.evaluation is not None:
        draft.parameters |= asdict(options.design) | {"group_column": options.group_column}
    draft.parameters |= {name: record[name] for name in ("trait", "scheme", "folds", "repeats")}
    draft.notes += record["notes"]
    draft.parameters["models"] = list(record["models"])
    draft.metrics["mean_r"] = {score.name: score.mean_r for score in evaluation.scores}
