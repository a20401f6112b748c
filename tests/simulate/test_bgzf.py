import gzip
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meristem.simulate.bgzf import BgzfWriter


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 90_000), max_size=6), st.integers(0, 2**32 - 1))
def test_htslib_reads_back_and_jumps(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], seed: int
) -> None:
    path = tmp_path_factory.mktemp("bgzf") / "data.gz"
    rng = np.random.default_rng(seed)
    pieces = [rng.integers(0, 256, size=size, dtype=np.uint8).tobytes() for size in sizes]
    offsets = []
    with BgzfWriter(path) as writer:
        for piece in pieces:
            offsets.append(writer.tell())
            writer.write(piece)
    assert gzip.decompress(path.read_bytes()) == b"".join(pieces)
    with pysam.BGZFile(str(path), "r", None) as reader:
        for offset, piece in zip(offsets, pieces, strict=True):
            reader.seek(offset)
            assert reader.read(len(piece)) == piece


def test_nothing_ends_a_file_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "data.gz"

    def fail() -> None:
        with BgzfWriter(path) as writer:
            writer.write(b"ACGT")
            raise OSError

    with pytest.raises(OSError):
        fail()
    assert path.read_bytes() == b"", "an end-of-file block would make it look whole"
