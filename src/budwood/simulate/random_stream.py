"""Independent random streams, one per part of a simulation."""

from __future__ import annotations

import zlib

import numpy as np


def random_stream(seed: int, *part: str) -> np.random.Generator:
    """A random stream that belongs to one named part of a simulation.

    Each part draws from its own stream, so asking for more of one thing (say, transposons) leaves
    everything else of the same seed as it was.

    Parameters
    ----------
    seed
        The user's seed, 0 or more.
    part
        Words that name the part, for example ``"gene"`` and the contig.

    Examples
    --------
    >>> int(random_stream(1, "gene", "Chr1").integers(100)) == int(random_stream(1, "gene", "Chr1").integers(100))
    True
    >>> first, other = random_stream(1, "gene").random(4), random_stream(1, "trait").random(4)
    >>> bool((first == other).any())
    False
    """
    return np.random.default_rng([seed, *(zlib.crc32(word.encode()) for word in part)])
