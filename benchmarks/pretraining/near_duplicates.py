"""Near-duplicate windows, homology clusters and the leakage report: recall, false removals, speed.

    python benchmarks/pretraining/near_duplicates.py                        # all parts
    python benchmarks/pretraining/near_duplicates.py --only planted false   # some

Sequences are drawn from a Markov chain with the dinucleotides of Brassica napus (from a fixed table without
BUDWOOD_DATA), so that nothing in them is related unless planted. `sketch` needs the command `sourmash` and
`real` the package `edlib`; only this benchmark uses them.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.timing import cpu_seconds, peak_gigabytes
from budwood.config import WINDOW
from budwood.corpus.similarity.homology import homology_clusters
from budwood.corpus.similarity.leakage import LeakageConfig, closest_identity, leakage_report
from budwood.corpus.similarity.minhash import SketchConfig, sketch
from budwood.corpus.similarity.near_duplicates import NearDuplicateConfig, near_duplicates
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import N, decode, reverse_complement

Windows = NDArray[np.uint8]
CONSOLE = Console(width=110)
GENOMES = ("brassica_napus/genome.fa.xz", "theobroma_cacao/genome.fa.xz")
#: Dinucleotide frequencies of the Brassica napus scaffolds, first base by second.
DINUCLEOTIDES = np.array(
    [[0.1145, 0.0516, 0.0578, 0.0949], [0.0615, 0.0351, 0.0255, 0.0585], [0.0628, 0.0304, 0.0350, 0.0520],
     [0.0800, 0.0635, 0.0619, 0.1148]]
)  # fmt: skip


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the windows of a full run")
    parser.add_argument("--sourmash", default=shutil.which("sourmash"), help="the command")
    arguments = parser.parse_args()
    for part in arguments.only:
        PARTS[part](arguments)


def genome_windows(name: str) -> Windows:
    """Consecutive windows, leaving out those with more than a fifth N."""
    assembly = open_fasta(Path(os.environ["BUDWOOD_DATA"]) / "genomes" / name)
    cut = []
    for contig, length in assembly.contigs.items():
        whole = length // WINDOW * WINDOW
        if whole:
            cut.append(assembly.sequence(Interval(contig, 0, whole)).reshape(-1, WINDOW))
    windows = np.concatenate(cut)
    return windows[(windows == N).mean(axis=1) <= 0.2]


def dinucleotides() -> NDArray[np.float64]:
    if "BUDWOOD_DATA" not in os.environ:
        return DINUCLEOTIDES
    windows = genome_windows(GENOMES[0])[:20000]
    counts = np.bincount((windows[:, :-1].astype(int) * 5 + windows[:, 1:]).reshape(-1), minlength=25)
    return counts.reshape(5, 5)[:4, :4] / counts.reshape(5, 5)[:4, :4].sum()


def unrelated(count: int, seed: int) -> Windows:
    """Windows of a Markov chain."""
    random = np.random.default_rng(seed)
    joint = dinucleotides()
    steps = np.cumsum(joint / joint.sum(axis=1, keepdims=True), axis=1)[:, :3]
    windows = np.empty((count, WINDOW), np.uint8)
    windows[:, 0] = random.choice(4, count, p=joint.sum(axis=1) / joint.sum())
    for at in range(1, WINDOW):
        windows[:, at] = (random.random(count)[:, None] > steps[windows[:, at - 1]]).sum(axis=1)
    return windows


def mutated(window: Windows, divergence: float, indels: float, random: np.random.Generator) -> Windows:
    """Mutate bases with this probability; a share ``indels`` of the mutations are indels of 1 to 10 bases."""
    pieces, start = [], 0
    for at in np.flatnonzero(random.random(len(window)) < divergence):
        if at < start:
            continue
        pieces.append(window[start:at])
        kind, length = random.random(), min(random.geometric(0.4), 10)
        start = at + 1
        if kind >= indels:
            pieces.append((window[at : at + 1] + random.integers(1, 4)) % 4)
        elif kind < indels / 2:
            pieces += [window[at : at + 1], random.integers(0, 4, length)]
        else:
            start = at + length
    return np.concatenate([*pieces, window[start:]]).astype(np.uint8)


def copies(
    windows: Windows, divergence: float, shift: int, indels: float, strands: bool, seed: int
) -> Windows:
    random = np.random.default_rng(seed)
    planted = np.empty_like(windows)
    beyond = unrelated(len(windows), seed)
    for row, window in enumerate(windows):
        moved = np.concatenate([window[random.integers(shift + 1) :], beyond[row], beyond[row]])
        planted[row] = mutated(moved, divergence, indels, random)[:WINDOW]
    turn = (random.random(len(windows)) < 0.5) & strands
    planted[turn] = reverse_complement(planted[turn])
    return planted


def compare_sketches(arguments: argparse.Namespace) -> None:
    """CPU seconds of one core for the same bases; the start-up time of sourmash is subtracted."""
    windows = unrelated(round(80000 * arguments.scale), 1)
    megabases = windows.size / 1e6
    table = Table(title=f"Sketching {megabases:.1f} Mb, CPU seconds of one core")
    for column in ("tool", "k", "one k-mer in", "s", "Mb/s"):
        table.add_column(column, justify="right")
    speeds = {}
    for length, scale in ((16, 8), (13, 4), (16, 1000)):
        draw = partial(sketch, windows, SketchConfig(length, scale))
        seconds, _ = cpu_seconds(draw, 3)
        speeds[length, scale] = megabases / seconds
        table.add_row("budwood", str(length), str(scale), f"{seconds:.2f}", f"{megabases / seconds:.1f}")
    if arguments.sourmash:
        for length, scale in ((31, 1000), (21, 1000), (21, 8)):
            seconds = sourmash_seconds(arguments.sourmash, windows, length, scale)
            speeds["sourmash", length, scale] = megabases / seconds
            table.add_row("sourmash", str(length), str(scale), f"{seconds:.2f}", f"{megabases / seconds:.1f}")
    CONSOLE.print(table)
    if arguments.sourmash:
        ratio = speeds[16, 8] / speeds["sourmash", 31, 1000]
        same = speeds[16, 8] / speeds["sourmash", 21, 8]
        CONSOLE.print(f"budwood (1 in 8) / sourmash (1 in 1000): {ratio:.1f}; both 1 in 8: {same:.1f}\n")


def sourmash_seconds(command: str, windows: Windows, length: int, scale: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        spent = []
        for name, part in (("start", windows[:1]), ("tiny", windows[:1]), ("whole", windows)):
            fasta = Path(folder) / f"{name}.fa"
            fasta.write_text(f">{name}\n{decode(part.reshape(-1))}\n", encoding="ascii")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            settings = [
                "-p",
                f"dna,k={length},scaled={scale},noabund",
                "-o",
                f"{folder}/{name}.sig",
                str(fasta),
            ]
            subprocess.run([command, "sketch", "dna", *settings], check=True, capture_output=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return spent[2] - spent[1]


def find_planted(arguments: argparse.Namespace) -> None:
    """Share of planted copies whose partner is their original."""
    count = round(1000 * arguments.scale)
    background = unrelated(10 * count, 2)
    kinds = {
        "substitutions": (0, 0.0, False),
        "+ other strand": (0, 0.0, True),
        "+ shift 0-256": (256, 0.0, True),
        "+ indels": (256, 0.15, True),
    }
    title = f"Planted copies found, {count} each among {len(background):,} windows"
    table = Table("bases hit", *kinds, "those at >= .90", "others dropped", title=title)
    for divergence in (0, 0.01, 0.02, 0.05, 0.075, 0.1, 0.125, 0.15):
        found, others = [], 0
        for shift, indels, strands in kinds.values():
            planted = copies(background[:count], divergence, shift, indels, strands, 3)
            result = near_duplicates(np.concatenate([background, planted]))
            right = result.partner[len(background) :] == np.arange(count)
            found.append(right.mean())
            others += int((~result.keep[: len(background)]).sum())
        close = (right & (result.identity[len(background) :] >= 0.9)).mean()
        table.add_row(f"{divergence:.1%}", *(f"{share:.3f}" for share in (*found, close)), str(others))
    CONSOLE.print(table)


def count_false(arguments: argparse.Namespace) -> None:
    """Windows dropped where nothing is related, and the cost of a large pass."""
    table = Table(
        "windows", "Mb", "dropped", "CPU s", "Mb/s", "peak GB", title="Nothing planted: all unrelated"
    )
    for count in (20000, 100000, 500000):
        windows = unrelated(round(count * arguments.scale), 4)
        seconds, result = cpu_seconds(partial(near_duplicates, windows))
        megabases = windows.size / 1e6
        row = (f"{len(windows):,}", f"{megabases:.0f}", str(int((~result.keep).sum())), f"{seconds:.1f}")
        table.add_row(*row, f"{megabases / seconds:.1f}", f"{peak_gigabytes():.2f}")
    CONSOLE.print(table)


def confirm_real(arguments: argparse.Namespace) -> None:
    """Windows of real genomes: how many are dropped, and whether edlib finds their partners as similar."""
    table = Table(
        "genome", "windows", "dropped", ">= .90", ">= .95", "CPU s", "Mb/s",
        "edlib >= .85", ">= .80", "unrelated pairs >= .80", title="Real windows at identity >= .85",
    )  # fmt: skip
    for name in GENOMES:
        windows = genome_windows(name)
        windows = windows[: round(len(windows) * arguments.scale)]
        began = time.process_time()
        result = near_duplicates(windows)
        seconds = time.process_time() - began
        random = np.random.default_rng(5)
        dropped = np.flatnonzero(~result.keep)
        sample = random.choice(dropped, min(1000, len(dropped)), replace=False)
        checked = edlib_identity(windows[sample], windows[result.partner[sample]])
        others = edlib_identity(windows[sample], windows[random.permutation(len(windows))[: len(sample)]])
        shares = [(~result.keep).mean(), *((result.identity >= least).mean() for least in (0.9, 0.95))]
        table.add_row(
            name.split("/")[0], f"{len(windows):,}", *(f"{share:.1%}" for share in shares), f"{seconds:.0f}",
            f"{windows.size / 1e6 / seconds:.2f}", f"{(checked >= 0.85).mean():.3f}",
            f"{(checked >= 0.8).mean():.3f}", f"{(others >= 0.8).mean():.4f}",
        )  # fmt: skip
    CONSOLE.print(table)
    CONSOLE.print(
        "edlib: best of the 40 % stretches of a window, every 8 bases, in its partner on either strand\n"
    )


def edlib_identity(queries: Windows, targets: Windows) -> NDArray[np.float64]:
    import edlib

    stretch = round(NearDuplicateConfig().min_coverage * WINDOW)
    found = np.zeros(len(queries))
    for row, (query, target) in enumerate(zip(queries, targets, strict=True)):
        strands = [decode(target), decode(reverse_complement(target))]
        letters = decode(query)
        for start in range(0, WINDOW - stretch + 1, 8):
            for strand in strands:
                piece = letters[start : start + stretch]
                distance = edlib.align(piece, strand, mode="HW", task="distance", k=stretch // 3)[
                    "editDistance"
                ]
                if distance >= 0:
                    found[row] = max(found[row], 1 - distance / stretch)
    return found


def plant_relatives(arguments: argparse.Namespace) -> None:
    """Share of validation windows that reach the thresholds of a cell, planted above or below them."""
    count = round(150 * arguments.scale)
    training = unrelated(round(20000 * arguments.scale), 6)
    config = LeakageConfig()
    for title, identity_off, coverage_off in (
        ("beyond: identity + .01, coverage + .08", 0.01, 0.08),
        ("short: identity - .04", -0.04, 0.08),
        ("short: coverage - .08", 0.01, -0.08),
    ):
        cells = [(i, c) for i in config.identities for c in config.coverages]
        planted = [
            relatives(training[:count], min(1.0, identity + identity_off), coverage + coverage_off, seed)
            for seed, (identity, coverage) in enumerate(cells)
        ]
        closest = closest_identity(np.concatenate(planted), training, config).reshape(len(cells), count, -1)
        columns = [f"coverage {coverage}" for coverage in config.coverages]
        table = Table("identity", *columns, title=f"Leakage: relatives counted, planted {title}")
        for row, identity in enumerate(config.identities):
            here = closest[row * len(columns) : (row + 1) * len(columns)]
            shares = [(here[column, :, column] >= identity).mean() for column in range(len(columns))]
            table.add_row(f"{identity}", *(f"{share:.3f}" for share in shares))
        CONSOLE.print(table)
    nothing = leakage_report(unrelated(2000, 7), training, config)
    CONSOLE.print(f"unrelated validation windows counted: {nothing.counts[0]} of {nothing.examined}\n")


def relatives(windows: Windows, identity: float, coverage: float, seed: int) -> Windows:
    """Unrelated windows with a stretch of these, on either strand, with a given number of substitutions."""
    random = np.random.default_rng(seed)
    bases = round(coverage * WINDOW)
    planted = unrelated(len(windows), 100 + seed)
    for row, window in enumerate(windows):
        here, there = random.integers(WINDOW - bases + 1, size=2)
        stretch = window[there : there + bases].copy()
        hit = random.choice(bases, round((1 - identity) * bases), replace=False)
        stretch[hit] = (stretch[hit] + random.integers(1, 4, len(hit))) % 4
        planted[row, here : here + bases] = stretch if row % 2 else reverse_complement(stretch)
    return planted


def split_real(arguments: argparse.Namespace) -> None:
    """Leakage of a random tenth of windows and of clusters, after near-duplicate removal."""
    windows = genome_windows(GENOMES[0])[: round(20000 * arguments.scale)]
    windows = windows[near_duplicates(windows).keep]
    began = time.process_time()
    clusters = homology_clusters(windows)
    seconds = time.process_time() - began
    sizes = np.bincount(clusters)
    CONSOLE.print(
        f"{len(windows):,} windows in {len(sizes):,} clusters ({seconds:.0f} CPU s); largest {sizes.max()},"
        f" {(sizes == 1).sum():,} of one window"
    )
    random = np.random.default_rng(8)
    chosen = {
        "random windows": random.random(len(windows)) < 0.1,
        "whole clusters": (random.random(len(sizes)) < 0.1)[clusters],
    }
    for name, validation in chosen.items():
        report = leakage_report(windows[validation], windows[~validation])
        table = Table("identity", *(f"coverage {c}" for c in report.coverages), title=f"Leakage, {name}")
        for identity, shares in zip(report.identities, report.shares, strict=True):
            table.add_row(f"{identity}", *(f"{share:.3f}" for share in shares))
        CONSOLE.print(table)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "sketch": compare_sketches,
    "planted": find_planted,
    "false": count_false,
    "leakage": plant_relatives,
    "real": confirm_real,
    "split": split_real,
}


if __name__ == "__main__":
    main()
