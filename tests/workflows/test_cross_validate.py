"""Cross-validation of models of a panel in memory."""

from __future__ import annotations

import numpy as np

from budwood.panel.example import example_panel
from budwood.prediction.trait_model import TraitModel
from budwood.workflows.cross_validate import RandomKFold, cross_validate


def fold_r(seed: int | None, random_state: int = 0) -> np.ndarray:
    model = "random-forest" if seed is None else TraitModel("random-forest", seed=seed)
    found = cross_validate(
        model, example_panel(30, 24, 40), "height", cv=RandomKFold(2, 1, random_state=random_state)
    )
    return np.array(found.scores[0].fold_r)


def test_a_trait_model_draws_from_its_own_seed() -> None:
    assert (fold_r(0) == fold_r(None)).all()
    assert (fold_r(3) != fold_r(0)).any()
