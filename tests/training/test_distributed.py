"""Two processes learn what one does, and a killed training ends in the weights of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from budwood.artifacts import read_manifest
from budwood.genomics.sequence import decode

pytestmark = pytest.mark.slow

RECIPE = """
name = "tiny"
seed = 3
[[genome]]
species = "synthetic"
fasta = "{folder}/g.fa"
annotation = "{folder}/g.gff3"
validation_contigs = ["c2"]
[alignments]
files = ["{folder}/a.fa"]
[encoder]
stem_channels = 16
hidden_size = 32
layers = 2
heads = 2
[sampler]
window = 64
[objective]
locus_weight = 0.2
column_weight = 0.2
pooled_weight = 0.5
order_weight = {order}
[schedule]
steps = {steps}
batch = 8
accumulate = {accumulate}
warmup = 5
save_every = 10
validate_every = 1000
validation_batches = 2
precision = "{precision}"
"""

MAIN = "import sys; from budwood.cli.app import main; sys.exit(main())"


def write(
    folder: Path, *, steps: int = 40, accumulate: int = 1, precision: str = "no", order: float = 0.0
) -> Path:
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    contigs = {name: decode(random.integers(0, 4, 3000, dtype=np.uint8)) for name in ("c1", "c2")}
    (folder / "g.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in contigs.items()))
    genes = "".join(
        f"{name}\tx\t{kind}\t1001\t1600\t.\t+\t{'0' if kind == 'CDS' else '.'}\t{what}\n"
        for name in contigs
        for kind, what in (
            *(("gene", f"ID=g{name}"), ("mRNA", f"ID=m{name};Parent=g{name}")),
            *(("exon", f"Parent=m{name}"), ("CDS", f"Parent=m{name}")),
        )
    )
    (folder / "g.gff3").write_text("##gff-version 3\n" + genes)
    rows = (f">Genus_s{i}\n{decode(random.integers(0, 4, 200, dtype=np.uint8))}\n" for i in range(6))
    (folder / "a.fa").write_text("".join(rows))
    (folder / "main.py").write_text(MAIN)
    recipe = folder / "tiny.toml"
    values = {"steps": steps, "accumulate": accumulate, "precision": precision, "order": order}
    recipe.write_text(RECIPE.format(folder=folder, **values))
    return recipe


def command(recipe: Path, out: Path, processes: int = 1, *more: str) -> list[str]:
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    program = [str(recipe.parent / "main.py"), "pretrain", str(recipe), "--out", str(out), "--quiet", *more]
    return [sys.executable, *(launch if processes > 1 else []), *program]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def run(recipe: Path, out: Path, processes: int = 1, *more: str) -> dict[str, float]:
    """Train; returns the last line of training losses."""
    given = command(recipe, out, processes, *more)
    done = subprocess.run(given, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in (out / "training" / "log.jsonl").read_text().splitlines()]
    return next(line for line in reversed(lines) if line["kind"] == "training")


#: Processes, pieces and split weights sum the same float32 numbers in other orders. After one step that is
#: all there is between them: some 10 roundings of 2^-24 each.
ONE_STEP = 1e-6
#: Later steps start from weights that differ, and Muon multiplies in bfloat16 (8 bits): a rounding near one
#: of its steps moves an update by up to 2^-8 of itself. After 40 steps losses differ by 6e-5 of themselves on
#: an AMD processor without AMX. The bound is ten times that.
FORTY_STEPS = 6e-4


def assert_same_losses(one: dict[str, float], other: dict[str, float], *, within: float) -> None:
    names = set(one) - {"kind", "step", "bases_per_second", "share_of_peak"}
    assert {"span", "region", "locus", "column", "pooled"} <= names
    for name in names:
        # The log keeps five digits after the point.
        assert one[name] == pytest.approx(other[name], rel=within, abs=1.1e-5), name


@pytest.mark.parametrize(("steps", "within"), [(1, ONE_STEP), (40, FORTY_STEPS)])
def test_two_processes_and_pieces_have_the_losses_of_one(tmp_path: Path, steps: int, within: float) -> None:
    recipe = write(tmp_path / "a", steps=steps, order=0.1)
    alone = run(recipe, tmp_path / "one")
    assert "order" in alone
    assert_same_losses(alone, run(recipe, tmp_path / "two", 2), within=within)
    pieces = run(write(tmp_path / "b", steps=steps, accumulate=4, order=0.1), tmp_path / "pieces")
    assert_same_losses(alone, pieces, within=within)


@pytest.mark.parametrize(("steps", "within"), [(1, ONE_STEP), (40, FORTY_STEPS)])
def test_split_weights_have_the_losses_of_whole_ones(tmp_path: Path, steps: int, within: float) -> None:
    recipe = write(tmp_path / "a", steps=steps)
    alone = run(recipe, tmp_path / "one")
    assert_same_losses(alone, run(recipe, tmp_path / "split", 2, "--shard"), within=within)
    assert read_manifest(tmp_path / "split" / "checkpoint")["kind"] == "checkpoint"


def test_a_training_with_split_weights_resumes(tmp_path: Path) -> None:
    run(write(tmp_path / "b", steps=20), tmp_path / "two", 2, "--shard")
    # The first half had a shorter schedule, and without the kept recipe nobody knows; what is tested is that
    # its state opens and training resumes.
    (tmp_path / "two" / "training" / "recipe.json").unlink()
    assert run(write(tmp_path / "b"), tmp_path / "two", 2, "--shard")["step"] == 40


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_killed_at_random_steps_it_ends_in_the_same_weights(tmp_path: Path, precision: str) -> None:
    recipe = write(tmp_path / "a", steps=200, precision=precision)
    run(recipe, tmp_path / "whole")
    out = tmp_path / "killed"
    random = np.random.default_rng(0)
    kills = 0
    for _ in range(3):
        process = subprocess.Popen(
            command(recipe, out), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # Wait for the first step of this run, then for a random while.
        state = out / "training" / "state" / "step.json"
        before = state.read_text() if state.exists() else ""
        while process.poll() is None and (not state.exists() or state.read_text() == before):
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.5))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills
    run(recipe, out)
    whole, resumed = (
        load_file(folder / "checkpoint/model.safetensors") for folder in (tmp_path / "whole", out)
    )
    assert all((whole[name] == resumed[name]).all() for name in whole)
