import struct
from pathlib import Path

import numpy as np
import pysam
import pytest

from meristem.simulate.bgzf import BgzfWriter
from meristem.simulate.tabix import TabixIndex


@pytest.fixture
def records() -> list[tuple[str, int, int]]:
    """Sites over contigs long enough for every size of bin, some records crossing their borders."""
    rng = np.random.default_rng(1)
    found = []
    for contig in ("one", "two", "empty", "four"):
        if contig != "empty":
            border = np.array([1 << 14, 1 << 17, 1 << 20, 1 << 23, 1 << 26])
            starts = np.concatenate([rng.integers(0, 1 << 28, 300), rng.integers(0, 1 << 15, 50), border - 3])
            found += [(contig, int(s), int(s) + int(rng.integers(1, 9))) for s in np.unique(starts)]
    return found


def test_queries_through_the_index_find_what_a_scan_finds(
    tmp_path: Path, records: list[tuple[str, int, int]]
) -> None:
    path = tmp_path / "a.vcf.gz"
    contigs = ("one", "two", "empty", "four")
    index = TabixIndex(contigs)
    with BgzfWriter(path) as writer:
        header = [f"##contig=<ID={contig},length={1 << 29}>" for contig in contigs]
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
        writer.write("\n".join(["##fileformat=VCFv4.3", *header, columns, ""]).encode())
        for contig, start, end in records:
            first = writer.tell()
            writer.write(f"{contig}\t{start + 1}\t.\t{'A' * (end - start)}\tC\t.\t.\t.\n".encode())
            index.add(contig, start, end, first, writer.tell())
    index.write(tmp_path / "a.vcf.gz.tbi")
    rng = np.random.default_rng(2)
    with pysam.VariantFile(str(path)) as file:
        for _ in range(300):
            contig = contigs[rng.integers(4)]
            start = int(rng.integers(0, 1 << int(rng.integers(10, 29))))
            end = start + int(rng.integers(1, 1 << int(rng.integers(1, 25))))
            expected = [r for r in records if r[0] == contig and r[1] < end and r[2] > start]
            if contig != "empty":
                found = [(r.contig, r.start, r.stop) for r in file.fetch(contig, start, end)]
                assert found == expected


def test_contigs_without_records_are_left_out(tmp_path: Path) -> None:
    index = TabixIndex(["empty", "full"])
    index.add("full", 0, 1, 0, 10)
    index.write(tmp_path / "a.tbi")
    with pysam.BGZFile(str(tmp_path / "a.tbi"), "r", None) as file:
        raw = file.read()
    assert raw[:4] == b"TBI\1"
    assert struct.unpack("<i", raw[4:8]) == (1,)
    assert b"full\0" in raw
    assert b"empty" not in raw
