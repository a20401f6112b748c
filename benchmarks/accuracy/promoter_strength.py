"""Promoter strength from one species to two others: fine-tuned, from scratch, convolution, k-mers.

    python benchmarks/accuracy/promoter_strength.py --assay leaf --sizes 500,1686 --out promoters.jsonl

Models learn from core promoters of 170 bases of Arabidopsis (``--source``: sorghum or maize; a tenth of
them determines when to stop) and predict those of the two other species, whose strength was measured by the
same assay (Jores et al. 2021, Nature Plants 7:842). ``--ways``: full, low-rank, scratch, convolution, kmers.
Pearson r on ``--test`` promoters of each species. With ``--out``, finished runs are kept, and a second run
computes only those that are missing; ``--table`` prints their means over seeds, with paired differences from
full fine-tuning and 95 % t intervals. ``--predictions FOLDER`` keeps what each run predicts, for
promoter_few_shot.py.
"""

from __future__ import annotations

import lzma
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import os

import numpy as np
from scipy.stats import t as student

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import Record, append_result, read_results
from budwood.genomics.sequence import encode
from budwood.inference.embed import stack_sequences
from budwood.model.adapters.low_rank import LowRank
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.sequence_models import Examples, FineTuning, fit_sequence_model
from budwood.training.finetuning.fit import FitConfig, read_network
from budwood.training.finetuning.outputs import value_outputs

SPECIES = {"arabidopsis": "At", "sorghum": "Sb", "maize": "Zm"}
NAMES = {
    "full": "fine-tuned",
    "low-rank": "fine-tuned",
    "scratch": "from scratch",
    "convolution": "convolution",
    "kmers": "k-mers",
}
KEY = ("assay", "source", "size", "way", "rank", "alpha", "rate", "epochs", "strand", "precision", "seed")


def read(assay: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, strengths and species of all promoters of an assay."""
    path = Path(os.environ["BUDWOOD_DATA"], "labels", f"tobjores_CNN_test_{assay}.tsv.xz")
    with lzma.open(path, "rt") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle][1:]
    codes = stack_sequences([encode(row[3]) for row in rows])[:, :170]
    return codes, np.array([[float(row[4])] for row in rows]), np.array([row[1] for row in rows])


def test_rows(species: np.ndarray, name: str, limit: int) -> np.ndarray:
    """Promoters of a species that are predicted, the same in every run."""
    rows = np.flatnonzero(species == SPECIES[name])
    return np.random.default_rng(0).permutation(rows)[:limit]


def table(records: Iterable[Record]) -> list[str]:
    """Lines of a table: mean r over seeds, and full fine-tuning minus each other way on the same seeds."""
    runs: dict[tuple[object, ...], dict[int, Record]] = defaultdict(dict)
    for record in records:
        setting = (record["rank"], record["alpha"], record["rate"]) if record["way"] == "low-rank" else ()
        runs[record["assay"], record["source"], record["size"], record["way"], *setting][record["seed"]] = (
            record
        )
    lines = []
    for (assay, source, size, way, *setting), by_seed in sorted(runs.items(), key=str):
        full = runs.get((assay, source, size, "full"), {})
        cells = [f"{assay} {source} {size} {' '.join(map(str, (way, *setting)))}: seeds {len(by_seed)}"]
        for name in (each for each in SPECIES if each != source):
            cells.append(f"{name} {np.mean([run[name] for run in by_seed.values()]):.3f}")
            seeds = sorted(set(by_seed) & set(full))
            if way != "full" and len(seeds) > 1:
                gain = np.array([full[seed][name] - by_seed[seed][name] for seed in seeds])
                half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / len(gain) ** 0.5
                low, high = gain.mean() - half, gain.mean() + half
                cells.append(f"full less this {gain.mean():+.3f} ({low:+.3f} to {high:+.3f})")
        lines.append(", ".join(cells))
    return lines


def main() -> None:
    """Train and print a line for each run."""
    parser = parser_for(__doc__)
    parser.add_argument("--assay", choices=("leaf", "proto"), default="leaf")
    parser.add_argument("--source", choices=SPECIES, default="arabidopsis", help="species to learn from")
    parser.add_argument("--sizes", default="1686", help="training promoters, with commas between")
    parser.add_argument("--ways", default="full,scratch,convolution,kmers")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=float, default=16.0)
    parser.add_argument("--rate", type=float, help="peak learning rate; 5e-4, or 3e-3 for low-rank")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--strand", choices=("own", "both"), default="own")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="bf16")
    parser.add_argument("--test", type=int, default=1000, help="test promoters of each species at most")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--predictions", type=Path, help="folder for the predictions of each run")
    parser.add_argument("--table", action="store_true", help="print what --out holds, and train nothing")
    asked = parser.parse_args()
    if asked.table:
        print("\n".join(table(read_results(asked.out, *KEY).values())))
        return
    codes, strength, species = read(asked.assay)
    checkpoint = load_checkpoint(asked.checkpoint, device="cpu")
    done = read_results(asked.out, *KEY) if asked.out else {}
    for size in map(int, asked.sizes.split(",")):
        for way in asked.ways.split(","):
            for seed in map(int, asked.seeds.split(",")):
                rate = asked.rate or (3e-3 if way == "low-rank" else 5e-4)
                record = {**vars(asked), "size": size, "way": way, "rate": rate, "seed": seed}
                record = {name: record[name] for name in KEY}
                if tuple(record.values()) in done:
                    continue
                random = np.random.default_rng(seed)
                chosen = random.permutation(np.flatnonzero(species == SPECIES[asked.source]))[:size]
                kept = max(10, len(chosen) // 10)
                outputs = value_outputs(["strength"], strength, chosen[kept:])
                examples = Examples(
                    codes=codes,
                    truth=strength,
                    outputs=outputs,
                    training=chosen[kept:],
                    validation=chosen[:kept],
                )
                fit = FitConfig(
                    learning_rate=rate,
                    epochs=asked.epochs * max(1, min(3, 500 // size)),
                    batch=32 if size > 500 else 16,
                    precision=asked.precision,
                    seed=seed,
                )
                how = FineTuning(
                    way="low-rank" if way == "low-rank" else "full",
                    low_rank=LowRank(rank=asked.rank, alpha=asked.alpha),
                    strand=asked.strand,
                    fit=fit,
                )
                begun = time.process_time()
                model = fit_sequence_model(NAMES[way], examples, checkpoint, how, show=False)
                record["seconds"] = round(time.process_time() - begun, 1)
                record["trained"] = model.trained
                record["best_pass"] = model.history.best if model.history else None
                for name in (each for each in SPECIES if each != asked.source):
                    rows = test_rows(species, name, asked.test)
                    give = model.read
                    if model.network is not None:
                        give = partial(read_network, model.network, precision=asked.precision)
                    given = give(codes[rows])[:, 0]
                    record[name] = round(float(np.corrcoef(given, strength[rows, 0])[0, 1]), 4)
                    if asked.predictions:
                        asked.predictions.mkdir(parents=True, exist_ok=True)
                        stem = f"{asked.assay}-{asked.source}-{name}-{way}-{size}-seed{seed}"
                        np.save(asked.predictions / f"{stem}.npy", given)
                print(record, flush=True)
                if asked.out:
                    append_result(asked.out, record)


if __name__ == "__main__":
    main()
