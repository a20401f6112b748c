"""What a synthetic clade is simulated from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from budwood.errors import BudwoodError
from budwood.simulate.population import PopulationConfig

#: Four species: two close ones, one at middle distance, one far. Branch lengths are substitutions per neutral
#: base.
FOUR_SPECIES: Final = "(((alpha:0.02,beta:0.02):0.06,gamma:0.08):0.12,delta:0.20);"


@dataclass(frozen=True, kw_only=True)
class EvolutionRates:
    """What happens along a branch, per unit of branch length (one substitution per neutral base).

    Attributes
    ----------
    intron, motif
        Substitution rate of promoters, introns and untranslated regions, and of functional motifs, beside
        1 of intergenic bases. Start, stop and splice dinucleotides never change.
    replacement
        Share of the amino-acid changes that selection lets pass.
    indel
        Insertions or deletions per intergenic base.
    gene_loss
        Rate at which a gene is lost.
    transposon_turnover
        Rate at which a transposon copy is lost, and at which new ones insert for each copy there is.
    inversions, translocations
        Of each contig; an inverted or moved piece holds several genes.
    """

    intron: float = 0.6
    motif: float = 0.08
    replacement: float = 0.15
    indel: float = 0.1
    gene_loss: float = 0.2
    transposon_turnover: float = 4.0
    inversions: float = 8.0
    translocations: float = 4.0

    def __post_init__(self) -> None:
        if min(getattr(self, name) for name in self.__dataclass_fields__) < 0:
            raise BudwoodError("a rate of evolution is negative", mend="give 0 or more")


@dataclass(frozen=True, kw_only=True)
class CladeConfig:
    """Size of the ancestor's genome, the species tree, and the lines of each species.

    Attributes
    ----------
    tree
        Newick text; branch lengths are substitutions per neutral base.
    contigs, genes_per_contig, transposons_per_contig
        Of the ancestor.
    gap
        Mean intergenic bases between two genes or transposons.
    gc, codons, introns
        As in :class:`~budwood.simulate.species.SpeciesConfig`.
    rates
        What happens along a branch.
    population
        Lines of each species and their history; its seed is not used.
    seed
        Determines everything random.
    """

    tree: str = FOUR_SPECIES
    contigs: int = 5
    genes_per_contig: int = 40
    transposons_per_contig: int = 10
    gap: int = 600
    gc: float = 0.38
    codons: int = 200
    introns: float = 2.0
    rates: EvolutionRates = field(default_factory=EvolutionRates)
    population: PopulationConfig = field(
        default_factory=lambda: PopulationConfig(
            lines=600, pool_size=150, founder_size=300, mutation_rate=2e-6
        )
    )
    seed: int = 1

    def __post_init__(self) -> None:
        if min(self.contigs, self.genes_per_contig) < 1 or self.transposons_per_contig < 0:
            raise BudwoodError("a clade needs contigs and genes", mend="give positive numbers")
        if self.gap < 120 or self.codons < 60 or self.seed < 0:
            raise BudwoodError(
                "gaps or genes are too short, or the seed is negative",
                mend="give gaps of 120 bases, genes of 60 codons and a seed of 0 or more at least",
            )
