"""Whether the loci that matter to the source's trait matter to the target's as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.checks.marker_match import plain_contig
from budwood.transfer.locus_map import LocusMap

Vector = NDArray[np.float64]

#: Share of the source's loci that count as its most important, and random placements of them.
TOP: Final = 0.05
PLACEMENTS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class LocusOverlap:
    """Importance in the target of the loci that matter most in the source.

    Attributes
    ----------
    loci
        How many of the source's loci were looked at.
    observed, expected
        Their mean importance in the target, and that of as many loci at random places.
    p_value
        Share of the random places with at least this importance.
    leading
        Names of the loci with the largest importance in both.
    """

    loci: int
    observed: float
    expected: float
    p_value: float
    leading: tuple[str, ...]


def locus_overlap(
    loci: LocusMap, source: Vector, target: Vector, *, seed: int = 0, top: float = TOP
) -> LocusOverlap | None:
    """Test the overlap of both sides' important loci.

    The random places are the same loci, all moved by one distance along the target's genome and round its
    end: sizes and neighbourhoods stay as they are, so that linkage does not make chance look like overlap.

    Parameters
    ----------
    loci
        Pairs of loci.
    source, target
        (L,) importance of each on its side.
    seed
        Of the random places.
    top
        Share of the source's loci that count.

    Returns
    -------
    LocusOverlap or None
        None with under 20 loci or where one side has no importance anywhere.
    """
    if len(loci) < 20 or not (source > 0.0).any() or not (target > 0.0).any():
        return None
    places = [(plain_contig(each.contig), each.start) for each in loci.target]
    order = np.array(sorted(range(len(loci)), key=places.__getitem__))
    along, important = target[order], source[order]
    count = max(5, round(top * len(loci)))
    chosen = np.argsort(-important, kind="stable")[:count]
    chosen = chosen[important[chosen] > 0.0]
    observed = float(along[chosen].mean())
    rng = np.random.default_rng(seed)
    shifts = rng.integers(1, len(loci), size=PLACEMENTS)
    random = np.array([along[(chosen + shift) % len(loci)].mean() for shift in shifts])
    both = np.sqrt(important[chosen] * along[chosen])
    leading = [loci.names[order[i]] for i in chosen[np.argsort(-both)] if along[i] > 0.0]
    return LocusOverlap(
        loci=len(chosen),
        observed=observed,
        expected=float(random.mean()),
        p_value=(1.0 + float(np.count_nonzero(random >= observed))) / (1.0 + PLACEMENTS),
        leading=tuple(leading[:10]),
    )
