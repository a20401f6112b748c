from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.phenotypes import Phenotypes


@pytest.mark.parametrize("level", [0.0, 1e3, 1e9, -1e9, 1e11])
def test_a_description_shows_the_digits_in_which_values_differ(level: float) -> None:
    values = level + np.array([1.25, 2.5, 4.75])
    three = np.array(["a", "b", "c"], dtype=object)
    trait, nowhere = np.full(3, "height", dtype=object), np.full(3, "", dtype=object)
    described = Phenotypes(three, trait, nowhere, values, np.full(3, np.nan)).describe("height")
    words = described.sentence.split()
    shown = [float(words[place].strip(".,")) for place in (4, 6, 8)]
    assert shown == pytest.approx([values[0], values[2], values[1]], abs=0.01)
