"""Writing calls as a block-compressed VCF, indexed where pysam is installed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, CallSource

try:
    import pysam
except ImportError:  # there is no build of it for Windows
    pysam = None  # type: ignore[assignment]

# One block of BGZF (SAM specification 4.1): a gzip member whose extra field holds its size less one.
_BLOCK_HEAD: Final = struct.Struct("<4BI2BH2B2H")
_BLOCK_TAIL: Final = struct.Struct("<2I")
_BLOCK_BYTES: Final = 65280
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
        waiting = bytearray("".join(_header(source)).encode("utf-8"))
        for block in source.blocks():
            for line in _lines(block):
                waiting += line
                while len(waiting) >= _BLOCK_BYTES:
                    _write_block(handle, bytes(waiting[:_BLOCK_BYTES]))
                    del waiting[:_BLOCK_BYTES]
        if waiting:
            _write_block(handle, bytes(waiting))
        _write_block(handle, b"")
    if pysam is not None:
        pysam.tabix_index(str(path), preset="vcf", force=True)


def _write_block(handle: IO[bytes], data: bytes) -> None:
    """Write one BGZF block; an empty one ends the file."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    size = _BLOCK_HEAD.size + len(packed) + _BLOCK_TAIL.size
    handle.write(_BLOCK_HEAD.pack(31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, size - 1))
    handle.write(packed + _BLOCK_TAIL.pack(zlib.crc32(data), len(data)))


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
