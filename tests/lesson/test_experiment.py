"""What the lesson says is what its experiments give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from budwood.lesson.experiment import FirstTask, learn_first_task, learn_second_task, mean_and_band
from budwood.lesson.network import Optimiser, answer, middle, new_weights
from budwood.lesson.page import lesson_results
from budwood.lesson.random_numbers import RandomNumbers
from budwood.lesson.structure import structure_of
from budwood.lesson.tasks import INPUTS


@pytest.fixture(scope="module")
def first() -> FirstTask:
    return learn_first_task(epochs=8)


def test_random_numbers_are_uniform_and_normal() -> None:
    numbers = RandomNumbers(5).uniform(20_000)
    assert np.histogram(numbers, 10, (0, 1))[0] == pytest.approx(2000, abs=250)
    normal = RandomNumbers(6).normal(20_000)
    assert normal.mean() == pytest.approx(0, abs=0.03)
    assert normal.std() == pytest.approx(1, abs=0.03)
    assert sorted(RandomNumbers(7).permutation(50).tolist()) == list(range(50))
    assert abs(pearsonr(numbers[:-1], numbers[1:]).statistic) < 0.03


def test_gradients_are_those_of_differences() -> None:
    random = np.random.default_rng(0)
    weights = new_weights(RandomNumbers(1), 2)
    inputs, wanted = random.normal(size=(5, INPUTS)), random.normal(size=(5, 2))

    def loss(each: tuple[np.ndarray, ...]) -> float:
        return float(((answer(each, inputs) - wanted) ** 2).sum() / 2)  # type: ignore[arg-type]

    # With a first step of Adam every weight moves by the rate, against the sign of its derivative.
    optimiser = Optimiser(weights, 1e-6)
    optimiser.step(inputs, answer(weights, inputs) - wanted, middle(weights, inputs))
    for place in range(4):
        moved = optimiser.weights[place] - weights[place]
        for at in list(np.ndindex(weights[place].shape))[:: max(1, weights[place].size // 15)]:
            changed = [each.copy() for each in weights]
            changed[place][at] += 1e-6
            derivative = (loss(tuple(changed)) - loss(weights)) / 1e-6
            if abs(derivative) > 1e-3:
                assert np.sign(moved[at]) == -np.sign(derivative)


def test_task_one_is_learnt_and_held_out_windows_are_right(first: FirstTask) -> None:
    assert first.accuracy[0] < 0.05
    assert first.accuracy[-1] > 0.95


def test_a_run_depends_on_its_seed_alone(first: FirstTask) -> None:
    weights = first.weights[-1]
    again = [learn_second_task(weights, "randomised", 50, epochs=3, seed=2).error for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != learn_second_task(weights, "randomised", 50, epochs=3, seed=3).error


def test_pre_training_helps_with_a_hundred_examples(first: FirstTask) -> None:
    weights = first.weights[-1]
    ours, scratch = (
        [learn_second_task(weights, arm, 150, epochs=60, seed=seed).error[-1] for seed in range(3)]
        for arm in ("pre-trained", "from scratch")
    )
    assert max(ours) < min(scratch)


def test_the_stored_results_tell_the_story() -> None:
    found = lesson_results()
    rows = {row["examples"]: row["arms"] for row in found["second"]["by_examples"]}
    few, many = rows[50], rows[1000]
    assert few["pre-trained"][2] < few["from scratch"][1]
    assert few["pre-trained"][2] < few["randomised"][1]
    spread = found["second"]["spread"]
    assert (many["from scratch"][0] / spread) ** 2 < 0.01  # explains 99 % of the differences
    assert found["first"]["accuracy"][-1] > 0.99
    first, second = found["structures"]
    assert second["correlation"] > first["correlation"]
    assert second["p"] < 0.05


def test_the_structure_finds_an_axis_that_is_put_in() -> None:
    weights = new_weights(RandomNumbers(2), 1)
    found = structure_of(weights, shuffles=49)
    assert found.places.shape == (61, 2)
    assert abs(found.places.mean(axis=0)).max() < 1e-9
    assert found.explained.sum() < 1


def test_bands_are_those_of_student() -> None:
    assert mean_and_band([1.0, 2.0, 3.0]) == pytest.approx((2.0, -0.484, 4.484), abs=1e-3)
