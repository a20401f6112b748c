"""Known genes help where they cause the trait, and not where they are drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.interval import Interval
from budwood.transfer.gene_knowledge import KNOWN, compare_gene_knowledge, evidence_weights, near_genes

LINES, GENES, PER_GENE = 120, 60, 10


def panel(seed: int, causal: int) -> tuple[Genotypes, dict[str, float], dict[str, Interval], list[str]]:
    """Lines with unlinked markers in genes of which the first few cause the trait."""
    random = np.random.default_rng(seed)
    m = GENES * PER_GENE
    dosage = 2 * (random.random((LINES, m)) < random.uniform(0.2, 0.8, m)).astype(np.int8)
    position = np.repeat(np.arange(GENES) * 100_000, PER_GENE) + np.tile(np.arange(PER_GENE) * 100, GENES)
    names = np.array([f"m{i}" for i in range(m)], dtype=object)
    blank = np.full(m, "", dtype=object)
    markers = Markers(names, np.full(m, "1", dtype=object), position, blank, blank)
    accessions = tuple(f"line{i:03d}" for i in range(LINES))
    genotypes = Genotypes(accessions, markers, dosage, np.full(LINES, 2, dtype=np.int8))
    effects = np.zeros(m)
    effects[: causal * PER_GENE] = random.normal(size=causal * PER_GENE)
    genetic = dosage @ effects
    y = genetic / genetic.std() + random.normal(size=LINES) * 0.7
    places = {f"g{i}": Interval("Chr01", i * 100_000, i * 100_000 + 1_000) for i in range(GENES)}
    return genotypes, dict(zip(accessions, y.tolist(), strict=True)), places, [f"g{i}" for i in range(causal)]


def test_causal_genes_help_and_are_told_from_random_ones() -> None:
    genotypes, values, places, known = panel(1, causal=6)
    found = compare_gene_knowledge(genotypes, values, "height", places, [known], reach=2_000)
    gain = next(each for each in found.evaluation.paired if each.model == KNOWN)
    assert gain.lower > 0
    assert found.against_random.lower > 0
    assert found.conclusion.startswith("The known genes help")
    assert found.genes == found.placed == 6
    assert found.weights.sum() == 6 * PER_GENE


def test_random_genes_are_not_said_to_help() -> None:
    genotypes, values, places, _ = panel(2, causal=GENES)
    found = compare_gene_knowledge(genotypes, values, "height", places, [["g50", "g51", "g52"]], reach=2_000)
    assert not found.conclusion.startswith("The known genes help")


def test_results_do_not_depend_on_the_order_of_lines_and_markers() -> None:
    genotypes, values, places, known = panel(3, causal=4)
    random = np.random.default_rng(0)
    rows, columns = random.permutation(LINES), random.permutation(len(genotypes.markers))
    shuffled = genotypes.take(rows).take_markers(columns)
    one, other = (
        compare_gene_knowledge(each, values, "height", places, [known], reach=2_000, repeats=1)
        for each in (genotypes, shuffled)
    )
    assert [s.mean_r for s in one.evaluation.scores] == [s.mean_r for s in other.evaluation.scores]
    assert other.weights.tolist() == one.weights[columns].tolist()


def test_several_names_of_a_gene_are_one_gene() -> None:
    genotypes, values, places, known = panel(4, causal=4)
    named_twice = places | {f"other{i}": places[f"g{i}"] for i in range(GENES)}
    found = compare_gene_knowledge(
        genotypes, values, "height", named_twice, [[*known, "other0"]], reach=2_000, repeats=1, draws=1
    )
    assert found.genes == 4


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ({"a": Interval("9", 0, 10)}, "no marker lies near"),
        ({"a": Interval("1", 0, 10_000_000)}, "of the markers lie near"),
    ],
)
def test_genes_that_say_nothing_are_refused(places: dict[str, Interval], words: str) -> None:
    genotypes, values, _, _ = panel(5, causal=4)
    with pytest.raises(BudwoodError, match=words):
        compare_gene_knowledge(genotypes, values, "height", places, [["a"]])


def test_reach_counts_from_both_ends() -> None:
    words = np.array(["1"] * 4, dtype=object)
    markers = Markers(words, words, np.array([0, 90, 210, 320]), words, words)
    weights, placed = near_genes(markers, [Interval("1", 100, 200)], reach=11)
    assert weights.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert placed == 1


def test_a_control_that_cannot_be_drawn_is_refused_or_stated() -> None:
    genotypes, values, places, _ = panel(4, causal=2)
    names = list(places)
    alone = {name: places[name] for name in names[:5]}
    with pytest.raises(BudwoodError, match="the known genes alone"):
        compare_gene_knowledge(genotypes, values, "height", alone, [names[:5]], reach=2_000)
    far = {"far": Interval("Chr09", 0, 100)}
    with pytest.raises(BudwoodError, match="none of 3 sets of random genes has a marker near"):
        compare_gene_knowledge(genotypes, values, "height", alone | far, [names[:5]], reach=2_000)
    few = {name: places[name] for name in names[:7]}
    found = compare_gene_knowledge(
        genotypes, values, "height", few, [names[:5]], reach=2_000, draws=1, folds=3, repeats=1
    )
    assert any("all 2 of them, fewer than the 5 known ones" in note for note in found.evaluation.notes)


def test_markers_count_once_for_each_list() -> None:
    genotypes, values, places, known = panel(6, causal=4)
    found = compare_gene_knowledge(
        genotypes, values, "height", places, [known, known[:2]], reach=2_000, repeats=1, draws=1
    )
    assert found.genes == found.placed == 4
    weights = found.weights[: 4 * PER_GENE].reshape(4, PER_GENE)
    assert weights.tolist() == [[2.0] * PER_GENE] * 2 + [[1.0] * PER_GENE] * 2
    assert "2 times a gene is in a further list" in " ".join(found.evaluation.notes)


def test_two_lists_of_the_same_genes_are_one_list() -> None:
    genotypes, values, places, known = panel(7, causal=4)
    one, two = (
        compare_gene_knowledge(genotypes, values, "height", places, lists, reach=2_000, repeats=1, draws=1)
        for lists in ([known], [known, known])
    )
    for a, b in zip(one.evaluation.scores, two.evaluation.scores, strict=True):
        assert a.mean_r == pytest.approx(b.mean_r, abs=1e-6)


def test_genes_known_for_other_traits_are_a_control() -> None:
    genotypes, values, places, known = panel(1, causal=6)
    others = [f"g{i}" for i in range(20, 50)]
    found = compare_gene_knowledge(
        genotypes, values, "height", places, [known], other_terms=others, reach=2_000, draws=2
    )
    assert found.against_other_terms is not None
    assert found.against_other_terms.lower > 0
    assert found.conclusion.startswith("The known genes help")
    assert "genes known for other traits" in found.conclusion
    few = compare_gene_knowledge(
        genotypes, values, "height", places, [known], other_terms=others[:3], reach=2_000, draws=1, repeats=1
    )
    assert few.against_other_terms is None
    assert any("so these are no control" in note for note in few.evaluation.notes)


def test_evidence_of_one_list_is_nearness() -> None:
    words = np.array(["1"] * 4, dtype=object)
    markers = Markers(words, words, np.array([0, 90, 210, 320]), words, words)
    genes = [Interval("1", 100, 200)]
    near, placed = near_genes(markers, genes, 11)
    assert (evidence_weights(markers, [genes], 11).tolist(), placed) == (near.tolist(), 1)
