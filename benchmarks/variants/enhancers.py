"""Do scores of variants follow measured effects in plant enhancers?

    python benchmarks/variants/enhancers.py --out enhancers.json

Every single-base change of two plant enhancers, two segments each (pea AB80, wheat Cab-1), with the strength
measured in tobacco leaves in the dark and in light (Jores et al. 2024). The measured effect is the strength
minus the median over the segment's changes. Spearman correlation of each score with the effect and with its
size, by segment, with 95 % intervals from 1,000 bootstrap draws of positions, beside the change of GC and a
k-mer model of each base given five on either side that was counted on Brassica napus.
"""

from __future__ import annotations

import csv
import json
import lzma
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.inference.variants.allele_table import allele_table
from budwood.inference.variants.score import VariantScorer
from budwood.inference.variants.score_field import GROUPS, fields_of
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.kmer_models import both_strand_counts, fit_kmer_model

CONDITIONS = ("dark", "light")


def read_segments() -> dict[str, list[dict[str, str]]]:
    """Rows of the table by segment."""
    found: dict[str, list[dict[str, str]]] = {}
    path = data_folder() / "variants" / "plant_enhancer_mutagenesis.tsv.xz"
    with lzma.open(path, "rt", encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            found.setdefault(f"{row['enhancer']} {row['segment']}", []).append(row)
    return found


def kmers() -> object:
    """A model of each base given five on either side, counted on Brassica napus."""
    genome = open_fasta(data_folder() / "genomes" / "brassica_napus" / "genome.fa.xz")
    pieces = [genome.sequence(Interval(n, 0, min(size, 1 << 20))) for n, size in genome.contigs.items()]
    held_out = np.concatenate([p[: 11 * 2000].reshape(-1, 11) for p in pieces[:5]])
    return fit_kmer_model(both_strand_counts([p[22_000:] for p in pieces], 11), 5, 5, held_out)


def correlation(
    score: NDArray[np.float64], effect: NDArray[np.float64], position: NDArray[np.int64]
) -> dict[str, object]:
    """Spearman correlation with its interval over draws of positions."""
    good = np.isfinite(score) & np.isfinite(effect)
    score, effect, position = score[good], effect[good], position[good]
    places = [np.flatnonzero(position == p) for p in np.unique(position)]
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(1000):
        rows = np.concatenate([places[i] for i in random.integers(0, len(places), len(places))])
        drawn.append(spearmanr(score[rows], effect[rows]).statistic)
    return {
        "n": len(score),
        "r": round(float(spearmanr(score, effect).statistic), 3),
        "interval": [round(float(v), 3) for v in np.percentile(drawn, [2.5, 97.5])],
    }


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    checkpoint, model = load_checkpoint(arguments.checkpoint, device="cpu"), kmers()
    results = []
    for segment, rows in read_segments().items():
        changes = [row for row in rows if row["type"] == "substitution"]
        before = min(int(row["position"]) for row in changes) - 1  # positions count from the enhancer's start
        genome = InMemoryAssembly({"segment": wild_type(changes[0], before)})
        sites = [
            Site(
                "segment",
                int(row["position"]) - 1 - before,
                "m",
                (row["wild_type_base"], row["variant_base"]),
            )
            for row in changes
        ]
        table = allele_table(sites, genome)
        assert table.scored.all()
        scorer = VariantScorer(
            genome, checkpoint, fields_of(GROUPS), neighbours=model, half_precision=arguments.half
        )
        scores = scorer.score(table)
        gc = np.isin(table.alternative, (1, 2)).astype(float) - np.isin(table.reference, (1, 2))
        scores["change of GC"] = gc
        position = table.start
        for condition in CONDITIONS:
            values = np.array([number(row[f"log2_strength_{condition}"]) for row in changes])
            effect = values - np.nanmedian(values)
            for name in (
                "expected_consequence",
                "divergence",
                "shift",
                "log_likelihood_ratio",
                "kmer",
                "change of GC",
            ):
                for kind, target in (("effect", effect), ("size of effect", np.abs(effect))):
                    row = {"segment": segment, "condition": condition, "score": name, "with": kind}
                    row |= correlation(scores[name], target, position)
                    results.append(row)
        print(segment, len(changes), flush=True)
    for row in results:
        print(row)
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"digest": checkpoint.digest, "rows": results}, indent=1) + "\n", encoding="utf-8"
        )


def wild_type(change: dict[str, str], before: int) -> str:
    """The segment, which begins after that many bases of the enhancer, without a single-base change."""
    at = int(change["position"]) - 1 - before
    return change["sequence"][:at] + change["wild_type_base"] + change["sequence"][at + 1 :]


def number(text: str) -> float:
    """A number of the table, NaN where there is none."""
    return float(text) if text not in ("", "NA", "NaN", "#N/A") else float("nan")


if __name__ == "__main__":
    main()
