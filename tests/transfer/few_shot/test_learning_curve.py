"""Curves: thresholds, plateaus and what r lets expect of the best quarter."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.transfer.few_shot.conclusion import DirectTest, TransferConclusion, decided_sizes, outcome
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.learning_curve import expected_top_overlap, lines_needed, plateau
from budwood.transfer.few_shot.results import FewShotResults

SIZES = (0, 25, 50, 100)


def results(means: dict[str, tuple[float, ...]], spread: float = 0.001) -> FewShotResults:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=30) * 0.05
    r = {
        arm: {n: mean + shared + spread * rng.normal(size=30) for n, mean in zip(SIZES[1:], by, strict=True)}
        for arm, by in means.items()
    }
    design = FewShotDesign(sizes=SIZES, draws=30)
    return FewShotResults(
        lines=140, test_lines=35, sizes=SIZES, design=design, r=r, within_r=r, top=r, p_values={}
    )


def direct(p: float, *, positive: bool = True) -> DirectTest:
    return DirectTest(r=0.3, within_r=0.3, p_random=p, p_value=p, positive=positive)


def test_the_number_of_lines_is_between_sizes_or_censored() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        sizes = rng.choice(np.arange(1, 401), size=rng.integers(2, 9), replace=False)
        curve = {int(size): float(rng.uniform(-1, 1)) for size in sizes}
        found = lines_needed(curve, float(rng.uniform(-0.9, 0.9)))
        if found.lines is None:
            assert found.text == f"more than {max(curve):,}"
        else:
            assert min(curve) <= found.lines <= max(curve)


def test_a_curve_below_the_threshold_is_censored_and_one_above_starts_at_its_first_size() -> None:
    assert lines_needed({25: 0.3, 400: 0.59}).text == "more than 400"
    assert lines_needed({25: 0.7, 400: 0.8}).lines == 25
    assert lines_needed({25: 0.5, 50: 0.4, 100: 0.65}).lines == 88  # the dip is levelled to .45


def test_the_expected_overlap_agrees_with_simulation() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=400_000)
    for r in (0.0, 0.41, 0.8):
        y = r * x + (1 - r**2) ** 0.5 * rng.normal(size=len(x))
        both = (x > np.quantile(x, 0.75)) & (y > np.quantile(y, 0.75))
        assert expected_top_overlap(r) == pytest.approx(both.mean() / 0.25, abs=0.005)


def test_a_plateau_needs_equivalence_to_be_shown() -> None:
    flat = results({"stack": (0.4, 0.5, 0.505)})
    assert plateau(flat, "stack") == 50
    assert plateau(results({"stack": (0.4, 0.5, 0.56)}), "stack") is None
    assert plateau(results({"stack": (0.5, 0.5, 0.5)}, spread=0.2), "stack") is None


@pytest.mark.parametrize(
    ("means", "p", "expected"),
    [
        ((0.40, 0.50, 0.56), 0.001, TransferConclusion.USEFUL),
        ((0.40, 0.50, 0.56), 0.4, TransferConclusion.NO_BETTER_THAN_RANDOM),
        ((0.30, 0.40, 0.50), 0.001, TransferConclusion.DIRECT_ONLY),
        ((0.20, 0.40, 0.50), 0.001, TransferConclusion.HARMFUL),
        ((0.20, 0.40, 0.50), 0.4, TransferConclusion.HARMFUL),
    ],
)
def test_the_outcome_follows_from_gains_and_tests(
    means: tuple[float, ...], p: float, expected: TransferConclusion
) -> None:
    found = results({"GBLUP, target alone": (0.30, 0.40, 0.50), "stack": means})
    assert outcome(found, "stack", {"gene burdens": direct(p)}) is expected


def test_a_significant_negative_delta_is_not_related() -> None:
    found = results({"GBLUP, target alone": (0.3, 0.4, 0.5), "stack": (0.3, 0.4, 0.5)})
    assert decided_sizes(found, "stack", 1) == ()
    negative = {"gene burdens": direct(0.001, positive=False)}
    assert outcome(found, "stack", negative) is TransferConclusion.NO_BETTER_THAN_RANDOM


def test_draws_are_nested_and_never_train_on_test_lines() -> None:
    design = FewShotDesign(draws=5, seed=3)
    for (rows, order), (again, same) in zip(design.draw(90), design.draw(90), strict=True):
        np.testing.assert_array_equal(rows, again)
        np.testing.assert_array_equal(order, same)
        assert sorted([*rows, *order]) == list(range(90))
    assert design.sizes_for(90) == (0, 25, 50)
