"""A report made of sections with tables and pictures: what verbs without a ranking of lines write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from budwood.report.context import ReportContext
from budwood.report.frame import LAST_SECTIONS, PageSection, render_page, write_page
from budwood.report.pictures.genome_plot import GenomePlot
from budwood.report.pictures.scale import Tick
from budwood.report.pictures.scatter import SIDE, Scatter


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table.

    Attributes
    ----------
    name
        What the line is about.
    cells
        Texts, one for each column.
    at, low, high
        Places on the axis of the table in percent; None where there is none.
    tag
        A word beside the name.
    kind
        ``"reported"``, ``"control"`` or ``""``: how the line is drawn.
    """

    name: str
    cells: tuple[str, ...]
    at: float | None = None
    low: float | None = None
    high: float | None = None
    tag: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table, with an axis on which every line's interval is drawn where ``ticks`` are given.

    Attributes
    ----------
    caption
        What the table shows.
    first, columns
        Titles of the first column and of the others.
    rows
        Its lines.
    axis
        Title of the axis.
    ticks
        Ticks of the axis; none for a plain table.
    zero
        Place in percent of the line that means "no better than chance".
    """

    caption: str
    first: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    axis: str = ""
    ticks: tuple[Tick, ...] = ()
    zero: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture with its caption.

    Attributes
    ----------
    title, caption
        Its title and what it shows.
    picture
        Points in a plane, or values along a genome.
    """

    title: str
    caption: str
    picture: Scatter | GenomePlot

    @property
    def along_genome(self) -> bool:
        """Whether values along a genome are drawn."""
        return isinstance(self.picture, GenomePlot)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report.

    Attributes
    ----------
    name, title
        Anchor and heading.
    lead
        Its first sentence.
    grids, figures
        Tables and pictures.
    notes
        Sentences below them.
    """

    name: str
    title: str
    lead: str = ""
    grids: tuple[Grid, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SectionReport:
    """A whole report.

    Attributes
    ----------
    verb, title
        What was run, and on what.
    headline, summary
        The conclusion, and a sentence on what was compared.
    facts
        Figures beside the headline.
    sections
        Its parts.
    reading
        Terms and their meaning.
    context
        The run behind it.
    """

    verb: str
    title: str
    headline: str
    summary: str
    facts: Mapping[str, str]
    sections: tuple[Section, ...]
    reading: Mapping[str, str] = field(default_factory=dict)
    context: ReportContext


def write_sections(path: Path, report: SectionReport) -> None:
    """Write a report: a single HTML file, readable offline, on a phone and on paper.

    Parameters
    ----------
    path
        The file to write; it appears whole or not at all.
    report
        The report.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_page(path, render_sections(report))


def render_sections(report: SectionReport) -> str:
    """The report as a string of HTML.

    Parameters
    ----------
    report
        The report.

    Returns
    -------
    str
        A whole page without external resources.
    """
    anchors = tuple(PageSection(section.name, section.title) for section in report.sections)
    reading = (PageSection("reading", "How to read this page"),) if report.reading else ()
    return render_page(
        "sections.html",
        title=report.title,
        kind=f"Budwood {report.verb}",
        context=report.context,
        sections=(*anchors, LAST_SECTIONS[0], *reading, *LAST_SECTIONS[1:]),
        facts=report.facts,
        notes=report.context.notes,
        skip=PageSection(report.sections[0].name, "the results"),
        show_identity=False,
        report=report,
        side=SIDE,
    )
