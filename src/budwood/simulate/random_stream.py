"""Independent random number generators, one for each part of a simulation."""

from __future__ import annotations

import zlib

import numpy as np


def random_stream(seed: int, *part: str) -> np.random.Generator:
    """Make the random number generator of one named part of a simulation.

    Each part draws from a generator of its own. Changing one part, for example the number of transposons,
    therefore leaves every other part of the same seed unchanged.

    Parameters
    ----------
    seed
        The user's seed, 0 or more.
    *part
        Words that name the part, for example ``"gene"`` and the contig.

    Returns
    -------
    numpy.random.Generator
        A new generator, seeded by the seed and the CRC-32 of each word.

    Examples
    --------
    >>> first, same = random_stream(1, "gene", "Chr1"), random_stream(1, "gene", "Chr1")
    >>> int(first.integers(100)) == int(same.integers(100))
    True
    >>> first, other = random_stream(1, "gene").random(4), random_stream(1, "trait").random(4)
    >>> bool((first == other).any())
    False
    """
    return np.random.default_rng([seed, *(zlib.crc32(word.encode()) for word in part)])
