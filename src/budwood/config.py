"""Sizes that every layer agrees on, and the places where Budwood keeps files.

Nothing here is read from the environment at import; the functions look when they are called.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

#: Bases in one window, the encoder's unit of sequence.
WINDOW: Final = 512

#: Bases in the middle of a window whose mean says what stands at a site.
CENTRE_BASES: Final = 8

#: Numbers in one embedding.
EMBEDDING: Final = 512


def cache_directory() -> Path:
    """Folder for what can be computed again (embeddings, unpacked genomes).

    ``BUDWOOD_CACHE`` names another folder than the operating system's usual one.

    Examples
    --------
    >>> isinstance(cache_directory(), Path)
    True
    """
    named = os.environ.get("BUDWOOD_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("budwood"))
