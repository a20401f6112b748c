"""Stages that compare all windows with one another: near-duplicates, homology clusters, split, leakage."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from meristem.corpus.homology import homology_clusters
from meristem.corpus.leakage import leakage_report
from meristem.corpus.near_duplicates import NearDuplicateConfig, near_duplicates
from meristem.corpus.recipe import DuplicateConfig, SplitConfig
from meristem.corpus.split import split_clusters
from meristem.corpus.stage import Inputs, Parameters


def drop_duplicates(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: rows of the selected windows that are kept (``kept.npy``), and each row's partner.

    Of two windows alike the one that the recipe names first stays, so that genomes with an annotation
    should stand first.
    """
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    config = DuplicateConfig(**parameters["duplicates"])
    partner = np.full(len(codes), -1, dtype=np.int64)
    if config.drop:
        search = NearDuplicateConfig(min_identity=config.min_identity, min_coverage=config.min_coverage)
        partner = near_duplicates(codes, search).partner
    np.save(folder / "kept.npy", np.flatnonzero(partner < 0))
    np.save(folder / "partner.npy", partner)


def cluster_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: homology cluster of every kept window (``cluster.npy``)."""
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    kept = np.load(inputs["duplicates"] / "kept.npy")
    np.save(folder / "cluster.npy", homology_clusters(codes[kept]))


def split_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: which of the kept windows are for validation (``validation.npy``)."""
    kept = np.load(inputs["duplicates"] / "kept.npy")
    species = np.load(inputs["selected"] / "windows.npy")["species"][kept]
    cluster = np.load(inputs["clusters"] / "cluster.npy")
    config = SplitConfig(**parameters["split"])
    np.save(folder / "validation.npy", split_clusters(cluster, species, config, parameters["seed"]))


def measure_leakage(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: how much of the validation windows is found again in training (``leakage.json``)."""
    codes = np.load(inputs["selected"] / "codes.npy", mmap_mode="r")
    kept = np.load(inputs["duplicates"] / "kept.npy")
    validation = np.load(inputs["split"] / "validation.npy")
    report = {}
    if validation.any():
        report = asdict(leakage_report(codes[kept[validation]], codes[kept[~validation]]))
    (folder / "leakage.json").write_text(json.dumps(report, indent=1, default=_plain), encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")
