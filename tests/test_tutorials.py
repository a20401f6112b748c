"""Every code block of the tutorials, recipes and the page on embedding runs, as a reader would run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from page_runner import PageRunner, environment_of_pages

DOCS = Path(__file__).parents[1] / "docs"
#: Recipes that take more than a second; tutorials with the same commands always run.
LONGER = ("apply-a-model", "compare-models", "embed-sequences", "score-a-vcf")
PAGES = [
    pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in LONGER else [])
    for folder in ("tutorials", "how-to")
    for page in sorted((DOCS / folder).glob("*.md"))
] + [pytest.param(DOCS / "embedding.md", id="embedding", marks=[pytest.mark.slow])]


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment_of_pages().items():
        monkeypatch.setenv(name, value)
    assert PageRunner().run(page) > 1
