"""Subgenomes from the names of chromosomes."""

import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.subgenome import subgenomes_by_name


@pytest.mark.parametrize(
    ("names", "letters"),
    [
        (["1A", "1B", "7D"], "ABD"),
        (["chr1A", "Chr01B", "chromosome 7_D"], "ABD"),
        (["A01", "chrC9", "LG_C09"], "ACC"),
        (["Chr1A", "chr1b"], "AB"),
    ],
)
def test_names_that_tell(names: list[str], letters: str) -> None:
    assert subgenomes_by_name(names) == dict(zip(names, letters, strict=True))


def test_other_names_are_left_out() -> None:
    assert subgenomes_by_name(["1A", "1B", "Un", "scaffold12A7", "1A_random", "Mt", "12"]) == {
        "1A": "A",
        "1B": "B",
    }


@pytest.mark.parametrize("names", [["chr1", "chr2"], ["1A", "2A"], [""]])
def test_fewer_than_two_are_refused(names: list[str]) -> None:
    with pytest.raises(BudwoodError, match="do not tell subgenomes"):
        subgenomes_by_name(names)
