"""``budwood transfer`` as a contract: files, columns, JSON, refusals."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import verify_artifact
from budwood.artifacts.manifest import write_manifest
from budwood.simulate.clade.clade import simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.files import write_clade
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.simulate.population import PopulationConfig
from budwood.workflows.transfer.map import COLUMNS as MAP_COLUMNS
from budwood.workflows.transfer.record import COLUMNS


@pytest.fixture(scope="module")
def clade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two close species, 90 lines each, and a trait that acts through the same genes."""
    folder = tmp_path_factory.mktemp("clade") / "files"
    lines = PopulationConfig(lines=90, pool_size=150, founder_size=300, mutation_rate=2e-6)
    found = simulate_clade(
        CladeConfig(tree="(x:0.02,y:0.02);", contigs=2, genes_per_contig=25, population=lines)
    )
    trait = simulate_clade_trait(found, CladeTraitConfig(genes=10, heritability=0.8))
    write_clade(folder, found, [("height", trait)])
    return folder


def words(clade: Path, *more: object) -> list[object]:
    return [
        *("transfer", "evaluate", "--target-genotypes", clade / "y/genotypes.vcf.gz"),
        *("--target-phenotypes", clade / "y/field.csv", "--trait", "height"),
        *(() if "--sizes" in more else ("--sizes", "0,25,50")),
        *("--draws", "3", "--reach", "500", "--quiet"),
        *more,
    ]


def files(clade: Path) -> list[object]:
    return [
        *("--source-genotypes", clade / "x/genotypes.vcf.gz"),
        *("--source-phenotypes", clade / "x/controlled.csv"),
    ]


def genes(clade: Path) -> list[object]:
    return [
        *("--orthologs", clade / "orthologs.csv", "--source-genes", clade / "x/annotation.gff3"),
        *("--target-genes", clade / "y/annotation.gff3"),
    ]


def test_a_pair_of_species_and_the_map(clade: Path, run: Callable, tmp_path: Path) -> None:
    scores = ["--source-scores", clade / "x/scores.csv", "--target-scores", clade / "y/scores.csv"]
    names = ["--source-name", "x", "--target-name", "y", "--source-provenance", "controlled"]
    out = tmp_path / "results" / "xy"
    given = words(clade, *files(clade), *genes(clade), *scores, *names, "--target-provenance", "field")
    ran = run(*given, "--out", out, "--json")
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert record["outcome"]
    assert set(record["heads"]) == {"gene burdens", "locus importance"}
    assert any(note.startswith("Warning: the source's phenotypes") for note in record["notes"])
    assert set(record["gain"]) == {"0", "25", "50"}
    arms = record["arms"]
    for control in ("random source trait", "shuffled orthology"):
        assert f"gene burdens: GBLUP + source, {control}" in arms
    assert {"principal components alone", "Gaussian kernel, target alone", "stack"} <= set(arms)
    with (out / "accuracy.csv").open() as handle:
        assert tuple(next(csv.reader(handle))) == COLUMNS
    with (out / "scores.csv").open() as handle:
        assert len(list(csv.reader(handle))) == 91
    assert len((out / "next_lines.csv").read_text().splitlines()) == 26
    page = (out / "report.html").read_text()
    assert "What to phenotype first" in page
    assert "http" not in page.split("</style>")[1]
    assert not verify_artifact(out)

    ran = run("transfer", "map", tmp_path / "results", "--species", "z", "--out", tmp_path / "map", "--json")
    assert ran.code == 0, ran.err
    outcomes = [each["outcome"] for each in json.loads(ran.out)["cells"]]
    assert outcomes.count("untested") == 5
    with (tmp_path / "map/map.csv").open() as handle:
        assert tuple(next(csv.reader(handle))) == MAP_COLUMNS
    assert not verify_artifact(tmp_path / "map")


def test_a_saved_model_of_the_same_species(clade: Path, run: Callable, tmp_path: Path) -> None:
    table = np.genfromtxt(clade / "y/field.csv", delimiter=",", dtype=str)
    half = tmp_path / "half.csv"
    np.savetxt(half, table[:46], delimiter=",", fmt="%s")
    panel = ["--genotypes", clade / "y/genotypes.vcf.gz", "--phenotypes", half, "--trait", "height"]
    model = tmp_path / "model"
    ran = run(
        "predict", *panel, "--out", tmp_path / "p", "--save-model", model, "--quiet", "--model", "gblup"
    )
    assert ran.code == 0, ran.err
    out = tmp_path / "transfer"
    ran = run(*words(clade, "--source", model, "--next", 0, "--out", out, "--json"))
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert set(record["heads"]) == {"shared markers", "locus importance"}
    assert record["heads"]["shared markers"]["related"]
    assert not (out / "next_lines.csv").exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda c: [], "a transfer needs one source"),
        (lambda c: ["--source", c, *files(c)], "a transfer needs one source"),
        (lambda c: [*files(c), "--orthologs", c / "orthologs.csv"], "need the places of both sides' genes"),
        (lambda c: [*files(c), "--source-genes", c / "x/annotation.gff3"], "gene tables need gene pairs"),
        (lambda c: [*files(c), *genes(c), "--blocks", c / "orthologs.csv"], "exclude each other"),
        (lambda c: [*files(c), "--sizes", "a,b"], "are no whole numbers"),
        (lambda c: files(c), "nothing of the source can be carried"),
        (lambda c: [*files(c)[:2]], "needs phenotypes"),
    ],
)
def test_refusals(clade: Path, refused: Callable, given: Callable, expected: str) -> None:
    assert expected in refused(*words(clade, *given(clade)))


def _manifest(folder: Path, **changes: object) -> None:
    """An artifact that a valid manifest lists, as its owner may have forged it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transfer.json").write_text(str(changes.pop("content", "{}")))
    write_manifest(
        folder,
        {"kind": "transfer-evaluate", "inputs": [], "parameters": {}, "seeds": {}, "metrics": {}} | changes,
    )


@pytest.mark.parametrize(
    ("make", "more", "expected"),
    [
        (lambda f: f.mkdir(), (), "no result of transfer evaluate"),
        (lambda f: f.write_text("x"), (), "no result of transfer evaluate"),
        (lambda f: None, (), "no result of transfer evaluate"),
        (lambda f: (f.mkdir(), (f / "transfer.json").write_text("{}")), (), "no artifact"),
        (lambda f: _manifest(f, kind="predict"), (), "no result of transfer evaluate"),
        (lambda f: _manifest(f, schema_version=1), (), "transfer.json"),
        (lambda f: _manifest(f, content="[1]"), (), "transfer.json"),
        (lambda f: _manifest(f, content='{"gain": 7}'), (), "transfer.json"),
        (lambda f: _manifest(f, content="[" * 10_000), (), "transfer.json"),
        (lambda f: (_manifest(f), (f / "transfer.json").write_text("{} ")), (), "changed"),
        (lambda f: _manifest(f / "inner"), (), "transfer.json"),
        (lambda f: f.mkdir(), ("--species", "a,,b"), "--species"),
    ],
)
def test_the_map_refuses(
    refused: Callable, tmp_path: Path, make: Callable, more: tuple[str, ...], expected: str
) -> None:
    make(tmp_path / "given")
    assert expected in refused("transfer", "map", tmp_path / "given", *more)


@pytest.mark.parametrize("tree", ["(" * 3000, "", "(a:x,b);", "\0"])
def test_the_map_refuses_a_tree(refused: Callable, tmp_path: Path, tree: str) -> None:
    (tmp_path / "tree.nwk").write_text(tree)
    record = {
        "source": {"name": "x", "trait": "t"},
        "target": {"name": "y", "trait": "t"},
        "gain": {},
        "outcome": "neutral",
        "r_without_phenotypes": None,
    }
    _manifest(tmp_path / "given", content=json.dumps(record))
    told = refused("transfer", "map", tmp_path / "given", "--tree", tmp_path / "tree.nwk")
    assert "tree.nwk" in told or "transfer.json" in told
