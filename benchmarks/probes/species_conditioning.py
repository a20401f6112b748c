"""Standardise what the region head says by species, without labels: does it help unseen families?

    python benchmarks/probes/species_conditioning.py --checkpoint runs/grasses/checkpoint --half --cache kept

The log probabilities of coding, intron and intergenic bases are shifted and scaled so that their means and
standard deviations over a species are those over Brassica napus, on which the correction for class shares is
fitted. ``half-way`` goes half the distance. Balanced accuracy, and the paired difference from no change,
with 95 % bootstrap intervals over stretches; the mean and deviation are of the scored stretches themselves,
without their labels.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.probes.paired_checkpoints import (
    Kept,
    as_text,
    classes_and_vectors,
    paired_difference,
    right_and_counted,
    stretches_of_all,
)
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.base_regions import GRID, BaseClassifier, grid_labels, score_classes

LEAST = 1e-4


def moved(chances: NDArray[np.float64], like: NDArray[np.float64], way: float) -> NDArray[np.float64]:
    """Move the means and deviations of the logarithms of probabilities ``way`` towards those of others."""
    own, other = np.log(chances + LEAST), np.log(like + LEAST)
    axes = (0, 1)
    standard = (own - own.mean(axes)) / own.std(axes) * other.std(axes) + other.mean(axes)
    exponent = np.exp((1 - way) * own + way * standard)
    shares: NDArray[np.float64] = exponent / exponent.sum(-1, keepdims=True)
    return shares


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--window", type=int, default=512, help="bases read together")
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--cache", type=Path, help="folder of predictions, as of paired_checkpoints.py")
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    kept = Kept(arguments.cache, checkpoint, arguments.half)
    training, scored = stretches_of_all(arguments.cache)

    def read(name: str) -> NDArray[np.float64]:
        stretches = training if name == "training" else scored[name]
        return classes_and_vectors(name, stretches, checkpoint, kept, arguments.window, arguments.half)[0]

    learned = read("training")
    classifier = BaseClassifier(neighbours=False).fit(learned, grid_labels(training.labels, GRID))
    for species, stretches in scored.items():
        truth, chances = grid_labels(stretches.labels, GRID), read(species)
        plain = right_and_counted(classifier.predict(chances), truth)
        for name, way in (("no change", 0.0), ("half-way", 0.5), ("standardised", 1.0)):
            predicted = classifier.predict(moved(chances, learned, way))
            score = score_classes(predicted, truth)
            change = paired_difference(right_and_counted(predicted, truth), plain)
            print(
                f"{species:21s} {name:13s} {score.balanced_accuracy:.3f} "
                f"({score.lower:.3f}-{score.upper:.3f}), {as_text(change)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
