"""Inputs that once went wrong, kept beside the real data: every one ends as it should, none in an exception.

Left out, since a fault left them behind and they are no inputs: the caches of
``faults/checkpoint-missing-tensors`` and the result ``p2`` of ``faults/foreign-manifest``. In the two cases
of ``major-loci`` the model is fitted without the cross-validation around it, which takes most of the time.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from budwood import Panel, TraitModel, read_genotypes, read_phenotypes
from budwood.cli.app import main
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig

pytestmark = pytest.mark.real

#: Seconds that a case may take: many times what it needs, for machines with other work.
LIMIT = 60


@dataclass(frozen=True)
class Ran:
    """How a command left, and all that it printed."""

    code: int
    text: str


@dataclass(frozen=True)
class Right:
    """The right outcome: exit code, a pattern of what is printed, and one that must not be there."""

    code: int
    said: str
    unsaid: str = r"(?!)"


RIGHT = {
    "annotation/gff_8cols": Right(2, "8 columns, an annotation has 9"),
    "annotation/gff_dup_ids_same_contig": Right(0, "identifier stands at several places, kept apart"),
    "annotation/gff_quoted_first": Right(0, r"1 gene \(1 coding\) with 1 transcript.*1 of 1 start codons"),
    "annotation/gtf_braker": Right(0, r"1 gene \(1 coding\) with 1 transcript.*1 of 1 start codons"),
    "annotation/rep_edta_old": Right(0, "6 repeats.*LTR/Copia 1.*DNA/Helitron 1.*MITE/DTM 1.*LINE/L1 1"),
    "bad-input/bim-pos-1e30": Right(2, "p.bim"),
    "bad-input/corpus-assembly-int": Right(2, r"write \[\[assembly\]\] tables"),
    "bad-input/dosage-space-blank-line": Right(0, "3 accessions"),
    "bad-input/dosm-pos-2^63": Right(2, "no number of base pairs"),
    "bad-input/env-blank-only": Right(2, "the table is empty"),
    "bad-input/fasta-cr": Right(0, "2 contigs, 8 bases"),
    "bad-input/fasta-nul-name": Right(2, "control character"),
    "bad-input/fasta-u2028": Right(0, "2 contigs, 8 bases"),
    "bad-input/gff-5000-digits": Right(2, "no positions"),
    "bad-input/manifest-nofiles": Right(2, "no artifact"),
    "bad-input/manifest-schema-null": Right(2, "no artifact"),
    "bad-input/newick-nest-2000": Right(2, "no trait value|nested"),
    "bad-input/pheno-bom-only": Right(2, "empty"),
    "bad-input/pheno-commas-only": Right(2, "empty"),
    "bad-input/recipe-genome-int": Right(2, r"write \[\[genome\]\] tables"),
    "columns/extra_cols_accession_rows": Right(0, "left out as markers: family, year"),
    "columns/extra_cols_markers_rows": Right(0, "left out as accessions: maf, call_rate"),
    "columns/ph_title_line": Right(0, "Line 1 is taken for a title and left out"),
    "columns/ph_trailing_commas": Right(0, "2 empty columns without a name were left out"),
    "columns/pp_plink_fid0": Right(0, "column 'IID' names the accession"),
    "columns/pp_plot_entry": Right(0, "'entry' was taken for the accession by its name; 'plot' holds such"),
    "columns/pp_rownames": Right(0, "'accession' was taken for the accession by its name"),
    "columns/pred_hmp_5cols": Right(0, "15 candidates ranked from 65 lines"),
    "columns/pred_no_header": Right(2, "the first line holds dosages"),
    "columns/raw_phenotype_leak": Right(0, "left out as markers: FID, PAT, MAT, SEX, PHENOTYPE"),
    "detect/ab_matrix": Right(0, "letters: 40 accessions x 60 sites"),
    "detect/bimbam": Right(2, "looks like BIMBAM"),
    "detect/dart_1row_noskip": Right(0, "DArT: 40 accessions x 60 sites"),
    "detect/dart_min": Right(0, "DArT scores, one row a marker: .* 2 the heterozygote"),
    "detect/fa_semicolon_comment": Right(0, "genome.*1 contig, 1,300 bases"),
    "detect/plink_ped": Right(0, "PLINK text: 40 accessions x 60 sites"),
    "detect/plink_traw": Right(0, "40 accessions x 60 sites.*columns are those of PLINK's .traw"),
    "detect/tassel_numeric": Right(0, "40 accessions x 60 sites.*TASSEL's numeric genotypes"),
    "detect/vcf_bom": Right(0, "VCF: 40 accessions x 60 sites on 3 contigs"),
    "lines-without-calls/h2_at_one_kept": Right(0, "which 50 phenotyped lines cannot show"),
    "lines-without-calls/num_line_almost_missing": Right(0, r"\(L003\) has no or hardly any calls"),
    "lines-without-calls/num_one_labelled_line_no_calls_60": Right(0, r"\(L060\).*nothing is learnt"),
    "missing-codes/dosage_decimal_comma": Right(0, "decimal commas were read as decimal points"),
    "missing-codes/miss_code_9": Right(2, "are 9 with nothing between"),
    "missing-codes/ph_dot_thousands_semicolon": Right(2, "a decimal point or a thousands point"),
    "missing-codes/ph_percent": Right(0, "from 10 to 13.9.*the unit '%' was dropped"),
    "missing-codes/ph_unicode_minus": Right(0, "from -13.9 to -10"),
    "missing-codes/ph_units": Right(0, "from 100 to 139.*the unit 'cm' was dropped"),
    "missing-codes/pp_m999": Right(0, "-999 .10 times. was read as missing"),
    "numbers/ev_fam_some_na": Right(0, "12 phenotyped accessions without a group take no part"),
    "numbers/num_shift_1e12": Right(2, "too little to compute with beside their size"),
    "numbers/num_shift_1e9": Right(0, "values from 100000000[0-9.]+ to", unsaid=r"1e\+09"),
    "numbers/sel_budget_nan": Right(2, "the budget nan is no amount"),
    "order/ambiguous_orientation": Right(
        2, "not clear whether the 80 rows or the 40 columns are the markers"
    ),
    "sequence/emb_empty_only": Right(2, "no record of the FASTA file has a base, 'e'"),
    "sequence/fa_cr_only": Right(0, "1 contig, 1,300 bases"),
    "sequence/hap_pos0": Right(0, "1 sites left out: .* at position 0"),
    "sequence/hf_fewer_layers": Right(2, "unexpected"),
    "vcf/vcf_gt_int_type": Right(0, "GT with another type than String: it was read as calls"),
    "vcf/vcf_phase_prefix_44": Right(0, "4 accessions x 1 site .*33.3% phased"),
}

#: Cases with a test of their own below.
OWN = {
    "faults/cache-ignores-config",
    "faults/checkpoint-config-layers7",
    "faults/checkpoint-flipped-byte",
    "faults/checkpoint-missing-tensors",
    "faults/foreign-manifest",
    "faults/formula-injection",
    "faults/gtf-hang",
    "faults/latin1-filename",
    "faults/out-with-notes",
    "faults/unphased-spelling",
    "faults/vcf-xz",
    "order/mod_major-loci_geno_order",
    "order/mod_major-loci_seed",
}


@pytest.fixture
def cases(real_data: Path) -> Path:
    """Folder of the cases; the test is skipped where it is not beside the real data."""
    folder = real_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip("there is no folder of cases beside the real data")
    return folder


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    """End a case that takes too long."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        pytest.fail(f"the case took over {LIMIT} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``budwood`` with the given words in this process; its own fault fails the test."""

    def run_words(*words: object) -> Ran:
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        assert "its own fault" not in told.err, told.err
        return Ran(code, f"{told.out}\n{told.err}")

    return run_words


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """An untrained encoder that is small enough to be quick."""
    shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    random_checkpoint(shape, seed=1).encoder.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def commands(case: Path, out: Path) -> list[list[str]]:
    """The words of a case's command, or of those that its name stands for."""
    if (case / "cmd").is_file():
        words = shlex.split((case / "cmd").read_text())[1:]
        return [[word.replace("$CASE", str(case)).replace("$OUT", str(out)) for word in words]]
    if case.name.startswith("manifest"):
        return [["verify", str(case)]]
    for start, verb in (("corpus", ["corpus", "build"]), ("recipe", ["pretrain"])):
        if case.name.startswith(start):
            return [[*verb, str(next(case.glob("*.toml"))), "--out", str(out / "out")]]
    return [["inspect", str(file)] for file in sorted(case.iterdir())]


def digests(folder: Path) -> dict[str, str]:
    """Every file of a folder and the digest of its content."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def writable_copy(source: Path, target: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def predictions(out: Path) -> dict[str, dict[str, str]]:
    """Rows of predictions.csv by accession."""
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as handle:
        return {row["accession"]: row for row in csv.DictReader(handle)}


@pytest.mark.parametrize("name", RIGHT)
def test_a_case_ends_as_it_should(name: str, cases: Path, tmp_path: Path, run, checkpoint: Path) -> None:
    for words in commands(cases / name, tmp_path):
        embeds = words[0] == "embed" and "--checkpoint" not in words
        ran = run(*words, *(["--checkpoint", checkpoint] if embeds else []))
        assert ran.code == RIGHT[name].code, ran.text
        assert re.search(RIGHT[name].said, ran.text, re.DOTALL), ran.text
        assert not re.search(RIGHT[name].unsaid, ran.text), ran.text
        assert ran.code == 0 or not (tmp_path / "out").exists()


def test_every_case_is_run(cases: Path) -> None:
    found = {f"{case.parent.name}/{case.name}" for case in cases.glob("*/*") if case.is_dir()}
    assert found <= RIGHT.keys() | OWN, sorted(found - RIGHT.keys() - OWN)


def test_an_unknown_line_has_the_standard_error_of_one(cases: Path, tmp_path: Path, run) -> None:
    """Missing calls are ignorance: the standard error of the line without them is the largest."""
    (words,) = commands(cases / "lines-without-calls/num_line_almost_missing", tmp_path)
    assert run(*words).code == 0
    errors = {name: float(row["standard_error"]) for name, row in predictions(tmp_path / "out").items()}
    assert max(errors, key=errors.__getitem__) == "L003"


def test_values_of_one_size_keep_the_digits_that_tell_them_apart(cases: Path, tmp_path: Path, run) -> None:
    (words,) = commands(cases / "numbers/num_shift_1e9", tmp_path)
    assert run(*words).code == 0
    assert len({row["prediction"] for row in predictions(tmp_path / "out").values()}) > 70


def fitted_values(case: Path, seed: int, shuffle: bool) -> dict[str, float]:
    """Predictions of major-loci by accession, with the records of the file in another order or not."""
    genotypes = read_genotypes(case / "g.vcf")
    if shuffle:
        rng = np.random.default_rng(1)
        genotypes = genotypes.take(rng.permutation(len(genotypes.accessions)))
        genotypes = genotypes.take_markers(rng.permutation(len(genotypes.markers)))
    panel = Panel(genotypes=genotypes, phenotypes=read_phenotypes(case / "t.csv"))
    found = TraitModel("major-loci", seed=seed).fit(panel, "height").predict(panel)
    return dict(zip(found.accessions, found.prediction.tolist(), strict=True))


def test_major_loci_do_not_depend_on_the_order_of_the_file(cases: Path) -> None:
    case = cases / "order/mod_major-loci_geno_order"
    assert fitted_values(case, 0, shuffle=True) == fitted_values(case, 0, shuffle=False)


def test_the_seed_reaches_major_loci(cases: Path) -> None:
    case = cases / "order/mod_major-loci_seed"
    assert fitted_values(case, 5, shuffle=False) == fitted_values(case, 5, shuffle=True)
    assert fitted_values(case, 5, shuffle=False) != fitted_values(case, 0, shuffle=False)


def renamed(folder: Path) -> Path:
    """The checkpoint under the project's present name, its damage kept: the manifest follows the renaming."""
    config, manifest = folder / "config.json", folder / "manifest.json"
    record = json.loads(manifest.read_text())
    sound = record["files"]["config.json"] == hashlib.sha256(config.read_bytes()).hexdigest()
    former = json.loads(config.read_text())["model_type"]
    text = config.read_text().replace(former.capitalize(), "Budwood").replace(former, "budwood")
    config.write_text(text)
    if sound:
        record["files"]["config.json"] = hashlib.sha256(config.read_bytes()).hexdigest()
        manifest.write_text(json.dumps(record))
    return folder


@pytest.mark.parametrize("damage", ["config-layers7", "flipped-byte", "missing-tensors"])
@pytest.mark.parametrize("with_manifest", [True, False])
def test_damaged_weights_are_refused(
    damage: str, with_manifest: bool, cases: Path, tmp_path: Path, run
) -> None:
    """The manifest tells any change; without one, weights that do not fit the configuration are told."""
    folder = renamed(writable_copy(cases / f"faults/checkpoint-{damage}/ckpt", tmp_path / "ckpt"))
    if not with_manifest:
        if damage == "flipped-byte":
            pytest.skip("without a manifest nothing says what the byte was")
        (folder / "manifest.json").unlink()
    (tmp_path / "s.fa").write_text(">a\nACGTACGTACGTTTACGGGACT\n")
    ran = run("embed", "--fasta", tmp_path / "s.fa", "--checkpoint", folder, "--out", tmp_path / "out")
    assert ran.code == 2, ran.text
    assert "does not recognize" not in ran.text
    assert not (tmp_path / "out").exists()


def test_another_configuration_gives_fresh_vectors(cases: Path, tmp_path: Path, run) -> None:
    (tmp_path / "s.fa").write_text(">a\nACGTACGTACGTTTACGGGACT\n")
    found = []
    for heads in (2, 4):
        folder = renamed(
            writable_copy(cases / "faults/cache-ignores-config/ckpt", tmp_path / f"heads{heads}")
        )
        (folder / "manifest.json").unlink()
        text = (folder / "config.json").read_text()
        (folder / "config.json").write_text(re.sub(r'"heads": \d+', f'"heads": {heads}', text))
        out = tmp_path / f"out{heads}"
        ran = run("embed", "--fasta", tmp_path / "s.fa", "--checkpoint", folder, "--out", out)
        assert ran.code == 0, ran.text
        digest = json.loads((out / "manifest.json").read_text())["parameters"]["checkpoint"]["digest"]
        found.append((digest, np.load(out / "vectors.npy").tobytes()))
    assert found[0][0] != found[1][0]
    assert found[0][1] != found[1][1]


@pytest.mark.parametrize(
    "folder", ["foreign-manifest/proj_before", "foreign-manifest/proj", "out-with-notes/r"]
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_nothing_of_the_users_is_deleted(
    folder: str, overwrite: bool, cases: Path, tmp_path: Path, run
) -> None:
    out = writable_copy(cases / "faults" / folder, tmp_path / "out")
    (out / "notes.txt").write_text("mine")
    data = out / "data.csv"  # the input itself lies in the folder
    data.write_text("accession,height\na,1\nb,2\nc,3\n")
    before = digests(out)
    ran = run("inspect", data, "--out", out, *(["--overwrite"] if overwrite else []))
    assert ran.code == 2, ran.text
    assert digests(out) == before


def test_cells_that_a_spreadsheet_would_run_are_text(cases: Path, tmp_path: Path, run) -> None:
    case = cases / "faults/formula-injection"
    trait = (case / "trait.txt").read_text()
    words = ("--genotypes", case / "inj.vcf", "--phenotypes", case / "inj.csv", "--trait", trait)
    ran = run("predict", *words, "--out", tmp_path / "out", "--quiet")
    assert ran.code == 0, ran.text
    rows = predictions(tmp_path / "out").values()
    cells = [row[column] for row in rows for column in ("accession", "trait", "nearest_training_accession")]
    assert any("cmd" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert "<svg onload" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["a.gtf", "min.gtf"])
def test_long_attributes_are_read_at_once(file: str, cases: Path, run) -> None:
    signal.alarm(10)
    assert run("inspect", cases / "faults/gtf-hang" / file).code in (0, 2)


@pytest.mark.parametrize("file", ["a.vcf.xz", "p.vcf.xz", "plain_named.vcf", "xz_named_plain.vcf"])
def test_xz_is_read_and_never_aborts(file: str, cases: Path) -> None:
    words = [sys.executable, "-m", "budwood", "inspect", str(cases / "faults/vcf-xz" / file)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert ran.returncode == 0, ran.stderr
    assert "VCF: " in ran.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no undecodable file names")
def test_a_file_name_that_is_no_text_is_read(cases: Path, tmp_path: Path, run) -> None:
    case = cases / "faults/latin1-filename"
    (table,) = (file for file in case.glob("ph*.csv") if file.name != "pheno.csv")
    words = ["--genotypes", case / "p.vcf", "--phenotypes", table, "--trait", "height"]
    ran = run("predict", *words, "--out", tmp_path / "out", "--quiet")
    assert ran.code == 0, ran.text
    assert "udce9" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_unphased_calls_may_be_spelled_either_way(cases: Path, tmp_path: Path, run, checkpoint: Path) -> None:
    case = cases / "faults/unphased-spelling"
    tables = []
    for number, file in enumerate(("p.vcf", "p_mixflip.vcf")):
        words = ["--genotypes", case / file, "--phenotypes", case / "pheno.csv", "--trait", "height"]
        words += ["--reference", case / "ref.fa", "--checkpoint", checkpoint, "--quiet"]
        ran = run("predict", *words, "--out", tmp_path / f"out{number}")
        assert ran.code == 0, ran.text
        tables.append((tmp_path / f"out{number}" / "predictions.csv").read_bytes())
    assert tables[0] == tables[1]
