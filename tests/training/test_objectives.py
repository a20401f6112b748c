"""Hidden spans have the share and length asked for, and weights count as they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from meristem.genomics.region import UNLABELLED, Region
from meristem.genomics.sequence import N
from meristem.model.encoder import MeristemConfig, MeristemEncoder
from meristem.training.objectives import ObjectiveConfig, PretrainingObjective, hide_spans


def test_spans_hide_the_share_asked_for_and_never_n():
    codes = np.zeros((400, 512), dtype=np.uint8)
    codes[:, ::7] = N
    hidden = hide_spans(codes, ObjectiveConfig(max_masked=0.3, mean_span=6), np.random.default_rng(0))
    assert not hidden[:, ::7].any()
    # Spans overlap: with start rate s / mean, a base stays visible with probability about exp(-s).
    shares = np.linspace(0, 0.3, 1000)
    assert hidden[codes != N].mean() == pytest.approx(np.mean(1 - np.exp(-shares)), abs=0.01)


def test_spans_are_contiguous():
    codes = np.zeros((200, 512), dtype=np.uint8)
    hidden = hide_spans(codes, ObjectiveConfig(max_masked=0.05, mean_span=6), np.random.default_rng(1))
    starts = (hidden[:, 1:] & ~hidden[:, :-1]).sum()
    assert hidden.sum() / starts == pytest.approx(6, rel=0.15)


@pytest.fixture(scope="module")
def objective():
    torch.manual_seed(0)
    shape = MeristemConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    return PretrainingObjective(MeristemEncoder(shape), ObjectiveConfig(repeat_weight=0.0))


def batch(rows: int = 3, length: int = 32):
    random = np.random.default_rng(5)
    codes = torch.from_numpy(random.integers(0, 4, (rows, length)))
    hidden = torch.from_numpy(random.random((rows, length)) < 0.3)
    return codes, hidden, torch.zeros(rows, length, dtype=torch.bool)


def test_bases_nobody_annotated_do_not_count(objective):
    codes, hidden, repeat = batch()
    nobody = objective(codes, hidden, repeat, torch.full_like(codes, UNLABELLED))
    assert nobody["region"].item() == 0.0
    one = torch.full_like(codes, UNLABELLED)
    one[0, 0] = Region.INTRON
    assert objective(codes, hidden, repeat, one)["region"].item() > 0.0


def test_repeats_of_weight_zero_do_not_count(objective):
    codes, hidden, repeat = batch()
    unlabelled = torch.full_like(codes, UNLABELLED)
    assert objective(codes, hidden, torch.ones_like(repeat), unlabelled)["span"].item() == 0.0


def test_what_is_hidden_is_not_seen(objective):
    codes, hidden, repeat = batch()
    changed = torch.where(hidden, 3 - codes, codes)
    unlabelled = torch.full_like(codes, UNLABELLED)
    unlabelled[:, 1] = Region.INTRON
    same = [objective(c, hidden, repeat, unlabelled)["region"].item() for c in (codes, changed)]
    assert same[0] == same[1]
