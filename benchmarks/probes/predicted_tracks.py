"""Tracks that a checkpoint predicts on Arabidopsis Chr5, of which it has seen none, beside k-mers.

    python benchmarks/probes/predicted_tracks.py --checkpoint runs/tracks/checkpoint --out tracks.json

Four stretches of 0.5 Mb of Chr5, whose tracks recipes/tracks.toml leaves out. For every 8 bases: AUROC of
the probability, true where the middle base lies in an interval of the track (as in training); bootstrap over
blocks of 50 kb. For ``--baseline``: logistic regression on 5-mer counts of the 512 bases around, both
strands, fitted on Chr1 with the same truth, and the share of A and T, on every eighth step, with paired
differences.
``r of 1 kb``: correlation of the mean over 1,000 bases with the measured share of these bases, which is what
weighs markers.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.pretraining.track_sources import (
    ANY,
    arabidopsis_states,
    arabidopsis_transposons,
    covered,
)
from budwood.corpus.masking.kmer_spectrum import kmer_indices
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.inference.tracks import STEP, predict_tracks
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.kmer_models import canonical_kmers
from budwood.probing.linear import LinearProbe, compare_auroc, score_auroc

STARTS = (3_000_000, 10_000_000, 17_000_000, 24_000_000)
BLOCK = 50_000
SPARSE = 8
DRAWS = 200
AROUND = 512


def measured(contig: str, length: int) -> dict[str, NDArray[np.bool_]]:
    """Whether each base of a contig lies in an interval of each track."""
    places = [*arabidopsis_states(contig), *arabidopsis_transposons(contig=contig)]
    return covered(places, length)


def kmer_features(assembly: Assembly, contig: str, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Square roots of 5-mer counts around steps, and the share of G and C."""
    classes, count = canonical_kmers(5)
    features = np.zeros((len(starts), count + 1), dtype=np.float32)
    for row, start in zip(features, starts.tolist(), strict=True):
        middle = start + STEP // 2
        codes = assembly.sequence(Interval(contig, middle - AROUND // 2, middle + AROUND // 2))
        index, whole = kmer_indices(codes, 5)
        row[:-1] = np.sqrt(np.bincount(classes[index[whole]], minlength=count))
        row[-1] = np.isin(codes, (1, 2)).mean()
    return features


def baselines(
    chr1: Assembly, chr5: Assembly, steps: NDArray[np.int64], names: list[str], fitted: int
) -> dict[str, NDArray[np.float64]]:
    """Log odds of each track at steps of Chr5 by 5-mers, and the share of A and T."""
    length = chr1.contigs["Chr1"]
    truth = measured("Chr1", length)
    drawn = np.random.default_rng(0).integers(100, length // STEP - 100, fitted) * STEP
    known, features = kmer_features(chr1, "Chr1", drawn), kmer_features(chr5, "Chr5", steps)
    found = {"A and T": 1 - features[:, -1].astype(np.float64)}
    for name in names:
        found[name] = LinearProbe().fit(known, truth[name][drawn + STEP // 2]).decision(features)
    return found


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="none: the baselines alone")
    parser.add_argument("--baseline", default=f"open chromatin,{ANY}", help="tracks with k-mers beside them")
    parser.add_argument("--fitted", type=int, default=6_000, help="steps of Chr1 that k-mers are fitted on")
    parser.add_argument("--length", type=int, default=500_000, help="bases of each of the four stretches")
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--out", type=Path, required=True, help="figures as JSON; baselines are kept beside")
    arguments = parser.parse_args()
    folder = data_folder() / "genomes/arabidopsis_thaliana"
    chr1, chr5 = (open_fasta(folder / f"{name}.fa.xz") for name in ("chr1", "chr5"))
    places = [Interval("Chr5", start, start + arguments.length) for start in STARTS]
    wanted = [name for name in arguments.baseline.split(",") if name]
    sparse = np.concatenate([np.arange(each.start, each.end, SPARSE * STEP) for each in places])
    kept = arguments.out.with_suffix(f".{arguments.length}.{arguments.fitted}.baselines.npz")
    if not kept.exists():
        np.savez(kept, **baselines(chr1, chr5, sparse, wanted, arguments.fitted))
        print(f"baselines: {kept}", flush=True)
    others = dict(np.load(kept))
    if arguments.checkpoint is None:
        return
    checkpoint = load_checkpoint(arguments.checkpoint, precision="bf16" if arguments.half else "float32")
    truth = measured("Chr5", chr5.contigs["Chr5"])
    begun = time.perf_counter()
    stretches = list(predict_tracks(chr5, checkpoint, places=places))
    print(f"{time.perf_counter() - begun:.0f} s for {len(STARTS) * arguments.length:,} bases", flush=True)
    steps = np.concatenate([np.arange(each.start, each.end, STEP) for each in stretches])
    chances = np.concatenate([each.probability for each in stretches])
    known = ~np.isnan(chances[:, 0])
    few = known & np.isin(steps, sparse)
    among = np.isin(sparse, steps[few])
    blocks, kilobases = (np.unique(steps[known] // size, return_inverse=True)[1] for size in (BLOCK, 1000))
    table = []
    for number, name in enumerate(checkpoint.head.names):
        labels, score = truth[name][steps + STEP // 2], chances[:, number]
        found = score_auroc(score[known], labels[known], groups=blocks, draws=DRAWS)
        sums = (np.bincount(kilobases, weights=values[known]) for values in (score, labels))
        record = {
            "track": name,
            "auroc": [found.auroc, found.lower, found.upper],
            "steps": int(known.sum()),
            "share measured": float(labels[known].mean()),
            "mean probability": float(score[known].mean()),
            "r of 1 kb": float(np.corrcoef(*(each / np.bincount(kilobases) for each in sums))[0, 1]),
        }
        if name in wanted:
            groups = np.unique(steps[few] // BLOCK, return_inverse=True)[1]
            for other, value in (("5-mers", others[name][among]), ("A and T", others["A and T"][among])):
                own = score_auroc(value, labels[few], groups=groups, draws=DRAWS)
                gain = compare_auroc(score[few], value, labels[few], groups=groups, draws=DRAWS)
                record[other] = [own.auroc, own.lower, own.upper]
                record[f"less {other}"] = [gain.difference, gain.lower, gain.upper]
        table.append(record)
        print(json.dumps(record), flush=True)
    record = {"digest": checkpoint.digest, "precision": checkpoint.precision, "tracks": table}
    arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
