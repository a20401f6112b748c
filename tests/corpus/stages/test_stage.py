"""Keys of tasks: a stage whose code changed gets another version, so that nothing old is used for it."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import io
import json
import pkgutil
import re
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import pytest

import budwood.corpus.stages as stages
from budwood.corpus.stages.stage import SHARD_MANIFEST, Task, run_task, stage

#: Version and code of every stage. Where a test below fails: raise the version of the stages it names (unless
#: they leave the same bytes as before) and write this file anew with
#: ``python tests/corpus/stages/test_stage.py``.
GOLDEN: Final = Path(__file__).with_name("stage_code.json")


CONSTANTS: Final = (
    int,
    float,
    str,
    bytes,
    tuple,
    list,
    dict,
    set,
    frozenset,
    np.dtype,
    np.ndarray,
    re.Pattern,
)


def marked() -> dict[str, Any]:
    """Every stage of the corpus build by its full name."""
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.iter_modules(stages.__path__, "budwood.corpus.stages.")
    ]
    return {
        f"{name}.{key}": value
        for module in modules
        for name in [module.__name__]
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == name and "version" in vars(value)
    }


def code_of(function: Any) -> str:
    """Digest of the code of a function, and of everything of Budwood's that it uses, at any distance."""
    parts: dict[str, str] = {}
    waiting = [function]
    while waiting:
        thing = waiting.pop()
        name = f"{thing.__module__}.{thing.__qualname__}"
        if name in parts:
            continue
        parts[name] = plain_source(thing)
        for key, used in uses(thing):
            if hasattr(used, "__qualname__"):
                waiting.append(used)
            else:
                parts[f"{name}: {key}"] = plain_value(used)
    return hashlib.sha256(json.dumps(sorted(parts.items())).encode()).hexdigest()


def uses(thing: Any) -> Iterator[tuple[str, Any]]:
    """Functions, classes and constants of Budwood's modules that a function or class names."""
    held = vars(sys.modules[thing.__module__])
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(thing)))):
        value = None
        if isinstance(node, ast.Name):
            key, value = node.id, held.get(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = held.get(node.value.id)
            key, value = node.attr, getattr(module, node.attr, None) if is_ours(module) else None
        if inspect.isfunction(value) or inspect.isclass(value):
            if value.__module__.startswith("budwood."):
                yield key, value
        elif isinstance(value, CONSTANTS):
            yield key, value


def plain_value(value: Any) -> str:
    """A constant as text that is the same in every process."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.tolist()}"
    return str(sorted(map(repr, value)) if isinstance(value, set | frozenset) else value)


def is_ours(module: Any) -> bool:
    return isinstance(module, ModuleType) and module.__name__.startswith("budwood.")


def plain_source(thing: Any) -> str:
    """Source without comments, docstrings, white space and trailing commas."""
    text = textwrap.dedent(inspect.getsource(thing))
    prose = {
        (node.body[0].lineno, node.body[0].end_lineno)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None
    }
    lines = {line for first, last in prose for line in range(first, (last or first) + 1)}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    kept = [t.string for t in tokens if t.type != tokenize.COMMENT and t.start[0] not in lines]
    return re.sub(r",([)\]}])", r"\1", "".join("".join(kept).split()))


def current() -> dict[str, dict[str, Any]]:
    return {
        name: {"version": vars(function)["version"], "code": code_of(function)}
        for name, function in sorted(marked().items())
    }


def test_a_stage_whose_code_changed_has_another_version() -> None:
    golden, now = json.loads(GOLDEN.read_text()), current()
    unchanged = [
        name
        for name in golden.keys() & now.keys()
        if golden[name]["code"] != now[name]["code"] and golden[name]["version"] == now[name]["version"]
    ]
    assert not unchanged, "raise the versions of these stages where they leave other bytes"
    assert golden == now, "write the golden file anew"


def test_the_digest_follows_what_a_stage_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "budwood.corpus.stages.window_relatives.link_windows"
    before = code_of(marked()[name])
    module = importlib.import_module("budwood.corpus.stages.window_relatives")
    called = next(key for key, value in uses(marked()[name]) if inspect.isfunction(value))
    monkeypatch.setattr(module, called, code_of_nothing)
    assert code_of(marked()[name]) != before


def code_of_nothing() -> None:
    """Stands in for a function whose code changed."""


@stage(version=1)
def write_one(inputs: Any, parameters: Any, folder: Path) -> None:
    (folder / "value.txt").write_text("one")


def test_a_raised_version_makes_a_task_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = Task("stage", "shard", write_one)
    folder = run_task(task, tmp_path)
    first = json.loads((folder / SHARD_MANIFEST).read_text())["key"]
    inode = (folder / "value.txt").stat().st_ino
    assert (run_task(task, tmp_path) / "value.txt").stat().st_ino == inode
    monkeypatch.setitem(vars(write_one), "version", 2)
    assert json.loads((run_task(task, tmp_path) / SHARD_MANIFEST).read_text())["key"] != first


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(current(), indent=1) + "\n")
