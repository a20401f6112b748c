"""Files of arrays, sound and damaged in every way that the zip around them hides."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.arrays import read_arrays

HEADER = "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }"


def entry(header: str, content: bytes = b"\1\2") -> bytes:
    """An array as NumPy stores it, under a header of one's own."""
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def write(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", content)
    return path


def test_arrays_come_back(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.arange(3), b=np.array(["x", "yz"]))
    found = read_arrays(tmp_path / "x.npz")
    assert found["a"].tolist() == [0, 1, 2]
    assert found["b"].tolist() == ["x", "yz"]
    assert list(read_arrays(tmp_path / "x.npz", ("b", "c"))) == ["b"]
    assert read_arrays(write(tmp_path / "y.npz", entry(HEADER)))["a"].tolist() == [1, 2]
    names = entry(HEADER.replace("|i1", ">U1"), b"\0\0\0a\0\0\0b")
    assert read_arrays(write(tmp_path / "z.npz", names))["a"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        entry(""),
        entry("("),
        entry("{'descr': '''"),
        entry(HEADER.replace("(2,)", "(2")),
        entry(HEADER.replace("(2,)", "(-2,)")),
        entry(HEADER.replace("(2,)", "(10**9,)")),
        entry(HEADER.replace("(2,)", f"({2**62},)")),
        entry(HEADER.replace("(2,)", f"({2**70},)")),
        entry(HEADER.replace("(2,)", "(1, 2, 3)")),
        entry(HEADER.replace("|i1", "|x9")),
        entry(HEADER.replace("|i1", "<U9999999999")),
        entry(HEADER.replace("'|i1'", "[('a',)]")),
        entry(HEADER.replace("False", "7")),
        entry(HEADER, b"\1"),
        entry(HEADER.replace("|i1", "|O")),
        entry(HEADER.replace("|i1", "<U1"), b"a\0\0\0\xff\xff\xff\xff"),
        entry(HEADER.replace("|i1", ">U1"), b"\0\0\0a\0\x11\0\0"),
    ],
)
def test_damaged_entries_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=r"truncated or damaged|Python objects"):
        read_arrays(write(tmp_path / "x.npz", content))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), drop=st.integers(0, 12), put=st.binary(max_size=6))
def test_any_change_inside_is_read_or_refused(place: float, drop: int, put: bytes, tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.save(whole, np.array(["ab", "c"]))
    data = whole.getvalue()
    at = int(place * len(data))
    path = write(tmp_path / "x.npz", data[:at] + put + data[at + drop :])
    with contextlib.suppress(BudwoodError):
        read_arrays(path)
