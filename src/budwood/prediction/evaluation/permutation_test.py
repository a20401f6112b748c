"""Whether a way of measuring accuracy finds some where there is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.evaluation.results import PermutationTest

Vector = NDArray[np.float64]


def permutation_test(
    procedure: Callable[[Vector], float], y: Vector, *, name: str, shuffles: int = 20, seed: int = 0
) -> PermutationTest:
    """Run a whole procedure, from trait values to accuracy, on shuffled trait values.

    Everything that looks at trait values has to be inside the procedure: an earlier step (markers
    chosen by their association in all accessions, for example) has seen the true values and not the shuffled
    ones, and no audit of what follows can find it.

    Parameters
    ----------
    procedure
        Gives the mean held-out correlation for the (n,) trait values it receives.
    y
        (n,) trait values.
    name
        What the procedure is called.
    shuffles
        How many.
    seed
        Determines everything random.

    Returns
    -------
    PermutationTest
        The procedure leaks if the interval lies above 0.

    Examples
    --------
    >>> permutation_test(lambda values: 0.3, np.arange(9.0), name="always right").lower
    0.3
    """
    generator = np.random.default_rng(seed)
    found = [procedure(generator.permutation(y)) for _ in range(shuffles)]
    lower, upper = np.quantile(found, [0.025, 0.975])
    return PermutationTest(name, float(np.mean(found)), float(lower), float(upper))
