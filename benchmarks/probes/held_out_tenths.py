"""Base classes of Bidens and Brazil nut in the tenths that recipes/broad.toml leaves out of training.

    python benchmarks/probes/held_out_tenths.py --checkpoint runs/broad/checkpoint --out tenths.json

Balanced accuracy on coding, intron and intergenic bases, beside random weights and 6-mers in 100 bases. The
correction for class shares and the 6-mer model are fitted on Brassica napus. Labels are predicted genes, so
that part of the error is theirs. Scored are the end of Brazil nut's Scaffold_1 and of Bidens' Scaffold_2.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.unseen_species import TRAINING, open_species
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, decode
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.base_regions import (
    GRID,
    BaseClassifier,
    KmerClassifier,
    class_probabilities,
    grid_labels,
    predict_stretches,
    score_classes,
)
from budwood.probing.comparison.features import same_shape
from budwood.probing.stretches import Stretches, cut_stretches

HELD_OUT = {
    "Bidens pilosa": ("bidens_pilosa", "Scaffold_2", 20_784_412),
    "Bertholletia excelsa": ("bertholletia_excelsa", "Scaffold_1", 29_094_851),
}


def held_out_stretches(folder: str, contig: str, start: int, count: int) -> Stretches:
    """Stretches of a contig from ``start`` on; what lies before is N, so that no stretch is drawn there."""
    assembly, annotation = open_species(f"{folder}/genome.fa.xz", f"{folder}/annotation.gff3.xz")
    length = assembly.contigs[contig]
    codes = np.full(length, N, dtype=np.uint8)
    codes[start:] = assembly.sequence(Interval(contig, start, length))
    return cut_stretches(InMemoryAssembly({contig: decode(codes)}), annotation, count)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--stretches", type=int, default=60, help="stretches for fitting the correction")
    parser.add_argument("--kmer-stretches", type=int, default=400, help="more stretches for the 6-mers")
    parser.add_argument("--scored", type=int, default=100, help="stretches scored per species")
    parser.add_argument("--window", type=int, default=512, help="bases read together")
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--without-baselines", action="store_true", help="score the checkpoint alone")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    arguments = parser.parse_args()
    more = 0 if arguments.without_baselines else arguments.kmer_stretches
    drawn = cut_stretches(*open_species(*TRAINING), arguments.stretches + more)
    own, rest = slice(arguments.stretches), slice(arguments.stretches, None)
    training = Stretches(drawn.codes[own], drawn.region[own], drawn.labels[own])
    scored = {species: held_out_stretches(*place, arguments.scored) for species, place in HELD_OUT.items()}
    checkpoint = load_checkpoint(arguments.checkpoint)
    models = {"trained": checkpoint}
    rows = []

    def score(name: str, learned: NDArray[np.floating], read: dict[str, NDArray[np.floating]]) -> None:
        classifier = BaseClassifier(neighbours=False).fit(learned, grid_labels(training.labels, GRID))
        for species, probabilities in read.items():
            truth = grid_labels(scored[species].labels, GRID)
            result = score_classes(classifier.predict(probabilities), truth)
            interval = f"{result.balanced_accuracy:.3f} ({result.lower:.3f}-{result.upper:.3f})"
            print(f"{species:21s} {name:15s} {interval}, {len(truth)} stretches", flush=True)
            rows.append({"species": species, "model": name, "stretches": len(truth)} | asdict(result))

    if not arguments.without_baselines:
        models["random weights"] = same_shape(checkpoint)
        kmers = KmerClassifier(100, penalty=1e-4).fit(drawn.codes[rest], drawn.labels[rest], 64)
        learned = kmers.predict_proba(training.codes)
        score("6-mers", learned, {name: kmers.predict_proba(each.codes) for name, each in scored.items()})
    for name, model in models.items():

        def predict(stretches: Stretches, model=model) -> NDArray[np.float64]:  # type: ignore[no-untyped-def]
            predicted = predict_stretches(
                stretches.codes, model, window=arguments.window, half_precision=arguments.half
            )
            return class_probabilities(predicted.probabilities)

        score(name, predict(training), {species: predict(each) for species, each in scored.items()})
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
