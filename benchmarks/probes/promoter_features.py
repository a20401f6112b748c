"""Promoter strength across species: frozen features, random weights and k-mers, from few examples to many.

    python benchmarks/probes/promoter_features.py --checkpoint runs/grasses/checkpoint --out promoters.json

Fitted on 100, 500 and all Arabidopsis core promoters (170 bases, log2 enrichment in tobacco leaves or maize
protoplasts; Jores et al. 2021), scored on sorghum and maize by Pearson r. Every kind of features has ridge
regression with the penalty chosen by its generalised cross-validation on the examples fitted on. The mean and
standard deviation of five draws of the examples are printed. ``6-mers + embedding`` stand beside each other,
each scaled to the same total variance. Fine-tuning is not part of this benchmark.
"""

from __future__ import annotations

import csv
import json
import lzma
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import StandardScaler

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.corpus.masking.kmer_spectrum import kmer_indices
from budwood.genomics.sequence import encode
from budwood.inference.embed import embed_windows
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.comparison.features import same_shape
from budwood.stats.evaluation.metrics import pearson_r

ASSAYS = {"leaf": "tobjores_CNN_test_leaf.tsv.xz", "protoplast": "tobjores_CNN_test_proto.tsv.xz"}
SCORED = {"sorghum": "Sb", "maize": "Zm"}
PENALTIES = np.logspace(0, 6, 25)
DRAWS = 5


def kmer_counts(codes: NDArray[np.uint8], k: int) -> NDArray[np.float64]:
    """(rows, 4 ** k) square roots of the counts of k-mers on the given strand."""
    counts = np.zeros((len(codes), 4**k))
    for row, sequence in enumerate(codes):
        index, whole = kmer_indices(sequence, k)
        np.add.at(counts[row], index[whole], 1)
    return np.sqrt(counts)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 500, 1600], help="examples fitted on")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    trained = load_checkpoint(arguments.checkpoint)
    rows: list[dict[str, Any]] = []
    for assay, name in ASSAYS.items():
        with lzma.open(data_folder() / "labels" / name, "rt") as file:
            table = [row for row in csv.DictReader(file, delimiter="\t") if len(row["sequence"]) == 170]
        codes = np.stack([encode(row["sequence"]) for row in table])
        species = np.array([row["sp"] for row in table])
        strength = np.array([float(row["enrichment"]) for row in table])
        matrices = {"composition": kmer_counts(codes, 1), "4-mers": kmer_counts(codes, 4)}
        matrices["6-mers"] = kmer_counts(codes, 6)
        for label, checkpoint in (("embedding", trained), ("random weights", same_shape(trained))):
            matrices[label] = embed_windows(codes, checkpoint, oriented=True, show=False).astype(np.float64)
        scaled = [
            m / np.sqrt(m[species == "At"].var(0).sum()) for m in (matrices["6-mers"], matrices["embedding"])
        ]
        matrices["6-mers + embedding"] = np.concatenate(scaled, axis=1)
        fitted_on = np.flatnonzero(species == "At")
        for size in arguments.sizes:
            for label, matrix in matrices.items():
                found: dict[str, list[float]] = {each: [] for each in SCORED}
                for seed in range(DRAWS):
                    chosen = np.random.default_rng(seed).choice(fitted_on, min(size, len(fitted_on)), False)
                    scale = StandardScaler(with_std=not label.startswith("6-mers +")).fit(matrix[chosen])
                    width = 1.0 if not label.startswith("6-mers +") else 1e-3
                    ridge = RidgeCV(PENALTIES * width).fit(scale.transform(matrix[chosen]), strength[chosen])
                    for each, code in SCORED.items():
                        there = species == code
                        predicted = ridge.predict(scale.transform(matrix[there]))
                        found[each].append(pearson_r(predicted, strength[there]))
                for each, values in found.items():
                    row = {"assay": assay, "scored": each, "examples": size, "features": label}
                    rows.append(row | {"r": float(np.mean(values)), "spread": float(np.std(values, ddof=1))})
                    print(
                        f"{assay:10s} {each:8s} {size:5d} {label:20s} r {rows[-1]['r']:.3f} "
                        f"+-{rows[-1]['spread']:.3f}",
                        flush=True,
                    )
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"digest": trained.digest, "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
