"""How large should the network be? Three sizes trained for the same processor time on the same sources.

    OMP_NUM_THREADS=1 python benchmarks/pretraining/network_size.py --minutes 10 --out runs/sizes

Needs what the steps of recipes/grasses.toml write to runs/derived. ``half``, ``large`` and ``double`` have 2,
5 and 10 million parameters; ``large`` is the packaged network. For each, the time of a step is the difference
between a short and a longer trial, and the number of steps is what the given processor minutes hold; the
rate rises and falls over that number (``--steps`` gives it instead: other work on the machine makes steps
slower, so see the seconds that were used). Learning rates go down with the square root of the width,
beginning with ``--rate`` for ``large``. Scores are those of left_out_families.py (base classes of four
species, sites, masked bases). One line for each network and seed is appended to sizes.jsonl in --out, and a
second run computes those that are missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import Record, append_result, read_results
from benchmarks.pretraining.left_out_families import NETWORKS, REFERENCE, WINDOW, recipe_of, score
from budwood.model.checkpoint import load_checkpoint
from budwood.training.loop.pretrain import pretrain
from budwood.training.recipe.recipe import Recipe

SIZES = ("half", "large", "double")
KEY = ("network", "minutes", "seed")
TRIALS = (10, 40)


def recipe_for(network: str, steps: int, seed: int, asked: argparse.Namespace) -> Recipe:
    """All sources, a network and a number of steps."""
    rate = asked.rate * (NETWORKS["large"]["hidden_size"] / NETWORKS[network]["hidden_size"]) ** 0.5
    arguments = argparse.Namespace(
        network=network, steps=steps, batch=asked.batch, rate=rate, start=None, out=asked.out
    )
    return recipe_of(REFERENCE, arguments, seed)


def seconds_of(recipe: Recipe, folder: Path) -> float:
    """Processor seconds of a training."""
    begun = time.process_time()
    pretrain(recipe, folder, show=False)
    return time.process_time() - begun


def seconds_per_step(network: str, asked: argparse.Namespace) -> float:
    """What a step takes, without opening sources and saving."""
    taken = []
    for steps in TRIALS:
        with tempfile.TemporaryDirectory() as folder:
            taken.append(seconds_of(recipe_for(network, steps, 0, asked), Path(folder)))
    return (taken[1] - taken[0]) / (TRIALS[1] - TRIALS[0])


def trained(network: str, seed: int, asked: argparse.Namespace) -> Record:
    """Train and score a network."""
    step = seconds_per_step(network, asked) if not asked.steps else float("nan")
    steps = asked.steps or int(60.0 * asked.minutes / step)
    recipe = recipe_for(network, steps, seed, asked)
    recipe = replace(recipe, schedule=replace(recipe.schedule, save_every=steps))
    folder = asked.out / f"{network}-seed{seed}"
    seconds = seconds_of(recipe, folder)
    checkpoint = load_checkpoint(folder / "checkpoint")
    scores = score(checkpoint, REFERENCE)
    return {
        "network": network,
        "minutes": asked.minutes,
        "seed": seed,
        "parameters": sum(each.numel() for each in checkpoint.encoder.parameters()),
        "steps": steps,
        "seconds_per_step": step,
        "seconds": seconds,
        "scores": scores,
    }


def main() -> None:
    """Train what is missing and print a line for each network."""
    parser = parser_for(__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/sizes"))
    parser.add_argument("--minutes", type=float, default=10.0, help="processor minutes of each training")
    parser.add_argument("--steps", type=int, help="batches, in the place of minutes")
    parser.add_argument("--networks", nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8, help="windows of 512 bases in a batch")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate of the large network")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    path = asked.out / "sizes.jsonl"
    done = read_results(path, *KEY)
    for seed in range(1, asked.seeds + 1):
        for network in asked.networks:
            if (network, asked.minutes, seed) not in done:
                record = trained(network, seed, asked)
                append_result(path, record)
                done[network, asked.minutes, seed] = record
    for (network, minutes, seed), record in done.items():
        found = record["scores"]
        bases = f"{record['steps'] * asked.batch * WINDOW:,} bases"
        taken = f"{minutes:g} minutes were meant and {record['seconds'] / 60:.1f} used"
        print(f"{network}, seed {seed}: {record['parameters']:,} parameters, {taken}, {bases}")
        for name, value in found.items():
            if name.endswith("balanced_accuracy") or name.count("/") == 1:
                print(f"  {name}: {value:.4f}")


if __name__ == "__main__":
    main()
