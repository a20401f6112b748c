"""What a training will cost is told from what its own batches take."""

from __future__ import annotations

import pytest
import torch

from budwood.training.loop.pretrain import new_objective
from budwood.training.recipe import cost as module
from budwood.training.recipe.cost import training_cost
from budwood.training.recipe.recipe import build_recipe


def test_batches_of_long_windows_take_turns(monkeypatch):
    asked = []

    def speed(encoder, window, rows, precision):
        asked.append((window, rows))
        return {64: 3000.0, 256: 1000.0}[window]

    monkeypatch.setattr(module, "bases_per_second", speed)
    table = {
        "name": "x",
        "genomes": [{"species": "s", "fasta": "s.fa"}],
        "encoder": {"stem_channels": 8, "hidden_size": 16, "layers": 1, "heads": 2},
        "sampler": {"window": 64, "long_window": 256},
        "schedule": {"steps": 30, "batch": 8, "precision": "no"},
    }
    recipe = build_recipe(table, "here")
    cost = training_cost(recipe, new_objective(recipe).encoder, torch.device("cpu"))
    assert asked == [(64, 8), (256, 2)]
    assert cost.bases == 30 * 8 * 64
    # Half of the bases at a third of the speed: 2 / (1 / 3000 + 1 / 1000).
    assert cost.bases_per_second == pytest.approx(1500)
    assert cost.hours == pytest.approx(cost.bases / 1500 / 3600)
