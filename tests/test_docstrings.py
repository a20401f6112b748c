"""Docstrings of public functions and classes, by numpydoc's validator, in the folders that pass so far."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import validate

SOURCE: Final = Path(__file__).parents[1] / "src" / "budwood"

#: Modules and folders (with all folders in them) whose docstrings are complete. Add yours when it passes.
PASSING: Final = (
    "artifacts",
    "config",
    "corpus",
    "errors",
    "genomics",
    "inference",
    "library",
    "model",
    "training",
    "probing",
    "panel",
    "prediction",
    "progress",
    "report",
    "service",
    "simulate",
    "stats",
)

#: numpydoc's codes that fail: no docstring; parameters missing, unknown, in another order, without a
#: description; no Returns, no Yields; no summary.
CODES: Final = ("GL08", "PR01", "PR02", "PR03", "PR07", "RT01", "YD01", "SS01")
#: Those of the above in which every function of a module has an example as well.
WITH_EXAMPLES: Final = ("stats",)


def modules() -> list[str]:
    names = []
    for part in PASSING:
        path = SOURCE / part
        files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
        names += [".".join(file.relative_to(SOURCE.parent).with_suffix("").parts) for file in files]
    return sorted(name.removesuffix(".__init__") for name in names)


def public(holder: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Functions, classes and methods that a module or class defines itself, by their full names."""
    module = getattr(holder, "__module__", None) or holder.__name__
    for key, value in vars(holder).items():
        value = inspect.unwrap(value.__func__ if isinstance(value, classmethod | staticmethod) else value)
        if key.startswith("_") or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        if value.__module__ != module:
            continue
        yield f"{name}.{key}", value
        if inspect.isclass(value):
            yield from public(value, f"{name}.{key}")


def problems(name: str, thing: Any) -> list[str]:
    """What a docstring lacks."""
    if dataclasses.is_dataclass(thing):
        return _of_dataclass(thing)
    if _is_route(thing):  # /openapi.json shows the docstring to clients, and describes every field itself
        return [] if (thing.__doc__ or "").strip() else ["GL08 no docstring"]
    is_function = inspect.isfunction(thing) and "." not in thing.__qualname__
    codes = (*CODES, "EX01") if is_function and name.split(".")[1] in WITH_EXAMPLES else CODES
    found = [f"{code} {text}" for code, text in validate(name)["errors"] if code in codes]
    if inspect.isclass(thing) and not _own_init(thing):
        found = [line for line in found if not line.startswith("PR")]
    if inspect.isfunction(thing) and _raises(thing) and not get_doc_object(thing)["Raises"]:
        found.append("no Raises section")
    return found


def _is_route(thing: Any) -> bool:
    """Whether a function answers requests: FastAPI calls it, nothing else does."""
    router = getattr(importlib.import_module(thing.__module__), "router", None)
    return thing in [getattr(route, "endpoint", None) for route in getattr(router, "routes", ())]


def _of_dataclass(thing: Any) -> list[str]:
    """A dataclass describes its fields under Attributes or Parameters."""
    documented = get_doc_object(thing)
    entries = [*documented["Attributes"], *documented["Parameters"]]
    names = {name.strip() for entry in entries if entry.desc for name in entry.name.split(",")}
    # Fields that a class of another package hands down are described there.
    ours = {
        name
        for each in thing.__mro__
        if each.__module__.startswith("budwood.")
        for name in inspect.get_annotations(each)
    }
    fields = [f.name for f in dataclasses.fields(thing) if f.name in ours and not f.name.startswith("_")]
    return [f"field {name} is not described" for name in fields if name not in names]


def _own_init(thing: type) -> bool:
    return "__init__" in vars(thing) and not getattr(thing, "_is_protocol", False)


def _raises(function: Any) -> bool:
    """Whether the body raises a BudwoodError by name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc]
    calls = [node.func for node in raised if isinstance(node, ast.Call)]
    return any(isinstance(call, ast.Name) and call.id == "BudwoodError" for call in calls)


@pytest.mark.parametrize("module", modules())
def test_public_docstrings_are_complete(module: str) -> None:
    found = {name: problems(name, thing) for name, thing in public(importlib.import_module(module), module)}
    assert not {name: lines for name, lines in found.items() if lines}
