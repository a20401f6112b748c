"""Transfer evaluate: whether a source helps a target, with how many phenotyped lines, and how much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.threads import blas_threads
from budwood.workflows.transfer.options import TransferOptions
from budwood.workflows.transfer.result import TransferResult
from budwood.workflows.transfer.sides import (
    Side,
    pooled_embeddings,
    read_loci,
    read_side,
    read_variant_scores,
    saved_side,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.artifacts import Draft
    from budwood.prediction.phenotype_next import PhenotypeNext

    Matrix = NDArray[np.float64]

#: Kind of the artifact.
KIND: Final = "transfer-evaluate"


def evaluate_transfer(
    options: TransferOptions,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    announce: Announce = silent,
) -> TransferResult:
    """Compare a source with the target alone, at no and few phenotyped target lines.

    Parameters
    ----------
    options
        Both sides, and how to compare them.
    out
        Folder to write: transfer.json, accuracy.csv, scores.csv, next_lines.csv and report.html; nothing is
        written where None.
    overwrite
        Whether an earlier result in the folder may be replaced.
    announce
        Receives what long work will take.

    Returns
    -------
    TransferResult
        Tests, accuracies and the outcome.

    Raises
    ------
    BudwoodError
        If a file cannot be used, nothing can be carried over, or too few lines are phenotyped.
    """
    from budwood.artifacts import write_artifact

    options.check()
    if out is None:
        return _evaluate(options, announce)
    with write_artifact(
        out, kind=KIND, inputs=options.inputs, seeds={"seed": options.seed}, overwrite=overwrite
    ) as draft:
        result = _evaluate(options, announce)
        _write(draft, result, options)
    return result


def _evaluate(options: TransferOptions, announce: Announce) -> TransferResult:
    from budwood.progress import progress
    from budwood.transfer.comparison import compare_transfer
    from budwood.transfer.heads import HeadOptions, TransferSource, carry_heads

    source = saved_side(options) if options.model is not None else read_side(options.source)
    target = read_side(options.target)
    options.design().test_lines(len(target.y))  # refuses too few lines before the long work
    lines = source.genotypes.take(source.rows)
    loci = read_loci(options, lines.markers, target.genotypes.markers)
    ours, our_notes = read_variant_scores(options.source, lines.markers)
    theirs, their_notes = read_variant_scores(options.target, target.genotypes.markers)
    embeddings, random = _embeddings(options, source, target, announce)
    with blas_threads(max(len(lines.accessions), len(target.y))):
        carried = carry_heads(
            TransferSource(genotypes=lines, y=source.y, score=_saved_score(source, target)),
            target.genotypes,
            target.rows,
            loci=loci,
            source_scores=ours,
            target_scores=theirs,
            embeddings=embeddings,
            random_embeddings=random,
            options=HeadOptions(reach=options.reach, seed=options.seed),
        )
        with progress("comparing", total=options.draws) as advance:
            found = compare_transfer(
                target.genotypes,
                target.rows,
                target.y,
                carried,
                options.design(),
                lambda done: advance(),
            )
        chosen = _next_lines(options, target)
    notes = (
        *_shared_line_notes(source, target),
        *_provenance_notes(source, target),
        *(f"Source: {note}" for note in source.notes),
        *(f"Target: {note}" for note in target.notes),
        *(f"Source: {note}" for note in our_notes),
        *(f"Target: {note}" for note in their_notes),
        *carried.notes,
    )
    return TransferResult(source=source, target=target, found=found, next_lines=chosen, notes=notes)


def _saved_score(source: Side, target: Side) -> Matrix | None:
    """What a saved model predicts for the target, where they share markers."""
    if source.fitted is None or source.fitted.reads_sequence:
        return None
    from budwood.genomics.checks.marker_match import match_markers
    from budwood.transfer.heads import FEWEST_SHARED

    if match_markers(source.fitted.training.markers, target.genotypes.markers).share < FEWEST_SHARED:
        return None
    return source.fitted.predict(target.genotypes, minimum_share=FEWEST_SHARED).prediction


def _embeddings(
    options: TransferOptions, source: Side, target: Side, announce: Announce
) -> tuple[tuple[Matrix, Matrix] | None, list[tuple[Matrix, Matrix]]]:
    """Pooled embeddings of both sides, and by a network of the same shape with random weights."""
    ours, theirs = options.source, options.target
    if ours.files is None or theirs.files is None:
        return None, []
    if ours.files.reference is None or theirs.files.reference is None:
        return None, []
    from budwood.model.checkpoint import Checkpoint, random_checkpoint

    opened = options.encoder.open()
    announce("Both sides are embedded, once by the encoder and once by random weights.")
    encoders = [opened]
    if isinstance(opened, Checkpoint):
        encoders.append(random_checkpoint(opened.encoder.config, seed=options.seed))
    made = []
    for encoder in encoders:
        here = pooled_embeddings(source, ours, options.encoder, encoder)[source.rows]
        made.append((here, pooled_embeddings(target, theirs, options.encoder, encoder)))
    return made[0], made[1:]


def _next_lines(options: TransferOptions, target: Side) -> PhenotypeNext | None:
    """Lines of the target to phenotype first, as if none were phenotyped yet."""
    count = min(options.next_lines, len(target.genotypes.accessions) - 10)
    if count < 1:
        return None
    from budwood.workflows.select import select_training_set

    return select_training_set(target.genotypes, count, seed=options.seed)


def _shared_line_notes(source: Side, target: Side) -> tuple[str, ...]:
    """A warning where lines of the target taught the source: they are no new lines to it."""
    taught = {source.genotypes.accessions[row] for row in source.rows.tolist()}
    measured = [target.genotypes.accessions[row] for row in target.rows.tolist()]
    shared = [name for name in measured if name in taught]
    if not shared:
        return ()
    return (
        f"Warning: {len(shared):,} of the {len(measured):,} target lines with a value are phenotyped lines "
        f"of the source by their names, such as {shared[0]}: the accuracies are not those of new lines. "
        "Leave these lines out of one side.",
    )


def _provenance_notes(source: Side, target: Side) -> tuple[str, ...]:
    """A warning where the two sides' environments differ or are not known."""
    if not source.provenance or not target.provenance:
        unknown = [name for name, side in (("source", source), ("target", target)) if not side.provenance]
        return (
            f"It is not stated whether the phenotypes of the {' and the '.join(unknown)} come from the field "
            "or from controlled environments; a trait can have other genes in each.",
        )
    if source.provenance != target.provenance:
        return (
            f"Warning: the source's phenotypes come from {source.provenance} and the target's from "
            f"{target.provenance} environments, so that part of a low accuracy may be a difference of "
            "environments.",
        )
    return ()


def _write(draft: Draft, result: TransferResult, options: TransferOptions) -> None:
    from budwood.report.pages.transfer import write_transfer_report
    from budwood.workflows.records.files import write_json
    from budwood.workflows.transfer.record import (
        transfer_record,
        write_accuracy,
        write_next_lines,
        write_scores,
    )

    record = transfer_record(result)
    write_json(draft.path("transfer.json"), record)
    write_accuracy(draft.path("accuracy.csv"), record)
    write_scores(draft.path("scores.csv"), result)
    if result.next_lines is not None:
        write_next_lines(draft.path("next_lines.csv"), result.next_lines)
    write_transfer_report(draft.path("report.html"), record)
    draft.notes += result.notes
    draft.parameters |= {
        name: record[name] for name in ("source", "target", "sizes", "draws", "test_lines", "heads")
    }
    draft.parameters["reach"] = options.reach
    draft.metrics |= {"outcome": record["outcome"], "gain": record["gain"]}
