"""``budwood predict``: what it writes, and how it refuses what it cannot use."""

from __future__ import annotations

import csv
import errno
import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import read_manifest
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.prediction.evaluation.results import TraitPrediction


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open() as handle:
        return list(csv.DictReader(handle))


def test_markers_alone(run, panel, tmp_path) -> None:
    out = tmp_path / "results" / "height"
    ran = run("predict", *panel.words(), "--out", out)
    assert ran.code == 0, ran.err
    assert "12 candidates ranked from 36 lines with height" in ran.out
    assert "estimate: 36 phenotyped lines of 48" in ran.err
    rows = rows_of(out)
    columns = (
        "accession trait observed prediction standard_error reliability lower_90 upper_90 rank "
        "nearest_training_accession relatedness extrapolation candidate_rank"
    )
    assert list(rows[0]) == columns.split()
    assert [int(row["rank"]) for row in rows] == list(range(1, 49))
    assert sorted(row["accession"] for row in rows if not row["observed"]) == [
        f"line{i}" for i in range(36, 48)
    ]
    assert all(float(row["standard_error"]) > 0 for row in rows)
    assert all(row["accession"] != row["nearest_training_accession"] for row in rows)
    evaluation = json.loads((out / "evaluation.json").read_text())
    assert set(evaluation["models"]) == {"GBLUP", "Gaussian kernel"}
    assert len(evaluation["models"]["GBLUP"]["fold_r"]) == evaluation["folds"] * evaluation["repeats"]
    assert "<html" in (out / "report.html").read_text()
    manifest = read_manifest(out)
    assert [entry["name"] for entry in manifest["inputs"]] == ["panel.vcf", "traits.csv"]
    assert run("verify", out).code == 0


def test_lower_is_better_reaches_every_file_and_the_saved_model(run, panel, tmp_path) -> None:
    out, model, applied = (tmp_path / name for name in ("out", "model", "applied"))
    ran = run("predict", *panel.words(), "--lower-is-better", "--save-model", model, "--out", out)
    assert ran.code == 0, ran.err
    assert "smallest first" in ran.out
    rows = rows_of(out)
    best = next(row["accession"] for row in rows if row["candidate_rank"] == "1")
    worst = next(row["accession"] for row in rows if row["candidate_rank"] == "12")
    assert best in ran.out
    assert worst not in ran.out
    assert rows == sorted(rows, key=lambda row: float(row["prediction"]))
    candidates = [row for row in rows if not row["observed"]]
    assert [int(row["candidate_rank"]) for row in candidates] == list(range(1, 13))
    assert all(row["candidate_rank"] == "" for row in rows if row["observed"])
    assert json.loads((out / "evaluation.json").read_text())["lower_is_better"] is True
    assert "--lower-is-better" in (out / "report.html").read_text()
    ran = run("apply", model, "--genotypes", panel.genotypes, "--out", applied)
    assert ran.code == 0, ran.err
    assert [row["rank"] for row in rows_of(applied)] == [row["rank"] for row in rows]


@pytest.mark.parametrize(("written", "meant"), [("gbulp", "gblup"), ("lightgmb", "lightgbm")])
def test_a_misspelt_model_is_answered_with_the_nearest(refused, panel, written, meant) -> None:
    assert f"did you mean '{meant}'?" in refused("predict", *panel.words(), "--model", written)


def test_a_misspelt_trait_or_column_is_answered_with_the_nearest(refused, panel) -> None:
    assert "did you mean 'height'?" in refused("predict", *panel.words("hieght"))
    told = refused("predict", *panel.words(), "--accession-column", "acession")
    assert "did you mean 'accession'?" in told


def test_markers_alone_need_no_torch(panel, tmp_path) -> None:
    script = "import sys; from budwood.cli.app import main; main(); sys.exit('torch' in sys.modules)"
    words = ["predict", *panel.words(), "--quiet", "--out", str(tmp_path / "out")]
    subprocess.run([sys.executable, "-c", script, *words], check=True, capture_output=True)


def test_with_the_dna_model(run, panel, tiny_checkpoint, tmp_path) -> None:
    out = tmp_path / "height"
    words = (
        "--reference",
        panel.reference,
        "--checkpoint",
        tiny_checkpoint,
        "--out",
        out,
        "--json",
        "--quiet",
    )
    ran = run("predict", *panel.words(), *words)
    assert ran.code == 0, ran.err
    assert ran.err == ""
    told = json.loads(ran.out)
    assert told["model"] == "GBLUP + DNA model"
    assert told["reference_share"] == 1.0
    assert told["candidates"] == 12
    assert set(told["variance_shares"]) == {"relationship", "embedding", "residual"}
    assert read_manifest(out)["parameters"]["checkpoint"]["digest"] == told["checkpoint"]


def test_haplotypes_may_come_from_another_file(run, panel, tiny_checkpoint, tmp_path) -> None:
    """All markers as dosages without letters, the sequence windows from the VCF."""
    genotypes = read_genotypes(panel.genotypes)
    table = tmp_path / "dosage.csv"
    rows = [["accession", *genotypes.markers.identifier]]
    rows += [[name, *dosage] for name, dosage in zip(genotypes.accessions, genotypes.dosage, strict=True)]
    table.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    words = ["--genotypes", table, "--phenotypes", panel.phenotypes, "--trait", "height"]
    extra = ["--haplotypes", panel.genotypes, "--reference", panel.reference, "--checkpoint", tiny_checkpoint]
    one, other = tmp_path / "one", tmp_path / "other"
    assert run("predict", *words, *extra, "--out", one).code == 0
    assert run("predict", *panel.words(), *extra[2:], "--out", other).code == 0
    assert rows_of(one) == rows_of(other)


def test_the_same_seed_gives_the_same_files(run, panel, tmp_path) -> None:
    for name in ("one", "two"):
        assert run("predict", *panel.words(), "--seed", 3, "--out", tmp_path / name).code == 0
    one, two = (read_manifest(tmp_path / name)["files"] for name in ("one", "two"))
    assert one["predictions.csv"] == two["predictions.csv"]


def test_an_earlier_result_is_left_alone(run, panel, tmp_path) -> None:
    out = tmp_path / "height"
    assert run("predict", *panel.words(), "--out", out).code == 0
    ran = run("predict", *panel.words(), "--out", out, "--seed", 2)
    assert ran.code == 2
    assert "--overwrite" in ran.err
    assert read_manifest(out)["seeds"] == {"seed": 0}
    assert [path.name for path in tmp_path.glob("*height*")] == ["height"]


def test_a_folder_of_other_files_is_left_alone(run, panel, tmp_path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.txt").write_text("It was a dark and stormy night.")
    ran = run("predict", *panel.words(), "--out", out)
    assert ran.code == 2
    assert "holds files that budwood did not write" in ran.err
    assert [path.name for path in out.iterdir()] == ["chapter1.txt"]


class TestBadInput:
    """Each is one sentence, exit code 2, and no output folder."""

    def test_truncated_gz(self, refused, panel) -> None:
        packed = panel.folder / "panel.vcf.gz"
        text = panel.genotypes.read_text().replace("\tm", f"\t{'m' * 1000}")
        packed.write_bytes(gzip.compress(text.encode(), compresslevel=0)[:-2000])
        words = panel.words()
        words[1] = str(packed)
        assert "truncated or damaged" in refused("predict", *words)

    def test_fasta_missing_a_contig(self, refused, panel, tiny_checkpoint) -> None:
        panel.reference.write_text(panel.reference.read_text().replace(">chr1", ">scaffold9"))
        told = refused(
            "predict", *panel.words(), "--reference", panel.reference, "--checkpoint", tiny_checkpoint
        )
        assert "no contig of the genotypes is in the reference" in told
        assert "scaffold9" in told

    def test_reference_mismatch(self, refused, panel, tiny_checkpoint) -> None:
        letters = panel.reference.read_text().split("\n")[1]
        panel.reference.write_text(f">chr1\n{letters[7:]}{letters[:7]}\n")
        told = refused(
            "predict", *panel.words(), "--reference", panel.reference, "--checkpoint", tiny_checkpoint
        )
        assert "REF is the reference base at only" in told

    def test_text_in_a_numeric_column(self, refused, panel) -> None:
        panel.phenotypes.write_text(panel.phenotypes.read_text().replace("line03,", "line03,tall ", 1))
        told = refused("predict", *panel.words())
        assert "is no number" in told
        assert "line 5, column 'height'" in told

    def test_no_common_accession(self, refused, panel) -> None:
        panel.phenotypes.write_text(panel.phenotypes.read_text().replace("line", "Line_"))
        told = refused("predict", *panel.words())
        assert "genotypes and phenotypes have no accession in common" in told
        assert "'line00' and 'Line_00'" in told

    def test_all_phenotypes_missing(self, refused, panel) -> None:
        panel.phenotypes.write_text(
            "accession,height,width\n" + "".join(f"line{i:02d},NA,{i}\n" for i in range(36))
        )
        assert "every value of trait 'height' is missing" in refused("predict", *panel.words())

    def test_constant_trait(self, refused, panel) -> None:
        panel.phenotypes.write_text("accession,height\n" + "".join(f"line{i:02d},7\n" for i in range(36)))
        assert "same value, 7, in all 36" in refused("predict", *panel.words())

    def test_one_labelled_line(self, refused, panel) -> None:
        panel.phenotypes.write_text("accession,height\nline00,7.5\n")
        assert "only 1 accession has both" in refused("predict", *panel.words())

    def test_duplicate_ids(self, refused, panel) -> None:
        panel.genotypes.write_text(panel.genotypes.read_text().replace("line47", "line46", 1))
        assert "line46" in refused("predict", *panel.words())

    def test_polyploid_calls_in_a_diploid_setting(self, refused, panel) -> None:
        panel.genotypes.write_text(panel.genotypes.read_text().replace("1|1", "0/1/1/1", 1))
        told = refused("predict", *panel.words(), "--ploidy", 2)
        assert "ploidy" in told

    def test_unknown_trait(self, refused, panel) -> None:
        told = refused("predict", *panel.words("yield"))
        assert "trait 'yield' is not in the phenotypes" in told
        assert "height" in told

    def test_no_such_file(self, refused, panel) -> None:
        words = [*panel.words()[:2], "--trait", "height", "--phenotypes", panel.folder / "none.csv"]
        assert "does not exist" in refused("predict", *words)

    def test_letters_are_needed_for_sequence(self, refused, panel, tiny_checkpoint) -> None:
        table = panel.folder / "dosage.csv"
        rows = [f"line{i:02d},{i % 3},{(i + 1) % 3},{i % 2},0,2,{(i * 7) % 3}\n" for i in range(48)]
        table.write_text("accession,a,b,c,d,e,f\n" + "".join(rows))
        words = ("--genotypes", table, "--phenotypes", panel.phenotypes, "--trait", "height")
        told = refused("predict", *words, "--reference", panel.reference, "--checkpoint", tiny_checkpoint)
        assert "no allele letters" in told

    def test_haplotypes_without_a_reference(self, refused, panel) -> None:
        assert "give --reference" in refused("predict", *panel.words(), "--haplotypes", panel.genotypes)

    def test_an_alias_that_is_not_one(self, refused, panel) -> None:
        words = ("--reference", panel.reference, "--alias", "chr1")
        assert "alias 'chr1' is not complete" in refused("predict", *panel.words(), *words)

    def test_no_checkpoint(self, refused, panel) -> None:
        words = ("--reference", panel.reference, "--checkpoint", panel.folder)
        assert "no checkpoint" in refused("predict", *panel.words(), *words)


def test_vcf_without_contig_lines(run, panel, tmp_path) -> None:
    """Such a file is used, and it is said that its contigs come from the records."""
    text = panel.genotypes.read_text().replace("##contig=<ID=chr1,length=6000>\n", "")
    panel.genotypes.write_text(text)
    assert run("predict", *panel.words(), "--out", tmp_path / "out").code == 0
    assert "declares no contigs" in run("inspect", panel.genotypes).out


def test_aliases_are_used_when_given(run, panel, tiny_checkpoint, tmp_path) -> None:
    panel.reference.write_text(panel.reference.read_text().replace(">chr1", ">1"))
    words = (*panel.words(), "--reference", panel.reference, "--checkpoint", tiny_checkpoint)
    ran = run("predict", *words, "--alias", "chr1=1", "--out", tmp_path / "out", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["reference_share"] == 1.0


def test_a_full_disk(panel, tmp_path) -> None:
    """No file may grow past 20 kB, a real limit of the operating system: the report does not fit."""
    out = tmp_path / "results" / "height"
    script = (
        "import resource, sys\n"
        "from budwood.cli.app import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "sys.exit(main())\n"
    )
    words = ["predict", *panel.words(), "--quiet", "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert (
        done.stderr == f"error: the output cannot be written: File too large ({out}): choose another --out.\n"
    )
    assert list(out.parent.iterdir()) == []


def test_no_space_left(refused, panel, monkeypatch) -> None:
    def fail(path: Path, _: TraitPrediction, **options: object) -> None:
        path.write_text("accession,tra")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("budwood.workflows.records.trait.write_predictions", fail)
    assert "the disk is full, nothing was written" in refused("predict", *panel.words())


@pytest.mark.real
def test_a_published_panel_from_its_plink_files(run, real_data, tmp_path) -> None:
    """150 labelled lines of the rice diversity panel rank the hidden ones by plant height."""
    folder = real_data / "panels" / "rice_rdp1_44k"
    with zipfile.ZipFile(folder / "raw" / "Rice44k.zip") as packed:
        packed.extractall(tmp_path / "raw")
    bed = next((tmp_path / "raw").rglob("*.bed"))
    with next((tmp_path / "raw").rglob("44kPhenos.csv")).open(newline="") as handle:
        plink_name = {row["NSFTV.ID"]: row["PlinkIDs"] for row in csv.DictReader(handle)}
    means = read_phenotypes(folder / "pheno.csv").means("Plant_height")
    height = {plink_name[name]: value for name, value in means.items() if name in plink_name}
    labelled = sorted(height)
    np.random.default_rng(1).shuffle(labelled)
    rows = [f"{name},{height[name]}\n" for name in labelled[:150]]
    traits = tmp_path / "traits.csv"
    traits.write_text("accession,height\n" + "".join(rows))
    out = tmp_path / "out"
    words = ("--genotypes", bed, "--phenotypes", traits, "--trait", "height")
    assert run("predict", *words, "--out", out).code == 0
    predicted = {row["accession"]: float(row["prediction"]) for row in rows_of(out)}
    hidden = [name for name in labelled[150:] if name in predicted]
    assert len(hidden) > 200
    assert np.corrcoef([predicted[n] for n in hidden], [height[n] for n in hidden])[0, 1] > 0.6


class TestFurtherRelationships:
    """Annotation, weights, subgenomes and ploidies on the command line."""

    @staticmethod
    def genes(panel) -> Path:
        """Coding sequence over the second half of the only contig."""
        path = panel.folder / "genes.gff3"
        rows = [("gene", "ID=g"), ("mRNA", "ID=t;Parent=g"), ("CDS", "ID=c;Parent=t")]
        text = "".join(f"chr1\tx\t{kind}\t3001\t6000\t.\t+\t0\t{more}\n" for kind, more in rows)
        path.write_text(f"##gff-version 3\n{text}")
        return path

    def test_annotation_makes_the_function_kernel_and_its_model(self, run, panel, tmp_path) -> None:
        out = tmp_path / "out"
        ran = run(
            "predict", *panel.words(), "--annotation", self.genes(panel), "--out", out, "--json", "--quiet"
        )
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        assert told["model"] == "Multi-kernel"
        assert "function" in told["variance_shares"]
        assert any("Markers by annotation" in sentence for sentence in told["notes"])
        assert {entry["name"] for entry in read_manifest(out)["inputs"]} == {
            "panel.vcf",
            "traits.csv",
            "genes.gff3",
        }
        assert "--annotation" in (out / "report.html").read_text()

    def test_a_table_of_weights_and_a_model_by_name(self, run, panel, tmp_path) -> None:
        table = panel.folder / "weights.csv"
        table.write_text("marker,weight\n" + "".join(f"m{j},{j % 3}\n" for j in range(120)))
        words = ("--marker-weights", table, "--model", "gblup", "--json", "--quiet")
        ran = run("predict", *panel.words(), *words, "--out", tmp_path / "out")
        assert ran.code == 0, ran.err
        assert json.loads(ran.out)["model"] == "GBLUP"

    def test_tracks_weigh_markers_and_are_judged(self, run, refused, panel, tmp_path) -> None:
        track, words = panel.folder / "open.bed", panel.words()
        track.write_text("chr1\t0\t900\n")
        ran = run("predict", *words, "--tracks", track, "--json", "--quiet", "--out", tmp_path / "out")
        assert ran.code == 0, ran.err
        told = json.loads(ran.out)
        assert "function" in told["variance_shares"]
        assert any("open.bed weighs" in sentence for sentence in told["notes"])
        assert any("likelihood ratio" in sentence for sentence in told["notes"])
        names = {entry["name"] for entry in read_manifest(tmp_path / "out")["inputs"]}
        assert names == {"panel.vcf", "traits.csv", "open.bed"}
        table = panel.folder / "weights.csv"
        table.write_text("marker,weight\nm1,1\n")
        told = refused("predict", *words, "--tracks", track, "--marker-weights", table)
        assert "--marker-weights and --tracks exclude each other" in told
        track.write_text("chr9\t0\t900\n")
        assert "no marker lies on a contig" in refused("predict", *words, "--tracks", track)

    def test_subgenomes_by_table_and_by_name_agree(self, run, panel, tmp_path) -> None:
        lines = panel.genotypes.read_text().splitlines()
        renamed = [line.replace("chr1", "1A" if i % 2 else "1B", 1) for i, line in enumerate(lines)]
        body = sorted(
            (line for line in renamed if not line.startswith("#")), key=lambda line: line.split("\t")[0]
        )
        head = [line for line in lines if line.startswith("#") and "contig" not in line]
        panel.genotypes.write_text("\n".join([*head, *body]) + "\n")
        table = panel.folder / "subgenomes.csv"
        table.write_text("contig,subgenome\n1A,A\n1B,B\n")
        told = []
        for name, words in (("table", ("--subgenomes", table)), ("name", ("--subgenomes-by-name",))):
            ran = run("predict", *panel.words(), *words, "--out", tmp_path / name, "--json", "--quiet")
            assert ran.code == 0, ran.err
            told.append(json.loads(ran.out))
        assert told[0]["model"] == "Subgenomes"
        assert set(told[0]["variance_shares"]) == {"subgenome A", "subgenome B", "residual"}
        assert told[0]["variance_shares"] == told[1]["variance_shares"]

    def test_ploidies_of_a_table_of_dosages(self, run, panel, tmp_path) -> None:
        """Lines counted as diploids and written as tetraploids have the same predictions."""
        genotypes = read_genotypes(panel.genotypes)
        tables, ploidies = (
            [panel.folder / "diploid.csv", panel.folder / "mixed.csv"],
            panel.folder / "ploidy.csv",
        )
        for factors, table in zip(([1, 1], [1, 2]), tables, strict=True):
            rows = [["accession", *genotypes.markers.identifier]]
            rows += [
                [name, *(dosage * factors[i % 2])]
                for i, (name, dosage) in enumerate(zip(genotypes.accessions, genotypes.dosage, strict=True))
            ]
            table.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
        text = "".join(f"{name},{2 + 2 * (i % 2)}\n" for i, name in enumerate(genotypes.accessions))
        ploidies.write_text(f"accession,ploidy\n{text}")
        words = ["--phenotypes", panel.phenotypes, "--trait", "height", "--quiet"]
        one, other = tmp_path / "one", tmp_path / "other"
        assert run("predict", "--genotypes", tables[0], *words, "--out", one).code == 0
        assert (
            run("predict", "--genotypes", tables[1], "--ploidies", ploidies, *words, "--out", other).code == 0
        )
        for first, second in zip(rows_of(one), rows_of(other), strict=True):
            assert first["accession"] == second["accession"]
            assert float(first["prediction"]) == pytest.approx(float(second["prediction"]), rel=1e-5)

    def test_what_does_not_fit_is_told(self, refused, panel) -> None:
        genes, words = self.genes(panel), panel.words()
        table = panel.folder / "table.csv"
        table.write_text("accession,ploidy\nline00,1.5\n")
        assert "has ploidy 1.5" in refused("predict", *words, "--ploidies", table)
        table.write_text("accession,ploidy\nline00,1\nline01,1\nline02,1\nline03,1\n")
        assert "has a dosage of 2 and ploidy 1" in refused("predict", *words, "--ploidies", table)
        assert "exclude each other" in refused(
            "predict", *words, "--annotation", genes, "--marker-weights", table
        )
        table.write_text("contig,subgenome\nchr9,A\nchr1,A\n")
        assert "the markers lie on 1 subgenome:" in refused("predict", *words, "--subgenomes", table)
        assert "do not tell subgenomes" in refused("predict", *words, "--subgenomes-by-name")
        assert "the panel has no subgenomes" in refused("predict", *words, "--model", "subgenomes")
        assert "no trait model 'best'" in refused("predict", *words, "--model", "best")
        assert "reads sequence" in refused("predict", *words, "--model", "gblup+dna")
        genes.write_text(genes.read_text().replace("chr1", "chr7"))
        assert "no contig of the genotypes is in the annotation" in refused(
            "predict", *words, "--annotation", genes
        )


def test_marker_effects_give_the_predictions(run, panel, tmp_path) -> None:
    out = tmp_path / "out"
    ran = run("predict", *panel.words(), "--model", "gblup", "--marker-effects", "--out", out)
    assert ran.code == 0, ran.err
    with (out / "marker_effects.csv").open(newline="") as handle:
        effects = {row["marker"]: row for row in csv.DictReader(handle)}
    told = json.loads((out / "manifest.json").read_text())["metrics"]["marker_effects"]
    genotypes = read_genotypes(panel.genotypes)
    value = np.full(len(genotypes.accessions), told["mean"])
    for j, marker in enumerate(genotypes.markers.identifier):
        if marker in effects:
            row = effects[marker]
            assert row["position"] == str(genotypes.markers.position[j] + 1)
            copies = genotypes.dosage[:, j] - told["ploidy"] * float(row["frequency"])
            value += float(row["effect"]) * np.where(genotypes.dosage[:, j] < 0, 0.0, copies)
    with (out / "predictions.csv").open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if not row["observed"]]
    assert rows
    for row in rows:
        assert float(row["prediction"]) == pytest.approx(value[genotypes.row[row["accession"]]], rel=1e-5)


def test_marker_effects_of_a_model_that_is_not_linear_are_refused(refused, panel) -> None:
    words = ("--model", "gaussian", "--marker-effects")
    assert "not linear in the markers" in refused("predict", *panel.words(), *words)


def test_covariates_are_taken_out_of_values_and_said(run, panel, tmp_path) -> None:
    plain = tmp_path / "plain"
    assert run("predict", *panel.words(), "--out", plain).code == 0
    expected = {row["accession"]: row for row in rows_of(plain)}
    with panel.phenotypes.open(newline="") as handle:
        records = list(csv.DictReader(handle))
    table = tmp_path / "blocks.csv"
    blocks = {row["accession"]: i % 2 for i, row in enumerate(records)}
    table.write_text("accession,block\n" + "".join(f"{name},{block}\n" for name, block in blocks.items()))
    lines = ["accession,height"]
    lines += [f"{r['accession']},{float(r['height']) + 50 * blocks[r['accession']]}" for r in records]
    panel.phenotypes.write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    ran = run("predict", *panel.words(), "--covariates", table, "--out", out)
    assert ran.code == 0, ran.err
    assert "adjusted for covariates, block (2 levels)" in ran.out
    assert "blocks.csv" in {given["name"] for given in read_manifest(out)["inputs"]}
    found = {row["accession"]: row for row in rows_of(out)}
    pairs = [(float(found[n]["prediction"]), float(expected[n]["prediction"])) for n in expected]
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.8


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no undecodable file names")
def test_a_file_name_that_is_no_text_is_written_escaped(run, panel, tmp_path) -> None:
    table = tmp_path / "ph\udce9.csv"
    table.write_bytes(panel.phenotypes.read_bytes())
    words = ("--genotypes", panel.genotypes, "--phenotypes", table, "--trait", "height", "--quiet")
    for more in ((), ("--json",)):
        assert run("predict", *words, *more, "--out", tmp_path / f"out{len(more)}").code == 0
    assert run("inspect", table, "--out", tmp_path / "seen").code == 0
    assert "udce9" in (tmp_path / "out0" / "report.html").read_text(encoding="utf-8")


def test_several_assumptions_reach_every_place(run, panel, tmp_path) -> None:
    """A dosage table with a descriptive column and phenotypes with decimal commas and an empty column."""
    rng = np.random.default_rng(3)
    names = [f"g{k}" for k in range(30)]
    rows = [",".join([name, "north", *map(str, rng.integers(0, 3, 60))]) for name in names]
    header = ",".join(["accession", "family", *(f"m{k}" for k in range(60))])
    dosages, traits = tmp_path / "d.csv", tmp_path / "t.csv"
    dosages.write_text("\n".join([header, *rows]) + "\n")
    cells = [
        f"{name};{v:.2f};".replace(".", ",") for name, v in zip(names[4:], rng.normal(50, 2, 26), strict=True)
    ]
    traits.write_text("\n".join(["line;height;", *cells]) + "\n")
    both = ("--genotypes", dosages, "--phenotypes", traits, "--trait", "height", "--quiet")
    told = (
        "left out as markers: family",
        "ploidy 2 is inferred from the largest dosage",
        "Decimal commas were read as decimal points",
        "empty column",
        "height: 26 values from",
    )
    verbs = {
        "predict": (*both, "--save-model", tmp_path / "model"),
        "evaluate": (*both, "--models", "gblup", "--repeats", "1"),
        "select": (*both, "--count", "2"),
    }
    for verb, words in verbs.items():
        plain = run(verb, *words, "--out", tmp_path / verb)
        assert plain.code == 0, plain.err
        again = [word for word in words if word not in ("--save-model", tmp_path / "model")]
        machine = run(verb, *again, "--json", "--out", tmp_path / f"{verb}-json")
        notes = "\n".join(json.loads(machine.out)["notes"])
        manifest = "\n".join(json.loads((tmp_path / verb / "manifest.json").read_text())["notes"])
        for phrase in told:
            assert phrase in plain.out, (verb, phrase)
            assert phrase in notes, (verb, phrase)
            assert phrase in manifest, (verb, phrase)
        if verb == "predict":
            page = (tmp_path / verb / "report.html").read_text()
            assert all(phrase in page for phrase in told)
            assert json.loads(machine.out)["headline"] in plain.out
            assert "first of the candidates" in plain.out
    applied = run(
        "apply", tmp_path / "model", "--genotypes", dosages, "--quiet", "--out", tmp_path / "applied"
    )
    assert applied.code == 0, applied.err
    page = (tmp_path / "applied" / "report.html").read_text()
    for phrase in told[:2]:
        assert phrase in applied.out
        assert phrase in page


@pytest.mark.parametrize(("out", "model"), [("same", "same"), ("nest2/res", "nest2"), ("nest", "nest/model")])
@pytest.mark.parametrize("traits", [(), ("--trait", "width")])
def test_a_result_and_a_model_that_hold_one_another_are_refused(
    run, panel, tmp_path, out, model, traits
) -> None:
    before = sorted(tmp_path.rglob("*"))
    words = ("--out", tmp_path / out, "--save-model", tmp_path / model)
    ran = run("predict", *panel.words(), *traits, *words)
    assert ran.code == 2
    assert "--out" in ran.err
    assert "--save-model" in ran.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("cell", ["tall", "1o2", "12..5"])
def test_a_cell_that_is_no_number_is_named(refused, run, panel, cell) -> None:
    rows = panel.phenotypes.read_text().splitlines()
    rows[7] = f"{rows[7].split(',')[0]},{cell},ok"
    panel.phenotypes.write_text("\n".join(rows) + "\n")
    said = refused("predict", *panel.words())
    assert cell in said
    assert "line 8" in said
    ran = run("inspect", panel.phenotypes)
    assert ran.code == 2
    assert cell in ran.err


def test_accessions_without_a_value_of_the_trait_are_counted(run, panel, tmp_path) -> None:
    rows = panel.phenotypes.read_text().splitlines()
    rows[1:4] = [f"{row.split(',')[0]},NA,ok" for row in rows[1:4]]
    panel.phenotypes.write_text("\n".join(rows) + "\n")
    ran = run("predict", *panel.words(), "--out", tmp_path / "out")
    assert "36 accessions have both genotypes and phenotypes" in ran.out
    assert "3 accessions of these lack a value of 'height'." in ran.out
    assert "from 33 lines with height" in ran.out


@pytest.mark.parametrize("ploidy", [3, 4, 6])
def test_a_ploidy_that_no_call_has_is_noted(run, panel, tmp_path, ploidy) -> None:
    note = f"no call has the {ploidy} copies that were given as ploidy: dosages are counted out of 2"
    ran = run("predict", *panel.words(), "--ploidy", ploidy, "--out", tmp_path / "out")
    assert note in ran.out
    assert note in run("inspect", panel.genotypes, "--ploidy", ploidy).out
    assert "given as ploidy" not in run("inspect", panel.genotypes, "--ploidy", 2).out


@pytest.mark.parametrize(("rows", "count"), [((0,), 1), ((0, 7, 7), 3), ((119,), 1)])
@pytest.mark.parametrize("beside", [True, False])
def test_records_that_are_written_twice_are_counted(run, panel, tmp_path, rows, count, beside) -> None:
    lines = panel.genotypes.read_text().splitlines()
    records = lines[3:]
    again = [records[row].replace(f"m{row}", f"again{row}") for row in rows]
    records = sorted([*records, *again], key=lambda line: int(line.split()[1])) if beside else records + again
    panel.genotypes.write_text("\n".join(lines[:3] + records) + "\n")
    clause = "1 record has" if count == 1 else f"{count} records have"
    note = f"{clause} the place and alleles of an earlier one"
    assert note in run("inspect", panel.genotypes).out
    if beside:
        assert note in run("predict", *panel.words(), "--out", tmp_path / "out").out


def test_an_encoder_without_a_genome_is_said_to_have_no_effect(run, panel, tiny_checkpoint, tmp_path) -> None:
    words = ("predict", *panel.words(), "--model", "gblup", "--checkpoint", tiny_checkpoint)
    ran = run(*words, "--out", tmp_path / "out", "--json")
    assert ran.code == 0
    (note,) = [each for each in json.loads(ran.out)["notes"] if "no effect" in each]
    assert note == "--checkpoint had no effect: without a reference genome no sequence is read."
    assert note in (tmp_path / "out" / "report.html").read_text()


def test_a_covariate_that_is_the_trait_is_named(refused, panel) -> None:
    told = refused("predict", *panel.words(), "--model", "gblup", "--covariates", panel.phenotypes)
    assert "the covariates explain the trait entirely" in told
