"""Curves: thresholds, plateaus and what r lets expect of the best quarter."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.transfer.few_shot.conclusion import DirectTest, TransferConclusion, decided_sizes, outcome
from budwood.transfer.few_shot.design import FEWEST_DRAWS, FewShotDesign
from budwood.transfer.few_shot.learning_curve import expected_top_overlap, lines_needed, plateau
from budwood.transfer.few_shot.results import FewShotResults

SIZES = (0, 25, 50, 100)


def results(means: dict[str, tuple[float, ...]], spread: float = 0.001, draws: int = 30) -> FewShotResults:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=draws) * 0.05
    r = {
        arm: {
            n: mean + shared + spread * rng.normal(size=draws) for n, mean in zip(SIZES[1:], by, strict=True)
        }
        for arm, by in means.items()
    }
    design = FewShotDesign(sizes=SIZES, draws=draws)
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


@pytest.mark.parametrize("means", [(0.40, 0.50, 0.56), (0.30, 0.40, 0.50), (0.20, 0.40, 0.50)])
def test_a_few_draws_show_neither_a_gain_nor_a_loss(means: tuple[float, ...]) -> None:
    given = {"GBLUP, target alone": (0.30, 0.40, 0.50), "stack": means}
    for draws in (2, 3, FEWEST_DRAWS - 1):
        found = results(given, draws=draws)
        assert decided_sizes(found, "stack", 1) == decided_sizes(found, "stack", -1) == ()
        assert plateau(found, "stack") is None
        assert outcome(found, "stack", {"burdens": direct(0.001)}) is TransferConclusion.TOO_FEW_DRAWS
        unrelated = outcome(found, "stack", {"burdens": direct(0.4)})
        assert unrelated is TransferConclusion.NO_BETTER_THAN_RANDOM
    enough = results(given, draws=FEWEST_DRAWS)
    assert outcome(enough, "stack", {"burdens": direct(0.001)}) is not TransferConclusion.TOO_FEW_DRAWS


def test_an_interval_of_r_stays_within_what_r_can_be() -> None:
    found = results({"stack": (0.8, 0.8, 0.8)}, spread=0.1, draws=2).interval("stack", 25)
    assert -1.0 <= found.lower < found.mean < found.upper == 1.0


def test_intervals_by_few_draws_cover_but_their_widths_are_chance() -> None:
    """Draws as exchangeable normal values: a third as many test lines as others, so a correlation of 1/4."""
    rng, widths, above = np.random.default_rng(2), {}, {}
    for draws in (3, FEWEST_DRAWS, 100):
        r = 0.5 * rng.normal(size=(3000, 1)) + 0.75**0.5 * rng.normal(size=(3000, draws))
        intervals = [corrected_interval(each, 1 / 3) for each in r]
        widths[draws] = np.array([each.upper - each.mean for each in intervals])
        above[draws] = np.mean([each.lower > 0.0 for each in intervals])
    assert all(share == pytest.approx(0.025, abs=0.01) for share in above.values())
    assert widths[3].mean() / widths[100].mean() == pytest.approx(2.7, abs=0.1)
    assert widths[10].mean() / widths[100].mean() == pytest.approx(1.25, abs=0.05)
    spread = {draws: each.std() / each.mean() for draws, each in widths.items()}
    assert (spread[3], spread[10]) == (pytest.approx(0.52, abs=0.03), pytest.approx(0.24, abs=0.03))


def test_a_significant_negative_delta_is_not_related() -> None:
    found = results({"GBLUP, target alone": (0.3, 0.4, 0.5), "stack": (0.3, 0.4, 0.5)})
    assert decided_sizes(found, "stack", 1) == ()
    negative = {"gene burdens": direct(0.001, positive=False)}
    assert outcome(found, "stack", negative) is TransferConclusion.NO_BETTER_THAN_RANDOM


def test_few_lines_are_compared_at_as_many_as_are_left() -> None:
    assert FewShotDesign().sizes_for(40) == (0, 20)
    assert FewShotDesign(sizes=(0,)).sizes_for(100) == (0, 75)
    assert FewShotDesign(sizes=(0, 10, 25)).sizes_for(40) == (0, 10)
    with pytest.raises(BudwoodError, match="no model can be fitted to 3 phenotyped lines"):
        FewShotDesign(sizes=(0, 25, 3))


def test_draws_are_nested_and_never_train_on_test_lines() -> None:
    design = FewShotDesign(draws=5, seed=3)
    for (rows, order), (again, same) in zip(design.draw(90), design.draw(90), strict=True):
        np.testing.assert_array_equal(rows, again)
        np.testing.assert_array_equal(order, same)
        assert sorted([*rows, *order]) == list(range(90))
    assert design.sizes_for(90) == (0, 25, 50)
