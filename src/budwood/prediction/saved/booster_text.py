"""Whether trees in LightGBM's text format make sense: LightGBM ends the process where some do not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from budwood.genomics.io.text.whole_number import whole_number

_END: Final = "end of trees\n"
_HEADER: Final = re.compile(
    r"tree\nversion=v[0-9]+\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=([0-9]{1,9})\n"
    r"objective=regression\nfeature_names=([!-~ ]*)\nfeature_infos=([!-~ ]*)\ntree_sizes=([0-9 ]+)\n"
)
_LAST: Final = "\npandas_categorical:null"
_NUMBER: Final = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,40})?(e[+-][0-9]{1,3})?")
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
#: Keys of a tree in order; lists have an entry for each inner node, or for each leaf.
_OF_NODES: Final = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
_OF_NODES_LATER: Final = ("internal_value", "internal_weight", "internal_count")
_OF_LEAVES: Final = ("leaf_value", "leaf_weight", "leaf_count")
_KEYS: Final = (
    *("num_leaves", "num_cat", *_OF_NODES, *_OF_LEAVES, *_OF_NODES_LATER, "is_linear", "shrinkage"),
)
_WHOLE_KEYS: Final = ("split_feature", "decision_type", "left_child", "right_child", "leaf_count")


def booster_problem(text: str, features: int) -> str:
    r"""What is wrong with the text of a booster of numeric features.

    Parameters
    ----------
    text
        As LightGBM writes it.
    features
        Number of features that the trees may use.

    Returns
    -------
    str
        Said of the booster, such as ``"has trees that cannot be read"``; empty where all is well.

    Examples
    --------
    >>> booster_problem("tree\nend of trees\n", 3)
    'has trees that cannot be read'
    """
    start, _, rest = text.partition("\nTree=0\n")
    header = _HEADER.fullmatch(start)
    trees, end, last = f"Tree=0\n{rest}".partition(_END)
    if header is None or not end or not last.rstrip("\n").endswith(_LAST):
        return "has trees that cannot be read"
    sizes = [whole_number(word) or 0 for word in header[4].split(" ")]
    if sum(sizes) != len(trees):
        return "has trees that cannot be read"
    if {int(header[1]) + 1, *(len(header[each].split(" ")) for each in (2, 3))} != {features}:
        return f"has trees that are not of {features} features"
    begun = 0
    for number, size in enumerate(sizes):
        if not _is_tree(trees[begun : begun + size], number, features):
            return "has a tree that cannot be read"
        begun += size
    return ""


def _is_tree(text: str, number: int, features: int) -> bool:
    """Whether the text of one tree has every entry, each child after its parent and no categories."""
    first, *lines = text.rstrip("\n").split("\n")
    entries = {
        key: value.split(" ") if value else [] for key, _, value in (li.partition("=") for li in lines)
    }
    if first != f"Tree={number}" or tuple(entries) != _KEYS or len(lines) != len(_KEYS):
        return False
    if not all(_are_numbers(key, entries[key]) for key in _KEYS) or not text.endswith("\n\n"):
        return False
    leaves = whole_number(" ".join(entries["num_leaves"])) or 0
    if not leaves or entries["num_cat"] != ["0"] or entries["is_linear"] != ["0"]:
        return False
    nodes = leaves - 1
    fits = all(len(entries[key]) == nodes for key in (*_OF_NODES, *_OF_NODES_LATER))
    # A tree of one leaf counts nothing.
    fits = fits and len(entries["leaf_value"]) == leaves and len(entries["shrinkage"]) == 1
    fits = fits and all(len(entries[key]) in ((leaves,) if nodes else (0, 1)) for key in _OF_LEAVES[1:])
    if not fits:
        return False
    feature, kind = (np.array(entries[key], dtype=np.int64) for key in ("split_feature", "decision_type"))
    children = np.array([entries["left_child"], entries["right_child"]], dtype=np.int64)
    inner = children >= 0
    after = (children > np.arange(nodes)) & (children < nodes)
    sound = np.where(inner, after, children >= -leaves).all()
    return bool(
        sound and np.all((feature >= 0) & (feature < features)) and np.isin(kind, range(0, 16, 2)).all()
    )


def _are_numbers(key: str, words: Sequence[str]) -> bool:
    written = _WHOLE if key in _WHOLE_KEYS else _NUMBER
    return all(written.fullmatch(word) and abs(float(word)) <= 1e300 for word in words)
