"""Artifacts: folders that say what they were made from, written whole or not at all.

A folder is filled beside its destination and renamed into place only when everything in it is on disk, so
a crash, a full disk or ``kill -9`` leaves either the old folder or none. ``manifest.json`` (schema
version 1) holds the inputs with their SHA-256, the parameters, seeds, versions, metrics and the SHA-256
of every file of the folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from budwood.errors import BudwoodError

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_VERSIONED: Final = ("budwood", "numpy", "scipy", "torch", "transformers", "scikit-learn")


@dataclass
class Draft:
    """An artifact being written: put files under :attr:`folder`, facts into the mappings."""

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Where the file ``name`` of the artifact is to be written."""
        return self.folder / name


def sha256(path: Path) -> str:
    """SHA-256 of a file as hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "empty")
    ...     _ = file.write_bytes(b"")
    ...     sha256(file)[:8]
    'e3b0c442'
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def write_artifact(
    out: Path,
    *,
    kind: str,
    inputs: Sequence[Path] = (),
    parameters: Mapping[str, Any] | None = None,
    seeds: Mapping[str, int] | None = None,
) -> Iterator[Draft]:
    """Write a folder atomically; an exception inside leaves the destination untouched.

    Parameters
    ----------
    out
        Destination. An earlier artifact there is replaced; a non-empty folder that is no artifact, or a
        file, is refused.
    kind
        What the artifact is (``"predict"``, ``"checkpoint"``, ...).
    inputs
        Files it was made from; their SHA-256 go into the manifest.

    Raises
    ------
    BudwoodError
        If the destination cannot be written to (in the way, no permission, full disk).
    """
    out = Path(out)
    _refuse_foreign(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    except OSError as error:
        raise _unwritable(out, error) from error
    draft = Draft(folder, parameters=dict(parameters or {}))
    try:
        yield draft
        _write_manifest(draft, kind, inputs, dict(seeds or {}))
        _publish(folder, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def verify_artifact(folder: Path) -> list[str]:
    """What is wrong with an artifact: missing, changed or unlisted files; an empty list when it is sound.

    Raises
    ------
    BudwoodError
        If the folder has no readable manifest or one of a newer schema.
    """
    manifest = read_manifest(folder)
    listed: dict[str, str] = manifest["files"]
    present = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    problems = [f"{name} is missing" for name in sorted(set(listed) - present)]
    problems += [f"{name} is not in the manifest" for name in sorted(present - set(listed))]
    for name in sorted(present & set(listed)):
        if sha256(folder / name) != listed[name]:
            problems.append(f"{name} has changed since it was written")
    return problems


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an artifact, checked for its schema version."""
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        schema = manifest["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BudwoodError(
            "this is no artifact: its manifest cannot be read",
            where=str(path),
            mend="give a folder that budwood wrote",
        ) from error
    if schema > SCHEMA_VERSION:
        raise BudwoodError(
            f"the artifact has schema version {schema}, this release reads up to {SCHEMA_VERSION}",
            where=str(path),
            mend="update budwood",
        )
    return dict(manifest)


def library_versions() -> dict[str, str]:
    """Versions of what computed a result."""
    found = {"python": platform.python_version()}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _refuse_foreign(out: Path) -> None:
    if out.is_file():
        raise BudwoodError(
            "a file is in the way of the output folder", where=str(out), mend="choose another --out"
        )
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise BudwoodError(
            "the output folder holds files that budwood did not write",
            where=str(out),
            mend="choose an empty or new folder for --out",
        )


def _write_manifest(draft: Draft, kind: str, inputs: Sequence[Path], seeds: dict[str, int]) -> None:
    files = sorted(p for p in draft.folder.rglob("*") if p.is_file())
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": [
            {"name": p.name, "bytes": p.stat().st_size, "sha256": sha256(p)} for p in map(Path, inputs)
        ],
        "parameters": draft.parameters,
        "seeds": seeds,
        "versions": library_versions(),
        "metrics": draft.metrics,
        "files": {str(p.relative_to(draft.folder)): sha256(p) for p in files},
    }
    text = json.dumps(manifest, indent=2, sort_keys=True, default=str)
    (draft.folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _publish(folder: Path, out: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
    folder.chmod(0o755)
    if not out.exists():
        folder.rename(out)
        return
    retired = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".old", dir=out.parent))
    out.rename(retired / out.name)
    folder.rename(out)
    shutil.rmtree(retired, ignore_errors=True)


def _unwritable(out: Path, error: OSError) -> BudwoodError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    what = (
        "the disk is full, nothing was written" if full else f"the output cannot be written: {error.strerror}"
    )
    mend = "free some space or choose another --out" if full else "choose another --out"
    return BudwoodError(what, where=str(out), mend=mend)
