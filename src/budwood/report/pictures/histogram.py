"""Histograms of a trait: observed values of phenotyped lines, and predictions of candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.evaluation.results import TraitPrediction
from budwood.report.pictures.scale import Scale, Tick

#: Fewest and most bars.
_FEWEST, _MOST = 5, 30


@dataclass(frozen=True)
class Bar:
    """One bar: its place and size as shares of the plotting area, and what it counts.

    Attributes
    ----------
    start, end
        Left and right end, 0 to 1.
    height
        0 to 1.
    text
        The range and the count in words.
    """

    start: float
    end: float
    height: float
    text: str


@dataclass(frozen=True)
class Series:
    """Bars of one kind of line.

    Attributes
    ----------
    kind
        Class of the bars in the style sheet.
    legend
        Its text.
    lines
        How many lines are counted.
    bars
        From left to right.
    """

    kind: str
    legend: str
    lines: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Histogram:
    """A histogram ready to be drawn.

    Attributes
    ----------
    description
        For readers who do not see it.
    x_title
        Of the axis of values.
    x_ticks, y_ticks
        Of the axes; counts are on the vertical one.
    series
        Drawn in this order.
    """

    description: str
    x_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    series: tuple[Series, ...]


def trait_histogram(prediction: TraitPrediction) -> Histogram:
    """Observed values of the phenotyped lines beside predictions of the candidates, on one axis.

    Parameters
    ----------
    prediction
        Predictions of the trait.

    Returns
    -------
    Histogram
        The picture.
    """
    phenotyped = np.isfinite(prediction.observed)
    parts = [
        ("labelled", "observed, phenotyped lines", prediction.observed[phenotyped]),
        ("candidate", "predicted, candidates", prediction.prediction[~phenotyped]),
    ]
    parts = [(kind, legend, values[np.isfinite(values)]) for kind, legend, values in parts]
    parts = [part for part in parts if len(part[2])]
    everything = np.concatenate([values for _, _, values in parts]) if parts else np.zeros(1)
    edges = _edges(everything)
    counts = [np.histogram(values, edges)[0] for _, _, values in parts]
    x, y = Scale.over(edges, margin=0.0), Scale(0.0, float(max((c.max() for c in counts), default=1)) * 1.08)
    series = tuple(
        Series(kind, legend, len(values), _bars(edges, count, x, y))
        for (kind, legend, values), count in zip(parts, counts, strict=True)
    )
    whole = tuple(tick for tick in y.ticks(4) if float(tick.label.replace(",", "")).is_integer())
    return Histogram(
        description=f"Histogram of {prediction.trait}: observed values of phenotyped lines and predictions "
        "of candidates",
        x_title=prediction.trait,
        x_ticks=x.ticks(),
        y_ticks=whole,
        series=series,
    )


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of equally wide bars (Freedman and Diaconis 1981, Z. Wahrsch. verw. Geb. 57:453)."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        half = abs(low) * 0.01 or 0.5
        return np.linspace(low - half, high + half, 2)
    quarter, three = np.percentile(values, [25, 75])
    width = 2 * (three - quarter) / len(values) ** (1 / 3)
    wanted = (high - low) / width if width > 0 else _FEWEST
    return np.linspace(low, high, int(min(max(np.ceil(wanted), _FEWEST), _MOST)) + 1)


def _bars(edges: NDArray[np.float64], counts: NDArray[np.intp], x: Scale, y: Scale) -> tuple[Bar, ...]:
    return tuple(
        Bar(x.share(a), x.share(b), y.share(float(count)), f"{a:g} to {b:g}: {count}")
        for a, b, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
        if count
    )
