"""The report of a fine-tuning: one page, self-contained."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def write_finetune_report(path: Path, record: Mapping[str, Any], *, command: str) -> None:
    """Write the page.

    Parameters
    ----------
    path
        The file.
    record
        The result as plain values, from :meth:`budwood.workflows.finetune.FinetuneResult.record`.
    command
        What was typed.
    """
    environment = Environment(
        loader=PackageLoader("budwood.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = resources.files("budwood.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    page = environment.get_template("finetune.html").render(
        style=Markup(style), record=record, command=command
    )
    path.write_text(page, encoding="utf-8", errors="backslashreplace")
