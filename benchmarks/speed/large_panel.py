"""GBLUP of 2,500 to 100,000 simulated lines x 50,000 markers: time, memory, heritability, accuracy, errors.

    OMP_NUM_THREADS=2 python benchmarks/speed/large_panel.py --out large.jsonl
    OMP_NUM_THREADS=2 python benchmarks/speed/large_panel.py --out large.jsonl --lines 100000
    python benchmarks/speed/large_panel.py --out large.jsonl --show
    OMP_NUM_THREADS=1 python benchmarks/speed/large_panel.py --out models.jsonl --lines 10000 --markers 5000
                                                             --models traits,gaussian,auto

Genotypes are inbred mosaics of 40 founders, 8 bits each, written marker by marker into a memory map
below --folder (5 GB for 100,000 lines; removed afterwards unless --keep). 1,000 markers have effects,
the heritability is .5, and 500 further lines without records are predicted. Each engine and size runs in a
process of its own; those that --out holds are not run again. Seconds are processor seconds and wall-clock
ones; OMP_NUM_THREADS divides the products with markers among threads. Memory is the largest resident size of
the process, mapped genotypes included. The bound of the accuracy is the correlation with the truth that a
model with these errors must have: the root of 1 - mean error variance / mean variance of the effects.

``--models traits`` solves one trait, and then four of the same lines together.

Beside the engine for large panels, on the same genotypes and up to --dense-up-to lines: the dense engine
(REML by a band, then a Cholesky factor). Up to --peers-up-to lines: LightGBM with its defaults on all
markers, and plink2's first ten components (exact up to 5,000 lines, --pca approx above) and --score, where
plink2 is installed; and up to 2,500 lines, where Rscript is, eigen_reml.R: the eigendecomposition that the R
package rrBLUP makes, in plain R, which stands for its algorithm and is not the package.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from functools import partial
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
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.marker_blup import marker_blup, marker_blups
from budwood.stats.matrix_free.processor_threads import processor_threads
from budwood.stats.matrix_free.stochastic_reml import stochastic_reml
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.band_reml import kernel_reml
from budwood.stats.mixed_model.blup import LinePrediction, blup
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.relationship.relationship import summarise_markers

FOUNDERS, CHROMOSOMES, MORGANS, CAUSAL, NEW = 40, 10, 1.5, 1000, 500
#: Rounds of recombination since the founders.
GENERATIONS = 4
HERITABILITY = 0.5
#: Most lines of what takes the cube of them in plain R.
CUBIC = 2_500
#: Heritabilities of three further traits with the same genetic values.
FURTHER = (0.2, 0.35, 0.7)


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
    """Processor seconds by stage, and wall-clock seconds of all of them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began, self._first = time.process_time(), time.perf_counter()

    @property
    def wall(self) -> float:
        return time.perf_counter() - self._first

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
        "wall": clock.wall,
    }


def traits(folder: Path, lines: int, markers: int, probes: int, samples: int) -> dict[str, Any]:
    """One trait, and the same with three more that share its passes."""
    calls, value, y = read(folder, lines, markers)
    ploidy = np.full(lines, 2, np.int8)
    z = CentredMarkers(dosage=calls[:lines], ploidy=ploidy, summary=summarise_markers(calls[:lines], ploidy))
    relationship, rng = WhitenedRelationship(z, whitened_design(lines)), np.random.default_rng(0)
    noise = rng.normal(size=(lines, len(FURTHER))) * np.sqrt(1.0 / np.array(FURTHER) - 1.0)
    several = np.column_stack([y, value[:lines, None] + noise])
    assert relationship.fixed_image.shape == (lines, 1), "made once, before the clock runs"
    clock, solved, passes, shares = Clock(), [], [], []
    for name, records in (("one trait", several[:, :1]), ("four traits", several)):
        found, space = stochastic_reml(relationship, records, probes=probes)
        components = [each.components for each in found]
        blups = marker_blups(relationship, records, components, space=space, samples=samples)
        clock.stop(name)
        solved.append(blups)
        passes.append(found[0].passes + blups[0].passes)
        shares.append([each.share for each in found])
    again = marker_blups(relationship, several[:, :1], [solved[1][0].components], samples=samples)
    difference = np.abs(again[0].training_effect - solved[1][0].training_effect).max() / y.std()
    return {
        "passes_one": passes[0],
        "passes_four": passes[1],
        "ratio": clock.seconds["four traits"] / clock.seconds["one trait"],
        "share_alone": shares[0][0],
        "shares": shares[1],
        "r_own": [pearson_r(each.training_effect, value[:lines]) for each in solved[1]],
        "largest_difference": float(difference),
        "seconds": clock.seconds,
        "wall": clock.wall,
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
    components = kernel_reml(own, whitened_design(lines)).fit(y)
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
        "wall": clock.wall,
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


def lightgbm(folder: Path, lines: int, markers: int) -> dict[str, Any]:
    """LightGBM with its own defaults (100 rounds) on all markers."""
    from lightgbm import Dataset, train

    calls, value, y = read(folder, lines, markers)
    clock = Clock()
    features = np.asarray(calls[:lines], dtype=np.float32)
    # Its threads wait for one another, which a machine with other work to do punishes.
    settings = {"verbose": -1, "num_threads": 1}
    booster = train(settings, Dataset(features, y, params=settings))
    clock.stop("training")
    predicted = booster.predict(np.asarray(calls[lines:], dtype=np.float32))
    clock.stop("predictions")
    r = pearson_r(np.asarray(predicted), value[lines:])
    error = float((1.0 - r**2) / NEW**0.5)
    return {"r_new": r, "r_new_error": error, "seconds": clock.seconds, "wall": clock.wall}


def eigen_reml(folder: Path, lines: int, markers: int) -> dict[str, Any]:
    """What rrBLUP does, written in plain R (the package itself is not called)."""
    _, value, y = read(folder, lines, markers)
    script, records = Path(__file__).with_name("eigen_reml.R"), folder / "records.txt"
    np.savetxt(records, y)
    began = time.perf_counter()
    command = ["Rscript", str(script), str(folder / "calls"), str(lines + NEW), str(markers), str(lines)]
    ran = subprocess.run([*command, str(records)], check=True, stdout=subprocess.PIPE, text=True)
    wall = time.perf_counter() - began
    records.unlink()
    first, second = ran.stdout.splitlines()
    h2, related, solved = map(float, first.split())
    r = pearson_r(np.array(second.split(), dtype=np.float64)[lines:], value[lines:])
    return {
        **{"h2": h2, "r_new": r, "r_new_error": float((1.0 - r**2) / NEW**0.5)},
        **{"seconds": {"markers": related, "solve": solved}, "wall": wall},
        "child_gb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6,
    }


def plink2(folder: Path, lines: int, markers: int) -> dict[str, Any]:
    """Principal components and scores of the lines with records by plink2, from a PLINK bed."""
    calls, _, _ = read(folder, lines, markers)
    stem = folder / "plink"
    write_bed(calls, lines, stem)
    command = ["plink2", "--bfile", str(stem), "--threads", str(processor_threads()), "--out", str(stem)]
    found: dict[str, Any] = {"seconds": {}, "wall": 0.0}
    kind = ["10"] if lines <= 5_000 else ["approx", "10"]
    steps = {
        "components": ["--pca", *kind],
        "scores": ["--score", str(folder / "effects.txt"), "1", "2", "3"],
    }
    for name, options in steps.items():
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*command, *options], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found["seconds"][name], found["wall"] = used, found["wall"] + time.perf_counter() - began
        found[f"{name}_ns_per_genotype"] = 1e9 * used / lines / markers
    found["child_gb"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    for path in [*folder.glob("plink.*"), folder / "effects.txt"]:
        path.unlink()
    return found


def write_bed(calls: Any, lines: int, stem: Path) -> None:
    """PLINK files of the lines with records, and a table of scores of all markers."""
    codes = np.array([3, 2, 0], dtype=np.uint8)
    markers, rng = calls.shape[1], np.random.default_rng(0)
    with stem.with_suffix(".bed").open("wb") as handle:
        handle.write(bytes([0x6C, 0x1B, 1]))
        for marker in range(markers):
            row = np.zeros(-(-lines // 4) * 4, dtype=np.uint8)
            row[:lines] = codes[calls[:lines, marker]]
            quarter = row.reshape(-1, 4)
            handle.write(
                (quarter[:, 0] | quarter[:, 1] << 2 | quarter[:, 2] << 4 | quarter[:, 3] << 6).tobytes()
            )
    with stem.with_suffix(".fam").open("w") as handle:
        handle.writelines(f"L{line} L{line} 0 0 0 -9\n" for line in range(lines))
    with stem.with_suffix(".bim").open("w") as handle:
        each = markers // CHROMOSOMES
        handle.writelines(f"{1 + m // each} m{m} 0 {1 + m % each} A C\n" for m in range(markers))
    with (stem.parent / "effects.txt").open("w") as handle:
        handle.writelines(f"m{m} A {effect:.6f}\n" for m, effect in enumerate(rng.normal(size=markers)))


def trait_model(name: str, folder: Path, lines: int, markers: int) -> dict[str, Any]:
    """A trait model as users run it: fitted to the lines with records, predicting the others."""
    calls, value, y = read(folder, lines, markers)
    genotypes = Genotypes.from_matrix([f"line{number:06d}" for number in range(len(value))], np.array(calls))
    kernels, learn = PanelKernels(genotypes), np.arange(lines)
    clock = Clock()
    fitted = model_named(name).fit(kernels, learn, y)
    clock.stop("training")
    found = fitted.predict(kernels.lines(np.arange(lines, len(value)), learn))
    clock.stop("predictions")
    r = pearson_r(found.value, value[lines:])
    inside = np.abs(found.value - value[lines:]) <= 1.645 * found.standard_error
    return {
        **{"r_new": r, "r_new_error": float((1.0 - r**2) / NEW**0.5), "inside_new": float(inside.mean())},
        **{"notes": list(getattr(fitted, "notes", ())), "seconds": clock.seconds, "wall": clock.wall},
    }


ENGINES: dict[str, Any] = {
    "matrix-free": matrix_free,
    "traits": traits,
    "dense": dense,
    "lightgbm": lightgbm,
    "plink2": plink2,
    "eigen-reml": eigen_reml,
    "gaussian": partial(trait_model, "gaussian"),
    "auto": partial(trait_model, "auto"),
}


def run(out: Path, folder: Path, lines: int, options: Any) -> None:
    """All engines that one size is for, each in a process of its own."""
    wanted = [*(name for name in options.models.split(",") if name)] or ["matrix-free"]
    if options.models:
        options.dense_up_to = options.peers_up_to = 0
    wanted += ["dense"] if lines <= options.dense_up_to else []
    if lines <= options.peers_up_to:
        wanted += ["lightgbm", *(["plink2"] if shutil.which("plink2") else [])]
        wanted += ["eigen-reml"] if lines <= CUBIC and shutil.which("Rscript") else []
    done = read_results(out, "lines", "markers", "engine")
    wanted = [engine for engine in wanted if (lines, options.markers, engine) not in done]
    if not wanted:
        return
    place = folder / f"lines{lines}x{options.markers}"
    if not (place / "trait.npz").exists():
        place.mkdir(parents=True, exist_ok=True)
        simulate(place, lines, options.markers)
    for engine in wanted:
        command = [sys.executable, __file__, "--one", str(place), "--engine", engine, "--lines", str(lines)]
        command += ["--markers", str(options.markers), "--probes", str(options.probes)]
        command += ["--samples", str(options.samples)]
        finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(finished.stdout.splitlines()[-1])
        append_result(out, {"lines": lines, "markers": options.markers, "engine": engine, **found})
        print(f"{lines:,} lines, {engine}: {found['wall']:.0f} s, {found['peak_gb']:.2f} GB", flush=True)
    if not options.keep:
        for name in ("calls", "trait.npz"):
            (place / name).unlink()
        place.rmdir()


def show(out: Path) -> None:
    """Table of the results, and the exponents of growth."""
    records = sorted(read_results(out, "lines", "markers", "engine").values(), key=lambda each: each["lines"])
    table = Table(
        *("lines", "engine", "CPU s", "wall s", "peak GB", "passes", "h2 +- se (MC)", "r of new lines (se)"),
        *("bound", "inside 90 %", "r of own lines", "bound", "MC error of se"),
    )
    console = Console(width=180)
    for each in records:
        if each["engine"] in ("plink2", "traits"):
            continue
        error = f"{each.get('h2_error', float('nan')):.3f} ({each.get('h2_monte_carlo', 0.0):.3f})"
        table.add_row(
            *(f"{each['lines']:,}", each["engine"], f"{sum(each['seconds'].values()):.0f}"),
            *(f"{each['wall']:.0f}", f"{each['peak_gb']:.2f}", str(each.get("passes", ""))),
            f"{each['h2']:.3f} +- {error}" if "h2" in each else "",
            f"{each['r_new']:.3f} ({each['r_new_error']:.3f})",
            *(shown(each, name) for name in ("bound_new", "inside_new", "r_own", "bound_own")),
            f"{each['se_monte_carlo']:.1%}" if "se_monte_carlo" in each else "",
        )
    console.print(table)
    for each in records:
        if each["engine"] == "plink2":
            console.print(
                f"plink2, {each['lines']:,} lines: components {each['components_ns_per_genotype']:.2f} and "
                f"scores {each['scores_ns_per_genotype']:.2f} CPU ns for each genotype"
            )
        elif each["engine"] == "traits":
            one, four = (each["seconds"][name] for name in ("one trait", "four traits"))
            console.print(
                f"traits, {each['lines']:,} lines x {each['markers']:,} markers: one trait {one:.1f} CPU s "
                f"in {each['passes_one']} passes, four traits {four:.1f} in {each['passes_four']}: "
                f"{each['ratio']:.2f} times as long, {each['ratio'] / 4:.2f} of one after another; "
                f"predictions at equal variances differ by {each['largest_difference']:.0e} of a standard "
                "deviation"
            )
        elif "passes" in each:
            calls = each["lines"] * each["markers"]
            each_pass = sum(each["seconds"].values()) / each["passes"] / calls
            console.print(
                f"large panels, {each['lines']:,} lines: {1e9 * each_pass:.2f} CPU ns for each genotype "
                "and pass"
            )
    ratios(console, records)
    for engine in ENGINES:
        own = [each for each in records if each["engine"] == engine]
        if len(own) < 2 or engine in ("plink2", "traits"):
            continue
        sizes = np.log([each["lines"] for each in own])
        seconds = np.polyfit(sizes, np.log([sum(each["seconds"].values()) for each in own]), 1)
        memory = np.polyfit(sizes, np.log([each["peak_gb"] for each in own]), 1)
        console.print(
            f"{engine}: seconds grow with lines^{seconds[0]:.2f}, memory with lines^{memory[0]:.2f}; the fit "
            f"gives {np.exp(np.polyval(seconds, np.log(1e5))):.0f} CPU s and "
            f"{np.exp(np.polyval(memory, np.log(1e5))):.1f} GB at 100,000 lines"
        )


def ratios(console: Console, records: list[dict[str, Any]]) -> None:
    """How many times as long others take as the engine for large panels on the same genotypes."""
    for each in records:
        others = [own for own in records if own["lines"] == each["lines"] and own is not each]
        others = [own for own in others if own["markers"] == each["markers"]]
        if each["engine"] != "matrix-free":
            continue
        own_seconds = sum(each["seconds"].values())
        for other in others:
            if other["engine"] in ("dense", "lightgbm", "eigen-reml", "gaussian", "auto"):
                ratio = sum(other["seconds"].values()) / own_seconds
                console.print(
                    f"{other['engine']}, {each['lines']:,} lines x {each['markers']:,} markers: "
                    f"{ratio:.2f} times the CPU seconds of the engine for large panels"
                )
            elif other["engine"] == "plink2":
                each_pass = 1e9 * own_seconds / each["passes"] / each["lines"] / each["markers"]
                both = sum(other["seconds"].values()) / own_seconds
                console.print(
                    f"plink2, {each['lines']:,} lines x {each['markers']:,} markers: ten components and "
                    f"scores take {both:.2f} times the CPU seconds of GBLUP; scores take "
                    f"{other['scores_ns_per_genotype'] / each_pass:.2f} times a pass of GBLUP"
                )


def shown(record: dict[str, Any], name: str) -> str:
    return f"{record[name]:.3f}" if name in record else ""


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--lines", default="2500,5000,10000,25000,100000", help="sizes, separated by commas")
    parser.add_argument("--markers", type=int, default=50_000)
    parser.add_argument("--probes", type=int, default=32)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--dense-up-to", type=int, default=5_000, help="most lines of the dense engine")
    parser.add_argument("--peers-up-to", type=int, default=10_000, help="most lines of LightGBM and plink2")
    parser.add_argument(
        "--folder", type=Path, default=Path("large_panel"), help="where genotypes are written"
    )
    parser.add_argument("--models", default="", help="instead of the engines: traits, gaussian, auto")
    parser.add_argument("--keep", action="store_true", help="keep the genotypes")
    parser.add_argument("--out", type=Path, default=Path("large_panel.jsonl"))
    parser.add_argument("--show", action="store_true", help="show the results of --out")
    parser.add_argument("--one", type=Path, help="run one engine on the genotypes of this folder")
    parser.add_argument("--engine", choices=list(ENGINES), default="matrix-free", help="engine of --one")
    options = parser.parse_args()
    sizes = [int(each) for each in options.lines.split(",")]
    if options.one:
        arguments = (options.probes, options.samples) if options.engine in ("matrix-free", "traits") else ()
        found = ENGINES[options.engine](options.one, sizes[0], options.markers, *arguments)
        peak = max(peak_gigabytes(), found.pop("child_gb", 0.0))
        print(json.dumps({**found, "peak_gb": peak, "threads": processor_threads()}))
        return
    if not options.show:
        for lines in sizes:
            run(options.out, options.folder, lines, options)
    show(options.out)


if __name__ == "__main__":
    main()
