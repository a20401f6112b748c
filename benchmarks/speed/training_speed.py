"""Training speed of the encoder compared with a BERT of as many parameters that reads single bases.

    python benchmarks/speed/training_speed.py --batch 16

Both train on the same random bases, windows of 512, alternately in the same run; each step is a forward and a
backward pass with an AdamW update. The BERT is ``transformers.BertForMaskedLM`` with one token for each base,
built from its configuration. Its width is that of the encoder's attention, and its depth is chosen so that
the numbers of parameters agree. Times are processor time, which does not count other work on the machine; set
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForMaskedLM

from benchmarks.common.arguments import parser_for
from budwood.config import WINDOW
from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.sequence import MASK, VOCABULARY_SIZE
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.training.objective.locus_offset import NO_OFFSET
from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective
from budwood.training.objective.training_batch import NO_ORDER, TrainingBatch


def bert(parameters: int, size: int, heads: int) -> BertForMaskedLM:
    """BERT with the depth whose number of parameters is nearest."""

    def build(layers: int) -> BertForMaskedLM:
        return BertForMaskedLM(
            BertConfig(
                vocab_size=VOCABULARY_SIZE,
                hidden_size=size,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=4 * size,
                max_position_embeddings=WINDOW,
            )
        )

    return min((build(layers) for layers in range(1, 13)), key=lambda m: abs(count(m) - parameters))


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def seconds_per_step(module: nn.Module, loss: Callable[[], Tensor], precision: str) -> float:
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-4)
    begun = time.process_time()
    with torch.autocast("cpu", torch.bfloat16) if precision == "bf16" else nullcontext():
        value = loss()
    value.backward()
    optimiser.step()
    optimiser.zero_grad()
    return time.process_time() - begun


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=5, help="steps of each network, in turn")
    parser.add_argument("--precision", choices=["bf16", "no"], action="append")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    config = BudwoodConfig()
    objective = PretrainingObjective(BudwoodEncoder(config), ObjectiveConfig())
    peer = bert(count(objective), config.hidden_size, config.heads)
    codes = torch.randint(0, 4, (arguments.batch, WINDOW))
    hidden = torch.rand(codes.shape) < 0.15
    region = torch.randint(0, len(BaseClass), codes.shape)
    nothing = torch.full_like(codes, NO_OFFSET)
    column = torch.zeros(*codes.shape, 4)
    unasked = torch.full((len(codes),), NO_ORDER)
    labels = region, nothing, column, unasked, torch.zeros_like(codes), torch.zeros(len(codes))
    batch = TrainingBatch(codes, hidden, torch.zeros_like(hidden), *labels)
    asked = codes.masked_fill(~hidden, -100)

    def ours() -> Tensor:
        return objective(batch, objective.totals(batch))["loss"]

    def theirs() -> Tensor:
        return peer(input_ids=codes.masked_fill(hidden, MASK), labels=asked).loss

    rows = []
    for precision in arguments.precision or ["bf16", "no"]:
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(arguments.steps + 1):
            times[0].append(seconds_per_step(objective, ours, precision))
            times[1].append(seconds_per_step(peer, theirs, precision))
        # The first step of each sets up its buffers.
        speeds = [codes.numel() / statistics.median(each[1:]) for each in times]
        rows.append(
            {
                "precision": precision,
                "threads": torch.get_num_threads(),
                "encoder_parameters": count(objective),
                "bert_parameters": count(peer),
                "bert_layers": peer.config.num_hidden_layers,
                "encoder_bases_per_second": round(speeds[0]),
                "bert_bases_per_second": round(speeds[1]),
                "ratio": round(speeds[0] / speeds[1], 2),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
