"""Select the windows of the corpus: those of genes, and a number of others."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import WindowConfig
from budwood.corpus.stages.stage import Inputs, Parameters, stage
from budwood.corpus.stages.windowing import REPEAT_BIT

#: Origin of a selected window: index of its group of contigs, and its row there.
ORIGIN_FIELDS: Final = np.dtype([("group", "<i4"), ("row", "<i4")])


def choose_windows(
    genic: NDArray[np.bool_], random_per_genic: float, limit: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Choose windows of one source.

    All windows of genes are chosen, and ``random_per_genic`` times as many others at random; without genes,
    all windows. A ``limit`` reduces both by the same share.

    Parameters
    ----------
    genic
        (windows,) whether a window contains a gene or its surroundings.
    random_per_genic
        Other windows for each window of genes.
    limit
        Largest number of windows, 0 for no limit.
    random
        Random number generator.

    Returns
    -------
    numpy.ndarray
        Ascending row numbers.

    Examples
    --------
    >>> genic = np.array([True, False, False, False, True])
    >>> rows = choose_windows(genic, 0.5, 0, np.random.default_rng(0))
    >>> len(rows), int(genic[rows].sum())
    (3, 2)
    """
    near, elsewhere = np.flatnonzero(genic), np.flatnonzero(~genic)
    if len(near):
        wanted = min(len(elsewhere), round(random_per_genic * len(near)))
        elsewhere = random.choice(elsewhere, wanted, replace=False)
    total = len(near) + len(elsewhere)
    if limit and total > limit:
        part = round(limit * len(near) / total)
        near = random.choice(near, part, replace=False)
        elsewhere = random.choice(elsewhere, limit - part, replace=False)
    return np.sort(np.concatenate([near, elsewhere]))


@stage(version=1)
def select_windows(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: choose among the windows of all groups.

    Writes ``windows.npy`` and ``origin.npy`` (a row for each window) and ``codes.npy`` (windows, length)
    unpacked.

    Parameters
    ----------
    inputs
        Output folders of :func:`budwood.corpus.stages.windowing.cut_group`.
    parameters
        ``sources``, the index of every group's source, groups ordered by name; ``limits``, the largest number
        of windows by source; ``windows``, the settings; ``seed``.
    folder
        Folder for the output files.
    """
    config = WindowConfig(**parameters["windows"])
    groups = sorted(inputs)
    sources = np.array(parameters["sources"])
    tables, origins = [], []
    for source in dict.fromkeys(parameters["sources"]):
        members = np.flatnonzero(sources == source)
        pool = [np.load(inputs[groups[group]] / "windows.npy") for group in members]
        table = np.concatenate(pool)
        origin = np.empty(len(table), dtype=ORIGIN_FIELDS)
        origin["group"] = np.repeat(members, [len(each) for each in pool])
        origin["row"] = np.concatenate([np.arange(len(each)) for each in pool])
        random = np.random.default_rng((parameters["seed"], int(source)))
        rows = choose_windows(
            table["genic"], config.random_per_genic, parameters["limits"][str(source)], random
        )
        tables.append(table[rows])
        origins.append(origin[rows])
    windows, origin = np.concatenate(tables), np.concatenate(origins)
    np.save(folder / "windows.npy", windows)
    np.save(folder / "origin.npy", origin)
    # Written in blocks as a plain file: writing to a memory map crashes the process on a full disk.
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(windows), config.length)}
    with (folder / "codes.npy").open("wb") as handle:
        np.lib.format.write_array_header_1_0(handle, header)
        for block in np.split(origin, np.flatnonzero(np.diff(origin["group"])) + 1):
            if len(block):
                packed = np.load(inputs[groups[block["group"][0]]] / "bases.npy", mmap_mode="r")
                handle.write((packed[block["row"]] & ~np.uint8(REPEAT_BIT)).tobytes())
