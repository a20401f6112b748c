"""The cache never serves a vector that is not the one that was stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.inference.embed import embed_windows
from budwood.inference.vector_store import open_store
from budwood.model.checkpoint import load_checkpoint, random_checkpoint, save_checkpoint
from budwood.model.encoder_config import BudwoodConfig

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
DIGEST = "d" * 64


def flipped(blob: bytes) -> bytes:
    return bytes([blob[0] ^ 1]) + blob[1:]


def not_a_number(blob: bytes) -> bytes:
    return np.float32("nan").tobytes() + blob[4:]


DAMAGES: dict[str, Callable[[bytes], object]] = {
    "a flipped bit": flipped,
    "not a number": not_a_number,
    "cut short": lambda blob: blob[:-4],
    "too long": lambda blob: blob + blob,
    "not whole numbers of bytes": lambda blob: blob[:-1],
    "empty": lambda _: b"",
    "text": lambda _: "a vector",
    "zeros": lambda blob: bytes(len(blob)),
}


def change(path: Path, damage: Callable[[bytes], object]) -> None:
    """Damage every vector of a store."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT digest, vector FROM checked_vectors").fetchall()
        assert rows
        for digest, blob in rows:
            connection.execute(
                "UPDATE checked_vectors SET vector = ? WHERE digest = ?", (damage(blob), digest)
            )
    connection.close()


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_row_is_encoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("BUDWOOD_CACHE", str(tmp_path))
    checkpoint = random_checkpoint(SHAPE)
    windows = np.random.default_rng(0).integers(0, 4, (5, 40), dtype=np.uint8)
    first = embed_windows(windows, checkpoint)
    (path,) = tmp_path.rglob("*.sqlite")
    change(path, DAMAGES[kind])
    assert np.array_equal(embed_windows(windows, checkpoint), first)
    with open_store(checkpoint.digest, "mean", 32) as store:
        digests = [row[0] for row in sqlite3.connect(path).execute("SELECT digest FROM checked_vectors")]
        assert len(store.get(digests)) == 5


def test_vectors_under_each_others_keys_are_not_served(tmp_path: Path) -> None:
    keys, vectors = [b"a" * 32, b"b" * 32], np.ones((2, 3), dtype=np.float32) * [[1], [2]]
    with open_store(DIGEST, "mean", 3, tmp_path) as store:
        store.put(keys, vectors)
        assert set(store.get(keys)) == set(keys)
    with sqlite3.connect(next(tmp_path.glob("*.sqlite"))) as connection:
        rows = connection.execute("SELECT vector, checksum FROM checked_vectors ORDER BY digest").fetchall()
        for key, row in zip(keys, rows[::-1], strict=True):
            connection.execute(
                "UPDATE checked_vectors SET vector = ?, checksum = ? WHERE digest = ?", (*row, key)
            )
    connection.close()
    with open_store(DIGEST, "mean", 3, tmp_path) as store:
        assert not store.get(keys)


def test_vectors_of_another_length_are_not_served(tmp_path: Path) -> None:
    with open_store(DIGEST, "mean", 3, tmp_path) as store:
        store.put([b"a"], np.ones((1, 3), dtype=np.float32))
    with open_store(DIGEST, "mean", 4, tmp_path) as store:
        assert not store.get([b"a"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_not_stored(tmp_path: Path, value: float) -> None:
    with open_store(DIGEST, "mean", 2, tmp_path) as store:
        with pytest.raises(BudwoodError, match="not finite"):
            store.put([b"a"], np.array([[1, value]], dtype=np.float32))
        assert len(store) == 0


def test_the_configuration_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of heads is in no weight's shape, but another number gives other vectors."""
    monkeypatch.setenv("BUDWOOD_CACHE", str(tmp_path / "cache"))
    save_checkpoint(random_checkpoint(SHAPE).encoder, tmp_path)
    windows = np.random.default_rng(0).integers(0, 4, (2, 40), dtype=np.uint8)
    two = embed_windows(windows, load_checkpoint(tmp_path))
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"heads": 2', '"heads": 4'))
    four = load_checkpoint(tmp_path)
    assert np.array_equal(embed_windows(windows, four), embed_windows(windows, four, cache=False))
    assert not np.array_equal(embed_windows(windows, four), two)
