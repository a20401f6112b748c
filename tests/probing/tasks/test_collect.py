"""Examples of every task have the labels that the annotation gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.labelled_intervals import LabelledInterval
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.sequence_table import read_sequence_table
from budwood.genomics.sequence import decode
from budwood.probing.tasks.collect import collect_examples, sequence_examples, shared_classes
from budwood.probing.tasks.genome import AnnotatedGenome
from budwood.probing.tasks.split import like_training, split_by_homology, split_contigs
from probing.small_genome import write_genome


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> AnnotatedGenome:
    fasta, gff = write_genome(tmp_path_factory.mktemp("genome"))
    return AnnotatedGenome(assembly=open_fasta(fasta), annotation=read_annotation(gff))


def test_regions_are_those_of_the_middle_base(genome: AnnotatedGenome) -> None:
    found = collect_examples("regions", genome, ["c1"], per_class=20)
    tracks = genome.base_classes("c1")
    names = {0: "intergenic", 1: "intron", 2: "UTR"}
    for label, position in zip(found.labels, found.position, strict=True):
        kind = int(tracks[position])
        expected = names.get(kind, "intron" if 9 <= kind <= 12 else "coding")
        assert label == expected
    assert set(found.contig) == {"c1"}
    assert max(np.unique(found.labels, return_counts=True)[1]) <= 20


def test_boundaries_lie_in_the_middle_and_others_far_away(genome: AnnotatedGenome) -> None:
    found = collect_examples("exon-intron", genome, ["c1", "c2"], per_class=30)
    assert found.classes == ("boundary", "other")
    assert genome.annotation is not None
    sites = {(s.contig, s.position) for s in genome.annotation.splice_sites()}
    for row, label in enumerate(found.labels):
        letters = decode(found.windows[row])
        place = (str(found.contig[row]), int(found.position[row]))
        if label == "boundary":
            assert place in sites
            assert letters[256:258] == "GT" or letters[254:256] == "AG"
        else:
            assert min(abs(place[1] - p) for contig, p in sites if contig == place[0]) >= 30


@pytest.mark.parametrize("task", ["donor", "acceptor"])
def test_sites_have_as_many_decoys(genome: AnnotatedGenome, task: str) -> None:
    found = collect_examples(task, genome, ["c2"], per_class=10)
    assert (found.labels == "site").sum() == (found.labels == "decoy").sum()
    assert found.stranded


def test_transposons_and_intervals_cover_their_windows(genome: AnnotatedGenome) -> None:
    places = [LabelledInterval("c1", s, s + 3_000, "LTR/Gypsy") for s in range(5_000, 50_000, 9_000)]
    own = AnnotatedGenome(assembly=genome.assembly, intervals=tuple(places))
    assert own.annotated_contigs == ("c1",)
    inside = np.zeros(60_000, dtype=bool)
    for each in places:
        inside[each.start : each.end] = True
    for task, positive in (("transposon", "transposon"), ("intervals", "inside")):
        found = collect_examples(task, own, ["c1"], per_class=30)
        for label, middle in zip(found.labels, found.position, strict=True):
            share = inside[middle - 256 : middle + 256].mean()
            assert share >= 0.9 if label == positive else share == 0
    families = (LabelledInterval("c1", 100, 200, "LTR/Copia"), LabelledInterval("c1", 9_000, 9_900, "DTA"))
    few = AnnotatedGenome(assembly=genome.assembly, intervals=families)
    assert collect_examples("superfamily", few, ["c1"], per_class=5).labels.tolist() == ["DNA/hAT"]


def test_draws_do_not_depend_on_anything_but_the_seed(genome: AnnotatedGenome) -> None:
    one, same, other = (collect_examples("regions", genome, ["c1"], per_class=9, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.position, same.position)
    assert one.position.tolist() != other.position.tolist()


def test_a_table_of_sequences(tmp_path: Path) -> None:
    path = tmp_path / "promoters.csv"
    letters = ("ACGTACGTA", "ACGACGAC", "T" * 600, "ACGACGACC")
    rows = zip("abbc", letters, ("1.5", "-2", "0", "NA"), strict=True)
    path.write_text("gene,sequence,strength\n" + "".join(",".join(row) + "\n" for row in rows))
    table = read_sequence_table(path)
    found = sequence_examples("sequence-values", table, "strength", "gene")
    assert found.values.tolist() == [1.5, -2.0, 0.0]
    assert found.windows.shape == (3, 512)
    assert found.blocks.tolist() == [0, 1, 1]
    assert "middle" in found.notes[0]
    with pytest.raises(BudwoodError, match="holds text"):
        sequence_examples("sequence-values", table, "gene")
    assert sequence_examples("sequence-labels", table, "gene").classes == ("a", "b", "c")


def test_splits_part_contigs_and_relatives() -> None:
    assert split_contigs({"a": 9, "b": 9, "c": 9, "d": 9}) == (("b", "c", "d"), ("a",))
    with pytest.raises(BudwoodError, match="single one"):
        split_contigs({"a": 9})
    with pytest.raises(BudwoodError, match="no contig 'x'"):
        split_contigs({"a": 9, "b": 1}, ["x"])
    random = np.random.default_rng(0)
    windows = random.integers(0, 4, (120, 512), dtype=np.uint8)
    windows[60:] = windows[:60]
    changed = random.random(windows.shape) < 0.05
    windows[changed] = random.integers(0, 4, int(changed.sum()))
    test = split_by_homology(windows)
    np.testing.assert_array_equal(test[:60], test[60:])
    assert 20 <= test.sum() <= 40
    assert not like_training(windows[~test], windows[test]).any()
    assert like_training(windows[:60], windows[60:]).mean() > 0.95


def test_classes_of_one_side_are_left_out_and_named(genome: AnnotatedGenome) -> None:
    first = collect_examples("regions", genome, ["c1"], per_class=12)
    second = collect_examples("regions", genome, ["c2"], per_class=12)
    second = second.take(second.labels != "intron")
    training, test = shared_classes(first, second, 5)
    assert training.classes == test.classes == ("coding", "intergenic")
    assert "intron" in training.notes[-1]
    with pytest.raises(BudwoodError, match="under two classes"):
        shared_classes(first, second.take(second.labels == "coding"), 5)


def test_an_unknown_task_gets_the_nearest_name(genome: AnnotatedGenome) -> None:
    with pytest.raises(BudwoodError, match="did you mean 'regions'"):
        collect_examples("region", genome, ["c1"], per_class=5)


def test_groups_are_on_one_side_of_a_split() -> None:
    random = np.random.default_rng(0)
    windows = random.integers(0, 4, (60, 64), dtype=np.uint8)
    groups = np.repeat(np.arange(10), 6)[random.permutation(60)]
    for seed in range(5):
        held = split_by_homology(windows, groups=groups, seed=seed)
        assert 15 <= held.sum() < 30
        assert not set(groups[held].tolist()) & set(groups[~held].tolist())
    assert not split_by_homology(windows, groups=np.zeros(60, dtype=np.int64)).any()


def test_sequences_without_a_group_are_blocks_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f"ACGTACGTAA,a,{family}\n" for family in ("x", "", "x", "NA", "")]
    path.write_text("sequence,kind,family\n" + "".join(rows))
    table = read_sequence_table(path)
    blocks = sequence_examples("sequence-labels", table, "kind", "family").blocks
    assert blocks[0] == blocks[2]
    assert len(set(blocks.tolist())) == 4
