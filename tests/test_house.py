"""What the README promises is there, and what is installed is written down."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from budwood.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "benchmarks/README.md", *(ROOT / "docs").rglob("*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def bare(requirement: str) -> str:
    """Name of a requirement as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0]).lower()


def test_every_dependency_has_a_lower_bound_and_a_tested_version() -> None:
    required = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    assert not [requirement for requirement in required if ">=" not in requirement]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {bare(line) for line in lines if "==" in line}
    assert {bare(requirement) for requirement in required} <= pinned


def test_the_page_of_verbs_lists_those_that_exist() -> None:
    listed = re.findall(r"^\| `budwood ([a-z -]+)` \|", (ROOT / "docs/verbs.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_two_commands_of_the_readme_are_targets() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_nouns_of_contributing_exist() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text()
    modules = re.findall(r"\| `([a-z_/]+\.py)` \|", table)
    assert len(modules) > 8
    assert not [name for name in modules if not (ROOT / "src" / "budwood" / name).is_file()]


def test_the_former_name_is_left_in_the_changelog_only() -> None:
    former = "meri" + "stem"  # another project's name on the package index
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]
    assert not [name for name in names if former in name.lower()]
    holding = [name for name in names if former.encode() in (ROOT / name).read_bytes().lower()]
    assert holding in ([], ["CHANGELOG.md"])


BENCHMARKS = sorted(path for path in (ROOT / "benchmarks").glob("*/*.py") if path.parent.name != "common")
#: Parts of another benchmark, which are not run by themselves.
PARTS = {"region_scores", "site_scores"}


def test_the_index_lists_every_benchmark() -> None:
    listed = re.findall(
        r"^\| \[(\w+\.py)\]\((\w+/\w+\.py)\)", (ROOT / "benchmarks/README.md").read_text(), re.M
    )
    assert sorted(path for _, path in listed) == [f"{p.parent.name}/{p.name}" for p in BENCHMARKS]
    assert all(path.endswith(f"/{name}") for name, path in listed)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_says_how_to_run_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    command = "checkpoint_scores" if path.stem in PARTS else path.stem
    assert f"python benchmarks/{path.parent.name}/{command}.py" in (ast.get_docstring(ast.parse(text)) or "")
    assert path.stem in PARTS or "parser_for(__doc__)" in text


@pytest.mark.slow
@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_starts_from_the_root(path: Path) -> None:
    command = [sys.executable, str(path.relative_to(ROOT)), "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_index_of_the_docs_lists_every_page() -> None:
    index = (ROOT / "docs/README.md").read_text()
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert not [page for page in pages if f"]({page}" not in index]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.name not in ("CHANGELOG.md", "log.md")], ids=lambda p: p.name
)
def test_files_named_in_pages_exist(page: Path) -> None:
    named = re.findall(
        r"(?<![\w./-])((?:tests|benchmarks|recipes|tools)/[\w/.-]*\.(?:py|toml|md))", page.read_text()
    )
    assert not [name for name in named if not (ROOT / name).exists()]


#: Phrases that no reader of English uses in these senses. Add those that are gone from your folders.
FORBIDDEN = (
    *("is doubted", "are doubted", "is told", "are told", "told plainly", "asked of", "reckon"),
    *("held against", "hold against", "holds against", "piece by piece", "says nothing", "goes on where"),
    *(
        "what this rests on",
        "knows it exactly",
        "against one another",
        "not read anew",
        "stands twice",
        "nobody has",
        "told apart",
    ),
)
#: Folders, modules and pages without them. Add yours when it passes.
PLAIN = (
    *("src/budwood/artifacts", "src/budwood/stats", "src/budwood/config.py", "src/budwood/errors.py"),
    *("src/budwood/progress.py", "src/budwood/simulate", "src/budwood/model", "src/budwood/inference"),
    *("src/budwood/training", "docs/embedding.md", "docs/decisions/0003-encoder.md"),
    "docs/decisions/0008-pretraining-objectives.md",
    *("src/budwood/panel", "src/budwood/probing", "src/budwood/report", "src/budwood/workflows"),
    *(
        "src/budwood/cli",
        "src/budwood/library",
        "src/budwood/service",
        "docs/service.md",
        "docs/library.md",
        "docs/adapters.md",
        "docs/finetune.md",
        "README.md",
        "CONTRIBUTING.md",
        "docs/evaluation.md",
        "docs/files.md",
    ),
    *("src/budwood/genomics", "src/budwood/corpus", "src/budwood/prediction", "docs/api.md"),
    *("src/budwood/lesson", "docs/lesson.md", "docs/tutorials", "docs/how-to", "docs/glossary.md"),
    *("docs/how-it-works.md", "docs/gallery.md", "docs/figures.md"),
)


def plain_files() -> list[Path]:
    files = []
    for name in PLAIN:
        path = ROOT / name
        files += [path] if path.is_file() else sorted([*path.rglob("*.py"), *path.rglob("*.md")])
    return files


@pytest.mark.parametrize("phrase", FORBIDDEN)
def test_no_quaint_phrase_is_left(phrase: str) -> None:
    words = re.compile(r"\s+".join(map(re.escape, phrase.split())), re.IGNORECASE)
    wrong = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"
        for path in plain_files()
        for text in [path.read_text(encoding="utf-8")]
        for found in words.finditer(text)
    ]
    assert not wrong
