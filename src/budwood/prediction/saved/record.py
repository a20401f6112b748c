"""Objects as JSON and arrays, without pickle: how fitted models are written and read.

A value is a JSON value or an object with one key that names its kind: ``tuple``, ``mapping``, ``number`` (a
float that JSON has no word for), ``array`` and ``words`` and ``text`` (the name of an array), ``class`` with
``fields``. Only the dataclasses that a caller lists are written or read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from math import isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.prediction.saved.field_types import declared_types, mismatch

#: Longer strings are stored beside the arrays.
_LONG: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Record:
    """One object in stored form.

    Attributes
    ----------
    value
        What goes into JSON.
    arrays
        Arrays by the names that ``value`` uses; numbers, or characters of fixed width.
    """

    value: Any
    arrays: Mapping[str, NDArray[Any]]


def to_record(thing: object, classes: Iterable[type]) -> Record:
    """The stored form of a dataclass of numbers, strings, arrays, tuples, mappings and listed dataclasses.

    Parameters
    ----------
    thing
        What is stored.
    classes
        Dataclasses that may appear in it.

    Returns
    -------
    Record
        JSON values and named arrays.

    Examples
    --------
    >>> to_record((1, None, "a"), ()).value
    {'tuple': [1, None, 'a']}
    """
    writer = _Writer({kind.__name__: kind for kind in classes})
    return Record(value=writer.write(thing), arrays=writer.arrays)


def from_record(record: Record, classes: Iterable[type]) -> Any:
    """The object of a stored form.

    Parameters
    ----------
    record
        What :func:`to_record` made.
    classes
        Dataclasses that may appear in it.

    Returns
    -------
    Any
        The object.

    Raises
    ------
    BudwoodError
        If the record is damaged or names a class that is not listed.

    Examples
    --------
    >>> from_record(to_record({"a": (1.5, np.arange(3))}, ()), ())
    {'a': (1.5, array([0, 1, 2]))}
    """
    reader = _Reader({kind.__name__: kind for kind in classes}, record.arrays)
    try:
        return reader.read(record.value, "")
    except RecursionError as error:
        raise damaged("it is nested too deeply") from error


def damaged(problem: str, path: str = "", where: str = "") -> BudwoodError:
    """What is raised where a saved model is not as models are.

    Parameters
    ----------
    problem
        What is wrong: the end of a sentence that begins with the field where there is one.
    path
        The field, from the model inwards.
    where
        The file.

    Returns
    -------
    BudwoodError
        To be raised.
    """
    field_named = f"the field {path} " if path else ""
    return BudwoodError(
        f"the saved model is damaged: {field_named}{problem}",
        where=where,
        mend="copy it again from its source, or fit the model again",
    )


@dataclass
class _Writer:
    classes: Mapping[str, type]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def write(self, thing: object) -> Any:
        if thing is None or isinstance(thing, bool | str) or type(thing) is int:
            return self._text(thing) if isinstance(thing, str) and len(thing) > _LONG else thing
        if isinstance(thing, int | np.integer):
            return int(thing)
        if isinstance(thing, float | np.floating):
            number = float(thing)
            return number if isfinite(number) else {"number": repr(number)}
        if isinstance(thing, np.ndarray):
            return self._array(thing)
        if isinstance(thing, tuple | list):
            return self._tuple(thing)
        if isinstance(thing, Mapping):
            return {"mapping": [[self.write(key), self.write(value)] for key, value in thing.items()]}
        name = type(thing).__name__
        if is_dataclass(thing) and self.classes.get(name) is type(thing):
            stored = {each.name: self.write(getattr(thing, each.name)) for each in fields(thing) if each.init}
            return {"class": name, "fields": stored}
        raise TypeError(f"{name} cannot be stored")

    def _tuple(self, thing: tuple[object, ...] | list[object]) -> Any:
        words = len(thing) > 50 and all(isinstance(each, str) for each in thing)
        if words:
            return {"words": self._store(np.array(thing, dtype=np.str_)), "tuple": True}
        return {"tuple": [self.write(each) for each in thing]}

    def _array(self, array: NDArray[Any]) -> Any:
        if array.dtype != object:
            return {"array": self._store(array)}
        if not all(isinstance(each, str) for each in array.ravel()):
            raise TypeError("an array of objects other than strings cannot be stored")
        return {"words": self._store(array.astype(np.str_))}

    def _text(self, text: str) -> Any:
        return {"text": self._store(np.frombuffer(text.encode(), dtype=np.uint8))}

    def _store(self, array: NDArray[Any]) -> str:
        name = f"a{len(self.arrays):05d}"
        self.arrays[name] = array
        return name


@dataclass(frozen=True)
class _Reader:
    classes: Mapping[str, type]
    arrays: Mapping[str, NDArray[Any]]

    def read(self, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            if value is None or isinstance(value, bool | int | float | str):
                return value
            raise damaged("has a value of no known kind", path or "model")
        try:
            return self._read(value, path)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            raise damaged(f"cannot be read: {error}", path or "model") from error

    def _read(self, value: dict[str, Any], path: str) -> Any:
        if "class" in value:
            return self._dataclass(value, path)
        if "words" in value:
            words = self._array(value["words"])
            if words.dtype.kind != "U":
                raise ValueError("it is no array of text")
            if not value.get("tuple"):
                return words.astype(object)
            if words.ndim != 1:
                raise ValueError("it is no list")
            return tuple(words.tolist())
        (kind,) = value
        inner = value[kind]
        if kind == "tuple" and isinstance(inner, list):
            return tuple(self.read(each, f"{path}[{place}]") for place, each in enumerate(inner))
        if kind == "mapping" and isinstance(inner, list):
            return {self.read(key, path): self.read(each, f"{path}[{key!r}]") for key, each in inner}
        if kind == "number" and inner in ("nan", "inf", "-inf"):
            return float(inner)
        if kind == "array":
            return self._array(inner)
        if kind == "text":
            array = self._array(inner)
            if array.dtype != np.uint8 or array.ndim != 1:
                raise ValueError("it is no text")
            return array.tobytes().decode()
        raise ValueError(f"there is no value {kind!r} of this kind")

    def _array(self, name: Any) -> NDArray[Any]:
        if name not in self.arrays:
            raise ValueError(f"there is no array {name!r}")
        return self.arrays[name]

    def _dataclass(self, value: dict[str, Any], path: str) -> Any:
        name = value["class"]
        if name not in self.classes:
            raise BudwoodError(
                f"the saved model has a part {name!r} that this release does not know", mend="update budwood"
            )
        kind = self.classes[name]
        declared = declared_types(kind)
        stored: dict[str, Any] = {}
        for key, each in value["fields"].items():
            inside = f"{path}.{key}" if path else key
            if key not in declared:
                raise BudwoodError(
                    f"the saved model has a field {inside} that this release does not know",
                    mend="update budwood",
                )
            stored[key] = self.read(each, inside)
            problem = mismatch(stored[key], declared[key])
            if problem:
                raise damaged(problem, inside)
        return kind(**stored)
