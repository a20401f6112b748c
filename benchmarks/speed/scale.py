"""Throughput per core of corpus building, training and embedding, and the estimated cost of a large corpus.

    python benchmarks/speed/scale.py --recipe recipes/corpus.toml --out scale.json
    python benchmarks/speed/scale.py --show scale.json --windows 200000000 --species 47

Processor seconds of one thread, which do not count other work on the machine; set OMP_NUM_THREADS=1. The
corpus is the recipe's with at most ``--limit`` windows of each source (0: all) and parts of ``--part``
windows, so that the comparison of two parts is timed as well. The references of the same run: unpacking the
recipe's FASTA files, and for the network a product of large matrices. Everything that ``--show`` prints
beyond the measured rows is computed from them.
"""

from __future__ import annotations

import json
import math
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch

from benchmarks.common.arguments import parser_for
from benchmarks.common.timing import peak_gigabytes
from budwood.config import WINDOW
from budwood.corpus.recipe.recipe import read_corpus_recipe
from budwood.corpus.recipe.sources import open_assemblies
from budwood.corpus.sampling.store import open_corpus
from budwood.corpus.similarity.homology import links_between
from budwood.corpus.similarity.near_duplicates import near_duplicates_of
from budwood.corpus.stages import pairwise_tasks as parts
from budwood.corpus.stages.build import build_corpus
from budwood.corpus.stages.stage import Task, run_task
from budwood.genomics.io.text.compressed import open_bytes
from budwood.inference.embed import embed_windows
from budwood.model.checkpoint import load_checkpoint
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.progress import Advance
from budwood.training.monitoring.speed import measured_peak, operations_per_base
from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective

STORED = 960
COMPARED = ("select", "duplicates", "links", "order", "shards")
READ = ("survey", "kmers", "spectrum", "excess", "cut")
#: Published dense bfloat16 peak of one H200 SXM (NVIDIA data sheet), and the share of it taken for granted.
GPU_PEAK, GPU_SHARE = 989e12, 0.2


class TimedRunner:
    """Runs tasks in this process and adds up their processor seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.tasks: dict[str, int] = {}

    def run(self, tasks: Sequence[Task], work: Path, advance: Advance) -> list[Path]:
        folders = []
        for task in tasks:
            begun = time.process_time()
            folders.append(run_task(task, work))
            first, _, second = task.shard.partition("-")
            pairs = task.stage in ("duplicates", "links") and second and first != second
            stage = f"{task.stage} of two parts" if pairs else task.stage
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - begun
            self.tasks[stage] = self.tasks.get(stage, 0) + 1
            advance(1)
        return folders


def corpus_figures(path: Path, limit: int, part: int) -> dict:
    parts.PART = part
    recipe = read_corpus_recipe(path)
    recipe = replace(recipe, sources=tuple(replace(source, limit=limit) for source in recipe.sources))
    sources = open_assemblies(recipe)
    begun = time.process_time()
    unpacked = 0
    for opened in sources:
        with open_bytes(opened.inputs()["fasta"]) as handle:
            while block := handle.read(1 << 20):
                unpacked += len(block)
    reading = time.process_time() - begun
    runner = TimedRunner()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        corpus = open_corpus(build_corpus(recipe, Path(folder) / "corpus", runner=runner, show=False))
        total = time.process_time() - begun
        bytes_written = sum(p.stat().st_size for p in corpus.folder.rglob("*") if p.is_file())
        totals = corpus.summary["totals"]
    compared = totals["windows"] + totals["near_duplicates_dropped"]
    return {
        "read_megabases": sum(opened.bases for opened in sources) / 1e6,
        "compared_megabases": compared * recipe.windows.length / 1e6,
        "kept_megabases": totals["windows"] * recipe.windows.length / 1e6,
        "examined": min(2000, totals["validation_windows"]),
        "part_windows": part,
        "parts": math.ceil(compared / part),
        "seconds": runner.seconds,
        "tasks": runner.tasks,
        "total_seconds": total,
        "unpacking_megabytes_per_second": unpacked / reading / 1e6,
        "bytes_on_disk": bytes_written,
    }


def training_figures(steps: int, batch: int) -> list[dict]:
    rows = []
    for precision in ("bf16", "no"):
        torch.manual_seed(0)
        encoder = BudwoodEncoder(BudwoodConfig())
        objective = PretrainingObjective(encoder, ObjectiveConfig())
        optimiser = torch.optim.AdamW(objective.parameters(), lr=1e-4)
        codes = torch.randint(0, 4, (batch, WINDOW))
        best = math.inf
        for _ in range(steps + 1):
            begun = time.process_time()
            with torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext():
                reading = encoder.strand(codes)
                loss = reading.bases.float().square().mean() + reading.regions.float().square().mean()
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            best = min(best, time.process_time() - begun)
        speed, peak = codes.numel() / best, measured_peak(torch.device("cpu"), precision)
        operations = operations_per_base(encoder, WINDOW)
        rows.append(
            {
                "precision": precision,
                "parameters": sum(p.numel() for p in encoder.parameters()),
                "operations_per_base": operations,
                "bases_per_second": speed,
                "peak": peak,
                "share_of_peak": speed * operations / peak,
            }
        )
    return rows


def embedding_figures(windows: int) -> dict:
    checkpoint = load_checkpoint()
    codes = np.random.default_rng(0).integers(0, 4, (windows, WINDOW), dtype=np.uint8)
    embed_windows(codes[:4], checkpoint, cache=False, show=False)
    begun = time.process_time()
    embed_windows(codes, checkpoint, cache=False, show=False)
    speed = windows / (time.process_time() - begun)
    # Both strands are read, forward alone: two thirds of what training costs.
    operations = operations_per_base(BudwoodEncoder(BudwoodConfig()), WINDOW) * 2 / 3 * WINDOW
    peak = measured_peak(torch.device("cpu"), "no")
    return {"windows_per_second": speed, "share_of_peak": speed * operations / peak}


def chance_figures(sizes: tuple[int, int] = (1024, 8192)) -> dict:
    """Increase of the processor seconds per window, for each added window, when two unrelated parts grow.

    The number of seeds that two parts share by chance grows with the product of their sizes.
    """
    found = {}
    for stage, compare in (("duplicates", near_duplicates_of), ("links", links_between)):
        each = []
        for size in sizes:
            windows = np.random.default_rng(0).integers(0, 4, (2 * size, STORED), dtype=np.uint8)
            begun = time.process_time()
            compare(windows[:size], windows[size:])
            each.append((time.process_time() - begun) / size)
        found[stage] = max(0.0, (each[1] - each[0]) / (sizes[1] - sizes[0]))
    return found


def stage_rows(corpus: dict) -> list[tuple[str, float, float]]:
    """Stage, processor seconds, and megabases per second of its input."""
    rows = []
    for stage, seconds in corpus["seconds"].items():
        whole = corpus["read_megabases"] if stage in READ else corpus["compared_megabases"]
        if stage in ("links", "clusters", "split", "relatives", "leakage", "order", "shards"):
            whole = corpus["kept_megabases"]
        rows.append((stage, seconds, whole / max(seconds, 1e-9)))
    return rows


def pair_seconds(corpus: dict, chance: dict, stage: str, part: float) -> float:
    """Processor seconds to compare one part of ``part`` windows with another.

    Linear in the part from the measured corpus, plus the seeds shared by chance.
    """
    name, size = f"{stage} of two parts", corpus["part_windows"]
    per_window = corpus["seconds"][name] / corpus["tasks"][name] / size
    return (per_window + chance[stage] * (part - size)) * part


def cost(figures: dict, whole: dict, windows: int, part: int) -> list[dict]:
    """Core-hours of each group of stages, and hours on a number of cores; ``whole`` has the linear stages."""
    corpus, chance = figures["corpus"], figures["chance"]
    bases = windows * WINDOW / 1e6
    stored = bases * 1e6 / STORED
    count = math.ceil(stored / part)
    kept = whole["kept_megabases"] / whole["compared_megabases"]

    def seconds(names: Sequence[str], per: str) -> float:
        return sum(whole["seconds"].get(name, 0.0) for name in names) / whole[per] * bases

    own = seconds(["duplicates"], "compared_megabases") / count
    against = pair_seconds(corpus, chance, "duplicates", part)
    # Parts of what is kept are as large, and fewer.
    link, linked = seconds(["links"], "compared_megabases"), pair_seconds(corpus, chance, "links", part)
    pairs, kept_pairs = (n * (n - 1) / 2 for n in (count, math.ceil(count * kept)))
    examined = 2000 / max(1, whole["examined"])
    groups = {
        "read, mask, cut": (seconds(READ, "read_megabases"), 10_000.0, 0.0),
        "select, order": (seconds(["select", "order"], "compared_megabases"), 1.0, 0.0),
        "near-duplicates": (count * own + pairs * against, float(count), count * (own + against)),
        "homology links": (link + kept_pairs * linked, kept_pairs + count, 0.0),
        "clusters, split": (seconds(["clusters", "split"], "compared_megabases"), 1.0, 0.0),
        "leakage": (seconds(["relatives"], "compared_megabases") * examined, float(count), 0.0),
        "shards": (seconds(["shards"], "compared_megabases"), stored / 16_384, 0.0),
    }
    return [
        {"what": what, "core_hours": total / 3600}
        | {str(n): max(total / min(n, most), path) / 3600 for n in (1, 16, 64, 1000)}
        for what, (total, most, path) in groups.items()
    ]


def show(figures: dict, windows: int, species: int, part: int) -> None:
    whole = figures.get("whole", figures["corpus"])
    print(f"{figures['machine']}; peak memory {figures['peak_gigabytes']:.2f} GB\n")
    print("| stage | CPU s | Mb/s per core | times the reading of the packed files |\n|---|--:|--:|--:|")
    for stage, seconds, speed in stage_rows(whole):
        ratio = speed / whole["unpacking_megabytes_per_second"]
        print(f"| {stage} | {seconds:.1f} | {speed:.1f} | {ratio:.2f} |")
    print(
        f"\n{whole['total_seconds']:.0f} CPU s in all for {whole['read_megabases']:.0f} Mb read, "
        f"{whole['compared_megabases']:.0f} Mb compared, {whole['kept_megabases']:.0f} Mb kept; "
        f"unpacking alone {whole['unpacking_megabytes_per_second']:.0f} MB/s\n"
    )
    for row in figures["training"]:
        print(
            f"training, {row['parameters'] / 1e6:.1f} M parameters, {row['precision']}: "
            f"{row['bases_per_second']:,.0f} bases/s, {row['share_of_peak']:.0%} of a matrix product's "
            f"{row['peak'] / 1e9:.0f} GFLOP/s, {row['operations_per_base'] / 1e6:.1f} M operations per base"
        )
    embedding = figures["embedding"]
    print(
        f"embedding, float32, both strands: {embedding['windows_per_second']:.1f} windows/s, "
        f"{embedding['share_of_peak']:.0%} of the peak\n"
    )
    print(f"Estimate for {windows / 1e6:.0f} million windows of {WINDOW} bases over {species} species:\n")
    print("| stage | core-hours | 1 core, h | 16 cores, h | 64 cores, h | 1,000 cores, h |")
    print("|---|--:|--:|--:|--:|--:|")
    rows = cost(figures, whole, windows, part)
    rows.append({name: sum(row[name] for row in rows) for name in rows[0] if name != "what"})
    rows[-1]["what"] = "corpus"
    bases = windows * WINDOW
    for what, seconds in (
        ("training, one pass, bf16", bases / figures["training"][0]["bases_per_second"]),
        ("embedding, once", windows / embedding["windows_per_second"]),
    ):
        rows.append({"what": what, "core_hours": seconds / 3600})
        rows[-1] |= {str(n): seconds / n / 3600 for n in (1, 16, 64, 1000)}
    for row in rows:
        cells = [f"{row[name]:,.1f}" for name in ("core_hours", "1", "16", "64", "1000")]
        print(f"| {row['what']} | {' | '.join(cells)} |")
    operations = figures["training"][0]["operations_per_base"] * bases
    print(
        f"\ndisk: {2 * bases / 1e9:,.0f} GB for the corpus, {6 * bases / 1e9:,.0f} GB while it is built; "
        f"parts: {math.ceil(bases / STORED / part):,}\n"
        f"one GPU, not measured: {operations / GPU_PEAK / 3600:.1f} h at the published peak of "
        f"{GPU_PEAK / 1e12:.0f} TFLOP/s, "
        f"{operations / GPU_PEAK / GPU_SHARE / 3600:.1f} h at {GPU_SHARE:.0%} of it"
    )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/corpus.toml"))
    parser.add_argument("--limit", type=int, default=3000, help="windows of each source at most; 0 for all")
    parser.add_argument("--part", type=int, default=2048, help="windows of a part in the measured corpus")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--embedded", type=int, default=48, help="windows embedded")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path, help="measure nothing, show what --out wrote")
    parser.add_argument("--whole", type=Path, help="with --show: linear stages from this run (--limit 0)")
    parser.add_argument("--windows", type=int, default=200_000_000)
    parser.add_argument("--species", type=int, default=47)
    arguments = parser.parse_args()
    size = parts.PART
    if arguments.show:
        figures = json.loads(arguments.show.read_text(encoding="utf-8"))
        if arguments.whole:
            figures["whole"] = json.loads(arguments.whole.read_text(encoding="utf-8"))["corpus"]
    else:
        figures = {
            "machine": f"{platform.machine()}, {torch.get_num_threads()} thread",
            "training": training_figures(arguments.steps, 16),
            "embedding": embedding_figures(arguments.embedded),
            "chance": chance_figures(),
            "corpus": corpus_figures(arguments.recipe, arguments.limit, arguments.part),
        }
        figures["peak_gigabytes"] = peak_gigabytes()
        if arguments.out:
            arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    show(figures, arguments.windows, arguments.species, size)


if __name__ == "__main__":
    main()
