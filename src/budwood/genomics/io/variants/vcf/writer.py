"""Writing calls as a block-compressed VCF, indexed where pysam is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, CallSource
from budwood.genomics.io.text.bgzf import BgzfWriter

try:
    import pysam
except ImportError:  # there is no build of it for Windows
    pysam = None  # type: ignore[assignment]

_FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")


def write_vcf(path: Path, source: CallSource) -> None:
    """Write every site of a source as ``.vcf.gz``, a block at a time.

    Its tabix index is written beside it where pysam is installed. Contigs and, within one, positions must
    stand in order, as the index needs.

    Parameters
    ----------
    path
        The file to write.
    source
        The calls.
    """
    with path.open("wb") as handle:
        writer = BgzfWriter(handle)
        writer.write("".join(_header(source)).encode("utf-8"))
        for block in source.blocks():
            for line in _lines(block):
                writer.write(line)
        writer.finish()
    if pysam is not None:
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
        yield head.encode("utf-8") + b"\t" + b"\t".join(_calls(alleles, phased)) + b"\n"


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
