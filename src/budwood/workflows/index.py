"""Index: one ranking from the predictions of several traits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from budwood.errors import BudwoodError
from budwood.genomics.checks.series_labels import series_labels
from budwood.genomics.io.text.csv_writer import Cell, CsvDialect

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.prediction.evaluation.results import TraitPrediction
    from budwood.prediction.multi_trait_index import IndexRanking


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """Which predictions to combine, and for which goal.

    Attributes
    ----------
    folders
        Folders that predictions were written to, each of one trait or of several.
    desired
        Gain wanted in each trait, in its units; only proportions matter.
    economic
        Instead: what one unit of each trait is worth.
    hold
        With economic weights: traits that are not to change.
    candidates
        File of the lines to rank, one id a line; all predicted ones where None.
    seed
        Noted in the manifest; nothing is drawn.
    csv_dialect
        How the tables are written.
    """

    folders: tuple[Path, ...]
    desired: Mapping[str, float] = field(default_factory=dict)
    economic: Mapping[str, float] = field(default_factory=dict)
    hold: tuple[str, ...] = ()
    candidates: Path | None = None
    seed: int = 0
    csv_dialect: CsvDialect = CsvDialect.PLAIN

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        predictions = [folder / "predictions.csv" for folder in self.folders]
        return predictions + ([self.candidates] if self.candidates else [])


@dataclass(frozen=True, kw_only=True, eq=False)
class IndexResult:
    """Lines by their index.

    Attributes
    ----------
    ranking
        The lines, the best first, with weights and expected gains.
    """

    ranking: IndexRanking

    def record(self) -> dict[str, Any]:
        """The result as plain values, as index.json has them.

        Returns
        -------
        dict[str, Any]
            As the file of the verb holds it; None for what was not measured.
        """
        ranking = self.ranking
        by_trait = {
            "weights": ranking.weights,
            "expected_gain_per_intensity": ranking.expected_gain,
            "best_tenth_predicted_gain": ranking.best_gain,
        }
        return {
            "traits": list(ranking.traits),
            "candidates": len(ranking.accessions),
            "best_tenth": ranking.best,
            **{name: dict(zip(ranking.traits, row.tolist(), strict=True)) for name, row in by_trait.items()},
            "correlation_of_predictions": ranking.correlation.tolist(),
            "notes": list(ranking.notes),
        }


def index(options: IndexOptions, out: Path | None = None, *, overwrite: bool = False) -> IndexResult:
    """Rank lines on several predicted traits.

    Parameters
    ----------
    options
        Which predictions to combine, and for which goal.
    out
        Folder to write index.csv, index.json and report.html to; nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Returns
    -------
    IndexResult
        The ranking and what each trait contributes.

    Raises
    ------
    BudwoodError
        If a folder holds no predictions or was changed since it was written, or the goal does not fit the
        traits.
    """
    from budwood.artifacts import check_destination, write_artifact

    if out is not None:
        check_destination(out, overwrite=overwrite)
    ranking = selection_index(
        _read(options), desired=options.desired, economic=options.economic, hold=options.hold
    )
    result = IndexResult(ranking=ranking)
    if out is not None:
        parameters = {
            "desired": dict(options.desired),
            "economic": dict(options.economic),
            "hold": list(options.hold),
        }
        seeds = {"seed": options.seed}
        with write_artifact(
            out, kind="index", inputs=options.inputs, parameters=parameters, seeds=seeds, overwrite=overwrite
        ) as draft:
            _write(draft, result, options)
    return result


def selection_index(
    predictions: Mapping[str, Mapping[str, float]] | Iterable[TraitPrediction],
    *,
    desired: Mapping[str, float] | None = None,
    economic: Mapping[str, float] | None = None,
    hold: Iterable[str] = (),
) -> IndexRanking:
    """Rank lines on several predicted traits.

    Parameters
    ----------
    predictions
        Predictions of each trait, or values by trait and accession.
    desired
        Gain wanted in each trait, in its units; only proportions matter.
    economic
        Instead: what one unit of each trait is worth.
    hold
        With economic weights: traits that are not to change.

    Returns
    -------
    IndexRanking
        Lines by their index, best first.

    Raises
    ------
    BudwoodError
        If the goal does not fit the traits, or under 10 lines were predicted for all of them.

    Examples
    --------
    >>> traits = {"yield": {f"line{i}": float(i % 7) for i in range(12)},
    ...           "height": {f"line{i}": float(i % 5) for i in range(12)}}
    >>> selection_index(traits, desired={"yield": 2, "height": -1}).accessions[0]
    'line6'
    """
    from budwood.prediction.evaluation.results import TraitPrediction
    from budwood.prediction.multi_trait_index import IndexGoal, rank_by_index

    for name, goal in (("desired", desired), ("economic", economic)):
        if goal is not None and not isinstance(goal, Mapping):
            raise BudwoodError(
                f"{name} is of type {type(goal).__name__}", mend="give a number by name of trait"
            )
    if isinstance(predictions, Mapping):
        values = {trait: _by_accession(trait, given) for trait, given in predictions.items()}
    else:
        predictions = list(predictions) if isinstance(predictions, Iterable) else [predictions]
        if not predictions or not all(isinstance(each, TraitPrediction) for each in predictions):
            raise BudwoodError(
                "the predictions are no predictions of traits",
                mend="give what TraitModel.fit(...).predict(...) returns, or values by trait and accession",
            )
        twice = [name for name, count in Counter(each.trait for each in predictions).items() if count > 1]
        if twice:
            raise BudwoodError(
                f"two predictions are of the same trait, {twice[0]!r}",
                mend="name traits when models are fitted",
            )
        values = {
            each.trait: dict(zip(each.accessions, each.prediction.tolist(), strict=True))
            for each in predictions
        }
    return rank_by_index(values, IndexGoal(dict(desired or {}), dict(economic or {}), tuple(hold)))


def _by_accession(trait: object, given: object) -> Mapping[str, float]:
    """Values of a trait by accession, of a mapping or a Series with ids as its index."""
    if isinstance(given, Mapping):
        return given
    labels = series_labels(given)
    if isinstance(given, Iterable) and labels is not None and getattr(given, "ndim", 0) == 1:
        names = [label for label in labels if isinstance(label, str)]
        if len(set(names)) == len(labels):
            return dict(zip(names, given, strict=True))
    raise BudwoodError(
        f"the values of trait {str(trait)[:60]!r} are no values by accession",
        mend="give a dictionary or a Series whose index is accession ids, or what "
        "TraitModel.fit(...).predict(...) returns",
    )


def _read(options: IndexOptions) -> dict[str, dict[str, float]]:
    """Predictions by trait and accession, of the candidates only if these are given."""
    from budwood.genomics.io.tables.accession_table import read_accession_list, read_accession_numbers

    chosen = read_accession_list(options.candidates) if options.candidates else None
    found: dict[str, dict[str, float]] = {}
    for folder in options.folders:
        for trait in _traits_of(folder):
            if trait in found:
                raise BudwoodError(
                    f"trait {trait!r} was predicted in two of the folders",
                    mend="give each trait once",
                )
            values = read_accession_numbers(folder / "predictions.csv", "prediction", only=("trait", trait))
            absent = [name for name in chosen or () if name not in values]
            if absent:
                raise BudwoodError(
                    f"candidate {absent[0]!r} has no prediction of {trait}",
                    where=str(options.candidates),
                    mend="give candidates that were predicted for every trait",
                )
            found[trait] = values if chosen is None else {name: values[name] for name in chosen}
    return found


def _traits_of(folder: Path) -> list[str]:
    """Traits that a folder of budwood predict holds, one or several."""
    from budwood.artifacts import read_manifest, require_unchanged

    parameters = read_manifest(folder).get("parameters", {})
    several = parameters.get("traits", [parameters.get("trait")])
    known = isinstance(several, list) and several and all(isinstance(each, str) for each in several)
    if not known or not (folder / "predictions.csv").is_file():
        raise BudwoodError(
            "the folder holds no predictions", where=str(folder), mend="give folders of budwood predict"
        )
    require_unchanged(folder, mend="predict again, or copy the folder again from its source")
    return list(several)


def _write(draft: Draft, result: IndexResult, options: IndexOptions) -> None:
    from budwood.report.pages.index import write_index
    from budwood.workflows.records.files import cell, write_json, write_table
    from budwood.workflows.records.report_context import named_files, run_context

    ranking, record = result.ranking, result.record()
    lines = zip(ranking.accessions, ranking.score, ranking.predictions, strict=True)
    rows: Iterator[tuple[Cell, ...]] = (
        (rank, accession, cell(score), *map(cell, predicted))
        for rank, (accession, score, predicted) in enumerate(lines, start=1)
    )
    columns = ("rank", "accession", "index", *ranking.traits)
    write_table(draft.path("index.csv"), columns, rows, dialect=options.csv_dialect)
    write_json(draft.path("index.json"), record)
    write_index(draft.path("report.html"), ranking, context=run_context(named_files(options)))
    draft.metrics |= {"best_tenth_predicted_gain": record["best_tenth_predicted_gain"]}
