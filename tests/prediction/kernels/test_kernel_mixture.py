"""Multi-kernel, and `auto` with it, use whatever kernels a panel has beyond its markers."""

from dataclasses import dataclass

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.stack import AUTO
from budwood.stats.evaluation.metrics import pearson_r

TRAINING = np.arange(120)
CANDIDATES = np.arange(120, 180)


@dataclass(frozen=True)
class Simulated:
    markers: PanelKernels
    both: PanelKernels
    from_markers: np.ndarray
    from_gram: np.ndarray
    noise: np.ndarray


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    generator = np.random.default_rng(5)
    dosage = generator.binomial(2, generator.uniform(0.1, 0.9, (6, 60))[generator.integers(0, 6, 180)])
    genotypes = Genotypes.from_matrix([f"line{i:03d}" for i in range(180)], dosage.astype(np.int8))
    features = generator.standard_normal((180, 15))
    from_markers = dosage @ generator.standard_normal(60)
    from_gram = features @ generator.standard_normal(15)
    return Simulated(
        PanelKernels(genotypes),
        PanelKernels(genotypes, {"embedding": features @ features.T}),
        from_markers / from_markers.std(),
        from_gram / from_gram.std(),
        0.6 * generator.standard_normal(180),
    )


def _r(model, predictors: PanelKernels, genetic: np.ndarray, noise: np.ndarray) -> float:
    found = model.fit(predictors, TRAINING, (genetic + noise)[TRAINING]).predict(
        predictors.lines(CANDIDATES, TRAINING)
    )
    return pearson_r(found.value, genetic[CANDIDATES])


def test_a_trait_of_a_further_kernel_is_learnt_through_it(simulated) -> None:
    for model in (MULTI_KERNEL, AUTO):
        without = _r(model, simulated.markers, simulated.from_gram, simulated.noise)
        assert _r(model, simulated.both, simulated.from_gram, simulated.noise) > max(without, 0.0) + 0.4


def test_a_kernel_that_says_nothing_costs_nothing_notable(simulated) -> None:
    for model in (MULTI_KERNEL, AUTO):
        without = _r(model, simulated.markers, simulated.from_markers, simulated.noise)
        assert _r(model, simulated.both, simulated.from_markers, simulated.noise) > without - 0.03


def test_variances_are_those_of_the_sources(simulated) -> None:
    y = (simulated.from_gram + simulated.noise)[TRAINING]
    shares = MULTI_KERNEL.fit(simulated.both, TRAINING, y).variance_shares
    assert list(shares) == ["relationship", "gaussian", "embedding", "residual"]
    assert shares["embedding"] > 0.5
    assert sum(shares.values()) == pytest.approx(1.0)
    assert set(MULTI_KERNEL.fit(simulated.markers, TRAINING, y).variance_shares) == {
        *("relationship", "gaussian", "residual")
    }


def test_kernels_that_add_up_to_the_relationship_are_no_obstacle(simulated) -> None:
    """Two subgenomes' relationships are together the relationship that the mixture holds already."""
    first = np.arange(60) < 30
    weights = {"subgenome:A": first.astype(float), "subgenome:B": (~first).astype(float)}
    split = PanelKernels(simulated.markers.genotypes, weights=weights)
    fitted = MULTI_KERNEL.fit(split, TRAINING, (simulated.from_markers + simulated.noise)[TRAINING])
    assert {"subgenome A", "subgenome B"} < set(fitted.variance_shares)
    r = pearson_r(fitted.predict(split.lines(CANDIDATES, TRAINING)).value, simulated.from_markers[CANDIDATES])
    alone = _r(GBLUP, simulated.markers, simulated.from_markers, simulated.noise)
    assert r > alone - 0.05
