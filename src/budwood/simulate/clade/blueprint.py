"""A genome as a row of genes, transposon copies and the sequence between them, which can still change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.sequence import reverse_complement
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.composition import Composition, plant_composition
from budwood.simulate.gene import SyntheticGene
from budwood.simulate.gene_draft import GeneDraft, draft_gene
from budwood.simulate.random_stream import random_stream
from budwood.simulate.species import Species, SpeciesConfig
from budwood.simulate.transposon import CopyDraft, TransposonCopy, draft_copy, master_copy

Codes = NDArray[np.uint8]
#: Shortest intergenic sequence that is drawn.
_SHORTEST_GAP = 60


@dataclass(frozen=True, eq=False)
class Element:
    """A gene or a transposon copy on a contig.

    Attributes
    ----------
    draft
        The element in the direction of its own strand.
    strand
        ``"+"`` or ``"-"``.
    ancestor
        Number of the ancestor's gene that it descends from, -1 for a transposon copy.
    """

    draft: GeneDraft | CopyDraft
    strand: str
    ancestor: int = -1

    def turned(self) -> Element:
        """The element on the other strand.

        Returns
        -------
        Element
            The same draft on the other strand.
        """
        return replace(self, strand="-" if self.strand == "+" else "+")


@dataclass(frozen=True, eq=False)
class ContigBlueprint:
    """Elements of a contig and the sequence between them.

    Attributes
    ----------
    elements
        k elements from left to right.
    gaps
        k + 1 intergenic sequences: before the first element, between two, after the last.
    """

    elements: tuple[Element, ...]
    gaps: tuple[Codes, ...]

    def inverted(self, first: int, last: int) -> ContigBlueprint:
        """The contig with some elements turned round as one piece.

        Parameters
        ----------
        first, last
            Number of the first element of the piece, and of the first after it.

        Returns
        -------
        ContigBlueprint
            The other elements and the outer gaps stay.
        """
        piece = tuple(element.turned() for element in reversed(self.elements[first:last]))
        between = tuple(reverse_complement(gap) for gap in reversed(self.gaps[first + 1 : last]))
        elements = (*self.elements[:first], *piece, *self.elements[last:])
        return ContigBlueprint(elements, (*self.gaps[: first + 1], *between, *self.gaps[last:]))


Blueprint = Mapping[str, ContigBlueprint]


def ancestor(config: CladeConfig) -> tuple[dict[str, ContigBlueprint], Codes]:
    """Draw the ancestor's genome.

    Parameters
    ----------
    config
        Its size and composition.

    Returns
    -------
    blueprint : dict
        Contigs by name; genes are numbered in genome order.
    master : ndarray
        The transposon's master copy.
    """
    composition = plant_composition(config.gc)
    master = master_copy(random_stream(config.seed, "transposon"), composition, 600)
    contigs, number = {}, 0
    for index in range(config.contigs):
        rng = random_stream(config.seed, "ancestor", str(index))
        drafts: list[GeneDraft | CopyDraft] = [
            draft_gene(rng, composition, codons=config.codons, introns=config.introns)
            for _ in range(config.genes_per_contig)
        ]
        drafts += [draft_copy(rng, master, 0.08) for _ in range(config.transposons_per_contig)]
        elements = []
        for place in rng.permutation(len(drafts)).tolist():
            draft, strand = drafts[place], "+-"[int(rng.integers(2))]
            is_gene = isinstance(draft, GeneDraft)
            elements.append(Element(draft, strand, number if is_gene else -1))
            number += is_gene
        gaps = tuple(gap_sequence(rng, composition, config.gap) for _ in range(len(elements) + 1))
        contigs[f"Chr{index + 1}"] = ContigBlueprint(tuple(elements), gaps)
    return contigs, master


def gap_sequence(rng: np.random.Generator, composition: Composition, mean: int) -> Codes:
    """Intergenic sequence of a random length.

    Parameters
    ----------
    rng
        Random number generator.
    composition
        Composition of the sequence.
    mean
        Mean length in bases.

    Returns
    -------
    numpy.ndarray
        Base codes.
    """
    return composition.sequence(rng, _SHORTEST_GAP + int(rng.exponential(max(mean - _SHORTEST_GAP, 1))))


def species_of(blueprint: Blueprint, prefix: str, config: CladeConfig) -> tuple[Species, dict[int, str]]:
    """The species that a blueprint describes.

    Parameters
    ----------
    blueprint
        Contigs by name.
    prefix
        What gene names begin with; genes are numbered along the genome, so that a name tells nothing of its
        ortholog.
    config
        What the clade was simulated from.

    Returns
    -------
    species : Species
        The genome with genes and transposons.
    genes : dict
        Name of the gene that descends from each ancestral one.
    """
    sequences, masks = {}, {}
    genes: list[SyntheticGene] = []
    copies: list[TransposonCopy] = []
    names: dict[int, str] = {}
    for contig, parts in blueprint.items():
        pieces, masked = [parts.gaps[0]], [np.zeros(len(parts.gaps[0]), dtype=np.bool_)]
        start = len(parts.gaps[0])
        for element, gap in zip(parts.elements, parts.gaps[1:], strict=True):
            draft = element.draft
            codes = draft.codes if element.strand == "+" else reverse_complement(draft.codes)
            if isinstance(draft, GeneDraft):
                names[element.ancestor] = f"{prefix}{10 * (len(genes) + 1):06d}"
                genes.append(draft.place(names[element.ancestor], contig, start, element.strand))
            else:
                copies.append(draft.place(contig, start, element.strand))
            pieces += [codes, gap]
            masked += [np.full(len(codes), element.ancestor < 0), np.zeros(len(gap), dtype=np.bool_)]
            start += len(codes) + len(gap)
        sequences[contig] = np.concatenate(pieces)
        masks[contig] = np.concatenate(masked)
    longest = max(map(len, sequences.values()))
    described = SpeciesConfig(
        contigs=len(sequences),
        contig_length=longest,
        genes_per_contig=config.genes_per_contig,
        transposons_per_contig=config.transposons_per_contig,
        gc=config.gc,
        codons=config.codons,
        introns=config.introns,
        seed=config.seed,
    )
    return Species(described, sequences, masks, tuple(genes), tuple(copies)), names
