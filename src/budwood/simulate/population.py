"""A breeding panel of inbred lines on a species' genome, simulated by the coalescent (msprime)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.haplotypes.calls import CallBlock, Site
from budwood.genomics.sequence import decode
from budwood.simulate.random_stream import random_stream
from budwood.simulate.species import Species

if TYPE_CHECKING:
    import msprime

# A <-> G and C <-> T: codes 0 <-> 2 and 1 <-> 3.
_TRANSITION: Final = 2
# Half of the indels have one base; none has more than this.
_LONGEST_INDEL: Final = 12


@dataclass(frozen=True)
class PopulationConfig:
    """Size, history and mutation of the panel. Sizes are numbers of inbred lines (haploid genomes).

    The genome is that of a plant scaled down to a few hundred thousand bases per chromosome. Recombination
    and mutation rates per base are scaled up accordingly, so a chromosome keeps its length in Morgan.

    Attributes
    ----------
    lines
        Number of sampled lines.
    shares
        Share of the lines from each breeding pool; there are as many pools as shares.
    pool_size
        Effective size of each pool since the split.
    split_generations
        Generations since the pools split.
    migration
        Probability per generation that a line's parent comes from another given pool.
    founder_size, founder_generations
        Effective size and duration in generations of the bottleneck (domestication) before the split.
    ancestral_size
        Effective size of the wild ancestor.
    mutation_rate
        Mutations per base and generation.
    morgans
        Crossovers per chromosome and generation.
    indel_share
        Share of mutations that are insertions or deletions of up to 12 bases.
    transition_ratio
        Transitions per transversion.
    seed
        Determines everything random.
    """

    lines: int = 800
    shares: tuple[float, ...] = (0.45, 0.33, 0.22)
    pool_size: int = 40
    split_generations: int = 40
    migration: float = 0.01
    founder_size: int = 80
    founder_generations: int = 20
    ancestral_size: int = 1000
    mutation_rate: float = 1e-6
    morgans: float = 1.0
    indel_share: float = 0.06
    transition_ratio: float = 2.0
    seed: int = 1

    def __post_init__(self) -> None:
        if not self.shares or min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-9:
            raise BudwoodError("the shares of the pools do not add up to 1", mend="give positive shares")
        if min(self.pool_counts) < 1:
            raise BudwoodError(
                f"{counted(self.lines, 'line')} for {counted(len(self.shares), 'pool')} are too few",
                mend="ask for more lines",
            )
        sizes = (self.pool_size, self.founder_size, self.ancestral_size)
        if min(sizes) < 1 or min(self.split_generations, self.founder_generations) <= 0:
            raise BudwoodError("a population needs sizes and times above 0", mend="give positive numbers")
        if not 0 <= self.migration * (len(self.shares) - 1) <= 1 or not 0 <= self.indel_share <= 1:
            raise BudwoodError("migration or indel share is not a probability", mend="choose 0 to 1")
        if min(self.mutation_rate, self.morgans, self.transition_ratio, self.seed) < 0:
            raise BudwoodError("a rate or the seed is negative", mend="give 0 or more")

    @property
    def pool_counts(self) -> tuple[int, ...]:
        """Number of lines from each pool."""
        edges = np.rint(np.cumsum(self.shares) * self.lines).astype(int)
        return tuple(np.diff(edges, prepend=0).tolist())


@dataclass(frozen=True, eq=False)
class Population:
    """Genotypes of fully inbred lines; can be streamed like a genotype file (a ``CallSource``).

    Attributes
    ----------
    config
        The configuration it was simulated from.
    accessions
        n names; names and rows are not ordered by pool.
    pool
        (n,) ``int64`` index of the pool of each line.
    contigs
        Contigs with their lengths in bases.
    sites
        m biallelic sites in genome order. REF is the species' sequence and the ancestral state. Indels are
        left-aligned with one base before them, and no site lies within another.
    haplotypes
        (n, m) ``int8``: 0 for REF, 1 for ALT. Both copies of a line are identical. Every site segregates.
    """

    config: PopulationConfig
    accessions: tuple[str, ...]
    pool: NDArray[np.int64]
    contigs: Mapping[str, int]
    sites: tuple[Site, ...]
    haplotypes: NDArray[np.int8]

    @property
    def has_letters(self) -> bool:
        """Whether alleles are nucleotide letters; always true."""
        return True

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls, diploid and phased; a block never spans two contigs.

        Parameters
        ----------
        sites_per_block
            Largest number of sites in a block.

        Yields
        ------
        CallBlock
            Consecutive sites of one contig.
        """
        names = np.array([site.contig for site in self.sites], dtype=object)
        for contig in self.contigs:
            columns = np.flatnonzero(names == contig)
            for start in range(0, len(columns), sites_per_block):
                chosen = columns[start : start + sites_per_block]
                alleles = np.repeat(self.haplotypes[:, chosen].T[:, :, None], 2, axis=2)
                phased = np.ones(alleles.shape[:2], dtype=np.bool_)
                yield CallBlock(tuple(self.sites[j] for j in chosen), alleles, phased)


def simulate_population(species: Species, config: PopulationConfig) -> Population:
    """Simulate a panel: pools that split after a bottleneck and exchange lines since then.

    Ancestry follows Hudson's coalescent with recombination among haploid genomes, which describes a panel of
    inbred lines; contigs are independent (Baumdicker et al. 2022, Genetics 220:iyab229, msprime). Mutations
    are neutral.

    Parameters
    ----------
    species
        The genome; it is the reference and the ancestral sequence.
    config
        Size and history of the panel.

    Returns
    -------
    Population
        The lines with their genotypes.

    Raises
    ------
    BudwoodError
        If msprime is not installed.

    Examples
    --------
    >>> from budwood.simulate.species import SpeciesConfig, simulate_species
    >>> species = simulate_species(SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=8))
    >>> panel = simulate_population(species, PopulationConfig(lines=40))
    >>> len(panel.accessions), panel.haplotypes.shape == (40, len(panel.sites))
    (40, True)
    """
    demography = _demography(config)
    parts = [_contig(species, name, config, demography) for name in species.sequences]
    order = random_stream(config.seed, "order of lines").permutation(config.lines)
    digits = len(str(config.lines))
    return Population(
        config,
        tuple(f"line{i + 1:0{digits}d}" for i in range(config.lines)),
        np.repeat(np.arange(len(config.shares)), config.pool_counts)[order],
        {name: len(codes) for name, codes in species.sequences.items()},
        tuple(site for sites, _ in parts for site in sites),
        np.ascontiguousarray(np.concatenate([haplotypes for _, haplotypes in parts], axis=1)[order]),
    )


def _msprime() -> Any:
    try:
        import msprime
    except ImportError as error:
        raise BudwoodError(
            "made-up panels need msprime, which has no ready-made package for Linux on ARM",
            where="budwood demo",
            mend="install it with \"pip install 'budwood[demo]'\" (which compiles it there) "
            "or start with genotypes of your own",
        ) from error
    return msprime


def _demography(config: PopulationConfig) -> msprime.Demography:
    demography = _msprime().Demography()
    pools = [f"pool{i + 1}" for i in range(len(config.shares))]
    for pool in pools:
        demography.add_population(name=pool, initial_size=config.pool_size)
    demography.add_population(name="founders", initial_size=config.founder_size)
    if len(pools) > 1:
        demography.set_symmetric_migration_rate(pools, config.migration)
    demography.add_population_split(time=config.split_generations, derived=pools, ancestral="founders")
    demography.add_population_parameters_change(
        time=config.split_generations + config.founder_generations,
        population="founders",
        initial_size=config.ancestral_size,
    )
    return demography


def _contig(
    species: Species, contig: str, config: PopulationConfig, demography: msprime.Demography
) -> tuple[list[Site], NDArray[np.int8]]:
    """Sites of one contig and its haplotypes, rows ordered by pool."""
    codes = species.sequences[contig]
    ancestry, mutation = (
        random_stream(config.seed, "ancestry", contig),
        random_stream(config.seed, "mutation", contig),
    )
    msprime = _msprime()
    trees = msprime.sim_ancestry(
        {f"pool{i + 1}": count for i, count in enumerate(config.pool_counts)},
        demography=demography,
        ploidy=1,
        sequence_length=len(codes),
        recombination_rate=config.morgans / len(codes),
        random_seed=int(ancestry.integers(1, 2**32)),
    )
    trees = msprime.sim_mutations(
        trees,
        rate=config.mutation_rate,
        model=msprime.BinaryMutationModel(),
        random_seed=int(mutation.integers(1, 2**32)),
    )
    haplotypes = trees.genotype_matrix().astype(np.int8).T
    carriers = haplotypes.sum(axis=0)
    kept = (carriers > 0) & (carriers < config.lines)
    positions = trees.sites_position[kept].astype(np.int64)
    alleles = _alleles(codes, positions, config, random_stream(config.seed, "allele", contig))
    sites = [
        Site(contig, start, f"{contig}_{start + 1}", pair)
        for start, pair in zip(positions.tolist(), alleles, strict=True)
    ]
    return sites, haplotypes[:, kept]


def _alleles(
    codes: NDArray[np.uint8],
    positions: NDArray[np.int64],
    config: PopulationConfig,
    rng: np.random.Generator,
) -> list[tuple[str, str]]:
    """REF and ALT of every site."""
    room = np.diff(positions, append=len(codes))
    substituted = _substitutions(codes[positions], config.transition_ratio, rng)
    indel = rng.random(len(positions)) < config.indel_share
    found: list[tuple[str, str]] = []
    for start, space, base, wanted in zip(
        positions.tolist(), room.tolist(), substituted.tolist(), indel.tolist(), strict=True
    ):
        substitution = (decode(codes[start : start + 1]), "ACGT"[base])
        found.append(_indel(codes, start, space, rng) if wanted else substitution)
    return found


def _substitutions(
    bases: NDArray[np.uint8], transition_ratio: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    transition = rng.random(len(bases)) < transition_ratio / (1 + transition_ratio)
    transversion = 1 + 2 * rng.integers(2, size=len(bases))
    return ((bases + np.where(transition, _TRANSITION, transversion)) % 4).astype(np.uint8)


def _indel(codes: NDArray[np.uint8], start: int, space: int, rng: np.random.Generator) -> tuple[str, str]:
    """Draw a deletion or insertion after ``start``; where a deletion is impossible, an insertion is drawn.

    An indel is left-aligned exactly when its last base differs from the base before it. A deletion must not
    reach the next site.
    """
    length = min(int(rng.geometric(0.5)), _LONGEST_INDEL)
    anchor = codes[start : start + 1]
    deleted = codes[start + 1 : start + 1 + length]
    if rng.random() < 0.5 and length < space and deleted[-1] != anchor[0]:
        return decode(np.concatenate([anchor, deleted])), decode(anchor)
    inserted = rng.integers(4, size=length).astype(np.uint8)
    inserted[-1] = (anchor[0] + 1 + rng.integers(3)) % 4
    return decode(anchor), decode(np.concatenate([anchor, inserted]))
