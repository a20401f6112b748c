"""Whole numbers in text."""

import pytest

from budwood.genomics.io.text.whole_number import whole_number


@pytest.mark.parametrize("number", [0, 7, 1_234_567, 10**15 - 1])
def test_whole_numbers_are_read_from_text_and_bytes(number: int) -> None:
    assert whole_number(f" {number}\t") == number
    assert whole_number(str(number).encode()) == number


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "+1", "1.0", "1e3", "1_0", "²", "٣", "9" * 16, "9" * 5000, "nan"]
)
def test_anything_else_is_no_whole_number(text: str) -> None:
    assert whole_number(text) is None
    assert whole_number(text.encode()) is None
