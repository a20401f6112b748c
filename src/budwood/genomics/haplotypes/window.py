"""Which reference windows a panel needs: a fixed grid per contig, kept where variants change sequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from budwood.genomics.haplotypes.edits import Edit, EditBatch
from budwood.genomics.interval import Interval


def windows_with_edits(
    batches: Iterable[EditBatch], contig: str, length: int, window: int
) -> Iterator[tuple[Interval, list[Edit]]]:
    """Windows of one contig that hold an edit, each with the edits its haplotypes may need.

    The grid starts at the contig's first base; its last window is cut at the contig's end. A window is kept
    where an edit changes the bases at one of its positions (bases inserted between two positions belong to
    the later one). The edits of a window are in order and include those that begin before it and reach into
    it, and those past its end that come into view after deletions.

    Parameters
    ----------
    batches
        The contig's edits (:func:`budwood.genomics.haplotypes.edits.stream_edits`).
    contig, length
        Name and length of the contig.
    window
        Bases per window.

    Yields
    ------
    tuple of Interval, list of Edit
        A window and the edits that may show in it.
    """
    pool: deque[Edit] = deque()
    waiting: dict[int, None] = {}
    for batch in batches:
        pool += batch.edits
        for edit in batch.edits:
            touched = range(edit.start // window, min(edit.last_position, length - 1) // window + 1)
            waiting.update(dict.fromkeys(touched))
        ended = batch.frontier > length
        for index in sorted(waiting):
            start = index * window
            needed, reach = _needed(pool, start, window)
            if not ended and reach > batch.frontier:
                break
            del waiting[index]
            _forget(pool, start)
            yield Interval(contig, start, min(start + window, length)), needed
        _forget(pool, min([*waiting, batch.frontier // window]) * window)


def _forget(pool: deque[Edit], start: int) -> None:
    while pool and pool[0].end < start:
        pool.popleft()


def _needed(pool: Iterable[Edit], start: int, window: int) -> tuple[list[Edit], int]:
    """Edits that any haplotype of the window may show, and the reference position none reaches past."""
    reach = start + window
    needed: list[Edit] = []
    for edit in pool:
        if edit.last_position < start:
            continue
        if edit.start >= reach:
            break
        needed.append(edit)
        reach += max(0, edit.brings_into_view(start))
    return needed, reach
