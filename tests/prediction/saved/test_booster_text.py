"""Text of boosters: what LightGBM writes is taken, and what is not whole never reaches it."""

from __future__ import annotations

import re

import lightgbm
import numpy as np
import pytest

from budwood.prediction.saved.booster_text import booster_problem


@pytest.fixture(scope="module")
def text() -> str:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 3, (60, 5)).astype(float)
    options = {"objective": "regression", "verbose": -1, "num_leaves": 5, "min_data_in_leaf": 3}
    y = x[:, 0] + generator.normal(size=60)
    return str(lightgbm.train(options, lightgbm.Dataset(x, y), 3).model_to_string())


def test_what_lightgbm_writes_is_taken(text: str) -> None:
    assert booster_problem(text, 5) == ""
    assert "5 features" not in booster_problem(text, 5)
    assert booster_problem(text, 4) == "has trees that are not of 4 features"


def test_a_tree_of_one_leaf_is_taken() -> None:
    options = {"objective": "regression", "verbose": -1, "min_data_in_leaf": 50}
    x = np.arange(60.0)[:, None] % 3
    found = lightgbm.train(options, lightgbm.Dataset(x, x[:, 0]), 2).model_to_string()
    assert "num_leaves=1\n" in found
    assert booster_problem(found, 1) == ""


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (r"tree_sizes=\d+", "tree_sizes=7"),
        (r"tree_sizes=\d+", "tree_sizes=419845"),
        (r"num_leaves=5", "num_leaves=4"),
        (r"num_leaves=5", "num_leaves=5000000000"),
        (r"num_cat=0", "num_cat=1"),
        (r"is_linear=0", "is_linear=1"),
        (r"split_feature=\d", "split_feature=9"),
        (r"split_feature=\d", "split_feature=-"),
        (r"left_child=-?\d", "left_child=0"),
        (r"left_child=-?\d", "left_child=9"),
        (r"right_child=-?\d", "right_child=-9"),
        (r"decision_type=2", "decision_type=1"),
        (r"threshold=\S+", "threshold=nan"),
        (r"leaf_value=\S+", "leaf_value=1e999"),
        (r"leaf_value=\S+", "leaf_value=" + "9" * 500),
        (r"leaf_count=", "leaf_counts="),
        (r"Tree=1", "Tree=2"),
        (r"objective=regression", "objective=regressiom"),
        (r"version=v", "version=\0"),
        (r"max_feature_idx=4", "max_feature_idx=400"),
        (r"pandas_categorical:null", "pandas_categorical:{"),
        (r"end of trees", "end of tree"),
        (r"\n\nTree=0", "\nTree=0"),
        (r"^tree", ""),
    ],
)
def test_what_does_not_fit_is_refused(text: str, written: str, instead: str) -> None:
    changed, times = re.subn(written, lambda _: instead, text, count=1)
    assert times == 1
    if re.match(r"(tree_sizes|max)", written) is None:  # a sound length does not help
        begun = changed.find("Tree=0")
        changed = re.sub(r"tree_sizes=.*", _sizes(changed), changed) if begun >= 0 else changed
    assert booster_problem(changed, 5)


def _sizes(text: str) -> str:
    whole = text[text.index("Tree=0") : text.find("end of tree")]
    starts = [found.start() for found in re.finditer(r"Tree=\d", whole)]
    return "tree_sizes=" + " ".join(
        str(b - a) for a, b in zip(starts, [*starts[1:], len(whole)], strict=True)
    )


def test_any_changed_letter_is_refused_or_predicts(text: str) -> None:
    generator = np.random.default_rng(1)
    lines = generator.integers(0, 3, (4, 5)).astype(float)
    trees = text.index("parameters:")
    refused = 0
    for _ in range(1500):
        at = int(generator.integers(trees))
        letter = str(generator.choice(list("0123456789-=. \n\0eTx")))
        changed = text[:at] + letter + text[at + int(generator.integers(2)) :]
        if booster_problem(changed, 5):
            refused += 1
        else:
            assert lightgbm.Booster(model_str=changed).predict(lines).shape == (4,)
    assert refused > 1000
