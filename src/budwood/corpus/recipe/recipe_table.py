"""Tables of recipes: TOML read, keys checked, paths expanded, for every kind of recipe."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

from budwood.errors import BudwoodError

T = TypeVar("T")

#: What the values of a recipe are called, by how a configuration declares them.
_KINDS: Final = {
    "int": "whole number",
    "float": "number",
    "str": "text",
    "bool": "true or false",
    "tuple[str, ...]": "list of texts",
    "Mapping[str, float]": "table of numbers",
    "Mapping[str, tuple[str, ...]]": "table of lists of texts",
}


def read_tables(path: Path) -> dict[str, Any]:
    """Everything a recipe's file says.

    Raises
    ------
    BudwoodError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BudwoodError("the recipe cannot be read", where=str(path), mend="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BudwoodError(f"the recipe is no TOML: {error}", where=str(path), mend="correct it") from error


def build_table(kind: type[T], entry: Any, where: str) -> T:
    """A configuration from the table that names its values; what is not said is default.

    Raises
    ------
    BudwoodError
        If the entry is no table, a key does not exist or is missing, or a value is of another type.
    """
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    where = f"{where}, {kind.__name__}"
    if not isinstance(entry, Mapping):
        raise BudwoodError(f"{entry!r} is no table", where=where, mend="write key = value pairs")
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
                f"{each.name} is {entry[each.name]!r}, which is no {_KINDS[str(each.type)]}",
                where=where,
                mend="correct it",
            )
    return built


def _is_a(value: Any, declared: str) -> bool:
    """Whether a value is of the kind declared; kinds that recipes do not know are not looked at."""
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
    """Refuse entries that no part of a recipe has asked for."""
    if tables:
        raise BudwoodError(
            f"the recipe has an unknown entry {next(iter(tables))!r}", where=where, mend="remove it"
        )


def expanded(name: str, where: str) -> Path:
    """A path with its environment variables put in.

    Raises
    ------
    BudwoodError
        If a variable is not set.
    """
    found = os.path.expandvars(name)
    if "$" in found:
        raise BudwoodError(
            f"the recipe names {name!r} but that variable is not set",
            where=where,
            mend="set it to the folder of the genomes",
        )
    return Path(found)
