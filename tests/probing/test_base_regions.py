"""Stretches, their readings and the classifiers of bases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import reverse_complement
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.base_regions import (
    FEATURE_GRID,
    GRID,
    BaseClassifier,
    KmerClassifier,
    class_probabilities,
    grid_labels,
    predict_stretches,
    score_classes,
)
from budwood.probing.stretches import MARGIN, STRETCH, UNSCORED, cut_stretches

WHOLE = STRETCH + 2 * MARGIN


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (2, WHOLE), dtype=np.uint8)


def test_stretches_carry_the_labels_of_their_bases(codes: np.ndarray) -> None:
    first = MARGIN + 1000
    exons = (Span(first, first + 300), Span(first + 500, first + 800))
    transcript = Transcript("t", exons, (CodingPart(first + 30, first + 300, 0), CodingPart(*exons[1], 0)))
    gene = Gene("g", "c", first, first + 800, "+", (transcript,))
    letters = codes[0].copy()
    letters[MARGIN : MARGIN + 10] = 4
    found = cut_stretches(InMemoryAssembly({"c": letters}), Annotation((gene,)), 5)
    assert found.codes.shape == (1, WHOLE)
    expected = np.full(STRETCH, 2)
    expected[:10] = UNSCORED
    expected[1000:1030] = UNSCORED
    expected[1030:1800] = 0
    expected[1300:1500] = 1
    assert np.array_equal(found.labels[0], expected)


def test_stretches_do_not_overlap_and_those_of_n_are_left_out(codes: np.ndarray) -> None:
    long = np.concatenate([codes[0], codes[1], np.full(WHOLE, 4, dtype=np.uint8)])
    found = cut_stretches(InMemoryAssembly({"c": long}), Annotation(()), 9)
    assert len(np.unique(found.codes[:, MARGIN:-MARGIN], axis=0)) == len(found.codes) == 2
    with pytest.raises(BudwoodError, match="no contig is long"):
        cut_stretches(InMemoryAssembly({"c": codes[0, :500]}), Annotation(()), 9)


def test_a_reading_averages_overlapping_windows_and_turns_with_the_strand(codes: np.ndarray) -> None:
    checkpoint = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    there = predict_stretches(codes[:1], checkpoint, show=False)
    back = predict_stretches(reverse_complement(codes[:1]), checkpoint, show=False)
    assert there.probabilities.shape == (1, STRETCH // GRID, 17)
    np.testing.assert_allclose(there.probabilities.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(
        class_probabilities(there.probabilities), class_probabilities(back.probabilities)[:, ::-1], atol=1e-5
    )
    # Features come from the one window in whose middle half the base lies.
    place = 2 * FEATURE_GRID + FEATURE_GRID // 2
    begins = MARGIN - 256 + 256 * np.arange(17)
    inside = [b for b in begins if b + 128 <= MARGIN + place < b + 384]
    assert len(inside) == 1
    window = torch.from_numpy(codes[:1, inside[0] : inside[0] + 512].astype(np.int64))
    with torch.inference_mode():
        expected = checkpoint.encoder(window).last_hidden_state[0, MARGIN + place - inside[0]]
    np.testing.assert_allclose(there.features[0, 2], expected.numpy(), atol=1e-5)


def test_long_windows_read_every_base_and_turn_with_the_strand(codes: np.ndarray) -> None:
    checkpoint = random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    there, back = (
        predict_stretches(strand, checkpoint, window=2048, show=False)
        for strand in (codes[:1], reverse_complement(codes[:1]))
    )
    np.testing.assert_allclose(
        class_probabilities(there.probabilities), class_probabilities(back.probabilities)[:, ::-1], atol=1e-5
    )
    # The first bases that count are read in the first window alone.
    with torch.inference_mode():
        first = checkpoint.encoder(torch.from_numpy(codes[:1, :2048].astype(np.int64)))
    expected = first.regions[0, MARGIN : MARGIN + GRID].softmax(-1).mean(0)
    np.testing.assert_allclose(there.probabilities[0, 0], expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(
        there.features[0, 0], first.last_hidden_state[0, MARGIN + FEATURE_GRID // 2], atol=1e-5
    )


def test_prior_correction_mends_a_skewed_class_and_neighbours_help() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(random.integers(0, 3, (6, 16)), 32, axis=1).astype(np.int8)
    chances = 0.2 + 0.15 * (labels[..., None] == np.arange(3)) + random.uniform(0, 0.4, (6, 512, 3))
    chances[..., 2] += 0.3
    chances /= chances.sum(-1, keepdims=True)
    raw = score_classes(chances.argmax(-1), labels).balanced_accuracy
    found = [
        score_classes(BaseClassifier(neighbours=n).fit(chances, labels).predict(chances), labels)
        for n in (False, True)
    ]
    assert raw < found[0].balanced_accuracy < found[1].balanced_accuracy
    assert found[1].lower < found[1].balanced_accuracy < found[1].upper


def test_kmers_tell_composition_and_do_not_see_the_strand(codes: np.ndarray) -> None:
    skewed = np.random.default_rng(2).choice(4, (2, WHOLE), p=[0.4, 0.1, 0.1, 0.4]).astype(np.uint8)
    both = np.concatenate([codes, skewed])
    labels = np.repeat([[0], [0], [1], [1]], STRETCH, axis=1).astype(np.int8)
    classifier = KmerClassifier(100).fit(both, labels, 64)
    predicted = classifier.predict_proba(both, 128).argmax(-1)
    assert (predicted == grid_labels(labels, 128)).mean() > 0.9
    place = np.array([STRETCH // 2])
    there, back = (classifier.features(row, place) for row in (codes[0], reverse_complement(codes[0])))
    np.testing.assert_array_equal(there, back)
    assert (there**2).sum() == 95


def test_balanced_accuracy_counts_classes_alike() -> None:
    labels = np.array([[0, 0, 0, 1, 2, UNSCORED]], dtype=np.int8)
    score = score_classes(np.array([[0, 0, 1, 1, 0, 0]]), labels)
    assert (score.bases, score.coding, score.intron, score.intergenic) == (5, 2 / 3, 1.0, 0.0)
    assert score.balanced_accuracy == pytest.approx((2 / 3 + 1) / 3)
