"""Missing calls by family are found, others are not."""

import numpy as np
import pytest

from budwood.stats.relationship.missing_pattern import missing_pattern


def _random(seed: int, n: int = 80, m: int = 300) -> np.ndarray:
    """Missing independently, at rates that differ between markers and between lines."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.05, 0.6, m) * rng.uniform(0.3, 1.5, n)[:, None]
    return rng.random((n, m)) < rate


@pytest.mark.parametrize("seed", range(8))
def test_lines_with_many_missing_calls_are_no_group(seed) -> None:
    found = missing_pattern(_random(seed))
    assert abs(found.agreement) < 0.1


def test_one_call_in_five_missing_by_family_is_found() -> None:
    rng = np.random.default_rng(1)
    family = rng.integers(0, 8, 80)
    by_family = (rng.random((8, 300)) < 0.2)[family]
    found = missing_pattern(by_family | (_random(2) & (rng.random((80, 300)) < 0.2)))
    assert found.grouped
    assert found.agreement > 0.5


def test_markers_always_or_never_called_say_nothing() -> None:
    assert missing_pattern(np.zeros((30, 200), dtype=bool)) is None
    assert missing_pattern(np.ones((30, 200), dtype=bool)) is None
    assert missing_pattern(_random(0)[:2]) is None


def test_the_order_of_lines_does_not_matter() -> None:
    missing, order = _random(5), np.random.default_rng(6).permutation(80)
    first, second = missing_pattern(missing), missing_pattern(missing[order])
    assert first.agreement == pytest.approx(second.agreement, abs=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.99, 1.0])
@pytest.mark.parametrize("share", [0.6, 0.8])
def test_lines_with_hardly_any_or_only_missing_calls_are_no_group(rate, share) -> None:
    """As where sequenced lines without missing calls stand beside lines of an array."""
    rng = np.random.default_rng(3)
    missing = rng.random((60, 300)) < rng.uniform(0.1, 0.6, 300)
    alike = int(60 * share)
    missing[:alike] = rng.random((alike, 300)) < rate
    assert abs(missing_pattern(missing).agreement) < 0.15
