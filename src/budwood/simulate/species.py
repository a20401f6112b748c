"""A synthetic plant species: its genome, genes and transposons with known truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode, reverse_complement
from budwood.simulate.composition import Composition, plant_composition
from budwood.simulate.gene import Motif, SyntheticGene
from budwood.simulate.gene_draft import GeneDraft, draft_gene
from budwood.simulate.random_stream import random_stream
from budwood.simulate.transposon import TARGET_SITE, CopyDraft, TransposonCopy, draft_copy, master_copy

# Smallest distance of two elements in bases, so that a target site always lies in intergenic sequence.
_SHORTEST_GAP = 60


@dataclass(frozen=True)
class SpeciesConfig:
    """Size and composition of the species' genome.

    Attributes
    ----------
    contigs, contig_length
        Number of chromosomes, and bases of each.
    genes_per_contig, transposons_per_contig
        Number of genes and of transposon copies on each contig.
    gc
        Share of G and C in intergenic sequence.
    codons, introns
        Median number of codons of a gene, and its expected number of introns.
    transposon_length, transposon_divergence
        Bases of the family's master copy, and the expected share of substituted bases in its copies.
    seed
        Determines everything random.
    """

    contigs: int = 4
    contig_length: int = 250_000
    genes_per_contig: int = 45
    transposons_per_contig: int = 25
    gc: float = 0.36
    codons: int = 320
    introns: float = 3.0
    transposon_length: int = 900
    transposon_divergence: float = 0.08
    seed: int = 1

    def __post_init__(self) -> None:
        counts = (self.contigs, self.contig_length, self.genes_per_contig)
        if min(counts) < 1 or min(self.transposons_per_contig, self.introns, self.seed) < 0:
            raise BudwoodError("a species needs contigs and genes", mend="give positive numbers")
        if self.codons < 60 or self.transposon_length < 200:
            raise BudwoodError(
                "genes or transposons are too short to hold their signals",
                mend="give at least 60 codons and 200 bases of transposon",
            )
        if not 0 <= self.transposon_divergence <= 0.2:
            raise BudwoodError("transposon divergence is out of range", mend="choose 0 to 0.2")


@dataclass(frozen=True, eq=False)
class Species:
    """A genome with known truth.

    Attributes
    ----------
    config
        The configuration it was simulated from.
    sequences
        ``uint8`` codes of every contig, without N.
    soft_masked
        ``bool`` for each base of every contig: whether it lies in a transposon copy.
    genes, transposons
        True genes and transposon copies, in genome order.
    """

    config: SpeciesConfig
    sequences: Mapping[str, NDArray[np.uint8]]
    soft_masked: Mapping[str, NDArray[np.bool_]]
    genes: tuple[SyntheticGene, ...]
    transposons: tuple[TransposonCopy, ...]

    @property
    def annotation(self) -> Annotation:
        """Genes and transposons, without promoters and motifs, which real annotations do not list either."""
        return Annotation(
            tuple(gene.model for gene in self.genes), tuple(copy.repeat for copy in self.transposons)
        )

    @property
    def motifs(self) -> tuple[Motif, ...]:
        """Functional motifs of all genes."""
        return tuple(motif for gene in self.genes for motif in gene.motifs)

    def letters(self, contig: str) -> str:
        """Text of a contig, soft-masked bases in lower case.

        Parameters
        ----------
        contig
            Name of the contig.

        Returns
        -------
        str
            One letter for each base.
        """
        raw = np.frombuffer(decode(self.sequences[contig]).encode(), dtype=np.uint8)
        return (raw + 32 * self.soft_masked[contig]).astype(np.uint8).tobytes().decode("ascii")

    @cached_property
    def assembly(self) -> InMemoryAssembly:
        """The genome as an assembly."""
        return InMemoryAssembly({contig: self.letters(contig) for contig in self.sequences})


def simulate_species(config: SpeciesConfig) -> Species:
    """Simulate a species; the same configuration gives the same species.

    Parameters
    ----------
    config
        Size and composition of the genome.

    Returns
    -------
    Species
        The genome with its genes and transposons.

    Raises
    ------
    BudwoodError
        If the genes and transposons do not fit on a contig.

    Examples
    --------
    >>> species = simulate_species(SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=8))
    >>> len(species.genes), species.assembly.contigs
    (8, {'Chr1': 60000})
    """
    composition = plant_composition(config.gc)
    master = master_copy(random_stream(config.seed, "transposon"), composition, config.transposon_length)
    contigs = [_contig(config, f"Chr{i + 1}", composition, master) for i in range(config.contigs)]
    return Species(
        config,
        {contig.name: contig.codes for contig in contigs},
        {contig.name: contig.soft_masked for contig in contigs},
        tuple(gene for contig in contigs for gene in contig.genes),
        tuple(copy for contig in contigs for copy in contig.transposons),
    )


@dataclass(eq=False)
class _Contig:
    """One contig while genes and transposons are written onto its intergenic sequence."""

    name: str
    codes: NDArray[np.uint8]
    soft_masked: NDArray[np.bool_]
    genes: list[SyntheticGene] = field(default_factory=list)
    transposons: list[TransposonCopy] = field(default_factory=list)

    def add_gene(self, draft: GeneDraft, start: int, strand: str) -> None:
        self._write(draft.codes, start, strand)
        name = f"{self.name}g{10 * (len(self.genes) + 1):05d}"
        self.genes.append(draft.place(name, self.name, start, strand))

    def add_transposon(self, draft: CopyDraft, start: int, strand: str) -> None:
        end = self._write(draft.codes, start, strand)
        self.codes[end : end + TARGET_SITE] = self.codes[start - TARGET_SITE : start]
        self.soft_masked[start:end] = True
        self.transposons.append(draft.place(self.name, start, strand))

    def _write(self, codes: NDArray[np.uint8], start: int, strand: str) -> int:
        end = start + len(codes)
        self.codes[start:end] = codes if strand == "+" else reverse_complement(codes)
        return end


def _contig(config: SpeciesConfig, name: str, composition: Composition, master: NDArray[np.uint8]) -> _Contig:
    drafts = _drafts(config, name, composition, master)
    rng = random_stream(config.seed, "layout", name)
    order = rng.permutation(len(drafts)).tolist()
    starts = _starts(rng, np.array([_room(drafts[i]) for i in order]), config.contig_length)
    background = composition.sequence(random_stream(config.seed, "intergenic", name), config.contig_length)
    contig = _Contig(name, background, np.zeros(config.contig_length, dtype=np.bool_))
    for i, start in zip(order, starts.tolist(), strict=True):
        draft, strand = drafts[i], "+-"[rng.integers(2)]
        if isinstance(draft, GeneDraft):
            contig.add_gene(draft, start, strand)
        else:
            contig.add_transposon(draft, start, strand)
    return contig


def _drafts(
    config: SpeciesConfig, name: str, composition: Composition, master: NDArray[np.uint8]
) -> list[GeneDraft | CopyDraft]:
    genes, copies = random_stream(config.seed, "gene", name), random_stream(config.seed, "transposon", name)
    drafts: list[GeneDraft | CopyDraft] = [
        draft_gene(genes, composition, codons=config.codons, introns=config.introns)
        for _ in range(config.genes_per_contig)
    ]
    drafts += [
        draft_copy(copies, master, config.transposon_divergence) for _ in range(config.transposons_per_contig)
    ]
    return drafts


def _room(draft: GeneDraft | CopyDraft) -> int:
    return len(draft.codes) + (TARGET_SITE if isinstance(draft, CopyDraft) else 0)


def _starts(rng: np.random.Generator, rooms: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Starts of elements in the given order, with random gaps before, between and after them."""
    spare = length - int(rooms.sum()) - _SHORTEST_GAP * (len(rooms) + 1)
    if spare < 0:
        raise BudwoodError(
            f"genes and transposons of {int(rooms.sum())} bases do not fit on a contig of {length}",
            mend="make the contigs longer or give them fewer elements",
        )
    gaps = _SHORTEST_GAP + rng.multinomial(spare, rng.dirichlet(np.ones(len(rooms) + 1)))
    starts: NDArray[np.int64] = np.cumsum(gaps[:-1]) + np.cumsum(rooms) - rooms
    return starts
