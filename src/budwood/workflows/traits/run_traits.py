"""Several traits of the same lines; one that cannot be analysed does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from budwood.errors import BudwoodError, UnknownTrait
from budwood.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate, evaluation_report
from budwood.workflows.predict import (
    PredictOptions,
    PredictResult,
    compute_prediction,
    prediction_manifest,
    prediction_report,
    prepared_panel,
    save_model,
)
from budwood.workflows.setup.command import command_of
from budwood.workflows.setup.cost import Announce, silent

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.panel.files import PanelFiles
    from budwood.panel.panel import Panel
    from budwood.prediction.evaluation.results import Evaluation, TraitPrediction
    from budwood.prediction.fitted_trait_model import FittedTraitModel

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class TraitsResult(Generic[T]):
    """Results of several traits.

    Attributes
    ----------
    results
        By trait, in the order that was asked for.
    refused
        Why a trait could not be analysed, by trait.
    reports
        Name of the report of each trait, where one was written.
    models
        Name of the folder of each trait's model, where models were saved.
    """

    results: Mapping[str, T]
    refused: Mapping[str, BudwoodError]
    reports: Mapping[str, str]
    models: Mapping[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each trait that could not be analysed."""
        return tuple(
            f"Trait {trait!r} was not analysed: {error.sentence}" for trait, error in self.refused.items()
        )

    def not_analysed(self) -> dict[str, str]:
        """Why traits could not be analysed, as plain values."""
        return {trait: error.sentence for trait, error in self.refused.items()}


def check_traits(traits: Sequence[str]) -> None:
    """Refuse traits that are named twice.

    Parameters
    ----------
    traits
        Names.

    Raises
    ------
    BudwoodError
        If there is none, or one twice.

    Examples
    --------
    >>> check_traits(["height", "yield"])
    """
    if not traits or len(set(traits)) < len(traits):
        raise BudwoodError("the traits are not distinct", where="--trait", mend="name each trait once")


def report_names(traits: Iterable[str]) -> dict[str, str]:
    """A file name for the report of each trait.

    Examples
    --------
    >>> report_names(["plant height", "plant/height"])
    {'plant height': 'report-1-plant-height.html', 'plant/height': 'report-2-plant-height.html'}
    """
    numbered = enumerate(traits, 1)
    return {trait: f"report-{number}-{_plain(trait)}.html" for number, trait in numbered}


def model_names(traits: Iterable[str]) -> dict[str, str]:
    """A folder name for the model of each trait.

    Examples
    --------
    >>> model_names(["plant height", "plant/height"])
    {'plant height': 'plant-height', 'plant/height': 'plant-height-2'}
    """
    found: dict[str, str] = {}
    for trait in traits:
        name, number = _plain(trait), 1
        while (name if number == 1 else f"{name}-{number}").lower() in {f.lower() for f in found.values()}:
            number += 1
        found[trait] = name if number == 1 else f"{name}-{number}"
    return found


def _plain(trait: str) -> str:
    """What a file name may hold of a trait's name."""
    return "".join(each if each.isalnum() else "-" for each in trait)[:60]


def predict_traits(
    options: PredictOptions,
    traits: Sequence[str],
    out: Path | None = None,
    *,
    overwrite: bool = False,
    announce: Announce = silent,
) -> TraitsResult[PredictResult]:
    """Predict several traits of a panel that is read and embedded once.

    Parameters
    ----------
    options
        What to predict, and how; its own trait does not count.
    traits
        Names.
    out
        Folder to write: predictions.csv with all traits below one another, evaluation.json with an entry for
        each, and a report for each; environments.csv, stability.csv and marker_effects.csv hold the traits
        below one another too. Nothing is written where None. A model that is saved has a folder of its own
        below ``options.save_model``, by :func:`model_names`.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Raises
    ------
    BudwoodError
        If the options contradict each other, a file cannot be used, the phenotypes lack one of the traits, or
        none can be predicted.
    """
    from budwood.artifacts import check_apart, write_artifact

    check_traits(traits)
    options.check()
    check_apart({"--out": out, "--save-model": options.save_model})
    _check_model_folder(options, traits, overwrite=overwrite)
    if out is None:
        found = _predict_each(options, traits, announce)
    else:
        inputs, seeds = options.files.inputs, {"seed": options.seed}
        with write_artifact(out, kind="predict", inputs=inputs, seeds=seeds, overwrite=overwrite) as draft:
            found = _predict_each(options, traits, announce)
            _write_predictions(draft, found, options)
    if options.save_model is not None:
        found = replace(found, models={trait: model_names(traits)[trait] for trait in found.results})
        fits = _fitted_together(options, found.results)
        for trait, result in found.results.items():
            folder, own = options.save_model / found.models[trait], replace(options, trait=trait)
            save_model(result, own, folder, overwrite=overwrite, fitted=fits.get(trait))
    return found


def evaluate_traits(
    options: EvaluateOptions,
    traits: Sequence[str],
    out: Path | None = None,
    *,
    overwrite: bool = False,
    announce: Announce = silent,
) -> TraitsResult[EvaluateResult]:
    """Evaluate models on several traits.

    Parameters
    ----------
    options
        What to evaluate, and how; its own trait does not count.
    traits
        Names.
    out
        Folder to write evaluation.json to, with an entry for each trait, and a report for each; nothing is
        written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Raises
    ------
    BudwoodError
        As :func:`predict_traits`.
    """
    from budwood.artifacts import write_artifact
    from budwood.workflows.records.files import write_json

    check_traits(traits)
    options.check()
    _check_known(options.files, traits)

    def one(trait: str) -> EvaluateResult:
        return evaluate(replace(options, trait=trait), announce=announce)

    if out is None:
        return _each(traits, one)
    inputs = [*options.files.inputs, *([options.groups] if options.groups else [])]
    seeds = {"seed": options.seed}
    with write_artifact(out, kind="evaluate", inputs=inputs, seeds=seeds, overwrite=overwrite) as draft:
        found = _each(traits, one)
        found = replace(found, reports=report_names(found.results))
        records = {trait: result.record() for trait, result in found.results.items()}
        for trait, result in found.results.items():
            evaluation_report(draft.path(found.reports[trait]), result, replace(options, trait=trait))
        write_json(draft.path("evaluation.json"), {"traits": records, "not_analysed": found.not_analysed()})
        draft.parameters |= {"traits": list(records), "scheme": options.scheme}
        draft.parameters["reports"] = dict(found.reports)
        draft.metrics["mean_r"] = {
            trait: {name: model["mean_r"] for name, model in record["models"].items()}
            for trait, record in records.items()
        }
        draft.notes += found.notes
    return found


def _check_model_folder(options: PredictOptions, traits: Sequence[str], *, overwrite: bool) -> None:
    """Refuse a folder for the models that cannot hold a folder for each."""
    from budwood.artifacts import MANIFEST, check_destination

    folder = options.save_model
    if folder is None:
        return
    if (folder / MANIFEST).exists() or (folder.exists() and not folder.is_dir()):
        raise BudwoodError(
            "the models of several traits go into folders below this one, which is something else already",
            where=str(folder),
            mend="name another folder for --save-model",
        )
    for name in model_names(traits).values():
        check_destination(folder / name, inputs=options.files.inputs, overwrite=overwrite)


def _check_known(files: PanelFiles, traits: Sequence[str]) -> None:
    """Refuse traits that the phenotypes do not have, before the others are analysed."""
    from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table
    from budwood.panel.files import read_panel

    assert files.phenotypes is not None, "checked with the options"
    try:
        phenotypes, summary = read_phenotype_table(files.phenotypes, accession_column=files.accession_column)
    except BudwoodError:
        return  # the panel's reader knows more of the files, and says what is wrong
    known = {*summary.values, *phenotypes.unusable}
    for trait in traits:
        if trait not in known:
            # Which column names the accessions, and so which are traits, depends on the genotypes too.
            read_panel(files, trait)


def _each(traits: Sequence[str], one: Callable[[str], T]) -> TraitsResult[T]:
    results: dict[str, T] = {}
    refused: dict[str, BudwoodError] = {}
    for trait in traits:
        try:
            results[trait] = one(trait)
        except UnknownTrait:
            raise
        except BudwoodError as error:
            refused[trait] = error
    if not results:
        first = next(iter(refused.values()))
        raise BudwoodError(
            f"none of the {len(traits)} traits can be analysed; the first: {first.what}",
            where=first.where,
            mend=first.mend,
        )
    return TraitsResult(results=results, refused=refused, reports={})


def _predict_each(
    options: PredictOptions, traits: Sequence[str], announce: Announce
) -> TraitsResult[PredictResult]:
    from budwood.panel.files import panel_of_trait

    panels: dict[str, Panel] = {}

    def read(trait: str) -> Panel:
        own = replace(options, trait=trait)
        if not panels:
            panels[trait] = prepared_panel(own, announce)
        else:
            before, panel = next(iter(panels.items()))
            panels[trait] = panel_of_trait(panel, options.files, before, trait)
        return panels[trait]

    readable = _each(traits, read)
    known = _predicted_together(options, panels)
    first = next(iter(panels))

    def one(trait: str) -> PredictResult:
        # What takes long was announced with the first trait.
        said = silent if trait == first else announce
        own = replace(options, trait=trait)
        return compute_prediction(own, said, panel=panels[trait], known=known.get(trait))

    found = _each(list(readable.results), one)
    refused = {**readable.refused, **found.refused}
    in_order = {trait: refused[trait] for trait in traits if trait in refused}
    return replace(found, refused=in_order, reports=report_names(found.results))


def _predicted_together(
    options: PredictOptions, panels: Mapping[str, Panel]
) -> Mapping[str, tuple[TraitPrediction, Evaluation]]:
    """Predictions of traits that share many lines; none where one of them cannot be predicted like that."""
    from budwood.prediction.kernels.dense_limit import is_large
    from budwood.prediction.predict import PredictionOptions, predict_traits_together
    from budwood.workflows.setup.threads import blas_threads
    from budwood.workflows.traits.trait_values import trait_values

    panel = next(iter(panels.values()))
    if len(panels) == 1 or not is_large(len(panel)) or panel.kinship is not None:
        return {}
    given = PredictionOptions(
        haplotypes=panel.haplotypes,
        vectors=panel.vectors.values if panel.vectors else None,
        weights=panel.weights,
        model=options.model,
        lower_is_better=options.lower_is_better,
        seed=options.seed,
    )
    try:
        values = {trait: trait_values(each, options.files, trait) for trait, each in panels.items()}
        with blas_threads(len(panel)):
            return predict_traits_together(panel.genotypes, values, given)
    except BudwoodError:
        # Each trait alone then says what is wrong with it, and the others are predicted.
        return {}


def _fitted_together(
    options: PredictOptions, results: Mapping[str, PredictResult]
) -> Mapping[str, FittedTraitModel]:
    """Models of traits of large panels, fitted together; none where the panel is not large."""
    from budwood.prediction.kernels.dense_limit import is_large
    from budwood.prediction.predict import usual_model
    from budwood.prediction.trait_model import TraitModel
    from budwood.workflows.setup.threads import blas_threads

    panel = next(iter(results.values())).panel
    if not is_large(min(result.phenotyped for result in results.values())):
        return {}
    name = options.model or usual_model(panel.weights, embedded=panel.vectors is not None)
    with blas_threads(len(panel)):
        values = {trait: result.values for trait, result in results.items()}
        return TraitModel(name, seed=options.seed).fit_traits(panel, values)


def _write_predictions(draft: Draft, found: TraitsResult[PredictResult], options: PredictOptions) -> None:
    from budwood.workflows.records.environments import write_tables_of_environments
    from budwood.workflows.records.files import write_json
    from budwood.workflows.records.trait import evaluation_record, write_marker_effects, write_predictions_of

    predictions = [(result.prediction, result.environment_means) for result in found.results.values()]
    write_predictions_of(draft.path("predictions.csv"), predictions, dialect=options.csv_dialect)
    records = {trait: evaluation_record(result.evaluation) for trait, result in found.results.items()}
    write_json(draft.path("evaluation.json"), {"traits": records, "not_analysed": found.not_analysed()})
    metrics: dict[str, Any] = {}
    for trait, result in found.results.items():
        own = replace(options, trait=trait)
        prediction_report(draft.path(found.reports[trait]), result, own, command_of("predict", own))
        parameters, metrics[trait] = prediction_manifest(result)
        draft.parameters |= {key: value for key, value in parameters.items() if key != "trait"}
        draft.notes += [note for note in result.notes if note not in draft.notes]
    draft.parameters |= {
        "traits": list(found.results),
        "model": {trait: result.model for trait, result in found.results.items()},
        "reports": dict(found.reports),
    }
    draft.metrics |= {
        "mean_r": {trait: each["mean_r"] for trait, each in metrics.items()},
        "variance_shares": {trait: each["variance_shares"] for trait, each in metrics.items()},
    }
    effects = {trait: each.effects for trait, each in found.results.items() if each.effects is not None}
    if effects:
        write_marker_effects(draft.path("marker_effects.csv"), effects, dialect=options.csv_dialect)
        draft.metrics["marker_effects"] = {
            trait: {"mean": each.mean, "ploidy": each.ploidy} for trait, each in effects.items()
        }
    several = [each.in_environments for each in found.results.values() if each.in_environments is not None]
    if several:
        lowest = options.lower_is_better
        write_tables_of_environments(draft, [(each, lowest) for each in several], dialect=options.csv_dialect)
        draft.parameters["environment_model"] = {each.trait: each.model for each in several}
        draft.metrics["environment_variance_shares"] = {
            each.trait: dict(each.variance_shares) for each in several
        }
    draft.notes += found.notes
