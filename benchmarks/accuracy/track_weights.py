"""Marker weights by tracks on real genotypes and made-up traits: how often they help, and what they gain.

    python benchmarks/accuracy/track_weights.py --replicates 20 --out tracks.jsonl

Genotypes of rice RDP1 (every ``--every``-th marker). A track covers a tenth of the genome in intervals of
50 kb at random. A trait has 100 causal markers and heritability .5: they lie within the intervals in one half
of the replicates (``inside``), anywhere in the other (``anywhere``). Printed for either: how often the
likelihood ratio with its control says that the weights help, and r of GBLUP with and without them in 5-fold
cross-validation, with a 95 % t interval of the difference. With ``--out``, finished replicates are kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result, read_results
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.annotation.tracks import Steps, Track
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.panel.track_weights import track_weights
from budwood.prediction.kernels.kernel_model import GBLUP, KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.kernels.weights_ratio import weights_ratio
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.splitters import random_folds

WEIGHTED = KernelModel("GBLUP + tracks", (("relationship", "function"),))
KEY = ("where", "seed", "every")


def made_up_track(genotypes: Genotypes, random: np.random.Generator) -> Track:
    """Intervals of 50 kb over a tenth of every contig."""
    contigs = {}
    for contig in dict.fromkeys(genotypes.markers.contig.tolist()):
        end = int(genotypes.markers.position[genotypes.markers.contig == contig].max())
        blocks = np.sort(random.choice(max(10, end // 50_000), max(1, end // 500_000), replace=False))
        starts = blocks * 50_000
        contigs[str(contig)] = Steps(starts, starts + 50_000, np.ones(len(starts)))
    return Track("made up", contigs, valued=False)


def accuracy(kernels: PanelKernels, y: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Mean r of both models over five folds."""
    folds = random_folds(kernels.genotypes.accessions, 5, seed)
    found = []
    for model in (GBLUP, WEIGHTED):
        rs = []
        for fold in range(5):
            training, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            given = model.fit(kernels, training, y[training]).predict(kernels.lines(test, training))
            rs.append(pearson_r(given.value, y[test]))
        found.append(float(np.mean(rs)))
    return found[0], found[1]


def main() -> None:
    """Simulate, test and print a line for each replicate, and the means."""
    parser = parser_for(__doc__)
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--every", type=int, default=20, help="markers are thinned to one in this many")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    genotypes = read_genotypes(data_folder() / "panels" / "rice_rdp1_44k")
    rows, columns = genotypes.order()
    genotypes = genotypes.take(rows).take_markers(columns[:: asked.every])
    done = read_results(asked.out, *KEY) if asked.out else {}
    lines = np.arange(len(genotypes.accessions))
    dosage = np.where(genotypes.dosage < 0, 0, genotypes.dosage).astype(np.float64)
    for seed in range(asked.replicates):
        for where in ("inside", "anywhere"):
            if (where, seed, asked.every) in done:
                continue
            random = np.random.default_rng(seed)
            weights = track_weights(genotypes.markers, [made_up_track(genotypes, random)])
            own = weights.by_kernel["function"]
            among = np.flatnonzero(own > 0) if where == "inside" else np.arange(len(own))
            causal = random.choice(among, 100, replace=False)
            value = dosage[:, causal] @ random.normal(size=100)
            y = value / value.std() + random.normal(size=len(value))
            kernels = PanelKernels(genotypes, {}, dict(weights.by_kernel))
            ratio = weights_ratio(kernels, "function", lines, y, seed=seed)
            assert ratio is not None
            plain, weighted = accuracy(kernels, y, seed)
            record = dict(zip(KEY, (where, seed, asked.every), strict=True))
            record |= {"ratio": ratio.ratio, "p": ratio.p, "as_good": ratio.as_good, "helps": ratio.helps}
            record |= {"gblup": plain, "tracks": weighted}
            print(record, flush=True)
            done[where, seed, asked.every] = record
            if asked.out:
                append_result(asked.out, record)
    for where in ("inside", "anywhere"):
        found = [each for key, each in done.items() if key[0] == where and key[2] == asked.every]
        gain = np.array([each["tracks"] - each["gblup"] for each in found])
        half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / len(gain) ** 0.5
        print(
            f"{where}: helps {sum(each['helps'] for each in found)} of {len(found)}, "
            f"r {np.mean([each['gblup'] for each in found]):.3f} by GBLUP, {gain.mean():+.3f} by tracks "
            f"({gain.mean() - half:+.3f} to {gain.mean() + half:+.3f})"
        )


if __name__ == "__main__":
    main()
