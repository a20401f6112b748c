"""Trait models that leave their panel: any lines, other files, saved and read again."""

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.prediction.fitted_trait_model import FittedTraitModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import MODEL_NAMES, model_named
from budwood.prediction.trait_model import FitData, TraitModel, fit_panel

FIELDS = ("value", "standard_error", "reliability", "lower_90", "upper_90")
COLUMNS = ("prediction", "standard_error", "reliability", "lower_90", "upper_90")


def _placed(genotypes: Genotypes, missing: float = 0.0) -> Genotypes:
    """The panel with places and letters, and some calls missing."""
    m = len(genotypes.markers)
    dosage = genotypes.dosage.copy()
    dosage[np.random.default_rng(5).random(dosage.shape) < missing] = -1
    names = np.array([f"s{j:04d}" for j in range(m)], dtype=object)
    contig = np.array([f"chr{1 + 4 * j // m}" for j in range(m)], dtype=object)
    letters = np.array([["A", "C", "G", "T"][j % 4] for j in range(m)], dtype=object)
    others = np.array([["C", "A", "A", "C"][j % 4] for j in range(m)], dtype=object)
    markers = Markers(names, contig, 50 * np.arange(m), letters, others)
    return Genotypes(genotypes.accessions, markers, dosage, genotypes.ploidy)


def _data(panel, missing: float = 0.0) -> FitData:
    half = np.arange(len(panel.genotypes.markers)) % 2 == 0
    return FitData(
        genotypes=_placed(panel.genotypes, missing),
        haplotypes=panel.haplotypes,
        vectors=panel.vectors,
        digest="d",
        weights={"subgenome:A": half.astype(float), "subgenome:B": (~half).astype(float)},
    ).in_order()


def _fitted(panel, name: str, missing: float = 0.0):
    data = _data(panel, missing)
    rows = np.array([row for row, line in enumerate(data.genotypes.accessions) if line in panel.values])
    y = np.array([panel.values[data.genotypes.accessions[row]] for row in rows])
    kernels = data.kernels()
    estimator = model_named(name)
    fitted = fit_panel(data, estimator, name, rows, y, kernels=kernels, trait="height")
    return data, kernels, rows, fitted


def _predict(fitted: FittedTraitModel, data: FitData, rows: np.ndarray):
    return fitted.predict(
        data.genotypes.take(rows),
        haplotypes=data.haplotypes.take(rows),
        vectors=data.vectors,
        digest="d",
    )


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_lines_of_another_file_are_predicted_as_inside_the_panel(panel, name) -> None:
    data, kernels, rows, fitted = _fitted(panel, name, missing=0.05)
    everyone = np.arange(len(data.genotypes.accessions))
    inside = fitted.estimator.predict(kernels.lines(everyone, rows))
    outside = _predict(fitted, data, everyone)
    for field, column in zip(FIELDS, COLUMNS, strict=True):
        np.testing.assert_allclose(
            getattr(outside, column), getattr(inside, field), rtol=1e-9, atol=1e-9, err_msg=field
        )
    candidates = np.setdiff1d(everyone, rows)
    alone = _predict(fitted, data, candidates[:1])
    np.testing.assert_allclose(alone.prediction, outside.prediction[candidates[:1]], atol=1e-9)
    np.testing.assert_allclose(alone.upper_90, outside.upper_90[candidates[:1]], atol=1e-9)
    assert np.isnan(outside.observed[candidates]).all()
    np.testing.assert_array_equal(outside.observed[rows], fitted.observed)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_saved_model_predicts_the_same_numbers_in_a_new_process(panel, name, tmp_path) -> None:
    data, _, _, fitted = _fitted(panel, name)
    expected = _predict(fitted, data, np.arange(80))
    fitted.save(tmp_path / "model")
    np.savez(
        tmp_path / "data.npz",
        dosage=data.genotypes.dosage,
        vectors=data.vectors,
        codes=data.haplotypes.codes,
        **{column: getattr(expected, column) for column in COLUMNS},
    )
    code = (
        "import sys, numpy as np\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from budwood.genomics.genotypes import Genotypes\n"
        "from budwood.genomics.haplotypes.table import HaplotypeTable\n"
        "from budwood.genomics.interval import Interval\n"
        "from budwood.prediction.trait_model import TraitModel\n"
        "folder = Path(sys.argv[1])\n"
        "model, data = TraitModel.load(folder / 'model'), np.load(folder / 'data.npz')\n"
        "names = tuple(sys.argv[2].split())\n"
        "genotypes = Genotypes(names, model.training.markers, data['dosage'], np.full(80, 2, "
        "dtype=np.int8))\n"
        "windows = tuple(Interval('chr1', 512 * w, 512 * (w + 1)) for w in range(10))\n"
        "table = HaplotypeTable(names, windows, np.zeros((30, 512), dtype=np.uint8),\n"
        "                       np.arange(0, 31, 3), data['codes'], {})\n"
        "found = model.predict(genotypes, haplotypes=table, vectors=data['vectors'], digest='d')\n"
        "for name in ('prediction', 'standard_error', 'reliability', 'lower_90', 'upper_90'):\n"
        "    assert (getattr(found, name) == data[name]).all(), name\n"
        "print('equal')\n"
    )
    names = " ".join(data.genotypes.accessions)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), names], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "equal", done.stderr


def test_the_order_of_lines_and_markers_does_not_matter_to_the_bit(panel) -> None:
    genotypes = _placed(panel.genotypes)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(80), rng.permutation(len(genotypes.markers))
    shuffled = genotypes.take(rows).take_markers(columns)
    candidates = [row for row, name in enumerate(genotypes.accessions) if name not in panel.values]
    for name in ("gblup", "auto", "major-loci"):
        one = TraitModel(name).fit(genotypes, panel.values).predict(genotypes.take(candidates))
        other = TraitModel(name).fit(shuffled, panel.values).predict(genotypes.take(candidates))
        np.testing.assert_array_equal(one.prediction, other.prediction)
        np.testing.assert_array_equal(one.upper_90, other.upper_90)


def test_the_seed_reaches_every_draw_of_a_model(panel) -> None:
    genotypes = _placed(panel.genotypes)
    found = {
        seed: TraitModel("auto", seed=seed).fit(genotypes, panel.values).predict(genotypes) for seed in (0, 1)
    }
    assert np.abs(found[0].prediction - found[1].prediction).max() > 1e-6


def test_values_by_name_by_position_and_by_mapping_are_the_same(panel) -> None:
    genotypes = _placed(panel.genotypes)
    array = np.array([panel.values.get(name, np.nan) for name in genotypes.accessions])
    one, other = (TraitModel("gblup").fit(genotypes, y).predict(genotypes) for y in (array, panel.values))
    np.testing.assert_array_equal(one.prediction, other.prediction)
    with pytest.raises(BudwoodError, match="one value for each line"):
        TraitModel("gblup").fit(genotypes, array[:-1])
    with pytest.raises(BudwoodError, match="genotypes alone have no trait 'height'"):
        TraitModel("gblup").fit(genotypes, "height")


def test_half_of_the_markers_missing_makes_predictions_less_certain(panel) -> None:
    genotypes = _placed(panel.genotypes)
    fitted = TraitModel("gblup").fit(genotypes, panel.values)
    candidates = genotypes.take(
        [r for r, name in enumerate(genotypes.accessions) if name not in panel.values]
    )
    half = candidates.take_markers(np.random.default_rng(0).permutation(len(genotypes.markers))[:100])
    full, fewer = fitted.predict(candidates), fitted.predict(half)
    assert (fewer.standard_error > full.standard_error).mean() > 0.9
    assert (fewer.reliability < full.reliability).mean() > 0.9
    assert np.mean(fewer.upper_90 - fewer.lower_90) > np.mean(full.upper_90 - full.lower_90)
    assert "100 of 200 markers of the model are in the file" in fewer.notes[0]
    with pytest.raises(BudwoodError, match=r"2 of the model's 200 markers .* fewer than 10%"):
        fitted.predict(candidates.take_markers(np.arange(2)))


def test_a_line_without_calls_is_predicted_as_unknown_and_named(panel) -> None:
    genotypes = _placed(panel.genotypes)
    fitted = TraitModel("gblup").fit(genotypes, panel.values)
    empty = Genotypes(
        ("blank",), genotypes.markers, np.full((1, 200), -1, dtype=np.int8), genotypes.ploidy[:1]
    )
    both = Genotypes(
        (*genotypes.accessions, "blank"),
        genotypes.markers,
        np.vstack([genotypes.dosage, empty.dosage]),
        np.append(genotypes.ploidy, 2).astype(np.int8),
    )
    found = fitted.predict(both)
    assert found.prediction[-1] == pytest.approx(
        float(fitted.estimator.fitted.solved.fixed_effects[0]), abs=1e-9
    )
    assert found.reliability[-1] < 0.05
    assert any("1 line has (blank) no call at any marker" in note for note in found.notes)


def test_equal_predictions_share_a_rank(panel) -> None:
    genotypes = _placed(panel.genotypes)
    rows = [70, 70, 71]
    twins = Genotypes(("a", "b", "c"), genotypes.markers, genotypes.dosage[rows], genotypes.ploidy[rows])
    found = TraitModel("gblup").fit(genotypes, panel.values).predict(twins)
    assert found.rank[0] == found.rank[1] != found.rank[2]


@pytest.mark.parametrize("damage", ["flip", "missing", "truncate", "text", "kind"])
def test_a_damaged_saved_model_is_refused(panel, damage, tmp_path) -> None:
    folder = tmp_path / "model"
    TraitModel("gblup").fit(_placed(panel.genotypes), panel.values).save(folder)
    arrays: Path = folder / "model-arrays.npz"
    if damage == "flip":
        data = bytearray(arrays.read_bytes())
        data[len(data) // 2] ^= 1
        arrays.write_bytes(bytes(data))
    elif damage == "missing":
        (folder / "model.json").unlink()
    elif damage == "truncate":
        arrays.write_bytes(arrays.read_bytes()[:100])
    elif damage == "text":
        (folder / "model.json").write_text("{}")
    else:
        (folder / "manifest.json").write_text("{}")
    with pytest.raises(BudwoodError):
        TraitModel.load(folder)


def test_sequence_models_ask_for_the_sequences_of_new_lines(panel) -> None:
    data, _, _, fitted = _fitted(panel, "gblup+dna")
    with pytest.raises(BudwoodError, match="reads sequence, and no sequence"):
        fitted.predict(data.genotypes)
    with pytest.raises(BudwoodError, match="another checkpoint"):
        fitted.predict(data.genotypes, haplotypes=data.haplotypes, vectors=data.vectors, digest="other")
    markers_only = _fitted(panel, "gblup")[3]
    assert not markers_only.reads_sequence
    assert isinstance(PanelKernels(data.genotypes), PanelKernels)


def _simulated(seed: int) -> tuple[Genotypes, np.ndarray]:
    """160 lines of 8 families at 400 markers, a trait of 60 loci with heritability .6, 100 lines "
    "phenotyped."""
    rng = np.random.default_rng(seed)
    founders = rng.binomial(1, rng.uniform(0.1, 0.9, 400), (8, 2, 400))
    family = rng.integers(8, size=160)
    block = np.repeat(np.arange(20), 20)
    parent = rng.integers(2, size=(160, 20))[:, block]
    dosage = (2 * founders[family[:, None], parent, np.arange(400)]).astype(np.int8)
    genetic = dosage[:, rng.permutation(400)[:60]] @ rng.standard_normal(60)
    y = genetic / genetic.std() + np.sqrt(0.4 / 0.6) * rng.standard_normal(160)
    return Genotypes.from_matrix([f"line{i:03d}" for i in range(160)], dosage), y


@pytest.mark.parametrize("name", ["gblup", "elastic-net"])
def test_intervals_hold_for_files_with_half_the_markers(name) -> None:
    """Twelve panels; the candidates' file has a random half of the markers."""
    inside, widths = [], []
    for seed in range(12):
        genotypes, y = _simulated(seed)
        fitted = TraitModel(name).fit(genotypes, np.where(np.arange(160) < 100, y, np.nan))
        candidates = genotypes.take(np.arange(100, 160))
        half = candidates.take_markers(np.random.default_rng(seed).permutation(400)[:200])
        full, fewer = fitted.predict(candidates), fitted.predict(half)
        inside.append(np.mean((fewer.lower_90 <= y[100:]) & (y[100:] <= fewer.upper_90)))
        widths.append(np.mean(fewer.upper_90 - fewer.lower_90) / np.mean(full.upper_90 - full.lower_90))
    assert np.mean(widths) > 1.02
    assert 0.86 <= np.mean(inside) <= 0.96


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("name", ["gblup", "auto"])
def test_rice_lines_as_plink_and_as_a_rewritten_vcf_get_the_same_numbers(name, real_data, tmp_path) -> None:
    """Fitted to PLINK; applied to VCF with swapped alleles, records and samples in another order."""
    folder = real_data / "panels/rice_rdp1_44k"
    with zipfile.ZipFile(folder / "raw/Rice44k.zip") as packed:
        packed.extractall(tmp_path)
    (bed,) = tmp_path.rglob("*.bed")
    panel = read_genotypes(bed.with_suffix(""))
    with (folder / "pheno.csv").open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    height = "Plant_height"
    values = {
        row["id"].removeprefix("NSFTV_"): float(row[height]) for row in rows if row[height] not in ("", "NA")
    }
    known = [line for line in panel.accessions if line in values]
    fitted = TraitModel(name).fit(panel, {line: values[line] for line in known[:200]})
    _write_rewritten_vcf(panel, tmp_path / "rewritten.vcf")
    one, other = fitted.predict(panel), fitted.predict(read_genotypes(tmp_path / "rewritten.vcf"))
    place = [other.accessions.index(line) for line in one.accessions]
    for column in COLUMNS:
        np.testing.assert_allclose(getattr(other, column)[place], getattr(one, column), rtol=1e-9, atol=1e-9)


def _write_rewritten_vcf(panel: Genotypes, path: Path) -> None:
    rng = np.random.default_rng(0)
    samples, markers = rng.permutation(len(panel.accessions)), panel.markers
    order = sorted(range(len(markers)), key=lambda j: (markers.contig[j], markers.position[j]))
    with path.open("w") as handle:
        handle.write('##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        handle.writelines(f"##contig=<ID={contig}>\n" for contig in dict.fromkeys(markers.contig))
        names = "\t".join(panel.accessions[i] for i in samples)
        handle.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
        for number, j in enumerate(order):
            swap = number % 2 == 0
            ref, alt = markers.other[j], markers.counted[j]
            words = np.array(["./.", "0/0", "0/1", "1/1"])[panel.dosage[samples, j] + 1]
            if swap:
                ref, alt = alt, ref
                words = np.array(["./.", "1/1", "0/1", "0/0"])[panel.dosage[samples, j] + 1]
            row = [
                markers.contig[j],
                str(markers.position[j] + 1),
                ".",
                ref or "N",
                alt or "N",
                ".",
                ".",
                ".",
                "GT",
            ]
            handle.write("\t".join([*row, *words]) + "\n")
