"""Trait supervision: the statistic is that of the whole kernel, and training raises it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder_config import BudwoodConfig
from budwood.training.adaptation.trait_supervision import (
    Supervision,
    projection,
    supervise,
    window_products,
)

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)


def panel(accessions: int = 80, windows: int = 30) -> tuple[HaplotypeTable, np.ndarray]:
    """Windows of two haplotypes that differ in one base, and who carries which."""
    random = np.random.default_rng(0)
    sequences = np.repeat(random.integers(0, 4, (windows, 1, 40), dtype=np.uint8), 2, axis=1)
    sequences[:, 1, 20] = (sequences[:, 1, 20] + 1 + random.integers(0, 3, windows)) % 4
    codes = random.integers(0, 2, (accessions, windows, 2), dtype=np.uint8)
    table = HaplotypeTable(
        accessions=tuple(f"a{k}" for k in range(accessions)),
        windows=tuple(Interval("c", 40 * w, 40 * w + 40) for w in range(windows)),
        sequences=sequences.reshape(-1, 40),
        offsets=np.arange(0, 2 * windows + 1, 2),
        codes=codes,
        assumptions={},
    )
    # Haplotypes whose changed base becomes G raise the trait.
    effect = np.where(sequences[:, 1, 20] == 2, 3.0, 0.0) - np.where(sequences[:, 0, 20] == 2, 3.0, 0.0)
    return table, codes.sum(axis=2) @ effect + random.normal(size=accessions)


def test_sums_over_windows_are_the_statistic_of_the_whole_kernel() -> None:
    table, values = panel(accessions=12, windows=5)
    p, projected = projection(values, np.eye(12))
    products = window_products(table, p, projected)
    vectors = np.random.default_rng(1).normal(size=(10, 6))
    kernel, statistic, mean = np.zeros((12, 12)), 0.0, 0.0
    for w in range(5):
        differences = vectors[2 * w : 2 * w + 2] - vectors[2 * w]
        features = table.counts(w) / 2 @ differences
        kernel += features @ features.T
        own = slice(2 * w, 2 * w + 2)
        statistic += float(np.square(products.projected[own] @ differences).sum())
        mean += float((products.quadratic[w] @ differences * differences).sum())
    y = (values - values.mean()) / values.std()
    assert statistic == pytest.approx(y @ p @ kernel @ p @ y)
    assert mean == pytest.approx(np.trace(p @ kernel))


def test_the_statistic_has_its_mean_where_there_is_no_effect() -> None:
    random = np.random.default_rng(2)
    kernel = np.cov(random.normal(size=(20, 40)))
    drawn = []
    for _ in range(300):
        p, py = projection(random.normal(size=20), np.eye(20))
        drawn.append(py @ kernel @ py / np.trace(p @ kernel))
    assert np.mean(drawn) == pytest.approx(1, abs=0.12)


def test_training_raises_the_ratio_of_accessions_it_has_not_seen() -> None:
    table, values = panel()
    adapted = AdaptedEncoder(random_checkpoint(SHAPE, seed=3))
    adapted.new("trait", LowRank(rank=4), seed=0)
    trained = adapted.train_only("trait")
    plan = Supervision(passes=12, windows=10, learning_rate=2e-2, patience=12)
    history = supervise(adapted.encoder, trained, table, values, np.eye(len(values)), plan, show=False)
    assert history.best > 0
    assert history.validation[history.best] > 1.1 * history.validation[0]
    assert history.sequences == 60


def test_where_no_pass_is_better_the_adapter_changes_nothing() -> None:
    table, _ = panel(accessions=60, windows=6)
    values = np.random.default_rng(4).normal(size=60)
    adapted = AdaptedEncoder(random_checkpoint(SHAPE, seed=3))
    adapted.new("trait", LowRank(rank=4), seed=0)
    codes = torch.from_numpy(table.sequences.astype(np.int64))
    before = adapted.encoder.embed(codes).detach()
    for seed in range(6):
        plan = Supervision(passes=1, learning_rate=1e-2, seed=seed)
        trained = adapted.train_only("trait")
        history = supervise(adapted.encoder, trained, table, values, np.eye(60), plan, show=False)
        if history.best == 0:
            assert torch.allclose(adapted.encoder.embed(codes), before, atol=1e-6)
            return
    pytest.fail("chance alone does not raise the ratio six times in a row")


def test_too_few_accessions_are_refused() -> None:
    table, values = panel(accessions=10, windows=3)
    adapted = AdaptedEncoder(random_checkpoint(SHAPE, seed=3))
    adapted.new("trait", LowRank(rank=4), seed=0)
    with pytest.raises(BudwoodError, match="too few"):
        supervise(adapted.encoder, adapted.train_only("trait"), table, values, np.eye(10), Supervision())
