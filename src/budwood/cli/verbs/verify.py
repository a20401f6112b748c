"""``budwood verify``: whether artifacts are as they were written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.artifacts import verification_notes, verify_artifact
from budwood.cli.options import Config, Json
from budwood.cli.output import print_summary
from budwood.errors import BudwoodError

EXAMPLE: Final = "Example: budwood verify results/height results/yield"


def verify(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR", help="Folders that budwood wrote.")],
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Check that artifacts are complete and unchanged since they were written.

    Leaves with exit code 1 when a file of one is missing, changed or unlisted, and with 2 when a folder is no
    artifact or is not there; the others are checked all the same.
    """
    problems: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    unreadable: list[BudwoodError] = []
    for folder in folders:
        try:
            problems[str(folder)] = verify_artifact(folder)
            notes[str(folder)] = verification_notes(folder)
        except BudwoodError as error:
            if len(folders) == 1:
                raise
            unreadable.append(error)
            problems[str(folder)], notes[str(folder)] = [error.what], []
    lines = [f"{name}: {', '.join(found) or 'sound'}" for name, found in problems.items()]
    lines += [f"note: {name}: {note}" for name, found in notes.items() for note in found]
    listed = [
        {"folder": name, "sound": not found, "problems": found, "notes": notes[name]}
        for name, found in problems.items()
    ]
    print_summary({"artifacts": listed}, lines, as_json=as_json)
    if unreadable:
        raise typer.Exit(BudwoodError.exit_code)
    if any(problems.values()):
        raise typer.Exit(1)
