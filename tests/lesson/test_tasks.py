"""The tasks are those of the genetic code and of the published scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.genomics.sequence import encode
from budwood.lesson.tasks import (
    HYDROPATHY,
    LETTERS,
    amino_acids,
    classes,
    coding_windows,
    hydrophobicity,
    one_hot,
    opened_windows,
)


@pytest.mark.parametrize(
    ("window", "letters"),
    [
        ("ATGAGGGTT", "MRV"),
        ("TTGAGGGTT", "---"),
        ("ATGTGGTAA", "MW*"),
        ("ATGTAACTT", "M*-"),
        ("ATGGCTCAA", "MAQ"),
    ],
)
def test_published_examples(window: str, letters: str) -> None:
    assert amino_acids(window) == letters


@given(st.text("ACGT", min_size=9, max_size=9))
def test_windows_one_by_one_equal_windows_together(window: str) -> None:
    codes = encode(window)[None]
    assert "".join(LETTERS[number] for number in classes(codes)[0]) == amino_acids(window)
    assert one_hot(codes).sum() == 9


def test_the_scale_and_its_sums() -> None:
    assert len(HYDROPATHY) == 20
    assert hydrophobicity("ATGCTTTCT") == pytest.approx(4.9)
    windows, values = coding_windows()
    assert len(windows) == 61 * 61
    assert values.min() == pytest.approx(1.9 - 9.0)
    assert values.max() == pytest.approx(1.9 + 9.0)
    assert len(np.unique(opened_windows(), axis=0)) == 4096
