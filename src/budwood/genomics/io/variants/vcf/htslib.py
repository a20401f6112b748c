"""Records of VCF and BCF files by htslib (cyvcf2), which has no build for Windows.

Genotypes are htslib's own integers (BCF specification 6.3.3: ``(allele + 1) << 1 | phased``, with a sentinel
where a call has fewer copies than the record's widest one). cyvcf2's ``gt_types``, ``num_het`` and relatives
reduce every call to a diploid class (0/0/1/1 becomes a homozygote) and its ``genotype`` array takes phase
from the second copy alone, so neither is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.io.variants.vcf.record import not_utf8, site_of

try:
    with np.errstate():  # importing cyvcf2 silences numpy's warnings of invalid values; this restores them
        from cyvcf2 import VCF
        from cyvcf2.cyvcf2 import set_htslib_log_level
except ImportError:
    VCF = None

#: Whether cyvcf2 can be imported here.
HAS_HTSLIB: Final = VCF is not None


def htslib_records(
    path: Path, accessions: int, undeclared: Iterable[str] = ()
) -> Iterator[tuple[Site, NDArray[np.int32] | None]]:
    """Sites of a VCF or BCF file with the calls of each, in file order.

    Parameters
    ----------
    path
        A plain, gzip or BGZF packed VCF, or a BCF.
    accessions
        Their number.
    undeclared
        Contigs that records name and the header lacks.

    Yields
    ------
    Site
        The record's place and alleles.
    NDArray[np.int32] | None
        Its calls in htslib's integers, (accessions, widest call); None where it has no GT.

    Raises
    ------
    BudwoodError
        If cyvcf2 is not installed, or the header or a record is malformed.
    """
    with closing(_open(path)) as records:
        place = "the header"
        try:
            for contig in undeclared:
                records.add_to_header(f"##contig=<ID={contig}>")
            for record in records:
                yield _site(record, path), record.format("GT", int) if accessions else None
                place = f"{record.CHROM}:{record.POS}"
        except UnicodeDecodeError as error:
            raise not_utf8(path) from error
        except BudwoodError:
            raise
        except Exception as error:  # cyvcf2 raises nothing narrower
            raise BudwoodError(
                "a record has no valid position or genotype",
                where=f"{path}, the record after {place}",
                mend="copy the file again or correct that record",
            ) from error


def htslib_header(path: Path) -> list[str]:
    """Lines of a file's header as htslib understands them: malformed ones are gone.

    Parameters
    ----------
    path
        A VCF or BCF file.

    Returns
    -------
    list of str
        Lines of the header without their ends.

    Raises
    ------
    BudwoodError
        If cyvcf2 is not installed or the header cannot be read.
    """
    with closing(_open(path)) as records:
        return str(records.raw_header).rstrip("\0\n").split("\n")


def htslib_lines(path: Path) -> Iterator[bytes]:
    """Records of a file as lines of VCF, without their ends.

    Parameters
    ----------
    path
        A VCF or BCF file.

    Yields
    ------
    bytes
        One record.

    Raises
    ------
    BudwoodError
        If cyvcf2 is not installed, or the header or a record is malformed.
    """
    with closing(_open(path)) as records:
        try:
            for record in records:
                yield str(record).rstrip("\r\n").encode("utf-8")
        except UnicodeDecodeError as error:
            raise not_utf8(path) from error


def _open(path: Path) -> Any:
    if VCF is None:
        raise BudwoodError(
            "BCF is read by cyvcf2, which is not installed (there is no build of it for Windows)",
            where=str(path),
            mend="convert the file with 'bcftools view -Oz' and give the .vcf.gz",
        )
    # htslib's own warnings would reach the terminal beside ours, in its words.
    set_htslib_log_level(0)
    try:
        return VCF(str(path))
    except Exception as error:  # cyvcf2 raises nothing narrower
        raise BudwoodError(
            "the header cannot be read as VCF", where=str(path), mend="check the file with 'bcftools view -h'"
        ) from error


def _site(record: Any, path: Path) -> Site:
    try:
        # htslib reads an empty REF as ".": neither is a base, which every record must have.
        if not record.REF.strip("."):
            raise BudwoodError(
                "a record has no REF bases",
                where=f"{path}, {record.CHROM}:{record.POS}",
                mend="copy the file again or correct that record",
            )
        return site_of(record.CHROM, record.start, record.ID, (record.REF, *record.ALT))
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
