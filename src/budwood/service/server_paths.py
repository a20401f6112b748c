"""Answers name files as a client knows them, and not where the server keeps them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from budwood.errors import BudwoodError
from budwood.service.refusal import Refusal
from budwood.service.settings import ServiceSettings


@contextmanager
def named_from(folder: Path) -> Iterator[None]:
    """Let errors name files from a folder on, and not where that folder is on the server.

    Parameters
    ----------
    folder
        Holds the files that the body reads.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    BudwoodError
        Those of the body, with short paths.
    """
    try:
        yield
    except BudwoodError as error:
        parts = (shortened(text, folder) for text in (error.what, error.where, error.mend))
        what, where, mend = parts
        raise BudwoodError(what, where=where, mend=mend) from error


def shortened(text: str, folder: Path) -> str:
    """A text in which paths begin within a folder.

    Parameters
    ----------
    text
        Sentence or path.
    folder
        What is left out.

    Returns
    -------
    str
        The text with the paths that a client knows.

    Examples
    --------
    >>> shortened("/srv/jobs/7/inputs/genotypes/a.vcf, line 3", Path("/srv/jobs/7/inputs"))
    'genotypes/a.vcf, line 3'
    """
    for each in dict.fromkeys((str(folder), str(folder.resolve()))):
        text = text.replace(f"{each}/", "").replace(each, "")
    return text


def without_server_paths(refusal: Refusal, settings: ServiceSettings) -> Refusal:
    """A refusal that does not say where the server keeps its folders.

    Parameters
    ----------
    refusal
        Whatever an answer is to say.
    settings
        Name the folders.

    Returns
    -------
    Refusal
        The same, with paths from these folders on.
    """
    what, where, mend = (plain_text(text, settings) for text in (refusal.what, refusal.where, refusal.mend))
    return Refusal(refusal.status_code, what, where=where, mend=mend, headers=refusal.headers)


def plain_text(text: str, settings: ServiceSettings) -> str:
    """A text without the paths of the server's folders.

    Parameters
    ----------
    text
        Sentence or path.
    settings
        Name the folders.

    Returns
    -------
    str
        The text with paths from these folders on.
    """
    checkpoint = settings.encoder.checkpoint
    folders = [settings.model_folder, settings.library_folder, settings.genomes, settings.folder]
    folders += [None if checkpoint is None else checkpoint.parent, Path(tempfile.gettempdir())]
    for folder in folders:
        # A relative name, such as "service", may be a word of the sentence as well.
        whole = None if folder is None else folder if folder.is_absolute() else folder.resolve()
        if whole is not None and whole != whole.parent:
            text = shortened(text, whole)
    return text
