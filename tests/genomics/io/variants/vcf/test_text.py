"""The reader of VCF lines: equal to htslib's where both can read, and alone where it cannot."""

from __future__ import annotations

import lzma
import subprocess
import sys
import tarfile
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import CallBlock
from budwood.genomics.io.variants.vcf import htslib, reader
from budwood.genomics.io.variants.vcf.reader import VcfCalls

HEAD = '##fileformat=VCFv4.3\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
CONTIGS = "##contig=<ID=c1,length=1000>\n##contig=<ID=c2>\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"
needs_htslib = pytest.mark.skipif(not htslib.HAS_HTSLIB, reason="cyvcf2 is not installed")


def outcome(path: Path, *, by_lines: bool, together: bool = True) -> object:
    """All that a reader makes of a file, or that it refuses it; not ``together``: record by record."""
    alone = nullcontext() if together else patch.object(reader, "_diploid", return_value=False)
    try:
        source = VcfCalls(path)
        source._by_lines = by_lines
        with alone:
            blocks = [(b.sites, b.alleles.tolist(), b.phased.tolist()) for b in source.blocks(3)]
    except BudwoodError:
        return "refused"
    return source.accessions, dict(source.contigs), blocks


COPY = st.sampled_from(["0", "1", "2", "."])
WORD = st.lists(COPY, min_size=1, max_size=5).flatmap(
    lambda copies: st.lists(st.sampled_from("/|"), min_size=len(copies) - 1, max_size=len(copies) - 1).map(
        lambda marks: copies[0] + "".join(m + c for m, c in zip(marks, copies[1:], strict=True))
    )
)
ALT = st.sampled_from(["G,T", "g,<DEL>", "*,AT", "ACC,C", "A[c2:5[,N"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    n = draw(st.integers(1, 4))
    lines = [HEAD + draw(st.sampled_from([CONTIGS, ""])) + "\t".join([COLUMNS, *(f"l{i}" for i in range(n))])]
    diploid = draw(st.booleans())
    word = st.sampled_from(["0/0", "0/1", "1|2", "./.", "1/1"]) if diploid else WORD
    for contig in ("c1", "c2"):
        for position in sorted(draw(st.lists(st.integers(0, 2000), max_size=4))):
            form = draw(st.sampled_from(["GT", "GT:DP", "DP"]))
            more = {"GT": "", "GT:DP": ":7", "DP": ""}[form]
            more = st.sampled_from([more, more, ""])
            calls = ["7" if form == "DP" else draw(word) + draw(more) for _ in range(n)]
            name = draw(st.sampled_from([".", "m1", "a;b"]))
            lines.append(
                "\t".join([contig, str(position), name, "Ac", draw(ALT), ".", "PASS", ".", form, *calls])
            )
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from([end, ""]))


@needs_htslib
@settings(max_examples=80, deadline=None)
@given(text=texts())
def test_both_readers_give_the_same(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("both") / "panel.vcf"
    path.write_bytes(text.encode())
    if text.count("\n") > 4:
        found = outcome(path, by_lines=True)
        assert found == outcome(path, by_lines=False)
        for by_lines in (False, True):
            assert found == outcome(path, by_lines=by_lines, together=False)


@needs_htslib
@pytest.mark.parametrize("alleles", ["\tG", ".\tG", "A\t", "\t"])
def test_both_readers_refuse_a_record_with_a_blank_allele(tmp_path: Path, alleles: str) -> None:
    text = f"##fileformat=VCFv4.3\n{COLUMNS}\tl0\nc1\t5\t.\t{alleles}\t.\tPASS\t.\tGT\t0/1\n"
    path = tmp_path / "panel.vcf"
    path.write_text(text, encoding="utf-8")
    assert outcome(path, by_lines=True) == outcome(path, by_lines=False) == "refused"


@needs_htslib
@settings(max_examples=150, deadline=None)
@given(
    text=texts(),
    at=st.floats(0, 1),
    junk=st.text(st.sampled_from("\t\n/|.0123:,ACGTN<>*[]#= x;"), max_size=6),
    cut=st.integers(0, 6),
)
def test_both_readers_refuse_the_same_damaged_files(
    tmp_path_factory: pytest.TempPathFactory, text: str, at: float, junk: str, cut: int
) -> None:
    body = text.index("#CHROM") + len(COLUMNS)
    place = body + int(at * (len(text) - body))
    path = tmp_path_factory.mktemp("damaged") / "panel.vcf"
    path.write_bytes((text[:place] + junk + text[place + cut :]).encode())
    lines, native = outcome(path, by_lines=True), outcome(path, by_lines=False)
    # htslib also checks QUAL and fields that are not calls; the line reader leaves those alone.
    assert lines == native or native == "refused"


@pytest.mark.real
def test_the_files_of_the_specification(real_data: Path, tmp_path: Path) -> None:
    with tarfile.open(real_data / "conformance" / "htsspecs_vcf.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    files = sorted(tmp_path.rglob("*.vcf"))
    assert len(files) > 400
    read = refused = said = differing = 0
    for path in files:
        lines = outcome(path, by_lines=True)
        differing += lines != outcome(path, by_lines=False)
        if path.parent.name == "passed":
            assert lines != "refused", path.name
            read += 1
        elif lines == "refused":
            refused += 1
        else:
            said += bool(VcfCalls(path).assumptions)
    assert read == 51
    # What is left breaks rules of INFO and of meta lines, which hold no genotypes.
    assert refused >= 40
    assert said + refused >= len(files) - read - 6
    assert differing <= 4  # a DS value that is no number, which htslib checks


def both(path: Path) -> CallBlock:
    (block,) = VcfCalls(path).blocks()
    return block


BODY = "c1\t5\tm\tA\tG\t.\t.\t.\tGT\t0/1\t1|1\nc1\t9\tn\tA\tG\t.\t.\t.\tGT\t./.\t0|1\n"


def test_xz_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = HEAD + CONTIGS + COLUMNS + "\tx\ty\n" + BODY
    plain, packed, marked = tmp_path / "p.vcf", tmp_path / "p.vcf.xz", tmp_path / "b.vcf"
    misnamed = tmp_path / "x.vcf"
    plain.write_text(text)
    packed.write_bytes(lzma.compress(text.encode()))
    misnamed.write_bytes(lzma.compress(text.encode()))
    marked.write_bytes(b"\xef\xbb\xbf" + text.encode())
    due = both(plain)
    for path in (packed, misnamed, marked):
        found = both(path)
        assert found.sites == due.sites
        np.testing.assert_array_equal(found.alleles, due.alleles)
        np.testing.assert_array_equal(found.phased, due.phased)
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        both(packed)


@pytest.mark.parametrize(
    ("word", "alleles", "phased"),
    [
        ("/0/1", [0, 1], False),
        ("|0|1", [0, 1], True),
        ("/0|1", [0, 1], False),
        ("|0/1", [0, 1], False),
        ("|1", [1, -2], True),
        ("/1", [1, -2], True),
        ("/./.", [-1, -1], False),
    ],
)
def test_phase_prefixes_of_version_4_4(tmp_path: Path, word: str, alleles: list[int], phased: bool) -> None:
    path = tmp_path / "p.vcf"
    row = "c1\t5\tm\tA\tG\t.\t.\t.\tGT\t" + word + "\t0|0\n"
    path.write_text(HEAD.replace("4.3", "4.4") + CONTIGS + COLUMNS + "\tx\ty\n" + row)
    block = both(path)
    assert block.alleles[0, 0].tolist() == alleles
    assert bool(block.phased[0, 0]) == phased


@pytest.mark.parametrize("kind", ["Integer", "Float", "Character"])
def test_gt_declared_with_another_type_is_read_and_said(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "p.vcf"
    path.write_text(HEAD.replace("String", kind) + CONTIGS + COLUMNS + "\tx\ty\n" + BODY)
    assert both(path).alleles[0].tolist() == [[0, 1], [1, 1]]
    assert "another type than String" in " ".join(VcfCalls(path).assumptions)


def test_calls_of_alleles_that_a_record_without_any_does_not_list(tmp_path: Path) -> None:
    path = tmp_path / "p.vcf"
    path.write_text(HEAD + CONTIGS + COLUMNS + "\tx\ty\n" + "c1\t5\tm\tA\t.\t.\t.\t.\tGT\t0/1\t0/0\n")
    assert both(path).alleles[0].tolist() == [[0, -1], [0, 0]]
    assert "do not list" in " ".join(VcfCalls(path).assumptions)


def test_blanks_around_names_are_removed_and_said(tmp_path: Path) -> None:
    path = tmp_path / "p.vcf"
    path.write_text(HEAD + CONTIGS + COLUMNS + "\tx \t y\n" + BODY)
    source = VcfCalls(path)
    assert source.accessions == ("x", "y")
    assert "blanks around 2 accession names were removed" in source.assumptions
    path.write_text(HEAD + CONTIGS + COLUMNS + "\tx\tx \n" + BODY)
    with pytest.raises(BudwoodError, match="occurs twice"):
        VcfCalls(path)


WITHOUT = """
import sys
for name in ("cyvcf2", "pysam", "msprime", "pgenlib"):
    sys.modules[name] = None
from pathlib import Path
from budwood.errors import BudwoodError
folder = Path(sys.argv[1])
"""


def run_without(code: str, folder: Path) -> str:
    """What a process prints in which neither cyvcf2, pysam, msprime nor pgenlib can be imported."""
    run = [sys.executable, "-c", WITHOUT + code, str(folder)]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout


def test_vcf_and_fasta_without_cyvcf2_and_pysam(tmp_path: Path) -> None:
    (tmp_path / "p.vcf").write_text(HEAD + CONTIGS + COLUMNS + "\tx\ty\n" + BODY)
    (tmp_path / "p.bcf").write_bytes(b"BCF\2\2" + bytes(40))
    (tmp_path / "g.fa").write_text(">c1 x\nACGTA\nCGTAC\n>c2\nGG\n")
    code = """
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.variants.open_genotypes import open_calls, read_genotypes
from budwood.genomics.io.variants.vcf.writer import write_vcf
from budwood.genomics.sequence import decode
print(read_genotypes(folder / "p.vcf").dosage.tolist())
write_vcf(folder / "q.vcf.gz", open_calls(folder / "p.vcf"))
print(read_genotypes(folder / "q.vcf.gz").dosage.tolist())
print(decode(open_fasta(folder / "g.fa").sequence(Interval("c1", 3, 8))))
try:
    open_calls(folder / "p.bcf")
except BudwoodError as error:
    print(error)
from budwood.simulate.population import PopulationConfig, simulate_population
from budwood.simulate.species import SpeciesConfig, simulate_species
try:
    species = simulate_species(SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=8))
    simulate_population(species, PopulationConfig(lines=4))
except BudwoodError as error:
    print(error)
"""
    said = run_without(code, tmp_path).splitlines()
    assert said[0] == said[1] == "[[1, -1], [2, 1]]"
    assert said[2] == "TACGT"
    assert "bcftools view -Oz" in said[3]
    assert "budwood[demo]" in said[4]


def test_bgzf_fasta_without_pysam(tmp_path: Path) -> None:
    pysam = pytest.importorskip("pysam")
    (tmp_path / "g.fa").write_text(">c1 x\nACGTA\nCGTAC\n>c2\nGG\n")
    pysam.tabix_compress(str(tmp_path / "g.fa"), str(tmp_path / "g.fa.gz"))
    code = """
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import decode
print(decode(open_fasta(folder / "g.fa.gz").sequence(Interval("c1", 3, 8))))
"""
    assert run_without(code, tmp_path).strip() == "TACGT"


@pytest.mark.parametrize(
    ("form", "calls", "whole"),
    [
        ("GT", ("0/1", "1|0", "./."), True),
        ("GT:DP", ("0/1:3", "1|0", "./.:12"), True),
        ("GT:DP", ("0/1:3", "1", "./.:12"), False),
        ("GT", ("0/1", "10/1", "./."), False),
        ("GT:DP", ("0/1:3", "0/0/1:2", "./."), False),
    ],
)
def test_records_of_diploid_calls_are_read_many_at_once(
    tmp_path: Path, form: str, calls: tuple[str, ...], whole: bool
) -> None:
    path = tmp_path / "d.vcf"
    line = "\t".join(["c1", "5", "m", "A", "C,G,T,*,AC,AG,AT,CC,CG,CT", ".", ".", ".", form])
    path.write_text(HEAD + CONTIGS + "\t".join([COLUMNS, *"xyz"]) + "\n" + "\t".join([line, *calls]) + "\n")
    source = VcfCalls(path)
    assert source._scan.diploid is whole
    assert outcome(path, by_lines=False) == outcome(path, by_lines=True, together=False)


@needs_htslib
def test_a_call_with_more_fields_than_format_is_refused_by_all(tmp_path: Path) -> None:
    path = tmp_path / "f.vcf"
    line = "\t".join(["c1", "5", "m", "A", "C", ".", ".", ".", "GT:DP", "0/1:3:4", "0/1"])
    path.write_text(HEAD + CONTIGS + "\t".join([COLUMNS, *"xy"]) + "\n" + line + "\n")
    for by_lines in (False, True):
        for together in (False, True):
            assert outcome(path, by_lines=by_lines, together=together) == "refused"
