"""Homologous windows in different subgenomes of a polyploid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def homeolog_table(
    subgenome: NDArray[np.str_], cluster: NDArray[np.integer], validation: NDArray[np.bool_]
) -> dict[str, Any]:
    """Count related windows of a genome's subgenomes, and check that the split keeps them together.

    Parameters
    ----------
    subgenome, cluster, validation
        (windows,) label of the subgenome, homology cluster, and whether the window is for validation.

    Returns
    -------
    dict
        ``windows`` by subgenome; ``shared_windows`` in clusters with members in more than one subgenome;
        ``validation_windows`` of these; ``parted_clusters`` with members on both sides of the split.

    Examples
    --------
    >>> kept = np.array([True, True, False])
    >>> homeolog_table(np.array(["A", "C", "A"]), np.array([0, 0, 1]), kept)["shared_windows"]
    2
    """
    names, own = np.unique(subgenome, return_inverse=True)
    _, label = np.unique(cluster, return_inverse=True)
    members = np.zeros((int(label.max(initial=-1)) + 1, len(names)), dtype=np.int64)
    np.add.at(members, (label, own), 1)
    kept = np.bincount(label, weights=validation, minlength=len(members))
    shared = (members > 0).sum(axis=1) > 1
    parted = shared & (kept > 0) & (kept < members.sum(axis=1))
    return {
        "windows": dict(zip(names.tolist(), members.sum(axis=0).tolist(), strict=True)),
        "shared_windows": int(members[shared].sum()),
        "validation_windows": int(kept[shared].sum()),
        "parted_clusters": int(parted.sum()),
    }
