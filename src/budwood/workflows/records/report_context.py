"""What a report says of the run behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budwood.report.context import ReportContext


def run_context(
    files: Any, *, notes: Iterable[str] = (), identity: Iterable[str] = (), command: str = ""
) -> ReportContext:
    """The run behind a page that comes from no single model.

    Parameters
    ----------
    files
        Options whose fields of type path are the files that were read.
    notes, identity
        Sentences on what was assumed, and on which accessions were found where.
    command
        The command that gives the same result.

    Returns
    -------
    ReportContext
        Made now, by the installed versions.
    """
    from budwood.artifacts import library_versions
    from budwood.report.context import ReportContext

    named = {each.name: getattr(files, each.name) for each in fields(files)}
    inputs = {name.replace("_", " "): path.name for name, path in named.items() if isinstance(path, Path)}
    return ReportContext(
        model="",
        created=datetime.now(UTC).astimezone(),
        inputs=inputs,
        identity=tuple(identity),
        notes=tuple(notes),
        versions=library_versions(),
        command=command,
    )
