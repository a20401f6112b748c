"""A species' contigs with random access by interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from meristem.genomics.interval import Interval


class Assembly(Protocol):
    """Sequence by interval, without loading the genome.

    :func:`meristem.genomics.io.fasta.open_fasta` opens a file as one;
    :class:`InMemoryAssembly` wraps arrays.
    """

    @property
    def contigs(self) -> Mapping[str, int]:
        """Contig lengths in file order."""

    def sequence(self, interval: Interval) -> NDArray[np.uint8]:
        """Codes of the interval (reverse complemented on ``-``); MeristemError past a contig's end."""

    def soft_mask(self, interval: Interval) -> NDArray[np.bool_]:
        """Whether each base of the interval is lower case in the file (reversed on ``-``)."""
