"""Whether windows that drive a prediction lie in given regions: a permutation test with matched regions.

A region is compared with random runs of as many windows of about the same gene density, because windows in
genes differ from others in diversity and effect whether or not the regions matter.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, Span, joined
from budwood.genomics.interval import Interval

Vector = NDArray[np.float64]

PERMUTATIONS: Final = 999
#: Share of the runs, nearest in gene density, among which a matched one is drawn.
_NEAREST: Final = 0.2
#: Share of the windows that count as top windows.
TOP: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class RegionOverlap:
    """Importance of windows in regions, compared with matched runs of windows.

    Attributes
    ----------
    regions, windows, inside
        Number of regions that hold a window, of windows, and of windows inside.
    auroc
        AUROC of the importance for windows inside.
    enrichment
        Mean importance inside over the mean of the matched draws.
    top_inside, top_expected
        Share of the windows inside that are among the top 5 % of all, and the mean of the matched draws.
    p, top_p
        One-sided permutation p of the mean importance and of the share of top windows.
    matched
        What the draws were matched by.
    """

    regions: int
    windows: int
    inside: int
    auroc: float
    enrichment: float
    top_inside: float
    top_expected: float
    p: float
    top_p: float
    matched: str


def overlap_regions(
    windows: Sequence[Interval],
    importance: Vector,
    regions: Sequence[tuple[str, int, int]],
    *,
    gene_density: Vector | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> RegionOverlap:
    """Test whether windows in regions are more important than matched windows elsewhere.

    Parameters
    ----------
    windows
        W windows, by contig and place.
    importance
        (W,) how much each drives the prediction.
    regions
        Contig, start and end of each region, 0-based and half-open.
    gene_density
        (W,) share of each window that lies in genes; None matches by size alone.
    permutations, seed
        Number and seed of the draws.

    Returns
    -------
    RegionOverlap
        Enrichment and p.

    Raises
    ------
    BudwoodError
        If no region holds a window, or all windows lie in regions.

    Examples
    --------
    >>> windows = [Interval("Chr1", 512 * k, 512 * k + 512) for k in range(200)]
    >>> importance = np.zeros(200)
    >>> importance[50:55] = 1.0
    >>> found = overlap_regions(windows, importance, [("Chr1", 50 * 512, 55 * 512)])
    >>> found.inside, found.auroc, found.p < 0.02
    (5, 1.0, True)
    """
    runs = _runs(windows, regions)
    inside = np.zeros(len(windows), dtype=np.bool_)
    for first, stop in runs:
        inside[first:stop] = True
    if not runs or inside.all():
        raise BudwoodError(
            "no region holds a window" if not runs else "the regions hold every window",
            where="--regions",
            mend="give regions of the genome that the windows lie on",
        )
    density = np.zeros(len(windows)) if gene_density is None else gene_density
    threshold = np.quantile(importance, 1.0 - TOP)
    top = importance > threshold
    contigs = np.array([window.contig for window in windows])
    starts = [_alike(contigs, density, first, stop) for first, stop in runs]
    random = np.random.default_rng(seed)
    drawn = np.empty((permutations, 2))
    for number in range(permutations):
        chosen = np.zeros(len(windows), dtype=np.bool_)
        for (first, stop), candidates in zip(runs, starts, strict=True):
            begin = int(random.choice(candidates))
            chosen[begin : begin + stop - first] = True
        drawn[number] = importance[chosen].mean(), top[chosen].mean()
    seen = np.array([importance[inside].mean(), top[inside].mean()])
    p = (1 + (drawn >= seen - 1e-12).sum(axis=0)) / (1 + permutations)
    expected = drawn.mean(axis=0)
    return RegionOverlap(
        regions=len(runs),
        windows=len(windows),
        inside=int(inside.sum()),
        auroc=_auroc(importance, inside),
        enrichment=float(seen[0] / expected[0]) if expected[0] > 0 else float("nan"),
        top_inside=float(seen[1]),
        top_expected=float(expected[1]),
        p=float(p[0]),
        top_p=float(p[1]),
        matched="number of windows" + ("" if gene_density is None else " and gene density"),
    )


def _runs(windows: Sequence[Interval], regions: Sequence[tuple[str, int, int]]) -> list[tuple[int, int]]:
    """First and last window of each region, joined where they overlap."""
    by_contig: dict[str, list[int]] = {}
    for w, window in enumerate(windows):
        by_contig.setdefault(window.contig, []).append(w)
    covered = np.zeros(len(windows), dtype=np.bool_)
    found: list[tuple[int, int]] = []
    for contig, start, end in regions:
        own = by_contig.get(contig)
        if not own:
            continue
        ends = np.array([windows[w].end for w in own])
        begins = np.array([windows[w].start for w in own])
        first, stop = int(np.searchsorted(ends, start, "right")), int(np.searchsorted(begins, end, "left"))
        if stop > first and not covered[own[first] : own[first] + stop - first].all():
            covered[own[first] : own[first] + stop - first] = True
            found.append((own[first], own[first] + stop - first))
    return found


def _alike(contigs: NDArray[np.str_], density: Vector, first: int, stop: int) -> NDArray[np.intp]:
    """First windows of runs of the same length on one contig, nearest in gene density."""
    size = stop - first
    starts = np.arange(len(contigs) - size + 1)
    starts = starts[contigs[starts] == contigs[starts + size - 1]]
    running = np.concatenate([[0.0], np.cumsum(density)])
    means = (running[starts + size] - running[starts]) / size
    own = (running[stop] - running[first]) / size
    distance = np.abs(means - own)
    count = max(1, int(np.ceil(_NEAREST * len(starts))))
    # All runs as near as the farthest of these, so that equal densities do not favour the genome's start.
    return starts[distance <= np.partition(distance, count - 1)[count - 1] + 1e-12]


def _auroc(importance: Vector, inside: NDArray[np.bool_]) -> float:
    order = np.unique(importance, return_inverse=True)[1]
    true, false = np.bincount(order, inside), np.bincount(order, ~inside)
    return float(true @ (np.cumsum(false) - false / 2) / (true.sum() * false.sum()))


def inside_regions(windows: Sequence[Interval], regions: Sequence[tuple[str, int, int]]) -> NDArray[np.bool_]:
    """Which windows overlap a region.

    Parameters
    ----------
    windows
        W windows, by contig and place.
    regions
        Contig, start and end of each region, 0-based and half-open.

    Returns
    -------
    numpy.ndarray
        (W,) whether each does.
    """
    inside = np.zeros(len(windows), dtype=np.bool_)
    for first, stop in _runs(windows, regions):
        inside[first:stop] = True
    return inside


def gene_density(windows: Sequence[Interval], annotation: Annotation) -> Vector:
    """Share of each window that lies in genes.

    Parameters
    ----------
    windows
        W windows.
    annotation
        Genes of the genome.

    Returns
    -------
    numpy.ndarray
        (W,) between 0 and 1.
    """
    genes: dict[str, list[Span]] = {}
    for gene in annotation.genes:
        genes.setdefault(gene.contig, []).append(Span(gene.start, gene.end))
    merged = {contig: joined(spans) for contig, spans in genes.items()}
    found = np.zeros(len(windows))
    for w, window in enumerate(windows):
        spans = merged.get(window.contig, ())
        first = bisect_right(spans, window.start, key=lambda span: span.end)
        for span in spans[first:]:
            if span.start >= window.end:
                break
            found[w] += min(span.end, window.end) - max(span.start, window.start)
        found[w] /= window.length
    return found
