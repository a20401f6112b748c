"""The ranked table's data, as JSON that can stand inside a script element."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from budwood.prediction.evaluation.results import PREDICTION_COLUMNS, TraitPrediction
from budwood.report.numerals import decimals_for
from budwood.report.pictures.scale import Scale

_SIGNIFICANT: Final = 7


def table_data(prediction: TraitPrediction) -> dict[str, Any]:
    """What the page's script needs: rows of values (numbers to 7 significant digits), decimals, the axis.

    Parameters
    ----------
    prediction
        Predictions of the trait.

    Returns
    -------
    dict[str, Any]
        Plain values for JSON.
    """
    scale = Scale.over(prediction.lower_90, prediction.upper_90, margin=0.02)
    columns = [
        prediction.accessions,
        (prediction.trait,) * len(prediction.accessions),
        _numbers(prediction.observed),
        _numbers(prediction.prediction),
        _numbers(prediction.standard_error),
        _numbers(prediction.reliability),
        _numbers(prediction.lower_90),
        _numbers(prediction.upper_90),
        prediction.rank.tolist(),
        prediction.nearest_training_accession,
        _numbers(prediction.relatedness),
        prediction.extrapolation.tolist(),
        _numbers(prediction.candidate_rank),
    ]
    return {
        "trait": prediction.trait,
        "columns": PREDICTION_COLUMNS,
        "rows": list(zip(*columns, strict=True)),
        "decimals": decimals_for(prediction.standard_error),
        "axis": [_rounded(scale.low), _rounded(scale.high)],
    }


def script_json(value: object) -> str:
    r"""JSON in which no character can end a script element or start markup.

    Parameters
    ----------
    value
        Plain values.

    Returns
    -------
    str
        JSON.

    Examples
    --------
    >>> print(script_json("</script><!--"))
    "\u003c/script\u003e\u003c!--"
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _numbers(values: np.ndarray[Any, Any]) -> list[float | None]:
    return [_rounded(value) for value in values.tolist()]


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_SIGNIFICANT}g}") if math.isfinite(value) else None
