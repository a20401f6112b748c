"""Trait values are joined by id wherever they have ids, and by position only where they have none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from budwood.errors import BudwoodError
from budwood.panel.accession_means import AccessionMeans
from budwood.panel.example import example_panel
from budwood.prediction.trait_model import TraitModel
from budwood.workflows.cross_validate import RandomKFold, cross_validate

PANEL = example_panel()
VALUES = PANEL.values("height")
SERIES = pd.Series(VALUES)
IN_ORDER = [VALUES.get(name, np.nan) for name in PANEL.accessions]
SAME = {
    "series": SERIES,
    "shuffled": SERIES.sample(frac=1, random_state=1),
    "whole panel": SERIES.reindex(PANEL.accessions),
    "nullable": SERIES.reindex(PANEL.accessions).astype("Float64"),
    "others too": pd.concat([SERIES, pd.Series({"elsewhere": 3.0})]),
    "by position": pd.Series(IN_ORDER),
    "array": np.array(IN_ORDER),
    "list": IN_ORDER,
}


@pytest.mark.parametrize("values", SAME.values(), ids=SAME)
def test_values_reach_their_accessions(values) -> None:
    found = AccessionMeans.given(values, PANEL.accessions).values
    assert {name: found[name] for name in VALUES} == VALUES
    assert all(np.isnan(value) for name, value in found.items() if name not in (*VALUES, "elsewhere"))


def test_models_learn_the_same_from_a_shuffled_series() -> None:
    expected = TraitModel("gblup").fit(PANEL, VALUES).predict(PANEL).prediction
    found = TraitModel("gblup").fit(PANEL, SAME["shuffled"]).predict(PANEL).prediction
    assert found.tolist() == expected.tolist()
    cv = RandomKFold(5, 1)
    one, other = (cross_validate("gblup", PANEL, y, cv=cv).scores[0] for y in (VALUES, SAME["shuffled"]))
    assert one.mean_r == other.mean_r


ODD = {
    "other numbers": (pd.Series(IN_ORDER, index=range(1, 61)), "no accession ids"),
    "filtered": (pd.Series(IN_ORDER)[5:], "no accession ids"),
    "shuffled numbers": (pd.Series(IN_ORDER)[::-1], "no accession ids"),
    "short": (pd.Series(IN_ORDER[:50]), "do not fit 60 lines"),
    "twice": (pd.concat([SERIES, SERIES[:1]]), "'line01' has 2 trait values"),
    "text": (SERIES.astype(str) + "x", "not numbers"),
    "table": (SERIES.to_frame(), "a table"),
    "several traits": (["height", "yield"], "one trait is fitted at a time"),
    "a trait in a list": (["height"], "one trait is fitted at a time"),
    "a tuple of traits": (("height", "yield"), "one trait is fitted at a time"),
}


@pytest.mark.parametrize(("values", "sentence"), ODD.values(), ids=ODD)
def test_values_without_a_place_are_refused(values, sentence) -> None:
    for entry in (TraitModel("gblup").fit, lambda panel, y: cross_validate("gblup", panel, y)):
        with pytest.raises(BudwoodError, match=sentence):
            entry(PANEL, values)
