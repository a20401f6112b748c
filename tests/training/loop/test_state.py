"""A damaged state is refused with one sentence; nothing is trained from it and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from budwood.errors import BudwoodError
from budwood.model.encoder import BudwoodEncoder
from budwood.model.encoder_config import BudwoodConfig
from budwood.training.loop.optimisers import build_optimisers
from budwood.training.loop.state import load_moments, load_weights, save_state
from budwood.training.monitoring.divergence_guard import DivergenceGuard
from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective
from budwood.training.recipe.schedule import Schedule

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)


def fresh() -> tuple[PretrainingObjective, list[torch.optim.Optimizer]]:
    module = PretrainingObjective(BudwoodEncoder(SHAPE), ObjectiveConfig())
    return module, build_optimisers(module, Schedule(steps=3))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    module, optimisers = fresh()
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    for optimiser in optimisers:
        optimiser.step()
    save_state(tmp_path / "state", module, optimisers, 3, DivergenceGuard(steps=3, mean=1.5))
    return tmp_path / "state"


def opened(state: Path) -> tuple[int, DivergenceGuard]:
    module, optimisers = fresh()
    found = load_weights(state, module)
    load_moments(state, optimisers)
    return found


def test_a_sound_state_opens(state: Path) -> None:
    assert opened(state) == (3, DivergenceGuard(steps=3, mean=1.5))


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors"])
def test_a_flipped_bit_is_found(state: Path, name: str) -> None:
    content = bytearray((state / name).read_bytes())
    content[-3] ^= 4
    (state / name).write_bytes(content)
    with pytest.raises(BudwoodError, match=f"{name} has changed since it was saved"):
        opened(state)


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "step.json"])
def test_a_missing_file_is_named(state: Path, name: str) -> None:
    (state / name).unlink()
    with pytest.raises(BudwoodError, match=name):
        opened(state)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"step": "x"}', '{"step": -1}', '{"step": true}', '{"step": 1, "watch": {"a": 1}}'],
)
def test_step_files_that_are_none(state: Path, text: str) -> None:
    (state / "step.json").write_text(text)
    with pytest.raises(BudwoodError, match="saved state"):
        opened(state)


def not_finite(tensors: dict[str, Tensor], name: str) -> None:
    tensors[name].view(-1)[0] = torch.nan


WEIGHT = "encoder.network.down.weight"
DAMAGES: dict[str, tuple[str, Callable[[dict[str, Tensor]], object], str]] = {
    "weight missing": ("weights", lambda t: t.pop(WEIGHT), "lacks tensor"),
    "weight unexpected": ("weights", lambda t: t.update(x=torch.ones(1)), "unexpected tensor x"),
    "weight renamed": ("weights", lambda t: t.update(x=t.pop(WEIGHT)), "lacks tensor"),
    "weight of another shape": ("weights", lambda t: t.update({WEIGHT: torch.ones(2, 2)}), "has shape"),
    "weight of another type": ("weights", lambda t: t.update({WEIGHT: t[WEIGHT].int()}), "of type int32"),
    "weight not finite": ("weights", lambda t: not_finite(t, WEIGHT), "not finite"),
    "moment unexpected": ("optimiser", lambda t: t.update({"9.0.exp_avg": torch.ones(1)}), "unexpected 9.0"),
    "moment without a name": ("optimiser", lambda t: t.update({"x": torch.ones(1)}), "unexpected x"),
    "moment of another shape": (
        "optimiser",
        lambda t: t.update({"1.0.exp_avg": torch.ones(5)}),
        r"1.0.exp_avg has shape \(5,\)",
    ),
    "moment not finite": ("optimiser", lambda t: not_finite(t, "1.0.exp_avg"), "not finite"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_states_of_earlier_releases_are_checked_without_digests(state: Path, kind: str) -> None:
    facts = json.loads((state / "step.json").read_text())
    del facts["files"]
    (state / "step.json").write_text(json.dumps(facts))
    opened(state)
    name, damage, message = DAMAGES[kind]
    file = state / f"{name}.safetensors"
    tensors = load_file(file)
    damage(tensors)
    save_file(tensors, file)
    with pytest.raises(BudwoodError, match=message):
        opened(state)
