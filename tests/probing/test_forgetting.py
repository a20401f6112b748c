"""What is said of an adaptation's loss: whether it fell, and whether the adapter is worth using."""

from __future__ import annotations

import pytest

from budwood.probing.forgetting import LossChange, compare_loss


@pytest.mark.parametrize(
    ("difference", "verb", "advice"),
    [
        (-0.1, "falls", ""),
        (0.0, "does not change", "So no gain is shown; more sequence, or more --steps, may help."),
        (0.1, "rises", "So do not use the adapter; more sequence, or more --steps, may help."),
    ],
)
def test_the_sentence_says_whether_to_use_the_adapter(difference: float, verb: str, advice: str) -> None:
    change = LossChange(
        name="mine.fa",
        bases=900,
        before=1.3,
        after=1.3 + difference,
        difference=difference,
        standard_error=0.01,
        by_class={},
    )
    said = compare_loss([change])
    assert f"the loss on masked bases {verb}: 1.3000 before" in said
    assert said.endswith(advice or "to -0.0804).")
