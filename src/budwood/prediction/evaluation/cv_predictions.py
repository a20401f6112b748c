"""Held-out forecasts of one evaluation, and the figures made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Forecast
from budwood.prediction.evaluation.heritability import SMALLEST
from budwood.prediction.evaluation.results import Family, Heritability, ModelScore, PairedDifference
from budwood.prediction.evaluation.splitting import Scheme
from budwood.stats.evaluation import metrics
from budwood.stats.evaluation.paired_difference import (
    bootstrap_difference,
    bootstrap_mean_r,
    corrected_interval,
)
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Lines from which a correlation within one family is shown, and from which a family has a fold of its own.
SMALLEST_FAMILY: Final = 10


class CvPredictions:
    """Predictions of each of n accessions by one model, in each repeat, while the accession was held out.

    Parameters
    ----------
    repeats
        Number of divisions into folds.
    n
        Number of accessions.

    Attributes
    ----------
    value, lower, upper
        (repeats, n) predictions and ends of their 90 % intervals.
    seconds
        Time of fits and predictions so far.
    """

    def __init__(self, repeats: int, n: int) -> None:
        self.value, self.lower, self.upper = (np.full((repeats, n), np.nan) for _ in range(3))
        self.seconds = 0.0

    def add(self, repeat: int, rows: Rows, forecast: Forecast, seconds: float) -> None:
        """Keep the forecast of the rows held out.

        Parameters
        ----------
        repeat
            Number of the repeat, from 0.
        rows
            Rows held out.
        forecast
            Forecast of the held-out rows or cells.
        seconds
            Time of the fit and the prediction.
        """
        self.value[repeat, rows] = forecast.value
        self.lower[repeat, rows] = forecast.lower_90
        self.upper[repeat, rows] = forecast.upper_90
        self.seconds += seconds


@dataclass(frozen=True)
class Scorer:
    """Compares forecasts with observations, in the same way for every model.

    Attributes
    ----------
    observed
        (n,) trait values.
    scheme
        Folds.
    heritability
        What r is divided by the root of.
    lower_is_better
        Whether the best lines have the smallest values.
    """

    observed: Vector
    scheme: Scheme
    heritability: Heritability
    lower_is_better: bool = False

    def score(self, name: str, tally: CvPredictions) -> ModelScore:
        """Every figure of a model.

        Parameters
        ----------
        name
            Its name.
        tally
            Cross-validated predictions of the model.

        Returns
        -------
        ModelScore
            Accuracy, calibration and gain.
        """
        y, sign = self.observed, -1.0 if self.lower_is_better else 1.0
        fold_r = self._by_fold(metrics.pearson_r, tally.value)
        every, observed = tally.value.ravel(), np.tile(y, len(tally.value))
        h2, mean_r = self.heritability.value, float(np.mean(fold_r))
        gain = float(np.mean(self._by_fold(metrics.selection_gain, sign * tally.value, sign)))
        return ModelScore(
            name=name,
            fold_r=fold_r,
            mean_r=mean_r,
            coverage_90=metrics.coverage(tally.lower.ravel(), tally.upper.ravel(), observed),
            rmse=metrics.rmse(every, observed),
            slope=metrics.slope(every, observed),
            seconds=tally.seconds,
            accuracy=mean_r / h2**0.5 if h2 >= SMALLEST else np.nan,
            intercept=metrics.intercept(every, observed),
            bias=metrics.bias(every, observed),
            interval_width=float(np.mean(tally.upper - tally.lower)),
            top_quarter=float(np.mean(self._by_fold(metrics.top_overlap, sign * tally.value, sign))),
            gain=gain,
            gain_sd=gain / float(np.std(y, ddof=1)),
            auroc=self._auroc(tally.value),
            family_r=self._family_r(tally.value),
        )

    @property
    def possible_gain(self) -> float:
        """Gain of predictions that order every fold perfectly."""
        sign = -1.0 if self.lower_is_better else 1.0
        perfect = np.tile(sign * self.observed, (len(self.scheme.repeats), 1))
        return float(np.mean(self._by_fold(metrics.selection_gain, perfect, sign)))

    @property
    def top_quarter_chance(self) -> float:
        """Overlap of the best quarters that predictions without meaning reach."""
        sizes = [len(held) for r in range(len(self.scheme.repeats)) for _, held in self.scheme.splits(r)]
        return float(np.mean([metrics.best_count(size) / size for size in sizes]))

    @property
    def families(self) -> tuple[Family, ...]:
        """Families in order of their names, none where folds are not made of families."""
        names = np.array(self.scheme.families, dtype=object)
        folds = self.scheme.repeats[0]
        return tuple(
            Family(str(name), int((names == name).sum()), int(folds[names == name][0]))
            for name in sorted(set(self.scheme.families))
        )

    def paired(
        self, baseline: ModelScore, score: ModelScore, tallies: dict[str, CvPredictions], seed: int
    ) -> PairedDifference:
        """Difference of a model from the baseline, with both intervals.

        Parameters
        ----------
        baseline
            Score of the baseline.
        score
            Score of the model.
        tallies
            Cross-validated predictions by model.
        seed
            Determines everything random.

        Returns
        -------
        PairedDifference
            Mean difference and its intervals.
        """
        differences = np.array(score.fold_r) - np.array(baseline.fold_r)
        over_folds = corrected_interval(differences, test_to_train=1.0 / (self.scheme.folds - 1))
        draws = [
            bootstrap_mean_r(
                tallies[each.name].value, self.observed, np.array(self.scheme.repeats), seed=seed
            )
            for each in (baseline, score)
        ]
        over_lines = bootstrap_difference(draws[0], draws[1], over_folds.mean, self.scheme.folds)
        return PairedDifference(
            score.name,
            baseline.name,
            over_folds.mean,
            over_folds.lower,
            over_folds.upper,
            over_lines.lower,
            over_lines.upper,
        )

    def _by_fold(
        self, measure: Callable[[Vector, Vector], float], predicted: Matrix, sign: float = 1.0
    ) -> tuple[float, ...]:
        """The measure in each fold, repeat after repeat, of observations times the sign."""
        return tuple(
            measure(predicted[repeat, held_out], sign * self.observed[held_out])
            for repeat in range(len(predicted))
            for _, held_out in self.scheme.splits(repeat)
        )

    def _auroc(self, predicted: Matrix) -> float:
        """Mean over folds, NaN unless the trait has two values."""
        if len(np.unique(self.observed)) != 2:
            return float("nan")
        high = self.observed.max()
        return float(np.mean(self._by_fold(lambda p, y: metrics.auroc(p, y == high), predicted)))

    def _family_r(self, predicted: Matrix) -> tuple[float, ...]:
        """Correlation within each family, NaN where it is small or does not vary."""
        names = np.array(self.scheme.families, dtype=object)
        found = []
        for family in self.families:
            rows = np.flatnonzero(names == family.name)
            judged = family.lines >= SMALLEST_FAMILY and np.ptp(self.observed[rows]) > 0.0
            each = [metrics.pearson_r(values[rows], self.observed[rows]) for values in predicted if judged]
            found.append(float(np.mean(each)) if each else float("nan"))
        return tuple(found)
