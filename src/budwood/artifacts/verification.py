"""Whether an artifact is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from budwood.artifacts.manifest import (
    MANIFEST,
    has_digest,
    manifest_digest,
    read_manifest,
    sha256,
    unlisted_names,
)
from budwood.errors import BudwoodError

_CHANGED: Final = "has changed since it was written"


def verify_artifact(folder: Path) -> list[str]:
    """Check that an artifact is complete and unchanged since it was written.

    Parameters
    ----------
    folder
        The artifact.

    Returns
    -------
    list of str
        Its problems: missing, changed and unlisted files, a changed manifest; empty when there are none.

    Raises
    ------
    BudwoodError
        If the folder has no readable manifest or one of a newer schema.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    problems = [f"{name} is missing" for name in sorted(manifest["files"]) if not (folder / name).is_file()]
    problems += [f"{name} is not in the manifest" for name in unlisted_names(folder, manifest)]
    return problems + [f"{name} {_CHANGED}" for name in changed_names(folder)]


def require_unchanged(folder: Path, *, mend: str) -> None:
    """Refuse a result that is not as it was written, before its files are used.

    Parameters
    ----------
    folder
        The artifact.
    mend
        What to do about it.

    Raises
    ------
    BudwoodError
        If a file of it is missing, changed or unlisted, or it has no readable manifest.
    """
    problems = verify_artifact(folder)
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise BudwoodError(
            f"the result is not as it was written: {problems[0]}{more}", where=str(folder), mend=mend
        )


def changed_names(folder: Path) -> list[str]:
    """Files of an artifact that are there and differ from what was written, its manifest included.

    Parameters
    ----------
    folder
        The artifact.

    Returns
    -------
    list of str
        Their names, sorted, the manifest last.

    Raises
    ------
    BudwoodError
        If the folder has no readable manifest or one of a newer schema.
    """
    manifest = read_manifest(folder)
    listed: dict[str, str] = manifest["files"]
    present = [name for name in sorted(listed) if (folder / name).is_file()]
    changed = [name for name in present if sha256(folder / name) != listed[name]]
    if has_digest(manifest) and manifest.get("digest") != manifest_digest(manifest):
        changed.append(MANIFEST)
    return changed


def verification_notes(folder: Path) -> list[str]:
    """What :func:`verify_artifact` cannot find in an artifact.

    Parameters
    ----------
    folder
        The artifact.

    Returns
    -------
    list of str
        A sentence for the manifest of an early release, which holds no digest of itself; else empty.

    Raises
    ------
    BudwoodError
        If the folder has no readable manifest or one of a newer schema.
    """
    if has_digest(read_manifest(folder)):
        return []
    return [
        "an early release wrote this manifest without its own digest: "
        "changes of its seeds, parameters and metrics cannot be found"
    ]
