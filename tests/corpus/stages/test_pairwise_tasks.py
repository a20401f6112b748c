"""Windows compared part by part: as one part finds them, whatever the number of parts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import read_manifest, verify_artifact
from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.sampling.store import open_corpus
from budwood.corpus.similarity.homology import homology_clusters
from budwood.corpus.similarity.leakage import leakage_report
from budwood.corpus.similarity.near_duplicates import near_duplicates
from budwood.corpus.stages import pairwise_tasks as parts
from budwood.corpus.stages.build import build_corpus
from budwood.corpus.stages.stage import SHARD_MANIFEST, Task, run_task
from corpus.genomes import write_genomes
from corpus.planted import edited_copies, random_windows

DROPPED = {"duplicates": {"drop": True, "min_identity": 0.85, "min_coverage": 0.4}}


@pytest.fixture
def selected(tmp_path: Path) -> Path:
    """Unrelated windows, copies of some, copies of these, and distant relatives of others."""
    windows = random_windows(60, 1)
    copies = edited_copies(windows[:20], 0.03, 2, shift=60, indels=0.1)
    mixed = np.concatenate(
        [windows, copies, edited_copies(copies[:10], 0.03, 3), edited_copies(windows[30:50], 0.2, 4)]
    )
    folder = tmp_path / "selected"
    folder.mkdir()
    mixed = mixed[np.random.default_rng(5).permutation(len(mixed))]
    np.save(folder / "codes.npy", mixed)
    np.save(folder / "windows.npy", np.zeros(len(mixed)))
    (folder / SHARD_MANIFEST).write_text("{}")
    return folder


@pytest.mark.parametrize("size", [17, 40, 1000])
def test_parts_find_what_one_comparison_finds(selected, tmp_path, monkeypatch, size):
    monkeypatch.setattr(parts, "PART", size)

    def run(told: str, tasks: list[Task]) -> list[Path]:
        return [run_task(task, tmp_path / "work") for task in tasks]

    codes = np.load(selected / "codes.npy")
    expected = near_duplicates(codes)
    duplicates = parts.deduplicate_in_parts(run, selected, DROPPED)
    kept = np.load(duplicates / "kept.npy")
    assert kept.tolist() == np.flatnonzero(expected.keep).tolist()
    partner = np.load(duplicates / "partner.npy")
    assert (partner < 0).tolist() == expected.keep.tolist()
    assert not set(partner[partner >= 0]) - set(kept)
    found = {"selected": selected, "duplicates": duplicates}
    cluster = np.load(parts.cluster_in_parts(run, found) / "cluster.npy")
    assert cluster.tolist() == homology_clusters(codes[kept]).tolist()
    assert len(np.unique(cluster)) < len(kept)
    (tmp_path / "split").mkdir()
    validation = np.arange(len(kept)) % 4 == 0
    np.save(tmp_path / "split" / "validation.npy", validation)
    (tmp_path / "split" / SHARD_MANIFEST).write_text("{}")
    leakage = parts.leakage_in_parts(run, found | {"split": tmp_path / "split"})
    one = leakage_report(codes[kept[validation]], codes[kept[~validation]])

    told = json.loads((leakage / "leakage.json").read_text())
    assert told["counts"] == [list(row) for row in one.counts]
    assert told["examined"] == validation.sum()


def test_a_part_is_settled_before_later_ones_are_held_against_it(selected, tmp_path, monkeypatch):
    """Of a chain, what only a dropped window resembles stays, as in one comparison."""
    monkeypatch.setattr(parts, "PART", 1)
    start = random_windows(1, 9)
    middle = edited_copies(start, 0.09, 1)
    chain = np.concatenate([start, middle, edited_copies(middle, 0.09, 2)])
    np.save(selected / "codes.npy", chain)
    np.save(selected / "windows.npy", np.zeros(3))
    folder = parts.deduplicate_in_parts(
        lambda told, tasks: [run_task(task, tmp_path / "work") for task in tasks], selected, DROPPED
    )
    assert np.load(folder / "partner.npy").tolist() == near_duplicates(chain).partner.tolist()


def test_a_corpus_built_in_parts_is_the_corpus(built, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART", 37)
    out = build_corpus(read_corpus_recipe(write_genomes(tmp_path)), tmp_path / "out", show=False)
    assert verify_artifact(out) == []
    assert read_manifest(out)["metrics"]["training_windows"] > 50
    assert open_corpus(out).windows.tolist() == open_corpus(built).windows.tolist()
    files, whole = (read_manifest(each)["files"] for each in (out, built))
    # Which of several like windows a dropped one is said to repeat may differ, and so may the summary.
    assert {k: v for k, v in files.items() if k != "corpus.json"} == {
        k: v for k, v in whole.items() if k != "corpus.json"
    }


def test_windows_that_are_not_to_be_compared_all_stay(selected, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART", 50)
    folder = parts.deduplicate_in_parts(
        lambda told, tasks: [run_task(task, tmp_path / "work") for task in tasks],
        selected,
        {"duplicates": {"drop": False}},
    )
    assert (np.load(folder / "partner.npy") == -1).all()
