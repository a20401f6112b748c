"""The lesson as one page that needs nothing beside itself."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from budwood.errors import BudwoodError
from budwood.report.frame import page_environment, script_digest, write_page


def lesson_results() -> dict[str, Any]:
    """Results of the experiments, as ``tools/lesson_results.py`` has written them.

    Returns
    -------
    dict
        Accuracy and weights of task 1, errors of task 2, structures, and the arms on the packaged encoder.
    """
    text = _asset("results.json")
    found: dict[str, Any] = json.loads(text)
    return found


def render_lesson() -> str:
    """The lesson as a string of HTML.

    Returns
    -------
    str
        A page without external resources, under 300 kB.

    Examples
    --------
    >>> page = render_lesson()
    >>> page.startswith("<!doctype html>"), len(page.encode()) < 300_000
    (True, True)
    """
    engine = _asset("engine.js")
    script = f"{engine}\n{_asset('lesson.js')}"
    results = lesson_results()
    return (
        page_environment("budwood.lesson", "assets")
        .get_template("lesson.html")
        .render(
            style=Markup(_asset("lesson.css")),
            script=Markup(script),
            engine=Markup(engine),
            script_digest=script_digest(script),
            data=Markup(json.dumps(results, separators=(",", ":"))),
            results=results,
        )
    )


def write_lesson(path: Path, *, overwrite: bool = False) -> None:
    """Write the lesson; the file appears whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    overwrite
        Whether an earlier lesson in its place may be replaced.

    Raises
    ------
    BudwoodError
        If another file or a folder stands there, or an earlier lesson that may not be replaced.
    """
    if path.is_dir():
        raise BudwoodError("a folder stands where the lesson is to be written", where=str(path))
    if path.exists():
        if "Budwood lesson" not in path.read_text(encoding="utf-8", errors="replace")[:4000]:
            raise BudwoodError(
                "the file is not a lesson of Budwood", where=str(path), mend="choose another name"
            )
        if not overwrite:
            raise BudwoodError("the file exists", where=str(path), mend="give --overwrite to replace it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_page(path, render_lesson())


def _asset(name: str) -> str:
    return resources.files("budwood.lesson").joinpath("assets", name).read_text(encoding="utf-8")
