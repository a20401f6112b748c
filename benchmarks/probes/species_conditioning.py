"""Do predictions of base classes get better on unseen families when they are adapted without labels?

    python benchmarks/probes/species_conditioning.py --window 2048 --cache kept

Balanced accuracy of coding, intron and intergenic bases, and the paired difference from no change, with 95 %
bootstrap intervals over stretches (those of left_out_families.py). Every correction for class shares is
fitted on Brassica napus.

- ``standardised``: the logarithms of probabilities are shifted and scaled so that their means and standard
  deviations over a species are those over Brassica napus; ``half-way`` goes half the distance. The means are
  of the scored stretches themselves, without their labels.
- ``grammar``: a hidden Markov model of gene structure reads the predictions (budwood.probing.gene_grammar),
  divided by the mean predictions over Brassica napus; ``grammar, own shares``: by those over the species.
- ``grammar, mean``: the mean of the probabilities with and without the grammar; ``grammar, half-way``: this
  mean, moved half-way as above.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.pretraining.left_out_families import FITTED_ON_OTHER, REFERENCE, questions
from benchmarks.probes.paired_checkpoints import as_text, paired_difference, right_and_counted
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.probing.base_regions import GRID, BaseClassifier, class_probabilities, grid_labels, score_classes
from budwood.probing.gene_grammar import StructureConfig, decode_structure, move_shares
from budwood.probing.stretches import MARGIN, STRETCH

TRAINING = "training"
Track = NDArray[np.float32]


def read_bases(codes: NDArray[np.uint8], checkpoint: Checkpoint, window: int) -> Track:
    """(s, length, classes) logarithms of probabilities of every base; windows overlap by half."""
    found = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for row in codes:
            begins = np.arange(0, len(row) - window + 1, window // 2)
            windows = np.stack([row[begin : begin + window] for begin in begins]).astype(np.int64)
            regions = checkpoint.encoder(torch.from_numpy(windows)).regions.float()
            log_odds = torch.zeros(len(row), regions.shape[-1])
            times = torch.zeros(len(row), 1)
            for begin, read in zip(begins, regions, strict=True):
                log_odds[begin : begin + window] += read
                times[begin : begin + window] += 1
            found.append((log_odds / times).log_softmax(-1).numpy())
    return np.stack(found)


def on_grid(chances: Track) -> NDArray[np.float64]:
    """(s, g, 3) probabilities of coding, intron and intergenic, means over GRID bases of the stretch."""
    inner = class_probabilities(chances[:, MARGIN : MARGIN + STRETCH])
    return inner.reshape(len(inner), STRETCH // GRID, GRID, -1).mean(2)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--window", type=int, default=512, help="bases read together")
    parser.add_argument("--trust", type=float, default=0.3, help="exponent of predictions in the grammar")
    parser.add_argument("--fit-on-bidens", action="store_true", help="for trainings without Brassicaceae")
    parser.add_argument("--species", nargs="+", help="score these alone")
    parser.add_argument("--cache", type=Path, help="folder of predictions")
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(arguments.checkpoint)
    config = StructureConfig(trust=arguments.trust)
    scored = questions()["scored"]
    own = FITTED_ON_OTHER if arguments.fit_on_bidens else REFERENCE
    stretches = {TRAINING: questions()["fit"][own]} | scored

    def read(name: str) -> Track:
        if arguments.cache is None:
            return read_bases(stretches[name].codes, checkpoint, arguments.window)
        arguments.cache.mkdir(parents=True, exist_ok=True)
        stem = f"{checkpoint.digest[:16]}-{arguments.window}-{name.replace(' ', '_')}.npy"
        path = arguments.cache / stem
        if not path.exists():
            np.save(path, read_bases(stretches[name].codes, checkpoint, arguments.window).astype(np.float16))
        return np.load(path).astype(np.float32)

    learned = read(TRAINING)
    like = on_grid(np.exp(learned))
    shares = np.exp(learned).mean((0, 1))

    def joined(track: Track) -> NDArray[np.float64]:
        return on_grid(np.exp(track) + decode_structure(track, shares, config)) / 2

    ways: dict[str, Callable[[Track], NDArray[np.float64]]] = {
        "no change": lambda track: on_grid(np.exp(track)),
        "half-way": lambda track: move_shares(on_grid(np.exp(track)), like, 0.5),
        "standardised": lambda track: move_shares(on_grid(np.exp(track)), like, 1.0),
        "grammar": lambda track: on_grid(decode_structure(track, shares, config)),
        "grammar, own shares": lambda track: on_grid(
            decode_structure(track, np.exp(track).mean((0, 1)), config)
        ),
        "grammar, mean": joined,
        "grammar, half-way": lambda track: move_shares(joined(track), joined(learned), 0.5),
    }
    labels = grid_labels(stretches[TRAINING].labels, GRID)
    classifiers = {
        name: BaseClassifier(neighbours=False).fit(change(learned), labels) for name, change in ways.items()
    }
    for species, each in scored.items():
        if arguments.species and species not in arguments.species:
            continue
        truth, track = grid_labels(each.labels, GRID), read(species)
        plain = None
        for name, change in ways.items():
            predicted = classifiers[name].predict(change(track))
            score, tally = score_classes(predicted, truth), right_and_counted(predicted, truth)
            plain = tally if plain is None else plain
            change_text = as_text(paired_difference(tally, plain))
            recalls = f"{score.coding:.2f} {score.intron:.2f} {score.intergenic:.2f}"
            print(
                f"{species:21s} {name:20s} {score.balanced_accuracy:.3f} "
                f"({score.lower:.3f}-{score.upper:.3f}) {recalls}, {change_text}",
                flush=True,
            )


if __name__ == "__main__":
    main()
