"""Haplotype tables come back from disk as they were, or with a clear sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.genomics.io.variants.haplotype_store import read_stored_haplotypes, write_haplotypes


@pytest.fixture
def table() -> HaplotypeTable:
    rng = np.random.default_rng(1)
    return HaplotypeTable(
        ("línea 1", "B73"),
        (Interval("chr1", 0, 512), Interval("chr2", 1024, 1100)),
        rng.integers(0, 5, size=(5, 512)).astype(np.uint8),
        np.array([0, 3, 5], dtype=np.int64),
        np.array([[[0, 2], [1, 65535]], [[1, 1], [0, 0]]], dtype=np.uint16),
        {"sites_used": 4},
    )


def test_round_trip(table: HaplotypeTable, tmp_path: Path) -> None:
    write_haplotypes(table, tmp_path / "panel.npz")
    back = read_stored_haplotypes(tmp_path / "panel.npz")
    assert (back.accessions, back.windows, back.assumptions) == (
        table.accessions,
        table.windows,
        table.assumptions,
    )
    for name in ("sequences", "offsets", "codes"):
        np.testing.assert_array_equal(getattr(back, name), getattr(table, name))
        assert getattr(back, name).dtype == getattr(table, name).dtype
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["panel.npz"]


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_damaged_files_are_told(content: bytes | None, table: HaplotypeTable, tmp_path: Path) -> None:
    path = tmp_path / "panel.npz"
    write_haplotypes(table, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(BudwoodError, match="no readable haplotype table"):
        read_stored_haplotypes(path)
    middle = bytearray(whole)
    middle[len(whole) // 2] ^= 255
    path.write_bytes(middle)
    with pytest.raises(BudwoodError, match="no readable haplotype table"):
        read_stored_haplotypes(path)


def test_a_full_disk_leaves_the_earlier_file(
    table: HaplotypeTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "panel.npz"
    path.write_bytes(b"earlier")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BudwoodError, match="No space left"):
        write_haplotypes(table, path)
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["panel.npz"]


def test_a_missing_folder_is_told(table: HaplotypeTable, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="cannot be written"):
        write_haplotypes(table, tmp_path / "nowhere" / "panel.npz")
