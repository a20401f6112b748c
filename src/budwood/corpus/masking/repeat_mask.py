"""Repeat masks of different origin on one scale.

Given masks differ in how much they call repeat. The common scale is the k-mer excess
(:mod:`budwood.corpus.masking.kmer_spectrum`): every given mask is read as the threshold of excess that would mask
the same share of its genome, and genomes without a mask are masked from the median of those thresholds on.
Where the recipe states a genome's share of repeats, its mask is brought to that share: bases of least excess
are taken out of a mask that is too wide, bases of highest excess are added to one that is too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.kmer_spectrum import STEPS, ZERO

#: A soft mask of less or more than this says nothing: the file is all upper or all lower case.
_SAYS_NOTHING: Final = (0.001, 0.95)
_NEVER: Final = 256


@dataclass(frozen=True)
class MaskFacts:
    """One genome as the calibration sees it.

    Attributes
    ----------
    requested
        The recipe's ``mask``.
    has_track
        Whether a repeat track is given.
    repeat_share
        Share to calibrate to, 0 for none.
    histogram
        (2, 256) known bases by whether the given mask (track or soft mask) holds them and by their excess
        byte.
    """

    requested: str
    has_track: bool
    repeat_share: float
    histogram: NDArray[np.int64]

    @property
    def given_share(self) -> float:
        """Share of known bases that the given mask holds."""
        return float(self.histogram[1].sum() / max(1, self.histogram.sum()))


@dataclass(frozen=True)
class MaskPlan:
    """How a genome is masked: given bases from ``keep_from`` on, and all bases from ``add_from`` on.

    Attributes
    ----------
    source
        ``track``, ``soft``, ``kmers`` or ``none``.
    keep_from, add_from
        Excess bytes, 256 for never.
    given_share, share
        Share of known bases masked before and after.
    scale
        Threshold of excess, in bits, that masks as large a share as the result; None without k-mers.
    """

    source: str
    keep_from: int
    add_from: int
    given_share: float
    share: float
    scale: float | None

    def apply(self, given: NDArray[np.bool_], excess: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """The mask of a stretch from its given mask and its excess."""
        return (given & (excess >= self.keep_from)) | (excess >= self.add_from)

    def table(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> MaskPlan:
        """From plain values."""
        return cls(**table)


def mask_source(requested: str, *, has_track: bool, given_share: float) -> str:
    """Where a mask comes from: what was requested for, or for ``auto`` the first that says something.

    Examples
    --------
    >>> mask_source("auto", has_track=False, given_share=0.26)
    'soft'
    >>> mask_source("auto", has_track=False, given_share=1.0)  # a genome in lower case only
    'kmers'
    """
    if requested != "auto":
        return requested
    if has_track:
        return "track"
    return "soft" if is_informative(given_share) else "kmers"


def is_informative(soft_share: float) -> bool:
    """Whether a soft mask of this share is one: a file in one case only has none.

    Examples
    --------
    >>> is_informative(0.3), is_informative(1.0)
    (True, False)
    """
    return _SAYS_NOTHING[0] < soft_share < _SAYS_NOTHING[1]


def calibrate(genomes: Sequence[MaskFacts], default_excess: float) -> list[MaskPlan]:
    """Plans for all genomes of a corpus, on one scale.

    Parameters
    ----------
    default_excess
        Threshold in bits for the case that no genome comes with a mask.
    """
    sources = [mask_source(g.requested, has_track=g.has_track, given_share=g.given_share) for g in genomes]
    given = [g for g, source in zip(genomes, sources, strict=True) if source in ("track", "soft")]
    scale = [_from_share(g.histogram.sum(axis=0), g.repeat_share or g.given_share) for g in given]
    common = int(np.median(scale)) if scale else round(default_excess * STEPS) + ZERO
    return [_plan(genome, source, common) for genome, source in zip(genomes, sources, strict=True)]


def _plan(genome: MaskFacts, source: str, common: int) -> MaskPlan:
    free, masked = genome.histogram
    known, wanted = genome.histogram.sum(), genome.repeat_share
    keep, add = _NEVER, _NEVER
    if source == "kmers":
        add = _from_share(free + masked, wanted) if wanted else common
    elif source != "none":
        keep = 0
        if wanted and wanted < genome.given_share:
            keep = _from_share(masked, wanted * known / max(1, masked.sum()))
        elif wanted:
            add = _from_share(free, (wanted * known - masked.sum()) / max(1, free.sum()))
    share = float((masked[min(keep, add) :].sum() + free[add:].sum()) / max(1, known))
    level = (_from_share(free + masked, share) - ZERO) / STEPS if known else None
    return MaskPlan(source, keep, add, genome.given_share, share, level)


def _from_share(histogram: NDArray[np.int64], share: float) -> int:
    """The byte from which on the share of a histogram comes nearest to the one wanted.

    Examples
    --------
    >>> _from_share(np.array([0, 70, 20, 10]), 0.3)
    2
    """
    above = np.append(np.cumsum(histogram[::-1])[::-1], 0) / max(1, histogram.sum())
    # Of equally good thresholds the highest, so that bytes which never occur are not called repeat.
    return int(len(histogram) - np.argmin(np.abs(above - share)[::-1]))
