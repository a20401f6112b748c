"""Writing bedGraph: values along a genome, with a track line that says what they are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.io.text.bgzf import BgzfWriter

#: Values are written with two decimals.
_PARTS: Final = 100
_WRITTEN: Final = [f"{part / _PARTS:g}" for part in range(_PARTS + 1)]


class BedgraphWriter:
    r"""Writes probabilities in steps as they come; equal neighbours are joined.

    Parameters
    ----------
    packed
        The file, packed as bgzip does.
    name
        What the track is called.
    predicted_by
        What predicted it: :func:`budwood.genomics.io.annotation.tracks.read_track` knows the file by this.
    least
        Steps with a smaller probability, rounded to two decimals, are left out, and those of 0.

    Examples
    --------
    >>> import gzip, io
    >>> handle = io.BytesIO()
    >>> packed = BgzfWriter(handle)
    >>> writer = BedgraphWriter(packed, name="open", predicted_by="checkpoint tiny", least=0.05)
    >>> writer.add("1", 0, 22, 8, np.array([0.2, 0.2, 0.04]))
    >>> writer.finish()
    >>> print(gzip.decompress(handle.getvalue()).decode().rstrip().replace("\t", " "))
    track type=bedGraph name="open" description="predicted by checkpoint tiny, not measured"
    1 0 16 0.2
    """

    def __init__(self, packed: BgzfWriter, *, name: str, predicted_by: str, least: float) -> None:
        self._packed = packed
        self._least = max(1, round(least * _PARTS))
        self._waiting: tuple[str, int, int, int] | None = None
        about = f'description="predicted by {_quoted(predicted_by)}, not measured"'
        self._packed.write(f'track type=bedGraph name="{_quoted(name)}" {about}\n'.encode())
        self.written = 0

    def add(self, contig: str, start: int, end: int, step: int, values: NDArray[np.floating]) -> None:
        """Add consecutive steps; those of a contig come in order.

        Parameters
        ----------
        contig
            Its name.
        start, end
            0-based half-open place of all steps.
        step
            Bases of each; the last may be shorter.
        values
            (steps,) 0 to 1, NaN where there is none.
        """
        parts = np.rint(np.nan_to_num(values, nan=-1.0) * _PARTS).astype(np.int64)
        parts[parts < self._least] = -1
        firsts = np.flatnonzero(np.diff(parts, prepend=-2))
        lasts = np.append(firsts[1:] * step + start, end)
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
            self._add(contig, start + first * step, last, int(parts[first]))

    def finish(self) -> None:
        """Write what is waiting, and end the file."""
        self._write()
        self._packed.finish()

    def _add(self, contig: str, start: int, end: int, part: int) -> None:
        waiting = self._waiting
        if waiting is not None and waiting[0] == contig and waiting[2:] == (start, part):
            self._waiting = contig, waiting[1], end, part
            return
        self._write()
        self._waiting = contig, start, end, part

    def _write(self) -> None:
        if self._waiting is not None and self._waiting[3] >= 0:
            contig, start, end, part = self._waiting
            self._packed.write(f"{contig}\t{start}\t{end}\t{_WRITTEN[part]}\n".encode())
            self.written += 1
        self._waiting = None


def _quoted(text: str) -> str:
    """Text that stands between double quotes on one line."""
    return " ".join(text.replace('"', "'").split())
