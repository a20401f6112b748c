"""A small genome and an untrained encoder for the tests of variants."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.assembly import InMemoryAssembly
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder_config import BudwoodConfig


@pytest.fixture(scope="session")
def genome() -> InMemoryAssembly:
    """Three contigs, one of them shorter than a window, one with unknown bases."""
    random = np.random.default_rng(3)
    letters = {
        name: random.choice(list("ACGT"), size) for name, size in (("a", 3000), ("b", 300), ("c", 1500))
    }
    letters["c"][700:760] = "N"
    return InMemoryAssembly({name: "".join(each) for name, each in letters.items()})


@pytest.fixture(scope="session")
def encoder() -> Checkpoint:
    """An encoder with random weights that reads quickly."""
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=2)
