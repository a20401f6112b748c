"""A corpus built once for the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.stages.build import build_corpus
from corpus.genomes import write_genomes


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the corpus of :mod:`corpus.genomes`; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUDWOOD_CACHE", str(folder / "cache"))
        return build_corpus(read_corpus_recipe(write_genomes(folder)), folder / "out", show=False)
