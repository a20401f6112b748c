"""HaplotypeTable on disk: one ``.npz`` file, read without pickle.

The arrays are those of the table; ``windows`` become the columns ``contig``, ``start`` and ``end``, and
``assumptions`` the columns ``assumption`` and ``assumption_count``. ``schema`` is the layout's version.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.genomics.io.arrays import read_arrays

SCHEMA: Final = 1


def write_haplotypes(table: HaplotypeTable, path: Path) -> None:
    """Write a table as one compressed file, whole or not at all.

    Parameters
    ----------
    table
        The table to store.
    path
        File to write, usually ``.npz``.

    Raises
    ------
    BudwoodError
        If the file cannot be written; an earlier file of that name then stays as it was.
    """
    path = Path(path)
    partial: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
        partial = Path(name)
        with os.fdopen(descriptor, "wb") as handle:
            np.savez_compressed(
                handle,
                schema=np.array(SCHEMA),
                accessions=np.array(table.accessions, dtype=np.str_),
                contig=np.array([window.contig for window in table.windows], dtype=np.str_),
                start=np.array([window.start for window in table.windows], dtype=np.int64),
                end=np.array([window.end for window in table.windows], dtype=np.int64),
                sequences=table.sequences,
                offsets=table.offsets,
                codes=table.codes,
                assumption=np.array(list(table.assumptions), dtype=np.str_),
                assumption_count=np.array(list(table.assumptions.values()), dtype=np.int64),
            )
            handle.flush()
            os.fsync(handle.fileno())
        partial.chmod(0o644)
        partial.replace(path)
    except OSError as error:
        raise BudwoodError(
            f"the haplotype table cannot be written: {error.strerror or error}",
            where=str(path),
            mend="free some space or choose another place",
        ) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def read_stored_haplotypes(path: Path) -> HaplotypeTable:
    """The table in a file that :func:`write_haplotypes` wrote.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    HaplotypeTable
        The table as it was written.

    Raises
    ------
    BudwoodError
        If the file is missing, damaged, no haplotype table, or of a newer schema.
    """
    try:
        stored = read_arrays(Path(path))
        schema = int(stored["schema"])
        if schema <= SCHEMA:
            places = zip(stored["contig"], stored["start"], stored["end"], strict=True)
            counts = zip(stored["assumption"], stored["assumption_count"], strict=True)
            return HaplotypeTable(
                tuple(str(name) for name in stored["accessions"]),
                tuple(Interval(str(contig), int(start), int(end)) for contig, start, end in places),
                stored["sequences"],
                stored["offsets"],
                stored["codes"],
                {str(key): int(count) for key, count in counts},
            )
    except (BudwoodError, OSError, ValueError, KeyError, TypeError) as error:
        raise BudwoodError(
            "this is no readable haplotype table", where=str(path), mend="build it again from the genotypes"
        ) from error
    raise BudwoodError(
        f"the haplotype table has schema version {schema}, this release reads up to {SCHEMA}",
        where=str(path),
        mend="update budwood",
    )
