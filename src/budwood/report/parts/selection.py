"""What choosing lines by each model would have brought, on lines that were hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass

from budwood.prediction.evaluation.results import Evaluation, ModelScore
from budwood.report.numerals import NONE, decimals_for, fixed, percent


@dataclass(frozen=True)
class SelectionRow:
    """One model as texts, one for each of :attr:`Selection.columns`.

    Attributes
    ----------
    name
        Of the model.
    cells
        Texts by column.
    reported
        Whether the predictions come from this model.
    """

    name: str
    cells: tuple[str, ...]
    reported: bool = False


@dataclass(frozen=True)
class Selection:
    """All models of an evaluation; columns that no model was measured on are left out.

    Attributes
    ----------
    columns
        Titles.
    rows
        Models.
    """

    columns: tuple[str, ...]
    rows: tuple[SelectionRow, ...]


def selection(evaluation: Evaluation, model: str) -> Selection:
    """The models' selection gain, accuracy for genetic values, bias and interval width.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.
    model
        Name of the model that the predictions come from.

    Returns
    -------
    Selection
        The table.
    """
    decimals = gain_decimals(evaluation)
    columns = {
        "Best quarter found": [percent(score.top_quarter) for score in evaluation.scores],
        "Gain": [signed(score.gain, decimals) for score in evaluation.scores],
        "Gain in SD": [signed(score.gain_sd, 2) for score in evaluation.scores],
        "r / h": [fixed(score.accuracy, 2) for score in evaluation.scores],
        "r within families": [fixed(score.mean_family_r, 2) for score in evaluation.scores],
        "AUROC": [fixed(score.auroc, 2) for score in evaluation.scores],
        "Bias": [signed(score.bias, decimals + 1) for score in evaluation.scores],
        "Width of 90 % interval": [fixed(score.interval_width, decimals) for score in evaluation.scores],
    }
    shown = {title: cells for title, cells in columns.items() if set(cells) != {NONE}}
    rows = tuple(
        SelectionRow(score.name, tuple(cells[place] for cells in shown.values()), score.name == model)
        for place, score in enumerate(evaluation.scores)
    )
    return Selection(tuple(shown), rows)


def gain_decimals(evaluation: Evaluation) -> int:
    """Decimals that show two significant digits of the models' errors.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.

    Returns
    -------
    int
        Number of decimals.
    """
    return decimals_for([score.rmse for score in evaluation.scores])


def signed(value: float, decimals: int) -> str:
    """A difference with its sign, where it has one.

    Parameters
    ----------
    value
        The difference.
    decimals
        How many.

    Returns
    -------
    str
        For example ``+0.12``.

    Examples
    --------
    >>> signed(6.31, 1), signed(-0.2, 1), signed(0.001, 1)
    ('+6.3', '−0.2', '0.0')
    """
    text = fixed(value, decimals)
    return f"+{text}" if value > 0.0 and text.strip("0.,") else text


def gain_sentence(score: ModelScore, evaluation: Evaluation) -> str:
    """What choosing the predicted best quarter would have brought, ``""`` where it was not measured.

    Parameters
    ----------
    score
        Of the model that the predictions come from.
    evaluation
        Results of the cross-validation.

    Returns
    -------
    str
        A sentence.
    """
    if not math.isfinite(score.gain):
        return ""
    decimals = gain_decimals(evaluation)
    ways = ("lower", "higher") if evaluation.lower_is_better else ("higher", "lower")
    found = (
        f"Of the best quarter of the hidden lines, {percent(score.top_quarter)} stood in the predicted best "
        f"quarter (by chance {percent(evaluation.top_quarter_chance)}). Lines chosen so were on average "
        f"{fixed(abs(score.gain), decimals)} {ways[score.gain < 0.0]} than all hidden lines "
        f"({fixed(abs(score.gain_sd), 2)} standard deviations)"
    )
    if not math.isfinite(evaluation.possible_gain):
        return f"{found}."
    return f"{found}; the truly best quarter was {fixed(evaluation.possible_gain, decimals)} {ways[0]}."
