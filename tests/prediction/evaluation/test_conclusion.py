"""The conclusion follows the paired interval."""

import pytest

from budwood.prediction.evaluation.conclusion import dna_conclusion
from budwood.prediction.evaluation.results import PairedDifference


@pytest.mark.parametrize(
    ("mean", "lower", "upper", "words"),
    [
        (0.03, 0.01, 0.05, "adds accuracy: r is 0.030 higher than with GBLUP"),
        (-0.03, -0.05, -0.01, "harms: r is 0.030 lower"),
        (0.01, -0.01, 0.03, "adds nothing that these folds can show: r is 0.010 higher"),
        (-0.01, -0.03, 0.01, "adds nothing that these folds can show: r is 0.010 lower"),
    ],
)
def test_words_follow_the_interval(mean: float, lower: float, upper: float, words: str) -> None:
    other = PairedDifference("Gaussian kernel", "GBLUP", 9.0, 8.0, 10.0)
    own = PairedDifference("dna", "GBLUP", mean, lower, upper)
    assert words in dna_conclusion([other, own], "dna")


def test_no_dna_model() -> None:
    assert dna_conclusion([PairedDifference("a", "b", 1.0, 1.0, 1.0)], "").startswith(
        "No DNA model took part"
    )
