"""Windows of a polyploid's subgenomes that are relatives of one another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def homeolog_table(
    subgenome: NDArray[np.str_], cluster: NDArray[np.integer], validation: NDArray[np.bool_]
) -> dict[str, Any]:
    """How the windows of one genome's subgenomes are related, and that the split parts no relatives.

    Parameters
    ----------
    subgenome, cluster, validation
        (windows,) label of the subgenome, homology cluster, and side of the split.

    Returns
    -------
    dict
        ``windows`` by subgenome; ``shared_windows`` whose cluster has members in more than one of them;
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
