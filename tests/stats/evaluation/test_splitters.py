"""Folds: the stated rule, whole clusters, whole groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.stats.evaluation.splitters import cluster_folds, group_folds, random_folds


def test_random_folds_follow_the_stated_rule() -> None:
    lines = ["775", "2166", "10", "A3"]
    ordered = sorted(lines)
    expected = dict(zip(ordered, np.random.default_rng(3).permutation(4) % 2, strict=True))
    assert random_folds(lines, 2, repeat=3).tolist() == [expected[line] for line in lines]


@given(n=st.integers(2, 60), folds=st.integers(2, 10), repeat=st.integers(0, 50), seed=st.integers(0, 99))
def test_random_folds_are_even_and_do_not_depend_on_order(n: int, folds: int, repeat: int, seed: int) -> None:
    if n < folds:
        return
    lines = [f"line{i}" for i in range(n)]
    found = random_folds(lines, folds, repeat)
    sizes = np.bincount(found, minlength=folds)
    assert sizes.max() - sizes.min() <= 1
    order = np.random.default_rng(seed).permutation(n)
    shuffled = random_folds([lines[i] for i in order], folds, repeat)
    assert shuffled.tolist() == found[order].tolist()


def test_clusters_are_the_families_and_small_ones_join_their_nearest() -> None:
    generator = np.random.default_rng(1)
    centres = np.array([[9.0, 0.0], [0.0, 9.0], [-9.0, -9.0], [-9.0, -4.0]])
    family = np.repeat([0, 1, 2, 3], [10, 8, 7, 2])
    points = centres[family] + 0.3 * generator.standard_normal((27, 2))
    found = cluster_folds(points @ points.T, 4)
    expected = np.where(family == 3, 2, family)
    assert len(set(zip(found, expected, strict=True))) == 3
    assert np.bincount(found).tolist() == sorted(np.bincount(found), reverse=True)


def test_clusters_do_not_depend_on_where_the_kernel_is_centred() -> None:
    points = np.random.default_rng(2).standard_normal((30, 4))
    moved = points + 5.0
    assert cluster_folds(points @ points.T, 3).tolist() == cluster_folds(moved @ moved.T, 3).tolist()


def test_groups_are_numbered_by_name() -> None:
    assert group_folds(["f2", "f10", "f2"]).tolist() == [1, 0, 1]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=15),
    folds=st.one_of(st.none(), st.integers(2, 6)),
    smallest=st.integers(1, 12),
    seed=st.integers(0, 9),
)
def test_groups_stay_whole(sizes: list[int], folds: int | None, smallest: int, seed: int) -> None:
    groups = np.repeat([f"f{i}" for i in range(len(sizes))], sizes)
    groups = np.random.default_rng(seed).permutation(groups)
    try:
        found = group_folds(groups, folds, smallest)
    except BudwoodError:
        large = sum(size >= smallest for size in sizes)
        small = sum(size for size in sizes if size < smallest)
        assert folds > len(sizes) if folds else large + small // (2 * smallest) < 2
        return
    pairs = set(zip(groups.tolist(), found.tolist(), strict=True))
    assert len(pairs) == len(sizes)
    held = np.bincount(found)
    if folds is None:
        assert held.min() >= smallest
    else:
        assert len(held) == folds
        assert held.max() - held.min() <= max(sizes)


def test_small_groups_are_pooled_and_a_rest_joins_others() -> None:
    groups = [*["a"] * 10, *["b"] * 6, *["c"] * 5, *["d"] * 4]
    assert group_folds(groups, smallest=9).tolist() == [*[0] * 10, *[1] * 15]
    assert group_folds(groups, smallest=6).tolist() == [*[0] * 10, *[1] * 6, *[2] * 9]
    assert group_folds([*["a"] * 9, *["b"] * 12, "c"], smallest=9).tolist() == [*[0] * 9, *[1] * 12, 0]


def test_what_cannot_be_divided_is_one_sentence() -> None:
    with pytest.raises(BudwoodError, match=r"fewer lines \(3\) than folds \(5\)"):
        random_folds(["a", "b", "c"], 5, 0)
    with pytest.raises(BudwoodError, match="1 folds cannot hold anything out"):
        cluster_folds(np.eye(4), 1)
    with pytest.raises(BudwoodError, match="all lines are of one group"):
        group_folds(["a", "a"])
    with pytest.raises(BudwoodError, match=r"fewer groups \(2\) than folds \(3\)"):
        group_folds(["a", "b"], 3)
    with pytest.raises(BudwoodError, match="too small to hold 3 lines out"):
        group_folds(["a", "b", "b"], smallest=3)
