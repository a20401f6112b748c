"""Calls as a reference genome sees them: its contig names, and its allele first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.calls import CallBlock, CallSource, Site
from budwood.genomics.haplotypes.contig_reader import ContigReader
from budwood.genomics.sequence import decode


class ReferencedCalls:
    """A CallSource under the names of an assembly, optionally with the reference's allele put first.

    PLINK, HapMap and tables of letters do not say which allele is the reference's. Where another allele than
    the first one stands in the assembly, the two change places, in the site and in its calls; a site none of
    whose alleles stands there stays as it is.

    Parameters
    ----------
    source
        The calls; nothing of them is copied.
    assembly
        The genome they refer to.
    aliases
        Contigs of the source and what the assembly calls them.
    reorder
        Whether to put the reference's allele first.

    Raises
    ------
    BudwoodError
        If an alias names a contig that the source or the assembly does not have.
    """

    def __init__(
        self,
        source: CallSource,
        assembly: Assembly,
        *,
        aliases: Mapping[str, str] | None = None,
        reorder: bool = False,
    ) -> None:
        self._source = source
        self._assembly = assembly
        self._aliases = dict(aliases or {})
        self._reorder = reorder
        for name, other in self._aliases.items():
            if name not in source.contigs or other not in assembly.contigs:
                wrong, where = (name, "genotypes") if name not in source.contigs else (other, "reference")
                raise BudwoodError(
                    f"there is no contig {wrong!r} in the {where}",
                    where=f"alias {name}={other}",
                    mend="write an alias as the genotypes' name, =, the reference's name",
                )

    @property
    def accessions(self) -> tuple[str, ...]:
        """Accession ids of the source."""
        return self._source.accessions

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs of the source under the assembly's names."""
        return {self._aliases.get(name, name): length for name, length in self._source.contigs.items()}

    @property
    def has_letters(self) -> bool:
        """Whether alleles are nucleotide letters."""
        return self._source.has_letters

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls.

        Parameters
        ----------
        sites_per_block
            Most sites of a block.

        Yields
        ------
        CallBlock
            Calls of one contig under the reference's name, with the reference allele first where asked.
        """
        reader: ContigReader | None = None
        for block in self._source.blocks(sites_per_block):
            name = self._aliases.get(block.sites[0].contig, block.sites[0].contig)
            if name != block.sites[0].contig:
                block = replace(block, sites=tuple(replace(site, contig=name) for site in block.sites))
            if self._reorder and name in self._assembly.contigs:
                if reader is None or reader.contig != name:
                    reader = ContigReader(self._assembly, name)
                block = _reference_first(block, reader)
            yield block


def _reference_first(block: CallBlock, reader: ContigReader) -> CallBlock:
    sites, alleles = list(block.sites), block.alleles
    for j, site in enumerate(block.sites):
        at = _place_of_reference(site, reader)
        if at > 0:
            if alleles is block.alleles:
                alleles = block.alleles.copy()
            names = list(site.alleles)
            names[0], names[at] = names[at], names[0]
            sites[j] = replace(site, alleles=tuple(names))
            was = block.alleles[j]
            alleles[j] = np.where(was == 0, at, np.where(was == at, 0, was))
    return replace(block, sites=tuple(sites), alleles=alleles)


def _place_of_reference(site: Site, reader: ContigReader) -> int:
    """Index of the first allele that stands in the assembly at the site, 0 when none does."""
    if site.start < 0:
        return 0
    for index, allele in enumerate(site.alleles):
        if allele and decode(reader.codes(site.start, site.start + len(allele))) == allele:
            return index
    return 0
