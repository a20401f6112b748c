"""docs/files.md has every column of the tables that Budwood writes, in their order."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

import budwood
from budwood.cli.app import main

PAGE = Path(__file__).parents[1] / "docs" / "files.md"


def documented(title: str) -> list[str]:
    """Columns of a table; a column that is named for its content is left out."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n{title}")[1].split("\n**")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", text, flags=re.MULTILINE)
    return [name for each in cells for name in re.findall(r"`(\w+)`", each)]


def written(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    files = budwood.write_example(folder / "example")
    panel = ["--genotypes", str(files.genotypes), "--phenotypes", str(files.phenotypes), "--quiet"]
    with files.phenotypes.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    trials = [f"{line['accession']},{place},{line['yield']}" for place in "abc" for line in lines]
    (folder / "long.csv").write_text("\n".join(["accession,environment,yield", *trials]) + "\n")
    (folder / "places.csv").write_text("environment,rain\na,1\nb,2\nc,3\n")
    (folder / "some.fa").write_text(">one\n" + "ACGTTGCA" * 10 + "\n")
    long = [panel[0], panel[1], "--phenotypes", str(folder / "long.csv"), "--quiet"]
    places = ["--environments", str(folder / "places.csv")]
    wanted = ["--desired", "height=1", "--desired", "yield=1"]
    for command in (
        ["predict", *panel, "--trait", "height", "--trait", "yield", "--out", str(folder / "plain")],
        ["predict", *long, "--trait", "yield", *places, "--out", str(folder / "placed")],
        ["select", *panel, "--trait", "height", "--count", "2", "--out", str(folder / "select")],
        ["index", str(folder / "plain"), *wanted, "--quiet", "--out", str(folder / "index")],
        ["embed", "--fasta", str(folder / "some.fa"), "--quiet", "--out", str(folder / "embed")],
    ):
        assert main(command) == 0
    return folder


@pytest.mark.parametrize(
    ("title", "file"),
    [
        ("**predictions.csv**", "placed/predictions.csv"),
        ("**environments.csv**", "placed/environments.csv"),
        ("**stability.csv**", "placed/stability.csv"),
        ("**selection.csv**", "select/selection.csv"),
        ("**index.csv** (`embed`)", "embed/index.csv"),
    ],
)
def test_the_columns_are_those_written(results: Path, title: str, file: str) -> None:
    assert documented(title) == written(results / file)


def test_columns_that_depend_on_the_command(results: Path) -> None:
    plain = written(results / "plain" / "predictions.csv")
    columns = documented("**predictions.csv**")
    assert plain == columns[: len(plain)]
    assert all(column.startswith("environment_") for column in columns[len(plain) :])
    assert written(results / "index" / "index.csv") == [
        *documented("**index.csv** (`index`)"),
        "height",
        "yield",
    ]
