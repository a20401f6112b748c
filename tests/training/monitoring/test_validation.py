"""Validation scores are means over the bases they name."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.corpus.sampling.genome import load_training_genome
from budwood.corpus.sampling.sampler import SamplerConfig, WindowSampler
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.training.monitoring.validation import validate
from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective


@pytest.fixture(scope="module")
def windows() -> WindowSampler:
    # One species of A and T alone, soft-masked in part, and one of C and G with a coding gene all over.
    transcript = Transcript("t", (Span(0, 600),), (CodingPart(0, 600, 0),))
    annotation = Annotation((Gene("g", "c", 0, 600, "+", (transcript,)),), ())
    genomes = [
        load_training_genome("first", InMemoryAssembly({"c": "AT" * 200 + "c" * 200})),
        load_training_genome("second", InMemoryAssembly({"c": "CG" * 300}), annotation),
    ]
    return WindowSampler(genomes, [0.5, 0.5], SamplerConfig(window=64), seed=1)


@pytest.fixture(scope="module")
def scores(windows: WindowSampler) -> dict[str, float]:
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    objective = PretrainingObjective(BudwoodEncoder(shape), ObjectiveConfig())
    with torch.no_grad():
        # The chance of A or T is .4 each, of C or G .1, whatever is read.
        head = objective.encoder.network.base_head
        head.weight.zero_()
        head.bias.copy_(torch.tensor([0.4, 0.1, 0.1, 0.4]).log())
    return validate(objective, windows, 4, 8, ("first", "second", "third"))


def test_by_species_and_region_where_there_are_any(scores: dict[str, float]) -> None:
    assert scores["base_cross_entropy/first"] == pytest.approx(-np.log(0.4), rel=1e-5)
    assert scores["base_cross_entropy/second"] == pytest.approx(-np.log(0.1), rel=1e-5)
    assert scores["base_cross_entropy/coding"] == pytest.approx(-np.log(0.1), rel=1e-5)
    assert not [name for name in scores if name.endswith(("/third", "/intron", "/utr"))]
    assert -np.log(0.4) < scores["base_cross_entropy"] < -np.log(0.1)


def test_all_labels_alike_have_no_auroc(scores: dict[str, float]) -> None:
    assert "coding_auroc" not in scores
    assert {"span_cross_entropy", "span_accuracy"} <= set(scores)
