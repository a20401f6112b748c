"""VCF and BCF as lines: for writing the same records again with more in their INFO column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.variants.vcf.htslib import htslib_header, htslib_lines
from budwood.genomics.io.variants.vcf.reader import VcfCalls
from budwood.genomics.io.variants.vcf.record import malformed, not_utf8, site_of

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_INFO: Final = 7
_EMPTY: Final = b"."


@dataclass(frozen=True)
class VcfLines:
    """A VCF or BCF file whose lines were counted and checked once.

    Attributes
    ----------
    path
        The file.
    header
        Its header lines without their ends; the last one names the columns.
    notes
        What reading the file takes for granted, and lines that break the rules of VCF.
    """

    path: Path
    header: tuple[bytes, ...]
    notes: tuple[str, ...]

    def records(self) -> Iterator[bytes]:
        """Lines of the records as they stand in the file, without their ends; BCF as VCF has them.

        Yields
        ------
        bytes
            One record.
        """
        if self._is_bcf:
            yield from htslib_lines(self.path)
            return
        with open_bytes(self.path) as handle:
            begun = False
            for line in handle:
                if begun:
                    yield line.rstrip(b"\r\n")
                else:
                    begun = line.startswith(b"#CHROM") or line.startswith(_BYTE_ORDER_MARK + b"#CHROM")

    def sites(self) -> Iterator[Site]:
        """Places and alleles of the records, in file order.

        Yields
        ------
        Site
            Position and alleles of one record.

        Raises
        ------
        BudwoodError
            If a record has no position or no alleles.
        """
        for number, line in enumerate(self.records(), start=1 + len(self.header)):
            yield _site(line, self.path, number)

    @property
    def _is_bcf(self) -> bool:
        with open_bytes(self.path) as handle:
            return handle.read(3) == b"BCF"


def open_lines(path: Path) -> VcfLines:
    """Open a VCF or BCF file to pass its lines on, after a check of the whole file.

    Parameters
    ----------
    path
        A VCF (plain or packed with gzip, BGZF or xz) or BCF file.

    Returns
    -------
    VcfLines
        The file.

    Raises
    ------
    BudwoodError
        If it is no VCF, truncated, or holds a line that is no record.
    """
    calls = VcfCalls(Path(path))
    notes = calls.assumptions
    if calls.format == "BCF":
        header = [line.encode("utf-8") for line in htslib_header(calls.path)]
    else:
        header = _header(calls.path)
    return VcfLines(calls.path, tuple(header), notes)


def with_info(line: bytes, added: Sequence[bytes], replaced: Iterable[bytes] = ()) -> bytes:
    r"""A record's line with entries added to its INFO column; the rest of it stays as it is.

    Parameters
    ----------
    line
        The record, without the end of the line.
    added
        Entries such as ``AF=0.5``.
    replaced
        Names of entries that are removed first.

    Returns
    -------
    bytes
        The line.

    Examples
    --------
    >>> with_info(b"1\t5\t.\tA\tG\t.\t.\tDP=3;X=1", [b"Y=2"], [b"X"])
    b'1\t5\t.\tA\tG\t.\t.\tDP=3;Y=2'
    >>> with_info(b"1\t5\t.\tA\tG\t.\t.\t.\tGT\t0/1", [b"Y=2"])
    b'1\t5\t.\tA\tG\t.\t.\tY=2\tGT\t0/1'
    """
    fields = line.split(b"\t", _INFO + 1)
    names = frozenset(replaced)
    entries = [] if fields[_INFO] == _EMPTY else fields[_INFO].split(b";")
    if names:
        entries = [entry for entry in entries if entry.partition(b"=")[0] not in names]
    fields[_INFO] = b";".join([*(entry for entry in entries if entry), *added]) or _EMPTY
    return b"\t".join(fields)


def with_header(
    header: Sequence[bytes], added: Sequence[bytes], replaced: Iterable[bytes] = ()
) -> list[bytes]:
    """Header lines with others before the line of the columns.

    Parameters
    ----------
    header
        Lines without their ends.
    added
        Lines to add, those of INFO entries among them.
    replaced
        Names of INFO entries whose lines are removed first.

    Returns
    -------
    list of bytes
        The lines.

    Examples
    --------
    >>> with_header([b"##fileformat=VCFv4.3", b"##INFO=<ID=X,Number=1>", b"#CHROM"], [b"##new"], [b"X"])
    [b'##fileformat=VCFv4.3', b'##new', b'#CHROM']
    """
    starts = tuple(b"##INFO=<ID=" + name + end for name in replaced for end in (b",", b">"))
    kept = [line for line in header if not (starts and line.startswith(starts))]
    return [*kept[:-1], *added, kept[-1]]


def _header(path: Path) -> list[bytes]:
    found = []
    with open_bytes(path) as handle:
        for line in handle:
            found.append(line.removeprefix(_BYTE_ORDER_MARK).rstrip(b"\r\n"))
            if found[-1].startswith(b"#CHROM"):
                break
    return found


def _site(line: bytes, path: Path, number: int) -> Site:
    try:
        contig, position, name, reference, alternatives = line.decode("utf-8").split("\t", 5)[:5]
        start = int(position) - 1
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    except ValueError as error:
        raise malformed(path, number, "has no valid position or alleles") from error
    if not (contig and reference and alternatives) or start < -1:
        raise malformed(path, number, "has no valid position or alleles")
    alleles = (reference,) if alternatives == "." else (reference, *alternatives.split(","))
    return site_of(contig, start, None if name == "." else name, alleles)
