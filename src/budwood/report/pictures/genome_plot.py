"""Values along a genome, contig after contig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.report.pictures.scale import Scale, Tick

#: Size of the plotting area in units of the drawing.
WIDTH: Final = 1000.0
HEIGHT: Final = 240.0
#: Contigs that get a label, and points that are drawn at most: the highest of each column of the picture.
_LABELLED: Final = 24
_COLUMNS: Final = 1000


@dataclass(frozen=True)
class GenomePoint:
    """A value at its place in the drawing.

    Attributes
    ----------
    x, y
        Place in the plotting area.
    kind
        ``""`` or ``"marked"``.
    label
        Contig and position.
    """

    x: float
    y: float
    kind: str
    label: str


@dataclass(frozen=True)
class GenomePlot:
    """A picture along the genome, ready to be drawn.

    Attributes
    ----------
    description
        What it shows, for readers who do not see it.
    y_title
        What the height means.
    y_ticks, contigs
        Ticks of the height, and the middle of each contig with its name.
    bounds
        Ends of contigs.
    points
        The values.
    width, height
        Size of the plotting area.
    """

    description: str
    y_title: str
    y_ticks: tuple[Tick, ...]
    contigs: tuple[Tick, ...]
    bounds: tuple[float, ...]
    points: tuple[GenomePoint, ...]
    width: float = WIDTH
    height: float = HEIGHT


def genome_plot(
    lengths: Mapping[str, int],
    contig: NDArray[np.str_],
    position: NDArray[np.int64],
    value: NDArray[np.float64],
    *,
    marked: NDArray[np.bool_],
    description: str,
    y_title: str,
) -> GenomePlot:
    """Place values along a genome; of points that fall on one spot the highest is drawn.

    Parameters
    ----------
    lengths
        Contigs to draw and their lengths in bases.
    contig, position, value
        (k,) place and height of each value, none negative.
    marked
        (k,) values that are drawn in another colour.
    description, y_title
        As in :class:`GenomePlot`.

    Returns
    -------
    GenomePlot
        The picture.
    """
    sizes = np.array(list(lengths.values()), dtype=float)
    ends = np.cumsum(sizes)
    total = float(ends[-1]) if len(ends) else 1.0
    start = dict(zip(lengths, ends - sizes, strict=True))
    scale = Scale(0.0, float(value.max(initial=0.0)) * 1.06 or 1.0)
    best: dict[tuple[int, bool], int] = {}
    for row in np.argsort(value, kind="stable").tolist():
        column = int(_COLUMNS * (start[str(contig[row])] + position[row]) / total)
        best[(column, bool(marked[row]))] = row
    points = tuple(
        GenomePoint(
            round(WIDTH * (start[str(contig[row])] + float(position[row])) / total, 1),
            round(HEIGHT * (1.0 - scale.share(float(value[row]))), 1),
            "marked" if of_marked else "",
            f"{contig[row]}:{int(position[row]) + 1:,}",
        )
        for (_, of_marked), row in sorted(best.items(), key=lambda item: item[0][1])
    )
    names = list(lengths)[:_LABELLED]
    middles = tuple(Tick((float(start[name]) + lengths[name] / 2) / total, name) for name in names)
    return GenomePlot(
        description=description,
        y_title=y_title,
        y_ticks=scale.ticks(4),
        contigs=middles,
        bounds=tuple(round(WIDTH * float(end) / total, 1) for end in ends[:-1]),
        points=points,
    )
