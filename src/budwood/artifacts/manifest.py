"""The manifest of an artifact: how it is read, and what it says about the folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any, Final

from budwood.errors import BudwoodError

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
_VERSIONED: Final = ("budwood", "numpy", "scipy", "torch", "transformers", "scikit-learn")
#: Entries of a manifest whose values are mappings.
_MAPPINGS: Final = ("files", "parameters", "seeds", "metrics", "versions")
#: Files that desktops put into folders that are only looked at.
_OF_THE_DESKTOP: Final = (".DS_Store", "Thumbs.db", "desktop.ini")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of an artifact.

    Parameters
    ----------
    folder
        The artifact.

    Returns
    -------
    dict
        The manifest; its schema version and the types of its entries are checked, its digest is not.

    Raises
    ------
    BudwoodError
        If there is no manifest, if it is not one of Budwood's, or if a newer release wrote it.
    """
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_artifact(path) from error
    if _is_newer(manifest):
        raise BudwoodError(
            f"the artifact has schema version {manifest['schema_version']}, this release reads up to "
            f"{SCHEMA_VERSION}",
            where=str(path),
            mend="update budwood",
        )
    if not _is_manifest(manifest):
        raise _no_artifact(path)
    return dict(manifest)


def artifact_kind(folder: Path) -> str | None:
    """Kind of the artifact that a folder holds, whichever release wrote it.

    Parameters
    ----------
    folder
        Any folder.

    Returns
    -------
    str or None
        ``"trait-model"`` and the like; None where the folder holds no manifest of Budwood's.
    """
    try:
        manifest = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return str(manifest["kind"]) if _is_newer(manifest) or _is_manifest(manifest) else None


def write_manifest(folder: Path, entries: Mapping[str, Any]) -> None:
    """Write the manifest of a folder that holds all its other files.

    Parameters
    ----------
    folder
        The artifact.
    entries
        Entries of the manifest; those on the release, the files and the digest are added.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    versions = library_versions()
    manifest = {
        **entries,
        "schema_version": SCHEMA_VERSION,
        "budwood": versions.get("budwood", "unknown"),
        "versions": versions,
        "files": {path.relative_to(folder).as_posix(): sha256(path) for path in files},
    }
    # The digest is of what a reader gets back: JSON turns tuples into lists and paths into text.
    manifest = json.loads(json.dumps(manifest, default=str))
    manifest["digest"] = manifest_digest(manifest)
    text = json.dumps(manifest, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """SHA-256 of a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

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


def files_digest(folder: Path, names: Iterable[str]) -> str:
    """SHA-256 over the names and contents of files of one folder.

    Parameters
    ----------
    folder
        Holds the files.
    names
        Paths of the files below the folder, in the order in which they count.

    Returns
    -------
    str
        64 hexadecimal digits: the SHA-256 of the lines "name digest".

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a").write_text("x")
    ...     files_digest(Path(folder), ["a"])[:8]
    'fc41f304'
    """
    listing = "".join(f"{name} {sha256(folder / name)}\n" for name in names)
    return hashlib.sha256(listing.encode()).hexdigest()


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest without its entry ``digest``.

    Parameters
    ----------
    manifest
        The manifest as :func:`read_manifest` returns it.

    Returns
    -------
    str
        64 hexadecimal digits; the order of keys and white space do not change them.

    Examples
    --------
    >>> manifest_digest({"seeds": {"seed": 1}}) == manifest_digest({"seeds": {"seed": 2}})
    False
    """
    rest = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def has_digest(manifest: Mapping[str, Any]) -> bool:
    """Whether the release that wrote a manifest gave it a digest of its own.

    Parameters
    ----------
    manifest
        The manifest as :func:`read_manifest` returns it.

    Returns
    -------
    bool
        False for manifests of early releases, which do not name the release either.

    Examples
    --------
    >>> has_digest({"schema_version": 1, "kind": "predict"})
    False
    """
    return "budwood" in manifest or "digest" in manifest


def library_versions() -> dict[str, str]:
    """Versions of Python, of Budwood and of the libraries that it computes with.

    Returns
    -------
    dict of str to str
        Version by name; libraries that are not installed are left out.

    Examples
    --------
    >>> "numpy" in library_versions()
    True
    """
    found = {"python": platform.python_version()}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def unlisted_names(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Names in a folder that its manifest does not list.

    Parameters
    ----------
    folder
        The artifact.
    manifest
        Its manifest.

    Returns
    -------
    list of str
        Files, links and folders without a listed file, relative to the folder and sorted. Files that desktops
        make by themselves are left out.
    """
    files = {*manifest["files"], MANIFEST}
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    found = []
    for place, inner, names in os.walk(folder):
        here = Path(place).relative_to(folder)
        for name in list(inner):
            path = here / name
            if path.as_posix() not in folders or (folder / path).is_symlink():
                found.append(path.as_posix())
                inner.remove(name)
        for name in names:
            path = here / name
            foreign = path.as_posix() not in files or (folder / path).is_symlink()
            if foreign and name not in _OF_THE_DESKTOP:
                found.append(path.as_posix())
    return sorted(found)


def _is_newer(manifest: object) -> bool:
    """Whether a JSON value is a manifest that a release with a newer schema wrote."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("kind"), str):
        return False
    schema = manifest.get("schema_version")
    return type(schema) is int and schema > SCHEMA_VERSION


def _is_manifest(manifest: object) -> bool:
    """Whether a JSON value is a manifest of Budwood's, of this or an earlier release."""
    if not isinstance(manifest, dict) or type(manifest.get("schema_version")) is not int:
        return False
    typed = isinstance(manifest.get("kind"), str) and isinstance(manifest.get("inputs"), list)
    typed = typed and all(isinstance(manifest.get(key), dict) for key in _MAPPINGS)
    return typed and all(_is_name(key) and isinstance(value, str) for key, value in manifest["files"].items())


def _is_name(name: str) -> bool:
    """Whether a name of a manifest stays within its folder."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _no_artifact(path: Path) -> BudwoodError:
    held = [] if path.exists() else inner_artifacts(path.parent)
    if held:
        listed = ", ".join(held[:6]) + (", ..." if len(held) > 6 else "")
        return BudwoodError(
            f"this is no artifact, but a folder that holds {len(held):,}: {listed}",
            where=str(path.parent),
            mend=f"give one of them, such as {path.parent / held[0]}",
        )
    if not path.parent.exists():
        return BudwoodError(
            "this is no artifact: there is no such folder", where=str(path.parent), mend="check its name"
        )
    return BudwoodError(
        "this is no artifact: its manifest cannot be read",
        where=str(path),
        mend="give the folder that budwood wrote, not one that holds it",
    )


def inner_artifacts(folder: Path) -> list[str]:
    """Names of the artifacts that lie in a folder, such as the models of several traits.

    Parameters
    ----------
    folder
        Any path.

    Returns
    -------
    list of str
        In alphabetical order; empty where there is none, or the folder cannot be read.
    """
    try:
        inner = [path for path in folder.iterdir() if (path / MANIFEST).is_file()]
    except OSError:
        return []
    return sorted(path.name for path in inner if not path.name.startswith("."))  # a draft is hidden
