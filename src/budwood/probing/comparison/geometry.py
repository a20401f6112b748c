"""Geometry of embeddings: principal components, neighbours, and distances between species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from budwood.errors import BudwoodError
from budwood.genomics.phylogeny import Clade, branch_distances
from budwood.stats.relationship.principal_components import PrincipalComponents, principal_components

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Neighbours of a window, and draws of the permutation tests.
NEIGHBOURS: Final = 10
PERMUTATIONS: Final = 999
_COMPONENTS: Final = 10
#: Fewest species whose distances can be compared with a tree.
FEWEST_SPECIES: Final = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowGeometry:
    """Geometry of windows with labels.

    Attributes
    ----------
    labels
        (k,) labels.
    components
        Principal components.
    purity, chance, p
        Mean share of a window's ten nearest neighbours in other blocks that bear its label, the same over
        permuted labels, and the permutation p.
    baseline_purity
        Purity with 6-mers instead of embeddings.
    umap
        (k, 2) coordinates by UMAP; None where it was not asked for.
    """

    labels: NDArray[np.str_]
    components: PrincipalComponents
    purity: float
    chance: float
    p: float
    baseline_purity: float
    umap: Matrix | None = None


@dataclass(frozen=True, kw_only=True)
class DistanceCorrelation:
    """Correlation of two matrices of distances between species, by the test of Mantel.

    Attributes
    ----------
    r, rank_r
        Pearson correlation and rank correlation over pairs of species.
    p
        One-sided p of r over permutations of the species.
    """

    r: float
    rank_r: float
    p: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SpeciesGeometry:
    """Geometry of species.

    Attributes
    ----------
    species
        Names.
    windows
        Number of windows of each.
    components
        Principal components of the species' means.
    distances
        (s, s) distances of their mean embeddings, in standard deviations of windows.
    evolutionary
        (s, s) distances along the tree; None without a tree.
    correlations
        Of evolutionary distances with those of embeddings and of baselines, by name; empty without a tree.
    """

    species: tuple[str, ...]
    windows: tuple[int, ...]
    components: PrincipalComponents
    distances: Matrix
    evolutionary: Matrix | None
    correlations: dict[str, DistanceCorrelation]


def standardised(vectors: NDArray[np.floating]) -> Matrix:
    """Vectors with mean 0 and standard deviation 1 in each dimension; 0 where one does not vary.

    Parameters
    ----------
    vectors
        (k, d).

    Returns
    -------
    numpy.ndarray
        (k, d).
    """
    wide = vectors.astype(np.float64)
    spread = wide.std(axis=0)
    return (wide - wide.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def window_geometry(
    vectors: NDArray[np.floating],
    baseline: NDArray[np.floating],
    labels: NDArray[np.str_],
    blocks: NDArray[np.int64],
    *,
    with_umap: bool = False,
    seed: int = 0,
) -> WindowGeometry:
    """Principal components and neighbour purity of windows.

    Parameters
    ----------
    vectors, baseline
        (k, d) embeddings, and other features of the same windows.
    labels, blocks
        (k,) label and block of each; windows of one block are no neighbours.
    with_umap
        Whether to compute coordinates by UMAP too.
    seed
        Seed of the permutations and of UMAP.

    Returns
    -------
    WindowGeometry
        The geometry.

    Raises
    ------
    BudwoodError
        If UMAP is wanted and not installed.
    """
    neighbours = nearest(standardised(vectors), blocks)
    purity = _purity(neighbours, labels)
    random = np.random.default_rng(seed)
    drawn = np.array([_purity(neighbours, random.permutation(labels)) for _ in range(PERMUTATIONS)])
    return WindowGeometry(
        labels=labels,
        components=_components(vectors),
        purity=purity,
        chance=float(drawn.mean()),
        p=float((1 + (drawn >= purity).sum()) / (1 + len(drawn))),
        baseline_purity=_purity(nearest(standardised(baseline), blocks), labels),
        umap=_umap(standardised(vectors), seed) if with_umap else None,
    )


def nearest(vectors: Matrix, blocks: NDArray[np.int64]) -> NDArray[np.intp]:
    """The ten nearest windows of other blocks, or as many as there are.

    Parameters
    ----------
    vectors
        (k, d).
    blocks
        (k,) block of each.

    Returns
    -------
    numpy.ndarray
        (k, 10) rows, the nearest first; -1 where there is none.

    Examples
    --------
    >>> nearest(np.array([[0.0], [1.0], [3.0]]), np.array([0, 1, 2]))[:, :2]
    array([[1, 2],
           [0, 2],
           [1, 0]])
    """
    squares = (vectors**2).sum(axis=1)
    distance = squares[:, None] + squares - 2.0 * vectors @ vectors.T
    distance[blocks[:, None] == blocks] = np.inf
    count = min(NEIGHBOURS, len(vectors) - 1)
    found = np.argsort(distance, axis=1, kind="stable")[:, :count]
    return np.where(np.isfinite(np.take_along_axis(distance, found, axis=1)), found, -1)


def _components(vectors: NDArray[np.floating]) -> PrincipalComponents:
    """First ten principal components of standardised vectors."""
    wide = standardised(vectors)
    return principal_components(wide @ wide.T, count=min(_COMPONENTS, len(wide)))


def _purity(neighbours: NDArray[np.intp], labels: NDArray[np.str_]) -> float:
    known = neighbours >= 0
    alike = (labels[neighbours] == labels[:, None]) & known
    return float(alike.sum() / max(1, known.sum()))


def species_geometry(
    vectors: Mapping[str, NDArray[np.floating]],
    baselines: Mapping[str, Mapping[str, NDArray[np.floating]]],
    tree: Clade | None,
    *,
    seed: int = 0,
) -> SpeciesGeometry:
    """Distances of species by the means of their windows, compared with a tree.

    Parameters
    ----------
    vectors
        (k, d) embeddings of windows by species.
    baselines
        Other features of the same windows by name and species.
    tree
        Tree that holds the species; None for the picture alone.
    seed
        Seed of the permutations.

    Returns
    -------
    SpeciesGeometry
        The geometry.

    Raises
    ------
    BudwoodError
        If there are under four species, or one is not in the tree.
    """
    names = tuple(vectors)
    evolutionary = evolutionary_distances(names, tree)
    means = _means(vectors)
    distances = _distances(means)
    correlations = {}
    if evolutionary is not None:
        every = {"embedding": distances, **{k: _distances(_means(v)) for k, v in baselines.items()}}
        correlations = {name: mantel(found, evolutionary, seed=seed) for name, found in every.items()}
    return SpeciesGeometry(
        species=names,
        windows=tuple(len(rows) for rows in vectors.values()),
        components=_components(means),
        distances=distances,
        evolutionary=evolutionary,
        correlations=correlations,
    )


def evolutionary_distances(names: Sequence[str], tree: Clade | None) -> Matrix | None:
    """Distances of species along a tree.

    Parameters
    ----------
    names
        The species.
    tree
        Tree that holds them; None where there is none.

    Returns
    -------
    ndarray or None
        (s, s) sums of branch lengths; None without a tree.

    Raises
    ------
    BudwoodError
        If there are under four species, or one is not in the tree.
    """
    if len(names) < FEWEST_SPECIES:
        raise BudwoodError(
            f"there are {len(names)} species, and their distances need {FEWEST_SPECIES}",
            where="--species",
            mend="give more genomes",
        )
    return None if tree is None else branch_distances(tree, tuple(names))


def check_umap() -> None:
    """Refuse a picture by UMAP where it is not installed.

    Raises
    ------
    BudwoodError
        If there is no package of this name.
    """
    if find_spec("umap") is None:
        raise BudwoodError(
            "UMAP is not installed", where="--umap", mend="install it: pip install 'budwood[umap]'"
        )


def mantel(one: Matrix, other: Matrix, *, seed: int = 0) -> DistanceCorrelation:
    """Correlation of two matrices of distances, with a p over permutations of the rows of one of them.

    Mantel 1967, Cancer Research 27:209.

    Parameters
    ----------
    one, other
        (s, s) symmetric distances.
    seed
        Seed of the permutations.

    Returns
    -------
    DistanceCorrelation
        Correlations and p.
    """
    upper = np.triu_indices(len(one), 1)
    x, y = one[upper], other[upper]
    r = _correlation(x, y)
    random = np.random.default_rng(seed)
    orders = [random.permutation(len(one)) for _ in range(PERMUTATIONS)]
    drawn = np.array([_correlation(one[np.ix_(order, order)][upper], y) for order in orders])
    p = (1 + (drawn >= r - 1e-12).sum()) / (1 + len(drawn))
    return DistanceCorrelation(r=r, rank_r=_correlation(rankdata(x), rankdata(y)), p=float(p))


def _correlation(x: Vector, y: Vector) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y / size) if size > 0 else 0.0


def _means(features: Mapping[str, NDArray[np.floating]]) -> Matrix:
    """(s, d) means of the species, in standard deviations of windows within species."""
    rows = [each.astype(np.float64) for each in features.values()]
    within = np.sqrt(np.mean([each.var(axis=0) for each in rows], axis=0))
    return np.stack([each.mean(axis=0) for each in rows]) / np.where(within > 0, within, 1.0)


def _distances(means: Matrix) -> Matrix:
    return np.linalg.norm(means[:, None] - means[None], axis=2)


def _umap(vectors: Matrix, seed: int) -> Matrix:
    check_umap()
    from umap import UMAP

    reducer: Any = UMAP(n_components=2, n_neighbors=15, random_state=seed, n_jobs=1)
    return np.asarray(reducer.fit_transform(vectors), dtype=np.float64)
