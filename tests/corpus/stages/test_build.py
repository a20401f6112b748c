"""From genomes to a corpus: what is in it, and that stopping it changes nothing."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import read_manifest, verify_artifact
from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.sampling.store import open_corpus
from budwood.corpus.stages import stage
from budwood.corpus.stages import window_relatives as relatives
from budwood.corpus.stages.build import build_corpus
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.sequence import decode
from corpus.genomes import RECIPE, write_genomes


def files_of(folder: Path) -> dict[str, str]:
    return dict(read_manifest(folder)["files"])


@pytest.fixture(scope="module")
def summary(built: Path) -> dict:
    return json.loads((built / "corpus.json").read_text())


def test_the_artifact_is_sound_and_nothing_is_left_beside_it(built):
    assert verify_artifact(built) == []
    assert [path.name for path in built.parent.iterdir() if path.name.startswith(".out")] == []
    assert read_manifest(built)["metrics"]["training_windows"] > 50


def test_species_are_those_of_the_recipe_and_unseen_ones_stay_out(summary):
    names = [each["name"] for each in summary["species"]]
    assert names == [
        "Alpha una",
        "Beta una",
        "Coffea arabica (plastids)",
        "Coffea alba (plastids)",
        "Vitis rara (plastids)",
        "Zea mays (plastids)",
    ]
    assert {each["name"] for each in summary["contigs"]} == {"a1", "a2", "b1", "p0", "p1", "p2", "p9"}
    assert [each["subgenome"] for each in summary["contigs"][:3]] == ["A", "C", ""]


def test_weights_follow_the_tree_and_the_shares(summary):
    weight = {each["name"]: each["weight"] for each in summary["species"]}
    assert sum(weight.values()) == pytest.approx(1)
    assert weight["Alpha una"] == pytest.approx(0.45) == pytest.approx(weight["Beta una"])
    # p9 repeats p0 base by base, so Zea mays has no window of its own left; Coffea shares its ranks.
    assert weight["Zea mays (plastids)"] == 0
    assert weight["Vitis rara (plastids)"] > weight["Coffea alba (plastids)"] > 0


def test_masks_tell_where_they_come_from(summary):
    masks = summary["masks"]
    assert (masks["Alpha una"]["source"], masks["Beta una"]["source"]) == ("soft", "kmers")
    assert masks["Beta una"]["share"] == pytest.approx(0.28, abs=0.03)
    assert masks["plastids"]["source"] == "none"


def test_windows_hold_what_the_genome_has(built, tmp_path):
    corpus = open_corpus(built)
    write_genomes(tmp_path)
    letters = (tmp_path / "alpha.fa").read_text().split("\n")[1]
    contigs = corpus.summary["contigs"]
    mine = [i for i in range(len(corpus.windows)) if contigs[corpus.windows[i]["contig"]]["name"] == "a1"]
    assert len(mine) > 20
    for number in mine:
        window, row = corpus.windows[number], corpus.row(number)
        here = letters[window["start"] : window["start"] + window["length"]]
        assert decode(row.codes[: len(here)]) == here.upper()
        assert row.repeat[: len(here)].tolist() == [letter.islower() for letter in here]
        assert (row.codes[len(here) :] == 4).all()
    assert (corpus.row(mine[-1]).region != UNLABELLED).any()


def test_of_two_windows_alike_the_one_named_first_stays(summary):
    pairs = {(each["dropped"], each["repeats"]): each["windows"] for each in summary["near_duplicates"]}
    assert pairs["Beta una", "Alpha una"] >= 5
    assert ("Alpha una", "Beta una") not in pairs


def test_no_cluster_is_parted_by_the_split(built):
    windows = open_corpus(built).windows
    kept = set(windows["cluster"][windows["validation"]])
    assert kept
    assert not kept & set(windows["cluster"][~windows["validation"]])
    leakage = json.loads((built / "leakage.json").read_text())
    assert leakage["examined"] == windows["validation"].sum()


def test_a_build_that_was_stopped_ends_in_the_same_bytes(built, tmp_path, monkeypatch):
    recipe = read_corpus_recipe(write_genomes(tmp_path))
    ran: list[str] = []
    original = stage.Task.folder

    class Stopped(Exception):
        pass

    def run_until(limit: int):
        def run_some(self, tasks, work, advance):
            folders = []
            for task in tasks:
                if not stage._is_done(original(task, work), stage._key(task)):
                    if len(ran) >= limit:
                        raise Stopped
                    ran.append(f"{task.stage}/{task.shard}")
                folders.append(stage.run_task(task, work))
            return folders

        return run_some

    for limit in (1, 4, 9, 14, 99):
        monkeypatch.setattr(stage.LocalRunner, "run", run_until(limit))
        try:
            build_corpus(recipe, tmp_path / "out", show=False)
        except Stopped:
            assert not (tmp_path / "out").exists()
    assert len(ran) == len(set(ran))  # nothing was done twice
    assert files_of(tmp_path / "out") == files_of(built)


def test_a_corpus_that_is_there_is_not_built_again(tmp_path, monkeypatch):
    path = write_genomes(tmp_path)
    out = build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False)
    with monkeypatch.context() as patch:
        patch.setattr("budwood.corpus.stages.build._Build.run", _interrupt)
        build_corpus(read_corpus_recipe(path), out, show=False)
        path.write_text(path.read_text().replace("seed = 4", "seed = 5"))
        with pytest.raises(BudwoodError, match="earlier result"):
            build_corpus(read_corpus_recipe(path), out, show=False)
        with pytest.raises(KeyboardInterrupt):
            build_corpus(read_corpus_recipe(path), out, show=False, overwrite=True)
    assert build_corpus(read_corpus_recipe(path), out, show=False, overwrite=True) == out
    assert read_manifest(out)["seeds"] == {"recipe": 5}


def test_a_damaged_shard_of_an_unfinished_build_is_made_again(built, tmp_path, monkeypatch):
    recipe = read_corpus_recipe(write_genomes(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr("budwood.corpus.stages.build._Build.write", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            build_corpus(recipe, tmp_path / "out", show=False)
    damaged = tmp_path / ".out.building" / "cut" / "0000-00000" / "bases.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\x03")
    build_corpus(recipe, tmp_path / "out", show=False)
    assert files_of(tmp_path / "out") == files_of(built)


def _interrupt(self) -> None:
    raise KeyboardInterrupt


def test_a_corrupt_shard_is_named(built, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(built, copy)
    shard = copy / "shards" / "00001.bases.npy"
    raw = bytearray(shard.read_bytes())
    raw[-1] ^= 1
    shard.write_bytes(raw)
    with pytest.raises(BudwoodError, match=r"shards/00001\.bases\.npy has changed"):
        open_corpus(copy)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), OSError("65536 requested and 9184 written")]
)
def test_a_full_disk_is_reported_and_the_build_resumes_later(built, tmp_path, monkeypatch, error):
    recipe = read_corpus_recipe(write_genomes(tmp_path))

    def full(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(relatives.np, "save", full)
        with pytest.raises(BudwoodError, match="disk is full"):
            build_corpus(recipe, tmp_path / "out", show=False)
    assert not (tmp_path / "out").exists()
    build_corpus(recipe, tmp_path / "out", show=False)
    assert files_of(tmp_path / "out") == files_of(built)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("alpha.fa", ">a1\n\n>a2\n\n", "no record of the FASTA file has a base"),
        ("tree.nwk", "(Alpha_una:1,Gamma_una:1);", "misses the species 'Beta una'"),
        ("plastids.tsv", "a\tspecies\np1\tX y\n", "no species for 'p0'"),
        ("alpha.fa", ">a1\n" + "N" * 13_200 + "\n>a2\n" + "N" * 9000 + "\n", ""),
    ],
    ids=["empty contigs", "tree misses a species", "table misses a sequence", "nothing but N"],
)
def test_input_that_cannot_be_used_is_one_sentence(tmp_path, name, text, message):
    path = write_genomes(tmp_path)
    (tmp_path / name).write_text(text)
    if not message:  # a genome of N alone is left out of the corpus without a word in its way
        corpus = open_corpus(build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False))
        assert corpus.species[0].training == 0 == corpus.species[0].weight
        return
    with pytest.raises(BudwoodError, match=message):
        build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False)
    assert not (tmp_path / "out").exists()


def test_a_genome_in_lower_case_is_masked_by_its_kmers_and_iupac_codes_are_unknown(tmp_path):
    path = write_genomes(tmp_path)
    letters = (tmp_path / "alpha.fa").read_text().split("\n")[1].lower()
    letters = letters[:100] + "rywsKM" + letters[106:]
    (tmp_path / "alpha.fa").write_text(f">a1\n{letters}\n>a2\n{letters[::-1]}\n")
    corpus = open_corpus(build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False))
    assert corpus.summary["masks"]["Alpha una"]["source"] == "kmers"
    assert corpus.summary["masks"]["Alpha una"]["share"] < 0.9
    first = int(np.flatnonzero(corpus.windows["start"] == 0)[0])
    assert (corpus.row(first).codes[100:106] == 4).all()


def test_a_repeat_track_is_the_mask(tmp_path):
    text = RECIPE.replace('annotation = "{folder}/alpha.gff3"', 'repeats = "{folder}/alpha.bed"', 1)
    path = write_genomes(tmp_path, text)
    (tmp_path / "alpha.bed").write_text("a1\t10\t20\tTE1\na1\t300\t5000\tTE2\n")
    corpus = open_corpus(build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False))
    mask = corpus.summary["masks"]["Alpha una"]
    assert mask["source"] == "track"
    assert mask["share"] == pytest.approx((10 + 4700 - 500) / (28_000 - 500), abs=1e-6)
    windows = corpus.windows
    (first,) = np.flatnonzero((windows["contig"] == 0) & (windows["start"] == 0))
    assert np.flatnonzero(corpus.row(first).repeat).tolist() == [*range(10, 20), *range(300, 320)]


@pytest.mark.parametrize(
    ("method", "expected"),
    [("equal", [0.45, 0.45]), ("size", None), ("lineage", [0.45, 0.45])],
)
def test_the_ways_of_balancing(tmp_path, method, expected):
    text = RECIPE.replace('method = "tree"', f'method = "{method}"')
    corpus = open_corpus(
        build_corpus(read_corpus_recipe(write_genomes(tmp_path, text)), tmp_path / "out", show=False)
    )
    weights = [each.weight for each in corpus.species]
    assert sum(weights) == pytest.approx(1)
    sizes = np.array([each.training for each in corpus.species[:2]])
    assert weights[:2] == pytest.approx(expected or list(0.9 * sizes / sizes.sum()))


def test_another_output_is_not_overwritten(tmp_path):
    path = write_genomes(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(BudwoodError, match="did not write"):
        build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False)


def test_a_second_assembly_of_a_species_must_be_good_enough(tmp_path):
    text = RECIPE.replace("[windows]", "[filter]\nmin_n50 = 10000\n\n[windows]", 1)
    text = text.replace('species = "Alpha una"', 'species = "Alpha una"\nassembly = "v2"', 1)
    text = text.replace(
        "[[collection]]",
        '[[assembly]]\nspecies = "Alpha una"\nassembly = "v1"\nfasta = "{folder}/old.fa"\n'
        "taxonomy_id = 11\nploidy = 4\n\n[[collection]]",
        1,
    )
    path = write_genomes(tmp_path, text)
    (tmp_path / "old.fa").write_text(">o\n" + "ACGGT" * 1000 + "\n")
    corpus = open_corpus(build_corpus(read_corpus_recipe(path), tmp_path / "out", show=False))
    said = {each["source"]: (each["used"], each["reason"]) for each in corpus.summary["assemblies"]}
    assert said["Alpha una v2"] == (True, "passes")
    assert said["Alpha una v1"] == (False, "contig N50 5000 is under 10000")
    assert "o" not in {each["name"] for each in corpus.summary["contigs"]}
