"""Tasks that compare all windows of a corpus with one another, in parts that fit into memory.

Near-duplicates are dropped part by part: the windows of a part are compared with one another, then all later
parts are compared with what is left of it, in parallel. Homology links and leakage need no order. A corpus of
one part is compared by a single task of each stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from budwood.corpus.stages.stage import Task
from budwood.corpus.stages.window_relatives import (
    cluster_windows,
    deduplicate_against,
    deduplicate_part,
    join_duplicates,
    link_windows,
    measure_leakage,
    search_leakage,
)

#: Windows of a part. A seed must be able to number those of two parts (a million windows of 960 bases).
PART: Final = 1 << 18

#: Runs the tasks of a stage; the text describes the stage in progress messages.
RunStage = Callable[[str, Sequence[Task]], list[Path]]


def parts_of(count: int, size: int | None = None) -> list[list[int]]:
    """Divide windows into parts.

    Parameters
    ----------
    count
        Number of windows.
    size
        Largest number of windows in a part; PART by default.

    Returns
    -------
    list of list of int
        First window of each part and the window after its last; one empty part without windows.

    Examples
    --------
    >>> parts_of(5, 2)
    [[0, 2], [2, 4], [4, 5]]
    """
    size = size or PART
    return [[first, min(first + size, count)] for first in range(0, max(1, count), size)]


def deduplicate_in_parts(run: RunStage, selected: Path, parameters: Mapping[str, Any]) -> Path:
    """Find the near-duplicates of the selected windows.

    Parameters
    ----------
    run
        Runs the tasks of a stage.
    selected
        Output folder of the selection stage.
    parameters
        ``duplicates``, the settings.

    Returns
    -------
    pathlib.Path
        Folder with ``kept.npy`` and ``partner.npy``.
    """
    parts = parts_of(len(np.load(selected / "windows.npy", mmap_mode="r")))
    message = "dropping near-duplicates"
    before: dict[int, Path] = {}
    settled: dict[str, Path] = {}
    for number, part in enumerate(parts):
        inputs = {"selected": selected} | ({"before": before[number]} if number in before else {})
        task = Task("duplicates", f"{number:05d}", deduplicate_part, inputs, {"part": part, **parameters})
        (own,) = run(message, [task])
        settled[f"part-{number:05d}"] = own
        later = range(number + 1, len(parts))
        tasks = [
            Task(
                "duplicates",
                f"{number:05d}-{other:05d}",
                deduplicate_against,
                {"selected": selected, "own": own} | ({"before": before[other]} if other in before else {}),
                {"own": part, "part": parts[other], **parameters},
            )
            for other in later
        ]
        before = dict(zip(later, run(message, tasks), strict=True)) if tasks else {}
    return run(message, [Task("duplicates", "all", join_duplicates, settled)])[0]


def cluster_in_parts(run: RunStage, inputs: Mapping[str, Path]) -> Path:
    """Cluster the kept windows by homology.

    Parameters
    ----------
    run
        Runs the tasks of a stage.
    inputs
        Folders ``selected`` and ``duplicates``.

    Returns
    -------
    pathlib.Path
        Folder with ``cluster.npy``.
    """
    count = len(np.load(inputs["duplicates"] / "kept.npy", mmap_mode="r"))
    parts = parts_of(count)
    tasks = [
        Task(
            "links",
            f"{number:05d}-{other:05d}",
            link_windows,
            inputs,
            {"earlier": parts[number], "later": parts[other]},
        )
        for number in range(len(parts))
        for other in range(number, len(parts))
    ]
    links = {f"links-{task.shard}": folder for task, folder in zip(tasks, run("linking", tasks), strict=True)}
    return run("clustering", [Task("clusters", "all", cluster_windows, links, {"count": count})])[0]


def leakage_in_parts(run: RunStage, inputs: Mapping[str, Path]) -> Path:
    """Measure the leakage between training and validation.

    Parameters
    ----------
    run
        Runs the tasks of a stage.
    inputs
        Folders ``selected``, ``duplicates`` and ``split``.

    Returns
    -------
    pathlib.Path
        Folder with ``leakage.json``.
    """
    training = int(np.count_nonzero(~np.load(inputs["split"] / "validation.npy")))
    tasks = [
        Task("relatives", f"{number:05d}", search_leakage, inputs, {"part": part})
        for number, part in enumerate(parts_of(training))
    ]
    found = {f"part-{task.shard}": folder for task, folder in zip(tasks, run("leakage", tasks), strict=True)}
    return run("leakage", [Task("leakage", "all", measure_leakage, {"split": inputs["split"], **found})])[0]
