"""A fixed set of windows for training, for experiments on the number of distinct windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.sampling.genome import no_tracks
from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import DrawnWindow, WindowBatch, stack_windows
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import UNLABELLED


class WindowSet:
    """Draws every window of a set equally often, in a new order in each epoch, each on a random strand.

    A batch depends only on the seed and its number, as for
    :class:`budwood.corpus.sampling.sampler.WindowSampler`. The windows have no annotation.

    Parameters
    ----------
    codes
        (windows, length) bases.
    species
        (windows,) number of the species of each window.
    seed
        Determines everything random.
    repeat
        (windows, length) whether a base is a repeat; none by default.

    Examples
    --------
    >>> windows = WindowSet(np.zeros((4, 8), dtype=np.uint8), np.array([0, 1, 2, 3]), seed=1)
    >>> [sorted(windows.batch(number, 4).species.tolist()) for number in (0, 5)]
    [[0, 1, 2, 3], [0, 1, 2, 3]]
    """

    def __init__(
        self,
        codes: NDArray[np.uint8],
        species: NDArray[np.integer],
        *,
        seed: int,
        repeat: NDArray[np.bool_] | None = None,
    ) -> None:
        if not len(codes):
            raise BudwoodError("the set has no window", where="windows", mend="give some")
        self.codes = codes
        self.species = species
        self.repeat = np.zeros(codes.shape, dtype=np.bool_) if repeat is None else repeat
        self.seed = seed

    def shape(self, number: int, size: int) -> tuple[int, int]:
        """Windows of a batch and their bases.

        Parameters
        ----------
        number, size
            As for :meth:`batch`.

        Returns
        -------
        tuple of int, int
            Number of windows and bases of a window.
        """
        return size, self.codes.shape[1]

    def batch(self, number: int, size: int, *, first: int = 0, step: int = 1) -> WindowBatch:
        """Draw a batch.

        Parameters
        ----------
        number
            Number of the batch from 0.
        size
            Number of windows.
        first, step
            Every ``step``-th window of the batch, from ``first`` on: the share of one process of several.
            The shares together are the batch of one process.

        Returns
        -------
        WindowBatch
            The windows, each on a random strand.
        """
        strands = np.random.default_rng((self.seed, number)).random(size) < 0.5
        epoch, place = np.divmod(number * size + np.arange(size), len(self.codes))
        orders = {
            number: np.random.default_rng((self.seed, number, 3)).permutation(len(self.codes))
            for number in np.unique(epoch).tolist()
        }
        rows = [int(orders[int(t)][int(p)]) for t, p in zip(epoch, place, strict=True)]
        own = range(first, size, step)
        drawn = [self._window(rows[place]) for place in own]
        return stack_windows(
            [w.reverse_complement() if strands[k] else w for k, w in zip(own, drawn, strict=True)]
        )

    def _window(self, row: int) -> DrawnWindow:
        codes = self.codes[row]
        region = np.full(len(codes), UNLABELLED, dtype=np.uint8)
        tracks = no_tracks(len(codes))
        return DrawnWindow(codes, self.repeat[row], region, NO_ANCHOR, 0, int(self.species[row]), tracks)
