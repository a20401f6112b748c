"""How long does a genome take to embed, in how much memory, and what does a kill cost?

    python benchmarks/speed/genome_embedding.py --megabases 2            # needs BUDWOOD_DATA

Runs the command ``budwood embed`` on stretches of the Brassica napus scaffolds, window by window, with an
empty cache: a quarter of the length and all of it, then all of it in bfloat16, then once more killed
(``kill -9``) at about half of its windows and run again. Printed: seconds on the clock and of the processor,
peak memory, and the hours that 100 million bases take on two free cores: a calculation, from what both
lengths cost and what the longer adds (the start of the program counts once).
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.config import WINDOW
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import decode

MANY = 100e6


@dataclass(frozen=True)
class Ran:
    """A run of the command: seconds on the clock and of the processor, and peak memory in GB."""

    clock: float
    processor: float
    gigabytes: float


def stretch(folder: Path, bases: int) -> Path:
    """A FASTA of the first bases of the scaffolds."""
    path = folder / f"{bases}.fa"
    source = next((data_folder() / "genomes/brassica_napus").glob("*.fa*"))
    assembly = open_fasta(source)
    with path.open("w") as handle:
        for name, length in assembly.contigs.items():
            taken = min(bases, length)
            bases -= taken
            if taken:
                handle.write(f">{name}\n{decode(assembly.sequence(Interval(name, 0, taken)))}\n")
    return path


def command(fasta: Path, out: Path, precision: str) -> list[str]:
    words = ["embed", "--fasta", str(fasta), "--device", "cpu", "--precision", precision, "--json"]
    return [sys.executable, "-m", "budwood", *words, "--out", str(out)]


def started(words: list[str], cache: Path, threads: int) -> subprocess.Popen[bytes]:
    surroundings = {**os.environ, "BUDWOOD_CACHE": str(cache), "OMP_NUM_THREADS": str(threads)}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, env={**surroundings, "BUDWOOD_PROGRESS": "lines"}, **pipes)


def ran(words: list[str], cache: Path, threads: int, kill_at: int | None = None) -> Ran:
    """Run the command to its end, or kill it when it has embedded that many windows."""
    began = time.perf_counter()
    process = started(words, cache, threads)
    assert process.stderr is not None
    for line in process.stderr:
        _, found, done = line.partition(b"embedding ")
        if kill_at is not None and found and int(done.split(b"/")[0]) >= kill_at:
            process.send_signal(signal.SIGKILL)
            break
    _, status, used = os.wait4(process.pid, 0)
    if (status != 0) != (kill_at is not None):
        raise SystemExit(f"the command ended with {status}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Ran(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e9)


def show(what: str, bases: int, run: Ran) -> None:
    print(
        f"{what}: {bases / 1e6:.2f} Mb in {run.clock:.0f} s, {run.processor:.1f} s of processors, "
        f"peak {run.gigabytes:.2f} GB",
        flush=True,
    )


def calculate(precision: str, bases: int, part: Ran, whole: Ran) -> None:
    """Hours of a genome from a quarter of a stretch and all of it."""
    each = (whole.processor - part.processor) / (bases - bases // 4)
    fixed = whole.processor - each * bases
    print(
        f"{precision}: {1 / each / WINDOW:.1f} windows per processor second, {fixed:.1f} s to begin with; "
        f"calculated for 100 Mb: {(fixed + each * MANY) / 3600:.2f} processor hours, "
        f"{(fixed + each * MANY / 2) / 3600:.2f} h on two free cores",
        flush=True,
    )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--megabases", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bases, threads = int(arguments.megabases * 1e6), arguments.threads
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        part, whole = stretch(folder, bases // 4), stretch(folder, bases)
        for precision in ("float32", "bf16"):
            cache = folder / "cache"
            short = ran(command(part, folder / f"{precision}-part", precision), cache / "part", threads)
            show(f"{precision}, a quarter", bases // 4, short)
            run = ran(command(whole, folder / precision, precision), cache / "whole", threads)
            show(precision, bases, run)
            calculate(precision, bases, short, run)
        words, cache = command(whole, folder / "killed", "float32"), folder / "c2"
        lost = ran(words, cache, threads, kill_at=bases // WINDOW // 2)
        left = sorted(path.name for path in folder.iterdir() if path.name == "killed")
        again = ran(words, cache, threads)
        equal = np.array_equal(
            np.load(folder / "killed/vectors.npy"), np.load(folder / "float32/vectors.npy")
        )
        print(
            f"killed after {lost.processor:.0f} s, leaving {left or 'nothing'} in its place; the next run "
            f"took {again.processor:.0f} s of processors, vectors equal to the bit: {equal}"
        )


if __name__ == "__main__":
    main()
