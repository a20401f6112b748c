"""The linear probe, and AUROC against plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from budwood.genomics.sequence import encode
from budwood.probing.linear import LinearProbe, compare_auroc, one_hot_middle, score_auroc
from budwood.stats.evaluation.metrics import auroc


def test_one_hot_keeps_the_middle() -> None:
    window = encode("AACGTTNA")[None]
    assert one_hot_middle(window, 2).reshape(4, 4).argmax(1).tolist() == ["ACGT".index(x) for x in "CGTT"]
    assert one_hot_middle(window, 4).sum() == 7


def test_a_probe_finds_a_signal_and_none_in_noise() -> None:
    random = np.random.default_rng(0)
    noise, labels = random.normal(size=(400, 5)), np.arange(400) % 2 == 0
    signal = noise + labels[:, None]
    assert LinearProbe().fit(signal[:200], labels[:200]).score(signal[200:], labels[200:]).auroc > 0.9
    blind = LinearProbe().fit(noise[:200], labels[:200]).score(noise[200:], labels[200:])
    assert blind.lower < 0.5 < blind.upper


def test_fewer_examples_than_features_give_the_regression_on_all_features() -> None:
    random = np.random.default_rng(1)
    labels = np.arange(60) % 2 == 0
    narrow = random.normal(size=(60, 40)) + 0.5 * labels[:, None]
    # The same features twice are the same regression: penalties on equal columns share the weight.
    wide = np.concatenate([narrow, narrow], axis=1) / np.sqrt(2)
    new = random.normal(size=(30, 40))
    probe = LinearProbe().fit(wide, labels)
    assert probe._turn is not None
    found = probe.decision(np.concatenate([new, new], axis=1) / np.sqrt(2))
    assert np.isfinite(found).all()
    held_out = LinearProbe().fit(wide, labels).score(wide, labels)
    assert held_out.auroc > 0.9


def test_three_classes_have_a_score_each() -> None:
    random = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], [200, 40, 20])
    features = random.normal(size=(260, 3))
    features[np.arange(260), labels] += 4
    decided = LinearProbe().fit(features, labels).decision(features)
    assert decided.shape == (260, 3)
    assert all((decided.argmax(1)[labels == k] == k).mean() > 0.85 for k in range(3))


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=25, deadline=None)
def test_auroc_is_that_of_scikit_learn(seed: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    labels = np.arange(40) % 3 == 0
    decision = random.integers(0, 6, 40).astype(float) if ties else random.normal(size=40)
    assert auroc(decision, labels) == pytest.approx(roc_auc_score(labels, decision))
    weights = random.integers(1, 4, 40)
    expected = roc_auc_score(labels, decision, sample_weight=weights)
    assert auroc(decision, labels, weights) == pytest.approx(expected)


def test_the_interval_holds_the_estimate() -> None:
    score = score_auroc(np.array([0.1, 0.4, 0.35, 0.8] * 20), np.array([False, False, True, True] * 20))
    assert score.auroc == 0.75
    assert score.lower <= 0.75 <= score.upper


def test_examples_of_one_group_are_drawn_together() -> None:
    random = np.random.default_rng(4)
    labels = np.arange(40) % 2 == 0
    decision = random.normal(size=40) + 0.5 * labels
    copies, of = [np.repeat(one, 10) for one in (decision, labels)], np.repeat(np.arange(40), 10)
    whole = score_auroc(decision, labels)
    together = score_auroc(*copies, groups=of)
    assert together == whole
    apart = score_auroc(*copies)
    assert apart.upper - apart.lower < 0.6 * (whole.upper - whole.lower)


def test_a_difference_is_paired() -> None:
    random = np.random.default_rng(3)
    labels = np.arange(400) % 2 == 0
    hard = random.normal(size=400) + labels
    same = compare_auroc(hard, 2 * hard, labels)
    assert (same.difference, same.lower, same.upper) == (0.0, 0.0, 0.0)
    better = compare_auroc(hard + labels, hard, labels)
    assert 0 < better.lower < better.difference < better.upper
