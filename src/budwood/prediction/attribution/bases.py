"""Which bases of a window's sequences drive predictions: integrated gradients from the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD
from budwood.inference.attribute import integrated_gradients
from budwood.model.checkpoint import Checkpoint
from budwood.prediction.attribution.contributions import WindowContributions


@dataclass(frozen=True, kw_only=True, eq=False)
class HaplotypeBases:
    """Contributions of bases of the sequences of top windows, each compared with the window's reference.

    Attributes
    ----------
    windows
        Window of each sequence.
    copies
        (k,) copies of the sequence in the panel.
    codes, reference
        (k, 512) the sequence and the reference.
    bases
        (k, 512) what each base adds to the predicted value of a line whose copies all carry the sequence,
        compared with the reference.
    difference
        (k,) what the whole sequence adds; the bases sum to it.
    skipped
        Number of sequences that have another length than the reference within the window.
    """

    windows: tuple[Interval, ...]
    copies: NDArray[np.int64]
    codes: NDArray[np.uint8]
    reference: NDArray[np.uint8]
    bases: NDArray[np.float64]
    difference: NDArray[np.float64]
    skipped: int

    @property
    def error(self) -> float:
        """Largest difference of a sum of bases and what it should be, over the largest of these."""
        largest = float(np.abs(self.difference).max(initial=0.0)) or 1.0
        return float(np.abs(self.bases.sum(axis=1) - self.difference).max(initial=0.0) / largest)


def attribute_bases(
    found: WindowContributions, table: HaplotypeTable, checkpoint: Checkpoint, count: int
) -> HaplotypeBases:
    """Attribute the sequences of the most important windows to their bases.

    Parameters
    ----------
    found
        Contributions of windows.
    table
        Sequences of the panel.
    checkpoint
        The encoder that the model reads by.
    count
        Number of windows, those with the largest spread of contributions through sequence first.

    Returns
    -------
    HaplotypeBases
        Contributions of bases.
    """
    spread = found.sequence.std(axis=0)
    place = {(window.contig, window.start): w for w, window in enumerate(table.windows)}
    top = [w for w in np.argsort(-spread, kind="stable").tolist() if spread[w] > 0][:count]
    windows, copies, rows, references, directions = [], [], [], [], []
    skipped = 0
    for w in top:
        window = found.windows[w]
        own = place.get((window.contig, window.start))
        if own is None:
            continue
        sequences = table.sequences[table.offsets[own] : table.offsets[own + 1]]
        carried = table.counts(own).sum(axis=0)
        for row in range(1, len(sequences)):
            if not np.array_equal(sequences[row] == PAD, sequences[0] == PAD):
                skipped += 1
                continue
            windows.append(window)
            copies.append(int(carried[row]))
            rows.append(sequences[row])
            references.append(sequences[0])
            directions.append(found.directions[w])
    shape = (0, table.sequences.shape[1])
    codes = np.array(rows, dtype=np.uint8).reshape(-1, shape[1])
    reference = np.array(references, dtype=np.uint8).reshape(-1, shape[1])
    toward = np.array(directions).reshape(len(rows), found.directions.shape[1])
    attributed = integrated_gradients(codes, reference, toward, checkpoint)
    return HaplotypeBases(
        windows=tuple(windows),
        copies=np.array(copies, dtype=np.int64),
        codes=codes,
        reference=reference,
        bases=attributed.bases,
        difference=attributed.difference,
        skipped=skipped,
    )
