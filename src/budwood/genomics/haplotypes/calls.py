"""Genotype calls as they stand in a file: alleles of every accession at a run of sites.

This is the form the readers stream and the HaplotypeTable is built from. It keeps multi-allelic sites,
indels, phase and any ploidy; :class:`budwood.genomics.genotypes.Genotypes` is the dosage matrix made
from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

#: Allele index of a call that was not made.
MISSING: Final = -1
#: Filler where an accession has fewer copies than the widest ploidy in the file.
ABSENT: Final = -2


@dataclass(frozen=True)
class Site:
    """One record: where it is and which alleles it has.

    Attributes
    ----------
    contig, start
        Contig and 0-based position of the first REF base.
    identifier
        Name of the marker, ``contig_position`` when the file gives none.
    alleles
        REF first, then every ALT in the file's order; upper case. An allele may be symbolic (``<DEL>``),
        ``*`` (deleted upstream) or contain ``N``.
    """

    contig: str
    start: int
    identifier: str
    alleles: tuple[str, ...]


@dataclass(frozen=True)
class CallBlock:
    """Calls of all accessions at consecutive sites of one contig.

    Attributes
    ----------
    sites
        k sites in file order.
    alleles
        ``int8`` array (k, n, ploidy) of allele indices, with MISSING (-1) and ABSENT (-2).
    phased
        ``bool`` array (k, n): whether the copies' order is known. Haploid calls count as phased.
    """

    sites: tuple[Site, ...]
    alleles: NDArray[np.int8]
    phased: NDArray[np.bool_]


class CallSource(Protocol):
    """A genotype file that can be streamed more than once."""

    @property
    def accessions(self) -> tuple[str, ...]:
        """Accession ids as written in the file, in order."""

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs in file order with their declared lengths (None where not declared)."""

    @property
    def has_letters(self) -> bool:
        """Whether alleles are nucleotide letters (False for numeric dosage tables)."""

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls; a block never spans two contigs.

        Parameters
        ----------
        sites_per_block
            Most sites of a block.
        """
