"""The site holds every page and every name, and no link of it leads nowhere."""

from __future__ import annotations

import importlib.util
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import budwood
from axe import serious_findings
from report.conftest import browser

__all__ = ["browser"]
ROOT = Path(__file__).parents[1]
SITE = runpy.run_path(str(ROOT / "tools" / "build_site.py"))


def test_the_references_have_every_verb_and_name() -> None:
    verbs = SITE["command_reference"]()
    for verb in ("predict", "apply", "corpus build", "embed"):
        assert f"## budwood {verb}\n" in verbs
    assert "<code>--genotypes FILE</code>" in verbs
    names = SITE["python_reference"]()
    assert not [name for name in budwood.__all__ if f"## {name}\n" not in names]
    assert "**Parameters**" in names
    assert names.count("**Examples**\n\n```python\n>>> ") == names.count("**Examples**") > 5
    assert "budwood.open_fasta(path: " in names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[x](../benchmarks/README.md)", "[x](benchmark-scripts.md)"),
        ("[x](files.md#codes)", "[x](files.md#codes)"),
        ("[a recipe](../recipes/small.toml)", "a recipe (`recipes/small.toml`)"),
        ("![x](pictures/a.png)", "![x](pictures/a.png)"),
        ("[x](https://example.org)", "[x](https://example.org)"),
        ("[x](nowhere.md)", "[x](nowhere.md)"),
    ],
)
def test_links_follow_the_pages(text: str, expected: str) -> None:
    places = {"benchmarks/README.md": Path("benchmark-scripts.md"), "docs/files.md": Path("files.md")}
    places["docs/pictures/a.png"] = Path("pictures/a.png")
    assert SITE["rewritten"](text, Path("docs/page.md"), Path("page.md"), places) == expected


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once for all tests here."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("zensical is not installed")
    site = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, str(ROOT / "tools" / "build_site.py"), "--out", str(site)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    return site


def test_the_site_builds_without_a_warning_and_has_every_page(built: Path) -> None:
    docs = ROOT / "docs"
    pages = {path.relative_to(built).with_suffix("") for path in built.rglob("*.html")}
    written = {path.relative_to(docs).with_suffix("") for path in docs.rglob("*.md")} - {Path("README")}
    assert {Path("index"), Path("reference/python"), *written} <= pages


def test_no_page_loads_anything_from_elsewhere(built: Path) -> None:
    loads = re.compile(r"<(?:script|img|iframe|source)[^>]* src=\"https?:|<link[^>]* href=\"https?:")
    found = [page.name for page in built.rglob("*.html") if loads.search(page.read_text(encoding="utf-8"))]
    assert not found


PAGES = ("index", "tutorials/breeder", "figures", "glossary", "reference/command-line", "gallery")


@pytest.mark.browser
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [1300, 400])
def test_axe_finds_nothing_serious(browser: Any, built: Path, page: str, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((built / f"{page}.html").as_uri())
    assert serious_findings(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


#: All text of the page; the search is in a shadow tree.
TEXT = """
const words = (each) => (each.nodeType === 3 ? each.data : text(each));
const text = (node) => [...node.childNodes].map(words).join("")
  + (node.shadowRoot ? text(node.shadowRoot) : "");
return text(document.body);
"""


@pytest.mark.browser
def test_search_works_from_the_disk(browser: Any, built: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.support.wait import WebDriverWait

    browser.get((built / "index.html").as_uri())
    browser.execute_script("document.querySelector('.md-search__button').click()")
    wait = WebDriverWait(browser, 120)
    wait.until(lambda driver: driver.execute_script("return document.activeElement !== document.body"))
    ActionChains(browser).send_keys("haplotype table").perform()
    wait.until(lambda driver: "why a laptop is enough" in driver.execute_script(TEXT))
