"""Probes before and after an adaptation: paired on the same examples, and bounded in size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.probing.forgetting import assembly_windows
from budwood.probing.forgotten_probes import (
    SITES,
    ProbeChange,
    ProbedSpecies,
    ProbeScores,
    describe_probes,
    probe_changes,
    probe_scores,
    probed_species,
)
from tests.probing.small_genome import write_genome

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
PROBES = {
    "coding bases, region head",
    "introns against intergenic, region head",
    "coding bases, linear probe",
    "donor sites, region head",
    "donor sites, linear probe",
}


@pytest.fixture(scope="module")
def species(tmp_path_factory: pytest.TempPathFactory) -> ProbedSpecies:
    fasta, gff = write_genome(tmp_path_factory.mktemp("genome"))
    genome = open_fasta(fasta), read_gff(gff)
    found = probed_species(assembly_windows("made up", *genome, most=60), *genome)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(SHAPE, seed=1)


def test_every_probe_has_both_classes_and_the_same_weights_change_nothing(
    species: ProbedSpecies, checkpoint: Checkpoint
) -> None:
    scores = probe_scores(species, checkpoint, show=False)
    assert set(scores) == PROBES
    assert species.sites is not None
    assert len(species.sites.windows) <= 2 * SITES
    again = probe_scores(species, checkpoint, show=False)
    for change in probe_changes(species, scores, again):
        assert change.before == change.after
        assert (change.difference, change.lower, change.upper) == (0, 0, 0)
        assert change.examples == len(scores[change.probe].truth)


def test_other_weights_have_other_scores(species: ProbedSpecies, checkpoint: Checkpoint) -> None:
    # One digest for both, as an adapter has before and after its training.
    other = replace(random_checkpoint(SHAPE, seed=2), digest=checkpoint.digest)
    before, after = (probe_scores(species, each, show=False) for each in (checkpoint, other))
    changes = probe_changes(species, before, after)
    assert all(change.lower <= change.difference <= change.upper for change in changes)
    assert max(abs(change.difference) for change in changes) > 0.01


def test_the_linear_probe_finds_exons_rich_in_c(species: ProbedSpecies, checkpoint: Checkpoint) -> None:
    found = probe_scores(species, checkpoint, show=False)["coding bases, linear probe"]
    (change,) = probe_changes(species, {"probe": found}, {"probe": found})
    assert change.before > 0.7


def test_a_better_score_is_a_gain_that_the_interval_shows() -> None:
    random = np.random.default_rng(0)
    truth = np.tile([True, False], 200)
    groups = np.arange(400) // 4
    weak, strong = (random.normal(size=400) + size * truth for size in (0.3, 2.0))
    one, other = (ProbeScores(score, truth, groups) for score in (weak, strong))
    empty = np.empty(0, dtype=np.intp)
    species = ProbedSpecies("x", np.empty((0, 512), np.uint8), empty, empty, np.empty(0, np.int8), None)
    (change,) = probe_changes(species, {"donors": one}, {"donors": other})
    assert change.lower > 0.1
    assert change.after - change.before == pytest.approx(change.difference)


def test_without_genes_nothing_is_probed(tmp_path: Path) -> None:
    fasta, _ = write_genome(tmp_path, ("c1",))
    genome = open_fasta(fasta)
    assert probed_species(assembly_windows("made up", genome, most=20), genome) is None


def test_full_fine_tuning_stands_beside_the_adapter() -> None:
    change = ProbeChange(
        name="rice",
        probe="donors",
        examples=90,
        before=0.9,
        after=0.88,
        difference=-0.02,
        lower=-0.03,
        upper=-0.01,
    )
    told = describe_probes([change], [replace(change, after=0.8, difference=-0.1, lower=-0.2, upper=-0.05)])
    assert ".900, .880 (-.020, -.030 to -.010), full fine-tuning .800 (-.100, -.200 to -.050)" in told
    assert describe_probes([]) == ""
