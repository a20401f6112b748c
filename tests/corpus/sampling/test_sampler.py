"""Windows come from where the recipe says, on both strands, the same for the same step."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from budwood.corpus.sampling.genome import load_training_genome
from budwood.corpus.sampling.sampler import SamplerConfig, WindowSampler
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, UNLABELLED, BaseClass
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, decode, encode, reverse_complement

CODING_LENGTH = 60


@pytest.fixture(scope="module")
def annotated():
    random = np.random.default_rng(2)
    letters = decode(random.integers(0, 4, 4000, dtype=np.uint8))
    gene = Gene(
        "g",
        "c1",
        3000,
        3000 + CODING_LENGTH,
        "+",
        (
            Transcript(
                "g.1", (Span(3000, 3000 + CODING_LENGTH),), (CodingPart(3000, 3000 + CODING_LENGTH, 0),)
            ),
        ),
    )
    assembly = InMemoryAssembly({"c1": letters, "c2": letters[:1000].lower()})
    return load_training_genome("s", assembly, Annotation((gene,)), validation_contigs=["c2"])


def test_a_batch_depends_on_seed_and_number_alone(annotated):
    config = SamplerConfig(window=64)
    first = WindowSampler([annotated], [1.0], config, seed=1)
    again = WindowSampler([annotated], [1.0], config, seed=1)
    first.batch(0, 4)
    assert np.array_equal(first.batch(3, 4).codes, again.batch(3, 4).codes)
    assert not np.array_equal(first.batch(3, 4).codes, first.batch(4, 4).codes)


def test_windows_are_of_the_genome_and_labels_turn_with_the_strand(annotated):
    contig = annotated.training[0]
    where = {contig.codes[i : i + 64].tobytes(): i for i in range(len(contig.codes) - 63)}
    batch = WindowSampler([annotated], [1.0], SamplerConfig(window=64, flank=32), seed=4).batch(0, 64)
    strands = set()
    for codes, region in zip(batch.codes, batch.region, strict=True):
        forward = codes.tobytes() in where
        strands.add(forward)
        start = where[codes.tobytes() if forward else reverse_complement(codes).tobytes()]
        there = contig.region[start : start + 64]
        expected = there if forward else np.array(COMPLEMENT_REGION, dtype=np.uint8)[there[::-1]]
        assert np.array_equal(region, expected)
    assert strands == {True, False}


def test_gene_share_brings_genes(annotated):
    genic = WindowSampler(
        [annotated], [1.0], SamplerConfig(window=64, gene_share=1.0, flank=8), seed=4
    ).batch(0, 32)
    anywhere = WindowSampler([annotated], [1.0], SamplerConfig(window=64, gene_share=0.0), seed=4).batch(
        0, 32
    )
    coding = [BaseClass.CODING_FORWARD_0, BaseClass.CODING_REVERSE_0]
    assert np.isin(genic.region, coding).mean() > 5 * np.isin(anywhere.region, coding).mean()


def test_every_other_batch_has_fewer_and_longer_windows(annotated):
    config = SamplerConfig(window=32, long_window=128)
    sampler = WindowSampler([annotated], [1.0], config, seed=4)
    shapes = [sampler.batch(number, 8).codes.shape for number in range(4)]
    assert shapes == [(8, 32), (2, 128)] * 2
    plain = WindowSampler([annotated], [1.0], SamplerConfig(window=32), seed=4)
    assert (sampler.batch(2, 8).codes == plain.batch(2, 8).codes).all()


def test_validation_draws_from_kept_contigs_only(annotated):
    batch = WindowSampler([annotated], [1.0], SamplerConfig(window=64), seed=1, validation=True).batch(0, 16)
    assert batch.repeat.all()


def test_without_annotation_nothing_is_labelled_and_n_is_avoided():
    assembly = InMemoryAssembly({"c": "ACGT" * 50 + "N" * 200})
    genome = load_training_genome("s", assembly)
    batch = WindowSampler([genome], [1.0], SamplerConfig(window=40, max_unknown=0.0), seed=0).batch(0, 32)
    assert (batch.region == UNLABELLED).all()
    assert not (batch.codes == N).any()


@pytest.mark.parametrize(
    ("letters", "kept", "message"),
    [
        ("ACGT" * 4, [], "no contig has"),
        ("ACGT" * 30, ["c"], "kept for validation"),
        ("ACGT" * 30, ["x"], "'x'"),
    ],
)
def test_genomes_that_cannot_be_trained_on_are_reported(letters, kept, message):
    def sample() -> None:
        genome = load_training_genome("s", InMemoryAssembly({"c": letters}), validation_contigs=kept)
        WindowSampler([genome], [1.0], SamplerConfig(window=64), seed=0)

    with pytest.raises(BudwoodError, match=message):
        sample()


def test_a_genome_of_n_is_reported():
    genome = load_training_genome("s", InMemoryAssembly({"c": "N" * 500}))
    with pytest.raises(BudwoodError, match="mostly N"):
        WindowSampler([genome], [1.0], SamplerConfig(window=64), seed=0).batch(0, 1)


def test_marks_stand_where_the_letters_are():
    sequence = encode("TTATGGCAGTAAAAAAAAAAAAAAAAAAAGCATAATT")
    gene = Gene(
        "g",
        "c",
        2,
        35,
        "+",
        (Transcript("t", (Span(2, 8), Span(30, 35)), (CodingPart(2, 8, 0), CodingPart(30, 35, 0))),),
    )
    contig = load_training_genome(
        "s", InMemoryAssembly({"c": decode(sequence)}), Annotation((gene,))
    ).training[0]
    letters = {
        region: decode(sequence[contig.region == region])
        for region in (
            BaseClass.START_FORWARD,
            BaseClass.DONOR_FORWARD,
            BaseClass.ACCEPTOR_FORWARD,
            BaseClass.STOP_FORWARD,
        )
    }
    assert letters == {
        BaseClass.START_FORWARD: "ATG",
        BaseClass.DONOR_FORWARD: "GT",
        BaseClass.ACCEPTOR_FORWARD: "AG",
        BaseClass.STOP_FORWARD: "TAA",
    }


def test_bases_outside_the_complete_annotation_are_unlabelled(annotated):
    codes = annotated.training[0].codes
    transcript = Transcript("g.1", (Span(3000, 3060),), (CodingPart(3000, 3060, 0),))
    annotation = Annotation((Gene("g", "c1", 3000, 3060, "+", (transcript,)),))
    assembly = InMemoryAssembly({"c1": decode(codes), "c2": decode(codes[:1000])})
    labelled = [Interval("c1", 3000, 3060), Interval("c2", 10, 20)]
    genome = load_training_genome("s", assembly, annotation, labelled=labelled)
    first, second = (contig.region for contig in genome.training)
    whole = annotated.training[0].region
    assert np.array_equal(first[3000:3060], whole[3000:3060])
    assert (np.delete(first, np.r_[3000:3060]) == UNLABELLED).all()
    assert (second[10:20] == BaseClass.INTERGENIC).all()
    assert (np.delete(second, np.r_[10:20]) == UNLABELLED).all()


def test_a_genome_in_many_pieces_reads_each_gene_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Genes of one contig are not looked for among those of all others: 300 contigs with a gene each."""
    count, read = itertools.count(), Gene.representative.fget
    assert read is not None
    names = [f"c{i}" for i in range(300)]
    assembly = InMemoryAssembly(dict.fromkeys(names, "ATGGCCTAA" * 4))
    part = CodingPart(0, 9, 0)
    genes = tuple(Gene(n, n, 0, 9, "+", (Transcript(n, (Span(0, 9),), (part,)),)) for n in names)
    labelled = [Interval(name, 0, 9) for name in names]

    def representative(gene: Gene) -> Transcript | None:
        next(count)
        return read(gene)

    monkeypatch.setattr(Gene, "representative", property(representative))
    genome = load_training_genome("s", assembly, Annotation(genes), labelled=labelled)
    assert next(count) <= 10 * len(names)
    for contig in genome.training:
        assert (contig.region[:9] != UNLABELLED).all()
        assert (contig.region[9:] == UNLABELLED).all()
