"""Trees of species: where they branch and how long the branches are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError


@dataclass(frozen=True)
class Clade:
    """A node of a rooted tree with everything below it.

    Attributes
    ----------
    name
        Species of a leaf; the name of an inner node, often empty.
    length
        Length of the branch above, in the tree's own units; 0 where the tree gives none.
    children
        Empty for a leaf.

    Examples
    --------
    >>> tree = Clade("", 0.0, (Clade("rice", 2.0), Clade("maize", 2.0)))
    >>> [leaf.name for leaf in tree.leaves()]
    ['rice', 'maize']
    """

    name: str = ""
    length: float = 0.0
    children: tuple[Clade, ...] = ()

    def leaves(self) -> Iterator[Clade]:
        """The leaves from left to right.

        Yields
        ------
        Clade
            The next leaf.
        """
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()

    def pruned(self, wanted: Sequence[str]) -> Clade:
        """The tree of these species alone; branches on either side of a node that falls away are joined.

        Parameters
        ----------
        wanted
            Names of leaves.

        Returns
        -------
        Clade
            The smallest tree that holds them, without a branch above its root.

        Raises
        ------
        BudwoodError
            If one of them is not in the tree.
        """
        present = {leaf.name for leaf in self.leaves()}
        missing = [name for name in wanted if name not in present]
        if missing:
            raise BudwoodError(
                f"the tree misses the species {missing[0]!r}",
                where=f"{len(present)} species from {min(present)!r} on",
                mend="add it to the tree, or give the species a lineage and balance by lineage",
            )
        kept = _kept(self, frozenset(wanted))
        assert kept is not None
        return replace(kept, length=0.0)


def tree_of_lineages(lineages: Mapping[str, Sequence[str]]) -> Clade:
    """A tree from lineages: one branch of length 1 per rank, and species at equal depth.

    Parameters
    ----------
    lineages
        Per species its ranks from the widest to the narrowest, without the species itself. Where some have
        fewer ranks than others, the branch to the species is longer.

    Returns
    -------
    Clade
        The root.

    Examples
    --------
    >>> tree = tree_of_lineages({"rice": ["Poales", "Poaceae"], "maize": ["Poales", "Poaceae"], "fig": ["X"]})
    >>> [(leaf.name, leaf.length) for leaf in tree.leaves()]
    [('rice', 1.0), ('maize', 1.0), ('fig', 2.0)]
    """
    depth = max((len(ranks) for ranks in lineages.values()), default=0)
    return Clade("", 0.0, _ranked(dict(lineages), 0, depth))


def path_lengths(tree: Clade, names: Sequence[str]) -> NDArray[np.float64]:
    """Length of the path between any two leaves of a tree.

    Parameters
    ----------
    tree
        The tree.
    names
        s leaves of it.

    Returns
    -------
    ndarray
        (s, s), in units of the tree.

    Examples
    --------
    >>> pair = Clade("", 3.0, (Clade("a", 1.0), Clade("b", 2.0)))
    >>> path_lengths(Clade("", 0.0, (pair, Clade("c", 4.0))), ["a", "b", "c"]).tolist()
    [[0.0, 3.0, 8.0], [3.0, 0.0, 9.0], [8.0, 9.0, 0.0]]
    """
    paths: dict[str, list[tuple[int, float]]] = {}

    def descend(node: Clade, above: list[tuple[int, float]]) -> None:
        here = [*above, (id(node), node.length)]
        if not node.children:
            paths[node.name] = here
        for child in node.children:
            descend(child, here)

    descend(tree, [])
    found = np.zeros((len(names), len(names)))
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            shared = {key for key, _ in paths[one]} & {key for key, _ in paths[other]}
            both = [*paths[one], *paths[other]]
            found[i, j] = sum(length for key, length in both if key not in shared)
    return found


def _ranked(lineages: dict[str, Sequence[str]], rank: int, depth: int) -> tuple[Clade, ...]:
    children = []
    groups: dict[str, dict[str, Sequence[str]]] = {}
    for species, ranks in lineages.items():
        if rank < len(ranks):
            groups.setdefault(ranks[rank], {})[species] = ranks
        else:
            children.append(Clade(species, float(depth - rank + 1)))
    inner = [Clade(name, 1.0, _ranked(members, rank + 1, depth)) for name, members in groups.items()]
    return (*inner, *children)


def _kept(clade: Clade, wanted: frozenset[str]) -> Clade | None:
    if not clade.children:
        return clade if clade.name in wanted else None
    below = [child for child in (_kept(child, wanted) for child in clade.children) if child is not None]
    if len(below) == 1:
        return replace(below[0], length=below[0].length + clade.length)
    return replace(clade, children=tuple(below)) if below else None


def branch_distances(tree: Clade, names: Sequence[str]) -> NDArray[np.float64]:
    """Distances between leaves along the branches of a tree.

    Parameters
    ----------
    tree
        The tree; branches without a length count 0.
    names
        Leaves.

    Returns
    -------
    numpy.ndarray
        (n, n) sums of branch lengths, in the tree's own units: twice the age of the common ancestor in a
        dated tree.

    Raises
    ------
    BudwoodError
        If one of them is not in the tree.

    Examples
    --------
    >>> grasses = Clade("", 1.0, (Clade("maize", 1.0), Clade("sorghum", 1.0)))
    >>> tree = Clade("", 0.0, (Clade("rice", 2.0), grasses))
    >>> branch_distances(tree, ["rice", "maize", "sorghum"])
    array([[0., 4., 4.],
           [4., 0., 2.],
           [4., 2., 0.]])
    """
    pruned = tree.pruned(names)
    place = {name: i for i, name in enumerate(names)}
    found = np.zeros((len(names), len(names)))
    _add_distances(pruned, place, found)
    return found


def _add_distances(clade: Clade, place: Mapping[str, int], found: NDArray[np.float64]) -> dict[int, float]:
    """Depth below the clade of each of its leaves; fills in the distances between them."""
    if not clade.children:
        return {place[clade.name]: 0.0}
    depths: dict[int, float] = {}
    for child in clade.children:
        below = {leaf: depth + child.length for leaf, depth in _add_distances(child, place, found).items()}
        for one, first in depths.items():
            for other, second in below.items():
                found[one, other] = found[other, one] = first + second
        depths |= below
    return depths
