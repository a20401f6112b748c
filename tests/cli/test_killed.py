"""``kill -9`` at any moment: the next run of the same command gives the same result and leaves no litter."""

from __future__ import annotations

import contextlib
import hashlib
import json
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


#: Runs commands in forks of one process, which imports what the first of them imported: torch takes seconds.
SERVER = """
import contextlib, importlib, json, os, sys
from budwood.cli.app import main
for line in sys.stdin:
    words = json.loads(line)
    seen, told = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = main(words)
        with open(told, "w") as names:
            names.write(" ".join(sys.modules))
        os._exit(code)
    os.close(told)
    print(process, flush=True)
    with open(seen) as names:
        loaded = names.read().split()
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    for name in loaded:
        if name not in sys.modules and name.split(".")[0] in {"budwood", "torch", "transformers", "scipy"}:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
"""


class Commands:
    """A process that runs commands of Budwood, one after another, each in a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, words: list[str]) -> int:
        """Start a command; the id of its process."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(words) + "\n")
        self._server.stdin.flush()
        return self._answer()

    def end(self) -> int:
        """Wait for the command; its exit code."""
        return self._answer()

    def _answer(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()


def kill(commands: Commands, words: list[str], place: Path, wait: float) -> int:
    """Start the command and kill it some time after it wrote something into the folder; its exit code."""
    # A state and its replacement come and go, so names alone do not show that something is new.
    before = state_of(place)
    process = commands.start(words)
    while is_alive(process) and state_of(place) == before:
        time.sleep(0.005)
    time.sleep(wait)
    if is_alive(process):
        os.killpg(process, signal.SIGKILL)
    return commands.end()


def is_alive(process: int) -> bool:
    """Whether a process has not ended yet; its parent may have it waited for already."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        os.kill(process, 0)
        return True
    return False


def state_of(place: Path) -> set[tuple[str, int]]:
    """Files and folders with their times; one that goes while this looks is left out, as os.walk does."""
    found = set()
    for folder, inner, names in os.walk(place):
        for path in (Path(folder, name) for name in (*inner, *names)):
            with contextlib.suppress(FileNotFoundError):
                found.add((str(path), path.stat().st_mtime_ns))
    return found


def check_killed(verb: str, kills: int, panel: object, checkpoint: Path, tmp_path: Path) -> None:
    files = {name: getattr(panel, name) for name in ("genotypes", "phenotypes", "reference")}
    words = [*words_of(verb, tmp_path, files | {"checkpoint": checkpoint}), "--quiet", "--out"]
    commands = Commands({**os.environ, "BUDWOOD_CACHE": str(tmp_path / "cache")})
    whole = tmp_path / "whole" / "out"
    whole.parent.mkdir()
    commands.start([*words, str(whole)])
    assert commands.end() == 0
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    place = tmp_path / "killed"
    place.mkdir()
    out, generator = place / "out", np.random.default_rng(0)
    killed = 0
    for _ in range(5 * kills):
        if killed == kills:
            break
        killed += kill(commands, [*words, str(out)], place, float(generator.uniform(0, 0.6))) != 0
        if (artifact_of(verb, out) / MANIFEST).is_file():  # it was faster
            assert verify_artifact(artifact_of(verb, out)) == []
            shutil.rmtree(out)
    assert killed == kills
    commands.start([*words, str(out)])
    assert commands.end() == 0
    commands.close()
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
