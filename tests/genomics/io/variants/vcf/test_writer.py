"""What is written is what is read back: any ploidy, phase, missing calls and alleles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
import pytest

from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site
from budwood.genomics.io.variants.vcf.reader import VcfCalls
from budwood.genomics.io.variants.vcf.writer import write_vcf


@dataclass(frozen=True)
class Held:
    block: CallBlock
    accessions: tuple[str, ...] = ("a", "b", "c")
    has_letters: bool = True

    @property
    def contigs(self):
        return {"c1": 1000}

    def blocks(self, sites_per_block: int = 1024):
        yield self.block


@pytest.fixture
def source() -> Held:
    sites = (
        Site("c1", 9, "m1", ("A", "C", "GT")),
        Site("c1", 40, "m2", ("AT", "A")),
        Site("c1", 41, "m3", ("C",)),
    )
    alleles = np.array(
        [
            [[0, 1, 2, 2], [1, 1, ABSENT, ABSENT], [0, ABSENT, ABSENT, ABSENT]],
            [[MISSING] * 4, [0, MISSING, ABSENT, ABSENT], [1, ABSENT, ABSENT, ABSENT]],
            [[0] * 4, [0, 0, ABSENT, ABSENT], [MISSING, ABSENT, ABSENT, ABSENT]],
        ],
        dtype=np.int8,
    )
    phased = np.array([[False, True, True], [False, False, True], [True, False, True]])
    return Held(CallBlock(sites, alleles, phased))


def test_calls_come_back_as_they_were(source: Held, tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf.gz"
    write_vcf(path, source)
    read = VcfCalls(path)
    (block,) = read.blocks()
    assert read.accessions == source.accessions
    assert dict(read.contigs) == dict(source.contigs)
    assert block.sites == source.block.sites
    np.testing.assert_array_equal(block.alleles, source.block.alleles)
    np.testing.assert_array_equal(block.phased, source.block.phased)


def test_the_index_finds_a_region(source: Held, tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf.gz"
    write_vcf(path, source)
    with pysam.TabixFile(str(path)) as indexed:
        assert [line.split("\t")[2] for line in indexed.fetch("c1", 35, 41)] == ["m2"]
