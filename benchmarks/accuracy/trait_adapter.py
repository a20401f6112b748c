"""Trait-supervised adapters compared with the frozen encoder on rice: the same lines, paired.

    python benchmarks/accuracy/trait_adapter.py --repeats 2 --out trait.jsonl

The 170 variants of rice_rdp1_44k on the first megabase of chromosome 2 make the windows (the only panel with
published sequence here). Half of the lines train the adapter, and the mixed model of relationship and
embedding kernel; the others are predicted. Relationship: all 36,901 markers. Three predictions of the same
test lines are compared: relationship alone, with the frozen encoder's kernel, with the adapted one's.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import os
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import append_result, read_results
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.inference.embed import embed_haplotypes
from budwood.model.adapters.adapted import AdaptedEncoder
from budwood.model.adapters.low_rank import LowRank, rank_of_share
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.panel.haplotypes import build_haplotypes
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel
from budwood.training.adaptation.trait_supervision import Supervision, supervise

KEY = ("trait", "repeat", "passes", "rate")


def predicted(
    y: NDArray[np.float64],
    kernels: list[NDArray[np.float64]],
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Genetic values of the test lines by REML and BLUP on the training lines."""
    inside = [kernel[np.ix_(train, train)] for kernel in kernels]
    fitted = blup(y[train], inside, reml(y[train], inside))
    cross = [kernel[np.ix_(test, train)] for kernel in kernels]
    return fitted.predict(cross, [np.diagonal(kernel)[test] for kernel in kernels]).value


def main() -> None:
    """Adapt, predict and print a line for each trait and repeat."""
    parser = parser_for(__doc__)
    parser.add_argument("--traits", default="Flowering_time_at_Arkansas,Plant_height")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    data = Path(os.environ["BUDWOOD_DATA"])
    rice, genome = data / "panels" / "rice_rdp1_44k", data / "genomes" / "oryza_sativa"
    table = build_haplotypes(rice / "chr02_first_1Mb.vcf.gz", genome / "chr02_first_1Mb.fa.xz")
    phenotypes = read_phenotypes(rice / "pheno.csv")
    stored = np.load(rice / "geno.npz", allow_pickle=False)
    ids = [str(name) for name in stored["ids"]]
    dosage = stored["dosage"].astype(np.float32)
    checkpoint = load_checkpoint(device="cpu")
    frozen = embed_haplotypes(table, checkpoint, show=False)
    done = read_results(asked.out, *KEY) if asked.out else {}
    for trait in asked.traits.split(","):
        values = phenotypes.means(trait)
        names = [name for name in table.accessions if name in values and name in ids]
        y = np.array([values[name] for name in names])
        own = table.take([table.accessions.index(name) for name in names])
        relationship = made_relationship(dosage[[ids.index(name) for name in names]])
        for repeat in range(asked.repeats):
            key = dict(zip(KEY, (trait, repeat, asked.passes, asked.rate), strict=True))
            if tuple(key.values()) in done:
                continue
            order = np.random.default_rng(repeat).permutation(len(names))
            train, test = np.sort(order[::2]), np.sort(order[1::2])
            adapted = AdaptedEncoder(checkpoint)
            adapted.new("trait", LowRank(rank=rank_of_share(checkpoint.encoder)), seed=repeat)
            begun = time.process_time()
            history = supervise(
                adapted.encoder,
                adapted.train_only("trait"),
                own.take(train),
                y[train],
                relationship[np.ix_(train, train)],
                Supervision(passes=asked.passes, learning_rate=asked.rate, seed=repeat),
                show=False,
            )
            seconds = time.process_time() - begun
            adapted.use("trait")
            merged: Checkpoint = adapted.merged_checkpoint()
            vectors = {"frozen": frozen, "adapted": embed_haplotypes(own, merged, cache=False, show=False)}
            chosen = np.isin(np.arange(len(names)), train)
            r = {"relationship": predicted(y, [relationship], train, test)}
            for name, each in vectors.items():
                kernel = haplotype_kernel(own.codes, own.offsets, each, training=chosen)
                r[name] = predicted(y, [relationship, kernel], train, test)
                r[f"{name} alone"] = predicted(y, [kernel], train, test)
            record = {**key, "lines": len(names), "sequences": own.n_sequences, "seconds": round(seconds, 1)}
            record |= {name: round(float(np.corrcoef(g, y[test])[0, 1]), 4) for name, g in r.items()}
            record |= {"best": history.best, "ratios": [round(v, 3) for v in history.validation]}
            print(record, flush=True)
            if asked.out:
                append_result(asked.out, record)


def made_relationship(dosage: NDArray[np.float32]) -> NDArray[np.float64]:
    """VanRaden's relationship, missing calls at the mean."""
    known = np.where(dosage < 0, np.nan, dosage)
    mean = np.nanmean(known, axis=0)
    centred = np.where(np.isnan(known), 0.0, known - mean)
    return (centred @ centred.T / (mean * (1 - mean / 2)).sum()).astype(np.float64)


if __name__ == "__main__":
    main()
