"""Whether a stored value is of the type that its class declares."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from math import isinf
from typing import Any, Final

import numpy as np

#: Largest absolute value of a number: squares of larger ones overflow.
_LARGEST: Final = 1e150


@cache
def declared_types(described: type) -> Mapping[str, Any]:
    """Types of the fields of a dataclass.

    Parameters
    ----------
    described
        A dataclass.

    Returns
    -------
    Mapping
        Type by name of the field.
    """
    return typing.get_type_hints(described)


def mismatch(value: object, declared: Any) -> str:
    """What keeps a value from being of a declared type.

    Parameters
    ----------
    value
        What was read.
    declared
        A type of JSON values, arrays, dataclasses or protocols, and tuples, mappings and unions of these.

    Returns
    -------
    str
        End of a sentence that begins with the field; empty where the value fits.

    Examples
    --------
    >>> mismatch(1, int), mismatch(True, int), mismatch((1.0, "a"), tuple[float, ...])
    ('', 'is True, not a whole number', "is 'a', not a number")
    """
    origin = typing.get_origin(declared)
    if declared is Any:
        return ""
    if origin in (typing.Union, types.UnionType):
        found = [mismatch(value, each) for each in typing.get_args(declared)]
        return "" if "" in found else found[0]
    if declared in _PLAIN:
        return _plain(value, declared)
    if declared is type(None):
        return "" if value is None else "is not empty"
    if origin is np.ndarray:
        return _array(value, declared)
    if origin is tuple:
        return _tuple(value, typing.get_args(declared))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(value, *typing.get_args(declared))
    return _object(value, declared)


_PLAIN: Final = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}


def _plain(value: object, declared: type) -> str:
    fits = type(value) is declared or (declared is float and type(value) is int)
    if not fits:
        return f"is {_short(value)}, not {_PLAIN[declared]}"
    if isinstance(value, int | float) and not isinf(value) and abs(value) > _LARGEST:
        return "is too large"
    return ""


def _short(value: object) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        text = repr(value)
        return text if len(text) < 40 else text[:36] + "..."
    return f"a {type(value).__name__}"


def _array(value: object, declared: Any) -> str:
    kind = typing.get_args(typing.get_args(declared)[1])[0]
    kind = typing.get_origin(kind) or kind
    if not isinstance(value, np.ndarray):
        return f"is {_short(value)}, not an array"
    if not value.ndim:
        return "is one value, not an array"
    if kind is np.object_:
        texts = value.dtype == object and all(isinstance(each, str) for each in value.ravel())
        return "" if texts else "is no array of text"
    if not np.issubdtype(value.dtype, kind):
        return f"is an array of {value.dtype}, not of {kind.__name__}"
    known = value[np.isfinite(value)] if value.dtype.kind == "f" else value[:0]
    if known.size and float(np.abs(known).max()) > _LARGEST:
        return "has values that are too large"
    return ""


def _tuple(value: object, declared: tuple[Any, ...]) -> str:
    if not isinstance(value, tuple):
        return f"is {_short(value)}, not a list"
    if len(declared) == 2 and declared[1] is Ellipsis:
        return next((found for each in value if (found := mismatch(each, declared[0]))), "")
    if len(value) != len(declared):
        return f"has {len(value)} values, not {len(declared)}"
    pairs = zip(value, declared, strict=True)
    return next((found for each, kind in pairs if (found := mismatch(each, kind))), "")


def _mapping(value: object, key: Any, inner: Any) -> str:
    if not isinstance(value, Mapping):
        return f"is {_short(value)}, not a table"
    for name, each in value.items():
        found = mismatch(name, key) or mismatch(each, inner)
        if found:
            return found
    return ""


def _object(value: object, declared: Any) -> str:
    """Of a dataclass, or with everything that a protocol asks for."""
    if not is_dataclass(value) or isinstance(value, type):
        return f"is {_short(value)}, not a {declared.__name__}"
    if getattr(declared, "_is_protocol", False):
        members = [name for name in vars(declared) if not name.startswith("_")]
        own = {each.name for each in fields(value)}
        fits = all(name in own or hasattr(type(value), name) for name in members)
    else:
        fits = isinstance(value, declared)
    return "" if fits else f"is a {type(value).__name__}, not a {declared.__name__}"
