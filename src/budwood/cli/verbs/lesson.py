"""``budwood lesson``: what a foundation model is, as one page to watch and try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, print_summary
from budwood.lesson.page import write_lesson

EXAMPLE: Final = "Example: budwood lesson --out lesson.html"

LessonOut = Annotated[Path, typer.Option("--out", metavar="FILE", help="HTML file to write.")]


def lesson(
    out: LessonOut = Path("lesson.html"),
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the lesson: one page on what a foundation model is, with a network that trains in the browser.

    The page needs no network and sends nothing anywhere.
    """
    with hushed(quiet):
        write_lesson(out, overwrite=overwrite)
    print_summary({"out": str(out)}, [f"lesson: {out}"], as_json=as_json)
