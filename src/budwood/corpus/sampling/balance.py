"""Weights of species by the evolution each represents, so that well-studied families do not dominate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from budwood.genomics.phylogeny import Clade


def tree_weights(tree: Clade) -> dict[str, float]:
    """Weight the leaves of a tree by their share of its evolution.

    From the leaves up, the length of each branch is divided among the leaves below it in proportion to what
    each has so far; a leaf with close relatives shares almost all of its history with them (Gerstein,
    Sonnhammer and Chothia 1994, J. Mol. Biol. 236:1067, appendix). A tree without branch lengths gives equal
    weights.

    Parameters
    ----------
    tree
        The root of the tree.

    Returns
    -------
    dict
        Weights by name of the leaf; they sum to 1.

    Examples
    --------
    >>> inner = Clade("", 0.3, (Clade("A", 0.2), Clade("B", 0.2)))
    >>> tree = Clade("", 0.0, (Clade("", 0.3, (inner, Clade("C", 0.5))), Clade("D", 0.8)))
    >>> {name: round(4 * weight, 3) for name, weight in tree_weights(tree).items()}
    {'A': 0.761, 'B': 0.761, 'C': 1.087, 'D': 1.391}
    """
    shares = _shares(tree)
    total = sum(shares.values())
    return {name: share / total if total else 1 / len(shares) for name, share in shares.items()}


def effective_number(weights: Iterable[float]) -> float:
    """Effective number of species: the exponential of the entropy of their weights.

    Parameters
    ----------
    weights
        Weights of any sum; those of 0 are left out.

    Returns
    -------
    float
        The number of equally weighted species with the same entropy.

    Examples
    --------
    >>> effective_number([1, 1, 1, 0]), round(effective_number([8, 1, 1]), 2)
    (3.0, 1.89)
    """
    share = np.array([weight for weight in weights if weight > 0], dtype=np.float64)
    share /= share.sum()
    return round(float(np.exp(-(share * np.log(share)).sum())), 12)


def combine_group_weights(groups: Mapping[str, tuple[float, Mapping[str, float]]]) -> dict[str, float]:
    """Combine weights within groups into weights over all species.

    Parameters
    ----------
    groups
        For each group its share of the whole and the weights of its species, of any sum. Groups with share 0
        divide the remainder as one pool in which every species has its own weight.

    Returns
    -------
    dict
        Weights by species; they sum to 1.

    Examples
    --------
    >>> combine_group_weights({"crops": (0.0, {"a": 3, "b": 1}), "plastids": (0.2, {"c": 5})})
    {'a': 0.6000000000000001, 'b': 0.2, 'c': 0.2}
    """
    fixed = sum(share for share, weights in groups.values() if weights)
    pool = sum(sum(weights.values()) for share, weights in groups.values() if not share)
    # If all groups have a fixed share, the shares are scaled to sum to 1.
    scale = 1.0 if pool else 1.0 / fixed if fixed else 0.0
    result: dict[str, float] = {}
    for share, weights in groups.values():
        inside = sum(weights.values())
        for name, weight in weights.items():
            part = share * scale * weight / inside if share else (1 - fixed) * weight / pool
            result[name] = result.get(name, 0.0) + part
    return result


def _shares(clade: Clade) -> dict[str, float]:
    if not clade.children:
        return {clade.name: clade.length}
    below: dict[str, float] = {}
    for child in clade.children:
        below |= _shares(child)
    total = sum(below.values())
    return {
        name: share + clade.length * (share / total if total else 1 / len(below))
        for name, share in below.items()
    }
