"""Bring repeat masks of different origin to one scale.

Given masks differ in what they call a repeat. The common scale is the k-mer excess
(:mod:`budwood.corpus.masking.kmer_spectrum`). Each given mask is converted to the threshold of excess that
masks the same share of its genome. Genomes without a mask are masked above the median of these thresholds.
Where the recipe states a genome's share of repeats, its mask is adjusted to that share: bases with the lowest
excess are removed from a mask that is too wide, and bases with the highest excess are added to one that is
too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.kmer_spectrum import STEPS, ZERO

#: A soft mask of a smaller or larger share is not informative: the file is all upper or all lower case.
_INFORMATIVE_SHARES: Final = (0.001, 0.95)
_NEVER: Final = 256


@dataclass(frozen=True)
class MaskFacts:
    """Properties of one genome that the calibration uses.

    Attributes
    ----------
    requested
        The recipe's ``mask``.
    has_track
        Whether a repeat track is given.
    repeat_share
        Share of repeats to calibrate to, 0 for none.
    histogram
        (2, 256) number of known bases outside and inside the given mask (track or soft mask), by excess byte.
    """

    requested: str
    has_track: bool
    repeat_share: float
    histogram: NDArray[np.int64]

    @property
    def given_share(self) -> float:
        """Share of known bases in the given mask."""
        return float(self.histogram[1].sum() / max(1, self.histogram.sum()))


@dataclass(frozen=True)
class MaskPlan:
    """How a genome is masked: given bases from ``keep_from`` up, and all bases from ``add_from`` up.

    Attributes
    ----------
    source
        ``track``, ``soft``, ``kmers`` or ``none``.
    keep_from, add_from
        Excess bytes, 256 for never.
    given_share, share
        Share of known bases masked before and after.
    scale
        Threshold of excess in bits that masks the same share as the result; None without k-mers.
    """

    source: str
    keep_from: int
    add_from: int
    given_share: float
    share: float
    scale: float | None

    def apply(self, given: NDArray[np.bool_], excess: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Mask a stretch.

        Parameters
        ----------
        given
            (length,) the given mask.
        excess
            (length,) excess bytes.

        Returns
        -------
        numpy.ndarray
            (length,) ``bool`` mask.

        Examples
        --------
        >>> plan = MaskPlan("soft", 0, 100, 0.5, 0.75, None)
        >>> plan.apply(np.array([True, False, False]), np.array([0, 99, 100], dtype=np.uint8))
        array([ True, False,  True])
        """
        return (given & (excess >= self.keep_from)) | (excess >= self.add_from)

    def table(self) -> dict[str, Any]:
        """Convert to plain values.

        Returns
        -------
        dict
            Field names and values.
        """
        return asdict(self)

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> MaskPlan:
        """Build from the plain values of :meth:`table`.

        Parameters
        ----------
        table
            Field names and values.

        Returns
        -------
        MaskPlan
            The plan.
        """
        return cls(**table)


def mask_source(requested: str, *, has_track: bool, given_share: float) -> str:
    """Choose the origin of a mask: the requested one, or for ``auto`` the first that is informative.

    Parameters
    ----------
    requested
        The recipe's ``mask``.
    has_track
        Whether a repeat track is given.
    given_share
        Share of known bases in the soft mask.

    Returns
    -------
    str
        ``track``, ``soft``, ``kmers`` or ``none``.

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
    """Test whether a soft mask of this share is a mask: a file in one case only has none.

    Parameters
    ----------
    soft_share
        Share of known bases in lower case.

    Returns
    -------
    bool
        Whether the share lies between 0.001 and 0.95.

    Examples
    --------
    >>> is_informative(0.3), is_informative(1.0)
    (True, False)
    """
    return _INFORMATIVE_SHARES[0] < soft_share < _INFORMATIVE_SHARES[1]


def calibrate(genomes: Sequence[MaskFacts], default_excess: float) -> list[MaskPlan]:
    """Plan the masks of all genomes of a corpus on one scale.

    Parameters
    ----------
    genomes
        Properties of each genome.
    default_excess
        Threshold in bits that is used if no genome has a mask.

    Returns
    -------
    list of MaskPlan
        One plan for each genome.
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
    """Find the byte from which the upper share of a histogram is closest to the requested share.

    Examples
    --------
    >>> _from_share(np.array([0, 70, 20, 10]), 0.3)
    2
    """
    above = np.append(np.cumsum(histogram[::-1])[::-1], 0) / max(1, histogram.sum())
    # The highest of equally good thresholds, so that bytes which never occur are not masked.
    return int(len(histogram) - np.argmin(np.abs(above - share)[::-1]))
