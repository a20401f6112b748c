"""The ranking of a finished job: filtered, sorted, cut into pages, and a shortlist of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from budwood.genomics.io.text.csv_writer import Numeral
from budwood.prediction.evaluation.results import PREDICTION_COLUMNS
from budwood.service.jobs.ranked_table import NUMBERS

ON_A_PAGE: Final = 50


class Filters(BaseModel):
    """Which lines of a ranking are shown; fields of a form, all optional."""

    search: Annotated[str, Field(max_length=200)] = ""
    show: Literal["candidates", "all"] = "candidates"
    reliability: Annotated[str, Field(max_length=20)] = ""
    hide_extrapolation: bool = False
    best: Annotated[str, Field(max_length=20)] = ""
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One accession of a ranking.

    Attributes
    ----------
    cells
        Text of each column of predictions.csv.
    """

    cells: dict[str, str]

    @property
    def is_candidate(self) -> bool:
        """Whether it has no value of the trait."""
        return not self.cells["observed"]

    @property
    def extrapolates(self) -> bool:
        """Whether it is far from the phenotyped lines."""
        return self.cells["extrapolation"] == "true"

    def number(self, column: str) -> float | None:
        """A number of the line.

        Parameters
        ----------
        column
            Name of the column.

        Returns
        -------
        float or None
            None where the cell is empty.
        """
        text = self.cells[column]
        return float(text) if text else None

    def shown(self, column: str, decimals: int | None = None) -> str:
        """A number as the page shows it.

        Parameters
        ----------
        column
            Name of the column.
        decimals
            Digits after the point; four significant digits in all where None.

        Returns
        -------
        str
            The number; a dash for an empty cell.
        """
        value = self.number(column)
        if value is None:
            return "\u2013"
        text = f"{value:.4g}" if decimals is None else f"{value:.{decimals}f}"
        return text.replace("-", "\u2212")


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Lines that pass the filters.

    Attributes
    ----------
    lines
        All of them, best first.
    filters
        Which were asked for.
    trait
        What was predicted.
    candidates, phenotyped
        How many there are without filters.
    """

    lines: tuple[Line, ...]
    filters: Filters
    trait: str
    candidates: int
    phenotyped: int

    @property
    def pages(self) -> int:
        """Number of pages, at least one."""
        return max(1, -(-len(self.lines) // ON_A_PAGE))

    @property
    def page(self) -> tuple[Line, ...]:
        """Lines of the page that was asked for."""
        begin = (min(self.filters.page, self.pages) - 1) * ON_A_PAGE
        return self.lines[begin : begin + ON_A_PAGE]


def filtered(rows: Sequence[dict[str, str]], filters: Filters) -> Ranking:
    """Keep of a ranking what passes the filters.

    Parameters
    ----------
    rows
        Of predictions.csv, as :func:`budwood.service.jobs.ranked_table.read_ranked_table` gives them.
    filters
        What to show.

    Returns
    -------
    Ranking
        Best first.
    """
    every = [Line(cells=row) for row in rows]
    lowest, wanted = _number(filters.reliability), filters.search.strip().lower()
    kept = [
        line
        for line in every
        if (filters.show == "all" or line.is_candidate)
        and wanted in line.cells["accession"].lower()
        and (lowest is None or (line.number("reliability") or 0.0) >= lowest)
        and not (filters.hide_extrapolation and line.extrapolates)
    ]
    best = _number(filters.best)
    candidates = sum(line.is_candidate for line in every)
    return Ranking(
        lines=tuple(kept if best is None else kept[: max(0, int(best))]),
        filters=filters,
        trait=every[0].cells["trait"] if every else "",
        candidates=candidates,
        phenotyped=len(every) - candidates,
    )


def shortlist_rows(ranking: Ranking, chosen: list[str]) -> list[list[str | Numeral]]:
    """Rows of a shortlist: the chosen accessions, or every line that passes the filters where none is chosen.

    Parameters
    ----------
    ranking
        Lines that pass the filters.
    chosen
        Accessions that were ticked.

    Returns
    -------
    list of list of str
        Cells in the columns of predictions.csv, best first; numbers follow the dialect they are written in.
    """
    ticked = set(chosen)
    lines = [line for line in ranking.lines if not ticked or line.cells["accession"] in ticked]
    return [
        [Numeral(line.cells[each]) if each in NUMBERS else line.cells[each] for each in PREDICTION_COLUMNS]
        for line in lines
    ]


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if isfinite(value) else None
