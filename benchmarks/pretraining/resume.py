"""A training that is killed at random moments gives the same weights as one that is not.

    python benchmarks/pretraining/resume.py --recipe recipes/tiny.toml --kills 10

Trains the recipe once without a stop and once with so many kills (SIGKILL), each at a random time after a
state was saved, and compares the two checkpoints and the two last states byte by byte.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from budwood.artifacts import sha256
from budwood.training.recipe.recipe import read_recipe

MAIN = "import sys; from budwood.cli.app import main; sys.exit(main())"


def start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", MAIN, "pretrain", str(recipe), "--out", str(out), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def finish(recipe: Path, out: Path) -> None:
    if start(recipe, out).wait():
        raise SystemExit(f"the training in {out} failed")


def saved_step(out: Path) -> int:
    try:
        return int(json.loads((out / "training/state/step.json").read_text())["step"])
    except (OSError, ValueError):
        return 0


def kill_at_random(recipe: Path, out: Path, seconds: float) -> int:
    """Start, wait for a newly saved state and then for ``seconds``, kill; returns the last saved step."""
    before = saved_step(out)
    process = start(recipe, out)
    while process.poll() is None and saved_step(out) == before:
        time.sleep(0.005)
    time.sleep(seconds)
    if process.poll() is not None:
        raise SystemExit("the training ended before it could be killed: take a longer recipe or fewer kills")
    process.kill()
    process.wait()
    return saved_step(out)


def digests(out: Path) -> dict[str, str]:
    names = ("checkpoint/model.safetensors", "training/state/weights.safetensors")
    return {name: sha256(out / name) for name in (*names, "training/state/optimiser.safetensors")}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/tiny.toml"))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=1.0, help="seconds after a save, at most")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    schedule = read_recipe(arguments.recipe).schedule
    random = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        finish(arguments.recipe, whole)
        steps = []
        for _ in range(arguments.kills):
            steps.append(kill_at_random(arguments.recipe, killed, random.uniform(0, arguments.longest)))
            print(f"killed; last saved step {steps[-1]} of {schedule.steps}", flush=True)
        finish(arguments.recipe, killed)
        same = digests(whole) == digests(killed)
    print(
        json.dumps({"kills": len(steps), "saved": steps, "precision": schedule.precision, "identical": same})
    )
    if not same:
        raise SystemExit("the weights differ")


if __name__ == "__main__":
    main()
