"""Accuracy of every arm at every number of phenotyped target lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.stats.evaluation.metrics import pearson_r, top_overlap
from budwood.transfer.few_shot.arms import direct_predictions, few_shot_predictions
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.results import FewShotResults
from budwood.transfer.few_shot.target import TransferHead, TransferTarget

Vector = NDArray[np.float64]


def evaluate_few_shot(
    target: TransferTarget,
    heads: Sequence[TransferHead],
    design: FewShotDesign,
    progress: Callable[[int], None] = lambda done: None,
) -> FewShotResults:
    """Compare a source with the target alone on the same draws.

    Parameters
    ----------
    target
        Phenotyped target lines.
    heads
        What sources bring, at least one.
    design
        Sizes and draws.
    progress
        Receives the number of finished draws.

    Returns
    -------
    FewShotResults
        Accuracies by arm, size and draw.

    Raises
    ------
    BudwoodError
        If there are too few lines, or no head.
    """
    if not heads:
        raise BudwoodError(
            "nothing of the source can be carried to the target",
            mend="give shared markers, an ortholog table with both gene tables, or both reference genomes",
        )
    lines = len(target.y)
    sizes = design.sizes_for(lines)
    r: dict[str, dict[int, list[float]]] = {}
    within: dict[str, dict[int, list[float]]] = {}
    top: dict[str, dict[int, list[float]]] = {}
    p_values: dict[str, dict[int, list[float]]] = {}
    for draw, (test, order) in enumerate(design.draw(lines)):
        for size in sizes:
            if size == 0:
                found = direct_predictions(heads, test, draw)
            else:
                found, p = few_shot_predictions(target, heads, order[:size], test, draw)
                for name, value in p.items():
                    p_values.setdefault(name, {}).setdefault(size, []).append(value)
            for name, predicted in found.items():
                y = target.y[test]
                for table, value in (
                    (r, pearson_r(predicted, y)),
                    (within, within_clusters(predicted, y, target.clusters[test])),
                    (top, top_overlap(predicted, y)),
                ):
                    table.setdefault(name, {}).setdefault(size, []).append(value)
        progress(draw + 1)
    return FewShotResults(
        lines=lines,
        test_lines=design.test_lines(lines),
        sizes=sizes,
        design=design,
        r=_arrays(r),
        within_r=_arrays(within),
        top=_arrays(top),
        p_values=_arrays(p_values),
    )


def within_clusters(predicted: Vector, observed: Vector, clusters: NDArray[np.int64]) -> float:
    """Pearson r of the deviations from each cluster's means.

    Parameters
    ----------
    predicted, observed
        (n,) values of the test lines.
    clusters
        (n,) cluster of each.

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 10.0, 11.0])
    >>> round(within_clusters(x, np.array([1.0, 0.0, 9.0, 8.0]), np.array([0, 0, 1, 1])), 6)
    -1.0
    """
    deviations = []
    for values in (predicted, observed):
        sums, counts = np.bincount(clusters, values), np.bincount(clusters)
        deviations.append(values - (sums / np.maximum(counts, 1))[clusters])
    return pearson_r(*deviations)


def _arrays(table: dict[str, dict[int, list[float]]]) -> dict[str, dict[int, Vector]]:
    return {name: {size: np.array(v) for size, v in by.items()} for name, by in table.items()}
