"""Damaged checkpoints are refused with one sentence, whichever way they are damaged and opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModel

from budwood.artifacts import write_artifact
from budwood.errors import BudwoodError
from budwood.model.backbone import load_backbone
from budwood.model.checkpoint import load_checkpoint, random_checkpoint, save_checkpoint
from budwood.model.encoder_config import BudwoodConfig

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=2, heads=2)
NAME = "network.down.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved checkpoint without a manifest."""
    (tmp_path / "tiny").mkdir()
    save_checkpoint(random_checkpoint(SHAPE).encoder, tmp_path / "tiny")
    return tmp_path / "tiny"


def renamed(tensors: dict[str, Tensor]) -> None:
    tensors["network.up_.weight"] = tensors.pop("network.up.weight")


def short(tensors: dict[str, Tensor]) -> None:
    tensors[NAME] = tensors[NAME][:, :-1].contiguous()


def whole_numbers(tensors: dict[str, Tensor]) -> None:
    tensors[NAME] = tensors[NAME].to(torch.int8)


def not_finite(tensors: dict[str, Tensor], value: float) -> None:
    tensors[NAME][0, 0] = value


TENSORS: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "missing": (lambda t: t.pop(NAME), "lacks tensor network.down.weight"),
    "all missing": (lambda t: [t.pop(name) for name in list(t)[1:]], "lacks tensor .* more"),
    "renamed": (renamed, "lacks tensor network.up.weight"),
    "unexpected": (lambda t: t.update(extra=torch.ones(2)), "has the unexpected tensor extra"),
    "a layer more": (
        lambda t: t.update({"network.blocks.2.expand.weight": torch.ones(64, 16)}),
        "has the unexpected tensor network.blocks.2",
    ),
    "another shape": (short, r"network.down.weight has shape \(16, 31\), and the network needs \(16, 32\)"),
    "another type": (whole_numbers, "network.down.weight are of type int8"),
    "not a number": (lambda t: not_finite(t, torch.nan), "not finite"),
    "infinite": (lambda t: not_finite(t, torch.inf), "not finite"),
}

CONFIGS: dict[str, tuple[dict[str, object], str]] = {
    "heads 0": ({"heads": 0}, "heads is 0"),
    "heads negative": ({"heads": -2}, "heads is -2"),
    "layers 0": ({"layers": 0}, "layers is 0"),
    "layers negative": ({"layers": -1}, "layers is -1"),
    "layers not whole": ({"layers": 2.0}, "layers is 2.0"),
    "layers yes": ({"layers": True}, "layers is True"),
    "layers in words": ({"layers": "two"}, "layers is 'two'"),
    "a layer less": ({"layers": 1}, "has the unexpected tensor network.blocks.1"),
    "a layer more": ({"layers": 3}, "lacks tensor network.blocks.2"),
    "beyond any memory": ({"layers": 10**9}, "layers is 1000000000"),
    "heads do not divide": ({"heads": 3}, "cannot be shared out among 3 heads"),
    "another width": ({"hidden_size": 32}, "and the network needs"),
    "another kernel": ({"kernel": 7}, "and the network needs"),
    "an even kernel": ({"kernel": 4}, "kernel is 4"),
    "another patch": ({"patch": 8}, "and the network needs"),
    "patch 0": ({"patch": 0}, "patch is 0"),
    "other classes": ({"regions": 16}, "regions is 16"),
    "other symbols": ({"vocab_size": 9}, "vocab_size is 9"),
    "other padding": ({"pad_token_id": 0}, "pad_token_id is 0"),
    "heads not stated": ({"heads": None}, "does not state heads|heads is None"),
}


def opened_by(folder: Path) -> list[Callable[[], object]]:
    automatic = lambda: AutoModel.from_pretrained(folder, local_files_only=True)  # noqa: E731
    return [lambda: load_checkpoint(folder, device="cpu"), automatic]


@pytest.mark.parametrize("kind", TENSORS)
def test_weights_that_are_not_those_of_the_network(folder: Path, kind: str) -> None:
    damage, message = TENSORS[kind]
    tensors = load_file(folder / "model.safetensors")
    damage(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for opened in opened_by(folder):
        with pytest.raises(BudwoodError, match=message):
            opened()


@pytest.mark.parametrize("kind", CONFIGS)
def test_configurations_that_do_not_fit(folder: Path, kind: str) -> None:
    change, message = CONFIGS[kind]
    path = folder / "config.json"
    values = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
    for opened in [lambda: load_checkpoint(folder, device="cpu"), lambda: load_backbone(folder)]:
        with pytest.raises(BudwoodError, match=message):
            opened()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"model_type": 3}', "[" * 100_000, '{"model_type": "budwood"}']
)
def test_configurations_that_are_none(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    for opened in [lambda: load_checkpoint(folder), lambda: load_backbone(folder)]:
        with pytest.raises(BudwoodError):
            opened()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_files_cut_short(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BudwoodError, match="cannot be read"):
        load_checkpoint(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_flipped_bit_is_found_by_the_manifest(tmp_path: Path, name: str) -> None:
    with write_artifact(tmp_path / "made", kind="checkpoint") as draft:
        save_checkpoint(random_checkpoint(SHAPE).encoder, draft.folder)
    load_checkpoint(tmp_path / "made")
    file = tmp_path / "made" / name
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(BudwoodError, match=f"{name} has changed since the manifest was written"):
        load_checkpoint(tmp_path / "made")


def test_a_manifest_that_does_not_list_the_weights(tmp_path: Path) -> None:
    with write_artifact(tmp_path / "made", kind="checkpoint") as draft:
        save_checkpoint(random_checkpoint(SHAPE).encoder, draft.folder)
    manifest = tmp_path / "made" / "manifest.json"
    values = json.loads(manifest.read_text())
    del values["files"]["config.json"]
    manifest.write_text(json.dumps(values))
    with pytest.raises(BudwoodError, match="is not in the manifest"):
        load_checkpoint(tmp_path / "made")


def test_the_digest_covers_weights_and_configuration(folder: Path) -> None:
    before = load_checkpoint(folder).digest
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"heads": 4}))
    assert load_checkpoint(folder).digest != before
