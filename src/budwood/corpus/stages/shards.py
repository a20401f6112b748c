"""The last stages: order the windows and write the shards of the corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from budwood.corpus.stages.select_windows import ORIGIN_FIELDS
from budwood.corpus.stages.stage import Inputs, Parameters, stage
from budwood.corpus.stages.tokenise import tokenise
from budwood.corpus.stages.windowing import LOCUS_FIELDS, REPEAT_BIT

#: One window of a corpus: the fields of :data:`budwood.corpus.stages.windowing.WINDOW_FIELDS`, its homology
#: cluster, and whether it is for validation.
CORPUS_WINDOW_FIELDS: Final = np.dtype(
    [
        ("contig", "<i4"),
        ("start", "<i8"),
        ("length", "<i4"),
        ("genic", "?"),
        ("species", "<i2"),
        ("cluster", "<i4"),
        ("validation", "?"),
    ]
)


@stage(version=1)
def order_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: combine the kept windows with their clusters and split, and collect the genes of all groups.

    Writes ``windows.npy``, ``kept.npy`` (rows among the selected), ``origin.npy`` and ``loci.npy``.

    Parameters
    ----------
    inputs
        Folders ``selected``, ``duplicates``, ``clusters``, ``split`` and those of all groups.
    parameters
        None.
    folder
        Folder for the output files.
    """
    kept = np.load(inputs["duplicates"] / "kept.npy")
    selected = np.load(inputs["selected"] / "windows.npy")[kept]
    windows = np.empty(len(kept), dtype=CORPUS_WINDOW_FIELDS)
    for name in selected.dtype.names:
        windows[name] = selected[name]
    windows["cluster"] = np.load(inputs["clusters"] / "cluster.npy")
    windows["validation"] = np.load(inputs["split"] / "validation.npy")
    np.save(folder / "windows.npy", windows)
    np.save(folder / "kept.npy", kept)
    np.save(folder / "origin.npy", np.load(inputs["selected"] / "origin.npy")[kept])
    groups = [inputs[name] / "loci.npy" for name in sorted(inputs) if name.startswith("group")]
    loci = np.concatenate([np.empty(0, LOCUS_FIELDS), *(np.load(path) for path in groups)])
    np.save(folder / "loci.npy", loci)


@stage(version=1)
def write_shard(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: write one shard.

    Writes ``bases.npy`` and ``region.npy``, both (windows, length) ``uint8``; with a tokenizer also
    ``tokens.npy`` and ``token_ends.npy``.

    Parameters
    ----------
    inputs
        Folders ``order``, those of all groups, and ``tokenizer`` where there is one.
    parameters
        ``first`` window of the shard, ``last``, the window after its last, and ``length`` of windows in
        bases.
    folder
        Folder for the output files.
    """
    every = np.load(inputs["order"] / "origin.npy", mmap_mode="r")
    origin = np.asarray(every[parameters["first"] : parameters["last"]])
    assert origin.dtype == ORIGIN_FIELDS
    groups = sorted(name for name in inputs if name.startswith("group"))
    tracks = {}
    for track in ("bases", "region"):
        rows = np.empty((len(origin), parameters["length"]), dtype=np.uint8)
        for group in np.unique(origin["group"]):
            here = origin["group"] == group
            source = np.load(inputs[groups[group]] / f"{track}.npy", mmap_mode="r")
            rows[here] = source[origin["row"][here]]
        np.save(folder / f"{track}.npy", rows)
        tracks[track] = rows
    if "tokenizer" in inputs:
        codes = tracks["bases"] & ~np.uint8(REPEAT_BIT)
        numbers, ends = tokenise(inputs["tokenizer"] / "tokenizer.json", codes)
        np.save(folder / "tokens.npy", numbers)
        np.save(folder / "token_ends.npy", ends)
