"""Sentences for the user."""

import pytest

from budwood.errors import BudwoodError


@pytest.mark.parametrize("cell", ["9" * 5000, "x" * 200, "/" * 100_000])
def test_a_quoted_cell_of_any_length_leaves_the_sentence_readable(cell: str) -> None:
    sentence = BudwoodError(f"{cell!r} is no number", where="a.csv, line 2", mend="write a number").sentence
    assert len(sentence) < 200
    assert sentence.startswith(repr(cell)[:60])
    assert sentence.endswith("is no number (a.csv, line 2): write a number.")


def test_what_has_words_of_usual_length_stays() -> None:
    what = " ".join(["accession"] * 500)
    assert BudwoodError(what).what == what
