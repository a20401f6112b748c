"""The head of the tracks is kept with its checkpoint, and a damaged or foreign one is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from budwood.artifacts import write_artifact
from budwood.errors import BudwoodError
from budwood.genomics.sequence import PAD, reverse_complement
from budwood.model.checkpoint import (
    checkpoint_digest,
    load_checkpoint,
    packaged_checkpoint,
    random_checkpoint,
    save_checkpoint,
    track_checkpoint,
)
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.track_head import READOUT, TRACKS, TrackHead

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
NAMES = ("open chromatin", "LTR/Gypsy")


def head(size: int = 32, names: tuple[str, ...] = NAMES) -> TrackHead:
    random = torch.Generator().manual_seed(0)
    return TrackHead(
        names, torch.randn(len(names), size, generator=random), torch.randn(len(names), generator=random)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "tracked"
    with write_artifact(out, kind="checkpoint") as draft:
        save_checkpoint(random_checkpoint(SHAPE).encoder, draft.folder, head())
    return out


def test_a_checkpoint_keeps_its_head_and_its_digest(folder: Path, tmp_path: Path) -> None:
    opened = load_checkpoint(folder, device="cpu")
    assert opened.head.names == NAMES
    torch.testing.assert_close(opened.head.weight, head().weight, rtol=0, atol=0)
    torch.testing.assert_close(opened.head.bias, head().bias, rtol=0, atol=0)
    (tmp_path / "plain").mkdir()
    save_checkpoint(random_checkpoint(SHAPE).encoder, tmp_path / "plain")
    plain = load_checkpoint(tmp_path / "plain", device="cpu")
    assert plain.tracks is None
    assert plain.digest == opened.digest


@pytest.mark.parametrize("name", ["small", "grasses"])
def test_checkpoints_without_tracks_say_so(name: str) -> None:
    plain = load_checkpoint(packaged_checkpoint(name), device="cpu")
    assert plain.tracks is None
    with pytest.raises(BudwoodError, match=f"checkpoint '{name}' predicts no tracks"):
        plain.read_tracks(np.zeros((1, 8), dtype=np.uint8))


def test_logits_are_those_of_the_layer_on_joined_vectors(folder: Path) -> None:
    opened = load_checkpoint(folder, device="cpu")
    codes = np.random.default_rng(0).integers(0, 4, (3, 100), dtype=np.uint8)
    codes[1, 60:] = PAD
    with torch.inference_mode():
        vectors = opened.encoder(torch.from_numpy(codes.astype(np.int64))).last_hidden_state
        expected = (vectors @ opened.head.weight.T + opened.head.bias).numpy()
    expected[1, 60:] = 0
    found = opened.read_tracks(codes)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    turned = reverse_complement(codes[0])[None]
    np.testing.assert_allclose(opened.read_tracks(turned)[0], found[0, ::-1], atol=1e-4)
    left = np.full((1, 90), PAD, dtype=np.uint8)
    left[0, 30:] = codes[1, :60]
    np.testing.assert_allclose(opened.read_tracks(left)[0, 30:], found[1, :60], atol=1e-4)
    np.testing.assert_allclose(opened.read_tracks(codes, NAMES[1:])[..., 0], found[..., 1], atol=1e-5)
    half = opened.in_precision("bf16").read_tracks(codes)
    assert half.dtype == np.float32
    assert 0 < np.abs(half - found).max() < 0.1 * np.abs(found).max()


def test_a_track_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    with pytest.raises(BudwoodError, match="predicts no track 'open'") as refused:
        load_checkpoint(folder, device="cpu").head.rows(["open"])
    assert "open chromatin" in str(refused.value)


def rewritten(folder: Path, metadata: dict[str, str] | None = None, **tensors: torch.Tensor) -> None:
    """The head written anew, as if the folder had no manifest."""
    (folder / "manifest.json").unlink(missing_ok=True)
    usual = {"format": "pt", "names": json.dumps(NAMES), "readout": READOUT}
    usual["encoder"] = checkpoint_digest(folder)
    held = load_file(folder / TRACKS) | tensors
    save_file(held, folder / TRACKS, metadata=usual | (metadata or {}))


@pytest.mark.parametrize(
    ("metadata", "tensors", "message"),
    [
        ({}, {}, None),
        ({"names": "null"}, {}, "does not name its tracks"),
        ({"names": '["a", "a"]'}, {}, "does not name its tracks"),
        ({"names": '["a", ""]'}, {}, "does not name its tracks"),
        ({"names": "[1, 2]"}, {}, "does not name its tracks"),
        ({"names": "["}, {}, "cannot be read"),
        ({"names": '["a"]'}, {}, "tensor bias has shape|tensor weight has shape"),
        ({"readout": "sums"}, {}, "a way that this release does not know"),
        ({"encoder": "0" * 64}, {}, "is of another checkpoint"),
        ({}, {"weight": torch.zeros(2, 31)}, "tensor weight has shape"),
        ({}, {"bias": torch.full((2,), torch.nan)}, "not finite"),
        ({}, {"more": torch.zeros(1)}, "unexpected tensor more"),
        ({}, {"bias": torch.zeros(2, dtype=torch.int64)}, "are of type int64"),
    ],
)
def test_heads_that_do_not_fit_are_refused(folder: Path, metadata, tensors, message) -> None:
    rewritten(folder, metadata, **tensors)
    if message is None:
        assert load_checkpoint(folder, device="cpu").head.names == NAMES
        return
    with pytest.raises(BudwoodError, match=message):
        load_checkpoint(folder, device="cpu")


def test_damage_is_seen_by_the_manifest_and_without_it(folder: Path) -> None:
    path = folder / TRACKS
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BudwoodError, match=r"tracks\.safetensors has changed"):
        load_checkpoint(folder, device="cpu")
    path.unlink()
    with pytest.raises(BudwoodError, match=r"tracks\.safetensors is missing"):
        load_checkpoint(folder, device="cpu")
    (folder / "manifest.json").unlink()
    assert load_checkpoint(folder, device="cpu").tracks is None
    path.write_bytes(whole[:40])
    with pytest.raises(BudwoodError, match="cannot be read"):
        load_checkpoint(folder, device="cpu")


def test_numbers_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    broken = replace(head(), bias=torch.full((2,), torch.inf))
    with pytest.raises(BudwoodError, match="not finite"):
        save_checkpoint(random_checkpoint(SHAPE).encoder, tmp_path, broken)


def test_the_packaged_checkpoint_that_predicts_tracks(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("budwood.model.checkpoint._packaged", lambda: (folder.parent, ["tracked"]))
    assert track_checkpoint() == folder
    (folder / TRACKS).unlink()
    assert track_checkpoint() is None
