"""Point pictures: held-out predictions against observations, and the structure of the panel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from budwood.prediction.evaluation.results import Evaluation, TraitPrediction
from budwood.report.numerals import fixed, percent
from budwood.report.parts.accuracy import pooled_r
from budwood.report.pictures.scale import Scale, Tick

#: Size of the plotting area in units of the drawing; the template adds room for axes around it.
SIDE: Final = 340.0


@dataclass(frozen=True)
class Mark:
    """A point: its place in the plotting area (y grows downwards) and its accession's row, -1 for none.

    Attributes
    ----------
    x, y
        Place in the plotting area.
    row
        Row of the accession in the table of predictions.
    """

    x: float
    y: float
    row: int


@dataclass(frozen=True)
class Layer:
    """Points of one kind, drawn alike; ``kind`` is ``labelled``, ``candidate`` or ``extrapolated``.

    Attributes
    ----------
    kind
        Class of the points in the style sheet.
    legend
        Its text.
    marks
        The points.
    """

    kind: str
    legend: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Scatter:
    """A point picture ready to be drawn; ``corner`` is a short text in its upper left corner.

    Attributes
    ----------
    description
        For readers who do not see it.
    x_title, y_title
        Of the axes.
    x_ticks, y_ticks
        Of the axes.
    layers
        Points, drawn in this order.
    identity_line
        Whether the line x = y is drawn.
    corner
        Text in the upper left corner.
    """

    description: str
    x_title: str
    y_title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    layers: tuple[Layer, ...]
    identity_line: bool = False
    corner: str = ""


def agreement(evaluation: Evaluation, prediction: TraitPrediction) -> Scatter:
    """Observed values (y) against predictions made while the accession was held out (x), on equal axes.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.
    prediction
        Predictions of the trait.

    Returns
    -------
    Scatter
        The picture.
    """
    predicted, observed = evaluation.held_out_prediction, evaluation.held_out_observed
    scale = Scale.over(predicted, observed)
    r = pooled_r(evaluation)
    row_of = {accession: row for row, accession in enumerate(prediction.accessions)}
    rows = [row_of.get(accession, -1) for accession in evaluation.held_out_accessions]
    layer = Layer(
        "labelled", "phenotyped line, predicted while hidden", _marks(scale, scale, predicted, observed, rows)
    )
    return Scatter(
        description=f"Observed against predicted {evaluation.trait} of {len(layer.marks)} hidden lines, "
        "with the line on which both are equal",
        x_title="predicted while hidden",
        y_title="observed",
        x_ticks=scale.ticks(),
        y_ticks=scale.ticks(),
        layers=(layer,),
        identity_line=True,
        corner=f"r = {fixed(r, 2)}" if np.isfinite(r) else "",
    )


def structure(prediction: TraitPrediction) -> Scatter:
    """First two principal components of the panel, phenotyped lines and candidates marked apart.

    Parameters
    ----------
    prediction
        Predictions of the trait.

    Returns
    -------
    Scatter
        The picture.
    """
    first, second = prediction.structure[:, 0], prediction.structure[:, 1]
    x, y = Scale.over(first), Scale.over(second)
    labelled = np.isfinite(prediction.observed)
    far = ~labelled & prediction.extrapolation
    kinds = (
        ("labelled", "phenotyped line", labelled),
        ("candidate", "candidate", ~labelled & ~far),
        ("extrapolated", "candidate, extrapolation", far),
    )
    layers = tuple(
        Layer(kind, legend, _marks(x, y, first[chosen], second[chosen], np.flatnonzero(chosen).tolist()))
        for kind, legend, chosen in kinds
        if chosen.any()
    )
    explained = [percent(float(share)) for share in prediction.structure_explained]
    return Scatter(
        description="Lines of the panel placed by the first two principal components of their relationship",
        x_title=f"component 1 ({explained[0]} of the variance)",
        y_title=f"component 2 ({explained[1]})",
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        layers=layers,
    )


def _marks(
    x: Scale, y: Scale, xs: Iterable[float], ys: Iterable[float], rows: Iterable[int]
) -> tuple[Mark, ...]:
    """Points where both coordinates are numbers."""
    return tuple(
        Mark(round(SIDE * x.share(a), 1), round(SIDE * (1 - y.share(b)), 1), row)
        for a, b, row in zip(xs, ys, rows, strict=True)
        if np.isfinite(a) and np.isfinite(b)
    )
