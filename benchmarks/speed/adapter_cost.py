"""Cost of trait supervision: 3,000 accessions x 20,000 windows, all accessions at once and one by one.

    python benchmarks/speed/adapter_cost.py --accessions 3000 --windows 20000 --steps 4 --precision bf16

The panel is made up: inbred accessions, 2 to 10 haplotypes per window that differ in 1 to 4 bases. A few
steps of 16 windows are timed, the reading of their sequences without gradient (for the ratios), and the
products of haplotypes with all accessions for a part of the windows; the rest is by proportion: the passes
and ratios that ``budwood adapt`` has by default for so many windows. Accession by accession, every window of
every accession is read with gradient at the measured speed; that too is by proportion. Times are seconds of
processor cores; with ``--threads 2`` the clock of the steps stands beside them. Memory is the peak of this
process with the whole table in it.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch

from benchmarks.common.arguments import parser_for
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.low_rank import LowRank, rank_of_share
from budwood.model.checkpoint import load_checkpoint
from budwood.training.adaptation.trait_supervision import (
    FOLLOWED,
    LOOKS,
    Supervision,
    projection,
    supervise,
    window_products,
)


def made_up(accessions: int, windows: int) -> HaplotypeTable:
    """Inbred accessions with a few haplotypes in every window."""
    random = np.random.default_rng(0)
    counts = 2 + np.minimum(8, random.poisson(1.5, windows))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    sequences = random.integers(0, 4, (windows, 512), dtype=np.uint8).repeat(counts, axis=0)
    for row in set(range(len(sequences))) - set(offsets[:-1].tolist()):
        places = random.integers(0, 512, random.integers(1, 5))
        sequences[row, places] = (sequences[row, places] + 1) % 4
    codes = np.empty((accessions, windows, 1), dtype=np.uint8)
    for w, count in enumerate(counts):
        codes[:, w, 0] = random.choice(count, accessions, p=random.dirichlet(np.ones(count)))
    places = tuple(Interval("chr1", 512 * w, 512 * (w + 1)) for w in range(windows))
    names = tuple(f"a{k}" for k in range(accessions))
    return HaplotypeTable(names, places, sequences, offsets, codes, {})


def part(table: HaplotypeTable, windows: int) -> HaplotypeTable:
    """The first windows of a table."""
    end = int(table.offsets[windows])
    return HaplotypeTable(
        table.accessions,
        table.windows[:windows],
        table.sequences[:end],
        table.offsets[: windows + 1],
        table.codes[:, :windows],
        {},
    )


def main() -> None:
    """Time the parts and print what the whole takes."""
    parser = parser_for(__doc__)
    parser.add_argument("--accessions", type=int, default=3000)
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--precision", choices=("bf16", "float32"), default="bf16")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    table = made_up(asked.accessions, asked.windows)
    values = np.random.default_rng(1).normal(size=asked.accessions)
    begun = time.process_time()
    p, projected = projection(values, np.eye(asked.accessions))
    solving = time.process_time() - begun
    begun = time.process_time()
    some = part(table, min(1000, asked.windows))
    window_products(some, p, projected)
    products = (time.process_time() - begun) * asked.windows / len(some.windows)
    checkpoint = load_checkpoint(device="cpu")
    adapted = AdaptedEncoder(checkpoint)
    adapted.new("cost", LowRank(rank=rank_of_share(checkpoint.encoder)), seed=0)
    trained = adapted.train_only("cost")
    few = part(table, 16 * asked.steps)
    few = few.take(range(min(200, asked.accessions)))
    plan = Supervision(passes=1, precision=asked.precision)
    clock, whole = time.perf_counter(), time.process_time()
    history = supervise(
        adapted.encoder,
        trained,
        few,
        values[: len(few.accessions)],
        np.eye(len(few.accessions)),
        plan,
        show=False,
    )
    clock, whole = time.perf_counter() - clock, time.process_time() - whole
    assert history.sequences == few.n_sequences
    # Ratios before and on the way read every sequence on both strands without gradient.
    begun = time.process_time()
    tokens = torch.from_numpy(few.sequences.astype(np.int64))
    with torch.no_grad():
        for rows in tokens.split(32):
            adapted.encoder.embed_strands(rows)
    reading = (time.process_time() - begun) / few.n_sequences
    per_sequence = whole / few.n_sequences - len(history.validation) * reading
    passes, ratios = Supervision().passes_of(asked.windows), 1 + LOOKS
    pass_seconds = per_sequence * table.n_sequences * passes
    followed = ratios * reading * table.n_sequences * min(1.0, FOLLOWED / asked.windows)
    one_by_one = per_sequence * table.brute_force_windows * passes
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    total = solving + products + pass_seconds + followed
    print(f"{table.n_sequences:,} distinct sequences instead of {table.brute_force_windows:,}")
    print(
        f"steps and ratios of {few.n_sequences} sequences: {whole:.1f} s of cores, {clock:.1f} s by the clock"
    )
    print(f"one sequence with gradient, {asked.precision}: {1000 * per_sequence:.1f} ms of one core")
    print(f"one sequence without, both strands, float32: {1000 * reading:.1f} ms of one core")
    print(f"projection {solving:.1f} s, products with all accessions {products:.0f} s")
    print(f"steps of {passes} pass: {pass_seconds / 60:.1f} min, {ratios} ratios: {followed / 60:.1f} min")
    print(f"all: {total / 60:.1f} min of one core, half of it on two")
    print(f"accession by accession: {one_by_one / 3600:,.0f} h, {one_by_one / total:.0f} times as much")
    print(f"peak memory {memory:.2f} GB")


if __name__ == "__main__":
    main()
