"""The haplotype table against an independent, slow writer of whole chromosomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.haplotypes.assumptions import Assumption
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site
from budwood.genomics.haplotypes.table import HaplotypeTable, tabulate_haplotypes
from budwood.genomics.sequence import decode


@dataclass
class Record:
    start: int
    alleles: tuple[str, ...]
    calls: list[list[int]]
    phased: list[bool]
    contig: str = "Chr1"


class Calls:
    """A call source held in memory; small blocks, so that windows span several."""

    has_letters = True

    def __init__(self, records: list[Record], sites_per_block: int = 2) -> None:
        self.records = records
        self.size = sites_per_block
        self.accessions = tuple(f"line{i}" for i in range(len(records[0].calls)))

    @property
    def contigs(self) -> Mapping[str, int | None]:
        return dict.fromkeys((r.contig for r in self.records), None)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        for contig in self.contigs:
            chosen = [r for r in self.records if r.contig == contig]
            for first in range(0, len(chosen), self.size):
                part = chosen[first : first + self.size]
                yield CallBlock(
                    tuple(Site(contig, r.start, f"{contig}_{r.start + 1}", r.alleles) for r in part),
                    np.array([r.calls for r in part], dtype=np.int8),
                    np.array([r.phased for r in part], dtype=np.bool_),
                )


def alike(*calls: list[int], phased: bool = True) -> tuple[list[list[int]], list[bool]]:
    return [list(c) for c in calls], [phased] * len(calls)


def build(reference: str, records: list[Record], window: int = 8) -> HaplotypeTable:
    return tabulate_haplotypes(Calls(records), InMemoryAssembly({"Chr1": reference}), window=window)


def haplotype(table: HaplotypeTable, accession: int, window: int, copy: int) -> str:
    code = table.codes[accession, window, copy]
    return decode(table.sequences[table.offsets[window] + code])


# --- The slow writer: each reference position owns a string; a chromosome is their concatenation.


def cut_shared(ref: str, alt: str) -> tuple[int, str, str]:
    skipped = 0
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        ref, alt, skipped = ref[1:], alt[1:], skipped + 1
    return skipped, ref, alt


def owned_strings(reference: str, records: list[Record], accession: int, copy: int) -> list[str]:
    changes = []
    for record in records:
        ref = record.alleles[0]
        allele = record.calls[accession][copy]
        if (
            record.start + len(ref) > len(reference)
            or reference[record.start : record.start + len(ref)] != ref
        ):
            continue
        if allele <= 0 or set(record.alleles[allele]) - set("ACGT"):
            continue
        skipped, old, new = cut_shared(ref, record.alleles[allele])
        if old or new:
            begin = record.start + skipped
            changes.append((begin, begin + len(old), new))
    before = [""] * (len(reference) + 1)
    own = [*reference, ""]
    accepted: tuple[int, int] | None = None
    for begin, end, new in sorted(changes):
        if accepted and (begin < accepted[1] or (begin, end) == accepted):
            continue
        accepted = (begin, end)
        for k in range(begin, end):
            own[k] = new[k - begin] if k - begin < len(new) else ""
        before[end] += new[end - begin :]
    return [inserted + base for inserted, base in zip(before, own, strict=True)]


def slow_haplotype(owned: list[str], start: int, window: int) -> str:
    return "".join(owned[start:])[:window].ljust(window, ".")


# --- Properties

BASES = "ACGT"


@st.composite
def panels(draw: st.DrawFn) -> tuple[str, list[Record]]:
    length = draw(st.integers(9, 70))
    reference = draw(st.text(BASES, min_size=length, max_size=length))
    ploidies = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    widest = max(ploidies)
    records = []
    for start in sorted(draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=14))):
        stop = min(length, start + draw(st.sampled_from([1, 1, 1, 2, 3, 5, 14])))
        ref = reference[start:stop]
        if draw(st.integers(0, 19)) == 0:
            ref += draw(st.text(BASES, min_size=1, max_size=2))
        letters = st.text(BASES, min_size=1, max_size=draw(st.sampled_from([1, 3, 12])))
        alts = draw(
            st.lists(
                letters | st.sampled_from(["*", "<DEL>", "AN", ref]), min_size=1, max_size=3, unique=True
            )
        )
        allele = st.sampled_from([*range(len(alts) + 1), 0, MISSING])
        calls = [[draw(allele) for _ in range(p)] + [ABSENT] * (widest - p) for p in ploidies]
        records.append(Record(start, (ref, *alts), calls, [True] * len(ploidies)))
    return reference, records


@settings(max_examples=250, deadline=None)
@given(panels(), st.sampled_from([4, 8, 13]), st.integers(1, 5))
def test_every_copy_equals_the_slow_writer(
    panel: tuple[str, list[Record]], window: int, sites_per_block: int
) -> None:
    reference, records = panel
    n, ploidy = np.shape(records[0].calls)
    owned = {
        (i, c): owned_strings(reference, records, i, c)
        for i in range(n)
        for c in range(ploidy)
        if records[0].calls[i][c] != ABSENT
    }
    starts = range(0, len(reference), window)
    varying = {
        s
        for s in starts
        for o in owned.values()
        if slow_haplotype(o, s, window) != reference[s : s + window].ljust(window, ".")
    }
    try:
        table = tabulate_haplotypes(
            Calls(records, sites_per_block), InMemoryAssembly({"Chr1": reference}), window=window
        )
    except BudwoodError:
        assert not varying
        return
    assert varying <= {interval.start for interval in table.windows}
    for w, interval in enumerate(table.windows):
        rows = table.sequences[table.offsets[w] : table.offsets[w + 1]]
        letters = [decode(row) for row in rows]
        assert letters[0] == reference[interval.start : interval.end].ljust(window, ".")
        assert len(set(letters)) == len(letters)
        for i in range(n):
            for c in range(ploidy):
                if (i, c) not in owned:
                    assert table.codes[i, w, c] == table.absent
                    continue
                assert haplotype(table, i, w, c) == slow_haplotype(owned[i, c], interval.start, window)


@settings(max_examples=60, deadline=None)
@given(panels(), st.randoms(use_true_random=False))
def test_accessions_do_not_depend_on_who_else_is_in_the_file(panel, random) -> None:
    reference, records = panel
    order = list(range(len(records[0].calls)))
    random.shuffle(order)
    chosen = order[: max(1, len(order) // 2)]
    part = [Record(r.start, r.alleles, [r.calls[i] for i in chosen], [True] * len(chosen)) for r in records]
    try:
        whole, few = build(reference, records), build(reference, part)
    except BudwoodError:
        return
    at = {interval: w for w, interval in enumerate(whole.windows)}
    for w, interval in enumerate(few.windows):
        for row, i in enumerate(chosen):
            for copy in range(len(records[0].calls[0])):
                if few.codes[row, w, copy] != few.absent:
                    assert haplotype(few, row, w, copy) == haplotype(whole, i, at[interval], copy)


@settings(max_examples=80, deadline=None)
@given(panels(), st.randoms(use_true_random=False))
def test_spelling_and_order_change_nothing_but_labels(panel, random) -> None:
    """Copies of unphased calls, numbers of alleles, accessions, and records at one position in any order."""
    reference, records = panel
    n = len(records[0].calls)
    phased = [[random.random() < 0.5 for _ in range(n)] for _ in records]
    records = [Record(r.start, r.alleles, r.calls, p) for r, p in zip(records, phased, strict=True)]
    order = random.sample(range(n), n)
    other = []
    for record in records:
        numbers = random.sample(range(1, len(record.alleles)), len(record.alleles) - 1)
        renamed = {0: 0, MISSING: MISSING, **{old: new for new, old in enumerate(numbers, start=1)}}
        calls = []
        for i in order:
            copies = [renamed[c] for c in record.calls[i] if c != ABSENT]
            if not record.phased[i]:
                random.shuffle(copies)
            calls.append(copies + [ABSENT] * (len(record.calls[i]) - len(copies)))
        alleles = (record.alleles[0], *(record.alleles[old] for old in numbers))
        other.append(Record(record.start, alleles, calls, [record.phased[i] for i in order]))
    random.shuffle(other)
    other.sort(key=lambda record: record.start)
    try:
        one = build(reference, records)
    except BudwoodError:
        with pytest.raises(BudwoodError):
            build(reference, other)
        return
    two = build(reference, other)
    assert two.windows == one.windows
    assert two.assumptions == one.assumptions
    for w in range(len(one.windows)):
        for row, i in enumerate(order):
            for copy in range(len(records[0].calls[0])):
                if one.codes[i, w, copy] == one.absent:
                    assert two.codes[row, w, copy] == two.absent
                else:
                    assert haplotype(two, row, w, copy) == haplotype(one, i, w, copy)


def test_sites_at_position_zero_are_left_out_and_counted() -> None:
    reference = "AAAACCCCGGGGTTTT"
    known, unknown = Record(1, ("A", "T"), [[0, 1]], [True]), Record(-1, ("A", "T"), [[0, 1]], [True])
    for records in ([unknown, known], [known, unknown]):
        table = build(reference, records)
        assert table.assumptions[Assumption.SITES_PAST_END] == 1
        assert table.assumptions[Assumption.SITES_USED] == 1


@settings(max_examples=60, deadline=None)
@given(panels())
def test_splitting_multi_allelic_records_changes_nothing(panel) -> None:
    reference, records = panel
    split = []
    for record in records:
        for number, alt in enumerate(record.alleles[1:], start=1):
            calls = [[int(c == number) if c >= 0 else c for c in row] for row in record.calls]
            split.append(Record(record.start, (record.alleles[0], alt), calls, record.phased))
    try:
        joined = build(reference, records)
    except BudwoodError:
        with pytest.raises(BudwoodError):
            build(reference, split)
        return
    other = build(reference, split)
    assert joined.windows == other.windows
    np.testing.assert_array_equal(joined.sequences, other.sequences)
    np.testing.assert_array_equal(joined.codes, other.codes)


# --- Cases by hand


def test_indels_draw_in_and_push_out_the_copys_own_sequence() -> None:
    reference = "AAAACCCCGGGGTTTT"
    records = [
        Record(1, ("AA", "A"), *alike([1, 0])),
        Record(5, ("C", "CGG"), *alike([0, 1])),
        Record(8, ("G", "T"), *alike([1, 0])),
    ]
    table = build(reference, records)
    assert [str(w) for w in table.windows] == ["Chr1:1-8", "Chr1:9-16"]
    assert haplotype(table, 0, 0, 0) == "AAACCCCT"
    assert haplotype(table, 0, 0, 1) == "AAAACCGG"
    assert haplotype(table, 0, 1, 0) == "TGGGTTTT"
    assert haplotype(table, 0, 1, 1) == "GGGGTTTT"


def test_an_insertion_within_the_sequence_that_a_deletion_drew_in() -> None:
    deletion = Record(0, ("AAAA", "A"), *alike([1]))
    insertion = Record(9, ("G", "GTTT"), *alike([1]))
    table = build("AAAACCCCGGGGTTTT", [deletion, insertion])
    assert haplotype(table, 0, 0, 0) == "ACCCCGGT"


def test_a_deletion_over_the_start_begins_at_the_first_retained_base() -> None:
    table = build("AAAACCCCGGGGTTTT", [Record(5, ("CCCGG", "C"), *alike([1, 0]))])
    assert haplotype(table, 0, 0, 0) == "AAAACCGG"
    assert haplotype(table, 0, 1, 0) == "GGTTTT.."


def test_an_insertion_between_two_windows_opens_the_second() -> None:
    table = build("AAAACCCCGGGGTTTT", [Record(7, ("C", "CTA"), *alike([1]))])
    assert [w.start for w in table.windows] == [8]
    assert haplotype(table, 0, 0, 0) == "TAGGGGTT"


def test_the_last_window_is_padded() -> None:
    table = build("AAAACCCCGGG", [Record(9, ("G", "T"), *alike([1]))])
    assert table.windows[0].length == 3
    assert haplotype(table, 0, 0, 0) == "GTG....."


def test_what_is_left_out_is_counted() -> None:
    reference = "AAAACCCCGGGGTTTT"
    records = [
        Record(0, ("A", "C", "<DEL>"), *alike([1, 2])),
        Record(1, ("C", "G"), *alike([1, 1])),
        Record(2, ("N", "G"), *alike([1, 1])),
        Record(3, ("ACCC", "A", "*"), *alike([1, 2])),
        Record(5, ("C", "G"), *alike([1, 0])),
        Record(6, ("C", "G"), *alike([MISSING, 1])),
        Record(15, ("TT", "T"), *alike([1, 1])),
        Record(40, ("A", "T"), *alike([1, 1])),
    ]
    chr2 = [Record(3, ("A", "C"), *alike([1, 1]), contig="Chr2")]
    found = tabulate_haplotypes(
        Calls(records + chr2), InMemoryAssembly({"Chr1": reference}), window=8
    ).assumptions
    assert found == {
        Assumption.SITES_READ: 9,
        Assumption.SITES_USED: 4,
        Assumption.SITES_CONTIG_ABSENT: 1,
        Assumption.SITES_PAST_END: 2,
        Assumption.SITES_REFERENCE_MISMATCH: 1,
        Assumption.SITES_REFERENCE_AMBIGUOUS: 1,
        Assumption.CALLS_MISSING: 1,
        Assumption.CALLS_NOT_SEQUENCE: 1,
        Assumption.CALLS_DELETED_UPSTREAM: 1,
        Assumption.CALLS_OVERLAPPING: 1,
        Assumption.PHASE_ASSUMED: 0,
        Assumption.WINDOWS_PHASE_ASSUMED: 0,
    }


# --- Phase


def sequences_of(table: HaplotypeTable, accession: int, window: int = 0) -> list[str]:
    return sorted(haplotype(table, accession, window, c) for c in range(table.codes.shape[2]))


def test_one_unphased_heterozygous_site_per_window_is_exact() -> None:
    reference = "AAAACCCCGGGGTTTT"
    sites = [(1, ("A", "T"), [0, 1]), (5, ("C", "G"), [1, 1]), (9, ("G", "C"), [1, 0])]
    unphased = [Record(s, a, [c], [False]) for s, a, c in sites]
    swapped = [Record(s, a, [c[::-1]], [False]) for s, a, c in sites]
    one, two = build(reference, unphased), build(reference, swapped)
    assert one.assumptions[Assumption.PHASE_ASSUMED] == 0
    for w in range(2):
        assert sequences_of(one, 0, w) == sequences_of(two, 0, w)


def test_an_assumed_phase_is_counted_per_accession_and_window() -> None:
    reference = "AAAACCCCGGGGTTTT"
    records = [
        Record(1, ("A", "T"), [[0, 1], [0, 1], [0, 1]], [False, True, True]),
        Record(5, ("C", "G"), [[1, 0], [0, 1], [1, 0]], [False, False, True]),
        Record(9, ("G", "C"), [[1, 0], [1, 1], [0, 0]], [False, False, False]),
    ]
    table = build(reference, records)
    assert table.assumptions[Assumption.PHASE_ASSUMED] == 2
    assert table.assumptions[Assumption.WINDOWS_PHASE_ASSUMED] == 1
    assert [haplotype(table, 0, 0, c) for c in (0, 1)] == ["AAAACCCC", "ATAACGCC"]


def test_a_deletion_that_draws_in_a_heterozygous_site_makes_phase_matter() -> None:
    reference = "AAAACCCCGGGGTTTT"
    snp = Record(9, ("G", "C"), [[0, 1], [0, 1]], [False, False])
    deletion = Record(2, ("AACC", "A"), [[0, 1], [0, 0]], [False, False])
    table = build(reference, [deletion, snp])
    assert table.assumptions[Assumption.PHASE_ASSUMED] == 1
    assert build(reference, [snp]).assumptions[Assumption.PHASE_ASSUMED] == 0


def test_unphased_polyploid_dosage_is_exact_with_one_heterozygous_site() -> None:
    record = Record(1, ("A", "T"), [[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, ABSENT, ABSENT]], [False] * 3)
    table = build("AAAACCCC", [record])
    np.testing.assert_array_equal(table.counts(0), [[2, 2], [1, 3], [0, 2]])
    assert table.assumptions[Assumption.PHASE_ASSUMED] == 0
    assert table.brute_force_windows == 10


# --- The table


def test_more_than_255_haplotypes_take_a_wider_code() -> None:
    bits = (np.arange(300)[:, None] >> np.arange(9)) & 1
    records = [Record(j, ("A", "C"), [[int(b), 0] for b in bits[:, j]], [True] * 300) for j in range(9)]
    records.append(Record(70, ("A", "C"), [[1, 1]] * 299 + [[1, ABSENT]], [True] * 300))
    table = build("A" * 80, records, window=16)
    assert table.codes.dtype == np.uint16
    assert table.n_sequences == 300 + 2
    assert table.counts(0).sum() == 600
    assert table.codes[299, 1].tolist() == [1, table.absent]


def test_take_chooses_accessions_and_keeps_sequences() -> None:
    records = [Record(1, ("A", "T"), *alike([0, 1], [1, 1], [0, 0]))]
    table = build("AAAACCCC", records)
    part = table.take([2, 0])
    assert part.accessions == ("line2", "line0")
    np.testing.assert_array_equal(part.counts(0), [[2, 0], [1, 1]])
    assert part.n_sequences == table.n_sequences == 2


def test_unsorted_sites_are_refused() -> None:
    records = [Record(5, ("C", "G"), *alike([1])), Record(1, ("A", "T"), *alike([1]))]
    with pytest.raises(BudwoodError, match="not sorted"):
        build("AAAACCCC", records)


def test_a_contig_that_comes_back_is_refused() -> None:
    class Returning(Calls):
        def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
            yield from [*super().blocks(), *super().blocks()][:: len(self.contigs) - 1]

    records = [Record(1, ("A", "T"), *alike([1]), contig=c) for c in ("Chr1", "Chr2")]
    genome = InMemoryAssembly({"Chr1": "AAAACCCC", "Chr2": "AAAACCCC"})
    with pytest.raises(BudwoodError, match="not sorted"):
        tabulate_haplotypes(Returning(records), genome, window=8)


def test_no_variant_on_the_reference_is_an_error() -> None:
    with pytest.raises(BudwoodError, match="none of the 1 variants"):
        build("AAAACCCC", [Record(1, ("C", "T"), *alike([1]))])
