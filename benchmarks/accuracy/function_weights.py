"""Effect of marker weights by annotation: simulated populations, and flowering time of Arabidopsis.

Simulated: the population of `budwood demo`, 150 of 800 lines phenotyped; r with the true genetic values of
the others. Causal variants lie in and before genes. Arabidopsis: FT16 of 162 accessions from 53,859 SNPs of
chromosome 5 with the TAIR9 coding blocks (coordinates as in TAIR10), 5 x 5 folds. `shifted` has the same
weights moved along the markers by a third of their number, as a control: the effect of any weights with this
distribution.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/function_weights.py          # needs BUDWOOD_DATA; ten
    minutes
"""

from __future__ import annotations

import lzma
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, phenotyped_rows
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.panel.function_weights import function_weights
from budwood.panel.marker_weights import FUNCTION
from budwood.prediction.contract import Estimator
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.simulate.files import DemoConfig, write_panel
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.evaluation.splitters import random_folds

Vector = NDArray[np.float64]

ALONE = KernelModel("function alone", ((FUNCTION,),))
BOTH = KernelModel("relationship + function", ((RELATIONSHIP, FUNCTION),))


def panels(genotypes: Genotypes, weights: Vector) -> dict[str, tuple[PanelKernels, Estimator]]:
    """Kernels and model by row of the table."""
    plain = PanelKernels(genotypes)
    weighted = PanelKernels(genotypes, weights={FUNCTION: weights})
    shifted = PanelKernels(genotypes, weights={FUNCTION: np.roll(weights, len(weights) // 3)})
    return {
        "GBLUP": (plain, GBLUP),
        "function alone": (weighted, ALONE),
        "relationship + function": (weighted, BOTH),
        "the same, shifted": (shifted, BOTH),
        "multi-kernel": (plain, MULTI_KERNEL),
        "multi-kernel with function": (weighted, MULTI_KERNEL),
    }


def simulated(seed: int) -> dict[str, float]:
    """Accuracy of each model on the lines without phenotypes."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_panel(Path(folder, "data"), DemoConfig.from_seed(seed))
        genotypes, annotation = read_genotypes(files.genotypes), read_annotation(files.annotation)
        phenotypes, truth = read_phenotypes(files.phenotypes), read_phenotypes(files.truth)
    found = function_weights(genotypes.markers, annotation)
    print(f"seed {seed}: {found.notes[0]}", flush=True)
    values, genetic = phenotypes.means(phenotypes.traits[0]), truth.means("genetic_value")
    training, y = phenotyped_rows(genotypes, values)
    rest = np.setdiff1d(np.arange(len(genotypes.accessions)), training)
    true_value = np.array([genetic[genotypes.accessions[row]] for row in rest])
    accuracy = {}
    for name, (predictors, model) in panels(genotypes, found.by_kernel[FUNCTION]).items():
        fitted = model.fit(predictors, training, y)
        accuracy[name] = pearson_r(fitted.predict(predictors.lines(rest, training)).value, true_value)
        if model is BOTH:
            shares = {source: round(share, 2) for source, share in fitted.variance_shares.items()}
            print(f"  {name}: {shares}", flush=True)
    return accuracy


def coding_blocks(path: Path, contig: str) -> Annotation:
    """Genes of one chromosome; exons are their coding blocks, the outer ones extended to the gene's ends."""
    genes = []
    for line in lzma.decompress(path.read_bytes()).decode().splitlines():
        chromosome, start, end, name, _, strand, *_, sizes, starts = line.split()
        if chromosome != contig:
            continue
        first, last = int(start), int(end)
        pairs = zip(starts.split(","), sizes.split(","), strict=True)
        blocks = sorted((first + int(offset), first + int(offset) + int(size)) for offset, size in pairs)
        cds = tuple(CodingPart(low, high, 0) for low, high in blocks)
        ends = [[low, high] for low, high in blocks]
        ends[0][0], ends[-1][1] = first, last
        transcript = Transcript(name, tuple(Span(low, high) for low, high in ends), cds)
        genes.append(Gene(name, contig, first, last, strand, (transcript,)))
    return Annotation(tuple(genes))


def arabidopsis(data: Path, folds: int, repeats: int) -> dict[str, Vector]:
    """Correlation of each fold by model."""
    genotypes = read_genotypes(data / "panels/arabidopsis_ft16_chr5")
    values = read_phenotypes(data / "panels/arabidopsis_ft16_chr5/pheno.csv").means("FT16")
    blocks = data / "genomes/arabidopsis_thaliana/tair10_tracks/thaliana_v9_cds_blocks.bed.xz"
    found = function_weights(genotypes.markers, coding_blocks(blocks, "5"))
    print(found.notes[0], flush=True)
    rows, y = phenotyped_rows(genotypes, values)
    genotypes = genotypes.take(rows)
    fold_r: dict[str, list[float]] = {}
    models = panels(genotypes, found.by_kernel[FUNCTION])
    for repeat in range(repeats):
        fold_of = random_folds(genotypes.accessions, folds, repeat)
        for fold in range(folds):
            training, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            for name, (predictors, model) in models.items():
                forecast = model.fit(predictors, training, y[training]).predict(
                    predictors.lines(held_out, training)
                )
                fold_r.setdefault(name, []).append(pearson_r(forecast.value, y[held_out]))
    return {name: np.array(each) for name, each in fold_r.items()}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    per_seed = [simulated(seed) for seed in range(1, chosen.seeds + 1)]
    real = arabidopsis(data_folder(), chosen.folds, chosen.repeats)
    print("| model | simulated, mean r | minus GBLUP, by seed | FT16, r | minus GBLUP (95 % interval) |")
    print("|---|--:|---|--:|--:|")
    for name, fold_r in real.items():
        mean = np.mean([accuracy[name] for accuracy in per_seed])
        less = ", ".join(f"{accuracy[name] - accuracy['GBLUP']:+.3f}" for accuracy in per_seed)
        gain = corrected_interval(fold_r - real["GBLUP"], 1.0 / (chosen.folds - 1))
        interval = f"{gain.mean:+.3f} ({gain.lower:+.3f} to {gain.upper:+.3f})"
        print(f"| {name} | {mean:.3f} | {less} | {fold_r.mean():.3f} | {interval} |")


if __name__ == "__main__":
    main()
