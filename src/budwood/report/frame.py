"""The frame that every page shares: style, script, sections, what was assumed, provenance."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from budwood.report.context import ReportContext


@dataclass(frozen=True)
class PageSection:
    """A section of a page, as its list of sections names it.

    Attributes
    ----------
    anchor
        Its id.
    name
        Its name in the list.
    """

    anchor: str
    name: str


#: Sections at the end of every page.
LAST_SECTIONS = (PageSection("notes", "Notes"), PageSection("provenance", "Provenance"))


def render_page(
    template: str,
    *,
    title: str,
    kind: str,
    context: ReportContext,
    sections: tuple[PageSection, ...],
    facts: Mapping[str, str],
    notes: tuple[str, ...],
    skip: PageSection,
    scripts: tuple[str, ...] = ("pictures.js",),
    **values: Any,
) -> str:
    """A whole page as a string of HTML.

    Parameters
    ----------
    template
        Name of a template that extends ``base.html``.
    title, kind
        The heading, and what kind of page it is.
    context
        Files, options and notes of the run.
    sections
        Sections of the page, in order.
    facts
        Figures beside the heading, by name.
    notes
        Sentences on what was assumed.
    skip
        The section that the first link of the page leads to, and its name in that link.
    scripts
        Names of scripts, run in this order.
    **values
        What the template shows.

    Returns
    -------
    str
        HTML without external resources.
    """
    script = "\n".join(report_asset(name) for name in scripts)
    return (
        page_environment()
        .get_template(template)
        .render(
            style=Markup(report_asset("report.css")),
            script=Markup(script),
            script_digest=script_digest(script),
            title=title,
            kind=kind,
            context=context,
            sections=sections,
            facts=facts,
            notes=tuple(dict.fromkeys(notes)),
            skip=skip,
            **({"show_identity": True, "data": ""} | values),
        )
    )


def write_page(path: Path, text: str) -> None:
    """Write a page; the file appears whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    text
        HTML.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        # A file name that is no text holds lone surrogates.
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def report_asset(name: str) -> str:
    """A style sheet or script of the reports.

    Parameters
    ----------
    name
        Of its file.

    Returns
    -------
    str
        Its text.
    """
    return resources.files("budwood.report").joinpath("templates", name).read_text(encoding="utf-8")


def script_digest(script: str) -> str:
    """SHA-256 of a script, as a content security policy names the one script that may run.

    Parameters
    ----------
    script
        Text between the tags.

    Returns
    -------
    str
        Base64.
    """
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def page_environment(package: str = "budwood.report", folder: str = "templates") -> Environment:
    """Templates of a package, in which text never becomes markup and a missing value is an error.

    Parameters
    ----------
    package, folder
        Where the templates are.

    Returns
    -------
    jinja2.Environment
        The templates.
    """
    environment = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    return environment


def _prose(sentence: str) -> str:
    """Keep a number and its percent sign on one line."""
    return re.sub(r"(?<=\d) %", "\u00a0%", sentence)
