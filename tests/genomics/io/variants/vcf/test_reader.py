from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import cyvcf2
import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock
from budwood.genomics.io.variants.vcf.reader import VcfCalls

HEAD = "##fileformat=VCFv4.3\n"
GT = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
CONTIGS = "##contig=<ID=c1,length=1000>\n##contig=<ID=c2>\n"


def columns(*accessions: str) -> str:
    return "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *accessions])


def record(
    contig: str, position: int, ref: str, alt: str, *calls: str, name: str = ".", form: str = "GT"
) -> str:
    return "\t".join([contig, str(position), name, ref, alt, ".", ".", ".", form, *calls])


def write(path: Path, *lines: str, head: str = HEAD + GT + CONTIGS) -> Path:
    path.write_text(head + "\n".join(lines) + "\n")
    return path


def only_block(path: Path, **options: int) -> CallBlock:
    (block,) = VcfCalls(path, **options).blocks()
    return block


def test_tetraploid_calls_are_read_where_cyvcf2_gt_types_is_wrong(tmp_path: Path) -> None:
    calls = ("0/0/0/0", "0/0/0/1", "0/0/1/1", "0/1/1/1", "1/1/1/1")
    path = write(tmp_path / "t.vcf", columns(*"abcde"), record("c1", 5, "A", "C", *calls))
    alleles = only_block(path).alleles[0]
    assert (alleles == 1).sum(axis=1).tolist() == [0, 1, 2, 3, 4]
    # The interface this reader must not use takes a tetraploid heterozygote for a homozygote.
    (site,) = cyvcf2.VCF(str(path), gts012=True)
    assert site.gt_types[2] != 1
    assert site.gt_types.tolist() != [0, 1, 1, 1, 2]


def test_phase_of_every_copy_counts_where_cyvcf2_looks_at_the_second(tmp_path: Path) -> None:
    calls = ("0|0|1|1", "0|1/1/0", "0/1|1|0", "0|1", "0/1", "1", "0|.")
    path = write(tmp_path / "p.vcf", columns(*"abcdefg"), record("c1", 5, "A", "C", *calls))
    assert only_block(path).phased[0].tolist() == [True, False, False, True, False, True, True]
    (site,) = cyvcf2.VCF(str(path))
    assert bool(site.genotype.array()[1, -1])  # 0|1/1/0 passes for phased there


CALLED = st.integers(0, 2)
SEPARATORS = st.sampled_from(["/", "|", "mixed"])


@st.composite
def panels(draw: st.DrawFn) -> tuple[list[int], list[tuple[str, int, list[tuple[list[int], list[str]]]]]]:
    """Ploidies of the accessions and, per site, contig, position and calls (alleles, separators)."""
    ploidies = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    sites = []
    for contig in ("c1", "c2"):
        for position in sorted(draw(st.sets(st.integers(1, 5000), max_size=5))):
            calls = []
            for ploidy in ploidies:
                alleles = draw(st.lists(CALLED | st.just(MISSING), min_size=ploidy, max_size=ploidy))
                style = draw(SEPARATORS)
                marks = [
                    "/" if style == "/" or (style == "mixed" and c % 2) else "|" for c in range(ploidy - 1)
                ]
                calls.append((alleles, marks))
            sites.append((contig, position, calls))
    return ploidies, sites


def spell(alleles: list[int], marks: list[str]) -> str:
    letters = ["." if allele == MISSING else str(allele) for allele in alleles]
    return letters[0] + "".join(mark + letter for mark, letter in zip(marks, letters[1:], strict=True))


@settings(max_examples=60, deadline=None)
@given(panel=panels(), size=st.integers(1, 7))
def test_random_mixed_ploidy_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    panel: tuple[list[int], list[tuple[str, int, list[tuple[list[int], list[str]]]]]],
    size: int,
) -> None:
    ploidies, sites = panel
    names = [f"line{i}" for i in range(len(ploidies))]
    lines = [record(c, p, "A", "C,G", *(spell(*call) for call in calls)) for c, p, calls in sites]
    path = write(tmp_path_factory.mktemp("vcf") / "panel.vcf", columns(*names), *lines)
    seen = 0
    for block in VcfCalls(path).blocks(size):
        assert len(block.sites) <= size
        assert len({site.contig for site in block.sites}) == 1
        assert block.alleles.shape[2] == max(ploidies)
        for j, site in enumerate(block.sites):
            contig, position, calls = sites[seen]
            assert (site.contig, site.start) == (contig, position - 1)
            for i, (alleles, marks) in enumerate(calls):
                filler = [ABSENT] * (block.alleles.shape[2] - len(alleles))
                assert block.alleles[j, i].tolist() == alleles + filler
                assert block.phased[j, i] == ("/" not in marks)
            seen += 1
    assert seen == len(sites)


def test_alleles_of_every_kind_are_kept(tmp_path: Path) -> None:
    kinds = ["a\tg", "AN\tA", "A\tATT,*", "ACG\tTGA", "N\t<DEL>", "A\tN", "T\tT[c2:5[", "A\t."]
    lines = [record("c1", 10 * j + 1, *kind.split("\t"), "0/0") for j, kind in enumerate(kinds)]
    block = only_block(write(tmp_path / "k.vcf", columns("x"), *lines))
    assert [site.alleles for site in block.sites] == [
        ("A", "G"),
        ("AN", "A"),
        ("A", "ATT", "*"),
        ("ACG", "TGA"),
        ("N", "<DEL>"),
        ("A", "N"),
        ("T", "T[c2:5["),
        ("A",),
    ]
    assert block.sites[0].identifier == "c1_1"


def test_a_lone_point_takes_the_ploidy_its_accession_has_on_the_contig(tmp_path: Path) -> None:
    lines = [
        record("c1", 1, "A", "C", ".", "."),
        record("c1", 2, "A", "C", "0/0/0/1", "0/1"),
        record("c2", 1, "A", "C", "1", "."),
        record("c2", 2, "A", "C", ".", "."),
    ]
    first, second = VcfCalls(write(tmp_path / "m.vcf", columns("tetra", "di"), *lines)).blocks()
    assert first.alleles[0].tolist() == [[MISSING] * 4, [MISSING] * 2 + [ABSENT] * 2]
    assert second.alleles[1].tolist() == [[MISSING] + [ABSENT] * 3] * 2


def test_a_record_without_genotypes_is_missing(tmp_path: Path) -> None:
    lines = [
        record("c1", 1, "A", "C", "7", "9", form="DP"),
        record("c1", 2, "A", "C", "0/1:3", "1/1:4", form="GT:DP"),
    ]
    block = only_block(write(tmp_path / "d.vcf", columns("x", "y"), *lines))
    assert block.alleles.tolist() == [[[-1, -1], [-1, -1]], [[0, 1], [1, 1]]]


def test_a_header_without_contigs_is_read_and_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = [columns("x"), record("c9", 3, "A", "C", "0/1"), record("c8", 5, "A", "C", "1/1")]
    source = VcfCalls(write(tmp_path / "n.vcf", *lines, head=HEAD))
    assert [block.sites[0].contig for block in source.blocks()] == ["c9", "c8"]
    assert source.contigs == {"c9": None, "c8": None}
    assert "declares no contigs" in source.assumptions[0]
    assert capfd.readouterr().err == ""  # htslib's own warnings stay away from the user


def test_declared_lengths_and_records_past_the_end(tmp_path: Path) -> None:
    source = VcfCalls(write(tmp_path / "e.vcf", columns("x"), record("c1", 5000, "A", "C", "0/1")))
    assert source.contigs == {"c1": 1000, "c2": None}
    assert next(source.blocks()).sites[0].start == 4999


def test_sites_without_samples_can_be_listed(tmp_path: Path) -> None:
    lines = ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", "c1\t5\t.\tA\tC\t.\t.\t."]
    source = VcfCalls(write(tmp_path / "s.vcf", *lines))
    assert source.accessions == ()
    assert next(source.blocks()).alleles.shape[:2] == (1, 0)


def test_windows_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "w.vcf"
    text = HEAD + GT + CONTIGS + columns("x", "y") + "\n" + record("c1", 5, "A", "C", "0/1", "1/1") + "\n"
    path.write_bytes(text.replace("\n", "\r\n").encode())
    source = VcfCalls(path)
    assert source.accessions == ("x", "y")
    assert next(source.blocks()).alleles[0].tolist() == [[0, 1], [1, 1]]


def test_bcf_equals_vcf(tmp_path: Path) -> None:
    lines = [record("c1", 5, "A", "C,G", "0/1/2", "0|."), record("c2", 7, "AT", "A", "./././.", "1")]
    text = write(tmp_path / "b.vcf", columns("x", "y"), *lines)
    template = cyvcf2.VCF(str(text))
    writer = cyvcf2.Writer(str(tmp_path / "b.bcf"), template, mode="wb")
    for site in template:
        writer.write_record(site)
    writer.close()
    binary = VcfCalls(tmp_path / "b.bcf")
    assert binary.format == "BCF"
    assert (binary.accessions, binary.contigs) == (VcfCalls(text).accessions, VcfCalls(text).contigs)
    for a, b in zip(binary.blocks(), VcfCalls(text).blocks(), strict=True):
        assert a.sites == b.sites
        np.testing.assert_array_equal(a.alleles, b.alleles)
        np.testing.assert_array_equal(a.phased, b.phased)


def drain(path: Path) -> int:
    return sum(len(block.sites) for block in VcfCalls(path).blocks())


@pytest.mark.parametrize("packed", ["gzip", "bgzf"])
def test_a_truncated_file_is_refused_wherever_it_is_cut(tmp_path: Path, packed: str) -> None:
    rng = np.random.default_rng(1)
    names = [f"line{i}" for i in range(40)]
    lines = [record("c1", j + 1, "A", "C", *rng.choice(["0/0", "0/1", "1/1"], 40)) for j in range(1500)]
    path = write(tmp_path / "whole.vcf", columns(*names), *lines)
    whole = tmp_path / "whole.vcf.gz"
    if packed == "gzip":
        whole.write_bytes(gzip.compress(path.read_bytes()))
    else:
        pysam.tabix_compress(str(path), str(whole))
    assert drain(whole) == 1500
    data = whole.read_bytes()
    blocks = [i for i in range(1, len(data)) if data[i : i + 4] == b"\x1f\x8b\x08\x04"]
    for cut in [
        30,
        400,
        len(data) // 2,
        len(data) - 100,
        len(data) - 28,
        len(data) - 5,
        len(data) - 1,
        *blocks,
    ]:
        short = tmp_path / "short.vcf.gz"
        short.write_bytes(data[:cut])
        with pytest.raises(BudwoodError, match=r"truncated or damaged \(.*short\.vcf\.gz"):
            drain(short)


def test_plain_text_cut_inside_a_record_is_refused(tmp_path: Path) -> None:
    line = record("c1", 5, "A", "C", "0/1", "1/1")
    path = tmp_path / "cut.vcf"
    for contigs in (CONTIGS, ""):
        head = HEAD + GT + contigs + columns("x", "y") + "\n"
        for cut in range(1, len(line)):
            path.write_text(head + line[:cut])
            if not line[:cut].endswith("0/1\t1"):  # a haploid call in a complete record
                with pytest.raises(
                    BudwoodError, match=r"cut short or malformed|no valid position or genotype"
                ):
                    drain(path)
    path.write_text(head + line)
    assert drain(path) == 1
    assert "line break" in VcfCalls(path).assumptions[-1]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([columns("x", "x")], "accession 'x' occurs twice"),
        (["c1\t5\t.\tA\tC"], "no complete #CHROM line"),
        (
            [columns("x", "y"), record("c1", 5, "A", "C", "0/1")],
            "line 6 is cut short or malformed: 10 columns where 11 are due",
        ),
        (
            [columns("x"), record("c1", 5, "A", "C", "0/x")],
            r"no valid position or genotype.*the record after the header",
        ),
        (
            [columns("x"), record("c1", 5, "A", "C", "7", form="DP:GT")],
            "line 6 has GT in FORMAT, but not as its first",
        ),
        ([columns("x"), record("c1", 5, "A", "C", "0/2")], "names allele 2, the record has 2 alleles"),
        ([columns("x"), record("c1", 5, "A", "C" + ",C" * 200, "0/0")], "more than 127 alleles"),
    ],
)
def test_malformed_files_get_one_sentence(tmp_path: Path, lines: list[str], sentence: str) -> None:
    path = write(tmp_path / "bad.vcf", *lines)
    with pytest.raises(BudwoodError, match=sentence):
        drain(path)


def test_empty_and_foreign_files_get_one_sentence(tmp_path: Path) -> None:
    empty, foreign = tmp_path / "empty.vcf", tmp_path / "foreign.vcf"
    empty.touch()
    foreign.write_text("#CHROM\tPOS\n")
    with pytest.raises(BudwoodError, match="empty"):
        VcfCalls(empty)
    with pytest.raises(BudwoodError, match="cannot be read as VCF"):
        drain(foreign)


def test_calls_wider_than_the_ploidy_given_are_refused(tmp_path: Path) -> None:
    lines = [columns("x", "y"), record("c1", 5, "A", "C", "0/1", "0/0/1/1", name="m1")]
    path = write(tmp_path / "t.vcf", *lines)
    with pytest.raises(BudwoodError, match=r"4 copies where ploidy 2 was given \(.*m1, accession y\)"):
        only_block(path, ploidy=2)
    assert only_block(path, ploidy=6).alleles.shape == (1, 2, 6)


def test_importing_cyvcf2_leaves_numpys_warnings_on() -> None:
    code = "import numpy, budwood.genomics.io.variants.vcf.reader; print(numpy.geterr()['invalid'])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "warn"


MUTATE = """
import random, sys
from pathlib import Path
from budwood.errors import BudwoodError
from budwood.genomics.io.variants.vcf.reader import VcfCalls
whole, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
for seed in range(3000):
    rng, data = random.Random(seed), bytearray(whole)
    for _ in range(rng.randint(1, 3)):
        i, k = rng.randrange(len(data)), rng.randint(1, 30)
        junk = bytes(rng.choice(b"\\t\\n/|.0123:,ACGTN<>*[]#= x;") for _ in range(k))
        data[i : i + rng.choice([0, k])] = rng.choice([b"", junk, data[:k]])
    path.write_bytes(data or b"x")
    try:
        for block in VcfCalls(path).blocks(2):
            assert block.alleles.max(initial=-1) < max(len(site.alleles) for site in block.sites)
    except BudwoodError:
        pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("contigs", [CONTIGS, ""])
def test_damaged_files_end_in_a_sentence_and_never_in_a_crash(tmp_path: Path, contigs: str) -> None:
    lines = [
        record("c1", 5, "a", "C,<DEL>,*", "0/0/1/1", "0|1", "."),
        record("c1", 6, "AN", "A", "0/.:3", "./.:4", "1:.", form="GT:DP"),
        record("c2", 9, "A", "AT", "0", "1", "2", form="DP"),
        record("c2", 9, "A", ".", "0|0", "0/0", ".|."),
    ]
    path = write(tmp_path / "whole.vcf", columns("x", "y", "z"), *lines, head=HEAD + GT + contigs)
    run = [sys.executable, "-c", MUTATE, str(path), str(tmp_path / "damaged.vcf")]
    told = subprocess.run(run, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


def test_an_allele_that_is_named_twice_is_noted(tmp_path: Path) -> None:
    lines = [columns("a", "b")]
    for position, alleles in enumerate(("A\tG", "A\tA", "ac\tG,AC", "A\tG,G", "AT\tA,ATT"), start=1):
        lines.append(
            "\t".join(("1", str(position), ".", *alleles.split("\t"), ".", ".", ".", "GT", "0/0", "0/1"))
        )
    path = write(tmp_path / "twice.vcf", *lines)
    (note,) = [each for each in VcfCalls(path).assumptions if "twice" in each]
    first = path.read_text().splitlines().index(lines[2]) + 1
    assert note.startswith(f"3 lines (the first is line {first}) name an allele twice")
