"""Relationships by function: where their weights come from, and that they help where genes matter."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.panel.function_weights import CLASS_WEIGHTS, function_weights
from budwood.panel.marker_weights import weights_of_table
from budwood.prediction.kernels.kernel_model import GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import pearson_r

GENES = tuple(
    Gene(f"g{i}", "1", s, s + 100, "+", (Transcript("t", (Span(s, s + 100),), (CodingPart(s, s + 100, 0),)),))
    for i, s in enumerate(range(5_000, 605_000, 5_000))
)


def placed(positions: np.ndarray) -> Markers:
    blank = np.full(len(positions), "", dtype=object)
    names = np.array([f"m{j}" for j in range(len(positions))], dtype=object)
    return Markers(names, np.full(len(positions), "1", dtype=object), positions, blank, blank)


def test_weights_follow_the_classes_and_are_told() -> None:
    found = function_weights(placed(np.array([5_050, 4_500, 3_000])), Annotation(GENES))
    assert found.by_kernel["function"].tolist() == [1.0, 0.5, 0.1]
    assert (
        "1 coding (1), 0 UTR (0.75), 1 promoter (0.5), 0 intron (0.25), 1 intergenic (0.1)" in found.notes[0]
    )
    assert sorted(CLASS_WEIGHTS.values()) == [
        CLASS_WEIGHTS[each] for each in sorted(CLASS_WEIGHTS, key=CLASS_WEIGHTS.get)
    ]


def test_a_table_weighs_the_markers_it_names() -> None:
    found = weights_of_table(placed(np.arange(3)), {"m1": 2.0, "elsewhere": 1.0, "m2": 0.0})
    assert found.by_kernel["function"].tolist() == [0.0, 2.0, 0.0]
    assert "weighs 2 of 3 markers" in found.notes[0]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"m1": -1.0}, "the weight of marker 'm1' is -1"),
        ({"m1": float("nan")}, "the weight of marker 'm1' is nan"),
        ({"m1": float("inf")}, "the weight of marker 'm1' is inf"),
        ({"other": 1.0}, "no marker of the panel has a positive weight"),
        ({"m1": 0.0}, "no marker of the panel has a positive weight"),
    ],
)
def test_weights_that_cannot_be(table: dict[str, float], told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        weights_of_table(placed(np.arange(2)), table)


def test_where_genes_hold_all_effects_the_function_kernel_predicts_better() -> None:
    """Unlinked markers, a tenth of them coding: weights are worth most here, and must not harm."""
    rng = np.random.default_rng(4)
    m, n = 1_200, 150
    coding = np.arange(m) % 10 == 0
    positions = np.where(coding, 5_050, 3_000) + 5_000 * (np.arange(m) // 10)
    genotypes = Genotypes(
        tuple(map(str, range(n))),
        placed(positions),
        rng.binomial(2, rng.uniform(0.2, 0.8, m), (n, m)).astype(np.int8),
        np.full(n, 2, dtype=np.int8),
    )
    genetic = genotypes.dosage[:, coding] @ rng.standard_normal(coding.sum())
    y = genetic + rng.normal(0, 0.7 * genetic.std(), n)
    weights = function_weights(genotypes.markers, Annotation(GENES)).by_kernel
    predictors = PanelKernels(genotypes, weights=weights)
    training, rest = np.arange(110), np.arange(110, n)
    both = KernelModel("both", (("relationship", "function"),)).fit(predictors, training, y[training])
    alone = GBLUP.fit(predictors, training, y[training])
    with_genes, without = (
        pearson_r(f.predict(predictors.lines(rest, training)).value, genetic[rest]) for f in (both, alone)
    )
    assert with_genes > without + 0.1
    assert both.variance_shares["function"] > both.variance_shares["relationship"]
