"""Numbers as people write them in tables: one way of writing for a column, or a cell that is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from budwood.genomics.io.text.delimited import MISSING_CELLS

_MINUS: Final = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-", "\uff0d": "-"})
_SPACES: Final = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f\u2007", " "))
_UNITS: Final = [
    "%",
    "‰",
    "cm",
    "mm",
    "m",
    "dm",
    "km",
    "g",
    "kg",
    "mg",
    "t",
    "d",
    "h",
    "min",
    "s",
    "days",
    "day",
    "°c",
    "°f",
    "c",
    "ppm",
    "ppb",
    "ml",
    "l",
    "µl",
    "ha",
    "t/ha",
    "kg/ha",
    "g/m2",
    "g/m²",
    "dt/ha",
    "q/ha",
    "mg/kg",
    "g/kg",
    "mg/g",
    "µg/g",
    "cm2",
    "cm²",
    "mm2",
    "mm²",
    "m2",
    "m²",
    "kg/m2",
    "kg/m²",
    "bu/ac",
    "lb/ac",
    "mpa",
    "kpa",
]
_NUMBER_UNIT: Final = re.compile(
    r"(?P<number>[-+]?[\d.,][\d., ]*?(?:e[-+]?\d+)?) ?(?P<unit>[^\d\s.,+-]\S*)", re.I
)
_PLAIN: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.I | re.A)
_COMMA: Final = re.compile(r"[-+]?\d*,\d+", re.A)
_THREE_BEHIND: Final = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}", re.A)
_THREE_BEHIND_POINT: Final = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}", re.A)
_COMMA_GROUPS: Final = re.compile(r"[-+]?[1-9]\d{0,2}((,\d{3})+\.\d+|(,\d{3}){2,}\.?)", re.A)
_POINT_GROUPS: Final = re.compile(r"[-+]?[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})", re.A)
_SPACE_GROUPS: Final = re.compile(r"([-+]?[1-9]\d{0,2}(?: \d{3})+)([.,]\d+)?", re.A)
_LARGE: Final = 100.0
_LONGEST: Final = 64
#: Ways of writing a number.
_POINT, _COMMAS, _THOUSANDS, _EITHER, _WHOLE = "point", "commas", "thousands", "either", "whole"


@dataclass(frozen=True)
class NumberColumn:
    """A column read as numbers.

    Attributes
    ----------
    values
        One for each cell, NaN where it is missing or cannot be read.
    refused
        Row and reason of each cell that holds a number in a way that cannot be read, or text.
    text
        How many of those hold no number at all.
    decimal_commas
        Whether a comma was read as the decimal point.
    notes
        How the cells were read where that is not plain, a sentence each without the column's name.
    """

    values: list[float]
    refused: tuple[tuple[int, str], ...] = ()
    text: int = 0
    decimal_commas: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether more cells hold text than numbers."""
        numbers = sum(value == value for value in self.values) + len(self.refused) - self.text
        return self.text > numbers


class _Cell(NamedTuple):
    """Digits of a cell, how they are written, and the unit behind them."""

    text: str
    style: str
    unit: str = ""


def read_number_column(cells: Sequence[str], *, semicolons: bool = False) -> NumberColumn:
    """Read a column of numbers.

    A Unicode minus is a minus; blanks between groups of three digits fall away. ``1,163.6`` and
    ``1.163,6`` can mean one thing only. ``1,5`` is 1.5 unless other cells of the column have a decimal
    point. ``1,163`` is read as other cells of the column show; where none does, it is refused, but for
    tables separated by semicolons in which no plain value exceeds 100. A unit (``%``, ``cm``, ``kg/ha``)
    is dropped where every cell has the same.

    Parameters
    ----------
    cells
        Texts of the column.
    semicolons
        Whether the table is separated by semicolons, as where the decimal comma is customary.

    Returns
    -------
    NumberColumn
        Values, notes, and the cells that cannot be read with the reasons.

    Examples
    --------
    >>> read_number_column(["1,163.6", "\u22122", "nd"]).values
    [1163.6, -2.0, nan]
    >>> read_number_column(["110 cm", "98 cm"]).notes
    ("the unit 'cm' was dropped",)
    >>> read_number_column(["1,163", "950"]).refused[0]
    (0, "it is not clear whether '1,163' has a decimal comma or a thousands comma")
    """
    plain = _plain_values(cells)
    if plain is not None:
        return NumberColumn(plain, _point_thousands(cells, plain, semicolons=semicolons))
    found = [_classified(cell) for cell in cells]
    style, unclear = _column_style([cell for cell in found if cell], semicolons=semicolons)
    units = {cell.unit.lower() for cell in found if cell and cell.style}
    values, refused, text = [], [], 0
    for row, (cell, raw) in enumerate(zip(found, cells, strict=True)):
        value, reason = (math.nan, "") if cell is None else _value(cell, style, unclear, raw)
        if cell is not None and not reason and len(units) > 1 and cell.unit:
            value, reason = math.nan, f"{shown_cell(raw)} has a unit that other cells do not have"
        text += cell is not None and not cell.style
        if reason:
            refused.append((row, reason))
        values.append(value)
    unit = next(iter(units), "")
    named = next((cell.unit for cell in found if cell and cell.unit), "")
    notes = [f"the unit {named!r} was dropped"] if unit and len(units) == 1 else []
    if style == _THOUSANDS:
        notes.append("commas were read as thousands separators")
    commas = style == _COMMAS and any(cell and "," in cell.text for cell in found)
    return NumberColumn(values, tuple(refused), text, commas, tuple(notes))


def _plain_values(cells: Sequence[str]) -> list[float] | None:
    """The values where every cell is missing or a plain number, as in nearly all tables; else None."""
    values = []
    for cell in cells:
        if _PLAIN.fullmatch(cell):
            values.append(float(cell))
            if math.isinf(values[-1]):
                return None
        elif cell.strip().lower() in MISSING_CELLS:
            values.append(math.nan)
        else:
            return None
    return values


def _point_thousands(
    cells: Sequence[str], values: Sequence[float], *, semicolons: bool
) -> tuple[tuple[int, str], ...]:
    """Cells like ``1.163`` that may mean 1163: all have three digits behind, and others exceed 100."""
    pointed = [row for row, cell in enumerate(cells) if "." in cell and values[row] == values[row]]
    if not pointed or not all(_THREE_BEHIND_POINT.fullmatch(cells[row]) for row in pointed):
        return ()
    largest = max(abs(values[row]) for row in pointed)
    whole = [abs(v) for cell, v in zip(cells, values, strict=True) if "." not in cell and abs(v) > _LARGE]
    if not whole or not (semicolons or largest < min(whole)):
        return ()
    unclear = "it is not clear whether {} has a decimal point or a thousands point"
    return tuple((row, unclear.format(shown_cell(cells[row]))) for row in pointed)


def _classified(raw: str) -> _Cell | None:
    """The cell without what is decoration, None where it is missing; a style of ``""`` is text."""
    text = raw.strip().translate(_SPACES)
    if text.lower() in MISSING_CELLS:
        return None
    if text[:1] in "\u2212\u2013\u2010\u2011\uff0d":
        text = text[:1].translate(_MINUS) + text[1:].lstrip()
    if len(text) > _LONGEST:
        return _Cell(text, "")
    unit = ""
    if not _PLAIN.fullmatch(text) and (match := _NUMBER_UNIT.fullmatch(text)):
        if match["unit"].lower() not in _UNITS:
            return _Cell(text, "")
        text, unit = match["number"].strip(), match["unit"]
    if groups := _SPACE_GROUPS.fullmatch(text):
        text = groups[1].replace(" ", "") + (groups[2] or "")
    return _Cell(text, _style(text), unit)


def _style(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return _POINT if "." in text else _WHOLE
    if _COMMA_GROUPS.fullmatch(text):
        return _THOUSANDS
    if _POINT_GROUPS.fullmatch(text):
        return _COMMAS
    if _THREE_BEHIND.fullmatch(text):
        return _EITHER
    return _COMMAS if _COMMA.fullmatch(text) else ""


def _column_style(cells: Sequence[_Cell], *, semicolons: bool) -> tuple[str, bool]:
    """How the column is written, and whether cells that could be read in two ways stay unclear."""
    count = {style: sum(cell.style == style for cell in cells) for style in (_POINT, _COMMAS, _THOUSANDS)}
    if count[_COMMAS] > count[_POINT] + count[_THOUSANDS]:
        return _COMMAS, False
    if count[_THOUSANDS]:
        return _THOUSANDS, False
    if count[_POINT]:
        return _POINT, True
    large = any(cell.style == _WHOLE and abs(float(cell.text)) > _LARGE for cell in cells)
    return (_COMMAS, False) if semicolons and not large else (_WHOLE, True)


def _value(cell: _Cell, style: str, unclear: bool, raw: str) -> tuple[float, str]:
    """Value of a cell, or NaN and why it cannot be read."""
    text, shown, reason = cell.text, shown_cell(raw), ""
    if not cell.style:
        return math.nan, f"{shown} is no number"
    if cell.style == _EITHER and unclear:
        reason = f"it is not clear whether {shown} has a decimal comma or a thousands comma"
    elif cell.style == _COMMAS and style != _COMMAS:
        reason = f"{shown} has a decimal comma, other cells have a decimal point"
    elif cell.style == _POINT and style == _COMMAS:
        reason = f"{shown} has a decimal point, other cells have a decimal comma"
    elif cell.style == _THOUSANDS and style == _COMMAS:
        reason = f"{shown} has thousands commas, other cells have a decimal comma"
    if reason:
        return math.nan, reason
    if style == _COMMAS and cell.style in (_COMMAS, _EITHER):
        text = text.replace(".", "").replace(",", ".")
    value = float(text.replace(",", ""))
    return (value, "") if math.isfinite(value) else (math.nan, f"{raw!r} is no number")


def shown_cell(text: str) -> str:
    """A cell in quotes, shortened where it is long.

    Parameters
    ----------
    text
        The cell.

    Returns
    -------
    str
        The cell in quotes.

    Examples
    --------
    >>> shown_cell("tall")
    "'tall'"
    """
    return repr(text if len(text) <= _LONGEST else text[:40] + "...")
