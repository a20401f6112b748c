"""What a report says of the run behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budwood.report.context import ReportContext


def named_files(options: Any) -> dict[str, str]:
    """Names of the files that options give, by their part in the run.

    Parameters
    ----------
    options
        A dataclass; its fields of type path are the files.

    Returns
    -------
    dict
        Name of the file by name of the field.
    """
    named = {each.name: getattr(options, each.name) for each in fields(options)}
    return {name.replace("_", " "): path.name for name, path in named.items() if isinstance(path, Path)}


def run_context(
    inputs: Mapping[str, str],
    *,
    model: str = "",
    checkpoint: str | None = None,
    notes: Iterable[str] = (),
    identity: Iterable[str] = (),
    command: str = "",
    no_evaluation: str = "",
) -> ReportContext:
    """The run behind a page.

    Parameters
    ----------
    inputs
        What was read: its part in the run and a description.
    model
        Name of the model that predicts; empty where a page comes from no single model.
    checkpoint
        Name of the DNA model, None where there is none.
    notes, identity
        Sentences on what was assumed, and on which accessions were found where.
    command
        The command that gives the same result.
    no_evaluation
        Why accuracy could not be measured, one sentence.

    Returns
    -------
    ReportContext
        Made now, by the installed versions.
    """
    from budwood.artifacts import library_versions
    from budwood.report.context import ReportContext

    return ReportContext(
        model=model,
        created=datetime.now(UTC).astimezone(),
        inputs=inputs,
        identity=tuple(identity),
        notes=tuple(notes),
        checkpoint=checkpoint,
        versions=library_versions(),
        command=command,
        no_evaluation=no_evaluation,
    )
