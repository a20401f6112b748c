"""Stages that compare all windows with one another: near-duplicates, homology clusters, split, leakage."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import DuplicateConfig, SplitConfig
from budwood.corpus.similarity.homology import (
    HomologyConfig,
    HomologyLinks,
    concatenate_links,
    homology_links,
    link_clusters,
    links_between,
)
from budwood.corpus.similarity.leakage import LeakageConfig, closest_identity, count_leaks, sampled_rows
from budwood.corpus.similarity.near_duplicates import NearDuplicateConfig, near_duplicates, near_duplicates_of
from budwood.corpus.stages.split import split_clusters
from budwood.corpus.stages.stage import Inputs, Parameters, stage


@stage(version=1)
def deduplicate_part(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: find near-duplicates among the windows of a part that no earlier part has dropped.

    Of two similar windows, the one whose source comes first in the recipe is kept, so genomes with an
    annotation should come first. Writes ``partner.npy``: for each window of the part the one it is a
    near-duplicate of, or -1.

    Parameters
    ----------
    inputs
        Folders ``selected``, and ``before``, the comparison with earlier parts, where there is one.
    parameters
        ``part``, its first window and the window after its last; ``duplicates``, the settings.
    folder
        Folder for the output files.
    """
    first, last = parameters["part"]
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")[first:last]
    partner = _partner_before(inputs, first, last)
    config = DuplicateConfig(**parameters["duplicates"])
    if config.drop:
        left = np.flatnonzero(partner < 0)
        # A part without dropped windows stays a memory map.
        found = near_duplicates(codes if len(left) == len(codes) else codes[left], _search(config)).partner
        repeats = found >= 0
        partner[left[repeats]] = first + left[found[repeats]]
    np.save(folder / "partner.npy", partner)


@stage(version=1)
def deduplicate_against(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: find the windows of a part that are near-duplicates of what is kept of an earlier part.

    Writes ``partner.npy`` as :func:`deduplicate_part` does.

    Parameters
    ----------
    inputs
        Folders ``selected``; ``own``, the result of the earlier part; ``before`` where there is one.
    parameters
        ``own`` and ``part``, the windows of the earlier and of this part; ``duplicates``, the settings.
    folder
        Folder for the output files.
    """
    start = parameters["own"][0]
    first, last = parameters["part"]
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    partner = _partner_before(inputs, first, last)
    config = DuplicateConfig(**parameters["duplicates"])
    if config.drop:
        kept = start + np.flatnonzero(np.load(inputs["own"] / "partner.npy") < 0)
        left = np.flatnonzero(partner < 0)
        found = near_duplicates_of(codes[kept], codes[first + left], _search(config))
        repeats = found >= 0
        partner[left[repeats]] = kept[found[repeats]]
    np.save(folder / "partner.npy", partner)


@stage(version=1)
def join_duplicates(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: combine the results of all parts.

    Writes ``kept.npy``, the rows of the selected windows that are kept, and ``partner.npy`` of all rows.

    Parameters
    ----------
    inputs
        Folders of :func:`deduplicate_part` of all parts.
    parameters
        None.
    folder
        Folder for the output files.
    """
    partner = np.concatenate([np.load(inputs[name] / "partner.npy") for name in sorted(inputs)])
    np.save(folder / "kept.npy", np.flatnonzero(partner < 0))
    np.save(folder / "partner.npy", partner)


@stage(version=1)
def link_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: find homologous pairs of two parts of the kept windows, or within one part.

    Writes ``first.npy``, ``second.npy`` and ``identity.npy``.

    Parameters
    ----------
    inputs
        Folders ``selected`` and ``duplicates``.
    parameters
        ``earlier`` and ``later``, the windows of the two parts.
    folder
        Folder for the output files.
    """
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    kept = np.load(inputs["duplicates"] / "kept.npy")
    (start, stop), (first, last) = parameters["earlier"], parameters["later"]
    own = codes[kept[start:stop]]
    within = start == first
    links = homology_links(own) if within else links_between(own, codes[kept[first:last]])
    np.save(folder / "first.npy", links.first + start)
    np.save(folder / "second.npy", links.second + first)
    np.save(folder / "identity.npy", links.identity)


@stage(version=1)
def cluster_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: cluster the kept windows by homology.

    Writes ``cluster.npy``.

    Parameters
    ----------
    inputs
        Folders of :func:`link_windows`.
    parameters
        ``count``, the number of kept windows.
    folder
        Folder for the output files.
    """
    links = [
        HomologyLinks(*(np.load(inputs[name] / f"{track}.npy") for track in ("first", "second", "identity")))
        for name in sorted(inputs)
    ]
    np.save(
        folder / "cluster.npy", link_clusters(concatenate_links(links), parameters["count"], HomologyConfig())
    )


@stage(version=1)
def split_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: choose the windows for validation.

    Writes ``validation.npy``.

    Parameters
    ----------
    inputs
        Folders ``selected``, ``duplicates`` and ``clusters``.
    parameters
        ``split``, the settings; ``seed``.
    folder
        Folder for the output files.
    """
    kept = np.load(inputs["duplicates"] / "kept.npy")
    species = np.load(inputs["selected"] / "windows.npy")["species"][kept]
    cluster = np.load(inputs["clusters"] / "cluster.npy")
    config = SplitConfig(**parameters["split"])
    np.save(folder / "validation.npy", split_clusters(cluster, species, config, parameters["seed"]))


@stage(version=1)
def search_leakage(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: find the highest identity of validation windows with a part of the training windows.

    Writes ``closest.npy``.

    Parameters
    ----------
    inputs
        Folders ``selected``, ``duplicates`` and ``split``.
    parameters
        ``part``, the first training window of the part and the window after its last.
    folder
        Folder for the output files.
    """
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    kept = np.load(inputs["duplicates"] / "kept.npy")
    validation = np.load(inputs["split"] / "validation.npy")
    first, last = parameters["part"]
    config = LeakageConfig()
    rows = kept[validation][sampled_rows(int(validation.sum()), config)]
    closest = np.zeros((len(rows), len(config.coverages)), np.float32)
    if len(rows) and last > first:
        closest = closest_identity(codes[rows], codes[kept[~validation][first:last]], config)
    np.save(folder / "closest.npy", closest)


@stage(version=1)
def measure_leakage(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: count the validation windows that have relatives in training.

    Writes ``leakage.json``.

    Parameters
    ----------
    inputs
        Folder ``split`` and those of :func:`search_leakage` of all parts.
    parameters
        None.
    folder
        Folder for the output files.
    """
    validation = np.load(inputs["split"] / "validation.npy")
    parts = [np.load(inputs[name] / "closest.npy") for name in sorted(inputs) if name.startswith("part")]
    report = {}
    if validation.any():
        kept = int(validation.sum())
        found = count_leaks(np.maximum.reduce(parts), kept, len(validation) - kept, LeakageConfig())
        report = asdict(found)
    (folder / "leakage.json").write_text(json.dumps(report, indent=1, default=_plain), encoding="utf-8")


def _partner_before(inputs: Inputs, first: int, last: int) -> NDArray[np.int64]:
    """Partners of a part's windows after the comparison with earlier parts."""
    if "before" in inputs:
        return np.asarray(np.load(inputs["before"] / "partner.npy"))
    return np.full(last - first, -1, dtype=np.int64)


def _search(config: DuplicateConfig) -> NearDuplicateConfig:
    return NearDuplicateConfig(min_identity=config.min_identity, min_coverage=config.min_coverage)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")
