"""Fit the head of interval tracks again, on an encoder that stays as it is.

    python benchmarks/pretraining/fit_track_head.py --out runs/refitted

One logistic regression for each track on the mean vectors of 8 bases, both strands joined, as the head is
read. Chromatin is fitted on Arabidopsis Chr1 alone; tracks of transposons on Chr1 and Brazil nut, each genome
with half of the weight. Shares of the classes are natural, so that the probabilities are calibrated on the
genomes of the fit. The stretches that are scored elsewhere are left out: the first 306,000 bases of Chr1 and
the last tenth of Brazil nut. One penalty for all tracks is chosen by the log loss on the last fifth of Chr1.
``--out`` holds a copy of the checkpoint with the new head; the digest of the encoder is the same.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.pretraining.broad_sources import HELD_OUT
from benchmarks.pretraining.track_sources import (
    ANY,
    SUPERFAMILIES,
    Place,
    arabidopsis_states,
    arabidopsis_transposons,
    brazil_nut_transposons,
    covered,
)
from budwood.config import WINDOW
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import N
from budwood.inference.tracks import STEP
from budwood.model.checkpoint import Checkpoint, load_checkpoint, packaged_checkpoint
from budwood.model.track_head import TrackHead, write_track_head

Matrix = NDArray[np.float32]
#: Steps of a window that are taken: prediction takes a step from the window in which it lies in the middle.
FIRST, LAST, EVERY = 8, 56, 3
MOST_UNKNOWN = 0.2
BATCH = 16
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
#: Tracks by which the penalty is chosen, on every other step of the fit.
CHOOSING = ("open chromatin", "state 1", "state 5", "state 8", ANY)
NOT_COPIED = ("manifest.json", "README.md")


def draw(
    genome: Assembly, place: Interval, count: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Starts and bases of windows of a place that are mostly known."""
    starts, windows = [], []
    while len(starts) < count:
        start = int(random.integers(place.start, place.end - WINDOW))
        codes = genome.sequence(Interval(place.contig, start, start + WINDOW))
        if (codes == N).mean() <= MOST_UNKNOWN:
            starts.append(start)
            windows.append(codes)
    return np.array(starts), np.array(windows)


def vectors(
    checkpoint: Checkpoint,
    starts: NDArray[np.int64],
    windows: NDArray[np.uint8],
    random: np.random.Generator,
) -> tuple[Matrix, NDArray[np.int64]]:
    """Mean vectors of some steps of windows, and the middle base of each."""
    size = checkpoint.embedding_size
    # The head that gives every number of a vector as it is.
    whole = TrackHead(tuple(map(str, range(size))), torch.eye(size), torch.zeros(size))
    reader = replace(checkpoint, tracks=whole)
    found, middles = [], []
    for low in range(0, len(windows), BATCH):
        bases = reader.read_tracks(windows[low : low + BATCH])
        means = bases.reshape(len(bases), -1, STEP, size).mean(2)
        for start, rows in zip(starts[low : low + BATCH].tolist(), means, strict=True):
            steps = np.arange(FIRST + random.integers(EVERY), LAST, EVERY)
            found.append(rows[steps])
            middles.append(start + STEP * steps + STEP // 2)
    return np.concatenate(found).astype(np.float32), np.concatenate(middles)


def inside(places: Iterable[Place], middles: NDArray[np.int64], length: int) -> dict[str, NDArray[np.bool_]]:
    """Whether each base lies in an interval of each track, on a genome of one contig."""
    return {name: bases[middles] for name, bases in covered(places, length).items()}


def fit(features: Matrix, labels: NDArray[np.bool_], weights: Matrix, penalty: float) -> LogisticRegression:
    """A logistic regression; the penalty is scikit-learn's C, larger is freer."""
    regression = LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=100)
    return regression.fit(features, labels, sample_weight=weights)


def log_loss(regression: LogisticRegression, features: Matrix, labels: NDArray[np.bool_]) -> float:
    """Mean log loss in nats."""
    logits = regression.decision_function(features)
    return float(np.mean(np.logaddexp(0, np.where(labels, -logits, logits))))


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, default=packaged_checkpoint("tracks"))
    parser.add_argument("--windows", type=int, default=4_000, help="of Chr1; half as many of Brazil nut")
    parser.add_argument("--thin", type=int, default=2, help="fit on every so many of the steps read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="new checkpoint; vectors are kept beside")
    arguments = parser.parse_args()
    begun = time.process_time()
    checkpoint = load_checkpoint(arguments.checkpoint, device="cpu", precision="bf16")
    genomes = data_folder() / "genomes"
    chr1 = open_fasta(genomes / "arabidopsis_thaliana/chr1.fa.xz")
    nut = open_fasta(genomes / "bertholletia_excelsa/genome.fa.xz")
    superfamilies = list(dict.fromkeys(SUPERFAMILIES.values()))
    nut_places = list(brazil_nut_transposons())
    scaffold = nut_places[0][1]
    sources = {
        "arabidopsis": (chr1, Interval("Chr1", HELD_OUT["Chr1"][0][1], chr1.contigs["Chr1"])),
        "brazil nut": (nut, Interval(scaffold, 0, max(end for *_, end in nut_places))),
    }
    kept = arguments.out.with_suffix(f".{arguments.windows}.{arguments.seed}.vectors.npz")
    if not kept.exists():
        random, arrays = np.random.default_rng(arguments.seed), {}
        for name, count in (("arabidopsis", arguments.windows), ("brazil nut", arguments.windows // 2)):
            found = vectors(checkpoint, *draw(*sources[name], count, random), random)
            arrays[name], arrays[f"{name} at"] = found
        np.savez(kept, **arrays)
        print(f"vectors: {kept}, {time.process_time() - begun:.0f} CPU s", flush=True)
    stored = {name: values[:: arguments.thin] for name, values in np.load(kept).items()}
    known = inside(
        [*arabidopsis_states(), *arabidopsis_transposons(superfamilies)],
        stored["arabidopsis at"],
        chr1.contigs["Chr1"],
    )
    elsewhere = inside(nut_places, stored["brazil nut at"], nut.contigs[scaffold])
    own = len(stored["arabidopsis"])
    features = np.concatenate([stored["arabidopsis"], stored["brazil nut"]])
    mean, scale = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64)
    scale[scale == 0] = 1
    features = ((features - mean) / scale).astype(np.float32)
    weights = np.ones(len(features), dtype=np.float32)
    weights[own:] = own / (len(features) - own)
    place = sources["arabidopsis"][1]
    held = np.zeros(len(features), dtype=bool)
    held[:own] = stored["arabidopsis at"] >= place.end - place.length // 5

    def rows_of(name: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Labels of all rows, and of which rows they are known."""
        other = elsewhere.get(name, np.zeros(len(features) - own, dtype=bool))
        everywhere = np.concatenate([known[name], other])
        return everywhere, np.arange(len(features)) < (len(features) if name in elsewhere else own)

    losses = []
    for penalty in PENALTIES:
        scores = {}
        for name in CHOOSING:
            labels, used = rows_of(name)
            chosen = np.flatnonzero(used & ~held)[::2]
            fitted = fit(features[chosen], labels[chosen], weights[chosen], penalty)
            scores[name] = log_loss(fitted, features[held], labels[held])
        losses.append(sum(scores.values()))
        print(json.dumps({"C": penalty, "log loss": scores}), flush=True)
    best = PENALTIES[int(np.argmin(losses))]
    weight, bias = [], []
    for name in checkpoint.head.names:
        labels, used = rows_of(name)
        fitted = fit(features[used], labels[used], weights[used], best)
        coefficients = fitted.coef_[0].astype(np.float64) / scale
        weight.append(coefficients)
        bias.append(float(fitted.intercept_[0]) - float(coefficients @ mean))
    head = TrackHead(
        checkpoint.head.names,
        torch.from_numpy(np.array(weight, dtype=np.float32)),
        torch.from_numpy(np.array(bias, dtype=np.float32)),
    )
    ignored = shutil.ignore_patterns(*NOT_COPIED)  # they are of the checkpoint with the former head
    shutil.copytree(arguments.checkpoint, arguments.out, ignore=ignored, dirs_exist_ok=True)
    write_track_head(head, arguments.out, checkpoint.digest)
    print(f"C {best}, {len(features):,} steps, {time.process_time() - begun:.0f} CPU s: {arguments.out}")


if __name__ == "__main__":
    main()
