"""A step's batch depends on its number alone, and holds windows of alignments where asked."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.corpus.sampling.genome import load_training_genome
from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import SamplerConfig, WindowBatch, WindowSampler
from budwood.errors import BudwoodError
from budwood.genomics.alignment import Alignment
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode
from budwood.training.data.batches import order_labels, prefetched, training_batch
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
    both = (batch._asdict() for batch in (plain, batches[0]))
    one, other = ({name: value for name, value in each.items() if name != "swapped"} for each in both)
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_window_of_an_annotated_gene_does_not_serve_for_the_order() -> None:
    shape = np.zeros((3, 8), dtype=np.uint8)
    place = np.array([NO_ANCHOR, 5, NO_ANCHOR])
    facts = place, np.zeros(3, np.int8), np.zeros(3, np.int16)
    batch = WindowBatch(
        shape, shape > 0, shape, *facts, shape.astype(np.uint16), np.zeros(3, dtype=np.float32)
    )
    assert (order_labels(batch, range(3), 9, (1, 2)) != NO_ORDER).tolist() == [True, False, True]
    assert (order_labels(batch, range(1, 7, 2), 5, (1, 2)) != NO_ORDER).tolist() == [True, False, False]


@pytest.mark.parametrize("long_window", [0, 128])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("processes", [1, 2, 3, 5, 7])
def test_shares_of_processes_are_the_batch_of_one(
    windows, columns, processes: int, aligned: bool, long_window: int
) -> None:
    config = ObjectiveConfig(column_weight=float(aligned), order_weight=0.1, order_windows=3)
    if long_window:
        letters = decode(np.random.default_rng(0).integers(0, 4, 2000, dtype=np.uint8))
        genome = load_training_genome("synthetic", InMemoryAssembly({"c": letters}))
        windows = WindowSampler([genome], [1.0], SamplerConfig(window=64, long_window=128), seed=5)
    drawn = columns if aligned else None
    for number in range(3):
        whole = training_batch(windows, config, number, 14, drawn)
        for first in range(processes):
            share = training_batch(windows, config, number, 14, drawn, first=first, step=processes)
            for one, other in zip(share, whole.part(first, processes), strict=True):
                assert torch.equal(one, other)


def test_a_process_with_windows_of_alignments_alone_has_its_share(windows, columns) -> None:
    config = ObjectiveConfig(column_weight=1.0, column_windows=3)
    whole = training_batch(windows, config, 0, 4, columns)
    share = training_batch(windows, config, 0, 4, columns, first=3, step=4)
    for one, other in zip(share, whole.part(3, 4), strict=True):
        assert torch.equal(one, other)


def test_a_process_draws_its_own_windows_alone(windows, monkeypatch) -> None:
    drawn: list[int] = []
    true = WindowSampler._window
    monkeypatch.setattr(WindowSampler, "_window", lambda self, *words: drawn.append(1) or true(self, *words))
    training_batch(windows, ObjectiveConfig(), 0, 12, first=1, step=4)
    assert len(drawn) == 3


def test_prefetching_hands_on_what_fails_and_stops_drawing() -> None:
    drawn: list[int] = []

    def draw(step: int) -> int:
        drawn.append(step)
        if step == 3:
            raise BudwoodError("this window cannot be drawn")
        return step

    found = prefetched(draw, range(100))
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(BudwoodError, match="cannot be drawn"):
        next(found)
    assert max(drawn) <= 5
    early = prefetched(lambda step: step, range(100))
    assert next(early) == 0
    early.close()


def test_without_alignments_the_windows_are_those_of_the_genomes(windows) -> None:
    batch = training_batch(windows, ObjectiveConfig(), 2, 5)
    assert torch.equal(batch.codes, torch.from_numpy(windows.batch(2, 5).codes.astype(np.int64)))
    assert not batch.column.any()


def test_batches_of_long_windows_have_no_windows_of_alignments(columns) -> None:
    letters = decode(np.random.default_rng(0).integers(0, 4, 2000, dtype=np.uint8))
    genome = load_training_genome("synthetic", InMemoryAssembly({"c": letters}))
    windows = WindowSampler([genome], [1.0], SamplerConfig(window=64, long_window=128), seed=5)
    config = ObjectiveConfig(column_weight=1.0, column_windows=2)
    short, long = (training_batch(windows, config, number, 8, columns) for number in (0, 1))
    assert (short.codes.shape, int(short.column.flatten(1).any(1).sum())) == ((8, 64), 2)
    assert (long.codes.shape, bool(long.column.any())) == ((4, 128), False)
