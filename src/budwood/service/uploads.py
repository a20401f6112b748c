"""Uploaded files: names that stay in their folder, packed files that fill neither disk nor memory."""

from __future__ import annotations

import asyncio
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from fastapi import Request, UploadFile

from budwood.service.refusal import Refusal

T = TypeVar("T")

_BLOCK: Final = 1 << 20
_LONGEST_NAME: Final = 100
_NUMBERED: Final = re.compile(r"([a-z_]+)_([2-9]|[1-9][0-9])")
#: Files that stand for several, by suffix: the one that names them all.
_LEADING: Final = (".bed", ".ped", ".pgen")


def safe_file_name(name: str | None) -> str:
    r"""A file name that is safe as such: its last part, without what a path, a shell or a page reads.

    Parameters
    ----------
    name
        As the client sent it.

    Returns
    -------
    str
        Letters, digits, ``.``, ``_`` and ``-``, never at the beginning a point or a dash.

    Examples
    --------
    >>> safe_file_name("../../etc/passwd"), safe_file_name("C:\\data\\my panel.vcf.gz"), safe_file_name("..")
    ('passwd', 'my_panel.vcf.gz', 'file')
    """
    last = re.split(r"[/\\]", name or "")[-1]
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip("._-")
    if len(plain) > _LONGEST_NAME:  # the suffixes stay: readers look at them
        plain = plain[: _LONGEST_NAME - 20] + plain[-20:]
    return plain or "file"


def numbered_role(role: str) -> tuple[str, int]:
    """A role and its number: several sources, and several tracks, have a file of the same kind each.

    Parameters
    ----------
    role
        As a client sends it; the first has no number.

    Returns
    -------
    tuple of str and int
        The role without its number, and the number.

    Examples
    --------
    >>> numbered_role("orthologs"), numbered_role("orthologs_2"), numbered_role("orthologs_1")
    (('orthologs', 1), ('orthologs', 2), ('orthologs_1', 1))
    """
    found = _NUMBERED.fullmatch(role)
    return (found[1], int(found[2])) if found else (role, 1)


def role_with_number(base: str, number: int) -> str:
    """A role as :func:`numbered_role` takes it apart.

    Parameters
    ----------
    base
        The role without its number.
    number
        From 1.

    Returns
    -------
    str
        The role; the first has no number.

    Examples
    --------
    >>> role_with_number("orthologs", 1), role_with_number("orthologs", 2)
    ('orthologs', 'orthologs_2')
    """
    return base if number == 1 else f"{base}_{number}"


async def in_turn(request: Request, function: Callable[..., T], *values: Any) -> T:
    """Call a function that reads uploads, four at once: many large ones keep no other request waiting.

    Parameters
    ----------
    request
        Which brought the uploads.
    function, *values
        What to call, and with what.

    Returns
    -------
    Any
        What the function returns.
    """
    threads: ThreadPoolExecutor = request.app.state.upload_threads
    return await asyncio.get_running_loop().run_in_executor(threads, partial(function, *values))


def save_uploads(files: Sequence[UploadFile], folder: Path, *, most_unpacked: int) -> Path:
    """Write the files of one role into a folder of their own.

    Parameters
    ----------
    files
        One file, or several that belong together such as a PLINK trio.
    folder
        Made here.
    most_unpacked
        Bytes that a packed file may hold.

    Returns
    -------
    Path
        The file to read: of several the one that stands for all.

    Raises
    ------
    Refusal
        If two files have the same name, or a packed file holds too much.
    """
    folder.mkdir(parents=True)
    paths = []
    for file in files:
        path = folder / safe_file_name(file.filename)
        if path.exists():
            raise Refusal(422, "two files have the same name", where=path.name, mend="rename one of them")
        with path.open("wb") as handle:
            while block := file.file.read(_BLOCK):
                handle.write(block)
        check_unpacked(path, most_unpacked)
        paths.append(path)
    return next((path for path in paths if path.suffix in _LEADING), paths[0])


def check_unpacked(path: Path, most: int) -> None:
    """Refuse a packed file that holds more than is allowed; it is unpacked block by block and not kept.

    Parameters
    ----------
    path
        The file, packed or not.
    most
        Bytes that it may hold.

    Raises
    ------
    Refusal
        If it holds more.
    """
    with path.open("rb") as handle:
        head = handle.read(6)
        handle.seek(0)
        if head.startswith(b"\x1f\x8b"):
            held = _held_by_gzip(handle, most)
        elif head.startswith(b"\xfd7zXZ\x00"):
            held = _held_by_xz(handle, most)
        elif head.startswith(b"PK"):
            held = _held_by_zip(handle)
        else:
            return
    if held > most:
        raise Refusal(
            413,
            f"the packed file holds over {most:,} bytes",
            where=path.name,
            mend="send less at once, or ask who runs the service to raise the bound",
        )


def _held_by_gzip(handle: IO[bytes], most: int) -> int:
    """Unpacked bytes of all members, counted until there are too many; damage is left to the reader."""
    held, unpacker = 0, zlib.decompressobj(wbits=31)
    try:
        while packed := handle.read(_BLOCK):
            while packed and held <= most:
                held += len(unpacker.decompress(packed, _BLOCK))
                packed = unpacker.unconsumed_tail
                if unpacker.eof:
                    packed = unpacker.unused_data
                    unpacker = zlib.decompressobj(wbits=31)
            if held > most:
                break
    except zlib.error:
        pass
    return held


def _held_by_xz(handle: IO[bytes], most: int) -> int:
    held = 0
    try:
        with lzma.open(handle) as unpacked:
            while held <= most and (block := unpacked.read(_BLOCK)):
                held += len(block)
    except (lzma.LZMAError, EOFError):
        pass
    return held


def _held_by_zip(handle: IO[bytes]) -> int:
    """Bytes that the members declare; Python's reader gives no more than that."""
    try:
        with zipfile.ZipFile(handle) as archive:
            return sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return 0
