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
        return reader.read(record.value)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BudwoodError(
            f"the saved model is damaged: {error}",
            mend="copy it again from its source, or fit the model again",
        ) from error


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

    def read(self, value: Any) -> Any:
        if not isinstance(value, dict):
            if value is None or isinstance(value, bool | int | float | str):
                return value
            raise TypeError("a value of no known kind")
        if "class" in value:
            return self._dataclass(value)
        if "words" in value:
            words = self.arrays[value["words"]]
            return tuple(words.tolist()) if value.get("tuple") else words.astype(object)
        (kind,) = value
        inner = value[kind]
        if kind == "tuple":
            return tuple(self.read(each) for each in inner)
        if kind == "mapping":
            return {self.read(key): self.read(each) for key, each in inner}
        if kind == "number":
            return float(inner)
        if kind == "array":
            return self.arrays[inner]
        if kind == "text":
            return self.arrays[inner].tobytes().decode()
        raise ValueError(f"there is no kind of value {kind!r}")

    def _dataclass(self, value: dict[str, Any]) -> Any:
        name = value["class"]
        if name not in self.classes:
            raise BudwoodError(
                f"the saved model has a part {name!r} that this release does not know", mend="update budwood"
            )
        return self.classes[name](**{key: self.read(each) for key, each in value["fields"].items()})
