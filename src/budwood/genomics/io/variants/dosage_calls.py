"""Numeric dosages as a CallSource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, Site


class DosageCalls:
    """A matrix of dosages, streamable as unphased calls where it is whole.

    A dosage of d out of p copies is given as p - d copies of allele 0 followed by d of allele 1 (the counted
    one). ``has_letters`` is True when some marker has letters; alleles without are then ``N``. When none has,
    alleles are empty.

    Parameters
    ----------
    genotypes
        The dosages, held in memory.
    format
        Name of the format they come from.
    assumptions
        What reading them took for granted.
    """

    def __init__(self, genotypes: Genotypes, format: str, assumptions: tuple[str, ...] = ()) -> None:
        self.genotypes: Final = genotypes
        self.format: Final = format
        self.assumptions: Final = assumptions
        self.has_letters: Final = bool(np.any(genotypes.markers.counted != ""))

    @property
    def accessions(self) -> tuple[str, ...]:
        """Accession ids as written in the file."""
        return self.genotypes.accessions

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs in order of appearance, without lengths; ``""`` where the table does not place markers."""
        return dict.fromkeys(self.genotypes.markers.contig)

    @property
    def fractional(self) -> bool:
        """Whether any dosage is not whole; such a table has no calls."""
        return bool(self.genotypes.dosage.dtype == np.float32)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls.

        Parameters
        ----------
        sites_per_block
            Most sites of a block.

        Yields
        ------
        CallBlock
            Calls of one contig.

        Raises
        ------
        BudwoodError
            If dosages are fractional: these are expectations, not calls.
        """
        if self.fractional:
            raise BudwoodError(
                "dosages are fractional, so they are no calls of alleles",
                mend="use them as marker dosages, or give called genotypes",
            )
        start = 0
        for _, group in groupby(self.genotypes.markers.contig):
            end = start + sum(1 for _ in group)
            for first in range(start, end, sites_per_block):
                yield self._block(first, min(first + sites_per_block, end))
            start = end

    def _block(self, first: int, last: int) -> CallBlock:
        markers, ploidy = self.genotypes.markers, self.genotypes.ploidy
        dosage = self.genotypes.dosage[:, first:last].T[:, :, None]
        copy = np.arange(ploidy.max(initial=1))
        alleles = (copy >= ploidy[:, None] - dosage).astype(np.int8)
        alleles[np.broadcast_to(dosage < 0, alleles.shape)] = MISSING
        alleles[:, copy >= ploidy[:, None]] = ABSENT
        unknown = "N" if self.has_letters else ""
        sites = tuple(
            Site(
                markers.contig[j],
                int(markers.position[j]),
                markers.identifier[j],
                (markers.other[j] or unknown, markers.counted[j] or unknown),
            )
            for j in range(first, last)
        )
        return CallBlock(sites, alleles, np.broadcast_to(ploidy == 1, alleles.shape[:2]))
