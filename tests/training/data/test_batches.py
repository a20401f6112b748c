"""A step's batch depends on its number alone, and holds windows of alignments where asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.corpus.sampling.genome import load_training_genome
from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import SamplerConfig, WindowBatch, WindowSampler
from budwood.genomics.alignment import Alignment
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode
from budwood.training.data.batches import order_labels, training_batch
from budwood.training.objective.alignment_columns import ColumnSampler
from budwood.training.objective.locus_offset import NO_OFFSET
from budwood.training.objective.objectives import ObjectiveConfig
from budwood.training.objective.training_batch import NO_ORDER


@pytest.fixture(scope="module")
def windows() -> WindowSampler:
    letters = decode(np.random.default_rng(0).integers(0, 4, 2000, dtype=np.uint8))
    genome = load_training_genome("synthetic", InMemoryAssembly({"c": letters}))
    return WindowSampler([genome], [1.0], SamplerConfig(window=64), seed=5)


@pytest.fixture(scope="module")
def columns() -> ColumnSampler:
    codes = np.random.default_rng(1).integers(0, 4, (6, 100), dtype=np.uint8)
    return ColumnSampler([Alignment("x", tuple("abcdef"), codes)], window=64, seed=5)


def test_the_same_number_gives_the_same_batch(windows, columns) -> None:
    config = ObjectiveConfig(column_weight=1.0)
    one, again, other = (training_batch(windows, config, number, 6, columns) for number in (3, 3, 4))
    for here, there in zip(one, again, strict=True):
        assert torch.equal(here, there)
    assert not torch.equal(one.codes, other.codes)


def test_the_last_windows_are_cut_from_alignments(windows, columns) -> None:
    batch = training_batch(windows, ObjectiveConfig(column_weight=1.0, column_windows=2), 0, 6, columns)
    assert batch.codes.shape == (6, 64)
    assert batch.column.shape == (6, 64, 4)
    asked = batch.column.flatten(1).any(1)
    assert asked.tolist() == [False] * 4 + [True] * 2
    assert (batch.region[4:] == UNLABELLED).all()
    assert (batch.offset[4:] == NO_OFFSET).all()
    assert batch.hidden[4:].any()
    assert not batch.repeat[4:].any()


def test_windows_of_no_gene_are_asked_for_the_order_of_their_halves(windows, columns) -> None:
    config = ObjectiveConfig(column_weight=1.0, order_weight=0.1, order_windows=3)
    batches = [training_batch(windows, config, number, 6, columns) for number in range(20)]
    asked = torch.stack([batch.swapped != NO_ORDER for batch in batches])
    assert asked.tolist() == [[True] * 3 + [False] * 3] * 20
    assert 20 < sum(int(batch.swapped[:3].sum()) for batch in batches) < 40
    plain = training_batch(windows, ObjectiveConfig(column_weight=1.0), 0, 6, columns)
    assert (plain.swapped == NO_ORDER).all()
    # What else is read does not depend on it.
    assert all(torch.equal(one, other) for one, other in zip(plain[:-1], batches[0][:-1], strict=True))


def test_a_window_of_an_annotated_gene_is_not_asked_for_its_order() -> None:
    shape = np.zeros((3, 8), dtype=np.uint8)
    place = np.array([NO_ANCHOR, 5, NO_ANCHOR])
    batch = WindowBatch(shape, shape > 0, shape, place, np.zeros(3, np.int8), np.zeros(3, np.int16))
    labels = order_labels(batch, 9, (1, 2))
    assert (labels != NO_ORDER).tolist() == [True, False, True]


def test_without_alignments_the_windows_are_those_of_the_genomes(windows) -> None:
    batch = training_batch(windows, ObjectiveConfig(), 2, 5)
    assert torch.equal(batch.codes, torch.from_numpy(windows.batch(2, 5).codes.astype(np.int64)))
    assert not batch.column.any()
