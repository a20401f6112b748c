"""Hidden bases are told apart by region, and scored as counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import MASK, decode
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.masked_bases import (
    clustered_standard_error,
    encoder_probabilities,
    mask_bases,
    score_masked_bases,
)

LETTERS = decode(np.random.default_rng(0).integers(0, 4, 1500, dtype=np.uint8))


@pytest.fixture(scope="module")
def assembly() -> InMemoryAssembly:
    return InMemoryAssembly({"c": LETTERS[:700] + LETTERS[700:800].lower() + "N" * 100 + LETTERS[900:]})


@pytest.fixture(scope="module")
def annotation() -> Annotation:
    transcript = Transcript("t", (Span(100, 400),), (CodingPart(100, 400, 0),))
    return Annotation((Gene("g", "c", 100, 400, "+", (transcript,)),), ())


def test_one_base_in_so_many_is_hidden_and_no_repeat_or_n(assembly, annotation) -> None:
    hidden = mask_bases(assembly, annotation, spacing=10)
    place = 512 * hidden.rows + hidden.columns
    assert 120 < len(place) <= 150
    assert not ((place >= 700) & (place < 900)).any()
    for row in np.unique(hidden.rows):
        assert (np.diff(hidden.columns[hidden.rows == row]) % 10 == 0).all()
    assert (hidden.masked_codes == MASK).sum() == len(place)
    assert (hidden.truth < 4).all()


def test_scores_by_region_are_means_of_their_bases(assembly, annotation) -> None:
    hidden = mask_bases(assembly, annotation, spacing=10)
    place = 512 * hidden.rows + hidden.columns
    coding = (place >= 100) & (place < 400)
    chances = np.full((len(place), 4), 0.2)
    chances[:, 0] = 0.4
    scores = score_masked_bases(hidden, chances)
    a = hidden.truth == 0
    assert scores["coding"].bases == coding.sum()
    assert scores["coding"].accuracy == pytest.approx(a[coding].mean())
    assert scores["all"].cross_entropy == pytest.approx(-np.log(np.where(a, 0.4, 0.2)).mean())
    assert set(scores) == {"all", "coding", "intergenic"}


def test_bases_of_one_window_are_not_counted_as_independent() -> None:
    values, windows = np.repeat([0.0, 1.0], 50), np.repeat([0, 1], 50)
    assert clustered_standard_error(values, windows) == pytest.approx(np.sqrt(2 * 25.0**2) / 100)
    assert clustered_standard_error(values, np.arange(100)) == pytest.approx(0.05)


def test_the_encoder_does_not_see_what_is_hidden(assembly) -> None:
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    checkpoint = random_checkpoint(shape)
    hidden = mask_bases(assembly, spacing=10)
    found = encoder_probabilities(hidden, checkpoint, show=False)
    assert np.allclose(found.sum(1), 1)
    codes = hidden.codes.copy()
    codes[hidden.rows, hidden.columns] = 3 - hidden.truth
    changed = type(hidden)(codes, hidden.rows, hidden.columns, hidden.region)
    assert np.array_equal(found, encoder_probabilities(changed, checkpoint, show=False))
