"""Accuracy of models of sequences on sequences that none of them has seen, with paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.evaluation.metrics import auroc, pearson_r, rmse, spearman_r
from budwood.training.finetuning.outputs import Outputs

_DRAWS: Final = 400


@dataclass(frozen=True, kw_only=True)
class SequenceScore:
    """Accuracy of one model for one output.

    Attributes
    ----------
    output
        Name of the value; ``NAME=CLASS`` for a class.
    sequences
        Test sequences with a known truth.
    score, lower, upper
        Pearson r of a value or AUROC of a class, with a 95 % bootstrap interval over sequences.
    spearman, rmse
        Rank correlation and root mean squared error; NaN for classes.
    """

    output: str
    sequences: int
    score: float
    lower: float
    upper: float
    spearman: float = float("nan")
    rmse: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class ScoreDifference:
    """Mean score of one model minus another's on the same sequences.

    Attributes
    ----------
    model, other
        The two models.
    difference, lower, upper
        With a 95 % bootstrap interval over sequences.
    """

    model: str
    other: str
    difference: float
    lower: float
    upper: float


def score_sequences(
    predictions: NDArray[np.float64], truth: NDArray[np.float64], outputs: Outputs, *, seed: int = 0
) -> tuple[SequenceScore, ...]:
    """Score one model.

    Parameters
    ----------
    predictions
        (rows, outputs) values, or probabilities of the classes.
    truth
        (rows, names) values, NaN where unknown; or (rows, 1) numbers of classes.
    outputs
        What is predicted.
    seed
        Seed of the draws.

    Returns
    -------
    tuple of SequenceScore
        One for each output that has two different known values.
    """
    draws = _draws(len(truth), seed)
    found = []
    for column, name in enumerate(_labels(outputs)):
        known = _known(truth, outputs, column)
        given, right = predictions[:, column], _truth_of(truth, outputs, column)
        if not _scorable(right[known], outputs):
            continue
        drawn = _drawn_scores(given, right, known, outputs, draws)
        lower, upper = np.nanpercentile(drawn, (2.5, 97.5)) if np.isfinite(drawn).any() else (np.nan, np.nan)
        more = {}
        if not outputs.classes:
            more = {
                "spearman": spearman_r(given[known], right[known]),
                "rmse": rmse(given[known], right[known]),
            }
        score = _score(given[known], right[known], outputs)
        found.append(
            SequenceScore(
                output=name,
                sequences=int(known.sum()),
                score=score,
                lower=float(lower),
                upper=float(upper),
                **more,
            )
        )
    return tuple(found)


def compare_sequence_models(
    predictions: Mapping[str, NDArray[np.float64]],
    truth: NDArray[np.float64],
    outputs: Outputs,
    *,
    seed: int = 0,
) -> tuple[ScoreDifference, ...]:
    """Differences between the first model and each other one: of the mean score over outputs.

    Parameters
    ----------
    predictions
        (rows, outputs) of each model by its name.
    truth, outputs, seed
        As for :func:`score_sequences`.

    Returns
    -------
    tuple of ScoreDifference
        One for each other model; none where nothing can be scored.
    """
    draws = _draws(len(truth), seed)
    columns = [
        column
        for column in range(outputs.size)
        if _scorable(_truth_of(truth, outputs, column)[_known(truth, outputs, column)], outputs)
    ]
    if not columns or len(predictions) < 2:
        return ()
    whole, drawn = {}, {}
    for name, given in predictions.items():
        scores, resampled = [], []
        for column in columns:
            known, right = _known(truth, outputs, column), _truth_of(truth, outputs, column)
            scores.append(_score(given[known, column], right[known], outputs))
            resampled.append(_drawn_scores(given[:, column], right, known, outputs, draws))
        whole[name], drawn[name] = float(np.mean(scores)), np.mean(resampled, axis=0)
    first, *others = predictions
    found = []
    for other in others:
        differences = drawn[first] - drawn[other]
        lower, upper = np.nanpercentile(differences, (2.5, 97.5))
        found.append(
            ScoreDifference(
                model=first,
                other=other,
                difference=whole[first] - whole[other],
                lower=float(lower),
                upper=float(upper),
            )
        )
    return tuple(found)


def _labels(outputs: Outputs) -> list[str]:
    return [f"{outputs.names[0]}={each}" for each in outputs.classes] or list(outputs.names)


def _known(truth: NDArray[np.float64], outputs: Outputs, column: int) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.isfinite(truth[:, 0 if outputs.classes else column])
    return known


def _truth_of(truth: NDArray[np.float64], outputs: Outputs, column: int) -> NDArray[np.float64]:
    return (truth[:, 0] == column).astype(np.float64) if outputs.classes else truth[:, column]


def _scorable(right: NDArray[np.float64], outputs: Outputs) -> bool:
    return len(right) >= 3 and len(np.unique(right)) > 1


def _score(given: NDArray[np.float64], right: NDArray[np.float64], outputs: Outputs) -> float:
    if outputs.classes:
        return float(auroc(given, right.astype(np.bool_)))
    return float(pearson_r(given, right))


def _draws(rows: int, seed: int) -> NDArray[np.intp]:
    return np.random.default_rng(seed).integers(0, max(1, rows), (_DRAWS, rows))


def _drawn_scores(
    given: NDArray[np.float64],
    right: NDArray[np.float64],
    known: NDArray[np.bool_],
    outputs: Outputs,
    draws: NDArray[np.intp],
) -> NDArray[np.float64]:
    """(draws,) score of each resample; NaN where one has a single value."""
    scores = np.full(len(draws), np.nan)
    for k, rows in enumerate(draws):
        rows = rows[known[rows]]
        if _scorable(right[rows], outputs):
            scores[k] = _score(given[rows], right[rows], outputs)
    return scores
