"""Coding, intron and intergenic bases of unseen species, labels from Brassica napus only.

Stretches of 4,096 bases are drawn from each genome. UTR and N are left out; the rice annotation has no UTR,
so rice UTR count as intergenic.

    python benchmarks/probes/checkpoint_scores.py      # runs this part
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.result_cache import ResultCache
from benchmarks.common.unseen_species import TRAINING, UNSEEN, open_species
from benchmarks.probes.site_scores import DRAWS, FEW, few_row
from budwood.config import WINDOW
from budwood.genomics.annotation.base_class import CODING
from budwood.model.checkpoint import Checkpoint
from budwood.probing.base_regions import (
    FEATURE_GRID,
    GRID,
    BaseClassifier,
    KmerClassifier,
    StretchPredictions,
    class_probabilities,
    grid_labels,
    predict_stretches,
    score_classes,
)
from budwood.probing.linear import LinearProbe, score_auroc
from budwood.probing.stretches import STRETCH, UNSCORED, Stretches, cut_stretches

#: Bases of a window: the usual length, and the length of whole genes.
WINDOWS = (WINDOW, 2048)
WIDTHS, PENALTIES = (50, 100, 200, 400), (1e-4, 1e-3)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Genomes:
    """Stretches for fitting classifiers, additional ones for k-mers, and those of unseen species."""

    training: Stretches
    more: Stretches
    unseen: dict[str, Stretches]


def cut(training: int, more: int, unseen: int) -> Genomes:
    whole = cut_stretches(*open_species(*TRAINING), training + more)
    parts = [
        Stretches(whole.codes[part], whole.region[part], whole.labels[part])
        for part in (slice(training), slice(training, None))
    ]
    of_species = {name: cut_stretches(*open_species(*files), unseen) for name, files in UNSEEN.items()}
    return Genomes(parts[0], parts[1], of_species)


def score_regions(
    checkpoints: dict[str, Checkpoint], genomes: Genomes, cache: ResultCache, half: bool
) -> dict[str, Rows]:
    tables: dict[str, Rows] = {"regions": [], "few_labels": [], "coding": []}
    sizes = f"{len(genomes.training.codes)}/{len(genomes.more.codes)}/" + "/".join(
        str(len(stretches.codes)) for stretches in genomes.unseen.values()
    )
    steps: list[tuple[str, Callable[[], dict[str, Rows]], ResultCache]] = [
        (f"regions/{sizes}/6-mers", lambda: score_kmers(genomes), cache)
    ]
    for (name, checkpoint), window in itertools.product(checkpoints.items(), WINDOWS):
        keep = cache if checkpoint.name.startswith("random") else ResultCache(None)
        label = name if window == WINDOW else f"{name}, windows of {window:,}"
        key = f"regions/{sizes}/{label}/{checkpoint.digest}/{'bf16' if half else 'float32'}"
        read = partial(predict_stretches, checkpoint=checkpoint, window=window, half_precision=half)
        steps.append((key, partial(score_encoder, label, read, genomes), keep))
    for key, step, keep in steps:
        for table, rows in keep.get(key, step).items():
            tables[table] += rows
    return tables


def score_encoder(name: str, reader: Callable[..., StretchPredictions], genomes: Genomes) -> dict[str, Rows]:
    training = genomes.training
    learned = reader(training.codes)
    read = {species: reader(stretches.codes) for species, stretches in genomes.unseen.items()}
    rows = []
    for neighbours in (False, True):
        classifier = BaseClassifier(neighbours=neighbours)
        classifier.fit(class_probabilities(learned.probabilities), grid_labels(training.labels, GRID))
        for species, reading in read.items():
            predicted = classifier.predict(class_probabilities(reading.probabilities))
            label = f"{name}, region head" + (" + neighbours" if neighbours else "")
            rows.append(region_row(species, label, predicted, genomes.unseen[species], GRID))
    coding = [
        coding_row(species, name, reading, genomes.unseen[species]) for species, reading in read.items()
    ]
    kinds: dict[str, Callable[[StretchPredictions], NDArray[np.floating]]] = {
        f"{name}, features": lambda reading: reading.features,
        f"{name}, region head": lambda reading: np.log(
            reading.probabilities[:, FEATURE_GRID // GRID // 2 :: FEATURE_GRID // GRID] + 1e-4
        ),
    }
    few: Rows = []
    for label, kind in kinds.items():
        matrices = {species: kind(reading) for species, reading in read.items()}
        few += few_rows(label, kind(learned), matrices, genomes)
        if label.endswith("features"):
            rows += probe_rows(label, kind(learned), matrices, genomes)
    return {"regions": rows, "few_labels": few, "coding": coding}


def score_kmers(genomes: Genomes) -> dict[str, Rows]:
    training, more = genomes.training, genomes.more
    labels = grid_labels(training.labels, FEATURE_GRID)
    found = []
    for width in WIDTHS:
        for penalty in PENALTIES:
            classifier = KmerClassifier(width, penalty=penalty).fit(more.codes, more.labels, 64)
            chances = classifier.predict_proba(training.codes, FEATURE_GRID)
            score = score_classes(chances.argmax(-1), labels, draws=2).balanced_accuracy
            print(f"6-mers in {width} bases, penalty {penalty}: {score:.3f} on Brassica", flush=True)
            found.append((score, width, classifier))
    _, width, best = max(found, key=lambda one: one[0])
    learned = best.predict_proba(training.codes)
    read = {species: best.predict_proba(stretches.codes) for species, stretches in genomes.unseen.items()}
    rows = []
    for neighbours in (False, True):
        corrected = BaseClassifier(neighbours=neighbours).fit(learned, grid_labels(training.labels, GRID))
        for species, chances in read.items():
            label = f"6-mers in {width} bases" + (" + neighbours" if neighbours else "")
            predicted = corrected.predict(chances)
            rows.append(region_row(species, label, predicted, genomes.unseen[species], GRID))
    places = np.arange(FEATURE_GRID // 2, STRETCH, FEATURE_GRID)
    matrices = {
        species: np.stack([best.features(row, places) for row in stretches.codes])
        for species, stretches in genomes.unseen.items()
    }
    counts = np.stack([best.features(row, places) for row in training.codes])
    few = few_rows(f"6-mers in {width} bases", counts, matrices, genomes)
    return {"regions": rows, "few_labels": few}


def probe_rows(
    label: str,
    learned: NDArray[np.floating],
    matrices: dict[str, NDArray[np.floating]],
    genomes: Genomes,
) -> Rows:
    labels = grid_labels(genomes.training.labels, FEATURE_GRID)
    probe = LinearProbe().fit(learned[labels != UNSCORED], labels[labels != UNSCORED])
    return [
        region_row(species, label, classes_of(probe, matrix), genomes.unseen[species], FEATURE_GRID)
        for species, matrix in matrices.items()
    ]


def few_rows(
    label: str,
    learned: NDArray[np.floating],
    matrices: dict[str, NDArray[np.floating]],
    genomes: Genomes,
) -> Rows:
    labels = grid_labels(genomes.training.labels, FEATURE_GRID)
    found: dict[str, list[float]] = {species: [] for species in matrices}
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        chosen = np.concatenate(
            [
                random.choice(np.flatnonzero(labels.ravel() == number), count, replace=False)
                for number, count in enumerate((FEW // 3, FEW // 3, FEW - 2 * (FEW // 3)))
            ]
        )
        probe = LinearProbe().fit(learned.reshape(labels.size, -1)[chosen], labels.ravel()[chosen])
        for species, matrix in matrices.items():
            truth = grid_labels(genomes.unseen[species].labels, FEATURE_GRID)
            score = score_classes(classes_of(probe, matrix), truth, draws=2)
            found[species].append(score.balanced_accuracy)
    return [
        few_row("base classes", species, label, "balanced accuracy", values)
        for species, values in found.items()
    ]


def classes_of(probe: LinearProbe, matrix: NDArray[np.floating]) -> NDArray[np.intp]:
    decided = probe.decision(matrix.reshape(-1, matrix.shape[-1]))
    return decided.argmax(1).reshape(matrix.shape[:2])


def region_row(
    species: str, label: str, predicted: NDArray[np.integer], stretches: Stretches, spacing: int
) -> dict[str, Any]:
    score = score_classes(predicted, grid_labels(stretches.labels, spacing))
    interval = f"{score.balanced_accuracy:.3f} ({score.lower:.3f}-{score.upper:.3f})"
    recalls = f"{score.coding:.3f} {score.intron:.3f} {score.intergenic:.3f}"
    print(f"base classes {species:21s} {label:34s} {interval} {recalls}", flush=True)
    return {"species": species, "features": label, "stretches": len(predicted)} | asdict(score)


def coding_row(species: str, name: str, reading: StretchPredictions, stretches: Stretches) -> dict[str, Any]:
    """Coding against all other bases, including UTR."""
    known = grid_labels((stretches.codes[:, 512:-512] < 4).astype(np.int8), GRID) == 1
    truth = np.isin(stretches.region[:, GRID // 2 :: GRID], CODING)[known]
    stretch = np.broadcast_to(np.arange(len(known))[:, None], known.shape)[known]
    decision = reading.probabilities[..., list(CODING)].sum(-1)[known]
    score = score_auroc(decision, truth, groups=stretch, draws=200)
    counts = {"coding": int(truth.sum()), "other": int((~truth).sum())}
    return {"species": species, "model": name} | asdict(score) | counts
