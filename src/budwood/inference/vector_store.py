"""Embeddings kept on disk, so that no sequence is encoded twice by one checkpoint."""

from __future__ import annotations

import hashlib
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
_CHECK_BYTES: Final = 16


class VectorStore:
    """Vectors by sequence digest for one checkpoint and pooling, in one SQLite file.

    Every :meth:`put` is a transaction: after ``kill -9`` the file holds all earlier ones whole. Every row
    has a checksum over its key and its vector. A row that does not agree with it, has another length or holds
    a number that is not finite counts as absent: it is encoded again and replaced.

    Parameters
    ----------
    connection
        Open database; the table is made where it is absent.
    numbers
        Length of a vector.
    """

    def __init__(self, connection: sqlite3.Connection, numbers: int) -> None:
        self._connection = connection
        self._numbers = numbers
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS checked_vectors "
            "(digest BLOB PRIMARY KEY, vector BLOB NOT NULL, checksum BLOB NOT NULL)"
        )

    def get(self, digests: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """The sound stored vectors among the digests.

        Parameters
        ----------
        digests
            SHA-256 of sequences.

        Returns
        -------
        dict
            (numbers,) ``float32`` by digest.
        """
        found: dict[bytes, NDArray[np.float32]] = {}
        for begin in range(0, len(digests), _KEYS_PER_QUERY):
            keys = list(digests[begin : begin + _KEYS_PER_QUERY])
            marks = ",".join("?" * len(keys))
            rows = self._connection.execute(
                f"SELECT digest, vector, checksum FROM checked_vectors WHERE digest IN ({marks})", keys
            )
            for digest, blob, check in rows:
                if not isinstance(blob, bytes) or len(blob) != 4 * self._numbers:
                    continue
                vector = np.frombuffer(blob, dtype="<f4")
                if check == _checksum(digest, blob) and np.isfinite(vector).all():
                    found[digest] = vector
        return found

    def put(self, digests: Sequence[bytes], vectors: NDArray[np.float32]) -> None:
        """Store vectors; those of the same digests are replaced.

        Parameters
        ----------
        digests
            SHA-256 of sequences.
        vectors
            (digests, numbers) ``float32``.

        Raises
        ------
        BudwoodError
            If a number is not finite.
        """
        if not np.isfinite(vectors).all():
            raise BudwoodError(
                "the model gives vectors with numbers that are not finite",
                where="embedding cache",
                mend="copy its weights again from their source",
            )
        blobs = [vector.astype("<f4").tobytes() for vector in vectors]
        rows = [(digest, blob, _checksum(digest, blob)) for digest, blob in zip(digests, blobs, strict=True)]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO checked_vectors VALUES (?, ?, ?)", rows)

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM checked_vectors").fetchone()[0])


def _checksum(digest: bytes, blob: bytes) -> bytes:
    return hashlib.blake2b(digest + blob, digest_size=_CHECK_BYTES).digest()


@contextmanager
def open_store(
    checkpoint_digest: str, kind: str, numbers: int, folder: Path | None = None
) -> Iterator[VectorStore]:
    """Open the store of a checkpoint and a kind of vector.

    Parameters
    ----------
    checkpoint_digest
        SHA-256 over the weights and configuration of the model.
    kind
        How bases are pooled, and whatever else a vector depends on.
    numbers
        Length of a vector.
    folder
        Where the file is, by default in the cache directory.

    Yields
    ------
    VectorStore
        Open until the block ends.

    Raises
    ------
    BudwoodError
        If the file cannot be written (full disk, no permission) or is no database any more.
    """
    folder = folder or cache_directory() / "embeddings"
    path = folder / f"{checkpoint_digest[:32]}-{kind}.sqlite"
    connection: sqlite3.Connection | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=60)
        yield VectorStore(connection, numbers)
    except (sqlite3.Error, OSError) as error:
        raise BudwoodError(
            f"the embedding cache cannot be used: {error}",
            where=str(path),
            mend="free some space, delete that file, or set BUDWOOD_CACHE to another folder",
        ) from error
    finally:
        if connection is not None:
            connection.close()
