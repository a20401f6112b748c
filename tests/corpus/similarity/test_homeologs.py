"""Windows of two subgenomes that descend from one: never on both sides of the split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.sampling.store import open_corpus
from budwood.corpus.similarity.homeologs import homeolog_table
from budwood.corpus.stages.build import build_corpus
from budwood.genomics.sequence import decode, reverse_complement
from corpus.genomes import bases
from corpus.planted import edited_copies

RECIPE = """
[[assembly]]
species = "Allotetra planta"
fasta = "{folder}/g.fa"
ploidy = 4
mask = "none"
[assembly.subgenomes]
A = ["A*"]
C = ["C*"]
[windows]
length = 480
[split]
validation = 0.2
largest_cluster = 0.1
"""


def test_a_table_counts_what_the_subgenomes_share():
    subgenome = np.array(["A", "C", "A", "C", "A", "A"])
    cluster = np.array([5, 5, 7, 8, 9, 9])
    kept = np.array([True, True, False, True, True, False])
    assert homeolog_table(subgenome, cluster, kept) == {
        "windows": {"A": 4, "C": 2},
        "shared_windows": 2,
        "validation_windows": 2,
        "parted_clusters": 0,
    }
    kept[0] = False
    assert homeolog_table(subgenome, cluster, kept)["parted_clusters"] == 1


@pytest.mark.parametrize(("divergence", "least"), [(0.15, 0.95), (0.2, 0.8)])
def test_homeologs_are_on_one_side_of_the_split(tmp_path: Path, divergence: float, least: float) -> None:
    """The second is the first turned around with substitutions and indels, some too far off to be dropped."""
    ancestor = bases(1, 480 * 80)
    other = reverse_complement(edited_copies(ancestor[None], divergence, 2, indels=0.1)[0])
    (tmp_path / "g.fa").write_text(f">A1\n{decode(ancestor)}\n>C1\n{decode(other)}\n")
    (tmp_path / "r.toml").write_text(RECIPE.format(folder=tmp_path))
    recipe = read_corpus_recipe(tmp_path / "r.toml")
    corpus = open_corpus(build_corpus(recipe, tmp_path / "out", show=False))
    table = corpus.summary["homeologs"]["Allotetra planta"]
    assert table["parted_clusters"] == 0
    assert table["validation_windows"] > 4
    # Of 80 windows and their homeologs, those that are both still there after near-duplicates were dropped.
    pairs = len(corpus.windows) - 80
    assert pairs > 20
    assert table["shared_windows"] >= least * 2 * pairs
