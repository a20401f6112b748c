"""Sizes that every layer uses, and the places where Budwood keeps files.

The functions read the environment when they are called; nothing is read at import.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

#: Bases in one window, the encoder's unit of sequence.
WINDOW: Final = 512

#: Bases in the middle of a window whose mean describes a site.
CENTRE_BASES: Final = 8

#: Numbers in one embedding.
EMBEDDING: Final = 512


#: Environment variables by which users set the number of threads of linear algebra themselves.
THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def cache_directory() -> Path:
    """Folder for what can be computed again (embeddings, unpacked genomes).

    Returns
    -------
    Path
        The folder that ``BUDWOOD_CACHE`` names, else the operating system's usual one; it may not exist yet.

    Examples
    --------
    >>> isinstance(cache_directory(), Path)
    True
    """
    named = os.environ.get("BUDWOOD_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("budwood"))


def library_directory() -> Path:
    """Folder of the model library where none is named.

    Returns
    -------
    Path
        The folder that ``BUDWOOD_LIBRARY`` names, else one in the operating system's place for data; it may
        not exist yet.

    Examples
    --------
    >>> library_directory().is_absolute()
    True
    """
    named = os.environ.get("BUDWOOD_LIBRARY")
    return Path(named).absolute() if named else Path(platformdirs.user_data_dir("budwood")) / "library"


def service_directory() -> Path:
    """Folder of the service where none is named.

    Returns
    -------
    Path
        The folder that ``BUDWOOD_SERVICE`` names, else one in the operating system's place for data; it may
        not exist yet.

    Examples
    --------
    >>> service_directory().is_absolute()
    True
    """
    named = os.environ.get("BUDWOOD_SERVICE")
    return Path(named).absolute() if named else Path(platformdirs.user_data_dir("budwood")) / "service"
