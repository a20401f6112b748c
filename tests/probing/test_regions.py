"""Per-base predictions cover every base once, and are scored against the annotation."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode, reverse_complement
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.regions import coding_probability, score_coding

LENGTH = 700


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, LENGTH, dtype=np.uint8)


def test_every_base_has_a_probability_whatever_the_strand(codes: np.ndarray) -> None:
    checkpoint = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    window = codes[:512]
    contigs = {"long": codes, "there": window, "back": reverse_complement(window)}
    found = coding_probability(InMemoryAssembly(contigs), checkpoint, show=False)
    assert {name: len(values) for name, values in found.items()} == {"long": 700, "there": 512, "back": 512}
    assert all(((values > 0) & (values < 1)).all() for values in found.values())
    np.testing.assert_allclose(found["there"], found["back"][::-1], atol=1e-5)
    np.testing.assert_allclose(found["long"][:512], found["there"], atol=1e-5)


def test_a_prediction_that_is_the_annotation_scores_one(codes: np.ndarray) -> None:
    transcript = Transcript("t", (Span(100, 400),), (CodingPart(100, 400, 0),))
    annotation = Annotation((Gene("g", "c", 100, 400, "+", (transcript,)),))
    assembly = InMemoryAssembly({"c": decode(codes[:650]) + "N" * 50})
    truth = np.zeros(LENGTH, dtype=np.float32)
    truth[100:400] = 1.0
    score = score_coding({"c": truth}, assembly, annotation)
    assert (score.auroc, score.coding, score.other) == (1.0, 300, 350)
    assert score_coding({"c": 1 - truth}, assembly, annotation).auroc == 0.0
