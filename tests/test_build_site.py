"""The site holds every page and every name, and no link of it leads nowhere."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import budwood

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


@pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason="zensical is not installed")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "build_site.py"), "--out", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built, docs = tmp_path / "site", ROOT / "docs"
    pages = {path.relative_to(built).with_suffix("") for path in built.rglob("*.html")}
    written = {path.relative_to(docs).with_suffix("") for path in docs.rglob("*.md")} - {Path("README")}
    assert {Path("index"), Path("reference/python"), *written} <= pages
