"""The ranking by means over environments, beside that of the trait model."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.prediction.environments.mean_ranking import mean_ranking
from budwood.prediction.environments.results import EnvironmentPrediction
from report.plausible import make_prediction


def _found(accessions: tuple[str, ...], mean: np.ndarray) -> EnvironmentPrediction:
    n = len(accessions)
    cells, line = np.zeros((n, 2)), np.zeros(n)
    return EnvironmentPrediction(
        trait="yield", model="deviations", accessions=accessions, environments=("a", "b"),
        observed=cells, value=cells, standard_error=cells, lower_90=cells, upper_90=cells,
        trained=np.array([True, False]), spread=np.zeros(2), mean=mean, mean_standard_error=line + 1.0,
        slope=line, deviation=line, variance_shares={}, notes=(),
    )  # fmt: skip


@pytest.mark.parametrize("lowest", [True, False])
def test_equal_means_agree_and_opposite_ones_do_not(lowest: bool) -> None:
    prediction = replace(make_prediction(60, 30), lower_is_better=lowest)
    accessions = prediction.accessions
    same = mean_ranking(prediction, _found(accessions, prediction.prediction.copy()))
    assert same.r == pytest.approx(1.0)
    assert same.shared == same.first == 15
    best = int(prediction.prediction.argmin() if lowest else prediction.prediction.argmax())
    assert same.rank[best] == 1
    other = mean_ranking(prediction, _found(accessions, -prediction.prediction))
    assert other.r == pytest.approx(-1.0)
    assert other.shared == 0
    assert "Means over the 2 environments of the table, 1 of them without records," in same.sentence


def test_lines_may_stand_in_another_order() -> None:
    prediction = make_prediction(60, 30)
    turned = _found(prediction.accessions[::-1], prediction.prediction[::-1].copy())
    np.testing.assert_array_equal(mean_ranking(prediction, turned).mean, prediction.prediction)


def test_constant_means_have_no_correlation() -> None:
    prediction = make_prediction(60, 30)
    found = mean_ranking(prediction, _found(prediction.accessions, np.full(60, 2.0)))
    assert np.isnan(found.r)
    assert set(found.rank) == {1}
