"""What of the trait values is told, and what is refused."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.phenotyped import match_phenotyped

NAMES = [f"line{k}" for k in range(12)]
PANEL = Genotypes.from_matrix(NAMES, np.zeros((12, 3), dtype=np.int8))


def labels(values: object) -> object:
    return match_phenotyped(PANEL, dict(zip(NAMES, map(float, values), strict=False)), "t")


def test_two_values_are_told_and_three_are_not() -> None:
    (told,) = labels([1, 2] * 6).notes
    assert told.startswith("Trait 't' has two values only, 1 (6 accessions) and 2 (6 accessions)")
    assert labels([1, 2, 3] * 4).notes == ()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([*range(11), np.inf], "a value of trait 't' is infinite"),
        ([np.nan] * 12, "every value of trait 't' is missing"),
        ([2.5] * 12, "the same value, 2.5, in all 12"),
        (
            [0.1 * 3, 0.3] * 6,
            "differ by 5.6e-17 at most, too little to compute with beside their size of 0.3",
        ),
        ([1e12 + k for k in range(12)], "differ by 11 at most.* size of 1e\\+12"),
        ([*range(11), 1e120], "too large to compute with: check them"),
        ([0.0, 1e-120] * 6, "too close to one another to compute with"),
        (range(9), "only 9 accessions have"),
    ],
)
def test_values_that_cannot_be_learnt_from(values: object, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        labels(values)
