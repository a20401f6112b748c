"""The layout of DESIGN: import direction, and the three walls; sizes of functions and files."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "budwood"

#: A module imports only from its own package or from one earlier in this list.
DIRECTION = (
    *("errors", "config", "artifacts", "progress", "genomics", "stats", "simulate", "corpus", "model"),
    *("training", "inference", "panel", "prediction", "probing", "transfer", "library", "report"),
    *("workflows", "service", "lesson", "cli", "__main__"),
)
TORCH = {"torch", "transformers", "peft", "accelerate"}
FORMATS = {"cyvcf2", "pysam", "pyfaidx"}
HTTP = {"fastapi", "starlette", "uvicorn", "httpx", "httpx2", "requests", "aiohttp", "http", "socket"}
PICKLE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
#: Sizes are a smell: ``tools/sizes.py`` lists functions over 40 lines and files over 450; only these fail.
LONGEST_FUNCTION, LONGEST_FILE = 80, 700
SIZES = runpy.run_path(str(ROOT / "tools" / "sizes.py"))

MODULES = sorted(SOURCE.rglob("*.py"))
WITHOUT_TORCH = DIRECTION[: DIRECTION.index("model")]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(name: str) -> str:
    """Package (or ground module) of ``budwood.layer.module``."""
    return name.split(".")[1] if "." in name else ""


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports, inside functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def offences(path: Path, forbidden: set[str]) -> list[str]:
    found = [(line, name) for line, name in imported(path) if name.split(".")[0] in forbidden]
    return [f"{path.relative_to(ROOT)}:{line} imports {name}" for line, name in found]


def outside(*layers: str) -> list[Path]:
    return [path for path in MODULES if layer(module_name(path)) not in layers]


def test_every_layer_is_in_the_list() -> None:
    assert {layer(module_name(path)) for path in MODULES} - {""} <= set(DIRECTION)


def test_imports_run_down_the_list() -> None:
    wrong = []
    for path in MODULES:
        own = layer(module_name(path))
        for line, name in imported(path):
            if not name.startswith("budwood.") or not own:
                continue
            other = layer(name)
            if other in DIRECTION and DIRECTION.index(other) > DIRECTION.index(own):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong


def test_no_import_circle() -> None:
    names = {module_name(path) for path in MODULES}
    graph = {}
    for path in MODULES:
        targets = chain.from_iterable((name, name.rpartition(".")[0]) for _, name in imported(path))
        graph[module_name(path)] = {name for name in targets if name in names} - {module_name(path)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


def test_torch_only_from_model_on() -> None:
    early = [path for path in MODULES if layer(module_name(path)) in ("", *WITHOUT_TORCH)]
    assert not [line for path in early for line in offences(path, TORCH)]


def test_file_formats_only_in_genomics_io() -> None:
    others = [path for path in MODULES if SOURCE / "genomics" / "io" not in path.parents]
    assert not [line for path in others for line in offences(path, FORMATS)]


def test_http_only_in_service() -> None:
    wrong = [line for path in outside("service") for line in offences(path, HTTP)]
    for path in outside("service"):
        wrong += [f"{path}:{line}" for line, name in imported(path) if name.startswith("urllib.request")]
    assert not wrong


def test_no_pickle() -> None:
    assert not [line for path in MODULES for line in offences(path, PICKLE)]
    allowing = [
        path for path in MODULES if re.search(r"allow_pickle\s*=\s*True|torch\.load", path.read_text())
    ]
    assert not allowing


def test_no_relative_import() -> None:
    nodes = ((path, node) for path in MODULES for node in ast.walk(tree(path)))
    wrong = [f"{path}:{n.lineno}" for path, n in nodes if isinstance(n, ast.ImportFrom) and n.level]
    assert not wrong


def test_no_private_name_is_imported() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        for line, name in imported(path)
        if name.startswith("budwood.") and name.rpartition(".")[2].startswith("_")
    ]
    assert not wrong


def test_no_drawer_for_odds_and_ends() -> None:
    assert not [path for path in MODULES if path.stem in {"utils", "util", "common", "helpers", "misc"}]


def test_no_function_is_over_80_lines() -> None:
    functions = chain.from_iterable(SIZES["functions"](path) for path in MODULES)
    assert not SIZES["longer_than"](LONGEST_FUNCTION, functions)


def test_no_file_is_over_700_lines() -> None:
    assert not SIZES["longer_than"](LONGEST_FILE, SIZES["files"]())


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions and classes of a module or class body, and the methods of those classes."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node
            yield from public(node.body)


def test_public_things_are_documented() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in public(tree(path).body)
        if not ast.get_docstring(node)
    ]
    bare += [str(p.relative_to(ROOT)) for p in MODULES if tree(p).body and not ast.get_docstring(tree(p))]
    assert not bare


def test_tests_mirror_the_source() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    assert not [str(folder) for folder in folders if folder.parts and not (SOURCE / folder).is_dir()]


def loads(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running the code."""
    script = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_budwood_brings_nothing_heavy() -> None:
    heavy = TORCH | FORMATS | {"numpy", "scipy", "pandas", "sklearn", "plotly"}
    assert not loads("import budwood") & heavy
    assert not loads("import budwood.cli.app") & heavy


def test_early_layers_bring_no_torch() -> None:
    early = [module_name(path) for path in MODULES if layer(module_name(path)) in WITHOUT_TORCH]
    assert not loads("\n".join(f"import {name}" for name in early)) & TORCH


def repository_files() -> list[Path]:
    """Text files under version control; every file of a checkout without git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    suffixes = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".html", ".js", ".css", ".json", ""}
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix in suffixes]


def test_no_path_of_one_machine() -> None:
    home = re.compile(r"(?<![\w./*])/(?:home|root|work|Users)/\w")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in repository_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if home.search(line)
    ]
    assert not wrong
