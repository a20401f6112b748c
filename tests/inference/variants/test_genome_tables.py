"""Neutral means, windows drawn from a genome, and what is said of genomes outside the encoder's knowledge."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np

from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, reverse_complement
from budwood.inference.variants.genome_profile import GenomeProfile, profile_genome, training_profiles
from budwood.inference.variants.genome_sample import draw_sample, draw_windows, sample_sequence
from budwood.inference.variants.neutral_means import NeutralMeans, neutral_means
from budwood.inference.variants.reference_pass import ReferencePass
from budwood.inference.variants.score import VariantScorer
from budwood.inference.variants.score_field import GROUPS, fields_of
from budwood.model.checkpoint import Checkpoint

PROFILE = GenomeProfile(
    masked_bases=8000,
    perplexity=3.5,
    kmer_perplexity=3.6,
    difference=-0.03,
    difference_error=0.003,
    coding_bases=9000,
    frame_confidence=0.9,
)


def test_drawn_windows_hold_few_unknown_bases_and_repeat_with_the_seed(encoder: Checkpoint) -> None:
    letters = "N" * 5000 + "ACGTTGCA" * 800 + "N" * 5000
    reader = ReferencePass(InMemoryAssembly({"a": letters, "b": "ACGT" * 3}), encoder, window=512)
    drawn = draw_windows(reader, 5, seed=1)
    assert drawn == draw_windows(reader, 5, seed=1) != draw_windows(reader, 5, seed=2)
    assert all((reader.codes_of([key])[1] == N).mean() <= 0.1 for key in drawn)
    assert len(draw_windows(reader, 1000)) < 20  # no more than the genome has


def test_hidden_windows_are_not_counted(genome: InMemoryAssembly) -> None:
    (a, *_) = sample_sequence(genome, [Interval("a", 100, 200), Interval("c", 0, 5)])
    assert (a[100:200] == N).all()
    assert (a[:100] != N).all()


def test_neutral_means_are_those_of_their_context_on_either_strand(
    genome: InMemoryAssembly, encoder: Checkpoint
) -> None:
    scorer = VariantScorer(genome, encoder, fields_of(GROUPS))
    sample = draw_sample(scorer.reference, scorer.alternative, long=3, short=6)
    found = neutral_means(scorer, sample)
    for name, table in found.means.items():
        assert table.shape == (1024, 4)
        assert np.isfinite(table).all(), name
    random = np.random.default_rng(0)
    around = random.integers(0, 4, (50, 5)).astype(np.uint8)
    new = random.integers(0, 4, 50).astype(np.uint8)
    means = NeutralMeans({"shift": random.random((1024, 4))}, {"shift": 9})
    value = means.calibrate({"shift": np.full(50, 2.0), "other": np.ones(50)}, around, new)
    assert set(value) == {"shift"}
    index = around.astype(int) @ 4 ** np.arange(4, -1, -1)
    np.testing.assert_allclose(value["shift"], 2 - means.means["shift"][index, new])
    unknown = around.copy()
    unknown[:, 0] = N
    assert np.isnan(means.calibrate({"shift": np.ones(50)}, unknown, new)["shift"]).all()
    # Tables that were computed from both strands give both strands the same.
    for table in found.means.values():
        turned = reverse_complement(around).astype(int) @ 4 ** np.arange(4, -1, -1)
        np.testing.assert_allclose(table[index, new], table[turned, 3 - new], atol=1e-9)


def test_each_reason_for_which_a_genome_is_outside() -> None:
    training = [PROFILE, replace(PROFILE, frame_confidence=0.85)]
    assert PROFILE.reasons(training) == {}
    assert set(replace(PROFILE, difference=0.001).reasons()) == {"no_better_than_kmers"}
    # Where genes are read as surely as in training species, only a loss to k-mers counts.
    assert replace(PROFILE, difference=0.001).reasons(training) == {}
    assert set(replace(PROFILE, difference=0.02).reasons(training)) == {"no_better_than_kmers"}
    loss = [*training, replace(PROFILE, difference=0.016)]
    assert replace(PROFILE, difference=0.02).reasons(loss) == {}
    assert replace(PROFILE, difference=0.001).better_than_kmers is False
    assert set(replace(PROFILE, difference=1.0).reasons(training)) == {"no_better_than_kmers"}
    both = replace(PROFILE, difference=0.001, frame_confidence=0.7).reasons(training)
    assert set(both) == {"no_better_than_kmers", "low_region_confidence"}
    assert set(replace(PROFILE, frame_confidence=0.7).reasons(training)) == {"low_region_confidence"}
    assert replace(PROFILE, frame_confidence=0.7).reasons() == {}
    assert set(replace(PROFILE, frame_confidence=None).reasons()) == {"no_coding_sequence"}
    assert replace(PROFILE, difference=None, difference_error=None, kmer_perplexity=None).reasons() == {}


def test_training_species_are_inside_what_their_checkpoint_knows() -> None:
    """A flag that the stored profiles of training species raise themselves would be no sign of anything."""
    path = files("budwood") / "inference" / "variants" / "training_profiles.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert len(stored) >= 2
    for digest in stored:
        known = training_profiles(digest)
        assert len(known) >= 2
        for profile in known.values():
            assert profile.reasons(list(known.values())) == {}


def test_a_profile_counts_the_masked_bases(genome: InMemoryAssembly, encoder: Checkpoint) -> None:
    scorer = VariantScorer(genome, encoder, fields_of(["consequence"]))
    sample = draw_sample(scorer.reference, scorer.alternative, long=2, short=4)
    found = profile_genome(scorer.reference, sample, None)
    assert found.masked_bases == sum(len(truth) for truth in sample.truth) > 100
    due = np.mean([-logs[range(len(t)), t].mean() for logs, t in zip(sample.logs, sample.truth, strict=True)])
    assert abs(np.log(found.perplexity) - due) < 0.05
    assert found.kmer_perplexity is None
