"""A clade with known truth: species along a tree, their orthologs, and lines of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.newick import parse_newick
from budwood.genomics.phylogeny import Clade, path_lengths
from budwood.simulate.clade.blueprint import Blueprint, Codes, ancestor, species_of
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.evolution import evolve
from budwood.simulate.population import Population, PopulationConfig, simulate_population
from budwood.simulate.random_stream import random_stream
from budwood.simulate.species import Species


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticClade:
    """Species along a tree, with known truth.

    Attributes
    ----------
    config
        What it was simulated from.
    tree
        The species tree.
    species, populations
        Genome and lines of each species, by name.
    orthologs
        For each species its gene by number of the ancestral gene; genes that were lost are absent.
    """

    config: CladeConfig
    tree: Clade
    species: Mapping[str, Species]
    populations: Mapping[str, Population]
    orthologs: Mapping[str, Mapping[int, str]]

    def ortholog_pairs(self, source: str, target: str) -> tuple[tuple[str, str], ...]:
        """Orthologous genes of two species.

        Parameters
        ----------
        source, target
            Names of species.

        Returns
        -------
        tuple of tuple
            Gene of the source and gene of the target.
        """
        ours, theirs = self.orthologs[source], self.orthologs[target]
        return tuple((ours[number], theirs[number]) for number in sorted(ours.keys() & theirs.keys()))

    def distances(self) -> NDArray[np.float64]:
        """Length of the path between any two species.

        Returns
        -------
        numpy.ndarray
            (s, s), in the order of :attr:`species`.
        """
        return path_lengths(self.tree, list(self.species))


def simulate_clade(config: CladeConfig) -> SyntheticClade:
    """Simulate a clade; the same configuration gives the same clade.

    The ancestor's genes keep their reading frames and most of their motifs along every branch; intergenic
    sequence drifts, transposon copies come and go, pieces of contigs are inverted and moved, and some genes
    are lost. Lines of each species follow the coalescent of :mod:`budwood.simulate.population`.

    Parameters
    ----------
    config
        Tree, genome, rates and lines.

    Returns
    -------
    SyntheticClade
        Genomes, orthologs and lines.

    Raises
    ------
    BudwoodError
        If the tree cannot be read or two species have one name.

    Examples
    --------
    >>> from budwood.simulate.population import PopulationConfig
    >>> clade = simulate_clade(CladeConfig(tree="(x:0.1,y:0.1);", contigs=1, genes_per_contig=6,
    ...                                    population=PopulationConfig(lines=30)))
    >>> list(clade.species), len(clade.populations["x"].accessions)
    (['x', 'y'], 30)
    """
    tree = parse_newick(config.tree, where="the tree of the clade")
    names = [leaf.name for leaf in tree.leaves()]
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise BudwoodError("the tree does not name two or more species once each", mend="name every leaf")
    blueprint, master = ancestor(config)
    leaves: dict[str, Blueprint] = {}
    _walk(tree, blueprint, config, master, leaves)
    species, orthologs = {}, {}
    for name in names:
        species[name], orthologs[name] = species_of(leaves[name], f"{name}_g", config)
    populations = {name: simulate_population(species[name], _lines(config, name)) for name in names}
    return SyntheticClade(
        config=config, tree=tree, species=species, populations=populations, orthologs=orthologs
    )


def allotetraploid(clade: SyntheticClade, first: str, second: str) -> tuple[Species, Population]:
    """Lines of an allotetraploid whose subgenomes A and B are two species of a clade.

    Contigs are named ``1A``, ``1B`` and so on, as in wheat. Subgenomes pair with themselves alone, so a line
    carries two copies of each subgenome, and a marker belongs to one.

    Parameters
    ----------
    clade
        Where the parents come from.
    first, second
        Names of the parents.

    Returns
    -------
    species : Species
        Both subgenomes; genes keep the names that they have in the parents.
    population : Population
        Its lines.
    """
    parts = [(letter, clade.species[name]) for letter, name in (("A", first), ("B", second))]
    sequences: dict[str, Codes] = {}
    masks: dict[str, NDArray[np.bool_]] = {}
    genes, copies = [], []
    for letter, parent in parts:
        names = {contig: f"{i + 1}{letter}" for i, contig in enumerate(parent.sequences)}
        sequences |= {names[contig]: codes for contig, codes in parent.sequences.items()}
        masks |= {names[contig]: mask for contig, mask in parent.soft_masked.items()}
        genes += [gene.on_contig(names[gene.model.contig]) for gene in parent.genes]
        copies += [
            replace(copy, repeat=replace(copy.repeat, contig=names[copy.repeat.contig]))
            for copy in parent.transposons
        ]
    config = replace(clade.species[first].config, contigs=len(sequences))
    species = Species(config, sequences, masks, tuple(genes), tuple(copies))
    return species, simulate_population(species, _lines(clade.config, f"{first} x {second}"))


def _walk(
    node: Clade, blueprint: Blueprint, config: CladeConfig, master: Codes, leaves: dict[str, Blueprint]
) -> None:
    for number, child in enumerate(node.children):
        rng = random_stream(config.seed, "branch", *sorted(leaf.name for leaf in child.leaves()), str(number))
        evolved = evolve(blueprint, child.length, config.rates, master, rng)
        if child.children:
            _walk(child, evolved, config, master, leaves)
        else:
            leaves[child.name] = evolved


def _lines(config: CladeConfig, name: str) -> PopulationConfig:
    """The population of a species, with a seed of its own."""
    seed = int(random_stream(config.seed, "population", name).integers(2**31))
    return replace(config.population, seed=seed)
