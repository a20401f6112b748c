"""Embeddings kept on disk, so that no sequence is encoded twice by one checkpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.config import cache_directory
from budwood.errors import BudwoodError

#: SQLite's default limit on the values of one query is larger than this on every platform.
_KEYS_PER_QUERY: Final = 900


class VectorStore:
    """Vectors by sequence digest for one checkpoint and pooling, in one SQLite file.

    Every :meth:`put` is a transaction: after ``kill -9`` the file holds all earlier ones whole.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB NOT NULL)"
        )

    def get(self, digests: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """The stored ones among the digests."""
        found: dict[bytes, NDArray[np.float32]] = {}
        for begin in range(0, len(digests), _KEYS_PER_QUERY):
            keys = list(digests[begin : begin + _KEYS_PER_QUERY])
            marks = ",".join("?" * len(keys))
            rows = self._connection.execute(
                f"SELECT digest, vector FROM vectors WHERE digest IN ({marks})", keys
            )
            found.update((digest, np.frombuffer(blob, dtype="<f4")) for digest, blob in rows)
        return found

    def put(self, digests: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Store vectors, one row per digest."""
        rows = [
            (digest, vector.astype("<f4").tobytes()) for digest, vector in zip(digests, vectors, strict=True)
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])


@contextmanager
def open_store(checkpoint_digest: str, pool: str, folder: Path | None = None) -> Iterator[VectorStore]:
    """The store of a checkpoint and pooling, in the cache directory unless another folder is given.

    Raises
    ------
    BudwoodError
        If the file cannot be written (full disk, no permission) or is damaged.
    """
    folder = folder or cache_directory() / "embeddings"
    path = folder / f"{checkpoint_digest[:32]}-{pool}.sqlite"
    connection: sqlite3.Connection | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=60)
        yield VectorStore(connection)
    except (sqlite3.Error, OSError) as error:
        raise BudwoodError(
            f"the embedding cache cannot be used: {error}",
            where=str(path),
            mend="free some space, delete that file, or set BUDWOOD_CACHE to another folder",
        ) from error
    finally:
        if connection is not None:
            connection.close()
