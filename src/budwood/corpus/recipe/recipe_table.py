"""Read the TOML tables of any recipe: check keys and types, expand paths."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

from budwood.errors import BudwoodError
from budwood.genomics.io.text.compressed import refuse_pipe

T = TypeVar("T")

#: Names of value types in messages, by the type that a configuration declares.
_KINDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "tuple[str, ...]": "a list of texts",
    "Mapping[str, float]": "a table of numbers",
    "Mapping[str, str]": "a table of texts",
    "Mapping[str, tuple[str, ...]]": "a table of lists of texts",
}


def read_tables(path: Path) -> dict[str, Any]:
    """Read all tables of a recipe.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    dict
        The tables and values.

    Raises
    ------
    BudwoodError
        If the file is missing, a pipe, or not TOML.
    """
    refuse_pipe(Path(path))
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BudwoodError("the recipe cannot be read", where=str(path), mend="check the path") from error
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits are no TOML error
        raise BudwoodError(f"the recipe is not TOML: {error}", where=str(path), mend="correct it") from error


def take_entries(table: dict[str, Any], key: str, where: str) -> list[Any]:
    """Take the entries of an array of tables (``[[key]]``) out of a recipe; none where it has none.

    Parameters
    ----------
    table
        The recipe's tables; the entry is removed.
    key
        Name of the array.
    where
        Where the recipe stands, for error messages.

    Returns
    -------
    list
        The entries.

    Raises
    ------
    BudwoodError
        If it is no array of tables.

    Examples
    --------
    >>> take_entries({"genome": [{"species": "rice"}]}, "genome", "r.toml")
    [{'species': 'rice'}]
    """
    entries = table.pop(key, [])
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, Mapping) for entry in entries):
        raise BudwoodError(
            f"{key} is {str(entries)[:40]!r}, not a list of tables",
            where=where,
            mend=f"write [[{key}]] tables",
        )
    return list(entries)


def build_table(kind: type[T], entry: Any, where: str) -> T:
    """Build a configuration from a table; missing keys take their default.

    Parameters
    ----------
    kind
        A dataclass.
    entry
        The table from the recipe.
    where
        Name of the recipe, for messages.

    Returns
    -------
    object
        An instance of ``kind``.

    Raises
    ------
    BudwoodError
        If the entry is not a table, a key is unknown or missing, or a value has the wrong type.
    """
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    where = f"{where}, {kind.__name__}"
    if not isinstance(entry, Mapping):
        raise BudwoodError(f"{entry!r} is not a table", where=where, mend="write key = value pairs")
    unknown = sorted(set(entry) - known)
    if unknown:
        raise BudwoodError(
            f"unknown key {unknown[0]!r}", where=where, mend=f"choose from {', '.join(sorted(known))}"
        )
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    try:
        built = kind(**values)
    except TypeError as error:
        raise BudwoodError(f"a key is missing: {error}", where=where, mend="add it") from error
    for each in fields(kind):  # type: ignore[arg-type]
        value = getattr(built, each.name)
        if not _is_a(value, str(each.type)):
            raise BudwoodError(
                f"{each.name} is {entry[each.name]!r}, not {_KINDS[str(each.type)]}",
                where=where,
                mend="correct it",
            )
    return built


def _is_a(value: Any, declared: str) -> bool:
    """Whether a value has the declared type; types that recipes do not use are not checked."""
    if declared == "float":
        return type(value) in (int, float) and math.isfinite(value)
    if declared == "tuple[str, ...]":
        return isinstance(value, tuple) and all(type(each) is str for each in value)
    if declared.startswith("Mapping["):
        inner = declared.removeprefix("Mapping[str, ").removesuffix("]")
        if not isinstance(value, Mapping):
            return False
        return all(_is_a(tuple(each) if isinstance(each, list) else each, inner) for each in value.values())
    return declared not in _KINDS or type(value).__name__ == declared


def check_nothing_left(tables: Mapping[str, Any], where: str) -> None:
    """Refuse entries that no part of a recipe uses.

    Parameters
    ----------
    tables
        The remaining entries.
    where
        Name of the recipe, for messages.

    Raises
    ------
    BudwoodError
        If an entry is left.
    """
    if tables:
        raise BudwoodError(
            f"the recipe has an unknown entry {next(iter(tables))!r}", where=where, mend="remove it"
        )


def expanded(name: str, where: str) -> Path:
    """Expand the environment variables of a path.

    Parameters
    ----------
    name
        The path as the recipe gives it.
    where
        Name of the recipe, for messages.

    Returns
    -------
    pathlib.Path
        The expanded path.

    Raises
    ------
    BudwoodError
        If it is empty, or a variable is not set.
    """
    if not name.strip():
        raise BudwoodError(
            "a path of the recipe is empty", where=where, mend="write the file's path, or leave the entry out"
        )
    if "\0" in name:
        raise BudwoodError("a path holds a zero byte", where=where, mend="correct the path")
    found = os.path.expandvars(name)
    if "$" in found:
        raise BudwoodError(
            f"the recipe names {name!r} but that variable is not set",
            where=where,
            mend="set it to the folder of the genomes",
        )
    return Path(found)
