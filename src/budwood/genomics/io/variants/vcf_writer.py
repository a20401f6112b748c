"""Writing calls as a block-compressed, indexed VCF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, CallSource

_FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")


def write_vcf(path: Path, source: CallSource) -> None:
    """Write every site of a source as ``.vcf.gz`` with its tabix index beside it, a block at a time.

    Contigs and, within one, positions must stand in order, as the index needs.
    """
    with pysam.BGZFile(str(path), "wb", index=None) as handle:
        handle.write("".join(_header(source)).encode("ascii"))
        for block in source.blocks():
            for line in _lines(block):
                handle.write(line)
    pysam.tabix_index(str(path), preset="vcf", force=True)


def _header(source: CallSource) -> Iterator[str]:
    yield "##fileformat=VCFv4.3\n"
    for contig, length in source.contigs.items():
        yield f"##contig=<ID={contig}" + (f",length={length}" if length is not None else "") + ">\n"
    yield '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    yield "\t".join((*_FIXED, *source.accessions)) + "\n"


def _lines(block: CallBlock) -> Iterator[bytes]:
    for site, alleles, phased in zip(block.sites, block.alleles, block.phased, strict=True):
        alternatives = ",".join(site.alleles[1:]) or "."
        place = (site.contig, str(site.start + 1), site.identifier, site.alleles[0], alternatives)
        head = "\t".join((*place, ".", "PASS", ".", "GT"))
        yield head.encode("ascii") + b"\t" + b"\t".join(_calls(alleles, phased)) + b"\n"


def _calls(alleles: NDArray[np.int8], phased: NDArray[np.bool_]) -> list[bytes]:
    """One word per accession; each distinct call is spelled once."""
    keyed = np.column_stack([alleles, phased.astype(np.int8)])
    distinct, row_of = np.unique(keyed, axis=0, return_inverse=True)
    words = [_word(row[:-1], bool(row[-1])) for row in distinct]
    return [words[row] for row in row_of.ravel()]


def _word(copies: NDArray[np.int8], phased: bool) -> bytes:
    present = copies[copies != ABSENT]
    letters = ["." if allele == MISSING else str(allele) for allele in present] or ["."]
    return ("|" if phased else "/").join(letters).encode("ascii")
