"""The heat map of transfers: sources by targets, for each trait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from budwood.report.frame import page_environment, report_asset, write_page
from budwood.report.numerals import between, fixed

#: Class of a cell by outcome. Green is for measured gains alone.
_CLASSES: Final[Mapping[str, str]] = {
    "useful": "useful",
    "useful without phenotypes only": "direct",
    "no gain": "none",
    "no better than random": "none",
    "harmful": "harmful",
    "too few draws": "none",
    "untested": "untested",
}


@dataclass(frozen=True)
class MapCell:
    """A cell of the heat map: its class, its heading and the lines under it.

    Attributes
    ----------
    style
        Class in the style sheet.
    outcome
        Heading of the cell.
    lines
        Texts under it.
    """

    style: str
    outcome: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class TraitCells:
    """Sources by targets of one trait.

    Attributes
    ----------
    trait
        Its name.
    sources
        Rows of the table: the names of those that were joined by the name that they have together; a source
        alone by its own.
    targets
        Columns of the table.
    cells
        Cells by source and target.
    """

    trait: str
    sources: Mapping[str, tuple[str, ...]]
    targets: tuple[str, ...]
    cells: Mapping[tuple[str, str], Sequence[MapCell]]

    @property
    def is_measured(self) -> bool:
        """Whether anybody measured one of the cells."""
        return any(cell.style != "untested" for here in self.cells.values() for cell in here)


def write_map_report(path: Path, record: Mapping[str, Any], summary: Sequence[str]) -> None:
    """Write the heat map: one HTML file that needs nothing beside itself.

    Parameters
    ----------
    path
        The file to write.
    record
        The map, as map.json has it.
    summary
        Sentences for people.
    """
    write_page(path, render_map(record, summary))


def render_map(record: Mapping[str, Any], summary: Sequence[str]) -> str:
    """The heat map as a string of HTML.

    Parameters
    ----------
    record
        The map, as its JSON file has it.
    summary
        Sentences above the map.

    Returns
    -------
    str
        A page without external resources.
    """
    return (
        page_environment()
        .get_template("transfer_map.html")
        .render(
            style=Markup(report_asset("report.css")),
            traits=cells_by_trait(record),
            summary=summary,
            notes=record["notes"],
        )
    )


def cells_by_trait(record: Mapping[str, Any]) -> list[TraitCells]:
    """The cells of a map, laid out for each trait.

    Parameters
    ----------
    record
        The map, as its JSON file has it.

    Returns
    -------
    list of TraitCells
        In the order of the record.
    """
    traits = []
    for trait in dict.fromkeys(each["trait"] for each in record["cells"]):
        cells = [each for each in record["cells"] if each["trait"] == trait]
        members = {each["source"]: tuple(each.get("sources") or [each["source"]]) for each in cells}
        rows = sorted(members, key=lambda name: (len(members[name]) > 1, name))
        targets = sorted({each["target"] for each in cells})
        by: dict[tuple[str, str], list[MapCell]] = {}
        for each in cells:
            by.setdefault((each["source"], each["target"]), []).append(_cell(each))
        traits.append(TraitCells(trait, {name: members[name] for name in rows}, tuple(targets), by))
    return traits


def _cell(record: Mapping[str, Any]) -> MapCell:
    lines = []
    for size, gain in record["gain"].items():
        what = "r without phenotypes" if size == "0" else f"gain at {size} lines"
        sign = "+" if size != "0" and gain["mean"] > 0 else ""
        lines.append(f"{what}: {sign}{fixed(gain['mean'], 2)} ({between(gain['lower'], gain['upper'], 2)})")
    if record["predicted_r"] is not None:
        lines.append(f"predicted r from distance: {fixed(record['predicted_r'], 2)}")
    if record["distance"] is not None:
        lines.append(f"distance {record['distance']:.3g}")
    return MapCell(_CLASSES.get(record["outcome"], "none"), record["outcome"], tuple(lines))
