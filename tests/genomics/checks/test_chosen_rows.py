"""Accessions are chosen by names, numbers or a mask; whatever else is given is refused in one sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from budwood.errors import BudwoodError
from budwood.panel.example import example_panel

PANEL = example_panel(lines=12, phenotyped=10, markers=20)
NAMES = PANEL.accessions
MASK = np.isin(np.arange(12), [2, 5])
BY_NAME = pd.Series(MASK, index=list(NAMES))
SAME = {
    "names": ["line03", "line06"],
    "tuple": ("line03", "line06"),
    "array of names": np.array(["line03", "line06"]),
    "series of names": pd.Series(["line03", "line06"]),
    "index of names": pd.Index(["line03", "line06"]),
    "keys": {"line03": 1, "line06": 2}.keys(),
    "numbers": [2, 5],
    "from the end": [-10, -7],
    "range": range(2, 6, 3),
    "array": np.array([2, 5]),
    "unsigned": np.array([2, 5], dtype=np.uint8),
    "mask": MASK,
    "list of bools": MASK.tolist(),
    "series of bools": pd.Series(MASK),
    "series of bools by id": BY_NAME,
    "series of bools in another order": BY_NAME[::-1],
}


@pytest.mark.parametrize("chosen", SAME.values(), ids=SAME)
def test_the_same_lines_are_taken_by_any_of_these(chosen) -> None:
    for source in (PANEL, PANEL.genotypes):
        found = source.take(chosen)
        assert found.accessions == ("line03", "line06")
    assert (PANEL.genotypes.take(chosen).dosage == PANEL.genotypes.dosage[[2, 5]]).all()


ODD = {
    "short mask": (MASK[:5], "a mask of 5 does not fit 12 accessions"),
    "long mask": ([*MASK, True], "a mask of 13"),
    "mask by other ids": (BY_NAME.rename({"line01": "x"}), "not the accessions"),
    "floats": ([0.0, 1.0], "type float"),
    "array of floats": (np.array([0.5]), "type float"),
    "missing": ([None], "type NoneType"),
    "mixed": (["line01", 2], "type int and str"),
    "bool and number": ([True, 2], "type bool and int"),
    "duplicate numbers": ([3, 3], "'line04' is chosen twice"),
    "twice by sign": ([11, -1], "'line12' is chosen twice"),
    "duplicate names": (["line04", "line04"], "'line04' is chosen twice"),
    "beyond": ([12], "no row 12 among 12 accessions"),
    "before": ([-13], "no row -13"),
    "unknown": (["line4"], "'line4' is not in the panel: did you mean 'line04'"),
    "one unknown string": ("Line_07", "'Line_07' is not in the panel: did you mean 'line07'"),
    "table": (np.ones((2, 2), dtype=int), "shape"),
    "nothing": (None, "NoneType"),
    "one number": (3, "int"),
    "dict": ({"line01": 1}, "dict"),
    "frame": (pd.DataFrame({"a": MASK}), "table"),
}


@pytest.mark.parametrize(("chosen", "sentence"), ODD.values(), ids=ODD)
def test_whatever_else_is_refused(chosen, sentence) -> None:
    for source in (PANEL, PANEL.genotypes):
        with pytest.raises(BudwoodError, match=sentence):
            source.take(chosen)


def test_one_name_is_taken_as_one() -> None:
    assert PANEL.take("line07").accessions == PANEL.genotypes.take("line07").accessions == ("line07",)


def test_many_unknown_names_make_a_short_message() -> None:
    with pytest.raises(BudwoodError) as caught:
        PANEL.take([f"other{i}" for i in range(5_000)])
    assert len(str(caught.value)) < 250
    assert "and 4,997 more" in str(caught.value)
