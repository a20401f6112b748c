"""VCF and BCF: calls of any ploidy, exactly as they are written.

Genotypes are taken from htslib's own integers (BCF specification 6.3.3: ``(allele + 1) << 1 | phased``, with
a sentinel where a call has fewer copies than the record's widest one). cyvcf2's ``gt_types``, ``num_het`` and
relatives reduce every call to a diploid class (0/0/1/1 becomes a homozygote) and its ``genotype`` array takes
phase from the second copy alone, so neither is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site
from budwood.genomics.io.text.compressed import compression, open_bytes

with np.errstate():  # importing cyvcf2 silences numpy's warnings of invalid values; this restores them
    from cyvcf2 import VCF
    from cyvcf2.cyvcf2 import set_htslib_log_level

#: What htslib puts after the last copy of a call that is shorter than the record's widest (int32 vector end).
_VECTOR_END: Final = -(2**31) + 1
_LARGEST_ALLELE: Final = 127
_FIXED_COLUMNS: Final = 9
_SEPARATORS: Final = bytes.maketrans(b"|", b"/")
_CALL: Final = re.compile(rb"\t[/|]?([0-9.]+(?:[/|][0-9.]+)+)")


class VcfCalls:
    r"""A VCF or BCF file as a CallSource.

    Sites may be of any kind (SNV, MNV, indel, multi-allelic, symbolic, breakend, ``*``, letters N) and lie
    anywhere, past the contig's declared end too; calls may have any ploidy, differing between accessions and
    contigs. A record without GT has missing calls. Half calls (``0/.``) keep their known copy. A call written
    as a lone ``.`` says nothing about ploidy and stands as that many missing copies as the accession has
    elsewhere on the contig (as far as read).

    Parameters
    ----------
    path
        A ``.vcf``, ``.vcf.gz`` or ``.bcf`` file; told apart by content.
    ploidy
        Copies that a call may have at most; None takes the widest call of the file.

    Raises
    ------
    BudwoodError
        If the file is empty, truncated (now or while it is streamed), no VCF, names an accession twice, or
        has a call wider than ``ploidy``.

    Examples
    --------
    >>> import tempfile
    >>> text = (
    ...     "##fileformat=VCFv4.3\n"
    ...     "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tpotato\tdihaploid\n"
    ...     "chr01\t20\t.\tA\tG\t.\t.\t.\tGT\t0/0/1/1\t0/1\n"
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "two.vcf")
    ...     _ = file.write_text(text)
    ...     block = next(VcfCalls(file).blocks())
    >>> block.alleles[0].tolist()
    [[0, 0, 1, 1], [0, 1, -2, -2]]
    """

    has_letters: Final = True

    def __init__(self, path: Path, *, ploidy: int | None = None) -> None:
        self.path = Path(path)
        self._ploidy = ploidy
        header = _read_header(self.path)
        self.format: Final = header.format
        self.accessions: Final = header.accessions
        self.declared_contigs: Final = header.contigs
        self._complete_lines = header.complete_lines

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs of the header, or those of the records where the header declares none (one pass)."""
        return self.declared_contigs or self._scan.contigs

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What reading this file takes for granted."""
        found = []
        if not self.declared_contigs:
            found.append("the header declares no contigs: they are taken from the records, without lengths")
        if not self._complete_lines:
            found.append("the file does not end with a line break: its last record may be cut short")
        return tuple(found)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls; every block is as wide as the file's widest call (or the ploidy given)."""
        width = self._ploidy or self._scan.ploidy
        copies: NDArray[np.int64] = np.zeros(len(self.accessions), dtype=np.int64)
        previous = None
        for sites, raw in self._batches(sites_per_block):
            self._check_ploidy(raw, sites)
            alleles, phased = _decode(raw, width)
            _check_indices(alleles, sites, self.path)
            if sites[0].contig != previous:
                copies[:] = 0
                previous = sites[0].contig
            _widen_missing(alleles, copies)
            yield CallBlock(tuple(sites), alleles, phased)

    def _batches(self, size: int) -> Iterator[tuple[list[Site], list[NDArray[np.int32]]]]:
        """Runs of records on one contig: their sites and htslib's integers, (n, widest call) each."""
        sites: list[Site] = []
        raw: list[NDArray[np.int32]] = []
        nothing = np.zeros((len(self.accessions), 1), dtype=np.int32)
        for record in self._records():
            site = _site(record, self.path)
            if sites and (len(sites) == size or site.contig != sites[0].contig):
                yield sites, raw
                sites, raw = [], []
            calls = record.format("GT", int) if self.accessions else None
            sites.append(site)
            raw.append(nothing if calls is None else calls)
        if sites:
            yield sites, raw

    def _records(self) -> Iterator[Any]:
        if self.format == "BCF":  # which cannot leave a contig out of its header
            return _read_records(self.path)
        return _read_records(self.path, self._scan.contigs.keys() - self.declared_contigs.keys())

    def _check_ploidy(self, raw: list[NDArray[np.int32]], sites: list[Site]) -> None:
        if self._ploidy is None:
            return
        for site, calls in zip(sites, raw, strict=True):
            if calls.shape[1] > self._ploidy:
                row = int(np.argmax(calls[:, self._ploidy] != _VECTOR_END))
                copies = int(np.count_nonzero(calls[row] != _VECTOR_END))
                raise BudwoodError(
                    f"a call has {copies} copies where ploidy {self._ploidy} was given",
                    where=f"{self.path}, {site.identifier}, accession {self.accessions[row]}",
                    mend="give the right ploidy or leave it out",
                )

    @cached_property
    def _scan(self) -> _Scan:
        return _scan_text(self.path, len(self.accessions)) if self.format == "VCF" else _scan_bcf(self.path)


@dataclass(frozen=True)
class _Scan:
    """What only all records together tell: their contigs, in order, and the copies of the widest call."""

    contigs: Mapping[str, None]
    ploidy: int


@dataclass(frozen=True)
class _Header:
    format: str
    accessions: tuple[str, ...]
    contigs: Mapping[str, int | None]
    complete_lines: bool


def _open(path: Path) -> Any:
    # htslib's own warnings would reach the terminal beside ours, in its words.
    set_htslib_log_level(0)
    try:
        return VCF(str(path))
    except Exception as error:  # cyvcf2 raises nothing narrower
        raise BudwoodError(
            "the header cannot be read as VCF", where=str(path), mend="check the file with 'bcftools view -h'"
        ) from error


def _read_records(path: Path, undeclared: Iterable[str] = ()) -> Iterator[Any]:
    """Records in file order; ``undeclared`` are contigs that the header lacks."""
    with closing(_open(path)) as records:
        place = "the header"
        try:
            for contig in undeclared:
                records.add_to_header(f"##contig=<ID={contig}>")
            for record in records:
                yield record
                place = f"{record.CHROM}:{record.POS}"
        except UnicodeDecodeError as error:
            raise _not_text(path) from error
        except BudwoodError:
            raise
        except Exception as error:  # cyvcf2 raises nothing narrower
            raise BudwoodError(
                "a record has no valid position or genotype",
                where=f"{path}, the record after {place}",
                mend="copy the file again or correct that record",
            ) from error


def _scan_text(path: Path, accessions: int) -> _Scan:
    """Read a VCF's lines once, before htslib does, and refuse those that would end the process there.

    cyvcf2 passes a broken record on, and can crash on it, where the record's contig is not in the header: so
    the contigs of all records are found here and declared, and columns are counted. htslib leaves the
    process where GT is not the first of several fields and every accession leaves it out. Counting separators
    in passing also finds the widest call far faster than parsing would.
    """
    columns = (_FIXED_COLUMNS - 1, _FIXED_COLUMNS) if not accessions else (_FIXED_COLUMNS + accessions,)
    contigs: dict[bytes, None] = {}
    widest = 1
    with open_bytes(path) as handle:
        lines = enumerate(handle, start=1)
        next(line for _, line in lines if line.startswith(b"#CHROM"))
        for number, line in lines:
            found = line.count(b"\t") + 1
            if found not in columns:
                what = f"is cut short or malformed: {found} columns where {columns[-1]} are due"
                raise _malformed(path, number, what)
            contig, *_, keys = line.split(b"\t", _FIXED_COLUMNS)[:_FIXED_COLUMNS]
            contigs[contig] = None
            if accessions and b"GT" in keys.split(b":")[1:]:
                raise _malformed(path, number, "has GT in FORMAT, but not as its first field")
            # What is left between tabs is a run of separators, one shorter than the call has copies.
            if accessions and b"/" * widest in line.translate(_SEPARATORS, b"0123456789."):
                widest = max([widest, *(len(re.split(rb"[/|]", call)) for call in _CALL.findall(line))])
    try:
        return _Scan({contig.decode("utf-8"): None for contig in contigs}, widest)
    except UnicodeDecodeError as error:
        raise _not_text(path) from error


def _malformed(path: Path, line: int, what: str) -> BudwoodError:
    return BudwoodError(
        f"line {line} {what}", where=str(path), mend="copy the file again or correct that line"
    )


def _scan_bcf(path: Path) -> _Scan:
    """Read a BCF once for its widest call."""
    calls = (record.format("GT", int) for record in _read_records(path))
    return _Scan({}, max((array.shape[1] for array in calls if array is not None), default=1))


def _not_text(path: Path) -> BudwoodError:
    return BudwoodError(
        "the VCF is not UTF-8 text", where=str(path), mend="save it as UTF-8 (or plain ASCII)"
    )


def _site(record: Any, path: Path) -> Site:
    try:
        contig, letters = intern(record.CHROM), (record.REF, *record.ALT)
        name = record.ID or f"{contig}_{record.POS}"
    except UnicodeDecodeError as error:
        raise _not_text(path) from error
    alleles = tuple(intern(a if a[:1] in "<*" or "[" in a or "]" in a else a.upper()) for a in letters)
    return Site(contig, record.start, name, alleles)


def _decode(raw: list[NDArray[np.int32]], width: int) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Allele indices (k, n, width) and phase (k, n) of a run of records."""
    widest = max(calls.shape[1] for calls in raw)
    stacked = np.full((len(raw), len(raw[0]), widest), _VECTOR_END, dtype=np.int32)
    for j, calls in enumerate(raw):
        stacked[j, :, : calls.shape[1]] = calls
    # The first copy's phase bit means nothing before VCF 4.4; absent copies (odd numbers) read as phased.
    phased = np.ones(stacked.shape[:2], dtype=np.bool_)
    for copy in range(1, widest):
        phased &= (stacked[:, :, copy] & 1).view(np.uint32) == 1
    absent = stacked == _VECTOR_END if stacked.min(initial=0) < 0 else None
    stacked >>= 1
    stacked -= 1
    alleles = np.full((*phased.shape, max(widest, width)), ABSENT, dtype=np.int8)
    np.minimum(stacked, _LARGEST_ALLELE, out=alleles[:, :, :widest], casting="unsafe")
    if absent is not None:
        alleles[:, :, :widest][absent] = ABSENT
    return alleles, phased


def _check_indices(alleles: NDArray[np.int8], sites: list[Site], path: Path) -> None:
    """Refuse calls of alleles the record does not list, and records with more alleles than an int8 tells."""
    largest = alleles.reshape(len(sites), -1).max(axis=1, initial=MISSING)
    listed = np.array([len(site.alleles) for site in sites])
    wrong = np.flatnonzero((largest >= listed) | (listed > _LARGEST_ALLELE))
    if not len(wrong):
        return
    where = f"{path}, {sites[wrong[0]].identifier}"
    if listed[wrong[0]] > _LARGEST_ALLELE:
        raise BudwoodError(
            f"a record has more than {_LARGEST_ALLELE} alleles",
            where=where,
            mend="leave rare alleles out or split the record",
        )
    raise BudwoodError(
        f"a call names allele {largest[wrong[0]]}, the record has {listed[wrong[0]]} alleles",
        where=where,
        mend="correct the record",
    )


def _widen_missing(alleles: NDArray[np.int8], copies: NDArray[np.int64]) -> None:
    """Give calls that are missing altogether all the copies their accession has on the contig, in place.

    ``copies`` (n,) is the widest call of each accession so far; it is brought up to date.
    """
    if alleles.min(initial=MISSING) > ABSENT:
        np.maximum(copies, alleles.shape[2], out=copies)
        return
    present = np.count_nonzero(alleles != ABSENT, axis=2)
    np.maximum(copies, present.max(axis=0, initial=0), out=copies)
    short = (alleles.max(axis=2, initial=ABSENT) <= MISSING) & (present < copies)
    if short.any():
        rows, columns = np.nonzero(short)
        filler = np.where(np.arange(alleles.shape[2]) < copies[columns, None], MISSING, ABSENT)
        alleles[rows, columns] = filler


def _read_header(path: Path) -> _Header:
    kind = compression(path)
    with open_bytes(path) as handle:
        start = handle.read(3)
    if not start:
        raise BudwoodError("the file is empty", where=str(path), mend="give a VCF with records")
    if start == b"BCF":
        lines = _header_of_htslib(path)
        return _Header("BCF", _accessions(lines[-1], path), _contigs(lines), True)
    accessions = _accessions(_column_line(path), path)
    complete = kind != "plain" or _ends_with_break(path)
    return _Header("VCF", accessions, _contigs(_header_of_htslib(path)), complete)


def _header_of_htslib(path: Path) -> list[str]:
    """Header lines as htslib understands them: malformed ones are gone."""
    with closing(_open(path)) as records:
        return str(records.raw_header).rstrip("\0\n").split("\n")


def _column_line(path: Path) -> str:
    """The #CHROM line, read here because htslib tells nothing about one that is cut short."""
    with open_bytes(path) as handle:
        line = next((line for line in handle if not line.startswith(b"##")), b"")
    if not line.startswith(b"#CHROM") or not line.endswith(b"\n"):
        raise BudwoodError(
            "the VCF header has no complete #CHROM line", where=str(path), mend="copy the whole file again"
        )
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _not_text(path) from error


def _accessions(column_line: str, path: Path) -> tuple[str, ...]:
    accessions = tuple(column_line.split("\t")[_FIXED_COLUMNS:])
    seen: set[str] = set()
    for accession in accessions:
        if accession in seen:
            raise BudwoodError(
                f"accession {accession!r} stands twice in the header",
                where=str(path),
                mend="give every accession a name of its own, for example with 'bcftools reheader'",
            )
        seen.add(accession)
    return accessions


def _contigs(lines: list[str]) -> dict[str, int | None]:
    contigs: dict[str, int | None] = {}
    for line in lines:
        if line.startswith("##contig="):
            identifier = re.search(r"[<,]ID=([^,>]+)", line)
            length = re.search(r"[<,]length=(\d+)", line)
            if identifier:
                contigs[identifier[1]] = int(length[1]) if length else None
    return contigs


def _ends_with_break(path: Path) -> bool:
    with path.open("rb") as handle:
        handle.seek(-1, 2)
        return handle.read() == b"\n"
