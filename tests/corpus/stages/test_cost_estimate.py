"""What a build is said to cost before it starts."""

from __future__ import annotations

import pytest

from budwood.corpus.recipe.recipe import AssemblySource, CorpusRecipe
from budwood.corpus.recipe.sources import OpenSource, SourceContig
from budwood.corpus.stages.cost_estimate import estimate_corpus_cost


def genome(megabases: int, **told: object) -> OpenSource:
    contigs = tuple(SourceContig(f"c{n}", 1_000_000, "A b", ()) for n in range(megabases))
    groups = tuple(contigs[first : first + 32] for first in range(0, megabases, 32))
    return OpenSource(AssemblySource("A b", "a.fa", **told), contigs, groups)


def cost(megabases: int, **told: object):
    opened = genome(megabases, **told)
    return estimate_corpus_cost(CorpusRecipe("r", 0, (opened.source,)), [opened])


def test_a_small_genome_by_hand():
    told = cost(100)
    assert told.bases == 100_000_000
    assert told.seconds == pytest.approx(100 * (0.1 + 0.15 + 3.0))
    assert told.disk == 200_000_000
    assert "100 Mb to read; about 5 min on one core" in told.sentence()


def test_memory_stops_growing_with_the_parts_and_time_does_not():
    large, huge = cost(2000), cost(8000)
    assert huge.memory == pytest.approx(large.memory, rel=0.3)
    assert huge.seconds > 4 * large.seconds
    assert cost(8000, limit=1000).seconds < large.seconds


def test_a_genome_that_is_not_masked_costs_less():
    assert cost(100, mask="none").seconds < cost(100).seconds
