"""Entries of a library as archives (.tar.gz) that other libraries import."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from budwood.artifacts import read_manifest, verify_artifact
from budwood.errors import BudwoodError
from budwood.library.card import CARD, Card, check_name, read_card
from budwood.library.model_facts import model_facts
from budwood.library.model_library import ENTRY, MODEL, ModelLibrary

#: An archive may unpack to this many bytes and files: more than any model of today, less than a disk.
_LARGEST: Final = 64 << 30
_MOST_FILES: Final = 10_000
_DEEPEST: Final = 8
_BLOCK: Final = 1 << 20
_FOREIGN: Final = "give an archive that budwood library export wrote"


def export_entry(library: ModelLibrary, name: str, path: Path, *, overwrite: bool = False) -> None:
    """Write an entry as an archive, whole or not at all.

    Parameters
    ----------
    library
        Where it is.
    name
        Name of the entry.
    path
        File to write, ending in .tar.gz.
    overwrite
        Whether a file there may be replaced.

    Raises
    ------
    BudwoodError
        If there is no such entry, it is damaged, or the file is there already or cannot be written.
    """
    path = Path(path)
    if not path.name.endswith((".tar.gz", ".tgz")):
        raise BudwoodError("the archive's name does not end in .tar.gz", where=str(path), mend="name it so")
    if path.exists() and (not overwrite or not path.is_file()):
        raise BudwoodError(
            "there is such a file", where=str(path), mend="give another name, or replace it with --overwrite"
        )
    problems = library.problems(name)
    if problems:
        raise BudwoodError(f"the entry is damaged: {problems[0]}", where=name, mend="add the model again")
    entry = library.folder / name
    partial = path.with_name(f".{path.name}.partial")
    try:
        with tarfile.open(partial, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            for file in sorted(each for each in entry.rglob("*") if each.is_file()):
                archive.add(file, f"{name}/{file.relative_to(entry).as_posix()}", filter=_anonymous)
        partial.replace(path)
    except OSError as error:
        raise BudwoodError(
            f"the archive cannot be written: {error.strerror}", where=str(path), mend="choose another place"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def import_entry(
    library: ModelLibrary, path: Path, *, name: str | None = None, overwrite: bool = False
) -> Card:
    """Add the entry of an archive to a library, once everything in it was checked.

    Only plain files below one folder are unpacked, into a folder that nothing else uses. Links, devices,
    absolute names, names with ``..`` and files twice are refused before anything is written.

    Parameters
    ----------
    library
        Where it goes.
    path
        The archive.
    name
        Name of the entry; the one it had where None.
    overwrite
        Whether an entry of that name may be replaced.

    Returns
    -------
    Card
        Its card.

    Raises
    ------
    BudwoodError
        If the archive is none of Budwood's, is damaged or unsafe, or its model does not open.
    """
    path = Path(path)
    try:
        library.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=library.folder) as folder:
            entry = _unpack(path, Path(folder))
            return _checked(library, entry, path, name, overwrite)
    except OSError as error:
        raise BudwoodError(
            f"the archive cannot be imported: {error.strerror or error}",
            where=str(path),
            mend="check the path, its permissions and the space left",
        ) from error


def _checked(library: ModelLibrary, entry: Path, path: Path, name: str | None, overwrite: bool) -> Card:
    if read_manifest(entry)["kind"] != ENTRY:
        raise BudwoodError("the archive holds no entry of a library", where=str(path), mend=_FOREIGN)
    problems = verify_artifact(entry)
    if problems:
        raise BudwoodError(f"the archive is damaged: {problems[0]}", where=str(path), mend="copy it again")
    card, facts = read_card(entry / CARD), model_facts(entry / MODEL)
    if (card.digest, card.kind) != (facts.digest, facts.kind):
        raise BudwoodError("the card is of another model", where=str(path), mend=_FOREIGN)
    wanted = Card(**{**vars(card), "name": check_name(name or card.name)})
    library.store(entry / MODEL, wanted, overwrite=overwrite)
    return wanted


def _unpack(path: Path, folder: Path) -> Path:
    """Unpack into an empty folder; returns the one folder that the archive holds."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = _members(archive, path)
            for member, parts in members:
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                source = archive.extractfile(member)
                if source is None:
                    raise BudwoodError(f"{member.name!r} is no file", where=str(path), mend=_FOREIGN)
                with source, target.open("xb") as out:
                    while block := source.read(_BLOCK):
                        out.write(block)
                if target.stat().st_size != member.size:
                    raise BudwoodError("the archive ends early", where=str(path), mend="copy it again")
    except (tarfile.TarError, EOFError, zlib.error, UnicodeError, ValueError) as error:
        raise BudwoodError(
            f"the archive cannot be read: {error}", where=str(path), mend="copy it again from its source"
        ) from error
    return folder / members[0][1][0]


def _members(archive: tarfile.TarFile, path: Path) -> list[tuple[tarfile.TarInfo, tuple[str, ...]]]:
    """Files of an archive and their places; all are checked before any is unpacked."""
    found: list[tuple[tarfile.TarInfo, tuple[str, ...]]] = []
    seen: set[str] = set()
    total = 0
    for member in archive:
        parts = _parts(member, path)
        total += member.size
        if len(found) >= _MOST_FILES or total > _LARGEST:
            raise BudwoodError("the archive is too large to be a model", where=str(path), mend=_FOREIGN)
        if member.isdir():
            continue
        if not member.isreg():
            raise BudwoodError(
                f"{member.name[:80]!r} is a link or a device, which is never unpacked",
                where=str(path),
                mend=_FOREIGN,
            )
        # Some file systems do not tell capital letters apart: two such files would become one.
        key = "/".join(parts).lower()
        if key in seen:
            raise BudwoodError(f"{member.name[:80]!r} occurs twice", where=str(path), mend=_FOREIGN)
        seen.add(key)
        found.append((member, parts))
    if not found or len({parts[0] for _, parts in found}) != 1 or min(len(p) for _, p in found) < 2:
        raise BudwoodError("the archive does not hold one entry", where=str(path), mend=_FOREIGN)
    check_name(found[0][1][0])
    return found


def _parts(member: tarfile.TarInfo, path: Path) -> tuple[str, ...]:
    name = member.name
    place = PurePosixPath(name)
    unsafe = (
        not place.parts
        or place.is_absolute()
        or ".." in place.parts
        or any(mark in name for mark in ("\\", ":", "\0"))
        or any(part.startswith(".") for part in place.parts)
        or len(place.parts) > _DEEPEST
    )
    if unsafe:
        raise BudwoodError(
            f"{name[:80]!r} would be unpacked outside its folder or hidden",
            where=str(path),
            mend=_FOREIGN,
        )
    return place.parts


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member without the user's name, rights and time."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode, member.mtime = 0o644, 0
    return member
