"""GBLUP of 2,500 to 100,000 simulated lines x 50,000 markers: time, memory, heritability, accuracy, errors.

    OMP_NUM_THREADS=1 python benchmarks/speed/large_panel.py --out large.jsonl --lines 2500,5000,10000,20000
    OMP_NUM_THREADS=1 python benchmarks/speed/large_panel.py --out large.jsonl --lines 5000 --dense
    python benchmarks/speed/large_panel.py --out large.jsonl --show

Genotypes are inbred mosaics of 40 founders, 8 bits each, written marker by marker into a memory map
below --folder (5 GB for 100,000 lines; removed afterwards unless --keep). 1,000 markers have effects,
the heritability is .5, and 500 further lines without records are predicted. Each size runs in a process
of its own; finished sizes are kept in --out. Seconds are processor seconds of one thread. The bound of
the accuracy is the correlation with the truth that a model with these errors must have: the root of 1 -
mean error variance / mean variance of the effects. The dense engine (REML by an eigendecomposition, then
a Cholesky factor) runs on the same genotypes with --dense.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import append_result, read_results
from benchmarks.common.timing import peak_gigabytes
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.marker_blup import marker_blup
from budwood.stats.matrix_free.stochastic_reml import stochastic_reml
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.blup import LinePrediction, blup
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.spectral_reml import spectral_reml
from budwood.stats.relationship.relationship import summarise_markers

FOUNDERS, CHROMOSOMES, MORGANS, CAUSAL, NEW = 40, 10, 1.5, 1000, 500
#: Rounds of recombination since the founders.
GENERATIONS = 4
HERITABILITY = 0.5


def simulate(folder: Path, lines: int, markers: int) -> None:
    """Write genotypes and true genetic values of lines with records and of 500 without."""
    rng = np.random.default_rng(lines)
    n = lines + NEW
    calls = np.memmap(folder / "calls", np.int8, "w+", shape=(n, markers), order="F")
    frequency = rng.beta(1.0, 1.0, markers).clip(0.05, 0.95)
    founders = (2 * (rng.random((markers, FOUNDERS)) < frequency[:, None])).astype(np.int8)
    effects = np.zeros(markers)
    effects[rng.choice(markers, min(CAUSAL, markers), replace=False)] = rng.normal(size=min(CAUSAL, markers))
    switch = GENERATIONS * CHROMOSOMES * MORGANS / markers
    value, carried = np.zeros(n), rng.integers(0, FOUNDERS, n)
    for marker in range(markers):
        if marker % (markers // CHROMOSOMES) == 0:
            carried = rng.integers(0, FOUNDERS, n)
        else:
            moved = rng.integers(0, n, rng.binomial(n, switch))
            carried[moved] = rng.integers(0, FOUNDERS, len(moved))
        calls[:, marker] = founders[marker][carried]
        if effects[marker]:
            value += effects[marker] * calls[:, marker]
    calls.flush()
    value = (value - value[:lines].mean()) / value[:lines].std()
    noise = rng.normal(size=lines) * ((1.0 - HERITABILITY) / HERITABILITY) ** 0.5
    np.savez(folder / "trait.npz", value=value, y=value[:lines] + noise)


def read(folder: Path, lines: int, markers: int) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
    calls = np.memmap(folder / "calls", np.int8, "r", shape=(lines + NEW, markers), order="F")
    with np.load(folder / "trait.npz") as trait:
        return calls, trait["value"], trait["y"]


class Clock:
    """Processor seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.process_time()

    def stop(self, stage: str) -> None:
        now = time.process_time()
        self.seconds[stage], self._began = now - self._began, now


def matrix_free(folder: Path, lines: int, markers: int, probes: int, samples: int) -> dict[str, Any]:
    """The engine for large panels."""
    calls, value, y = read(folder, lines, markers)
    ploidy, learn, new = np.full(len(value), 2, np.int8), np.arange(lines), np.arange(lines, len(value))
    clock = Clock()
    summary = summarise_markers(calls[:lines], ploidy[:lines])
    z = CentredMarkers(dosage=calls[:lines], ploidy=ploidy[:lines], summary=summary)
    clock.stop("markers")
    relationship = WhitenedRelationship(z, whitened_design(lines))
    (found,), space = stochastic_reml(relationship, y[:, None], probes=probes)
    clock.stop("variance components")
    solved = marker_blup(relationship, y, found.components, space=space, samples=samples)
    clock.stop("equations and error variances")
    others = CentredMarkers(dosage=calls, ploidy=ploidy, summary=summary, rows=new)
    none = np.full(NEW, -1)
    predicted = solved.predict(
        others.times, others.squares * z.unit, np.zeros(NEW), none, fixed=np.ones((NEW, 1))
    )
    own = solved.predict(
        lambda effects, exact=False: np.zeros((lines, effects.shape[1])),
        z.squares * z.unit,
        np.zeros(lines),
        learn,
        fixed=np.ones((lines, 1)),
    )
    clock.stop("predictions")
    return {
        "passes": found.passes + solved.passes,
        "h2": found.share,
        "h2_error": found.standard_error,
        "h2_monte_carlo": found.monte_carlo_error,
        "se_monte_carlo": solved.monte_carlo_error,
        **accuracy(predicted, own, value),
        "seconds": clock.seconds,
    }


def dense(folder: Path, lines: int, markers: int) -> dict[str, Any]:
    """The engine for usual panels."""
    calls, value, y = read(folder, lines, markers)
    ploidy = np.full(len(value), 2, np.int8)
    clock = Clock()
    summary = summarise_markers(calls[:lines], ploidy[:lines])
    every = CentredMarkers(dosage=calls, ploidy=ploidy, summary=summary)
    kernel = every.relationship_with(every)
    clock.stop("markers")
    own = np.ascontiguousarray(kernel[:lines, :lines])
    components = spectral_reml(own, whitened_design(lines)).fit(y)
    clock.stop("variance components")
    solved = blup(y, [own], components)
    clock.stop("equations and error variances")
    diagonal = np.diagonal(kernel)
    predicted = solved.predict([kernel[lines:, :lines]], [diagonal[lines:]])
    trained = solved.predict([own], [diagonal[:lines]])
    clock.stop("predictions")
    genetic = components.kernels[0] * (np.diagonal(own).mean() - own.mean())
    return {
        "h2": float(genetic / (genetic + components.residual)),
        **accuracy(predicted, trained, value),
        "seconds": clock.seconds,
    }


def accuracy(predicted: LinePrediction, own: LinePrediction, value: NDArray[np.float64]) -> dict[str, float]:
    """Correlation with the truth beside its bound, and how often the truth lies within 1.645 errors."""
    lines = len(own.value)
    found: dict[str, float] = {}
    for name, each, truth in (("new", predicted, value[lines:]), ("own", own, value[:lines])):
        inside = np.abs(each.value - truth) <= 1.645 * np.sqrt(each.pev_value)
        bound = 1.0 - float(each.pev_effect.mean() / each.effect_variance.mean())
        r = pearson_r(each.value, truth)
        found |= {
            f"r_{name}": r,
            f"r_{name}_error": float((1.0 - r**2) / len(truth) ** 0.5),
            f"bound_{name}": max(bound, 0.0) ** 0.5,
            f"inside_{name}": float(inside.mean()),
        }
    return found


def run(out: Path, folder: Path, lines: int, options: Any) -> None:
    """One size in a process of its own."""
    engine = "dense" if options.dense else "matrix-free"
    if (lines, options.markers, engine) in read_results(out, "lines", "markers", "engine"):
        return
    place = folder / f"lines{lines}x{options.markers}"
    if not (place / "trait.npz").exists():
        place.mkdir(parents=True, exist_ok=True)
        simulate(place, lines, options.markers)
    command = [sys.executable, __file__, "--one", str(place), "--lines", str(lines)]
    command += ["--markers", str(options.markers), "--probes", str(options.probes)]
    command += ["--samples", str(options.samples), *(["--dense"] if options.dense else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    append_result(out, {"lines": lines, "markers": options.markers, "engine": engine, **found})
    if not options.keep:
        for name in ("calls", "trait.npz"):
            (place / name).unlink()
        place.rmdir()


def show(out: Path) -> None:
    """Table of the results, and the exponents of growth."""
    records = sorted(read_results(out, "lines", "markers", "engine").values(), key=lambda each: each["lines"])
    table = Table(
        *("lines", "engine", "CPU s", "peak GB", "passes", "h2 +- se (MC)", "r of new lines (se)", "bound"),
        *("inside 90 %", "r of own lines", "bound", "MC error of se"),
    )
    for each in records:
        error = f"{each.get('h2_error', float('nan')):.3f} ({each.get('h2_monte_carlo', 0.0):.3f})"
        table.add_row(
            *(f"{each['lines']:,}", each["engine"], f"{sum(each['seconds'].values()):.0f}"),
            *(f"{each['peak_gb']:.2f}", str(each.get("passes", "")), f"{each['h2']:.3f} +- {error}"),
            *(f"{each['r_new']:.3f} ({each['r_new_error']:.3f})", f"{each['bound_new']:.3f}"),
            *(f"{each['inside_new']:.3f}", f"{each['r_own']:.3f}", f"{each['bound_own']:.3f}"),
            f"{each.get('se_monte_carlo', 0.0):.1%}",
        )
    console = Console(width=170)
    console.print(table)
    for engine in ("matrix-free", "dense"):
        own = [each for each in records if each["engine"] == engine]
        if len(own) < 2:
            continue
        sizes = np.log([each["lines"] for each in own])
        seconds = np.polyfit(sizes, np.log([sum(each["seconds"].values()) for each in own]), 1)
        memory = np.polyfit(sizes, np.log([each["peak_gb"] for each in own]), 1)
        console.print(
            f"{engine}: seconds grow with lines^{seconds[0]:.2f}, memory with lines^{memory[0]:.2f}; at "
            f"100,000 lines {np.exp(np.polyval(seconds, np.log(1e5))):.0f} s and "
            f"{np.exp(np.polyval(memory, np.log(1e5))):.1f} GB by extrapolation"
        )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--lines", default="2500,5000,10000,20000", help="sizes, separated by commas")
    parser.add_argument("--markers", type=int, default=50_000)
    parser.add_argument("--probes", type=int, default=32)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--dense", action="store_true", help="run the dense engine instead")
    parser.add_argument(
        "--folder", type=Path, default=Path("large_panel"), help="where genotypes are written"
    )
    parser.add_argument("--keep", action="store_true", help="keep the genotypes")
    parser.add_argument("--out", type=Path, default=Path("large_panel.jsonl"))
    parser.add_argument("--show", action="store_true", help="show the results of --out")
    parser.add_argument("--one", type=Path, help="run one size on the genotypes of this folder")
    options = parser.parse_args()
    sizes = [int(each) for each in options.lines.split(",")]
    if options.one:
        engine = dense if options.dense else matrix_free
        arguments = () if options.dense else (options.probes, options.samples)
        found = engine(options.one, sizes[0], options.markers, *arguments)
        print(json.dumps({**found, "peak_gb": peak_gigabytes()}))
    elif options.show:
        show(options.out)
    else:
        for lines in sizes:
            run(options.out, options.folder, lines, options)


if __name__ == "__main__":
    main()
