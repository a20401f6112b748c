"""Files of an attribution: tables, tracks, plain values, and the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from budwood.artifacts import Draft
from budwood.errors import counted
from budwood.genomics.io.text.csv_writer import Cell
from budwood.genomics.sequence import decode
from budwood.prediction.attribution.bases import HaplotypeBases
from budwood.prediction.attribution.contributions import WindowContributions
from budwood.prediction.attribution.overlap import TOP, RegionOverlap
from budwood.report.context import ReportContext
from budwood.report.numerals import fixed, percent
from budwood.report.parts.sections import Figure, Grid, Row, Section, SectionReport, write_sections
from budwood.report.pictures.genome_plot import genome_plot
from budwood.workflows.records.files import cell, finite, write_json, write_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Windows in the report, and bases of each sequence in its table.
_SHOWN = 15
_READING = {
    "Contribution": "What a window adds to a line's predicted value, compared with the mean training line. "
    "Contributions, the mean and the effect of unknown calls sum to the prediction exactly.",
    "Importance": "Standard deviation over the lines of a window's contribution.",
    "Sequence, markers": "Contributions through the embeddings of the window's sequences, and through its "
    "markers in the relationship.",
    "Linkage": "Windows that are inherited together share what one of them causes; importance is no proof of "
    "a cause.",
    "Matched draws": "Random runs of as many neighbouring windows of about the same gene density.",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class AttributeResult:
    """Contributions of windows and bases, and how they lie in regions.

    Attributes
    ----------
    trait, model
        What is predicted, and by which model.
    contributions
        Of windows.
    bases
        Of bases of the top windows' sequences; None where they were not asked for.
    overlap
        With the regions; None where none were given.
    lengths
        Contigs and their lengths, for the picture.
    checkpoint
        Name of the encoder; "" where none was used.
    inside
        (W,) windows in the regions.
    notes
        Sentences about what was read and assumed.
    """

    trait: str
    model: str
    contributions: WindowContributions
    bases: HaplotypeBases | None
    overlap: RegionOverlap | None
    lengths: dict[str, int]
    checkpoint: str
    inside: NDArray[np.bool_]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The result as plain values, as attribution.json has them."""
        return attribution_record(self)


def attribution_record(result: AttributeResult) -> dict[str, Any]:
    """The result as plain values.

    Parameters
    ----------
    result
        What was found.

    Returns
    -------
    dict
        As attribution.json has it.
    """
    found = result.contributions
    order = _order(found)
    record: dict[str, Any] = {
        "trait": result.trait,
        "model": result.model,
        "accessions": len(found.accessions),
        "windows": len(found.windows),
        "mean": found.mean,
        "largest_error_of_the_sum": found.error,
        "top_windows": [
            {
                "contig": found.windows[w].contig,
                "start": found.windows[w].start,
                "end": found.windows[w].end,
                "importance": float(found.importance[w]),
            }
            for w in order[:_SHOWN].tolist()
        ],
        "regions": None if result.overlap is None else _overlap_record(result.overlap),
        "bases": None,
        "notes": list(result.notes),
    }
    if result.bases is not None:
        record["bases"] = {
            "sequences": len(result.bases.windows),
            "largest_relative_error_of_the_sum": result.bases.error,
            "sequences_of_other_length": result.bases.skipped,
        }
    return record


def _overlap_record(found: RegionOverlap) -> dict[str, Any]:
    return {name: finite(value) if isinstance(value, float) else value for name, value in vars(found).items()}


def _order(found: WindowContributions) -> NDArray[np.intp]:
    return np.argsort(-found.importance, kind="stable")


def write_attribution(draft: Draft, result: AttributeResult, context: ReportContext) -> None:
    """Write every file of an attribution.

    Parameters
    ----------
    draft
        The artifact.
    result, context
        What was found, and the run behind it.
    """
    found = result.contributions
    header = (
        *("rank", "contig", "start", "end", "importance", "sequence_sd", "marker_sd", "largest", "in_region"),
    )
    write_table(draft.path("windows.csv"), header, _window_rows(found, result.inside))
    with draft.path("contributions.npy").open("wb") as handle:
        np.save(handle, found.total)
    write_table(
        draft.path("predictions.csv"),
        ("accession", "prediction", "mean", "sequence", "markers", "unknown_calls"),
        _line_rows(found),
    )
    _write_tracks(draft, found)
    if result.bases is not None:
        _write_bases(draft, result.bases)
    write_json(draft.path("attribution.json"), attribution_record(result))
    draft.metrics["largest_error_of_the_sum"] = found.error
    if result.overlap is not None:
        draft.metrics["regions"] = _overlap_record(result.overlap)
    write_sections(draft.path("report.html"), _report(result, context))


def _window_rows(found: WindowContributions, inside: NDArray[np.bool_]) -> Iterator[tuple[Cell, ...]]:
    rank = np.empty(len(found.windows), dtype=np.int64)
    rank[_order(found)] = np.arange(1, len(found.windows) + 1)
    sequence, markers = found.sequence.std(axis=0), found.markers.std(axis=0)
    largest, importance = np.abs(found.total).max(axis=0), found.importance
    for w, window in enumerate(found.windows):
        yield (
            int(rank[w]),
            window.contig,
            window.start,
            window.end,
            *(cell(float(each[w])) for each in (importance, sequence, markers, largest)),
            "yes" if inside[w] else "no",
        )


def _line_rows(found: WindowContributions) -> Iterator[tuple[Cell, ...]]:
    parts = (found.sequence.sum(axis=1), found.markers.sum(axis=1), found.unknown_calls)
    for row, name in enumerate(found.accessions):
        values = (found.prediction[row], found.mean, *(part[row] for part in parts))
        yield (name, *(cell(float(value), 12) for value in values))


def _write_tracks(draft: Draft, found: WindowContributions) -> None:
    """Importance as bedGraph, and the top windows as BED with a score up to 1,000."""
    with draft.path("importance.bedgraph").open("w", encoding="utf-8", newline="\n") as handle:
        handle.write('track type=bedGraph name="importance" description="SD of window contributions"\n')
        for window, value in zip(found.windows, found.importance, strict=True):
            handle.write(f"{window.contig}\t{window.start}\t{window.end}\t{value:.6g}\n")
    order = _order(found)[: max(1, int(TOP * len(found.windows)))]
    largest = float(found.importance.max(initial=0.0)) or 1.0
    with draft.path("top_windows.bed").open("w", encoding="utf-8", newline="\n") as handle:
        for w in np.sort(order).tolist():
            window = found.windows[w]
            score = round(1000 * float(found.importance[w]) / largest)
            handle.write(f"{window.contig}\t{window.start}\t{window.end}\twindow{w}\t{score}\t.\n")


def _write_bases(draft: Draft, found: HaplotypeBases) -> None:
    header = ("contig", "position", "reference", "base", "contribution", "copies", "sequence")
    write_table(draft.path("bases.csv"), header, _base_rows(found))
    total: dict[tuple[str, int], float] = {}
    for row, window in enumerate(found.windows):
        for column in np.flatnonzero(found.bases[row]).tolist():
            place = (window.contig, window.start + column)
            total[place] = max(total.get(place, 0.0), abs(float(found.bases[row, column])))
    with draft.path("bases.bedgraph").open("w", encoding="utf-8", newline="\n") as handle:
        handle.write('track type=bedGraph name="bases" description="largest contribution of a base"\n')
        for (contig, position), value in sorted(total.items()):
            handle.write(f"{contig}\t{position}\t{position + 1}\t{value:.6g}\n")


def _base_rows(found: HaplotypeBases) -> Iterator[tuple[Cell, ...]]:
    for row, window in enumerate(found.windows):
        letters, reference = decode(found.codes[row]), decode(found.reference[row])
        for column in np.flatnonzero(found.bases[row]).tolist():
            yield (
                window.contig,
                window.start + column + 1,
                reference[column],
                letters[column],
                cell(float(found.bases[row, column])),
                int(found.copies[row]),
                row,
            )


def _report(result: AttributeResult, context: ReportContext) -> SectionReport:
    found = result.contributions
    sections = [_windows_section(result)]
    if result.overlap is not None:
        sections.append(_regions_section(result.overlap))
    if result.bases is not None:
        sections.append(_bases_section(result.bases))
    order = _order(found)
    first = found.windows[int(order[0])] if len(order) else None
    headline = "No window tells the lines apart."
    if first is not None and found.importance[order[0]] > 0:
        top = order[: max(1, int(TOP * len(order)))]
        share = float((found.importance[top] ** 2).sum() / (found.importance**2).sum())
        headline = (
            f"The most important window is {first.contig}:{first.start + 1:,}-{first.end:,}; the top "
            f"{percent(TOP)} of the windows hold {percent(share)} of the summed variances of contributions."
        )
    return SectionReport(
        verb="attribute",
        title=result.trait or "the trait",
        headline=headline,
        summary=f"Predictions of {counted(len(found.accessions), 'line')} by {result.model} are split into "
        f"{counted(len(found.windows), 'window')}; the parts sum to the predictions to {found.error:.1e}.",
        facts={"windows": f"{len(found.windows):,}", "lines": f"{len(found.accessions):,}"},
        sections=tuple(sections),
        reading=_READING,
        context=context,
    )


def _windows_section(result: AttributeResult) -> Section:
    found = result.contributions
    starts = np.array([window.start for window in found.windows], dtype=np.int64)
    plot = genome_plot(
        result.lengths,
        np.array([window.contig for window in found.windows], dtype=np.str_),
        starts,
        found.importance,
        marked=result.inside,
        description=f"Importance of {counted(len(found.windows), 'window')} along the genome",
        y_title="importance",
    )
    marked = " Windows in the given regions are drawn in another colour." if result.inside.any() else ""
    sequence, markers = found.sequence.std(axis=0), found.markers.std(axis=0)
    rows = tuple(
        Row(
            name=f"{found.windows[w].contig}:{found.windows[w].start + 1:,}-{found.windows[w].end:,}",
            cells=(
                *(f"{each[w]:.3g}" for each in (found.importance, sequence, markers)),
                "yes" if result.inside[w] else "no",
            ),
        )
        for w in _order(found)[:_SHOWN].tolist()
    )
    grid = Grid(
        caption="The most important windows, in units of the trait.",
        first="Window",
        columns=("Importance", "Through sequence", "Through markers", "In a region"),
        rows=rows,
    )
    figure = Figure(
        title="Along the genome.",
        caption=f"Standard deviation over the lines of each window's contribution.{marked}",
        picture=plot,
    )
    return Section(
        name="windows", title="Which windows drive the predictions", figures=(figure,), grids=(grid,)
    )


def _regions_section(found: RegionOverlap) -> Section:
    more = "more" if found.enrichment > 1 else "not more"
    lead = (
        f"Windows in the {found.regions:,} regions are {more} important than matched windows: "
        f"{fixed(found.enrichment, 2)} times the mean of draws matched by {found.matched} (permutation "
        f"p = {found.p:.3g}); AUROC {fixed(found.auroc, 3)}."
    )
    note = (
        f"{percent(found.top_inside)} of the {found.inside:,} windows inside are among the top "
        f"{percent(TOP)} of all {found.windows:,}; of the matched draws {percent(found.top_expected)} "
        f"(p = {found.top_p:.3g})."
    )
    return Section(name="regions", title="Do they lie in the given regions?", lead=lead, notes=(note,))


def _bases_section(found: HaplotypeBases) -> Section:
    order = np.argsort(-np.abs(found.bases).max(axis=1, initial=0.0), kind="stable")[:_SHOWN]
    rows = []
    for row in order.tolist():
        column = int(np.abs(found.bases[row]).argmax())
        window = found.windows[row]
        change = f"{decode(found.reference[row])[column]} to {decode(found.codes[row])[column]}"
        rows.append(
            Row(
                name=f"{window.contig}:{window.start + column + 1:,}",
                cells=(
                    change,
                    f"{found.bases[row, column]:.3g}",
                    f"{found.difference[row]:.3g}",
                    f"{found.copies[row]:,}",
                ),
            )
        )
    grid = Grid(
        caption="The base with the largest contribution of each sequence, compared with the reference, for a "
        "line whose copies all carry the sequence.",
        first="Base",
        columns=("Change", "Contribution of the base", "Of the whole sequence", "Copies"),
        rows=tuple(rows),
    )
    note = (
        f"Contributions of bases sum to those of their sequences to {found.error:.1e} of the largest. After "
        "an insertion or deletion the bases behind it are shifted and share its effect."
    )
    return Section(name="bases", title="Which bases drive them", grids=(grid,), notes=(note,))
