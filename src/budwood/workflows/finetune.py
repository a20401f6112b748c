"""Finetune: a fine-tuned encoder from sequences with values or classes, beside what it has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from budwood.config import WINDOW
from budwood.errors import BudwoodError, counted
from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.artifacts import Draft
    from budwood.genomics.io.tables.sequence_table import SequenceTable
    from budwood.model.checkpoint import Checkpoint
    from budwood.probing.sequence_models import Examples, FineTuning, SequenceModel
    from budwood.probing.sequence_scores import ScoreDifference, SequenceScore
    from budwood.training.finetuning.outputs import Outputs

#: Fewer sequences than this are not enough to learn from, to stop by and to test on.
_FEWEST: Final = 30
_MOST_CLASSES: Final = 200


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """What to fine-tune on, and how.

    Attributes
    ----------
    sequences, values
        FASTA file or table of sequences; table about those of a FASTA file.
    target
        Columns to predict: numbers, or one column of classes.
    test, predict
        Files of the same form: sequences to test on, and sequences to predict. Without ``test``, a part of
        the sequences is kept for it.
    group
        Column of groups (gene families, loci) that are never split between training and test.
    sequence_column, name_column
        Columns of the sequences and of their names.
    test_share, validation_share
        Shares of the sequences for testing, and of the rest for the decision when to stop.
    way
        ``full`` trains every weight, ``low-rank`` an adapter.
    rank, alpha
        Size of the adapter; its products are multiplied by ``alpha / rank``, which is 2 where alpha is None.
    strand
        ``own`` reads the given strand alone, ``both`` gives the same for a sequence and its reverse
        complement.
    learning_rate, epochs, patience, batch
        Peak rate (by default 5e-4 for full and 3e-3 for low-rank), most passes, passes without improvement
        before stopping, and sequences of a step.
    precision
        ``bf16`` trains in about half the time; predictions are always made in float32.
    seeds
        Number of trainings of each network; the one with the lowest validation loss is kept.
    encoder
        Where fine-tuning starts, and where it runs.
    seed
        First seed.
    show
        Progress on or off; by default it shows in a terminal.

    Raises
    ------
    BudwoodError
        If an option is out of range.
    """

    sequences: Path
    values: Path | None = None
    target: tuple[str, ...] = ()
    test: Path | None = None
    predict: Path | None = None
    group: str | None = None
    sequence_column: str | None = None
    name_column: str | None = None
    test_share: float = 0.2
    validation_share: float = 0.1
    way: Literal["full", "low-rank"] = "full"
    rank: int = 32
    alpha: float | None = None
    strand: Literal["own", "both"] = "own"
    learning_rate: float | None = None
    epochs: int = 10
    patience: int = 3
    batch: int = 32
    precision: Literal["float32", "bf16"] = "float32"
    seeds: int = 1
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    seed: int = 0
    show: bool | None = None

    def __post_init__(self) -> None:
        for name in ("test_share", "validation_share"):
            if not 0 < getattr(self, name) < 0.9:
                spelled = f"--{name.replace('_', '-')}"
                raise BudwoodError(
                    f"{spelled} {getattr(self, name):g} is not possible", mend="give a share such as 0.2"
                )
        if self.seeds < 1:
            raise BudwoodError(f"--seeds {self.seeds} is not possible", mend="give 1 or more")
        if not self.target:
            raise BudwoodError("no column to predict is named", where="--target", mend="name one or several")
        twice = [name for name in self.target if self.target.count(name) > 1]
        if twice:
            raise BudwoodError(f"column {twice[0]!r} is named twice", where="--target", mend="name it once")


@dataclass(frozen=True, kw_only=True, eq=False)
class FinetuneResult:
    """A fine-tuned encoder and its accuracy beside its rivals.

    Attributes
    ----------
    outputs
        What is predicted.
    scores
        Accuracy on the test sequences by model.
    differences
        Of the fine-tuned encoder and each rival, on the same test sequences.
    training
        What each training took: trained parameters, seconds, pass of the best weights, loss.
    counts
        Sequences for training, validation and test.
    model
        The fine-tuned encoder.
    predicted_names
        Names of the sequences to predict; none without a file of them.
    predicted_by_model
        (rows, outputs) their predictions by every model that was trained, so that the best on the test can be
        used; empty without a file to predict.
    conclusion
        What the test says, in a sentence or two.
    notes
        What was read and assumed.
    """

    outputs: Outputs
    scores: Mapping[str, tuple[SequenceScore, ...]]
    differences: tuple[ScoreDifference, ...]
    training: Mapping[str, Mapping[str, float | int | None]]
    counts: Mapping[str, int]
    model: SequenceModel
    predicted_names: tuple[str, ...]
    predicted_by_model: Mapping[str, NDArray[np.float64]]
    conclusion: str
    notes: tuple[str, ...]

    @property
    def predicted(self) -> tuple[tuple[str, ...], NDArray[np.float64]] | None:
        """Names and predictions of the fine-tuned encoder, if there is a file to predict."""
        from budwood.probing.sequence_models import FINE_TUNED

        found = self.predicted_by_model.get(FINE_TUNED)
        return None if found is None else (self.predicted_names, found)

    def record(self) -> dict[str, Any]:
        """The result as plain values, predictions left out."""
        from budwood.workflows.records.files import finite

        def plain(thing: Any) -> dict[str, Any]:
            return {k: finite(v) if isinstance(v, float) else v for k, v in asdict(thing).items()}

        return {
            "outputs": {"names": list(self.outputs.names), "classes": list(self.outputs.classes)},
            "counts": dict(self.counts),
            "models": {
                name: {"scores": [plain(score) for score in scores], "training": dict(self.training[name])}
                for name, scores in self.scores.items()
            },
            "differences": [plain(difference) for difference in self.differences],
            "conclusion": self.conclusion,
            "notes": list(self.notes),
        }


def finetune(
    options: FinetuneOptions, out: Path | None = None, *, overwrite: bool = False, announce: Announce = silent
) -> FinetuneResult:
    """Fine-tune the encoder and train its rivals on the same sequences.

    Parameters
    ----------
    options
        What to fine-tune on, and how.
    out
        Folder to write: the encoder, accuracy.json, test_predictions.csv, report.html, and where there is
        a file to predict predictions.csv and predictions_by_model.csv. Nothing is written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what the training will take.

    Raises
    ------
    BudwoodError
        If a file cannot be used, or there are too few sequences.
    """
    from budwood.artifacts import check_destination, write_artifact
    from budwood.model.adapters.adapter_folder import FINE_TUNED

    if out is not None:
        check_destination(out, overwrite=overwrite)
    work = _read(options)
    if out is None:
        return _train(work, options, announce)
    files = list(dict.fromkeys(file for table in work.tables for file in table.files))
    parameters = {
        # Names of files only: artifacts are shared, folders of a machine are nobody else's business.
        **{
            name: value.name if isinstance(value, Path) else value
            for name, value in asdict(options).items()
            if name not in ("encoder", "show")
        },
        "checkpoint": {"name": work.checkpoint.name, "digest": work.checkpoint.digest},
    }
    with write_artifact(
        out,
        kind=FINE_TUNED,
        inputs=files,
        parameters=parameters,
        seeds={"seed": options.seed},
        overwrite=overwrite,
    ) as draft:
        result = _train(work, options, announce)
        _write(draft, result, work, options)
    return result


def apply_finetuned(
    model: Path,
    sequences: Path,
    out: Path | None = None,
    *,
    encoder: EncoderOptions | None = None,
    sequence_column: str | None = None,
    name_column: str | None = None,
    overwrite: bool = False,
) -> tuple[tuple[str, ...], NDArray[np.float64], Outputs]:
    """Predict sequences by an encoder that was fine-tuned before.

    Parameters
    ----------
    model
        Folder that :func:`finetune` wrote.
    sequences
        FASTA file or table.
    out
        Folder to write predictions.csv to; nothing is written where None.
    encoder
        The checkpoint that a low-rank one was fine-tuned from; the packaged one where None.
    sequence_column, name_column
        Columns of the sequences and of their names.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Raises
    ------
    BudwoodError
        If the model is damaged or a sequence cannot be read.
    """
    from budwood.artifacts import MANIFEST, check_destination, write_artifact
    from budwood.genomics.io.tables.sequence_table import read_sequence_table
    from budwood.probing.sequence_model_folder import read_sequence_model

    if out is not None:
        check_destination(out, inputs=[model, sequences], overwrite=overwrite)
    named = encoder is not None and (encoder.checkpoint is not None or encoder.adapter)
    base = _checkpoint(encoder) if encoder is not None and named else None
    tuned = read_sequence_model(model, base)
    table = read_sequence_table(sequences, sequence_column=sequence_column, name_column=name_column)
    predictions = tuned.predict(_codes(table))
    if out is not None:
        with write_artifact(
            out, kind="apply", inputs=[Path(model) / MANIFEST, *table.files], overwrite=overwrite
        ) as draft:
            _write_predictions(draft.path("predictions.csv"), table.names, predictions, tuned.outputs)
            draft.notes += table.notes
    return table.names, predictions, tuned.outputs


@dataclass(frozen=True, kw_only=True, eq=False)
class _Work:
    """What was read."""

    tables: tuple[SequenceTable, ...]
    to_predict: SequenceTable | None
    names: tuple[str, ...]
    examples: Examples
    test: NDArray[np.intp]
    checkpoint: Checkpoint
    notes: tuple[str, ...]


def _read(options: FinetuneOptions) -> _Work:
    import numpy as np

    from budwood.genomics.io.tables.sequence_table import is_missing, joined_groups, read_sequence_table
    from budwood.probing.sequence_models import Examples

    def read(path: Path) -> SequenceTable:
        values = options.values if path != options.predict else None
        return read_sequence_table(
            path, values, sequence_column=options.sequence_column, name_column=options.name_column
        )

    tables = [read(options.sequences)] + ([read(options.test)] if options.test else [])
    to_predict = read(options.predict) if options.predict else None
    truth, outputs_of, kept = _truth(tables, options.target)
    sequences = [codes for table in tables for codes in table.sequences]
    labels, alone = None, 0
    if options.group is not None:
        labels = [name for table in tables for name in table.cells(options.group)]
        alone = sum(is_missing(labels[k]) for k in kept)
    groups = joined_groups(
        [sequences[k] for k in kept], None if labels is None else [labels[k] for k in kept]
    )
    first = int((kept < len(tables[0].sequences)).sum())
    training, validation, test, notes = _split(groups, first, options)
    outputs = outputs_of(kept, training)
    notes += _unlearnt(outputs, truth[kept], training, test)
    if alone:
        notes.append(f"{counted(alone, 'sequence')} without a group in {options.group!r} stand alone.")
    codes = np.concatenate([_codes(table) for table in tables])[kept]
    names = tuple(name for table in tables for name in table.names)
    lost = len(sequences) - len(kept)
    if lost:
        notes.append(f"{lost:,} sequences without a value were left out.")
    for table in (*tables, *([to_predict] if to_predict else [])):
        notes += table.notes
    return _Work(
        tables=(*tables, *([to_predict] if to_predict else [])),
        to_predict=to_predict,
        names=tuple(names[k] for k in kept),
        examples=Examples(
            codes=codes, truth=truth[kept], outputs=outputs, training=training, validation=validation
        ),
        test=test,
        checkpoint=_checkpoint(options.encoder),
        notes=tuple(dict.fromkeys(notes)),
    )


def _truth(
    tables: Sequence[SequenceTable], targets: tuple[str, ...]
) -> tuple[NDArray[np.float64], Any, NDArray[np.intp]]:
    """Truth of all rows, what makes the outputs, and the rows that have any."""
    import numpy as np

    from budwood.genomics.io.tables.sequence_table import is_missing
    from budwood.training.finetuning.outputs import class_outputs, value_outputs

    columns = [[table.numbers(target) for table in tables] for target in targets]
    text = [target for target, parts in zip(targets, columns, strict=True) if any(p is None for p in parts)]
    if text and len(targets) > 1:
        raise BudwoodError(
            f"{text[0]!r} has classes, and several outputs at once must be numbers",
            where="--target",
            mend="fine-tune on it alone",
        )
    if not text:
        numeric: list[Any] = [np.concatenate(parts) for parts in columns]  # type: ignore[arg-type]
        truth = np.stack(numeric, axis=1)
        kept = np.flatnonzero(np.isfinite(truth).any(axis=1))
        if not len(kept):
            raise BudwoodError(
                f"no sequence has a value of {', '.join(map(repr, targets))}",
                where=str(tables[0].files[-1]),
                mend="give a column with numbers, or with classes",
            )
        return truth, lambda kept, training: value_outputs(targets, truth[kept], training), kept
    cells = [cell for table in tables for cell in table.cells(targets[0])]
    kept = np.array([k for k, cell in enumerate(cells) if not is_missing(cell)], dtype=np.intp)
    outputs, numbers = class_outputs(targets[0], [cells[k] for k in kept])
    if len(outputs.classes) > _MOST_CLASSES:
        raise BudwoodError(
            f"{targets[0]!r} has {len(outputs.classes):,} classes",
            where="--target",
            mend=f"give a column of at most {_MOST_CLASSES} classes, or of numbers",
        )
    truth = np.full((len(cells), 1), np.nan)
    truth[kept] = numbers

    def checked(kept: NDArray[np.intp], training: NDArray[np.intp]) -> Outputs:
        """The outputs, where two classes or more can be learnt."""
        counts = np.bincount(truth[kept[training], 0].astype(np.intp), minlength=len(outputs.classes))
        if np.count_nonzero(counts > 1) < 2:
            raise BudwoodError(
                f"fewer than two classes of {targets[0]!r} have two sequences or more to train on",
                where=str(tables[0].files[-1]),
                mend="give a column of few classes, or of numbers",
            )
        return outputs

    return truth, checked, kept


def _unlearnt(
    outputs: Outputs, truth: NDArray[np.float64], training: NDArray[np.intp], test: NDArray[np.intp]
) -> list[str]:
    """Classes that the test has and nothing was trained on: their scores are chance."""
    import numpy as np

    if not outputs.classes:
        return []
    learnt, tested = (set(np.unique(truth[rows, 0]).astype(int).tolist()) for rows in (training, test))
    missing = [repr(outputs.classes[k]) for k in sorted(tested - learnt)]
    if not missing:
        return []
    return [f"Warning: no sequence to train on is of {', '.join(missing)}, which the test has."]


def _split(
    groups: NDArray[np.intp], first: int, options: FinetuneOptions
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], list[str]]:
    """Rows for training, validation and test: no group is in two of them."""
    import numpy as np

    random = np.random.default_rng(options.seed)
    notes = []
    rows = np.arange(len(groups))
    if options.test is not None:
        test = rows[first:]
        rest = rows[:first][~np.isin(groups[:first], groups[first:])]
        if len(rest) < first:
            notes.append(
                f"{first - len(rest):,} sequences to train on are also among the test sequences (or of one "
                "group with them) and were left out of training."
            )
    else:
        test = _part(groups, rows, options.test_share, random)
        rest = np.setdiff1d(rows, test)
        together = "equal sequences" if options.group is None else f"sequences of one {options.group!r}"
        notes.append(
            f"{len(test):,} of {len(rows):,} sequences were kept for the test; {together} are on one side."
        )
    validation = _part(groups, rest, options.validation_share, random)
    training = np.setdiff1d(rest, validation)
    if options.test is not None and len(rest) < 6 <= first:
        raise BudwoodError(
            f"of {first:,} sequences to train on all but {len(rest):,} are also among the test sequences, or "
            "of one group with them",
            where=str(options.test),
            mend="give test sequences that are not among the others, or no --test",
        )
    if len(groups) < _FEWEST or min(len(training), len(validation), len(test)) < 3:
        raise BudwoodError(
            f"{len(training):,} sequences to train on, {len(validation):,} to stop by and {len(test):,} to "
            "test on are too few",
            where=str(options.sequences),
            mend=f"give {_FEWEST} or more, in more groups",
        )
    return training, validation, test, notes


def _part(
    groups: NDArray[np.intp], rows: NDArray[np.intp], share: float, random: np.random.Generator
) -> NDArray[np.intp]:
    """Whole groups, drawn at random, with about a share of the rows."""
    import numpy as np

    order = random.permutation(np.unique(groups[rows]))
    sizes = np.bincount(groups[rows])[order]
    # The groups before the first at which the share is reached, and that one.
    count = int(np.searchsorted(np.cumsum(sizes), share * len(rows))) + 1
    chosen = order[:count]
    found: NDArray[np.intp] = rows[np.isin(groups[rows], chosen)]
    return found


def _codes(table: SequenceTable) -> NDArray[np.uint8]:
    from budwood.inference.embed import stack_sequences

    for name, codes in zip(table.names, table.sequences, strict=True):
        if len(codes) > WINDOW:
            raise BudwoodError(
                f"the sequence {name!r} has {counted(len(codes), 'base')}",
                where=str(table.path),
                mend=f"give at most {WINDOW}, the encoder's window",
            )
    return stack_sequences(table.sequences)


def _checkpoint(encoder: EncoderOptions) -> Checkpoint:
    from budwood.model.checkpoint import Checkpoint

    opened = encoder.open()
    if not isinstance(opened, Checkpoint):
        raise BudwoodError(
            "only checkpoints of Budwood are fine-tuned, and this is another model",
            where=str(encoder.checkpoint),
            mend="give another --checkpoint, or none",
        )
    return opened


def _train(work: _Work, options: FinetuneOptions, announce: Announce) -> FinetuneResult:
    import time

    from budwood.probing.sequence_models import FINE_TUNED, MODELS, fit_sequence_model
    from budwood.probing.sequence_scores import compare_sequence_models, score_sequences

    examples = work.examples
    truth, outputs = examples.truth[work.test], examples.outputs
    announce(
        f"{options.seeds * 2} trainings of the network on {len(examples.training):,} sequences, at most "
        f"{options.epochs} passes each; a core reads some 40 sequences of 170 bases a second while it trains"
    )
    models, training, given = {}, {}, {}
    for name in MODELS:
        begun = time.perf_counter()
        fitted = []
        for k in range(options.seeds if name != "k-mers" else 1):
            how = _how(options, options.seed + k)
            fitted.append(fit_sequence_model(name, examples, work.checkpoint, how, show=options.show))
        best = min(fitted, key=lambda model: min(model.history.validation) if model.history else 0.0)
        models[name] = best
        given[name] = outputs.predictions(best.read(examples.codes[work.test]))
        training[name] = {
            "trained_parameters": best.trained,
            "trainings": len(fitted),
            "best_pass": best.history.best if best.history else None,
            "validation_loss": round(min(best.history.validation), 5) if best.history else None,
            "seconds": round(time.perf_counter() - begun, 1),
        }
    scores = {name: score_sequences(each, truth, outputs) for name, each in given.items()}
    differences = compare_sequence_models(given, truth, outputs)
    by_model: dict[str, NDArray[np.float64]] = {}
    if work.to_predict is not None:
        codes = _codes(work.to_predict)
        by_model = {name: outputs.predictions(model.read(codes)) for name, model in models.items()}
    return FinetuneResult(
        outputs=outputs,
        scores=scores,
        differences=differences,
        training=training,
        counts={
            "training": len(examples.training),
            "validation": len(examples.validation),
            "test": len(work.test),
        },
        model=models[FINE_TUNED],
        predicted_names=work.to_predict.names if work.to_predict is not None else (),
        predicted_by_model=by_model,
        conclusion=conclusion(scores, differences),
        notes=work.notes,
    )


def conclusion(
    scores: Mapping[str, tuple[SequenceScore, ...]], differences: Sequence[ScoreDifference]
) -> str:
    """What the test says about the fine-tuned encoder and its rivals."""
    if not differences:
        return "Nothing could be scored: the test sequences have fewer than two different values."

    def mean(name: str) -> float:
        return sum(score.score for score in scores[name]) / len(scores[name])

    best = min(differences, key=lambda each: each.difference)
    measure = "AUROC" if "=" in scores[best.model][0].output else "r"
    figures = (
        f"on {scores[best.model][0].sequences:,} test sequences {measure} is {mean(best.model):.3f} for the "
        f"fine-tuned encoder and {mean(best.other):.3f} for the best of the others ({best.other}); the "
        f"difference is {best.difference:+.3f} (95 % interval {best.lower:+.3f} to {best.upper:+.3f})"
    )
    if best.lower > 0:
        return f"The fine-tuned encoder is better than all that were trained beside it: {figures}."
    if best.upper < 0:
        return f"The {best.other} model is better, so do not use the fine-tuned encoder: {figures}."
    return f"The fine-tuned encoder is not measurably better than the {best.other} model: {figures}."


def _how(options: FinetuneOptions, seed: int) -> FineTuning:
    from budwood.model.adapters.low_rank import LowRank
    from budwood.probing.sequence_models import RATES, FineTuning
    from budwood.training.finetuning.fit import FitConfig

    fit = FitConfig(
        learning_rate=options.learning_rate or RATES[options.way],
        batch=options.batch,
        epochs=options.epochs,
        patience=options.patience,
        precision=options.precision,
        seed=seed,
    )
    alpha = 2.0 * options.rank if options.alpha is None else options.alpha
    low_rank = LowRank(rank=options.rank, alpha=alpha)
    return FineTuning(way=options.way, low_rank=low_rank, strand=options.strand, fit=fit)


def _write(draft: Draft, result: FinetuneResult, work: _Work, options: FinetuneOptions) -> None:
    from budwood.probing.sequence_model_folder import write_sequence_model
    from budwood.report.pages.finetune import write_finetune_report
    from budwood.workflows.records.files import write_json
    from budwood.workflows.setup.command import command_of

    how = _how(options, options.seed)
    write_sequence_model(draft, result.model, result.outputs, how, work.checkpoint)
    record = result.record()
    write_json(draft.path("accuracy.json"), record)
    names = [work.names[k] for k in work.test]
    given = result.outputs.predictions(result.model.read(work.examples.codes[work.test]))
    truth = work.examples.truth[work.test]
    _write_predictions(draft.path("test_predictions.csv"), names, given, result.outputs, truth)
    if result.predicted is not None:
        _write_predictions(draft.path("predictions.csv"), *result.predicted, result.outputs)
        _write_by_model(draft.path("predictions_by_model.csv"), result)
    draft.metrics["scores"] = {
        name: {score["output"]: score["score"] for score in model["scores"]}
        for name, model in record["models"].items()
    }
    draft.notes += [result.conclusion, *result.notes]
    write_finetune_report(
        draft.path("report.html"),
        record,
        command=f"{command_of('finetune', options)} --out {draft.folder.name}",
    )


def _write_by_model(path: Path, result: FinetuneResult) -> None:
    from budwood.workflows.records.files import cell, write_table

    rows = [
        [model, name, *(cell(value) for value in values)]
        for model, predictions in result.predicted_by_model.items()
        for name, values in zip(result.predicted_names, predictions, strict=True)
    ]
    labels = result.outputs.classes or result.outputs.names
    write_table(path, ["model", "sequence", *labels], rows)


def _write_predictions(
    path: Path,
    names: Sequence[str],
    predictions: NDArray[np.float64],
    outputs: Outputs,
    truth: NDArray[np.float64] | None = None,
) -> None:
    from budwood.workflows.records.files import cell, write_table

    labels = outputs.classes or outputs.names
    header = ["sequence", *labels, *(["class"] if outputs.classes else [])]
    if truth is not None:
        header += [f"{name}_observed" for name in outputs.names]
    rows = []
    for k, name in enumerate(names):
        row: list[Any] = [name, *(cell(value) for value in predictions[k])]
        if outputs.classes:
            row.append(outputs.classes[int(predictions[k].argmax())])
        if truth is not None:
            row += (
                [outputs.classes[int(truth[k, 0])]]
                if outputs.classes
                else [cell(value) for value in truth[k]]
            )
        rows.append(row)
    write_table(path, header, rows)
