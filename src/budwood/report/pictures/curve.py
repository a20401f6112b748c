"""Curves of one number over another, for a few kinds of choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from budwood.prediction.phenotype_next import CurvePoint
from budwood.report.pictures.scale import Scale, Tick


@dataclass(frozen=True)
class CurveLine:
    """One line of the picture.

    Attributes
    ----------
    kind
        Class of the line in the style sheet.
    legend
        Its text.
    points
        Places as shares of the plotting area, y upwards.
    """

    kind: str
    legend: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curve:
    """A picture of lines, ready to be drawn.

    Attributes
    ----------
    description
        For readers who do not see it.
    x_title, y_title
        Of the axes.
    x_ticks, y_ticks
        Of the axes.
    lines
        Drawn in this order.
    """

    description: str
    x_title: str
    y_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[CurveLine, ...]


def expected_accuracy_curve(points: Sequence[CurvePoint], before: float) -> Curve:
    """Expected accuracy over the number of lines phenotyped, chosen well and chosen at random.

    Parameters
    ----------
    points
        At least one.
    before
        Expected accuracy without a further line, where both curves begin.

    Returns
    -------
    Curve
        The picture.
    """
    points = (CurvePoint(0, before, before), *points)
    x = Scale.over([point.count for point in points], margin=0.02)
    y = Scale.over([point.chosen for point in points], [point.random for point in points], margin=0.12)
    chosen = tuple((x.share(point.count), y.share(point.chosen)) for point in points)
    random = tuple((x.share(point.count), y.share(point.random)) for point in points)
    return Curve(
        description="Expected accuracy by number of lines phenotyped, chosen as here and at random",
        x_title="lines phenotyped",
        y_title="expected accuracy",
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        lines=(
            CurveLine("labelled", "chosen at random", random),
            CurveLine("candidate", "chosen as here", chosen),
        ),
    )
