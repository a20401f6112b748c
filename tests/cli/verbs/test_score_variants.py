"""``budwood score-variants``: every record again, in its place, with scores or a reason."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import budwood
from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import Site
from budwood.inference.variants import alternative_pass
from budwood.inference.variants import score as score_module
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.variants import score_variants as workflow
from budwood.workflows.variants import scored_vcf, scoring_job
from budwood.workflows.variants.score_options import ScoreOptions

HEAD = '##fileformat=VCFv4.3\n##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">\n'
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
CONTIGS = "##contig=<ID=chr1>\n##contig=<ID=chr2>\n"


@dataclass(frozen=True)
class Genome:
    """A genome on disk and its letters."""

    path: Path
    letters: dict[str, str]


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Genome:
    random = np.random.default_rng(4)
    letters = {
        name: "".join(random.choice(list("ACGT"), size)) for name, size in (("chr1", 2600), ("chr2", 700))
    }
    letters["chr2"] = letters["chr2"][:300] + "N" * 20 + letters["chr2"][320:]
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text("".join(f">{name}\n{each}\n" for name, each in letters.items()))
    return Genome(path, letters)


@pytest.fixture(autouse=True)
def _few_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw fewer windows from the genome."""
    real = scoring_job.draw_sample
    monkeypatch.setattr(scoring_job, "draw_sample", lambda *a, **k: real(*a, **{**k, "long": 2, "short": 3}))


def snv(genome: Genome, contig: str, position: int, info: str = ".") -> str:
    """A record of a single-base change at a 1-based position."""
    ref = genome.letters[contig][position - 1]
    return f"{contig}\t{position}\t.\t{ref}\t{'A' if ref != 'A' else 'C'}\t.\tPASS\t{info}"


def records_of(path: Path) -> list[list[str]]:
    """Fields of every record of a plain or packed VCF."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def info_of(fields: list[str]) -> dict[str, str]:
    return dict(entry.partition("=")[::2] for entry in fields[7].split(";"))


@pytest.fixture
def score(tmp_path: Path, genome: Genome, tiny_checkpoint: Path) -> Callable[..., Path]:
    """Score records and return the file that was written."""

    def score_records(
        records: list[str], *, header: str = HEAD + CONTIGS + COLUMNS, **options: object
    ) -> Path:
        vcf, out = tmp_path / "calls.vcf", tmp_path / str(options.pop("out", "scored.vcf.gz"))
        vcf.write_text("\n".join([header, *records]) + "\n")
        encoder = EncoderOptions(checkpoint=tiny_checkpoint, batch_size=options.pop("batch_size", None))
        wanted = ScoreOptions(vcf=vcf, reference=genome.path, encoder=encoder, **options)
        workflow.score_file(wanted, out, overwrite=True)
        return out

    return score_records


def test_the_command_writes_every_record_in_its_place(
    run: Callable[..., object], tmp_path: Path, genome: Genome, tiny_checkpoint: Path
) -> None:
    records = [
        snv(genome, "chr2", 9),
        snv(genome, "chr1", 2000, "DP=7"),
        snv(genome, "chr1", 40),
        snv(genome, "chr2", 3),
    ]
    vcf, out = tmp_path / "calls.vcf", tmp_path / "scored.vcf.gz"
    vcf.write_text(
        "\n".join([HEAD + CONTIGS + COLUMNS + "\tFORMAT\ts1", *(f"{r}\tGT:X\t0|1:.:" for r in records)])
        + "\n"
    )
    words = ["score-variants", "--vcf", vcf, "--reference", genome.path, "--checkpoint", tiny_checkpoint]
    ran = run(*words, "--out", out, "--json")
    assert ran.code == 0, ran
    told = json.loads(ran.out)
    assert told["records"] == told["alleles"] == told["reasons"]["scored"] == 4
    found = records_of(out)
    for fields, record in zip(found, records, strict=True):
        given_fields = record.split("\t")
        assert fields[:7] == given_fields[:7]
        assert fields[8:] == ["GT:X", "0|1:.:"]
        assert given_fields[7] == "." or fields[7].startswith(given_fields[7] + ";")
        values = info_of(fields)
        assert "BW_REASON" not in values
        for name in ("EXPECTED_CONSEQUENCE", "STOP_GAINED", "DIVERGENCE", "SHIFT", "LOG_LIKELIHOOD_RATIO"):
            assert np.isfinite(float(values[f"BW_{name}"]))
    assert run(*words, "--out", out).code == 2  # an earlier result is there
    assert run(*words, "--out", out, "--overwrite").code == 0
    other = tmp_path / "mine.vcf.gz"
    other.write_bytes(b"mine")
    assert run(*words, "--out", other, "--overwrite").code == 2
    assert other.read_bytes() == b"mine"
    assert run(*words, "--out", tmp_path / "scored.txt").code == 2
    assert {path.name for path in tmp_path.iterdir()} >= {"calls.vcf", "scored.vcf.gz", "mine.vcf.gz"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_six_failures_of_the_field(score: Callable[..., Path], genome: Genome) -> None:
    chr1, chr2 = genome.letters["chr1"], genome.letters["chr2"]
    wrong = "A" if chr1[49] != "A" else "C"
    records = [
        f"chr1\t10\t.\t{chr1[9:14]}\t{chr1[9]}\t.\t.\t.",  # a deletion with an ALT of one base
        f"chr1\t50\t.\t{wrong}\tG\t.\t.\t.",  # REF differs from the genome
        "chr2\t305\t.\tN\tA\t.\t.\t.",  # REF is N
        f"chr1\t60\t.\t{chr1[59]}\tN\t.\t.\t.",  # ALT is N
        f"chr1\t70\t.\t{chr1[69]}\t*,<DEL>,{'A' if chr1[69] != 'A' else 'C'}\t.\t.\t.",
        f"chr1\t80\t.\t{chr1[79]}\t.\t.\t.\t.",
        "chr9\t80\t.\tA\tC\t.\t.\t.",
        f"chr2\t700\t.\t{chr2[699]}\t{chr2[699]}ACG\t.\t.\t.",  # the last record is no single-base change
    ]
    out = score(records)
    found = records_of(out)
    assert [f[:7] for f in found] == [r.split("\t")[:7] for r in records]
    reasons = [info_of(f).get("BW_REASON") for f in found]
    assert reasons == [
        None, "reference_mismatch", "unknown_base", "unknown_base", "spanning_deletion,symbolic,.",
        "no_alternative", "unknown_contig", None,
    ]  # fmt: skip
    for row in (0, 7):
        assert float(info_of(found[row])["BW_EXPECTED_CONSEQUENCE"]) >= 0
    several = info_of(found[4])["BW_STOP_GAINED"].split(",")
    assert several[:2] == [".", "."]
    assert float(several[2]) >= 0
    # Every entry that is used is defined, with one value for each allele.
    header = gzip.decompress(out.read_bytes()).decode().split("#CHROM")[0]
    used = {name for fields in found for name in info_of(fields)}
    assert all(f"##INFO=<ID={name}," in header for name in used - {"."})
    assert header.count("##INFO=<ID=BW_STOP_GAINED,Number=A,Type=Float") == 1


def test_lines_pass_byte_for_byte(score: Callable[..., Path], genome: Genome) -> None:
    header = HEAD + CONTIGS + '##odd line="ä"\n' + COLUMNS + "\tFORMAT\tline one\tß"
    tail = "\tGT:AD\t./.:3,,\t1|.:"
    records = [snv(genome, "chr1", p, i) + tail for p, i in ((5, "DP=1;;X"), (6, "FLAG"), (7, "."))]
    out = score(records, header=header, out="plain.vcf", scores=("consequence",))
    lines = out.read_text(encoding="utf-8").splitlines()
    for line in header.splitlines():
        assert line in lines
    for line, record in zip([x for x in lines if not x.startswith("#")], records, strict=True):
        fields, due = line.split("\t"), record.split("\t")
        assert fields[:7] + fields[8:] == due[:7] + due[8:]
    assert "FLAG;BW_EXPECTED_CONSEQUENCE=" in lines[-2]


def test_scoring_a_scored_file_replaces_the_scores(score: Callable[..., Path], genome: Genome) -> None:
    out = score([snv(genome, "chr1", 500)], out="first.vcf", scores=("consequence",))
    text = out.read_text()
    header, record = text.split("\n#CHROM")[0], records_of(out)[0]
    again = score(
        ["\t".join(record)], header=header + "\n" + COLUMNS, out="again.vcf", scores=("consequence",)
    )
    assert records_of(again) == records_of(out)
    assert again.read_text().count("ID=BW_STOP_GAINED,") == 1
    assert again.read_text().count("##budwood=<ID=score_variants") == 1


def test_an_annotation_adds_consequences(score: Callable[..., Path], genome: Genome, tmp_path: Path) -> None:
    gff = tmp_path / "genes.gff3"
    rows = [("gene", "ID=g"), ("mRNA", "ID=g.1;Parent=g"), ("exon", "Parent=g.1"), ("CDS", "Parent=g.1")]
    lines = [f"chr1\tx\t{kind}\t101\t400\t.\t+\t{0 if kind == 'CDS' else '.'}\t{more}" for kind, more in rows]
    gff.write_text("##gff-version 3\n" + "\n".join(lines) + "\n")
    records = [snv(genome, "chr1", 105, "ANN=old"), snv(genome, "chr2", 600)]
    out = score(records, annotation=gff, scores=("consequence",), out="scored.vcf")
    found = [info_of(fields) for fields in records_of(out)]
    assert "g.1" in found[0]["ANN"]
    assert found[0]["ANN"].split("|")[1] != "old"
    assert found[0]["ANN"].count("old") == 0
    assert out.read_text().count("##INFO=<ID=ANN,") == 1
    assert 'Annotation="genes.gff3"' in out.read_text()


def test_variants_of_one_copy_are_joined(
    score: Callable[..., Path], genome: Genome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes in one codon of a phased call, in runs of two records, one of which is resumed."""
    frame = re.search(r"ATG(?:(?!TAA|TAG|TGA)...){6,}(?:TAA|TAG|TGA)", genome.letters["chr1"][100:])
    assert frame
    begin, end = frame.start() + 101, frame.end() + 100
    gff = tmp_path / "genes.gff3"
    rows = [("gene", "ID=g"), ("mRNA", "ID=g.1;Parent=g"), ("exon", "Parent=g.1"), ("CDS", "Parent=g.1")]
    lines = [
        f"chr1\tx\t{kind}\t{begin}\t{end}\t.\t+\t{0 if kind == 'CDS' else '.'}\t{more}" for kind, more in rows
    ]
    gff.write_text("##gff-version 3\n" + "\n".join(lines) + "\n")
    header = HEAD + CONTIGS + COLUMNS + "\tFORMAT\ta\tb"
    calls = {50: "0|0", begin + 6: "0|1", begin + 7: "0|1", begin + 13: "0|1", end + 50: "0/1"}
    records = [snv(genome, "chr1", at, "BCSQ=old") + f"\tGT\t{call}\t0|0" for at, call in calls.items()]
    how = {"annotation": gff, "scores": ("consequence",), "header": header}
    monkeypatch.setattr(scoring_job, "_RECORDS", 2)
    found = [info_of(fields) for fields in records_of(score(records, joint=True, **how))]
    assert [each.get("BCSQ", "")[:4] for each in found] == [
        "",
        found[1]["BCSQ"][:4],
        f"@{begin + 6}"[:4],
        "",
        "",
    ]
    assert found[1]["BCSQ"].split("|")[1] == "g"
    assert found[1]["BCSQ"].endswith("|1")
    assert all("ANN" in each for each in found)
    plain = [info_of(fields) for fields in records_of(score(records, **how))]
    assert {each["BCSQ"] for each in plain} == {"old"}
    with pytest.raises(BudwoodError, match="by an annotation"):
        score(records, header=header, joint=True)
    with pytest.raises(BudwoodError, match="no calls"):
        score([snv(genome, "chr1", 110)], joint=True, annotation=gff)
    with pytest.raises(BudwoodError, match="not sorted"):
        score(records[::-1], joint=True, **how)


def test_few_alleles_get_all_scores_and_many_those_of_the_reference(
    score: Callable[..., Path], genome: Genome, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [snv(genome, "chr1", p) for p in range(5, 12)]
    assert "BW_DIVERGENCE_CAL" in records_of(score(records))[0][7]
    monkeypatch.setattr(scoring_job, "FEW", 3)
    assert "BW_DIVERGENCE" not in records_of(score(records))[0][7]
    assert "BW_DIVERGENCE" in records_of(score(records, scores=("divergence",)))[0][7]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupted_run_resumes_with_the_same_result(
    score: Callable[..., Path],
    genome: Genome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threads: int,
) -> None:
    records = [snv(genome, "chr1", p) for p in range(5, 500, 20)]
    monkeypatch.setattr(scoring_job, "_RECORDS", 5)
    whole = score(records, scores=("consequence",)).read_bytes()
    (tmp_path / "scored.vcf.gz").unlink()
    real, calls, fails = scored_vcf.ScoringJob.score, [], [True]

    def fail_at_third(self: object, sites: list[Site], *given: object) -> object:
        calls.append(sites[0].start)
        if fails and sites[0].start == 4 + 2 * 5 * 20:
            raise KeyboardInterrupt
        return real(self, sites, *given)

    monkeypatch.setattr(scored_vcf.ScoringJob, "score", fail_at_third)
    with pytest.raises(KeyboardInterrupt):
        score(records, scores=("consequence",))
    assert not (tmp_path / "scored.vcf.gz").exists()
    calls.clear()
    fails.clear()
    assert score(records, scores=("consequence",), threads=threads).read_bytes() == whole
    assert sorted(calls) == [4 + block * 5 * 20 for block in (2, 3, 4)]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".scored")]


def test_the_number_of_threads_changes_nothing(
    score: Callable[..., Path], genome: Genome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring_job, "_RECORDS", 5)
    monkeypatch.setattr(score_module, "_WINDOWS_AT_ONCE", 1)
    monkeypatch.setattr(alternative_pass, "_BATCHES", 1)
    letters = genome.letters["chr1"]
    records = [snv(genome, "chr1", p) for p in range(5, 2400, 200)]
    records += [f"chr1\t{p}\t.\t{letters[p - 1 : p + 2]}\t{letters[p - 1]}\t.\t.\t." for p in (2410, 2450)]
    records += [snv(genome, "chr2", p) for p in (10, 690)]
    whole = [score(records, threads=threads, batch_size=2).read_bytes() for threads in (1, 2, 5)]
    assert whole[1:] == whole[:-1]


def test_no_thread_is_refused(score: Callable[..., Path], genome: Genome) -> None:
    with pytest.raises(BudwoodError, match="--threads 0 is not possible"):
        score([snv(genome, "chr1", 5)], threads=0)


def test_a_file_of_another_genome_writes_nothing(
    score: Callable[..., Path], genome: Genome, tmp_path: Path
) -> None:
    letters = genome.letters["chr1"]
    wrong = {"A": "C", "C": "G", "G": "T", "T": "A"}
    records = [f"chr1\t{p + 1}\t.\t{wrong[letters[p]]}\tTT\t.\t.\t." for p in range(30)]
    with pytest.raises(BudwoodError, match="another REF than the genome"):
        score(records)
    assert sorted(path.name for path in tmp_path.iterdir() if "scored" in path.name) == []


@pytest.mark.parametrize(
    "record",
    [
        "chr1\tx\t.\tA\tC\t.\t.\t.",
        "chr1\t5\t.\tA",
        "chr1\t5\t.\tA\t\t.\t.\t.",
        "chr1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0",
    ],
)
def test_lines_that_are_no_records_are_refused(
    score: Callable[..., Path], tmp_path: Path, record: str
) -> None:
    with pytest.raises(BudwoodError):
        score([record])
    assert not [path for path in tmp_path.iterdir() if "scored" in path.name]


ALLELE = st.one_of(
    st.text("ACGTNacgt", min_size=1, max_size=4),
    st.sampled_from(["*", ".", "<DEL>", "<*>", "A[chr1:5[", "]chr1:5]T", "ACGTN", "."]),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["chr1", "chr2", "chrX"]),
            st.integers(0, 2700),
            st.integers(0, 4),
            st.lists(ALLELE, min_size=1, max_size=3),
            st.sampled_from([".", "DP=1", "DP=1;BW_KMER=3", "FLAG"]),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_records_come_they_leave(
    score: Callable[..., Path], genome: Genome, drawn: list[tuple[str, int, int, list[str], str]]
) -> None:
    records = []
    for contig, position, extra, alternatives, info in drawn:
        ref = genome.letters.get(contig, "")[max(position - 1, 0) : position + extra] or "A"
        alts = [a for a in alternatives if a != "."] or ["."]
        records.append(f"{contig}\t{position}\t.\t{ref}\t{','.join(alts)}\t.\t.\t{info}")
    found = records_of(score(records, scores=("consequence", "divergence")))
    assert [f[:7] for f in found] == [r.split("\t")[:7] for r in records]
    for fields in found:
        values = info_of(fields)
        count = 1 if fields[4] == "." else fields[4].count(",") + 1
        reasons = values.get("BW_REASON", ",".join("." * count)).split(",")
        assert len(reasons) == count
        assert "BW_KMER" not in values
        for name, value in values.items():
            if name.startswith("BW_") and name not in ("BW_REASON", "BW_OOD"):
                assert len(value.split(",")) == count
                if not name.endswith("_CAL"):
                    assert [v == "." for v in value.split(",")] == [r != "." for r in reasons]


def test_bcftools_reads_the_file(score: Callable[..., Path], genome: Genome) -> None:
    bcftools = pytest.importorskip("pysam.bcftools")  # the program itself, as a library
    out = score([snv(genome, "chr1", 5), snv(genome, "chr1", 900, "DP=3")])
    assert len(bcftools.view("-H", str(out)).splitlines()) == 2
    assert len(bcftools.query("-f", "%POS %BW_STOP_GAINED\n", str(out)).splitlines()) == 2
    assert "BW_STOP_GAINED" in bcftools.view("-h", str(out))


def test_pysam_reads_the_values(score: Callable[..., Path], genome: Genome) -> None:
    pysam = pytest.importorskip("pysam")
    out = score([snv(genome, "chr1", 5), snv(genome, "chr1", 900, "DP=3")])
    with pysam.VariantFile(str(out)) as records:
        found = [record.info["BW_EXPECTED_CONSEQUENCE"] for record in records]
    assert [len(values) for values in found] == [1, 1]


def test_bcf_is_scored(
    score: Callable[..., Path], genome: Genome, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    pysam = pytest.importorskip("pysam")
    plain = score(
        [snv(genome, "chr1", 5), snv(genome, "chr2", 90, "DP=3")], out="plain.vcf", scores=("kmer",)
    )
    bcf, out = tmp_path / "calls.bcf", tmp_path / "of_bcf.vcf"
    with (
        pysam.VariantFile(str(tmp_path / "calls.vcf")) as records,
        pysam.VariantFile(str(bcf), "wb", header=records.header) as copy,
    ):
        for record in records:
            copy.write(record)
    budwood.score_variants(bcf, genome.path, out, checkpoint=tiny_checkpoint, scores=["kmer"])
    assert [f[7].split("BW_")[0] for f in records_of(out)] == ["", "DP=3;"]
    assert [f[:7] for f in records_of(out)] == [f[:7] for f in records_of(plain)]


def test_from_python_the_scores_come_as_a_table(
    score: Callable[..., Path], genome: Genome, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    written = score([snv(genome, "chr1", 5), "chr1\t6\t.\tACGTA\t*,T\t.\t.\t."], scores=("consequence",))
    found = budwood.score_variants(
        tmp_path / "calls.vcf", genome.path, checkpoint=tiny_checkpoint, scores=["consequence"]
    )
    frame = found.to_frame()
    assert frame[["contig", "position", "alternative"]].shape == (3, 3)
    assert frame["reason"][0] == "scored"
    value = info_of(records_of(written)[0])["BW_EXPECTED_CONSEQUENCE"]
    assert float(value) == pytest.approx(frame["expected_consequence"][0], rel=1e-3)
    with pytest.raises(BudwoodError, match="no score 'frobnicate'"):
        budwood.score_variants(tmp_path / "calls.vcf", genome.path, scores=["frobnicate"])


def test_load_of_accessions_is_a_table(
    run: Callable[..., Any], genome: Genome, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    vcf, gff = tmp_path / "calls.vcf", tmp_path / "genes.gff3"
    call = snv(genome, "chr1", 200) + "\tGT\t0/0/1/1\t1/1"
    vcf.write_text("\n".join([HEAD + CONTIGS + COLUMNS + "\tFORMAT\ts1\ts2", call]) + "\n")
    gff.write_text("chr1\tx\tlnc_RNA\t100\t300\t.\t+\t.\tID=r\nchr1\tx\texon\t100\t300\t.\t+\t.\tParent=r\n")
    words = ["score-variants", "--vcf", vcf, "--reference", genome.path, "--checkpoint", tiny_checkpoint]
    load = tmp_path / "new" / "load.csv"
    words += ["--out", tmp_path / "scored.vcf", "--scores", "kmer", "--load", load]
    assert run(*words).code == 2  # no annotation
    assert not load.exists()
    assert run(*words, "--annotation", gff).code == 0
    assert load.read_text() == "accession,load_modifier\ns1,0.5\ns2,1\n"


@pytest.mark.parametrize(
    ("vcf", "more", "expected"),
    [
        ("calls.vcf", ("--load", "load.csv"), "give --annotation GFF"),
        (
            "sites.vcf",
            ("--load", "load.csv", "--annotation", "genes.gff3"),
            "no accessions, so there is no load",
        ),
        ("plain.vcf", ("--load", "load.csv", "--annotation", "genes.gff3"), "no accession carries"),
        ("calls.vcf", ("--load", "calls.vcf", "--annotation", "genes.gff3"), "input"),
        ("calls.vcf", ("--load", "mine.csv", "--annotation", "genes.gff3"), "did not write"),
        ("calls.vcf", ("--load", "mine.csv", "--annotation", "genes.gff3", "--overwrite"), "did not write"),
        ("calls.vcf", ("--load", "scored.vcf", "--annotation", "genes.gff3"), "same place"),
        ("calls.vcf", ("--load", "mine.csv/load.csv", "--annotation", "genes.gff3"), "cannot be written to"),
        ("calls.vcf", ("--load", "load.csv", "--annotation", "nowhere.gff3"), "does not exist"),
    ],
)
def test_a_refused_load_leaves_no_scores(
    run: Callable[..., Any],
    genome: Genome,
    tiny_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vcf: str,
    more: tuple[str, ...],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    head, site = HEAD + CONTIGS + COLUMNS, snv(genome, "chr1", 200)
    Path("calls.vcf").write_text(f"{head}\tFORMAT\ts1\n{site}\tGT\t1/1\n")
    Path("plain.vcf").write_text(f"{head}\tFORMAT\ts1\n{site}\tGT\t0/0\n")
    Path("sites.vcf").write_text(f"{head}\n{site}\n")
    gene = "chr1\tx\tlnc_RNA\t100\t300\t.\t+\t.\tID=r\nchr1\tx\texon\t100\t300\t.\t+\t.\tParent=r\n"
    Path("genes.gff3").write_text(gene)
    Path("mine.csv").write_text("mine")
    before = sorted(path for path in tmp_path.iterdir() if path.name != "cache")
    words = ["score-variants", "--vcf", vcf, "--reference", genome.path, "--checkpoint", tiny_checkpoint]
    ran = run(*words, "--out", "scored.vcf", "--scores", "kmer", *more)
    assert ran.code == 2
    (told,) = ran.err.splitlines()
    assert told.startswith("error: ")
    assert expected in told
    assert sorted(path for path in tmp_path.iterdir() if path.name != "cache") == before
    assert Path("mine.csv").read_text() == "mine"


@pytest.mark.parametrize("letters", ["C", "ACGTNNNN", "N" * 30 + "C" + "N" * 1500])
def test_genomes_without_a_usable_window(
    run: Callable[..., object], tmp_path: Path, tiny_checkpoint: Path, letters: str
) -> None:
    fasta, vcf = tmp_path / "genome.fa", tmp_path / "calls.vcf"
    fasta.write_text(f">c\n{letters}\n")
    vcf.write_text(f"{HEAD}{COLUMNS}\nc\t{letters.index('C') + 1}\t.\tC\tA\t.\t.\t.\n")
    words = ("--vcf", vcf, "--reference", fasta, "--checkpoint", tiny_checkpoint)
    ran = run("score-variants", *words, "--out", tmp_path / "scored.vcf", "--json")
    assert ran.code == 0, ran
    found = json.loads(ran.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["reasons"] == {"scored": 1}
    assert found["genome"]["kmer_perplexity"] is None
