"""Planted relatives of known identity and coverage land in their cells of the table."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.corpus.similarity.leakage import LeakageConfig, closest_identity, leakage_report
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N, reverse_complement
from corpus.planted import WIDTH, edited_copies, random_windows

TRAINING = random_windows(2000, 1)


def planted(count, bases, divergence, seed):
    windows = random_windows(count, seed)
    windows[:, :bases] = edited_copies(TRAINING[:count], divergence, seed)[:, :bases]
    return windows


@pytest.mark.parametrize(
    ("bases", "coverages"), [(180, [True, False, False]), (290, [True, True, False]), (WIDTH, [True] * 3)]
)
@pytest.mark.parametrize(("divergence", "identities"), [(0.0, 5), (0.025, 4), (0.075, 3), (0.15, 2)])
def test_relatives_of_known_identity_and_coverage(bases, coverages, divergence, identities):
    table = np.array(leakage_report(planted(60, bases, divergence, 2), TRAINING).shares)
    expected = np.outer(np.arange(5) < identities, coverages)
    assert (table[expected] >= 0.85).all()
    # A long stretch holds a short one of a little higher identity: the row just beyond may fill in part.
    beyond = np.outer(np.arange(5) != identities, np.ones(3, bool)) | ~np.array(coverages)
    assert (table[beyond & ~expected] <= 0.02).all()


def test_unrelated_windows_have_no_relative():
    report = leakage_report(random_windows(300, 3), TRAINING)
    assert not np.any(report.counts)
    assert report.examined == report.validation_windows == 300


def test_a_sample_of_many_windows_is_examined():
    windows = np.concatenate([TRAINING[:200], random_windows(200, 4)])
    report = leakage_report(windows, TRAINING, LeakageConfig(sample=100))
    assert report.examined == 100
    assert report.validation_windows == 400
    assert 0.3 < report.shares[-1][-1] < 0.7


def test_the_report_is_json():
    report = leakage_report(TRAINING[:5], TRAINING)
    again = json.loads(json.dumps(asdict(report)))
    assert again["shares"] == [[1.0] * 3] * 5
    assert again["training_windows"] == 2000


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_order_and_strand_of_training_do_not_matter(first, second):
    validation = planted(20, 300, 0.1, 5)
    expected = closest_identity(validation, TRAINING[:100])
    random = np.random.default_rng((first, second))
    training = TRAINING[random.permutation(100)]
    training = np.where(random.random((100, 1)) < 0.5, reverse_complement(training), training)
    assert (closest_identity(reverse_complement(validation), training) == expected).all()
    assert (np.diff(expected, axis=1) <= 0).all()


def test_nothing_leaks_from_nothing():
    none = np.empty((0, WIDTH), np.uint8)
    assert not np.any(leakage_report(TRAINING[:3], none).shares)
    assert not np.any(leakage_report(none, TRAINING).shares)
    unknown = np.full((3, WIDTH), N, np.uint8)
    assert not np.any(leakage_report(unknown, unknown).shares)


def test_windows_of_two_widths_are_refused():
    with pytest.raises(BudwoodError, match="cut both to the same length"):
        leakage_report(TRAINING[:, :256], TRAINING)
