"""The templates of the page."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader

from budwood.report.frame import page_environment, report_asset


def render(template: str, /, **values: Any) -> str:
    """A page.

    Parameters
    ----------
    template
        Name of its template.
    **values
        What the template shows; text is escaped.

    Returns
    -------
    str
        HTML.
    """
    return _environment().get_template(template).render(**values)


def asset(name: str) -> str:
    """A style sheet or script beside the templates.

    Parameters
    ----------
    name
        Of its file.

    Returns
    -------
    str
        Its text.
    """
    return resources.files("budwood.service.pages").joinpath("templates", name).read_text(encoding="utf-8")


def report_style() -> str:
    """The style sheet of the report, which the page shares.

    Returns
    -------
    str
        CSS.
    """
    return report_asset("report.css")


@cache
def _environment() -> Environment:
    environment = page_environment("budwood.service.pages")
    # Pictures and tables of the reports are drawn by the reports' own templates.
    loaders = [PackageLoader("budwood.service.pages"), PackageLoader("budwood.report")]
    environment.loader = ChoiceLoader(loaders)
    return environment
