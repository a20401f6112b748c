"""Choice of training lines: against the published formulas, exhaustive search, and its own limits."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.stats.training_set.training_design import (
    TrainingProblem,
    choose_training,
    greedy_path,
    random_reliability,
)
from budwood.stats.training_set.training_information import (
    TrainingInformation,
    contrast_error_variance,
    contrast_reliability,
    contrast_variance,
)
from budwood.stats.training_set.training_limits import TrainingLimits


def kernel_of(n: int, seed: int, markers: int = 60) -> np.ndarray:
    generator = np.random.default_rng(seed)
    frequency = generator.uniform(0.1, 0.9, (3, markers))
    z = generator.binomial(2, frequency[generator.integers(0, 3, n)]) - 1.0
    return z @ z.T / markers


def problem_of(n: int = 30, seed: int = 1, phenotyped: int = 0, **changes: object) -> TrainingProblem:
    problem = TrainingProblem(kernel_of(n, seed), 0.8, np.arange(phenotyped), np.arange(phenotyped, n))
    return replace(problem, **changes)


def limits_of(problem: TrainingProblem, **changes: object) -> TrainingLimits:
    return replace(TrainingLimits.none(len(problem.kernel)), **changes)


def criterion(problem: TrainingProblem, chosen: np.ndarray) -> float:
    rest = np.setdiff1d(problem.candidates, chosen)
    return problem.outlook(np.asarray(chosen), rest)[0]


@pytest.mark.parametrize("ratio", [0.05, 1.0, 9.0])
def test_the_published_formula(ratio: float) -> None:
    """Rincent et al. 2012: CD = diag(c' (K - ratio (Z'MZ + ratio K^-1)^-1) c / c' K c)."""
    n, training = 14, np.array([0, 3, 7, 8])
    kernel = kernel_of(n, 2) + 0.01 * np.eye(n)
    z = np.eye(n)[training]
    m = np.eye(4) - 0.25
    error = ratio * np.linalg.inv(z.T @ m @ z + ratio * np.linalg.inv(kernel))
    contrasts = np.eye(n) - 1.0 / n
    pev = np.diag(contrasts @ error @ contrasts)
    cd = np.diag(contrasts @ (kernel - error) @ contrasts) / np.diag(contrasts @ kernel @ contrasts)
    np.testing.assert_allclose(contrast_error_variance(kernel, ratio, training), pev, rtol=1e-9)
    np.testing.assert_allclose(contrast_reliability(kernel, ratio, training), cd, atol=1e-10)


def test_the_origin_of_the_kernel_does_not_matter() -> None:
    kernel, training = kernel_of(20, 3), np.array([1, 5, 9])
    np.testing.assert_allclose(
        contrast_error_variance(kernel + 2.5, 1.0, training), contrast_error_variance(kernel, 1.0, training)
    )


@pytest.mark.parametrize("phenotyped", [0, 3])
@pytest.mark.parametrize("name", ["cdmean", "pevmean"])
@pytest.mark.parametrize("ratio", [0.05, 1.0, 20.0])
def test_updates_equal_the_direct_computation(phenotyped: int, name: str, ratio: float) -> None:
    """A hundred exchanges, every promise kept to 1e-9."""
    problem = problem_of(25, 4, phenotyped, criterion=name, ratio=ratio)
    kernel, candidates, weights = problem.kernel, problem.candidates, problem.weights
    inside = [0, 5, 9]
    direct = lambda chosen: TrainingInformation(  # noqa: E731
        kernel, ratio, np.concatenate([problem.phenotyped, candidates[chosen]]), candidates, weights
    )
    updated = direct(inside)
    generator = np.random.default_rng(5)
    for _ in range(100):
        leaving = int(generator.choice(inside))
        joining = int(generator.choice(np.setdiff1d(np.arange(len(candidates)), inside)))
        promised = updated.after_exchange(leaving)[joining]
        updated.remove(leaving)
        assert updated.after_addition()[joining] == pytest.approx(promised, rel=1e-9)
        updated.add(joining)
        inside = [i for i in inside if i != leaving] + [joining]
        assert updated.total == pytest.approx(promised, rel=1e-9)
    fresh = direct(inside)
    outside = np.setdiff1d(np.arange(len(candidates)), inside)
    assert updated.total == pytest.approx(fresh.total, rel=1e-9)
    for found, expected in (
        (updated.after_addition(), fresh.after_addition()),
        (updated.after_exchange(inside[0]), fresh.after_exchange(inside[0])),
    ):
        np.testing.assert_allclose(found[outside], expected[outside], rtol=1e-9)


def test_the_sum_is_over_lines_that_are_not_chosen() -> None:
    problem = problem_of(12, 6)
    found = TrainingInformation(problem.kernel, 0.8, np.array([2, 4]), problem.candidates, problem.weights)
    rest = np.setdiff1d(np.arange(12), [2, 4])
    assert found.total == pytest.approx((1.0 - criterion(problem, np.array([2, 4]))) * len(rest))


@pytest.mark.parametrize("name", ["cdmean", "pevmean"])
def test_close_to_exhaustive_search_and_above_chance(name: str) -> None:
    problem = problem_of(13, 7, criterion=name)
    index = 0 if name == "cdmean" else 1
    sign = 1.0 if name == "cdmean" else -1.0
    values = [
        sign * problem.outlook(np.array(set_), np.setdiff1d(problem.candidates, set_))[index]
        for set_ in itertools.combinations(range(13), 4)
    ]
    design = choose_training(problem, 4)
    found = sign * (design.reliability[-1] if name == "cdmean" else design.error_variance[-1])
    assert design.settled
    assert np.mean(np.array(values) > found + 1e-12) < 0.01


def test_no_single_exchange_improves_a_settled_design() -> None:
    problem = problem_of(24, 8)
    design = choose_training(problem, 6)
    best = criterion(problem, design.rows)
    assert best == pytest.approx(design.reliability[-1])
    for leaving, joining in itertools.product(design.rows, np.setdiff1d(problem.candidates, design.rows)):
        other = np.append(np.setdiff1d(design.rows, [leaving]), joining)
        assert criterion(problem, other) <= best + 1e-7


def test_exchanges_never_lose_against_the_greedy_start() -> None:
    problem = problem_of(40, 9)
    greedy, exchanged = choose_training(problem, 8, sweeps=0), choose_training(problem, 8)
    assert (greedy.sweeps, greedy.exchanges, greedy.settled) == (0, 0, False)
    assert exchanged.reliability[-1] >= greedy.reliability[-1]
    assert sorted(greedy_path(problem, 8)) == sorted(greedy.rows)


def test_lines_with_phenotypes_stay_and_teach() -> None:
    problem = problem_of(30, 10, phenotyped=8)
    design = choose_training(problem, 5)
    assert not set(design.rows) & set(range(8))
    assert design.reliability[0] > 0.0
    assert (np.diff(design.reliability) >= -1e-12).all()
    assert (np.diff(design.error_variance) <= 1e-12).all()


def test_a_new_family_is_phenotyped_first() -> None:
    families = np.kron(np.eye(3), np.full((6, 6), 0.6)) + 0.4 * np.eye(18)
    problem = TrainingProblem(
        families, 1.0, np.array([0, 1, 6, 7]), np.setdiff1d(np.arange(18), [0, 1, 6, 7])
    )
    assert choose_training(problem, 1).rows[0] >= 12


def test_same_seed_same_design() -> None:
    problem = problem_of(40, 11)
    first, again = (choose_training(problem, 10, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.rows, again.rows)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_lines_changes_little(seed: int) -> None:
    problem = problem_of(16, 12)
    order = np.random.default_rng(seed).permutation(16)
    shuffled = replace(problem, kernel=problem.kernel[np.ix_(order, order)])
    found = [choose_training(p, 5).reliability[-1] for p in (problem, shuffled)]
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_quotas_hold() -> None:
    problem = problem_of(30, 13)
    groups = np.arange(30) % 3
    limits = limits_of(
        problem, group=groups, names=("a", "b", "c"), minimum=np.array([5, 0, 0]), maximum=np.array([9, 1, 9])
    )
    counts = np.bincount(groups[choose_training(problem, 9, limits=limits).rows], minlength=3)
    assert counts[0] >= 5
    assert counts[1] <= 1
    assert counts.sum() == 9


def test_the_budget_holds_and_keeps_money_for_the_minima() -> None:
    problem = problem_of(30, 14)
    cost = np.where(np.arange(30) < 10, 7.0, 1.0)
    limits = limits_of(
        problem,
        group=(np.arange(30) < 10).astype(np.intp),
        names=("cheap", "dear"),
        minimum=np.array([0, 2]),
        maximum=np.array([30, 30]),
        cost=cost,
        budget=20.0,
    )
    design = choose_training(problem, 12, limits=limits)
    assert cost[design.rows].sum() <= 20.0
    assert (design.rows < 10).sum() == 2
    assert len(design.rows) == 8


def test_dear_lines_are_taken_when_money_is_no_matter() -> None:
    problem = problem_of(30, 15)
    cost = np.random.default_rng(0).uniform(1.0, 9.0, 30)
    free, paid = (
        choose_training(problem, 6, limits=limits_of(problem, cost=cost, budget=budget))
        for budget in (np.inf, 1000.0)
    )
    assert paid.reliability[-1] == pytest.approx(free.reliability[-1], rel=0.02)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"minimum": np.array([9, 9])}, "add up to 18"),
        ({"minimum": np.array([4, 0]), "maximum": np.array([3, 30])}, "its maximum is 3"),
        ({"minimum": np.array([16, 0])}, "it has 15 candidates"),
        ({"maximum": np.array([4, 4])}, "only 8 can be"),
        ({"budget": 0.5}, "a budget of 0.5 does not pay"),
        ({"budget": 3.0, "minimum": np.array([4, 0])}, "a budget of 3 does not pay"),
    ],
)
def test_limits_that_cannot_be_met_are_told(changes: dict[str, object], told: str) -> None:
    problem = problem_of(30, 16)
    base = {
        "group": np.arange(30) % 2,
        "names": ("a", "b"),
        "minimum": np.array([0, 0]),
        "maximum": np.array([30, 30]),
    }
    with pytest.raises(BudwoodError, match=told):
        choose_training(problem, 10, limits=limits_of(problem, **base | changes))


@pytest.mark.parametrize("count", [0, 30, 31])
def test_some_lines_must_be_chosen_and_some_left(count: int) -> None:
    with pytest.raises(BudwoodError, match="of 30 candidates"):
        choose_training(problem_of(30, 17), count)


def test_lines_that_are_all_alike_are_refused() -> None:
    with pytest.raises(BudwoodError, match="all lines are alike"):
        TrainingProblem(np.ones((5, 5)), 1.0, np.arange(0), np.arange(5))


def test_a_line_at_the_mean_has_no_reliability_and_does_no_harm() -> None:
    kernel = kernel_of(20, 18)
    kernel = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
    kernel[0], kernel[:, 0] = 0.0, 0.0
    kernel = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
    grown = np.zeros((21, 21))
    grown[:20, :20] = kernel
    assert contrast_variance(grown)[20] == pytest.approx(0.0, abs=1e-12)
    design = choose_training(TrainingProblem(grown, 1.0, np.arange(0), np.arange(21)), 5)
    assert np.isfinite(design.reliability).all()


def test_duplicates_are_not_phenotyped_twice() -> None:
    kernel = kernel_of(12, 19)
    doubled = np.kron(kernel, np.ones((2, 2)))
    problem = TrainingProblem(doubled, 0.2, np.arange(0), np.arange(24))
    rows = choose_training(problem, 6).rows
    assert len(set(rows // 2)) == 6


def test_random_choice_is_worse() -> None:
    problem = problem_of(60, 20)
    random = random_reliability(problem, [10, 20], seed=1)
    assert random[0] < random[1]
    assert choose_training(problem, 10).reliability[-1] > random[0]
