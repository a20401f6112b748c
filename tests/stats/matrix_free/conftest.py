"""Panels of lines that share haplotypes of a few founders, in every kind of genotypes that is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.relationship.relationship import MarkerSummary, summarise_markers

KINDS = ("complete", "missing", "mixed ploidy", "fractional", "some rows", "memory map", "rare markers")


def mosaics(lines: int, markers: int, seed: int = 0) -> NDArray[np.int8]:
    """Inbred lines, each of segments of 12 founders."""
    rng = np.random.default_rng(seed)
    founders = rng.integers(0, 2, (12, markers), dtype=np.int8)
    found = np.empty((lines, markers), dtype=np.int8)
    for line in found:
        segment = np.cumsum(rng.random(markers) < 0.02)
        line[:] = 2 * founders[rng.integers(0, 12, segment[-1] + 1)[segment], np.arange(markers)]
    return found


@pytest.fixture
def panel(tmp_path: Path) -> Callable[..., CentredMarkers]:
    """Centred markers of a kind."""

    def make(kind: str = "complete", lines: int = 60, markers: int = 150, seed: int = 0) -> CentredMarkers:
        rng = np.random.default_rng(seed)
        dosage, ploidy = mosaics(lines, markers, seed), np.full(lines, 2, dtype=np.int8)
        rows = None
        if kind == "missing":
            dosage[rng.random(dosage.shape) < 0.1] = -1
        elif kind == "mixed ploidy":
            ploidy[::3] = 4
            dosage[::3] *= 2
        elif kind == "fractional":
            dosage = dosage.astype(np.float32) * np.float32(0.9) + np.float32(0.05)
            dosage[rng.random(dosage.shape) < 0.1] = np.nan
        elif kind == "some rows":
            rows = rng.permutation(lines)[: lines * 2 // 3]
        elif kind == "memory map":
            stored = np.memmap(tmp_path / "calls", np.int8, "w+", shape=dosage.shape, order="F")
            stored[:] = dosage
            dosage = stored
        elif kind == "rare markers":
            dosage[:, rng.random(markers) < 0.4] = 0
        summary: MarkerSummary = summarise_markers(dosage, ploidy, rows)
        return CentredMarkers(dosage=dosage, ploidy=ploidy, summary=summary, rows=rows)

    return make
