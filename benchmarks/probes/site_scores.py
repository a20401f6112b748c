"""Splice sites and start codons of unseen species, classifiers fitted on Brassica napus.

All kinds of features are fitted on the same examples and scored on the same examples.

    python benchmarks/probes/checkpoint_scores.py      # runs this part
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from benchmarks.common.result_cache import ResultCache
from benchmarks.common.unseen_species import TRAINING, UNSEEN, open_species
from budwood.model.checkpoint import Checkpoint
from budwood.probing.centre_features import CentreFeatures, encode_centres
from budwood.probing.convolution import SmallConvolution
from budwood.probing.linear import LinearProbe, compare_auroc, one_hot_middle, score_auroc
from budwood.probing.sites import IN_FRAME, OUT_OF_FRAME, SITE_LETTERS, SiteSet, collect_sites
from budwood.stats.evaluation.metrics import auroc

REACH = 80
FEW, DRAWS = 100, 20
ONE_HOT, CONVOLUTION = f"one-hot +-{REACH}", f"convolution +-{REACH}"
Decisions = dict[str, list[float]]


@dataclass(frozen=True)
class Examples:
    kind: str
    training: SiteSet
    unseen: dict[str, SiteSet]


@dataclass(frozen=True)
class Limits:
    """Numbers of sites and of starts for training, and of sites of each kind per unseen species."""

    sites: int
    starts: int
    unseen: int


class Features(Protocol):
    name: str
    key: str | None  # names what the result depends on, None where it depends on the checkpoint

    def fit(self, rows: NDArray[np.intp], few: bool) -> Callable[[str], NDArray[np.float64]]:
        """Fit on rows of the training examples; the returned function scores the examples of a species."""


class Probed:
    """A linear probe on a matrix of features of windows."""

    def __init__(
        self, name: str, key: str | None, examples: Examples, matrix: Callable[[SiteSet], Any]
    ) -> None:
        self.name, self.key = name, key
        self._examples, self._matrix = examples, matrix
        self._known: dict[str, Any] = {}

    def _of(self, species: str) -> Any:
        if species not in self._known:
            sites = self._examples.unseen[species] if species else self._examples.training
            self._known[species] = self._matrix(sites)
        return self._known[species]

    def fit(self, rows: NDArray[np.intp], few: bool) -> Callable[[str], NDArray[np.float64]]:
        probe = LinearProbe().fit(self._of("")[rows], self._examples.training.is_site[rows])
        return lambda species: probe.decision(self._of(species))


class Convolved:
    name = CONVOLUTION
    key = "mean of 3"

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def fit(self, rows: NDArray[np.intp], few: bool) -> Callable[[str], NDArray[np.float64]]:
        training = self._examples.training
        # The variance between draws of examples is far larger than that between seeds.
        network = SmallConvolution(reach=REACH, seeds=1 if few else 3)
        network.fit(training.windows[rows], training.is_site[rows])
        return lambda species: network.decision(self._examples.unseen[species].windows)


class Read:
    """The encoder's own odds of the mark, without any fit."""

    key = None

    def __init__(self, name: str, examples: Examples, read: Callable[[SiteSet], CentreFeatures]) -> None:
        self.name, self._examples, self._read = name, examples, read

    def fit(self, rows: NDArray[np.intp], few: bool) -> Callable[[str], NDArray[np.float64]]:
        kind = self._examples.kind
        return lambda species: self._read(self._examples.unseen[species]).site_log_odds(kind)


def collect(kind: str, limits: Limits) -> Examples:
    limit = limits.starts if kind == "start_codon" else limits.sites
    return Examples(
        kind,
        collect_sites(*open_species(*TRAINING), kind, limit=limit),
        {
            name: collect_sites(*open_species(*files), kind, limit=limits.unseen)
            for name, files in UNSEEN.items()
        },
    )


def list_features(examples: Examples, checkpoints: dict[str, Checkpoint], half: bool) -> Iterator[Features]:
    yield Probed(ONE_HOT, "", examples, lambda sites: one_hot_middle(sites.windows, REACH))
    yield Convolved(examples)
    for name, checkpoint in checkpoints.items():
        key = checkpoint.digest if checkpoint.name.startswith("random") else None
        read = partial(_read, checkpoint=checkpoint, half=half)
        yield Probed(name, key, examples, lambda sites, r=read: r(sites).mean)
        yield Probed(f"{name}, oriented", key, examples, lambda sites, r=read: r(sites).oriented)
        if key is None:
            yield Probed(
                f"{name}, oriented + regions", None, examples, lambda sites, r=read: r(sites).oriented_regions
            )
            yield Probed(f"{name}, regions", None, examples, lambda sites, r=read: r(sites).flat_regions)
            yield Read(f"{name}, region head", examples, read)


def _read(sites: SiteSet, checkpoint: Checkpoint, half: bool) -> CentreFeatures:
    return encode_centres(sites.windows, checkpoint, half_precision=half)


def decide(features: Features, examples: Examples) -> Decisions:
    """Scores of the unseen examples after fitting on all training examples."""
    score = features.fit(np.arange(len(examples.training.role)), False)
    return {species: np.round(score(species), 5).tolist() for species in examples.unseen}


def decide_with_few(features: Features, examples: Examples) -> dict[str, list[float]]:
    """AUROC by species after fitting on 100 training examples, for each of 20 draws."""
    found: dict[str, list[float]] = {species: [] for species in examples.unseen}
    for seed in range(DRAWS):
        score = features.fit(draw_few(examples.training, seed), True)
        for species, sites in examples.unseen.items():
            found[species].append(auroc(score(species), sites.is_site))
    return found


def draw_few(sites: SiteSet, seed: int) -> NDArray[np.intp]:
    random = np.random.default_rng(seed)
    halves = (np.flatnonzero(sites.is_site), np.flatnonzero(~sites.is_site))
    return np.sort(np.concatenate([random.choice(half, FEW // 2, replace=False) for half in halves]))


def score_sites(
    checkpoints: dict[str, Checkpoint], limits: Limits, cache: ResultCache, half: bool
) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {
        n: [] for n in ("sites", "starts", "differences", "few_labels")
    }
    for kind in SITE_LETTERS:
        examples = collect(kind, limits)
        found: dict[str, Decisions] = {}
        for features in list_features(examples, checkpoints, half):
            keep = cache if features.key is not None else ResultCache(None)
            key = f"{kind}/{limits}/{'bf16' if half else 'float32'}/{features.name}/{features.key}"
            found[features.name] = keep.get(key, lambda f=features, e=examples: decide(f, e))
            tables["sites"] += _site_rows(examples, features.name, found[features.name])
            if not isinstance(features, Read) and not features.name.endswith("oriented + regions"):
                few = keep.get(f"few/{key}", lambda f=features, e=examples: decide_with_few(f, e))
                rows = [few_row(kind, n, features.name, "AUROC", values) for n, values in few.items()]
                tables["few_labels"] += rows
        if kind == "start_codon":
            tables["starts"] += _start_rows(examples, found)
        tables["differences"] += _differences(examples, found, next(iter(checkpoints)))
    return tables


def _site_rows(examples: Examples, name: str, decisions: Decisions) -> list[dict[str, Any]]:
    rows = []
    for species, sites in examples.unseen.items():
        score = score_auroc(np.array(decisions[species]), sites.is_site)
        what = {"site": examples.kind, "species": species, "features": name, "examples": len(sites.role)}
        rows.append(what | asdict(score))
        interval = f"{score.auroc:.3f} ({score.lower:.3f}-{score.upper:.3f})"
        print(f"{examples.kind:12s} {species:21s} {name:28s} {interval}", flush=True)
    return rows


def _start_rows(examples: Examples, found: dict[str, Decisions]) -> list[dict[str, Any]]:
    rows = []
    for species, sites in examples.unseen.items():
        for decoy in (IN_FRAME, OUT_OF_FRAME):
            inside = sites.against(decoy)
            for name, decisions in found.items():
                score = score_auroc(np.array(decisions[species])[inside], sites.is_site[inside])
                what = {"decoys": decoy, "species": species, "features": name, "examples": int(inside.sum())}
                rows.append(what | asdict(score))
                interval = f"{score.auroc:.3f} ({score.lower:.3f}-{score.upper:.3f})"
                print(f"start, {decoy:12s} {species:21s} {name:28s} {interval}", flush=True)
    return rows


def _differences(examples: Examples, found: dict[str, Decisions], trained: str) -> list[dict[str, Any]]:
    rows = []
    for species, sites in examples.unseen.items():
        for name in (name for name in found if name.startswith(trained)):
            for baseline in (ONE_HOT, CONVOLUTION):
                pair = [np.array(found[one][species]) for one in (name, baseline)]
                difference = compare_auroc(*pair, sites.is_site)
                what = {"site": examples.kind, "species": species, "features": name, "baseline": baseline}
                rows.append(what | asdict(difference))
    return rows


def few_row(task: str, species: str, name: str, measure: str, values: list[float]) -> dict[str, Any]:
    """Mean over draws with its 95 % interval (Student's t), and the spread of single draws."""
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    error = float(stdtrit(len(values) - 1, 0.975)) * spread / len(values) ** 0.5
    print(f"{FEW} labels, {task:12s} {species:21s} {name:28s} {mean:.3f} +-{spread:.3f}", flush=True)
    return {
        "task": task,
        "species": species,
        "features": name,
        "measure": measure,
        "labels": FEW,
        "draws": len(values),
        "mean": mean,
        "spread": spread,
        "lower": mean - error,
        "upper": mean + error,
    }
