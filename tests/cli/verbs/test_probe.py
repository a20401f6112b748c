"""``budwood probe``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from probing.small_genome import write_genome

FEW = ("--per-class", 20, "--test-per-class", 12)


def test_a_probe_of_held_out_contigs(run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    fasta, gff = write_genome(tmp_path)
    out = tmp_path / "probe"
    words = ("--reference", fasta, "--annotation", gff, "--task", "donor", "--geometry", *FEW)
    ran = run("probe", *words, "--checkpoint", tiny_checkpoint, "--out", out, "--json")
    assert ran.code == 0, ran
    record = json.loads(ran.out)
    assert record["split"] == "chromosome"
    assert record["measure"] == "auroc"
    assert record["classes"] == ["decoy", "site"]
    assert record == {"out": str(out), **json.loads((out / "probe.json").read_text())}
    with (out / "probes.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(record["probes"]) == 14
    with (out / "examples.csv").open() as handle:
        sides = {(row["side"], row["contig"]) for row in csv.DictReader(handle)}
    assert {contig for side, contig in sides if side == "test"}.isdisjoint(
        contig for side, contig in sides if side == "training"
    )
    page = (out / "report.html").read_text()
    assert record["conclusion"].split(":")[0] in page
    assert run("verify", out).code == 0


def test_species_and_a_tree(run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    names = ["aa", "bb", "cc", "dd"]
    files = [write_genome(tmp_path, ("c",), seed=seed)[0].name for seed in range(4)]
    table = tmp_path / "species.csv"
    table.write_text("species,fasta\n" + "".join(f"{n},{f}\n" for n, f in zip(names, files, strict=True)))
    tree = tmp_path / "tree.nwk"
    tree.write_text("((aa:1,bb:1):1,(cc:1,dd:1):1);")
    out = tmp_path / "geometry"
    words = ("--species", table, "--tree", tree, "--species-windows", 10, "--checkpoint", tiny_checkpoint)
    ran = run("probe", *words, "--out", out, "--json")
    assert ran.code == 0, ran
    found = json.loads(ran.out)["species_geometry"]
    assert set(found["correlation_with_evolutionary_distance"]) == {"embedding", "6-mers", "GC"}
    assert found["evolutionary_distances"][0] == [0.0, 2.0, 4.0, 4.0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to probe"),
        (("--task", "donr"), "did you mean 'donor'"),
        (("--task", "donor"), "reads a genome"),
        (("--task", "donor", "--reference", "genome"), "needs genes"),
        (("--task", "transposon", "--reference", "genome"), "needs intervals"),
        (("--task", "sequence-values"), "reads a table of sequences"),
        (("--task", "sequence-values", "--table", "t.csv", "--split", "chromosome"), "have no chromosome"),
        (("--task", "donor", "--reference", "g", "--annotation", "a", "--per-class", 3), "too few"),
        (("--task", "donor", "--reference", "g", "--annotation", "a", "--test-reference", "g"), "no labels"),
        (
            ("--task", "donor", "--reference", "g", "--annotation", "a", "--split", "species"),
            "second species",
        ),
        (("--tree", "t.nwk", "--task", "donor"), "without species"),
    ],
)
def test_options_that_do_not_fit_are_refused(refused, words: tuple[object, ...], said: str) -> None:
    assert said in refused("probe", *words)


def test_what_geometry_cannot_use_is_refused_before_the_work(
    refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("budwood.model.backbone.load_backbone", None)  # nothing is embedded
    fasta, gff = write_genome(tmp_path)
    words = ("--reference", fasta, "--annotation", gff, "--task", "donor")
    monkeypatch.setattr("budwood.probing.comparison.geometry.find_spec", lambda name: None)
    assert "UMAP is not installed" in refused("probe", *words, "--umap")
    table, tree = tmp_path / "species.csv", tmp_path / "tree.nwk"
    table.write_text("species,fasta\n" + "".join(f"{name},{fasta.name}\n" for name in "abc"))
    assert "there are 3 species" in refused("probe", *words, "--species", table)
    table.write_text("species,fasta\n" + "".join(f"{name},{fasta.name}\n" for name in "abcd"))
    tree.write_text("((a:1,b:1):1,c:1);")
    assert "tree" in refused("probe", *words, "--species", table, "--tree", tree)
    tree.write_text("((a:1,b:1")
    assert "tree.nwk" in refused("probe", *words, "--species", table, "--tree", tree)
