"""`budwood predict` on published files in breeders' formats, scored on hidden lines.

PLINK (rice, and again with the 170 SNPs of a sequenced piece as `--haplotypes`), VCF (sorghum), HapMap
(maize) and tetraploid calls as letters (potato). Of the lines with a value of the trait, 150 (potato: 110)
drawn with seed 1 keep it. The values of the others are hidden and compared with `predictions.csv`.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/real_panels.py      # needs BUDWOOD_DATA
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.stats.evaluation.metrics import coverage, pearson_r

SEED = 1
RICE_TRAITS = ("Plant_height", "Flowering_time_at_Arkansas", "Amylose_content", "Seed_length")


@dataclass(frozen=True)
class Job:
    name: str
    genotypes: Path
    phenotypes: Path
    trait: str
    phenotyped: int = 150
    sequence: tuple[str, ...] = ()


def jobs(data: Path, work: Path) -> Iterator[Job]:
    panels = data / "panels"
    rice = unpack_rice(panels / "rice_rdp1_44k/raw/Rice44k.zip", work)
    piece = str(panels / "rice_rdp1_44k/chr02_first_1Mb.vcf.gz")
    fasta = str(data / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz")
    for trait in RICE_TRAITS:
        job = Job("rice, PLINK", rice, panels / "rice_rdp1_44k/pheno.csv", trait)
        yield job
        with_sequence = ("--reference", fasta, "--haplotypes", piece)
        yield Job("rice, PLINK + VCF + FASTA", rice, job.phenotypes, trait, sequence=with_sequence)
    sorghum = panels / "sorghum_sbdiv"
    for trait in ("DaysToFlower", "PlantHeight"):
        yield Job("sorghum, VCF", sorghum / "raw/example_genotypes.vcf.gz", sorghum / "pheno.csv", trait)
    with zipfile.ZipFile(panels / "maize_282_55k/raw/GAPIT_Tutorial_Data.zip") as packed:
        hapmap = packed.extract("GAPIT_Tutorial_Data/mdp_genotype_test.hmp.txt", work)
    for trait in ("dpoll", "EarHT"):
        yield Job("maize, HapMap", Path(hapmap), panels / "maize_282_55k/pheno.csv", trait)
    potato = panels / "potato_gwaspoly"
    for trait in ("total_yield", "tuber_shape"):
        yield Job(
            "potato, tetraploid", potato / "raw/TableS1.csv.xz", potato / "pheno.csv", trait, phenotyped=110
        )


def unpack_rice(archive: Path, work: Path) -> Path:
    """Unpack the PLINK files; line numbers are replaced by the ids of the phenotypes."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(work)
    folder = work / "Rice44k"
    with (folder / "44kPhenos.csv").open(newline="", encoding="utf-8") as handle:
        name = {row["PlinkIDs"]: row["NSFTV.ID"] for row in csv.DictReader(handle)}
    fam = folder / "UNL.fam"
    rows = [line.split() for line in fam.read_text(encoding="utf-8").splitlines()]
    fam.write_text(
        "".join(" ".join([row[0], name[row[1]], *row[2:]]) + "\n" for row in rows), encoding="utf-8"
    )
    return folder / "UNL.bed"


def hide(job: Job, work: Path) -> tuple[Path, dict[str, float]]:
    """Write a phenotype file with the training lines only; returns it and the hidden values."""
    values = read_phenotypes(job.phenotypes).means(job.trait)
    known = sorted(set(values) & set(read_genotypes(job.genotypes).accessions))
    order = np.random.default_rng(SEED).permutation(len(known))
    path = work / "phenotyped.csv"
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["accession", job.trait])
        writer.writerows((known[i], values[known[i]]) for i in order[: job.phenotyped])
    return path, {known[i]: values[known[i]] for i in order[job.phenotyped :]}


def run(job: Job, work: Path) -> list[str]:
    phenotyped, hidden = hide(job, work)
    out = work / "out"
    command = [sys.executable, "-m", "budwood", "predict", "--genotypes", str(job.genotypes)]
    command += ["--phenotypes", str(phenotyped), "--trait", job.trait, *job.sequence]
    command += ["--out", str(out), "--overwrite", "--seed", str(SEED), "--quiet", "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{job.name}, {job.trait}: {done.stderr or done.stdout}")
    output = json.loads(done.stdout)
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["accession"] in hidden]
    true = np.array([hidden[row["accession"]] for row in rows])
    predicted, lower, upper = (
        np.array([float(row[column]) for row in rows]) for column in ("prediction", "lower_90", "upper_90")
    )
    held_out = ", ".join(f"{model} {r:.3f}" for model, r in output["mean_r"].items())
    return [
        *(job.name, job.trait, f"{output['phenotyped']} + {len(rows)}", output["model"]),
        *(
            f"{pearson_r(predicted, true):.3f}",
            f"{coverage(lower, upper, true):.2f}",
            held_out,
            f"{seconds:.0f}",
        ),
    ]


def main() -> None:
    parser_for(__doc__).parse_args()
    table = Table(
        "panel", "trait", "phenotyped + hidden", "model", "r, hidden", "90 % covers", "5 x 5 folds", "s"
    )
    with tempfile.TemporaryDirectory() as folder:
        for job in jobs(data_folder(), Path(folder)):
            table.add_row(*run(job, Path(folder)))
    Console(width=190).print(table)


if __name__ == "__main__":
    main()
