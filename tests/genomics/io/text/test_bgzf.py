"""Packed blocks: whole, ended, and readable one after the other."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.genomics.io.text.bgzf import BgzfWriter
from budwood.genomics.io.text.compressed import compression, open_bytes


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 2000))
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read(pieces: list[bytes], times: int) -> None:
    packed = io.BytesIO()
    for piece in pieces:
        writer = BgzfWriter(packed)
        writer.write(piece * times)
        writer.flush()
    BgzfWriter(packed).finish()
    assert gzip.decompress(packed.getvalue()) == b"".join(piece * times for piece in pieces)


def test_a_finished_file_is_known_as_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    with path.open("wb") as handle:
        writer = BgzfWriter(handle)
        writer.write(b"line\n" * 50_000)
        writer.finish()
    assert compression(path) == "bgzf"
    with open_bytes(path) as lines:
        assert sum(1 for _ in lines) == 50_000
