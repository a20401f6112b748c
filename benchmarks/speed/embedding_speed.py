"""How fast is DNA embedded: the prepared network beside the network as trained, and the core's own limit.

    OMP_NUM_THREADS=1 python benchmarks/speed/embedding_speed.py
    OMP_NUM_THREADS=1 python benchmarks/speed/embedding_speed.py --profile
    OMP_NUM_THREADS=1 python benchmarks/speed/embedding_speed.py --panel      # needs BUDWOOD_DATA

Windows of 512 random bases, both strands read, one thread, processor seconds. In turn, so that what else
runs disturbs all alike: the network as training reads it (one strand after the other, products by PyTorch),
and the prepared network that embedding reads, in float32 and in bfloat16. Beside each is the share of what
a core multiplies at most: a product of matrices by PyTorch and one by oneDNN, the faster counts. Then how
near the vectors are to those of the network in float32: correlations of vectors, of centre vectors and of
region divergences of a changed base.

``--panel``: how near the kernel of rice haplotypes in bfloat16 is to that in float32. ``--profile``: where
the time of the prepared network goes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.timing import cpu_seconds
from budwood.config import CENTRE_BASES, WINDOW
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION
from budwood.inference.embed import Pool, encode_batch, encode_chunk, sequence_digest
from budwood.inference.vector_store import open_store
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.model.encoder import pool_weights, reverse_complement_tokens
from budwood.training.monitoring.speed import operations_per_base

BATCH = 16
PRECISIONS = ("float32", "bf16")
Vectors = NDArray[np.float32]


def as_trained(
    codes: NDArray[np.uint8], checkpoint: Checkpoint, precision: str, centre: int | None = None
) -> Vectors:
    """Mean vectors of both strands by the network that training reads."""
    tokens = torch.from_numpy(codes.astype(np.int64))
    weight = pool_weights(tokens, centre)
    mixed = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()
    found = []
    with torch.inference_mode(), mixed:
        for batch, share in zip(tokens.split(BATCH), weight.split(BATCH), strict=True):
            both = [checkpoint.encoder.network(each) for each in (batch, reverse_complement_tokens(batch))]
            found.append(torch.stack([(each.features * share).sum(1) for each in both]).float().mean(0))
    return torch.cat(found).numpy()


def prepared(
    codes: NDArray[np.uint8], checkpoint: Checkpoint, precision: str, pool: Pool = Pool.MEAN
) -> Vectors:
    """Mean vectors of both strands as ``budwood embed`` reads them."""
    return encode_chunk(codes, checkpoint.in_precision(precision), pool, False, BATCH)  # type: ignore[arg-type]


def peak(precision: str) -> float:
    """Operations per second of the fastest product of matrices that one core does."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    rows, inner, columns = 2048, 1024, 1024
    left, right = torch.ones(rows, inner, dtype=kind), torch.ones(columns, inner, dtype=kind)
    products: list[Callable[[], object]] = [lambda: torch.nn.functional.linear(left, right)]
    try:
        ordered = torch.ops.mkldnn._reorder_linear_weight(right, rows)
        products.append(lambda: torch.ops.mkldnn._linear_pointwise(left, ordered, None, "none", [], ""))
    except (AttributeError, RuntimeError):
        print("oneDNN does not multiply here")
    with torch.inference_mode():
        each = [2 * rows * inner * columns / cpu_seconds(product, 10)[0] for product in products]
    names = ("PyTorch", "oneDNN")
    figures = ", ".join(f"{name} {value / 1e9:,.0f}" for name, value in zip(names, each, strict=False))
    print(f"products of matrices in {precision}, GFLOP/s of one core: {figures}")
    return max(each)


def speeds(checkpoint: Checkpoint, windows: int, repeats: int) -> None:
    codes = np.random.default_rng(1).integers(0, 4, (windows, WINDOW), dtype=np.uint8)
    # A training step is a reading forwards and two backwards; embedding reads two strands forwards.
    operations = operations_per_base(checkpoint.encoder, WINDOW) / 3 * WINDOW * 2
    print(f"{checkpoint.name}: {operations / 1e9:.2f} GFLOP for both strands of a window")
    limits = {precision: peak(precision) for precision in PRECISIONS}
    ways = {"as trained": as_trained, "prepared": prepared}
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(repeats + 1):
        for precision in PRECISIONS:
            for name, way in ways.items():
                took, _ = cpu_seconds(lambda way=way, precision=precision: way(codes, checkpoint, precision))
                seconds.setdefault((precision, name), []).append(took)
    for precision in PRECISIONS:
        usual, ready = (min(seconds[precision, name][1:]) for name in ways)
        ratios = [
            a / b
            for a, b in zip(
                seconds[precision, "as trained"][1:], seconds[precision, "prepared"][1:], strict=True
            )
        ]
        for name, took in (("as trained", usual), ("prepared", ready)):
            share = operations * windows / took / limits[precision]
            print(
                f"{precision}, {name}: {windows / took:.1f} windows/s, {codes.size / took:,.0f} bases/s, "
                f"{share:.0%} of the core's products"
            )
        print(f"{precision}: {usual / ready:.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})")
    usual, ready = min(seconds["float32", "as trained"][1:]), min(seconds["bf16", "prepared"][1:])
    print(f"bf16 prepared beside float32 as trained: {usual / ready:.2f} times as fast")


def correlation(left: Vectors, right: Vectors) -> float:
    """Smallest Pearson correlation of a row, each number less its mean over the rows."""
    left, right = left - left.mean(0), right - right.mean(0)
    return float(min(np.corrcoef(a, b)[0, 1] for a, b in zip(left, right, strict=True)))


def nearness(checkpoint: Checkpoint, windows: int) -> None:
    """Vectors and divergences of each way beside the network in float32."""
    codes = np.random.default_rng(2).integers(0, 4, (windows, WINDOW), dtype=np.uint8)
    changed = codes.copy()
    changed[:, WINDOW // 2] = (codes[:, WINDOW // 2] + 1) % 4
    exact = as_trained(codes, checkpoint, "float32")
    centre = as_trained(codes, checkpoint, "float32", CENTRE_BASES)
    with torch.inference_mode():
        expected = divergences(checkpoint, codes, changed, "network")
    for precision in PRECISIONS:
        mean, middle = (prepared(codes, checkpoint, precision, pool) for pool in Pool)
        largest = np.abs(mean - exact).max() / np.abs(exact).max()
        mixed = torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext()
        with torch.inference_mode(), mixed:
            found = divergences(checkpoint, codes, changed, "prepared")
        print(
            f"{precision}, prepared: smallest r of {windows} vectors {correlation(mean, exact):.7f}, of "
            f"centre vectors {correlation(middle, centre):.7f}; largest difference {largest:.1e} of the "
            f"largest number; region divergences of a changed base r {np.corrcoef(found, expected)[0, 1]:.7f}"
        )


def divergences(
    checkpoint: Checkpoint, codes: NDArray[np.uint8], changed: NDArray[np.uint8], way: str
) -> NDArray[np.float64]:
    """Kullback-Leibler divergence of the region probabilities of each window from those of its change."""
    logs = []
    for each in (codes, changed):
        tokens = torch.from_numpy(each.astype(np.int64))
        if way == "prepared":
            logits = checkpoint.encoder.read_regions(tokens)
        else:
            turned = reverse_complement_tokens(tokens)
            there, back = (checkpoint.encoder.network(strand).regions for strand in (tokens, turned))
            logits = (there + back.flip(1)[..., list(COMPLEMENT_REGION)]) / 2
        near = slice(WINDOW // 2 - 16, WINDOW // 2 + 17)
        logs.append(logits[:, near].double().log_softmax(-1).numpy())
    divergence: NDArray[np.float64] = (np.exp(logs[0]) * (logs[0] - logs[1])).sum((1, 2))
    return divergence


def store_speed(checkpoint: Checkpoint) -> None:
    codes = np.random.default_rng(1).integers(0, 4, (96, WINDOW), dtype=np.uint8)
    vectors = np.ones((len(codes), checkpoint.embedding_size), dtype=np.float32)
    digests = [sequence_digest(row) for row in codes]
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(checkpoint.digest, "mean", checkpoint.embedding_size, Path(folder)) as store,
    ):
        store.put(digests, vectors)
        seconds, _ = cpu_seconds(lambda: store.get([sequence_digest(row) for row in codes]))
    print(f"out of the store: {codes.size / seconds:,.0f} bases/s of one core")


def profile(checkpoint: Checkpoint) -> None:
    """Operations of the prepared network by their own time."""
    from torch.profiler import ProfilerActivity, profile

    codes = np.random.default_rng(1).integers(0, 4, (BATCH, WINDOW), dtype=np.uint8)
    for precision in PRECISIONS:
        ready = checkpoint.in_precision(precision)  # type: ignore[arg-type]
        encode_batch(codes, ready)
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
            encode_batch(codes, ready)
        by_shape = seen.key_averages(group_by_input_shape=True)
        print(f"\n{precision}")
        print(by_shape.table(sort_by="self_cpu_time_total", row_limit=16, max_shapes_column_width=70))


def panel(checkpoint: Checkpoint) -> None:
    """Kernels of rice haplotypes: prepared float32 and bfloat16 beside the network in float32."""
    from budwood.genomics.haplotypes.table import tabulate_haplotypes
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.io.variants.vcf.reader import VcfCalls
    from budwood.stats.relationship.haplotype_kernel import haplotype_kernel

    data = data_folder()
    table = tabulate_haplotypes(
        VcfCalls(data / "panels/rice_rdp1_44k/chr02_first_1Mb.vcf.gz"),
        open_fasta(data / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz"),
    )
    began = time.process_time()
    exact = as_trained(table.sequences, checkpoint, "float32")
    usual = time.process_time() - began
    kernel = haplotype_kernel(table.codes, table.offsets, exact)
    upper = np.triu_indices(len(kernel))
    first = np.repeat(table.offsets[:-1], np.diff(table.offsets))
    print(f"rice: {len(table.sequences)} distinct sequences of {len(table.windows)} windows")
    for precision in PRECISIONS:
        began = time.process_time()
        vectors = prepared(table.sequences, checkpoint, precision)
        ready = time.process_time() - began
        other = haplotype_kernel(table.codes, table.offsets, vectors)
        scale = np.abs(kernel[upper]).max()
        delta, seen = exact - exact[first], vectors - vectors[first]
        size = np.linalg.norm(delta, axis=1)
        off = (np.linalg.norm(seen - delta, axis=1)[size > 0] / size[size > 0]) * 100
        print(
            f"{precision}: {usual / ready:.2f} times as fast; kernel r "
            f"{np.corrcoef(kernel[upper], other[upper])[0, 1]:.7f}, largest difference "
            f"{np.abs(kernel - other)[upper].max() / scale:.1e} of the largest entry; differences from the "
            f"reference's sequence off by {np.median(off):.2g} % (median), {off.max():.2g} % (most)"
        )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--panel", action="store_true")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = load_checkpoint(arguments.checkpoint, device="cpu")
    if arguments.profile:
        profile(checkpoint)
    elif arguments.panel:
        panel(checkpoint)
    else:
        speeds(checkpoint, arguments.windows, arguments.repeats)
        nearness(checkpoint, arguments.windows)
        store_speed(checkpoint)


if __name__ == "__main__":
    main()
