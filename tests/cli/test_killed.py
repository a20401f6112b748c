"""``kill -9`` at any moment: the next run of the same command gives the same result and leaves no litter."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import MANIFEST, verify_artifact
from cli.verbs.test_pretrain import RECIPE
from corpus.genomes import write_genomes

#: Files of each verb's artifact that are the same in every run; the others hold times.
SAME = {
    "predict": ("predictions.csv",),
    "embed": ("vectors.npy", "index.csv"),
    "corpus": (),
    "pretrain": ("checkpoint/model.safetensors", "checkpoint/config.json"),
}
KILLS = 10


def words_of(verb: str, folder: Path, files: dict[str, Path]) -> list[str]:
    """The command, less its output, on tiny inputs."""
    if verb == "predict":
        return ["predict", "--genotypes", str(files["genotypes"]), "--phenotypes", str(files["phenotypes"]),
                "--trait", "height", "--model", "gblup"]  # fmt: skip
    if verb == "embed":
        words = ["--fasta", str(files["reference"]), "--checkpoint", str(files["checkpoint"])]
        return ["embed", *words]
    if verb == "corpus":
        (folder / "genomes").mkdir()
        return ["corpus", "build", str(write_genomes(folder / "genomes"))]
    recipe = folder / "tiny.toml"
    recipe.write_text(
        RECIPE.format(fasta=files["reference"]).replace("steps = 2", "steps = 60\nsave_every = 5")
    )
    return ["pretrain", str(recipe)]


def contents(verb: str, out: Path) -> dict[str, str]:
    """Digests of the files that must be the same in every run."""
    names = SAME[verb] or [
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and path.name != MANIFEST
    ]
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}


def artifact_of(verb: str, out: Path) -> Path:
    return out / "checkpoint" if verb == "pretrain" else out


def kill(command: list[str], place: Path, wait: float, environment: dict[str, str]) -> None:
    """Start the command and kill it some time after it wrote something into the folder."""
    # A state and its replacement come and go, so names alone do not show that something is new.
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=environment
    )
    before = state_of(place)
    while process.poll() is None and state_of(place) == before:
        time.sleep(0.005)
    time.sleep(wait)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def state_of(place: Path) -> set[tuple[str, int]]:
    found = set()
    for path in place.rglob("*"):
        try:
            found.add((str(path), path.stat().st_mtime_ns))
        except FileNotFoundError:
            continue
    return found


def check_killed(verb: str, kills: int, panel: object, checkpoint: Path, tmp_path: Path) -> None:
    files = {name: getattr(panel, name) for name in ("genotypes", "phenotypes", "reference")}
    words = words_of(verb, tmp_path, files | {"checkpoint": checkpoint})
    command = [sys.executable, "-m", "budwood", *words, "--quiet", "--out"]
    environment = {**os.environ, "BUDWOOD_CACHE": str(tmp_path / "cache")}
    whole = tmp_path / "whole" / "out"
    whole.parent.mkdir()
    subprocess.run([*command, str(whole)], check=True, env=environment, capture_output=True)
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    place = tmp_path / "killed"
    place.mkdir()
    out, generator = place / "out", np.random.default_rng(0)
    for _ in range(kills):
        kill([*command, str(out)], place, float(generator.uniform(0, 0.6)), environment)
        if (artifact_of(verb, out) / MANIFEST).is_file():  # it was faster
            assert verify_artifact(artifact_of(verb, out)) == []
            shutil.rmtree(out)
    subprocess.run([*command, str(out)], check=True, env=environment, capture_output=True)
    assert verify_artifact(artifact_of(verb, out)) == []
    assert contents(verb, out) == contents(verb, whole)
    assert [path.name for path in place.iterdir()] == ["out"]
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in whole.iterdir())
    left = [path.name for path in tmp_path.rglob("*") if path.name.endswith((".partial", ".old"))]
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("verb", SAME)
def test_a_verb_that_is_killed_ten_times(verb, panel, tiny_checkpoint, tmp_path) -> None:
    check_killed(verb, KILLS, panel, tiny_checkpoint, tmp_path)


def test_a_prediction_that_is_killed_once(panel, tiny_checkpoint, tmp_path) -> None:
    check_killed("predict", 1, panel, tiny_checkpoint, tmp_path)
