"""Lists long functions and files of the package: a reason to look at them, not a fault.

``python tools/sizes.py`` prints functions over 40 lines and files over 450, longest first. The tests refuse
functions over 80 lines and files over 700 (``tests/test_architecture.py``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "budwood"
LONG_FUNCTION, LONG_FILE = 40, 450


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body without its docstring; a list of parameters hides no logic."""
    body = node.body[ast.get_docstring(node) is not None :]
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0


def functions(path: Path) -> Iterator[tuple[int, str]]:
    """Lines and place of every function of a file, methods and inner functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield body_lines(node), f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def files() -> Iterator[tuple[int, str]]:
    """Lines and path of every file."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield len(path.read_text(encoding="utf-8").splitlines()), str(path.relative_to(ROOT))


def longer_than(limit: int, sizes: Iterator[tuple[int, str]]) -> list[str]:
    """The sizes over a limit, largest first, one line each."""
    return [f"{lines:5} {place}" for lines, place in sorted(sizes, reverse=True) if lines > limit]


def main() -> None:
    everything = (entry for path in sorted(SOURCE.rglob("*.py")) for entry in functions(path))
    for title, lines in (
        (f"Functions over {LONG_FUNCTION} lines:", longer_than(LONG_FUNCTION, everything)),
        (f"Files over {LONG_FILE} lines:", longer_than(LONG_FILE, files())),
    ):
        print(title, *(lines or ["  none"]), sep="\n")


if __name__ == "__main__":
    main()
