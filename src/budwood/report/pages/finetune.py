"""The report of a fine-tuning: one page, self-contained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from budwood.report.frame import page_environment, report_asset, write_page


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
    page = (
        page_environment()
        .get_template("finetune.html")
        .render(style=Markup(report_asset("report.css")), record=record, command=command)
    )
    write_page(path, page)
