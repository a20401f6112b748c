"""How the axis along which a source ranks lines lies among the lines of the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.stats.relationship.principal_components import principal_components
from budwood.transfer.few_shot.target import TransferHead, TransferTarget
from budwood.transfer.score_effect import gblup

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AxisGeometry:
    """The source's axis in the target.

    A score, and a genetic value, is a direction in the space of the N phenotyped target lines, each centred;
    correlations are cosines of angles between directions. The main and the secondary axis of the target are
    the first two principal components of its relationship: along them its lines differ most, mostly by
    family. The trait's own axis is the genetic value of the target's lines by GBLUP on all their phenotypes.

    Attributes
    ----------
    axis
        What the source's axis is: ``"score"``, or ``"first component of the weighted kernel"``.
    main_r, second_r
        Size of its correlation with the target's main and secondary axis, 0 to 1.
    random_main_r, random_second_r
        The same on average for random traits of the source; NaN without any.
    main_share, second_share
        Share of the target's relationship along either.
    structure_share
        Share of the variance of the source's axis that both together explain.
    trait_r, trait_angle
        Correlation with the trait's own axis, and the angle between both in degrees (0 to 180; to 90 for a
        component, which has no sign).
    trait_main_r, trait_second_r
        Size of the correlation of the trait's own axis with the target's main and secondary axis.
    spread
        Standard deviation of the score among the target's lines over that among the source's; NaN where it
        is not known. Near 0 the target's lines hardly differ in what the source knows.
    along, beside
        Standard deviation of the target's genetic values along the source's axis and beside it (in the
        direction at right angles to it), in units of the trait.
    """

    axis: str
    main_r: float
    second_r: float
    random_main_r: float
    random_second_r: float
    main_share: float
    second_share: float
    structure_share: float
    trait_r: float
    trait_angle: float
    trait_main_r: float
    trait_second_r: float
    spread: float
    along: float
    beside: float


def axis_geometry(target: TransferTarget, head: TransferHead) -> AxisGeometry | None:
    """Place the source's axis among the target's lines.

    Parameters
    ----------
    target
        Phenotyped target lines.
    head
        What the source brings.

    Returns
    -------
    AxisGeometry or None
        None where the axis does not vary between the target's lines.
    """
    if head.score is not None:
        axis, name = _direction(head.score), "score"
        random = [] if head.random_scores is None else [_direction(each) for each in head.random_scores]
        spread = float(np.std(head.score)) / head.source_spread if head.source_spread > 0.0 else np.nan
    else:
        assert head.kernel is not None, "a head is a score or a kernel"
        axis, name = _first_component(head.kernel), "first component of the weighted kernel"
        random = [_first_component(each) for each in head.random_kernels]
        spread = np.nan
    if not axis.any():
        return None
    found = principal_components(target.relationship, count=min(2, len(target.y) - 2))
    main, second = (_direction(column) for column in found.scores.T[:2])
    solved = gblup(target.y, [target.relationship])
    genetic = solved.components.kernels[0] * (target.relationship @ solved.projected)
    own, size = _direction(genetic), float(np.std(genetic))
    trait_r = float(axis @ own)
    if head.score is None:
        trait_r = abs(trait_r)
    return AxisGeometry(
        axis=name,
        main_r=abs(float(axis @ main)),
        second_r=abs(float(axis @ second)),
        random_main_r=_mean_size(random, main),
        random_second_r=_mean_size(random, second),
        main_share=float(found.explained[0]),
        second_share=float(found.explained[1]),
        structure_share=float((axis @ main) ** 2 + (axis @ second) ** 2),
        trait_r=trait_r,
        trait_angle=float(np.degrees(np.arccos(np.clip(trait_r, -1.0, 1.0)))),
        trait_main_r=abs(float(own @ main)),
        trait_second_r=abs(float(own @ second)),
        spread=spread,
        along=size * abs(trait_r),
        beside=size * max(1.0 - trait_r**2, 0.0) ** 0.5,
    )


def _direction(values: Vector) -> Vector:
    """Centred and of length 1; zeros where the values do not vary."""
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    if length <= 1e-12 * float(np.abs(values).max(initial=0.0)) * len(values) ** 0.5:
        return np.zeros(len(values))
    return np.asarray(centred / length, dtype=np.float64)


def _first_component(kernel: Matrix) -> Vector:
    return _direction(principal_components(kernel, count=1).scores[:, 0])


def _mean_size(axes: list[Vector], other: Vector) -> float:
    return float(np.mean([abs(float(each @ other)) for each in axes])) if axes else np.nan
