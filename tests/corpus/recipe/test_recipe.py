"""Recipes are read whole or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.errors import BudwoodError

ONE = '[[assembly]]\nspecies = "A b"\nfasta = "a.fa"\n'


def read(tmp_path: Path, text: str):
    path = tmp_path / "r.toml"
    path.write_text(text)
    return read_corpus_recipe(path)


def test_defaults_and_lists(tmp_path):
    recipe = read(tmp_path, ONE + 'lineage = ["X", "A"]\n[windows]\nlength = 512\n')
    assert (recipe.name, recipe.seed, recipe.sources[0].lineage) == ("r", 0, ("X", "A"))
    assert (recipe.windows.length, recipe.windows.promoter) == (512, 1000)


def test_two_named_assemblies_of_one_species_are_fine(tmp_path):
    text = ONE + 'assembly = "v1"\n' + ONE + 'assembly = "v2"\n'
    assert [source.label for source in read(tmp_path, text).sources] == ["A b v1", "A b v2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no genome"),
        ("[[assembly]]\nspecies = 'A'", "a key is missing.*fasta"),
        (ONE + ONE, "two species are called 'A b'"),
        (ONE + ONE.replace("A b", "a_B") + 'assembly = "v2"\n', "two species are called"),
        (ONE + 'assembly = "v1"\n' + ONE + 'assembly = "v2"\nploidy = 4\n', "two species are called"),
        (ONE + "colour = 1\n", "unknown key 'colour'"),
        (ONE + "ploidy = 'two'\n", "ploidy is 'two', not a whole number"),
        (ONE + "mask = 'dust'\n", "unknown mask"),
        (ONE + "mask = 'track'\n", "without repeats"),
        (ONE + "share = 1.5\n", "more than 1"),
        (ONE + "[balance]\nmethod = 'tree'\n", "without one"),
        (ONE + "[windows]\nshortest = 2000\n", "shortest"),
        (ONE + "[windows]\nlength = 4096\n", "at most 1000"),
        (ONE + "[split]\nvalidation = 1.0\n", "validation is 1.0"),
        (ONE.replace("A b", ""), "a source lacks its name"),
        (ONE + "ploidy = 0\n", "ploidy is 0.*from 1 to 64"),
        (ONE + "subgenomes = {A = ['1'], B = ['2'], C = ['3']}\n", "more subgenomes than ploidy"),
        (ONE + "taxonomy_id = -1\n", "taxonomy_id is -1"),
        (ONE + "limit = -1\n", "limit is -1"),
        (ONE + "repeat_share = 2.0\n", "repeat_share is 2.0"),
        (ONE + "share = nan\n", "share is nan, not a number"),
        (ONE + "share = 1.0\n" + ONE.replace("A b", "B b"), "leave nothing for the others"),
        ("seed = -1\n" + ONE, "seed is -1"),
        ("seed = 'four'\n" + ONE, "seed is 'four', not a whole number"),
        ("name = 4\n" + ONE, "name is 4, not text"),
        (ONE + "[windows]\npromoter = -1\n", "promoter is -1"),
        (ONE + "[windows]\nrandom_per_genic = -1.0\n", "random_per_genic is -1.0"),
        (ONE + "[filter]\nmax_unknown = -1.0\n", "max_unknown is -1.0"),
        (ONE + "[duplicates]\nmin_identity = 2.0\n", "min_identity is 2.0"),
        (ONE + "[split]\nlargest_cluster = -1.0\n", "largest_cluster is -1.0"),
        (ONE + "[tokens]\nkind = 'kmer'\nk = 14\n", "k is 14.*from 1 to 8"),
        (ONE + "[tokens]\nkind = 'bpe'\nvocabulary = 3\n", "vocabulary is 3"),
        (ONE + "[shards]\nwindows = 0\n", "windows is 0"),
        (ONE + "lineage = ['X']\n" + ONE.replace("A b", "B b"), "B b has no lineage"),
        (ONE + "[genomes]\n", "unknown entry 'genomes'"),
        ("windows = 3\n" + ONE, "3 is not a table"),
        (ONE + "[[", "not TOML"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, text, message):
    with pytest.raises(BudwoodError, match=message):
        read(tmp_path, text)


def test_a_variable_that_is_not_set_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(BudwoodError, match="NO_SUCH"):
        read(tmp_path, ONE.replace("a.fa", "$NO_SUCH/a.fa")).files()


def test_the_recipe_of_all_genomes_leaves_the_unseen_species_out():
    path = Path(__file__).parents[3] / "recipes" / "corpus.toml"
    recipe = read_corpus_recipe(path)
    assert not [s for s in recipe.sources if "arabidopsis" in s.fasta or "oryza" in s.fasta]
    excluded = {pattern for source in recipe.sources for pattern in source.exclude}
    assert {"Arath-*", "Orysa-*", "Arabidopsis *", "Oryza *"} <= excluded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("assembly = 5", "assembly is '5', not a list of tables"),
        ("collection = 'x'", "collection is 'x', not a list of tables"),
        ("assembly = [1, 2]", "not a list of tables"),
        (ONE + "windows = 1", "is not a table|not TOML|unknown key"),
        ("seed = " + "9" * 5000, "the recipe is not TOML"),
        ("x = " + "[" * 5000, "the recipe is not TOML"),
        ("\ufeff\0", "the recipe is not TOML"),
        (ONE.replace("a.fa", "a\\u0000.fa"), "a path holds a zero byte"),
    ],
)
def test_values_of_another_type_are_refused(tmp_path, text, message):
    with pytest.raises(BudwoodError, match=message):
        read(tmp_path, text).files()
