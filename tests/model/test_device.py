"""Devices are chosen by name; bfloat16 is for whole sequences, not for haplotypes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.inference.embed import Pool, embed_haplotypes, embed_windows, kept_as
from budwood.model.checkpoint import load_checkpoint, random_checkpoint
from budwood.model.device import choose_device
from budwood.model.encoder_config import BudwoodConfig


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_a_gpu_where_there_is_one(monkeypatch, cuda: bool, mps: bool, chosen: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == choose_device(None).type == chosen
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    "name", ["cuda", "cuda:1", "mps", "tpu", "cpu:x", "", "CPU", "cuda:²", f"cuda:{'9' * 5000}", "cpu: x"]
)
def test_devices_that_are_not_there_are_refused(monkeypatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    if name == "":
        assert choose_device(name).type == "cpu"
        return
    with pytest.raises(BudwoodError, match="device"):
        choose_device(name)


@pytest.fixture
def windows() -> np.ndarray:
    """A window, and the same one with one base changed."""
    codes = np.random.default_rng(3).integers(0, 4, (1, 512), dtype=np.uint8).repeat(2, 0)
    codes[1, 256] = (codes[1, 256] + 1) % 4
    return codes


def test_bfloat16_is_near_for_windows_and_too_coarse_for_their_differences(windows) -> None:
    """Products in bfloat16 keep 8 bits: vectors stay within 1 % of their length, differences do not."""
    whole = load_checkpoint(device="cpu")
    half = load_checkpoint(device="cpu", precision="bf16")
    exact, coarse = (embed_windows(windows, model, cache=False) for model in (whole, half))
    assert coarse.dtype == np.float32
    assert np.linalg.norm(coarse - exact, axis=1).max() < 0.01 * np.linalg.norm(exact, axis=1).min()
    difference, seen = exact[1] - exact[0], coarse[1] - coarse[0]
    assert np.linalg.norm(seen - difference) > 0.02 * np.linalg.norm(difference)


def test_haplotypes_are_not_embedded_in_bfloat16(monkeypatch) -> None:
    model = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    table = HaplotypeTable.__new__(HaplotypeTable)
    with pytest.raises(BudwoodError, match="bf16, which rounds their differences away"):
        embed_haplotypes(table, model.in_precision("bf16"))


def test_vectors_of_other_precisions_and_devices_are_kept_apart() -> None:
    model = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    assert kept_as(Pool.MEAN, True, model) == "mean-oriented"
    assert kept_as(Pool.CENTRE, False, model.in_precision("bf16")) == "centre-bf16"
    with pytest.raises(BudwoodError, match="precision 'half' is unknown"):
        model.in_precision("half")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1, 3, 64])
def test_the_batch_size_changes_rounding_alone(size: int) -> None:
    model = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    codes = np.random.default_rng(0).integers(0, 4, (20, 60), dtype=np.uint8)
    found = embed_windows(codes, model, cache=False, device="cpu", batch_size=size)
    np.testing.assert_allclose(found, embed_windows(codes, model, cache=False), rtol=0, atol=1e-6)


def test_a_batch_holds_a_window_at_least() -> None:
    model = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    with pytest.raises(BudwoodError, match="batch size is 0"):
        embed_windows(np.zeros((1, 4), np.uint8), model, batch_size=0)
