"""Random windows and edited copies of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.sequence import reverse_complement

WIDTH = 512


def random_windows(count: int, seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 4, (count, WIDTH), dtype=np.uint8)


def edited_copies(
    windows: NDArray[np.uint8], divergence: float, seed: int, *, shift: int = 0, indels: float = 0.0
) -> NDArray[np.uint8]:
    """Copies up to ``shift`` bases further on, every other one on the other strand.

    ``divergence`` is the chance that a base is hit; a share ``indels`` of the hits inserts or deletes 1 to 4
    bases, the others substitute.
    """
    random = np.random.default_rng(seed)
    copies = np.empty_like(windows)
    for row, window in enumerate(windows):
        onward = np.concatenate([window[random.integers(shift + 1) :], random.integers(0, 4, 2 * WIDTH)])
        copy = _edited(onward, divergence, indels, random)[: windows.shape[1]].astype(np.uint8)
        copies[row] = reverse_complement(copy) if row % 2 else copy
    return copies


def _edited(
    bases: NDArray[np.int64], divergence: float, indels: float, random: np.random.Generator
) -> NDArray[np.int64]:
    edited, start = [], 0
    for at in np.flatnonzero(random.random(len(bases)) < divergence):
        if at < start:
            continue
        edited.append(bases[start:at])
        kind, length = random.random(), random.integers(1, 5)
        start = at + 1
        if kind >= indels:
            edited.append((bases[at : at + 1] + random.integers(1, 4)) % 4)
        elif kind < indels / 2:
            edited += [bases[at : at + 1], random.integers(0, 4, length)]
        else:
            start = at + length
    return np.concatenate([*edited, bases[start:]])
