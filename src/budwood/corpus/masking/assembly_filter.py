"""Which assemblies are good enough to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import FilterConfig
from budwood.genomics.sequence import N

#: A run of this many N is a gap between two contigs of a scaffold (the convention of INSDC and AGP files).
GAP: Final = 10


@dataclass(frozen=True)
class AssemblyFacts:
    """What the filter knows of an assembly: its species, contig N50 and share of N."""

    species: str
    assembly: str
    n50: int
    unknown: float


@dataclass(frozen=True)
class FilterDecision:
    """Whether an assembly is used, and why."""

    used: bool
    reason: str


def known_stretches(codes: NDArray[np.uint8], gap: int = GAP) -> NDArray[np.int64]:
    """Starts and ends of what lies between runs of at least ``gap`` N, shape (stretches, 2).

    Shorter runs of N stay inside; at the ends of a contig every N falls away.

    Examples
    --------
    >>> known_stretches(np.array([4, 0, 4, 1, 4, 4, 4, 2], dtype=np.uint8), gap=3)
    array([[1, 4],
           [7, 8]])
    """
    known = np.flatnonzero(codes < N)
    if not len(known):
        return np.empty((0, 2), dtype=np.int64)
    breaks = np.flatnonzero(np.diff(known) > gap)
    starts = known[np.concatenate([[0], breaks + 1])]
    ends = known[np.concatenate([breaks, [len(known) - 1]])] + 1
    return np.stack([starts, ends], axis=1)


def n50(lengths: NDArray[np.int64]) -> int:
    """The length that contigs of at least this length, together, make half of all bases; 0 without contigs.

    Examples
    --------
    >>> n50(np.array([2, 2, 2, 3, 3, 4, 8, 8]))
    8
    """
    ordered = np.sort(lengths)[::-1]
    total = int(ordered.sum())
    return int(ordered[np.searchsorted(2 * np.cumsum(ordered), total)]) if total else 0


def filter_assemblies(facts: Sequence[AssemblyFacts], config: FilterConfig) -> list[FilterDecision]:
    """Decide assembly by assembly.

    One that is too fragmented or too full of N is left out unless its species has none that is neither; then
    the one of the highest N50 stands in.
    """
    faults = [_fault(each, config) for each in facts]
    conclusions = []
    for each, fault in zip(facts, faults, strict=True):
        rivals = [other for other in facts if other.species == each.species]
        sound = any(f == "" for other, f in zip(facts, faults, strict=True) if other.species == each.species)
        best = max(rivals, key=lambda other: (other.n50, -other.unknown, other.assembly))
        if not fault:
            conclusions.append(FilterDecision(True, "passes"))
        elif sound or each is not best:
            conclusions.append(FilterDecision(False, fault))
        else:
            conclusions.append(FilterDecision(True, f"{fault}, but the species has nothing better"))
    return conclusions


def _fault(facts: AssemblyFacts, config: FilterConfig) -> str:
    if facts.n50 < config.min_n50:
        return f"contig N50 {facts.n50} is under {config.min_n50}"
    if facts.unknown > config.max_unknown:
        return f"{facts.unknown:.0%} of it is N, over {config.max_unknown:.0%}"
    return ""
