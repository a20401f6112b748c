"""Artifacts: folders that record what they were made from, written whole or not at all.

A folder is filled beside its destination and renamed into place when everything in it is on disk, so a crash,
a full disk or ``kill -9`` leaves either the earlier folder or none; the next run of the same destination
removes what a killed run left. ``manifest.json`` (schema version 1) holds the inputs with their SHA-256, the
parameters, seeds, versions, metrics, the SHA-256 of every file of the folder, the release of Budwood that
wrote it and the SHA-256 of the manifest itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from budwood.artifacts.destination import check_contents, check_destination, unwritable
from budwood.artifacts.drafts import make_draft, release
from budwood.artifacts.manifest import sha256, write_manifest


@dataclass
class Draft:
    """An artifact being written.

    Attributes
    ----------
    folder
        Where the files of the artifact are written.
    metrics, parameters, notes
        Entries of the manifest, which may be added to until the artifact is complete; notes are sentences on
        what was read and assumed.
    """

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Path at which to write a file of the artifact.

        Parameters
        ----------
        name
            Name of the file in the artifact.

        Returns
        -------
        Path
            The path in :attr:`folder`.
        """
        return self.folder / name


@contextmanager
def write_artifact(
    out: Path,
    *,
    kind: str,
    inputs: Sequence[Path] = (),
    parameters: Mapping[str, Any] | None = None,
    seeds: Mapping[str, int] | None = None,
    overwrite: bool = False,
) -> Iterator[Draft]:
    """Write a folder atomically; an exception inside leaves the destination untouched.

    Parameters
    ----------
    out
        Destination, checked by :func:`check_destination` at the start and again before it is written.
    kind
        What the artifact is (``"predict"``, ``"checkpoint"``, ...).
    inputs
        Files it was made from; their SHA-256 go into the manifest.
    parameters
        Parameters for the manifest, as JSON can hold them.
    seeds
        Seeds for the manifest.
    overwrite
        Whether an earlier artifact at the destination may be replaced.

    Yields
    ------
    Draft
        Where to put the files, and further entries of the manifest.

    Raises
    ------
    BudwoodError
        If :func:`check_destination` refuses the destination, or it cannot be written (permission, full disk).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder, "result")
    ...     with write_artifact(out, kind="example", seeds={"seed": 1}) as draft:
    ...         _ = draft.path("values.csv").write_text("1")
    ...     sorted(path.name for path in out.iterdir())
    ['manifest.json', 'values.csv']
    """
    out = Path(out)
    check_destination(out, inputs=inputs, overwrite=overwrite)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder, lock = make_draft(out)
    except OSError as error:
        raise unwritable(out, error) from error
    draft = Draft(folder, parameters=dict(parameters or {}))
    try:
        yield draft
        write_manifest(
            folder,
            {
                "kind": kind,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "inputs": [_described(path) for path in map(Path, inputs)],
                "parameters": draft.parameters,
                "seeds": dict(seeds or {}),
                "metrics": draft.metrics,
                "notes": draft.notes,
            },
        )
        check_contents(out, overwrite=overwrite)
        _publish(folder, out)
    except OSError as error:
        raise unwritable(out, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        release(lock)


def _described(path: Path) -> dict[str, Any]:
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path)}


def _publish(folder: Path, out: Path) -> None:
    """Put a finished folder in the place of its destination."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
    folder.chmod(0o755)
    if not out.exists():
        folder.rename(out)
        return
    retired, lock = make_draft(out, suffix=".old")
    try:
        out.rename(retired / out.name)
        folder.rename(out)
        shutil.rmtree(retired, ignore_errors=True)
    finally:
        release(lock)
