"""``budwood corpus build``: a recipe in, a corpus that verifies out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from corpus.genomes import write_genomes


def test_a_recipe_becomes_a_corpus(run, tmp_path):
    recipe = write_genomes(tmp_path)
    ran = run("corpus", "build", recipe, "--out", tmp_path / "out", "--json", "--quiet")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told["training_windows"] > told["validation_windows"] > 0
    assert run("verify", tmp_path / "out").code == 0


def test_the_estimate_writes_nothing(run, tmp_path):
    recipe = write_genomes(tmp_path)
    ran = run("corpus", "build", recipe, "--out", tmp_path / "out", "--estimate")
    assert ran.code == 0
    assert "GB of disk" in ran.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no genome"),
        ("[[assembly]]\nspecies = 'a'\nfasta = 'none.fa'\n", "a file of the recipe is missing"),
    ],
)
def test_a_recipe_that_cannot_be_built_is_one_sentence(run, tmp_path, text, message):
    (tmp_path / "r.toml").write_text(text)
    ran = run("corpus", "build", tmp_path / "r.toml", "--out", tmp_path / "out")
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1


def rewrite(name: str, before: str, after: str):
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert before in text
        (folder / name).write_text(text.replace(before, after))

    return change


def truncate(folder: Path) -> None:
    packed = folder / "beta.fa.gz"
    packed.write_bytes(packed.read_bytes()[:-200])


TRACK = ('annotation = "{folder}/alpha.gff3"', 'repeats = "{folder}/alpha.bed"')


def track(text: str):
    def change(folder: Path) -> None:
        (folder / "alpha.bed").write_text(text)
        before, after = (each.format(folder=folder) for each in TRACK)
        rewrite("corpus.toml", before, after)(folder)

    return change


def in_lower_case(folder: Path) -> None:
    lines = (folder / "alpha.fa").read_text().split("\n")
    text = "\n".join(line if line.startswith(">") else line.lower() for line in lines)
    (folder / "alpha.fa").write_text(text)
    rewrite("corpus.toml", "taxonomy_id = 11", 'mask = "soft"')(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "alpha.fa").write_text(""), "the FASTA file is empty"),
        (lambda folder: (folder / "alpha.fa").write_text(">a1\nMKVLE\n"), "'L' is no nucleotide letter"),
        (lambda folder: (folder / "alpha.gff3").write_text(""), "holds no gene"),
        (truncate, "truncated or damaged"),
        (rewrite("alpha.gff3", "\na", "\nchr"), "names no contig of Alpha una"),
        (rewrite("alpha.gff3", "12001\t13200", "92001\t93200"), "ends at base 93,200 of contig 'a1'"),
        (track("chr1\t10\t500\tTE\n"), "the repeat track names no contig of Alpha una"),
        (track("a1\t10\t50000\tTE\n"), "a repeat ends at base 50,000 of contig 'a1', which has 16,000"),
        (track("a1\tx\ty\tTE\n"), "should be whole numbers"),
        (rewrite("corpus.toml", "beta.fa.gz", "alpha.fa"), "Alpha una and Beta una are the same sequence"),
        (rewrite("corpus.toml", "Beta una", "alpha_UNA"), "two species are called"),
        (rewrite("corpus.toml", "Oryza *", "Oriza *"), "no contig or species is called 'Oriza"),
        (rewrite("corpus.toml", '["a2"]', '["z*"]'), "no contig is called 'z"),
        (rewrite("corpus.toml", '["a2"]', '["a*"]'), "is in two subgenomes"),
        (rewrite("tree.nwk", "Beta_una", "Delta_una"), "the tree misses the species 'Beta una'"),
        (rewrite("tree.nwk", "Gamma_una", "Beta_una"), "two leaves are called 'Beta una'"),
        (rewrite("tree.nwk", "(", "["), "no Newick tree"),
    ],
)
def test_input_that_cannot_be_used_is_one_sentence_and_leaves_nothing(refused, tmp_path, change, message):
    recipe = write_genomes(tmp_path)
    change(tmp_path)
    assert message in refused("corpus", "build", recipe)


def test_a_soft_mask_of_everything_is_none(run, tmp_path):
    recipe = write_genomes(tmp_path)
    in_lower_case(tmp_path)
    ran = run("corpus", "build", recipe, "--out", tmp_path / "out", "-q")
    assert ran.code == 2
    assert "the soft mask of Alpha una holds 100.0% of its bases" in ran.err


def test_an_output_that_cannot_be_written_is_one_sentence(run, tmp_path):
    recipe = write_genomes(tmp_path)
    (tmp_path / "file").write_text("x")
    ran = run("corpus", "build", recipe, "--out", tmp_path / "file" / "out", "-q")
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "is a file" in ran.err
    assert "choose another --out" in ran.err


def test_what_is_worth_knowing_is_told(run, tmp_path):
    recipe = write_genomes(tmp_path)
    rewrite("alpha.gff3", "a2", "chr2")(tmp_path)
    rewrite("corpus.toml", 'C = ["a2"]', "")(tmp_path)
    (tmp_path / "plastids.fa").write_text(">p0\nACGT\n>p1\nACGT\n>left-1\nAC\n>p3\nAC\n")
    ran = run("corpus", "build", recipe, "--out", tmp_path / "out", "-q")
    assert ran.code == 0
    assert "note: Alpha una: 1 of 2 contigs are in no subgenome, 'a2' first" in ran.out
    assert "1 of the 2 contigs of its annotation are not in the genome, 'chr2' first" in ran.out
    assert "species have no window to train on" in ran.out


def test_ray_that_is_not_installed_is_told(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = run("corpus", "build", write_genomes(tmp_path), "--out", tmp_path / "out", "--ray", "auto", "-q")
    assert ran.code == 2
    assert "pip install 'budwood[ray]'" in ran.err
