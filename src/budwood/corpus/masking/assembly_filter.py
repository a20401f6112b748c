"""Leave out assemblies that are too fragmented or have too many unknown bases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import FilterConfig
from budwood.genomics.sequence import N

#: A run of at least this many N is a gap between two contigs of a scaffold (convention of INSDC and AGP).
GAP: Final = 10


@dataclass(frozen=True)
class AssemblyFacts:
    """Properties of an assembly that the filter uses.

    Attributes
    ----------
    species, assembly
        Names of the species and of the assembly.
    n50
        Contig N50 in bases.
    unknown
        Share of N among all bases.
    """

    species: str
    assembly: str
    n50: int
    unknown: float


@dataclass(frozen=True)
class FilterDecision:
    """Whether an assembly is used, and the reason.

    Attributes
    ----------
    used
        Whether the assembly is used.
    reason
        The reason, for the summary of the corpus.
    """

    used: bool
    reason: str


def known_stretches(codes: NDArray[np.uint8], gap: int = GAP) -> NDArray[np.int64]:
    """Find the stretches between runs of at least ``gap`` N.

    Shorter runs of N stay inside a stretch; N at the ends of a contig are always left out.

    Parameters
    ----------
    codes
        (length,) base codes of a contig.
    gap
        Shortest run of N that separates two stretches.

    Returns
    -------
    numpy.ndarray
        (stretches, 2) 0-based half-open starts and ends.

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
    """N50 of contig lengths: contigs of at least this length hold half of all bases.

    Parameters
    ----------
    lengths
        (contigs,) lengths in bases.

    Returns
    -------
    int
        The N50 in bases; 0 without contigs.

    Examples
    --------
    >>> n50(np.array([2, 2, 2, 3, 3, 4, 8, 8]))
    8
    """
    ordered = np.sort(lengths)[::-1]
    total = int(ordered.sum())
    return int(ordered[np.searchsorted(2 * np.cumsum(ordered), total)]) if total else 0


def filter_assemblies(facts: Sequence[AssemblyFacts], config: FilterConfig) -> list[FilterDecision]:
    """Decide for each assembly whether it is used.

    An assembly below the thresholds is left out if its species has one that passes. Otherwise the species'
    best assembly, the one with the highest N50, is used.

    Parameters
    ----------
    facts
        Properties of the assemblies.
    config
        Thresholds.

    Returns
    -------
    list of FilterDecision
        One decision for each assembly, in the given order.

    Examples
    --------
    >>> facts = [AssemblyFacts("rice", "", 30_000_000, 0.01), AssemblyFacts("rice", "old", 9_000, 0.02)]
    >>> [decision.used for decision in filter_assemblies(facts, FilterConfig(min_n50=50_000))]
    [True, False]
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
