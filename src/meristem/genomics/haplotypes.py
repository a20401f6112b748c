"""HaplotypeTable: the distinct sequences of every window across a panel, and who carries which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.genomics.interval import Interval


@dataclass(frozen=True)
class HaplotypeTable:
    """Distinct window sequences of a panel (see DESIGN section 4).

    Attributes
    ----------
    accessions
        n ids in file order.
    windows
        W reference intervals of :data:`meristem.config.WINDOW` bases (shorter only at a contig's end).
    sequences
        (H, 512) ``uint8`` codes, grouped by window; within a window the reference comes first.
        Positions past a contig's end are PAD.
    offsets
        (W + 1,) ``int64``; window w owns rows ``offsets[w]:offsets[w + 1]`` of ``sequences``.
    codes
        (n, W, ploidy), the smallest unsigned type that fits: row within the window of each copy; the
        type's largest value marks a copy the accession does not have (lower ploidy).
    assumptions
        Counts of what had to be assumed or left out, for the summary (sites skipped by reason, calls that
        were missing, accession-windows whose phase was assumed, ...).
    """

    accessions: tuple[str, ...]
    windows: tuple[Interval, ...]
    sequences: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    codes: NDArray[np.unsignedinteger]
    assumptions: Mapping[str, int]
