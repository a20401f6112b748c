"""Where a base lies in its locus: its distance from where the gene begins, along the gene, in classes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import WindowBatch

#: Distances at which a class ends; each is four times the one before.
_EDGES: Final = np.array([16, 64, 256, 1024, 4096])

#: Classes of signed distance: as many before the anchor as from it on.
OFFSETS: Final = 2 * (len(_EDGES) + 1)

#: Label of a base of no annotated gene.
NO_OFFSET: Final = 255


def offset_labels(batch: WindowBatch) -> NDArray[np.uint8]:
    """Class of every base's signed distance from the anchor of its window's locus.

    The distance grows in the direction of the gene, so a window and its reverse complement give each base
    the same class: 0 to ``OFFSETS / 2 - 1`` before the anchor, far to near, and from there on near to far.

    Parameters
    ----------
    batch
        Windows with the places of their anchors.

    Returns
    -------
    ndarray
        (batch, window) ``uint8``, NO_OFFSET in windows without an anchor.

    Examples
    --------
    >>> none = np.zeros((1, 4), dtype=np.uint8)
    >>> facts = np.array([1]), np.array([1], dtype=np.int8), np.array([0], dtype=np.int16)
    >>> offset_labels(WindowBatch(none, none > 0, none, *facts, none.astype(np.uint16), np.zeros(1)))
    array([[5, 6, 6, 6]], dtype=uint8)
    """
    known = batch.anchor != NO_ANCHOR
    anchor = np.where(known, batch.anchor, 0)[:, None]
    place = np.arange(batch.codes.shape[1])
    distance = (place - anchor) * batch.direction.astype(np.int64)[:, None]
    middle = len(_EDGES) + 1
    after = middle + np.searchsorted(_EDGES, distance, side="right")
    before = middle - 1 - np.searchsorted(_EDGES, -distance - 1, side="right")
    labels = np.where(distance >= 0, after, before)
    return np.where(known[:, None], labels, NO_OFFSET).astype(np.uint8)
