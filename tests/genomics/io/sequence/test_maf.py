"""MAF blocks: what was written is read, and bad lines are refused with one sentence."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.alignment import GAP
from budwood.genomics.io.sequence.alignment_fasta import aligned_codes
from budwood.genomics.io.sequence.maf import read_maf

ROW = "s sol1.chr2 10 3 + 100 AC-G\n"


@st.composite
def blocks(draw: st.DrawFn) -> list[list[str]]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        columns = draw(st.integers(1, 30))
        row = st.text("ACGTNacgt-", min_size=columns, max_size=columns)
        found.append(draw(st.lists(row, min_size=1, max_size=4).filter(lambda b: set("".join(b)) != {"-"})))
    return found


@given(blocks(), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_round_trip(tmp_path: Path, written: list[list[str]], blank: bool) -> None:
    text = "##maf version=1\n# made up\n"
    for block in written:
        text += "a score=1.0\n"
        for number, letters in enumerate(block):
            size = len(letters.replace("-", ""))
            text += f"s sp{number}.chr1 5 {size} {'+-'[number % 2]} 100 {letters}\n"
            text += f"i sp{number}.chr1 N 0 C 0\n"
        text += "\n" if blank else ""
    (tmp_path / "a.maf").write_text(text)
    found = read_maf(tmp_path / "a.maf")
    assert len(found) == len(written)
    for alignment, block in zip(found, written, strict=True):
        assert alignment.species == tuple(f"sp{i}" for i in range(len(block)))
        expected = np.stack([aligned_codes(row.encode()) for row in block])
        assert (alignment.codes == expected).all()


def test_blocks_are_named_by_place_on_the_forward_strand(tmp_path: Path) -> None:
    (tmp_path / "a.maf").write_text("a\n" + ROW + "\na\n" + ROW.replace("+", "-"))
    first, second = read_maf(tmp_path / "a.maf")
    assert (first.name, second.name) == ("sol1.chr2:10-13", "sol1.chr2:87-90")
    assert first.codes.tolist() == [[0, 1, GAP, 2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("##maf version=1\n", "holds no block"),
        (ROW, "outside a block"),
        ("a\ns sol1.chr2 10 3 + 100\n", "a MAF row should be"),
        ("a\ns sol1.chr2 10 x + 100 ACG\n", "a MAF row should be"),
        ("a\n" + ROW.replace("AC-G", "AC-!"), "no nucleotide letter"),
        ("a\n" + ROW.replace(" 3 ", " 4 "), "has 3 bases, which do not fit"),
        ("a\n" + ROW.replace("100", "12"), "has 3 bases, which do not fit"),
        ("a\n" + ROW.replace("+", "*"), "has 3 bases, which do not fit"),
        ("a\n" + ROW + "s b.c 0 2 + 9 AC\n", "differ in length"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bad.maf").write_text(content)
    with pytest.raises(BudwoodError, match=message):
        read_maf(tmp_path / "bad.maf")


@pytest.mark.parametrize("blank", [b"\x1c", b"\x1d", b"\x1f", b"\x85", b"\xc2\xa0"])
@pytest.mark.parametrize("column", [2, 3, 5])
def test_what_counts_as_a_blank_in_text_but_not_in_bytes(tmp_path: Path, blank: bytes, column: int) -> None:
    fields = ROW.encode().split()
    fields[column] = blank + fields[column]
    (tmp_path / "odd.maf").write_bytes(b"##maf\na score=1\n" + b" ".join(fields) + b"\n\n")
    with contextlib.suppress(BudwoodError):
        read_maf(tmp_path / "odd.maf")


@pytest.mark.real
def test_the_tomato_region(real_data: Path) -> None:
    blocks = read_maf(real_data / "alignments" / "sol1.maf.xz")
    assert {species for block in blocks for species in block.species} == {
        *("sol1", "solTub1", "solMel1", "capSp1", "petSp1")
    }
    assert all(block.species[0] == "sol1" for block in blocks)
