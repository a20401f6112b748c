"""The main job on real data: 150 phenotyped rice lines, hidden lines scored, 20 random choices of the 150.

Genotypes come from the published PLINK files. The DNA model reads only the first megabase of chromosome 2, so
it is compared with the 170 SNPs of that piece and with an encoder with random weights. Each model is fitted
to the 150 phenotyped lines and predicts the others; r is Pearson's on those whose value was hidden. The
column "plain" has earlier figures of a plain GBLUP, for orientation.

Two intervals of every mean paired difference are printed: over the random choices of the 150 on this panel
(plain t), and for new lines (Nadeau and Bengio's correction, because choices share lines).

    OMP_NUM_THREADS=1 python benchmarks/accuracy/rice_main_job.py      # needs BUDWOOD_DATA
    python benchmarks/accuracy/rice_main_job.py --checkpoint none      # without an encoder: markers only
    python benchmarks/accuracy/rice_main_job.py --checkpoint FOLDER
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable, tabulate_haplotypes
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import open_calls, read_genotypes
from budwood.prediction.kernels.kernel_model import GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import coverage, pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel
from budwood.stats.relationship.relationship import relationship

TRAITS = ("Plant_height", "Flowering_time_at_Arkansas", "Amylose_content", "Seed_length")
PLAIN = {"GBLUP": (0.70, 0.65, 0.77, 0.71), "piece SNPs": (0.40, 0.33, 0.53, 0.21)}
PHENOTYPED, CHOICES = 150, range(1, 21)
Gram = NDArray[np.float64]


def main() -> None:
    arguments = parse()
    panel = data_folder() / "panels/rice_rdp1_44k"
    console = Console()
    genotypes = read_plink(panel / "raw/Rice44k.zip")
    phenotypes = read_phenotypes(panel / "pheno.csv")
    grams = dict(piece_grams(panel, genotypes, arguments.checkpoint))
    models = models_of(grams)
    predictors = PanelKernels(genotypes, grams)
    for index, trait in enumerate(TRAITS):
        r, covered = run(predictors, models, phenotypes.means(trait), len(CHOICES))
        console.print(table_of(trait, models, r, covered, index))


def parse() -> argparse.Namespace:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", default="", help="folder, none, or by default the packaged one")
    return parser.parse_args()


def read_plink(archive: Path) -> Genotypes:
    """Read the 374 lines from bed, bim and fam; numbers are replaced by the ids of the phenotypes."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        genotypes = read_genotypes(next(Path(folder).rglob("*.bed")))
        with next(Path(folder).rglob("44kPhenos.csv")).open(newline="") as handle:
            name = {row["PlinkIDs"]: row["NSFTV.ID"] for row in csv.DictReader(handle)}
    accessions = tuple(name[number] for number in genotypes.accessions)
    return Genotypes(accessions, genotypes.markers, genotypes.dosage, genotypes.ploidy)


def piece_grams(panel: Path, genotypes: Genotypes, checkpoint: str) -> Iterator[tuple[str, Gram]]:
    """Kernels of the chromosome 2 piece in the order of the genotypes: its SNPs, and its embeddings."""
    calls = panel / "chr02_first_1Mb.vcf.gz"
    piece = read_genotypes(calls)
    piece = piece.take([piece.row[name] for name in genotypes.accessions])
    yield "piece", relationship(piece.dosage, piece.ploidy)
    fasta = panel.parents[1] / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz"
    table = tabulate_haplotypes(open_calls(calls), open_fasta(fasta))
    row = {name: i for i, name in enumerate(table.accessions)}
    order = np.array([row[name] for name in genotypes.accessions])
    for name, vectors in encoders(table, checkpoint):
        yield name, haplotype_kernel(table.codes[order], table.offsets, vectors)


def encoders(table: HaplotypeTable, checkpoint: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    if checkpoint == "none":
        return
    from budwood.inference.embed import embed_haplotypes
    from budwood.model.checkpoint import load_checkpoint, packaged_checkpoint, random_checkpoint

    folder = Path(checkpoint) if checkpoint else packaged_checkpoint()
    if folder.is_dir():
        yield "embedding", embed_haplotypes(table, load_checkpoint(folder))
    yield "random-weights", embed_haplotypes(table, random_checkpoint(), cache=False)


def models_of(grams: Mapping[str, Gram]) -> list[KernelModel]:
    shown = {"piece": "piece SNPs", "embedding": "DNA model", "random-weights": "random weights"}
    alone = [KernelModel(shown[name], ((name,),)) for name in grams]
    joint = [KernelModel(f"GBLUP + {shown[name]}", (("relationship", name),)) for name in grams]
    return [GBLUP, *alone, *joint]


def run(
    predictors: PanelKernels, models: list[KernelModel], values: Mapping[str, float], choices: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """r on the hidden lines and coverage of the 90 % intervals, choices x models."""
    row = predictors.genotypes.row
    lines = sorted(name for name in values if name in row)
    r, covered = np.empty((choices, len(models))), np.empty((choices, len(models)))
    for i, seed in enumerate(CHOICES):
        order = [lines[j] for j in np.random.default_rng(seed).permutation(len(lines))]
        train, hidden = order[:PHENOTYPED], order[PHENOTYPED:]
        rows = np.array([row[name] for name in train])
        y, truth = (np.array([values[name] for name in names]) for names in (train, hidden))
        for j, model in enumerate(models):
            fitted = model.fit(predictors, rows, y)
            candidates = predictors.lines(np.array([row[name] for name in hidden]), rows)
            forecast = fitted.predict(candidates)
            r[i, j] = pearson_r(forecast.value, truth)
            covered[i, j] = coverage(forecast.lower_90, forecast.upper_90, truth)
    return r, covered


def table_of(
    trait: str, models: list[KernelModel], r: NDArray[np.float64], covered: NDArray[np.float64], index: int
) -> Table:
    title = f"{trait}: {PHENOTYPED} phenotyped, hidden lines scored, {len(r)} random choices"
    table = Table(
        "model", "mean r", "plain", "90 % covers", "r - GBLUP", "these lines", "new lines", title=title
    )
    hidden_to_phenotyped = 200 / PHENOTYPED
    for j, model in enumerate(models):
        plain_r = PLAIN.get(model.name)
        cells = [model.name, f"{r[:, j].mean():.3f}", f"{plain_r[index]:.2f}" if plain_r else ""]
        cells.append(f"{covered[:, j].mean():.2f}")
        if j:
            difference = r[:, j] - r[:, 0]
            plain, new = (corrected_interval(difference, share) for share in (0.0, hidden_to_phenotyped))
            cells.append(f"{plain.mean:+.3f}")
            cells += [f"{interval.lower:+.3f} to {interval.upper:+.3f}" for interval in (plain, new)]
        table.add_row(*cells)
    return table


if __name__ == "__main__":
    main()
