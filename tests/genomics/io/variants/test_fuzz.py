"""Mutated genotype files of every format end in genotypes or in one sentence, within ten seconds."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.io.kind import file_kind
from budwood.genomics.io.variants.open_genotypes import read_genotypes, summarise_calls
from budwood.genomics.io.variants.vcf.reader import VcfCalls

VCF = (
    '##fileformat=VCFv4.3\n##contig=<ID=1,length=90>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="x">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
    "1\t10\tm1\tC\tT,<DEL>\t.\t.\t.\tGT:DP\t0/1:3\t1|2:4\n1\t20\tm2\tA\tG\t9\tPASS\t.\tGT\t0/0\t./.\n"
)
HAPMAP = (
    "rs#\talleles\tchrom\tpos\tstrand\tassembly#\ta\tb\n"
    "m1\tC/T\t1\t10\t+\tNA\tCT\tTT\nm2\tA/G\t1\t20\t-\tNA\tR\tNN\n"
)
SEEDS = {
    "v.vcf": VCF,
    "h.hmp.txt": HAPMAP,
    "l.csv": "marker,chrom,pos,a,b\nm1,1,10,AAAG,AAAA\nm2,1,20,GGGG,NA\n",
    "n.csv": "marker,chrom,pos,allele0,allele1,a,b\nm1,1,10,C,T,1,2\nm2,1,20,A,G,0,NA\n",
    "o.csv": "line;mk1;mk2;mk3\na;0,5;1;2\nb;0;NA;-9\n",
    "r.raw": "FID IID PAT MAT SEX PHENOTYPE m1_A m2_G\nf a 0 0 0 1 2 0\nf b 0 0 0 2 NA 1\n",
    "t.traw": "CHR\tSNP\t(C)M\tPOS\tCOUNTED\tALT\ta_a\tb_b\n1\tm1\t0\t5\tA\tG\t0\t2\n"
    "1\tm2\t0\t6\tA\tG\tNA\t1\n",
    "t.txt": "<Numeric>\n<Marker>\tm1\tm2\na\t0.5\t1\nb\tNA\t0\n",
    "d.csv": "*,*,x,x\nAlleleID,SNP,a,b\n1|F|0-3:A>G,3:A>G,0,2\n2|F|0-3:A>G,3:A>G,1,-\n",
    "p.ped": "f a 0 0 0 -9 A G C C\nf b 0 0 0 -9 0 0 C T\n",
    "q.bim": "1 m1 0 10 T C\n1 m2 0 20 G A\n",
}
JUNK = st.binary(max_size=8) | st.sampled_from(
    [
        b"\t",
        b"\n",
        b"\r",
        b"\0",
        b"\xff\xfe",
        "\u2028".encode(),
        b"9" * 400,
        b"1e309",
        b"-",
        b",,",
        b"nan",
        b"/",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    name = draw(st.sampled_from(sorted(SEEDS)))
    data = bytearray(SEEDS[name].encode())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 1, 3, 20]))
        data[at : at + length] = draw(st.one_of(JUNK, st.just(bytes(data[:length]))))
    return name, bytes(data)


def read_all(path: Path) -> None:
    """Look at a file with every reader of genotypes; only one sentence may stop it."""
    begun = time.monotonic()
    for look in (file_kind, read_genotypes, lambda p: read_genotypes(p, ploidy=2)):
        try:
            look(path)
        except BudwoodError:
            continue
    assert time.monotonic() - begun < 10


def one_case(folder: Path, case: tuple[str, bytes]) -> None:
    name, data = case
    (folder / "p.map").write_text("1 m1 0 10\n1 m2 0 20\n")
    (folder / "q.fam").write_text("a a 0 0 0 -9\nb b 0 0 0 -9\n")
    (folder / "q.bed").write_bytes(b"\x6c\x1b\x01\x02\x07")
    (folder / name).write_bytes(data)
    read_all(folder / name)
    if name == "v.vcf":
        with contextlib.suppress(BudwoodError):
            source = VcfCalls(folder / name)
            source._by_lines = True
            summarise_calls(source)


CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@settings(max_examples=400, deadline=None, suppress_health_check=CHECKS)
@given(case=mutated())
def test_mutated_files_end_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, bytes]
) -> None:
    one_case(tmp_path_factory.getbasetemp(), case)


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None, suppress_health_check=CHECKS)
@given(case=mutated())
def test_many_mutated_files_end_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, bytes]
) -> None:
    one_case(tmp_path_factory.getbasetemp(), case)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 40), junk=st.binary(max_size=6))
def test_mutated_arrays_of_a_tidy_panel(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes
) -> None:
    folder = tmp_path_factory.mktemp("tidy")
    np.savez(folder / "geno.npz", ids=np.array(["a", "b"]), dosage=np.array([[1, 0], [2, -1]], dtype=np.int8))
    (folder / "markers.csv").write_text("marker,chrom,pos,allele0,allele1\nm1,1,10,C,T\nm2,1,20,A,G\n")
    data = bytearray((folder / "geno.npz").read_bytes())
    place = at * len(data) // 41
    data[place : place + len(junk)] = junk
    (folder / "geno.npz").write_bytes(data)
    read_all(folder)
