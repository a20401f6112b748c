"""``budwood verify``: whether artifacts are as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.artifacts import verification_notes, verify_artifact
from budwood.cli.options import Config, Json
from budwood.cli.output import print_summary

EXAMPLE: Final = "Example: budwood verify results/height results/yield"


def verify(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="Folders that budwood wrote.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Check that artifacts are complete and unchanged since they were written.

    Leaves with exit code 1 when a file of one is missing, changed or unlisted.
    """
    problems = {str(folder): verify_artifact(folder) for folder in folders}
    notes = {str(folder): verification_notes(folder) for folder in folders}
    lines = [f"{name}: {', '.join(found) or 'sound'}" for name, found in problems.items()]
    lines += [f"note: {name}: {note}" for name, found in notes.items() for note in found]
    listed = [
        {"folder": name, "sound": not found, "problems": found, "notes": notes[name]}
        for name, found in problems.items()
    ]
    print_summary({"artifacts": listed}, lines, as_json=as_json)
    if any(problems.values()):
        raise typer.Exit(1)
