"""Folds that cannot be learnt without or judged are told by their number."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.prediction.evaluation.splitting import Scheme

FOLDS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
VARIED = np.arange(12.0)


def test_folds_that_can_be_judged_pass() -> None:
    Scheme("random", (FOLDS, FOLDS[::-1].copy())).check(VARIED)


@pytest.mark.parametrize(
    ("name", "folds", "y", "told"),
    [
        ("random", np.where(VARIED < 2, 2, FOLDS), VARIED, "fold 1 of 3, repeat 1, holds 2 of 12"),
        (
            "random",
            FOLDS,
            np.where(FOLDS == 1, 5.0, VARIED),
            "all 4 accessions of fold 2 of 3, repeat 1, have",
        ),
        ("clusters", FOLDS, np.where(FOLDS == 2, VARIED, 1.0), "all 4 accessions of fold 1"),
        ("families", FOLDS // 2, np.where(FOLDS == 2, 3.0, VARIED), "without fold 1 of 2, repeat 1"),
        ("clusters", np.zeros(12, dtype=int), VARIED, "'clusters' finds one group among the 12"),
        ("clusters", (VARIED < 2) * 1, VARIED, "fold 1 of 2, repeat 1, leaves 2 of 12"),
    ],
)
def test_folds_that_cannot(name: str, folds: np.ndarray, y: np.ndarray, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        Scheme(name, (folds,)).check(y)


def test_a_training_set_without_variation_is_told_with_what_to_do() -> None:
    y = np.where(FOLDS // 2 == 1, VARIED, 1.0)
    with pytest.raises(BudwoodError, match="all 8 accessions of fold 1") as told:
        Scheme("clusters", (FOLDS // 2,)).check(y)
    assert told.value.mend == "label more accessions or choose scheme random"
    y = np.where(FOLDS // 2 == 0, VARIED, 1.0)
    with pytest.raises(BudwoodError, match="without fold 1 of 2, repeat 1, all 4 accessions to learn from"):
        Scheme("clusters", (FOLDS // 2,)).check(y)
