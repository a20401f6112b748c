"""VCF and BCF: calls of any ploidy, exactly as they are written.

Records come from htslib (:mod:`budwood.genomics.io.variants.vcf.htslib`) or, where cyvcf2 is not installed or
htslib refuses the file, from its lines (:mod:`budwood.genomics.io.variants.vcf.text`); both give the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site
from budwood.genomics.io.text.compressed import compression, open_bytes
from budwood.genomics.io.variants.vcf.htslib import HAS_HTSLIB, htslib_header, htslib_records
from budwood.genomics.io.variants.vcf.record import FIXED_COLUMNS, VECTOR_END, malformed, not_utf8
from budwood.genomics.io.variants.vcf.text import diploid_blocks, diploid_calls, text_records

_LARGEST_ALLELE: Final = 127
_DIPLOID: Final = 2
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_FIXED_NAMES: Final = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_SEPARATORS: Final = bytes.maketrans(b"|", b"/")
_LETTERS_OR_SYMBOL: Final = (
    rb"(?:[ACGTNRYSWKMBDHVacgtnryswkmbdhv]+|\*|<[^<>,\s]+>|\.[A-Za-z]+|[A-Za-z]+\."
    rb"|[A-Za-z.]*[][][^][\s]+[][][A-Za-z.]*)"
)
# The first seven columns as the specification has them.
_VALID: Final = re.compile(
    rb"[^\s<][^\s]*\t[0-9]+\t(?:\.|[^\s;,]+(?:[;,][^\s;,]+)*)\t[ACGTNRYSWKMBDHVacgtnryswkmbdhv]+"
    rb"\t(?:\.|" + _LETTERS_OR_SYMBOL + rb"(?:," + _LETTERS_OR_SYMBOL + rb")*)"
    rb"\t(?:\.|[+-]?(?:[0-9.]+(?:[eE][+-]?[0-9]+)?|[Ii]nf(?:inity)?|[Nn]a[Nn]))\t(?!0\t)[^\s;]+(?:;[^\s;]+)*\t"
)
_NO_ALTERNATIVE: Final = b"."
_NO_CONTIG: Final = re.compile(rb"[,\s\"]|^$|^<[^>]*$|^[^<].*[<>]")
_COUNTED: Final = re.compile(rb"[\t/|][1-9]")
_CALL: Final = re.compile(rb"\t[/|]?([0-9.]+(?:[/|][0-9.]+)+)")


class VcfCalls:
    r"""A VCF or BCF file as a CallSource.

    Sites may be of any kind (SNV, MNV, indel, multi-allelic, symbolic, breakend, ``*``, letters N) and lie
    anywhere, past the contig's declared end too; calls may have any ploidy, differing between accessions and
    contigs. A record without GT has missing calls. Half calls (``0/.``) keep their known copy. A call written
    as a lone ``.`` has no ploidy and becomes that many missing copies as the accession has
    elsewhere on the contig (as far as read).

    Parameters
    ----------
    path
        A VCF (plain or packed with gzip, BGZF or xz) or BCF file; recognised by content. BCF needs cyvcf2.
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
        self._by_lines = header.by_lines
        self._notes = header.notes

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
        return (*found, *self._notes, *self._scan.notes)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls; every block is as wide as the file's widest call (or the ploidy given).

        Parameters
        ----------
        sites_per_block
            Most sites of a block.

        Yields
        ------
        CallBlock
            Calls of one contig.
        """
        width = self._ploidy or self._scan.ploidy
        if width == _DIPLOID and self._scan.diploid:
            for sites, alleles, phased in diploid_blocks(self.path, len(self.accessions), sites_per_block):
                _forget_unlisted(alleles, sites)
                _check_indices(alleles, sites, self.path)
                yield CallBlock(tuple(sites), alleles, phased)
            return
        copies: NDArray[np.int64] = np.zeros(len(self.accessions), dtype=np.int64)
        previous = None
        for sites, raw in self._batches(sites_per_block):
            self._check_ploidy(raw, sites)
            alleles, phased = _decode(raw, width)
            _forget_unlisted(alleles, sites)
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
        for site, calls in self._records():
            if sites and (len(sites) == size or site.contig != sites[0].contig):
                yield sites, raw
                sites, raw = [], []
            sites.append(site)
            raw.append(nothing if calls is None else calls)
        if sites:
            yield sites, raw

    def _records(self) -> Iterator[tuple[Site, NDArray[np.int32] | None]]:
        if self.format == "BCF":  # which cannot leave a contig out of its header
            return htslib_records(self.path, len(self.accessions))
        # The scan comes first for both readers: it refuses lines that would end the process in htslib.
        undeclared = self._scan.contigs.keys() - self.declared_contigs.keys()
        if self._by_lines or self._scan.prefixed:
            return text_records(self.path, len(self.accessions))
        return htslib_records(self.path, len(self.accessions), undeclared)

    def _check_ploidy(self, raw: list[NDArray[np.int32]], sites: list[Site]) -> None:
        if self._ploidy is None:
            return
        for site, calls in zip(sites, raw, strict=True):
            if calls.shape[1] > self._ploidy:
                row = int(np.argmax(calls[:, self._ploidy] != VECTOR_END))
                copies = int(np.count_nonzero(calls[row] != VECTOR_END))
                raise BudwoodError(
                    f"a call has {copies} copies where ploidy {self._ploidy} was given",
                    where=f"{self.path}, {site.identifier}, accession {self.accessions[row]}",
                    mend="give the right ploidy or leave it out",
                )

    @cached_property
    def _scan(self) -> _Scan:
        scan = _scan_text if self.format == "VCF" else _scan_bcf
        return scan(self.path, len(self.accessions))


@dataclass(frozen=True)
class _Scan:
    """What only all records together tell: contigs, in order, copies of the widest call, phase prefixes.

    ``diploid`` says that every record has two copies of every call, one digit each, and nothing else.
    """

    contigs: Mapping[str, None]
    ploidy: int
    prefixed: bool = False
    diploid: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Header:
    format: str
    accessions: tuple[str, ...]
    contigs: Mapping[str, int | None]
    by_lines: bool
    notes: tuple[str, ...]


def _scan_text(path: Path, accessions: int) -> _Scan:
    """Read a VCF's lines once, before htslib does, and refuse those that would end the process there.

    cyvcf2 passes a broken record on, and can crash on it, where the record's contig is not in the header: so
    the contigs of all records are found here and declared, and columns are counted. htslib leaves the
    process where GT is not the first of several fields and every accession leaves it out. Counting separators
    in passing also finds the widest call far faster than parsing would.
    """
    columns = (FIXED_COLUMNS - 1, FIXED_COLUMNS) if not accessions else (FIXED_COLUMNS + accessions,)
    contigs: dict[bytes, None] = {}
    widest, prefixed, others = 1, False, not accessions
    invalid, unlisted, repeated = _Lines(), _Lines(), _Lines()
    with open_bytes(path) as handle:
        lines = enumerate(handle, start=1)
        next(line for _, line in lines if line.startswith(b"#CHROM"))
        for number, line in lines:
            fields = [*line.split(b"\t", FIXED_COLUMNS), b""]
            plain = bool(accessions) and len(fields) > FIXED_COLUMNS + 1 and _diploid(fields, accessions)
            found = columns[-1] if plain else line.count(b"\t") + 1
            if found not in columns:
                what = f"is cut short or malformed: {counted(found, 'column')} where {columns[-1]} are due"
                raise malformed(path, number, what)
            contig, alternative, keys = fields[0], fields[4], fields[FIXED_COLUMNS - 1]
            if contig not in contigs and _NO_CONTIG.search(contig):
                raise malformed(
                    path, number, "has no valid position or genotype: its contig has no valid name"
                )
            contigs[contig] = None
            if b"" in alternative.split(b","):
                raise malformed(path, number, "has no valid position or genotype: an allele is blank")
            invalid.add(number, not _VALID.match(line))
            repeated.add(number, _names_twice(fields[3], alternative))
            if not accessions:
                continue
            if b"GT" in keys.split(b":")[1:]:
                raise malformed(path, number, "has GT in FORMAT, but not as its first field")
            if alternative == _NO_ALTERNATIVE and keys.startswith(b"GT"):
                unlisted.add(number, bool(_COUNTED.search(b"\t" + fields[FIXED_COLUMNS])))
            if plain:
                widest = max(widest, _DIPLOID)
                continue
            others = True
            prefixed = prefixed or b"\t|" in line or b"\t/" in line
            # What is left between tabs is a run of separators, one shorter than the call has copies.
            if b"/" * widest in line.translate(_SEPARATORS, b"0123456789."):
                widest = max([widest, *(len(re.split(rb"[/|]", call)) for call in _CALL.findall(line))])
    notes = (
        *invalid.note("break the rules of VCF in their first seven columns and were read as they are"),
        *repeated.note("name an allele twice, as REF and ALT or in ALT, and were read as they are"),
        *unlisted.note("have calls of an allele that they do not list: these calls are missing"),
    )
    try:
        names = {contig.decode("utf-8"): None for contig in contigs}
        return _Scan(names, widest, prefixed, diploid=not others, notes=notes)
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error


def _names_twice(reference: bytes, alternative: bytes) -> bool:
    """Whether two alleles of a record are written alike, such as an ALT that is REF again."""
    if b"," not in alternative:  # most records
        return reference.upper() == alternative.upper()
    alleles = [reference.upper(), *alternative.upper().split(b",")]
    return len(set(alleles)) < len(alleles)


def _diploid(fields: list[bytes], accessions: int) -> bool:
    keys, calls = fields[FIXED_COLUMNS - 1 : FIXED_COLUMNS + 1]
    first, *others = keys.split(b":")
    # GT twice is refused; the general search for it comes to that.
    return (
        first == b"GT"
        and b"GT" not in others
        and diploid_calls(calls.rstrip(b"\r\n"), keys, accessions) is not None
    )


@dataclass
class _Lines:
    """A count of lines that have something in common, and the first of them."""

    count: int = 0
    first: int = 0

    def add(self, number: int, counts: bool) -> None:
        """Count a line where ``counts`` is true."""
        if counts:
            self.first = self.first or number
            self.count += 1

    def note(self, what: str) -> tuple[str, ...]:
        """A phrase about the lines, nothing where there is none."""
        return (
            (f"{counted(self.count, 'line')} (the first is line {self.first}) {what}",) if self.count else ()
        )


def _scan_bcf(path: Path, accessions: int) -> _Scan:
    """Read a BCF once for its widest call."""
    calls = (calls for _, calls in htslib_records(path, accessions))
    return _Scan({}, max((array.shape[1] for array in calls if array is not None), default=1))


def _decode(raw: list[NDArray[np.int32]], width: int) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Allele indices (k, n, width) and phase (k, n) of a run of records."""
    widest = max(calls.shape[1] for calls in raw)
    stacked = np.full((len(raw), len(raw[0]), widest), VECTOR_END, dtype=np.int32)
    for j, calls in enumerate(raw):
        stacked[j, :, : calls.shape[1]] = calls
    # The first copy's phase bit means nothing before VCF 4.4; absent copies (odd numbers) read as phased.
    phased = np.ones(stacked.shape[:2], dtype=np.bool_)
    for copy in range(1, widest):
        phased &= (stacked[:, :, copy] & 1).view(np.uint32) == 1
    absent = stacked == VECTOR_END if stacked.min(initial=0) < 0 else None
    stacked >>= 1
    stacked -= 1
    alleles = np.full((*phased.shape, max(widest, width)), ABSENT, dtype=np.int8)
    np.minimum(stacked, _LARGEST_ALLELE, out=alleles[:, :, :widest], casting="unsafe")
    if absent is not None:
        alleles[:, :, :widest][absent] = ABSENT
    return alleles, phased


def _forget_unlisted(alleles: NDArray[np.int8], sites: list[Site]) -> None:
    """Make calls of other alleles missing where a record lists REF alone, in place."""
    for j, site in enumerate(sites):
        if len(site.alleles) == 1 and alleles[j].max(initial=MISSING) > 0:
            alleles[j][alleles[j] > 0] = MISSING


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
        f"a call names allele {largest[wrong[0]]}, the record has {counted(int(listed[wrong[0]]), 'allele')}",
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
        lines = htslib_header(path)
        accessions, notes = _accessions(lines[-1], path)
        return _Header("BCF", accessions, _contigs(lines), by_lines=False, notes=notes)
    lines = _header_lines(path)
    accessions, notes = _accessions(lines[-1], path)
    if kind == "plain" and not _ends_with_break(path):
        notes = (*notes, "the file does not end with a line break: its last record may be cut short")
    declared = next((line for line in lines if line.startswith("##FORMAT=<ID=GT,")), "")
    typed = bool(declared) and "Type=String" not in declared
    if typed:
        notes = (*notes, "the header declares GT with another type than String: it was read as calls")
    by_lines = not HAS_HTSLIB or kind == "xz" or start == _BYTE_ORDER_MARK or typed
    if not by_lines:
        lines = htslib_header(path)
    return _Header("VCF", accessions, _contigs(lines), by_lines, notes)


def _header_lines(path: Path) -> list[str]:
    """Lines up to the one of the columns, read here because htslib accepts one that is cut short."""
    lines = []
    with open_bytes(path) as handle:
        for line in handle:
            lines.append(line)
            if not line.removeprefix(_BYTE_ORDER_MARK).startswith(b"##"):
                break
    last = lines[-1].removeprefix(_BYTE_ORDER_MARK)
    if not last.startswith(b"#CHROM") or not last.endswith(b"\n"):
        raise BudwoodError(
            "the VCF header has no complete #CHROM line", where=str(path), mend="copy the whole file again"
        )
    try:
        texts = [line.decode("utf-8").lstrip("\ufeff").rstrip("\r\n") for line in lines]
    except UnicodeDecodeError as error:
        raise not_utf8(path) from error
    if tuple(texts[-1].split("\t")[: len(_FIXED_NAMES)]) != _FIXED_NAMES:
        raise BudwoodError(
            "the header cannot be read as VCF: its last line does not name the eight columns",
            where=str(path),
            mend="separate #CHROM, POS, ID, REF, ALT, QUAL, FILTER and INFO by tabs",
        )
    return texts


def _accessions(column_line: str, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Accession ids without blanks around them, and what is to be noted of them."""
    written = column_line.split("\t")[FIXED_COLUMNS:]
    accessions = tuple(name.strip() for name in written)
    seen: set[str] = set()
    for number, accession in enumerate(accessions, start=1):
        if not accession:
            raise BudwoodError(
                f"accession number {number} has no name in the header",
                where=str(path),
                mend="name it, for example with 'bcftools reheader'",
            )
        if accession in seen:
            raise BudwoodError(
                f"accession {accession!r} occurs twice in the header",
                where=str(path),
                mend="give every accession a name of its own, for example with 'bcftools reheader'",
            )
        seen.add(accession)
    stripped = sum(name != short for name, short in zip(written, accessions, strict=True))
    notes = (f"blanks around {stripped:,} accession names were removed",) if stripped else ()
    return accessions, notes


def _contigs(lines: list[str]) -> dict[str, int | None]:
    contigs: dict[str, int | None] = {}
    for line in lines:
        if line.startswith("##contig="):
            identifier = re.search(r"[<,]ID=([^,>]+)", line)
            length = re.search(r"[<,]length=([0-9]{1,18})\b", line)
            if identifier:
                contigs[identifier[1]] = int(length[1]) if length else None
    return contigs


def _ends_with_break(path: Path) -> bool:
    with path.open("rb") as handle:
        handle.seek(-1, 2)
        return handle.read() == b"\n"
