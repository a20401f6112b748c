"""evaluation.json: what docs/evaluation.md says, with nothing that JSON has no word for."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from budwood.prediction.evaluation.results import Evaluation, Family, PermutationTest
from budwood.workflows.records.trait import evaluation_record
from report.plausible import make_evaluation, make_prediction

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"


def _evaluation() -> Evaluation:
    found = make_evaluation(make_prediction())
    scores = tuple(replace(score, family_r=(0.3, math.nan)) for score in found.scores)
    families = (Family("a", 20, 0), Family("b", 5, 1))
    folds = np.arange(len(found.held_out_accessions)) % 2
    return replace(found, scores=scores, families=families, held_out_fold=folds)


def test_every_field_is_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    record = evaluation_record(_evaluation())
    fields = {*record, *next(iter(record["models"].values()))}
    for part in ("heritability", "permutation_control"):
        fields |= set(record[part]) - {"model"}
    for part in ("paired_differences", "held_out", "families"):
        fields |= set(record[part][0]) - {"model", "baseline", "accession"}
    assert not [field for field in fields if f"`{field}`" not in text]


def test_families_stand_with_their_correlations() -> None:
    record = evaluation_record(_evaluation())
    assert record["families"][0] == {
        "name": "a",
        "lines": 20,
        "fold": 1,
        "r": dict.fromkeys(record["models"], 0.3),
    }
    assert record["families"][1]["r"] == dict.fromkeys(record["models"])
    assert next(iter(record["models"].values()))["mean_family_r"] == 0.3
    assert {line["fold"] for line in record["held_out"]} == {1, 2}


def test_what_was_not_measured_is_null() -> None:
    nan = math.nan
    found = make_evaluation(make_prediction())
    bare = replace(found.scores[0], accuracy=nan, gain=nan, coverage_90=nan, fold_r=(nan, 0.5))
    control = PermutationTest("GBLUP", nan, nan, nan)
    bare_evaluation = replace(found, scores=(bare,), paired=(), permutation=control, heritability=None)
    text = json.dumps(evaluation_record(bare_evaluation), allow_nan=False)
    told = json.loads(text)
    assert told["heritability"] is None
    assert told["models"]["GBLUP"]["fold_r"] == [None, 0.5]
    assert told["permutation_control"]["mean_r"] is None
    assert "families" not in told
