"""Cost of trait models: growth with the number of lines, all of SoyNAM, and a full evaluation on rice.

    python benchmarks/speed/trait_model_scale.py growth         # 500 to 4,000 lines, slopes on log axes
    python benchmarks/speed/trait_model_scale.py growth --picture growth.html     # and the curves
    python benchmarks/speed/trait_model_scale.py soynam         # 5,180 lines x 4,312 markers
    python benchmarks/speed/trait_model_scale.py evaluation     # 374 x 36,901, 5 x 5 folds
    python benchmarks/speed/trait_model_scale.py soynam-evaluation --workers 2 --repeats 5
                                                                # GBLUP, Gaussian and auto on SoyNAM, 5 x 5

All need BUDWOOD_DATA. Seconds are processor seconds of one thread, which do not count other programs. The
peers are plain LightGBM (its default 100 rounds) and a plain random forest (100 trees, a third of the markers
at each split, as in R's randomForest) on the same markers, one fit each. Our models of the same names also
fit inner folds for their intervals.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, read_panel
from benchmarks.common.results_file import append_result, read_results
from benchmarks.common.timing import cpu_seconds, peak_gigabytes
from budwood.genomics.genotypes import Genotypes
from budwood.panel.panel import Panel
from budwood.prediction.compare import Design, compare_models
from budwood.prediction.evaluation.evaluate import Comparison, evaluate
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.spectral_reml import spectral_reml
from budwood.workflows.setup.fold_plan import FoldPlan, fold_runner

SIZES = (500, 1000, 2000, 4000)
OURS = ("gblup", "gaussian", "random-forest", "lightgbm", "auto")
PEERS = ("plain LightGBM", "plain random forest")
HELD_OUT = 500


def read(folder: Path, trait: str) -> tuple[Genotypes, NDArray[np.float64]]:
    """Phenotyped accessions in the order of the table."""
    return read_panel(folder, "pheno.csv", trait, ordered=False)


def read_families(folder: Path) -> dict[str, str]:
    with (folder / "pheno.csv").open(newline="", encoding="utf-8") as handle:
        return {record["id"]: record["family"] for record in csv.DictReader(handle)}


def one_fit(name: str, panel: Genotypes, y: NDArray[np.float64], size: int) -> dict[str, float]:
    """Processor seconds of fitting `size` lines and predicting 500 others, r, and peak memory."""
    families = read_families(data_folder() / "panels/soynam")
    drawn = np.random.default_rng(0).permutation(len(y))
    rows, training = np.sort(drawn[: size + HELD_OUT]), np.arange(size + HELD_OUT) >= HELD_OUT
    np.random.default_rng(1).shuffle(training)
    learn, held_out, y = np.flatnonzero(training), np.flatnonzero(~training), y[rows]
    predictors = PanelKernels(panel.take(rows))
    began = time.process_time()
    if name in PEERS:
        value = plain(name, predictors.markers(learn), y, learn, held_out)
    else:
        value = (
            model_named(name)
            .fit(predictors, learn, y[learn])
            .predict(predictors.lines(held_out, learn))
            .value
        )
    seconds = time.process_time() - began
    peak = peak_gigabytes()
    inside = within(value, y[held_out], [families[panel.accessions[row]] for row in rows[held_out]])
    r = pearson_r(value, y[held_out])
    return {"size": size, "seconds": seconds, "r": r, "r_within": inside, "peak_gb": peak}


def within(value: NDArray[np.float64], observed: NDArray[np.float64], families: list[str]) -> float:
    """r after subtracting each family's mean from both."""
    _, group = np.unique(families, return_inverse=True)
    counts = np.bincount(group)
    own = [each - (np.bincount(group, weights=each) / counts)[group] for each in (value, observed)]
    return pearson_r(*own)


def plain(name: str, features: NDArray[np.float64], y, learn, held_out) -> NDArray[np.float64]:
    """A peer's library with its own defaults."""
    if name == "plain LightGBM":
        from lightgbm import Dataset, train

        settings = {"verbose": -1, "num_threads": 1}
        return train(settings, Dataset(features[learn], y[learn])).predict(features[held_out], num_threads=1)
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(100, max_features=1 / 3, min_samples_leaf=5, n_jobs=1, random_state=0)
    return forest.fit(features[learn], y[learn]).predict(features[held_out])


def growth(models: list[str], out: Path, picture: Path | None) -> None:
    """Run each fit in a process of its own, to measure its peak memory; finished fits are kept in a file."""
    found = read_results(out, "model", "size")
    for size in SIZES:
        for name in models:
            if (name, size) not in found:
                line = {"model": name, **isolated(name, size)}
                found[name, size] = line
                append_result(out, line)
    table = Table(
        "model", *(f"{size:,}" for size in SIZES), "exponent", "r at 4,000", "GB at 4,000", "x LightGBM"
    )
    for name in models:
        seconds = np.array([found[name, size]["seconds"] for size in SIZES])
        # Slope on log axes over the two largest doublings, where fixed costs no longer show.
        exponent = np.polyfit(np.log(SIZES[1:]), np.log(seconds[1:]), 1)[0]
        last = found[name, SIZES[-1]]
        peer = found.get((PEERS[0], SIZES[-1]))
        ratio = f"{last['seconds'] / peer['seconds']:.1f}" if peer else "-"
        table.add_row(
            *(name, *(f"{s:.1f}" for s in seconds), f"{exponent:.2f}"),
            *(f"{last['r']:.3f}", f"{last['peak_gb']:.2f}", ratio),
        )
    Console(width=150).print(table)
    if picture:
        draw({name: [found[name, size]["seconds"] for size in SIZES] for name in models}, picture)


def draw(seconds: dict[str, list[float]], picture: Path) -> None:
    from plotly import graph_objects

    figure = graph_objects.Figure(
        [graph_objects.Scatter(x=SIZES, y=each, name=name) for name, each in seconds.items()]
    )
    figure.update_xaxes(type="log", title="training lines").update_yaxes(
        type="log", title="processor seconds"
    )
    figure.write_html(picture)


def isolated(name: str, size: int) -> dict[str, float]:
    command = [sys.executable, __file__, "one", "--models", name, "--size", str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def soynam(data: Path, models: list[str]) -> None:
    """All phenotyped lines, 500 of them held out."""
    everything = len(read(data / "panels/soynam", "yield")[1]) - HELD_OUT
    table = Table("model", "lines fitted", "seconds", "peak GB", "r on 500 others", "r within families")
    for name in models:
        found = isolated(name, everything)
        table.add_row(
            *(name, f"{everything:,}", f"{found['seconds']:.0f}"),
            *(f"{found['peak_gb']:.2f}", f"{found['r']:.3f}", f"{found['r_within']:.3f}"),
        )
    Console(width=150).print(table)


def evaluation(data: Path) -> None:
    """GBLUP and Gaussian kernel, 5 x 5 folds, in units of one eigendecomposition of the whole panel."""
    from budwood.prediction.evaluation.evaluate import Scheme
    from budwood.stats.evaluation.splitters import random_folds

    panel, y = read(data / "panels/rice_rdp1_44k", "Plant_height")
    predictors = PanelKernels(panel)
    making, kernel = cpu_seconds(lambda: predictors.kernel(RELATIONSHIP, np.arange(len(y))))
    whole = min(cpu_seconds(lambda: spectral_reml(kernel, whitened_design(len(y))))[0] for _ in range(5))
    inner = np.arange(len(y))[: len(y) * 4 // 5]
    block = np.ascontiguousarray(kernel[np.ix_(inner, inner)])
    part = min(cpu_seconds(lambda: spectral_reml(block, whitened_design(len(inner))))[0] for _ in range(5))
    models = (model_named("gblup"), model_named("gaussian"))
    scheme = Scheme("random", tuple(random_folds(panel.accessions, 5, seed) for seed in range(5)))
    comparison = Comparison(models, reported=models[-1].name)
    without = cpu_seconds(
        lambda: evaluate(PanelKernels(panel), y, comparison, scheme, trait="height", permutations=1)
    )[0]
    # One kernel for GBLUP and five bandwidths for the Gaussian, 25 folds.
    needed = 25 * 6 * part
    print(f"one relationship matrix of {len(y)} lines      {making:8.3f} s")
    print(f"one eigendecomposition                    {whole:8.4f} s")
    print(f"the 150 that 25 folds need at least       {needed:8.3f} s")
    print(f"evaluation                                {without:8.3f} s")
    print(f"evaluation / one relationship matrix      {without / making:8.1f} x")
    print(f"evaluation / matrix + decomposition       {without / (making + whole):8.1f} x")
    print(f"evaluation / one eigendecomposition       {without / whole:8.1f} x")
    print(f"evaluation / the 150 eigendecompositions  {without / needed:8.1f} x")


def soynam_evaluation(data: Path, repeats: int, workers: int) -> None:
    """GBLUP, Gaussian kernel and auto through the same folds of all lines, with the control of auto."""
    panel, y = read(data / "panels/soynam", "yield")
    design = Design(("gblup", "gaussian", "auto"), repeats=repeats)
    values = dict(zip(panel.accessions, y.tolist(), strict=True))
    plan = FoldPlan.of(Panel(genotypes=panel), "yield", design, workers, phenotyped=len(y))
    print(plan.sentence(), flush=True)
    began, used = time.perf_counter(), processor_seconds()
    found = compare_models(panel, values, "yield", design, runner=fold_runner(workers))
    print(f"wall-clock {time.perf_counter() - began:.0f} s, processors {processor_seconds() - used:.0f} s")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"peak memory {peak_gigabytes():.2f} GB and {largest:.2f} GB in the largest of {workers} processes")
    for score in found.scores:
        print(f"{score.name}: r {score.mean_r:.3f}, coverage {score.coverage_90:.3f}, {score.seconds:.0f} s")
    control = found.permutation
    interval = f"{control.lower:.3f} to {control.upper:.3f}"
    print(f"control: {control.mean_r:.3f} ({interval}), {control.shuffles} shuffles")


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in each)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("part", choices=["growth", "soynam", "evaluation", "soynam-evaluation", "one"])
    parser.add_argument("--repeats", type=int, default=5, help="divisions of `soynam-evaluation`")
    parser.add_argument("--workers", type=int, default=2, help="processes of `soynam-evaluation`")
    parser.add_argument("--models", default=",".join([*OURS, *PEERS]))
    parser.add_argument("--size", type=int, default=SIZES[0], help="lines of `one`")
    parser.add_argument("--out", type=Path, default=Path("growth.jsonl"), help="finished fits of `growth`")
    parser.add_argument("--picture", type=Path, help="HTML file for the curves of `growth`")
    options = parser.parse_args()
    data, models = data_folder(), options.models.split(",")
    if options.part == "growth":
        growth(models, options.out, options.picture)
    elif options.part == "soynam":
        soynam(data, models)
    elif options.part == "soynam-evaluation":
        soynam_evaluation(data, options.repeats, options.workers)
    elif options.part == "evaluation":
        evaluation(data)
    else:
        print(json.dumps(one_fit(models[0], *read(data / "panels/soynam", "yield"), options.size)))


if __name__ == "__main__":
    main()
