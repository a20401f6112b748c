"""Compare checkpoints on the same stretches, sites and masked bases, each against the first one named.

    python benchmarks/probes/paired_checkpoints.py packaged= new=runs/grasses/checkpoint --half --cache kept

``NAME=`` alone is the packaged checkpoint. ``regions``: balanced accuracy of coding, intron and intergenic
bases (region head with the correction for class shares fitted on Brassica napus; ``features``: a linear probe
on the embeddings of single bases), on all stretches of the rice piece, the Arabidopsis pieces, and the tenths
of Bidens and Brazil nut that recipes/broad.toml leaves out, with differences bootstrapped over stretches.
``sites``: AUROC of donors, acceptors and start codons, with a probe on the predicted base classes fitted on
Brassica napus, and with nothing fitted. ``masked``: cross-entropy of masked bases, with differences and their
standard errors over windows. What a checkpoint predicts is kept in ``--cache``, so that a comparison with one
more checkpoint runs that one alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.unseen_species import TRAINING, UNSEEN, open_species
from benchmarks.probes.held_out_tenths import HELD_OUT, held_out_stretches
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.probing.base_regions import (
    FEATURE_GRID,
    GRID,
    BaseClassifier,
    class_probabilities,
    grid_labels,
    predict_stretches,
    score_classes,
)
from budwood.probing.centre_features import encode_centres
from budwood.probing.linear import LinearProbe, compare_auroc, score_auroc
from budwood.probing.masked_bases import (
    clustered_standard_error,
    encoder_probabilities,
    mask_bases,
    region_groups,
    surprisal,
)
from budwood.probing.sites import SITE_LETTERS, collect_sites
from budwood.probing.stretches import BASE_CLASSES, UNSCORED, Stretches, cut_stretches

Row = dict[str, Any]
PARTS = ("regions", "sites", "masked")
DRAWS = 2000
PART = 10


class Kept:
    """Arrays of one checkpoint by name, kept in a folder where one is given."""

    def __init__(self, folder: Path | None, checkpoint: Checkpoint, half: bool) -> None:
        self._folder = folder
        self._tag = f"{checkpoint.digest[:16]}{'-half' if half else ''}"

    def get(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        if self._folder is None:
            return make()
        path = self._folder / f"{self._tag}-{name}.npy"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            np.save(path, make())
        return np.load(path)


def right_and_counted(predicted: NDArray[np.integer], labels: NDArray[np.int8]) -> NDArray[np.int64]:
    """(2, s, classes) correctly predicted and scored bases of each stretch."""
    classes = range(len(BASE_CLASSES))
    counted = np.stack([(labels == k).sum(1) for k in classes], axis=1)
    right = np.stack([((labels == k) & (predicted == k)).sum(1) for k in classes], axis=1)
    return np.stack([right, counted])


def paired_difference(one: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[float, float, float]:
    """Balanced accuracy of ``one`` minus that of ``other``, with a 95 % bootstrap interval over stretches."""

    def balanced(tally: NDArray[np.int64], rows: NDArray[np.intp]) -> float:
        right, counted = tally[:, rows].sum(1)
        return float((right / np.maximum(counted, 1)).mean())

    every = np.arange(one.shape[1])
    random = np.random.default_rng(0)
    drawn = [
        balanced(one, rows) - balanced(other, rows)
        for rows in random.integers(0, len(every), (DRAWS, len(every)))
    ]
    lower, upper = np.percentile(drawn, [2.5, 97.5])
    return balanced(one, every) - balanced(other, every), float(lower), float(upper)


def stretches_of_all(folder: Path | None) -> tuple[Stretches, dict[str, Stretches]]:
    """Stretches of Brassica napus for the corrections, and those scored by species; kept in the folder."""
    path = None if folder is None else folder / "stretches.npz"
    if path is None or not path.exists():
        training = cut_stretches(*open_species(*TRAINING), 460)
        found = {"training": Stretches(training.codes[:60], training.region[:60], training.labels[:60])}
        for name, files in reversed(UNSEEN.items()):
            found[name] = cut_stretches(*open_species(*files), 1000 if name == "Oryza sativa" else 60)
        found |= {name: held_out_stretches(*place, 50) for name, place in HELD_OUT.items()}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            arrays = {
                f"{name}/{key}": array for name, each in found.items() for key, array in vars(each).items()
            }
            np.savez_compressed(path, **arrays)
    else:
        kept = np.load(path)
        names = dict.fromkeys(key.split("/")[0] for key in kept.files)
        found = {n: Stretches(*(kept[f"{n}/{key}"] for key in ("codes", "region", "labels"))) for n in names}
    return found.pop("training"), found


def classes_and_vectors(
    name: str, stretches: Stretches, checkpoint: Checkpoint, kept: Kept, window: int, half: bool
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Class probabilities of every GRID bases, and embeddings of every FEATURE_GRID bases."""

    def part(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        out = predict_stretches(codes, checkpoint, window=window, half_precision=half)
        classes = class_probabilities(out.probabilities).reshape(len(codes), -1)
        both = np.concatenate([classes, out.features.reshape(len(codes), -1)], axis=1)
        return both.astype(np.float32)

    # In parts, so that a run that is stopped resumes near where it was.
    key = f"{name.replace(' ', '_')}-{len(stretches.codes)}-{window}"
    parts = [
        kept.get(f"{key}-{at}", lambda at=at: part(stretches.codes[at : at + PART]))
        for at in range(0, len(stretches.codes), PART)
    ]
    both = np.concatenate(parts)
    count = len(stretches.labels[0]) // GRID * len(BASE_CLASSES)
    classes = both[:, :count].reshape(len(both), -1, len(BASE_CLASSES)).astype(np.float64)
    return classes, both[:, count:].reshape(len(both), -1, checkpoint.encoder.config.embedding_size)


def score_regions(
    models: dict[str, tuple[Checkpoint, Kept]], windows: list[int], half: bool, folder: Path | None
) -> list[Row]:
    training, scored = stretches_of_all(folder)
    rows: list[Row] = []
    first: dict[tuple[str, int, str], NDArray[np.int64]] = {}
    for name, (checkpoint, kept) in models.items():
        for window in windows:
            read = partial(classes_and_vectors, checkpoint=checkpoint, kept=kept, window=window, half=half)
            learned, vectors = read("training", training)
            classifier = BaseClassifier(neighbours=False).fit(learned, grid_labels(training.labels, GRID))
            labels = grid_labels(training.labels, FEATURE_GRID)
            probe = LinearProbe().fit(vectors[labels != UNSCORED], labels[labels != UNSCORED])
            for species, stretches in scored.items():
                classes, vectors = read(species, stretches)
                decided = probe.decision(vectors.reshape(-1, vectors.shape[-1])).argmax(1)
                for kind, spacing, predicted in (
                    ("region head", GRID, classifier.predict(classes)),
                    ("features", FEATURE_GRID, decided.reshape(vectors.shape[:2])),
                ):
                    truth = grid_labels(stretches.labels, spacing)
                    row = {
                        "part": "regions",
                        "species": species,
                        "window": window,
                        "kind": kind,
                        "model": name,
                    }
                    row |= {"stretches": len(truth)} | asdict(score_classes(predicted, truth))
                    tally = right_and_counted(predicted, truth)
                    base = first.setdefault((species, window, kind), tally)
                    row["difference"] = paired_difference(tally, base)
                    rows.append(row)
                    shares = " ".join(f"{each} {row[each]:.2f}" for each in BASE_CLASSES)
                    print(
                        f"{species:21s} {window:5d} {kind:12s} {name:14s} {row['balanced_accuracy']:.3f} "
                        f"({row['lower']:.3f}-{row['upper']:.3f}) {shares}, {as_text(row['difference'])}",
                        flush=True,
                    )
    return rows


def as_text(difference: tuple[float, float, float]) -> str:
    return "difference {:+.4f} ({:+.4f} to {:+.4f})".format(*difference)


def score_sites(models: dict[str, tuple[Checkpoint, Kept]], half: bool) -> list[Row]:
    rows: list[Row] = []
    for kind in SITE_LETTERS:
        training = collect_sites(*open_species(*TRAINING), kind, limit=750 if kind == "start_codon" else 1500)
        unseen = {s: collect_sites(*open_species(*files), kind, limit=800) for s, files in UNSEEN.items()}
        first: dict[tuple[str, str], NDArray[np.float64]] = {}
        for name, (checkpoint, kept) in models.items():

            def centres(
                key: str,
                windows: NDArray[np.uint8],
                checkpoint: Checkpoint = checkpoint,
                kept: Kept = kept,
                kind: str = kind,
            ) -> tuple[NDArray[Any], NDArray[np.float64]]:
                def make() -> NDArray[Any]:
                    out = encode_centres(windows, checkpoint, half_precision=half)
                    return np.concatenate([out.flat_regions, out.site_log_odds(kind)[:, None]], axis=1)

                both = kept.get(f"{kind}-{key.replace(' ', '_')}-{len(windows)}", make)
                return both[:, :-1].astype(np.float32), both[:, -1].astype(np.float64)

            probe = LinearProbe().fit(centres("training", training.windows)[0], training.is_site)
            for species, sites in unseen.items():
                regions, odds = centres(species, sites.windows)
                for features, decision in (("regions", probe.decision(regions)), ("nothing fitted", odds)):
                    row = {"part": "sites", "species": species, "site": kind, "kind": features, "model": name}
                    row |= {"examples": len(decision)} | asdict(score_auroc(decision, sites.is_site))
                    base = first.setdefault((species, features), decision)
                    found = compare_auroc(decision, base, sites.is_site)
                    row["difference"] = (found.difference, found.lower, found.upper)
                    rows.append(row)
                    print(
                        f"{species:21s} {kind:12s} {features:15s} {name:14s} {row['auroc']:.4f} "
                        f"({row['lower']:.3f}-{row['upper']:.3f}), {as_text(row['difference'])}",
                        flush=True,
                    )
    return rows


def score_masked(models: dict[str, tuple[Checkpoint, Kept]], every: int) -> list[Row]:
    rows: list[Row] = []
    for species, files in reversed(UNSEEN.items()):
        hidden = mask_bases(*open_species(*files), every=every)
        first: NDArray[np.float64] | None = None
        for name, (checkpoint, kept) in models.items():
            key = f"masked-{species.replace(' ', '_')}-{every}"
            chances = kept.get(key, lambda c=checkpoint, h=hidden: encoder_probabilities(h, c))
            surprise = surprisal(hidden, chances)
            first = surprise if first is None else first
            for region, inside in region_groups(hidden).items():
                change = (surprise - first)[inside]
                error = clustered_standard_error(change, hidden.rows[inside])
                row = {"part": "masked", "species": species, "region": region, "model": name}
                row |= {"bases": int(inside.sum()), "cross_entropy": float(surprise[inside].mean())}
                row |= {"difference": float(change.mean()), "error": error}
                rows.append(row)
                print(
                    f"{species:21s} masked {region:11s} {name:14s} {row['cross_entropy']:.4f}, "
                    f"difference {row['difference']:+.4f} +-{error:.4f}",
                    flush=True,
                )
    return rows


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("models", nargs="+", metavar="NAME=FOLDER", help="the others differ from the first")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--windows", nargs="+", type=int, default=[512, 2048], help="bases read together")
    parser.add_argument("--every", type=int, default=4, help="masked bases: score one window in this many")
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16, except for masked bases")
    parser.add_argument("--cache", type=Path, help="folder of predictions")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    models = {}
    for each in arguments.models:
        name, _, folder = each.partition("=")
        checkpoint = load_checkpoint(Path(folder) if folder else None)
        models[name] = (checkpoint, Kept(arguments.cache, checkpoint, arguments.half))
    rows: list[Row] = []
    if "regions" in arguments.parts:
        rows += score_regions(models, arguments.windows, arguments.half, arguments.cache)
    if "sites" in arguments.parts:
        rows += score_sites(models, arguments.half)
    if "masked" in arguments.parts:
        rows += score_masked(models, arguments.every)
    if arguments.out:
        digests = {name: checkpoint.digest for name, (checkpoint, _) in models.items()}
        arguments.out.write_text(
            json.dumps({"digests": digests, "rows": rows}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
