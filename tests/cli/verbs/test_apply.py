"""``budwood apply``: new lines by a saved model, and how it refuses what it cannot use."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.io.variants.open_genotypes import read_genotypes

COLUMNS = ("prediction", "standard_error", "reliability", "lower_90", "upper_90", "relatedness")


def _table(out: Path) -> dict[str, dict[str, str]]:
    with (out / "predictions.csv").open() as handle:
        return {row["accession"]: row for row in csv.DictReader(handle)}


@pytest.fixture
def model(run, panel, tmp_path) -> Path:
    folder = tmp_path / "models" / "height"
    ran = run("predict", *panel.words(), "--save-model", folder, "--out", tmp_path / "inside")
    assert ran.code == 0, ran.err
    assert "budwood apply" in ran.out
    return folder


def _swapped(source: Path, target: Path) -> None:
    """The same calls as VCF with REF and ALT exchanged, records and samples in another order."""
    genotypes = read_genotypes(source)
    rng = np.random.default_rng(0)
    samples = rng.permutation(len(genotypes.accessions))
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines += [f"##contig=<ID={name}>" for name in dict.fromkeys(genotypes.markers.contig)]
    names = "\t".join(genotypes.accessions[i] for i in samples)
    lines.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}")
    markers = genotypes.markers
    order = sorted(range(len(markers)), key=lambda j: (markers.contig[j], markers.position[j]))
    calls = {0: "1/1", 1: "0/1", 2: "0/0", -1: "./."}
    for j in order:
        row = [markers.contig[j], str(markers.position[j] + 1), f"x{j}", markers.counted[j], markers.other[j]]
        row += [".", ".", ".", "GT", *(calls[int(genotypes.dosage[i, j])] for i in samples)]
        lines.append("\t".join(row))
    target.write_text("\n".join(lines) + "\n")


def test_the_same_lines_in_another_file_get_the_same_numbers(run, panel, model, tmp_path) -> None:
    other, out = tmp_path / "other.vcf", tmp_path / "applied"
    _swapped(panel.genotypes, other)
    ran = run("apply", model, "--genotypes", other, "--out", out)
    assert ran.code == 0, ran.err
    assert "48 lines predicted by GBLUP from 36 training lines" in ran.out
    inside, outside = _table(tmp_path / "inside"), _table(out)
    assert set(inside) == set(outside)
    for name, row in inside.items():
        for column in COLUMNS:
            assert float(outside[name][column]) == pytest.approx(float(row[column]), rel=1e-6, abs=1e-6)
        # Inside a panel, extrapolation is also judged by the clusters of its candidates.
        for column in ("observed", "rank", "nearest_training_accession"):
            assert outside[name][column] == row[column], (name, column)
    assert (
        "fitted to another panel; on held-out lines of its own panel r was"
        in (out / "report.html").read_text()
    )
    assert run("verify", out).code == run("verify", model).code == 0


def test_json_holds_the_notes_of_the_match(run, panel, model, tmp_path) -> None:
    other = tmp_path / "other.vcf"
    _swapped(panel.genotypes, other)
    ran = run("apply", model, "--genotypes", other, "--json", "--out", tmp_path / "applied")
    record = json.loads(ran.out)
    assert record["training_lines"] == 36
    assert "count the other allele and were turned" in " ".join(record["notes"])
    assert "GBLUP" in record["mean_r"]


def test_what_apply_cannot_use_is_refused(refused, panel, model, tmp_path) -> None:
    assert "another result" not in refused("apply", model, "--genotypes", tmp_path / "absent.vcf")
    assert "not a saved model" in refused("apply", tmp_path / "inside", "--genotypes", panel.genotypes)
    assert "no share" in refused("apply", model, "--genotypes", panel.genotypes, "--minimum-markers", "7")
    foreign = tmp_path / "foreign.csv"
    names = [f"line{i}" for i in range(20)]
    rows = [f"{name}," + ",".join(str((i * j) % 3) for j in range(40)) for i, name in enumerate(names)]
    foreign.write_text("id," + ",".join(f"other{j}" for j in range(40)) + "\n" + "\n".join(rows) + "\n")
    assert "fewer than 10%" in refused("apply", model, "--genotypes", foreign)
    arrays = model / "model-arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-1])
    assert "damaged" in refused("apply", model, "--genotypes", panel.genotypes)


def test_a_model_folder_in_the_way_is_refused_before_any_computing(run, panel, model, tmp_path) -> None:
    before = (model / "manifest.json").stat().st_mtime_ns
    out = tmp_path / "second"
    ran = run("predict", *panel.words(), "--save-model", model, "--out", out)
    assert ran.code == 2
    assert not out.exists()
    assert (model / "manifest.json").stat().st_mtime_ns == before
    again = run("predict", *panel.words(), "--save-model", model, "--overwrite", "--out", out)
    assert again.code == 0, again.err


def test_an_output_inside_the_model_is_named(run, panel, tmp_path) -> None:
    model = tmp_path / "model"
    words = ("--model", "gblup", "--save-model", model, "--out", tmp_path / "out")
    assert run("predict", *panel.words(), *words).code == 0
    for other in ("x", "deep/x"):
        ran = run("apply", model, "--genotypes", panel.genotypes, "--out", model / other)
        assert ran.code == 2
        assert f"lies inside a result of kind 'trait-model', {model}" in ran.err
    assert run("verify", model).code == 0


def test_a_folder_of_several_models_is_named_with_how_to_choose(refused, panel, model, tmp_path) -> None:
    folder = tmp_path / "several"
    for name in ("height", "plant-width", ".draft"):
        shutil.copytree(model, folder / name)
    told = refused("apply", folder, "--genotypes", panel.genotypes)
    assert "a folder that holds 2: height, plant-width" in told
    assert f"give one of them, such as {folder / 'height'}" in told
    entry = tmp_path / "entry"
    shutil.copytree(model, entry / "model")
    manifest = json.loads((model / "manifest.json").read_text()) | {"kind": "library-entry"}
    (entry / "manifest.json").write_text(json.dumps(manifest))
    assert f"give {entry / 'model'}" in refused("apply", entry, "--genotypes", panel.genotypes)
