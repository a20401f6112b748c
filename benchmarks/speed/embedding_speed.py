"""Embedding speed in bases per second of processor time, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/speed/embedding_speed.py

Windows of 512 random bases, both strands read, float32, in batches of 16 as in ``budwood embed``; then the
same windows from the store of vectors. Processor time does not count other work on the machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch

from benchmarks.common.arguments import parser_for
from benchmarks.common.timing import cpu_seconds
from budwood.config import WINDOW
from budwood.inference.embed import Pool, encode_chunk, sequence_digest
from budwood.inference.vector_store import open_store
from budwood.model.backbone import load_backbone


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--windows", type=int, default=96)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = load_backbone(arguments.checkpoint)
    codes = np.random.default_rng(1).integers(0, 4, (arguments.windows, WINDOW), dtype=np.uint8)
    vectors = encode_chunk(codes[:16], model, Pool.MEAN, False)
    speeds = []
    for _ in range(arguments.repeats):
        seconds, vectors = cpu_seconds(lambda: encode_chunk(codes, model, Pool.MEAN, False))
        speeds.append(codes.size / seconds)
    figures = ", ".join(f"{value:,.0f}" for value in sorted(speeds))
    print(f"{model.name}: encoded, bases per second of one core: {figures}")
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(model.digest, "mean", model.embedding_size, Path(folder)) as store,
    ):
        store.put([sequence_digest(row) for row in codes], vectors)
        seconds, _ = cpu_seconds(lambda: store.get([sequence_digest(row) for row in codes]))
    print(f"{model.name}: out of the store, bases per second of one core: {codes.size / seconds:,.0f}")


if __name__ == "__main__":
    main()
