"""Windows that resemble one another: shared k-mers propose pairs, alignment measures them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from meristem.corpus.minhash import SketchConfig, canonical_windows, sketch
from meristem.corpus.seed_index import Candidates, Keys, SeedIndex, SeedLayout, best_of_each, pair_up
from meristem.corpus.window_alignment import BAND, stretch_identity, turned
from meristem.errors import MeristemError


@dataclass(frozen=True)
class SearchConfig:
    """How hard to look for pairs.

    Attributes
    ----------
    sketch
        Which k-mers propose pairs.
    least_seeds
        K-mers that a pair has in common, in order and near one diagonal.
    most_windows_per_seed
        Of a k-mer that more windows hold, only so many are looked at: the cost of a repeat family is linear.
    most_candidates
        Pairs aligned per window, those with most k-mers in common first.
    """

    sketch: SketchConfig = field(default_factory=SketchConfig)
    least_seeds: int = 1
    most_windows_per_seed: int = 64
    most_candidates: int = 16


class WindowSearch:
    """Windows known by their place in an order.

    Every window is read on its canonical strand, so that results do not depend on the strand given.

    Parameters
    ----------
    windows
        (n, window) codes, checked.
    order
        (n,) indices of the windows.
    config
        How hard to look.
    """

    def __init__(self, windows: NDArray[np.uint8], order: NDArray[np.int64], config: SearchConfig) -> None:
        count, width = windows.shape
        self.windows, self.order, self.config = windows, order, config
        self.layout = SeedLayout.of(count, width, config.sketch.length, config.sketch.scale)

    def codes(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Windows on their canonical strand."""
        return canonical_windows(self.windows[self.order[places]])

    def seeds(self, start: int, stop: int) -> Keys:
        """Packed seeds of the windows from ``start`` to ``stop``."""
        places = np.arange(start, stop)
        return self.layout.pack(sketch(self.codes(places), self.config.sketch), places)

    def index(self, *keys: Keys) -> SeedIndex:
        """An index of these seeds."""
        index = SeedIndex(self.layout, self.config.most_windows_per_seed)
        for part in keys:
            index.add(part)
        return index

    def found(self, keys: Keys, index: SeedIndex) -> Candidates:
        """Likeliest pairs of the windows whose seeds these are with those of an index."""
        return self._candidates(index.hits(keys))

    def earlier(self, keys: Keys) -> Candidates:
        """Likeliest pairs of the windows whose seeds these are with earlier ones among them."""
        return self._candidates(self.layout.earlier(self.index(keys).hits(keys)))

    def compare(self, pairs: Candidates, stretch: int) -> NDArray[np.float32]:
        """Identity of each pair over its best stretch of so many bases."""
        targets = turned(self.codes(pairs.target), pairs.reverse)
        return stretch_identity(self.codes(pairs.query), targets, pairs.diagonal, [stretch])[:, 0]

    def _candidates(self, hits: NDArray[np.int64]) -> Candidates:
        pairs = pair_up(hits, self.layout, BAND, self.config.least_seeds)
        return best_of_each(pairs, self.config.most_candidates)


def stretch_bases(coverage: float, width: int) -> int:
    """Bases of a share of a window, at least one."""
    return max(1, round(coverage * width))


def check_shares(what: str, shares: Sequence[float]) -> None:
    """Raise unless all lie above 0 and not above 1."""
    if not shares or not all(0 < share <= 1 for share in shares):
        raise MeristemError(f"{what} {shares} is not above 0 and at most 1", where=what)
