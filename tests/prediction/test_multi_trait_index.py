"""Rankings on several traits do what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.prediction.multi_trait_index import IndexGoal, rank_by_index

LINES = [f"line{i:03d}" for i in range(400)]


def predicted(n: int = 400) -> dict[str, dict[str, float]]:
    """Yield rises with height; flowering is on a scale of its own and independent."""
    rng = np.random.default_rng(2)
    height = rng.normal(100, 10, n)
    traits = {
        "yield": 5 + 0.02 * height + rng.normal(0, 0.3, n),
        "height": height,
        "flowering": rng.normal(60, 4, n),
    }
    return {name: dict(zip(LINES, values.tolist(), strict=False)) for name, values in traits.items()}


def test_desired_gains_are_reached_in_their_proportions() -> None:
    found = rank_by_index(predicted(), IndexGoal(desired={"yield": 0.2, "height": -2.0, "flowering": 0.0}))
    gain = dict(zip(found.traits, found.expected_gain, strict=True))
    assert gain["height"] / gain["yield"] == pytest.approx(-10.0)
    assert gain["flowering"] == pytest.approx(0.0, abs=1e-9)
    assert gain["yield"] > 0
    best = dict(zip(found.traits, found.best_gain, strict=True))
    assert found.best == 40
    assert best["yield"] > 0 > best["height"]
    # A tenth is selected with intensity 1.755.
    np.testing.assert_allclose(found.best_gain[:2], 1.755 * found.expected_gain[:2], rtol=0.35)


def test_a_restricted_trait_stays_while_the_others_gain() -> None:
    free = rank_by_index(predicted(), IndexGoal(economic={"yield": 1.0}))
    held = rank_by_index(predicted(), IndexGoal(economic={"yield": 1.0}, restricted=("height",)))
    gain = dict(zip(held.traits, held.expected_gain, strict=True))
    assert free.expected_gain[1] > 2.0
    assert gain["height"] == pytest.approx(0.0, abs=1e-9)
    assert 0.0 < gain["yield"] < free.expected_gain[0]
    assert free.weights.tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)


def test_lines_come_best_first_with_their_own_predictions() -> None:
    table = predicted(50)
    found = rank_by_index(table, IndexGoal(economic={"yield": 2.0, "flowering": -0.1}))
    assert (np.diff(found.score) <= 0).all()
    assert found.score.mean() == pytest.approx(0.0, abs=1e-12)
    for name, row in zip(found.accessions, found.predictions, strict=True):
        assert row.tolist() == [table[trait][name] for trait in found.traits]
    np.testing.assert_allclose(np.diagonal(found.correlation), 1.0)


def test_units_do_not_change_a_ranking_by_desired_gains() -> None:
    table = predicted(60)
    metres = {**table, "height": {name: value / 100 for name, value in table["height"].items()}}
    one = rank_by_index(table, IndexGoal(desired={"yield": 1.0, "height": -5.0, "flowering": 0.0}))
    other = rank_by_index(metres, IndexGoal(desired={"yield": 1.0, "height": -0.05, "flowering": 0.0}))
    assert one.accessions == other.accessions


def test_lines_without_every_prediction_are_left_out_and_told() -> None:
    table = predicted(30)
    del table["height"]["line003"]
    found = rank_by_index(table, IndexGoal(economic={"yield": 1.0}))
    assert "line003" not in found.accessions
    assert any(note.startswith("1 lines that were not predicted") for note in found.notes)


@pytest.mark.parametrize(
    ("goal", "told"),
    [
        (IndexGoal(), "either desired gains or economic weights"),
        (
            IndexGoal(desired={"yield": 1.0}, economic={"yield": 1.0}),
            "either desired gains or economic weights",
        ),
        (IndexGoal(desired={"yield": 1.0}, restricted=("height",)), "do not go together"),
        (IndexGoal(desired={"yield": 1.0, "height": 0.0}), "trait 'flowering' has no desired gain"),
        (IndexGoal(economic={"colour": 1.0}), "trait 'colour' was not predicted"),
        (IndexGoal(economic={"yield": 0.0}), "every trait's weight is 0"),
        (IndexGoal(economic={"yield": 1.0}, restricted=("yield",)), "nothing to select for"),
    ],
)
def test_goals_that_make_no_sense(goal: IndexGoal, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        rank_by_index(predicted(40), goal)


def test_predictions_that_cannot_carry_an_index() -> None:
    table, goal = predicted(40), IndexGoal(economic={"yield": 1.0})
    with pytest.raises(BudwoodError, match="two traits or more"):
        rank_by_index({"yield": table["yield"]}, goal)
    few = {name: dict(list(values.items())[:9]) for name, values in table.items()}
    with pytest.raises(BudwoodError, match="9 lines were predicted for every trait"):
        rank_by_index(few, goal)
    twice = {**table, "height": {name: 2 * value for name, value in table["yield"].items()}}
    with pytest.raises(BudwoodError, match="cannot be inverted"):
        rank_by_index(twice, goal)
    flat = {**table, "height": dict.fromkeys(table["yield"], 3.0)}
    with pytest.raises(BudwoodError, match="cannot be inverted"):
        rank_by_index(flat, goal)


@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1e9, 1e200])
def test_the_ranking_does_not_depend_on_the_units_of_a_trait(unit: float) -> None:
    generator = np.random.default_rng(3)
    values = generator.standard_normal((40, 2)) + np.array([5.0, 2.0])
    lines = [f"line{k}" for k in range(40)]

    def ranked(size: float, shift: float = 0.0):
        columns = {"a": values[:, 0], "b": size * (values[:, 1] + shift)}
        predictions = {
            name: dict(zip(lines, column.tolist(), strict=True)) for name, column in columns.items()
        }
        return rank_by_index(predictions, IndexGoal(desired={"a": 1.0, "b": 0.5 * size}))

    first, second, moved = ranked(1.0), ranked(unit), ranked(unit, 1e6)
    assert first.accessions == second.accessions == moved.accessions
    np.testing.assert_allclose(second.best_gain / [1.0, unit], first.best_gain, rtol=1e-9)
    np.testing.assert_allclose(second.weights * [1.0, unit], first.weights, rtol=1e-9)
    np.testing.assert_allclose(second.score, first.score, rtol=1e-9)
    assert np.isfinite(second.expected_gain).all()


def test_predictions_that_differ_by_rounding_errors_are_refused() -> None:
    lines = [f"line{k}" for k in range(40)]
    columns = {"a": np.arange(40.0), "b": 1e16 + 2.0 * (np.arange(40) % 3)}
    predictions = {name: dict(zip(lines, column.tolist(), strict=True)) for name, column in columns.items()}
    with pytest.raises(BudwoodError, match="predictions of b differ by rounding errors only"):
        rank_by_index(predictions, IndexGoal(desired={"a": 1.0, "b": 0.5}))
