"""Transfer evaluate: whether a source helps a target, with how many phenotyped lines, and how much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from budwood.errors import counted
from budwood.workflows.setup.cost import Announce, silent
from budwood.workflows.setup.threads import blas_threads
from budwood.workflows.transfer.options import SideOptions, TransferOptions
from budwood.workflows.transfer.result import TransferResult
from budwood.workflows.transfer.shared_lines import shared_line_notes
from budwood.workflows.transfer.sides import (
    Side,
    open_side,
    read_loci,
    read_side_haplotypes,
    read_variant_scores,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from budwood.artifacts import Draft
    from budwood.prediction.phenotype_next import PhenotypeNext
    from budwood.transfer.embedded_lines import EmbeddedLines
    from budwood.transfer.few_shot.results import FewShotResults
    from budwood.transfer.heads import CarriedHeads

    Matrix = NDArray[np.float64]
    Embedded = tuple[EmbeddedLines, EmbeddedLines]

#: Kind of the artifact.
KIND: Final = "transfer-evaluate"


def evaluate_transfer(
    options: TransferOptions,
    out: Path | None = None,
    *,
    overwrite: bool = False,
    announce: Announce = silent,
) -> TransferResult:
    """Compare one or several sources with the target alone, at no and few phenotyped target lines.

    Parameters
    ----------
    options
        All sides, and how to compare them.
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

    sources = [open_side(each) for each in options.sources]
    target = open_side(options.target)
    options.design().test_lines(len(target.y))  # refuses too few lines before the long work
    theirs, their_notes = read_variant_scores(options.target, target.genotypes.markers)
    largest = max(*(len(side.y) for side in sources), len(target.y))
    names = _different([side.name for side in sources])
    carried: dict[str, CarriedHeads] = {}
    notes: list[str] = []
    for side, given in zip(sources, options.sources, strict=True):
        notes += shared_line_notes(side, target, two_species=given.pairs is not None)
    notes += _name_notes(names, target)
    notes += _provenance_notes(sources, target)
    with blas_threads(largest):
        for name, side, given in zip(names, sources, options.sources, strict=True):
            brought, said = _carried(options, given, side, target, theirs, announce)
            carried[name] = brought
            named = f"Source {name}" if len(sources) > 1 else "Source"
            notes += [f"{named}: {note}" for note in (*side.notes, *said)]
            notes += brought.notes if len(sources) == 1 else [f"{named}: {note}" for note in brought.notes]
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
    notes += [f"Target: {note}" for note in (*target.notes, *their_notes)]
    notes += _size_notes(options, found.results)
    return TransferResult(
        sources=tuple(sources), target=target, found=found, next_lines=chosen, notes=tuple(notes)
    )


def _carried(
    options: TransferOptions,
    given: SideOptions,
    side: Side,
    target: Side,
    target_scores: Matrix | None,
    announce: Announce,
) -> tuple[CarriedHeads, tuple[str, ...]]:
    """What one source brings to the target, and notes on its variant scores."""
    from budwood.transfer.heads import HeadOptions, TransferSource, carry_heads

    lines = side.genotypes.take(side.rows)
    scores, notes = read_variant_scores(given, lines.markers)
    embeddings, random = _embeddings(options, given, side, target, announce)
    carried = carry_heads(
        TransferSource(genotypes=lines, y=side.y, score=_saved_score(side, target)),
        target.genotypes,
        target.rows,
        loci=read_loci(given, options.target, options.reach, lines.markers, target.genotypes.markers),
        source_scores=scores,
        target_scores=target_scores,
        embeddings=embeddings,
        random_embeddings=random,
        options=HeadOptions(reach=options.reach, seed=options.seed),
    )
    return carried, notes


def _different(names: list[str]) -> list[str]:
    """The names, those that occur more than once with a number."""
    counts = {name: names.count(name) for name in names}
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return found


def _name_notes(names: Sequence[str], target: Side) -> list[str]:
    """A note where a map could not tell a source from the target."""
    if target.name not in names:
        return []
    return [
        f"Source and target are both called {target.name!r}; give --source-name and --target-name, so that "
        "a map tells them apart."
    ]


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
    options: TransferOptions, given: SideOptions, source: Side, target: Side, announce: Announce
) -> tuple[Embedded | None, list[Embedded]]:
    """Both sides' lines by the encoder, and by a network of the same shape with random weights."""
    ours, theirs = given, options.target
    if ours.files is None or theirs.files is None:
        return None, []
    if ours.files.reference is None or theirs.files.reference is None:
        return None, []
    from budwood.inference.embed import embed_haplotypes
    from budwood.model.checkpoint import Checkpoint, random_checkpoint
    from budwood.transfer.embedded_lines import EmbeddedLines

    opened = options.encoder.open()
    tables = (
        read_side_haplotypes(source, ours).take(source.rows),
        read_side_haplotypes(target, theirs),
    )
    announce("Both sides are embedded, once by the encoder and once by random weights.")
    encoders = [opened]
    if isinstance(opened, Checkpoint):
        encoders.append(random_checkpoint(opened.encoder.config, seed=options.seed))
    made = []
    for encoder in encoders:
        here, there = (
            EmbeddedLines(table, embed_haplotypes(table, encoder, batch_size=options.encoder.batch_size))
            for table in tables
        )
        made.append((here, there))
    return made[0], made[1:]


def _next_lines(options: TransferOptions, target: Side) -> PhenotypeNext | None:
    """Lines of the target to phenotype next; as if none were phenotyped yet, where all are."""
    names = target.genotypes.accessions
    left = len(names) - len(target.rows)
    # Phenotyped lines are not phenotyped again. Where all are, the order is of use for the next population.
    known = {names[row]: float(y) for row, y in zip(target.rows, target.y, strict=True)} if left else {}
    # A choice is judged by the lines that it leaves.
    count = min(options.next_lines, left - 1 if left else len(names) - 10)
    if count < 1:
        return None
    from budwood.prediction.phenotype_next import phenotype_next

    kinship = None if target.panel is None else target.panel.kinship
    return phenotype_next(target.genotypes, count, values=known, seed=options.seed, kinship=kinship)


def _size_notes(options: TransferOptions, results: FewShotResults) -> list[str]:
    """Sizes that were asked for and not tried, for want of lines beside the test lines."""
    lost = [size for size in options.sizes if size not in results.sizes]
    if not lost:
        return []
    left = results.lines - results.test_lines
    return [
        f"Not tried of --sizes: {', '.join(f'{size:,}' for size in lost)}; {left:,} of "
        f"{counted(results.lines, 'phenotyped line')} are left beside the {results.test_lines:,} test lines."
    ]


def _provenance_notes(sources: Sequence[Side], target: Side) -> list[str]:
    """A warning where the sides' environments differ or are not known."""
    several = len(sources) > 1
    sides = [(f"source {side.name}" if several else "source", side) for side in sources]
    unknown = [name for name, side in (*sides, ("target", target)) if not side.provenance]
    notes = []
    if unknown:
        notes.append(
            f"It is not stated whether the phenotypes of the {' and the '.join(unknown)} come from the field "
            "or from controlled environments; a trait can have other genes in each."
        )
    notes += [
        f"Warning: the {name}'s phenotypes come from {side.provenance} and the target's from "
        f"{target.provenance} environments, so that part of a low accuracy may be a difference of "
        "environments."
        for name, side in sides
        if side.provenance and target.provenance and side.provenance != target.provenance
    ]
    return notes


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
    said = ("source", "sources", "target", "sizes", "draws", "test_lines", "heads")
    draft.parameters |= {name: record[name] for name in said}
    draft.parameters["reach"] = options.reach
    draft.metrics |= {"outcome": record["outcome"], "gain": record["gain"]}
