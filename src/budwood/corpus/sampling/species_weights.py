"""Share of the training windows that each species of a recipe supplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from budwood.corpus.recipe.recipe import CorpusRecipe
from budwood.corpus.recipe.recipe_table import expanded
from budwood.corpus.recipe.sources import OpenSource
from budwood.corpus.sampling.balance import combine_group_weights, tree_weights
from budwood.genomics.io.tables.newick import read_newick
from budwood.genomics.phylogeny import tree_of_lineages


def species_weights(
    recipe: CorpusRecipe, sources: Sequence[OpenSource], windows: Mapping[str, int]
) -> dict[str, float]:
    """Compute the weights of the species that have windows.

    Species of sources without a share of their own are balanced together by the recipe's method. Every source
    with a share, and every collection, is balanced within itself. Collections are balanced by lineage where
    the method is ``tree``, because no tree contains all of them. Without a share, a collection counts in
    proportion to its number of species.

    Parameters
    ----------
    recipe
        The recipe.
    sources
        Its opened sources.
    windows
        Training windows by species.

    Returns
    -------
    dict
        Weights by species; they sum to 1.

    Raises
    ------
    BudwoodError
        If a species is missing from the tree.
    """
    shares: dict[str, float] = {}
    pools: dict[str, dict[str, tuple[str, ...]]] = {}
    for opened in sources:
        source = opened.source
        pool = source.label if source.share or source.collection else ""
        shares[pool] = source.share
        for contig in opened.contigs:
            if windows.get(contig.species):
                pools.setdefault(pool, {})[contig.species] = contig.lineage
    return combine_group_weights(
        {pool: (shares[pool], _within(recipe, pool, pools[pool], windows)) for pool in pools}
    )


def _within(
    recipe: CorpusRecipe, pool: str, lineages: Mapping[str, tuple[str, ...]], windows: Mapping[str, int]
) -> dict[str, float]:
    method = recipe.balance.method
    if method == "equal" or len(lineages) == 1:
        weights = dict.fromkeys(lineages, 1.0)
    elif method == "size":
        weights = {name: float(windows[name]) for name in lineages}
    elif method == "tree" and not pool:
        tree = read_newick(expanded(recipe.balance.tree, "balance"))
        weights = tree_weights(tree.pruned(list(lineages)))
    else:
        weights = tree_weights(tree_of_lineages(lineages))
    total = sum(weights.values())
    return {name: len(weights) * weight / total for name, weight in weights.items()}
