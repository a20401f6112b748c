"""Functional class of variants in the genes of a synthetic species."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genetic_code import translate
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import encode, reverse_complement
from budwood.simulate.gene import SyntheticGene
from budwood.simulate.gene_draft import (
    ACCEPTOR,
    BINDING_SITES,
    BRANCH_POINT,
    DONOR,
    POLY_A_SIGNAL,
    TATA_BOX,
)
from budwood.simulate.species import Species


class FunctionalClass(StrEnum):
    """Functional class of a variant, mildest first, with the name of the Sequence Ontology where it has one.

    ``TF_BINDING_SITE`` covers every motif of a promoter, including the TATA box.
    """

    INTERGENIC = "intergenic_variant"
    TRANSPOSON = "transposon_variant"
    PROMOTER = "promoter_variant"
    INTRON = "intron_variant"
    UNTRANSLATED = "UTR_variant"
    POLY_A_SIGNAL = "poly_A_signal_variant"
    SYNONYMOUS = "synonymous_variant"
    MISSENSE = "missense_variant"
    INFRAME_INDEL = "inframe_indel"
    TF_BINDING_SITE = "TF_binding_site_variant"
    SPLICE_REGION = "splice_region_variant"
    SPLICE_SITE = "splice_site_variant"
    FRAMESHIFT = "frameshift_variant"
    START_LOST = "start_lost"
    STOP_LOST = "stop_lost"
    STOP_GAINED = "stop_gained"


_ORDER: Final = list(FunctionalClass)
_RANK: Final = {functional_class: rank for rank, functional_class in enumerate(_ORDER)}
# Class of each motif. The polypyrimidine tract is left out because most changes in it have no effect.
_MOTIF_CLASS: Final = {
    **dict.fromkeys([*BINDING_SITES, TATA_BOX], FunctionalClass.TF_BINDING_SITE),
    **dict.fromkeys([DONOR, BRANCH_POINT, ACCEPTOR], FunctionalClass.SPLICE_REGION),
    POLY_A_SIGNAL: FunctionalClass.POLY_A_SIGNAL,
}


def classify(species: Species, sites: Sequence[Site]) -> list[tuple[FunctionalClass, str]]:
    """Classify every biallelic site and name the gene it affects.

    A deletion has the most severe class of the bases it removes, an insertion the milder class of its two
    neighbours. In coding sequence the mutated reading frame is translated.

    Parameters
    ----------
    species
        The genome and its genes.
    sites
        Biallelic sites on the species' contigs.

    Returns
    -------
    list of tuple
        For each site its functional class and the name of the gene, ``""`` where there is none.

    Examples
    --------
    >>> from budwood.simulate.species import SpeciesConfig, simulate_species
    >>> species = simulate_species(SpeciesConfig(contigs=1, contig_length=60_000, genes_per_contig=8))
    >>> gene = next(gene for gene in species.genes if gene.model.strand == "+")
    >>> start = gene.coding[0].start
    >>> functional_class, name = classify(species, [Site("Chr1", start, "snv", ("A", "G"))])[0]
    >>> str(functional_class), name == gene.name
    ('start_lost', True)
    """
    regions = {contig: np.zeros(len(codes), dtype=np.int8) for contig, codes in species.sequences.items()}
    owners = {contig: np.full(len(codes), -1) for contig, codes in species.sequences.items()}
    for copy in species.transposons:
        _paint(regions, copy.interval, FunctionalClass.TRANSPOSON)
    for number, gene in enumerate(species.genes):
        _paint_gene(regions, gene)
        for part in (gene.promoter, gene.interval):
            owners[part.contig][part.start : part.end] = number
    found = []
    for site in sites:
        rank, base = _region(regions[site.contig], site)
        owner = int(owners[site.contig][base])
        functional_class = _ORDER[rank]
        if functional_class is FunctionalClass.SYNONYMOUS:
            functional_class = _coding(species, species.genes[owner], site)
        found.append((functional_class, species.genes[owner].name if owner >= 0 else ""))
    return found


def _paint_gene(regions: dict[str, NDArray[np.int8]], gene: SyntheticGene) -> None:
    _paint(regions, gene.promoter, FunctionalClass.PROMOTER)
    _paint(regions, gene.interval, FunctionalClass.INTRON)
    region = regions[gene.model.contig]
    for start, end in gene.transcript.utrs:
        region[start:end] = _RANK[FunctionalClass.UNTRANSLATED]
    for part in gene.coding:
        _paint(regions, part, FunctionalClass.SYNONYMOUS)
    for motif in gene.motifs:
        if motif.name in _MOTIF_CLASS:
            _paint(regions, motif.interval, _MOTIF_CLASS[motif.name])
    for start, end in gene.transcript.introns:
        region[[start, start + 1, end - 2, end - 1]] = _RANK[FunctionalClass.SPLICE_SITE]


def _paint(
    regions: dict[str, NDArray[np.int8]], interval: Interval, functional_class: FunctionalClass
) -> None:
    regions[interval.contig][interval.start : interval.end] = _RANK[functional_class]


def _region(region: NDArray[np.int8], site: Site) -> tuple[int, int]:
    """Rank of the class of a site, and the position of a base in that class."""
    reference, alternative = site.alleles
    if len(reference) == len(alternative) == 1:
        return int(region[site.start]), site.start
    if len(reference) > 1:
        first = site.start + 1
        base = first + int(np.argmax(region[first : site.start + len(reference)]))
    else:
        base = site.start + int(np.argmin(region[site.start : site.start + 2]))
    return int(region[base]), base


def _coding(species: Species, gene: SyntheticGene, site: Site) -> FunctionalClass:
    reference, alternative = site.alleles
    parts = sorted(gene.coding)
    positions = np.concatenate([np.arange(part.start, part.end) for part in parts])
    before = species.sequences[site.contig][positions]
    if len(reference) == len(alternative) == 1:
        after = np.where(positions == site.start, encode(alternative)[0], before)
    else:
        lost = (positions > site.start) & (positions < site.start + len(reference))
        place = int(np.searchsorted(positions, site.start, side="right"))
        after = np.concatenate([before[:place], encode(alternative)[1:], before[place:][~lost[place:]]])
    if gene.model.strand == "-":
        before, after = reverse_complement(before), reverse_complement(after)
    return _compare(before, after)


def _compare(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> FunctionalClass:
    if translate(after[:3]) != "M":
        return FunctionalClass.START_LOST
    if len(after) % 3:
        return FunctionalClass.FRAMESHIFT
    protein, mutated = translate(before), translate(after)
    stop = mutated.find("*")
    if 0 <= stop < len(mutated) - 1:
        return FunctionalClass.STOP_GAINED
    if stop < 0:
        return FunctionalClass.STOP_LOST
    if len(mutated) != len(protein):
        return FunctionalClass.INFRAME_INDEL
    return FunctionalClass.SYNONYMOUS if mutated == protein else FunctionalClass.MISSENSE
