"""What a genotype file holds, for a person to check."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import counted_clause
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, CallSource, Site
from budwood.genomics.io.variants.allele_counts import any_copy, present_copies
from budwood.genomics.io.variants.dosage_calls import DosageCalls

_NO_PLOIDY: Final = 127


@dataclass(frozen=True)
class GenotypeSummary:
    """What a genotype file holds.

    Attributes
    ----------
    format
        Name of the format.
    accessions, sites
        Their numbers.
    contigs
        Contigs that have sites, in file order.
    monomorphic, biallelic, multiallelic
        Sites with one, two, more alleles; they add up to ``sites``.
    indels, symbolic
        Sites with alleles of different lengths; with symbolic, breakend or ``*`` alleles.
    ploidies
        Numbers of copies among the calls made, ascending.
    missing_share
        Share of calls (accession x site) with at least one copy missing.
    phased_share
        Share of the complete calls of two or more copies whose order is known.
    assumptions
        What was assumed, one phrase each.
    """

    format: str
    accessions: int
    sites: int
    contigs: tuple[str, ...]
    monomorphic: int
    biallelic: int
    multiallelic: int
    indels: int
    symbolic: int
    ploidies: tuple[int, ...]
    missing_share: float
    phased_share: float
    assumptions: tuple[str, ...]


def summarise_calls(source: CallSource, *, ploidy: int | None = None) -> GenotypeSummary:
    """What a source holds, found by streaming it once.

    Parameters
    ----------
    source
        Calls or dosages of any format.
    ploidy
        Copies per accession that were asked for; the summary says where no call has as many.

    Returns
    -------
    GenotypeSummary
        Counts of sites, accessions, ploidies, missing and heterozygous calls.

    Examples
    --------
    >>> from budwood.genomics.genotypes import Genotypes
    >>> panel = Genotypes.from_matrix(["a", "b"], np.array([[0, 2, 1], [1, -1, 2]], dtype=np.int8))
    >>> summary = summarise_calls(DosageCalls(panel, "dosage table"))
    >>> summary.sites, round(summary.missing_share, 3), summary.ploidies
    (3, 0.167, (2,))
    """
    if isinstance(source, DosageCalls) and source.fractional:
        return _summarise_fractional(source)
    counted = CountedCalls(source)
    for _ in counted.blocks():
        pass
    return counted.summary(ploidy=ploidy)


class CountedCalls:
    """Calls of a source, counted while somebody streams them.

    Parameters
    ----------
    source
        Where the calls come from.

    Examples
    --------
    >>> from budwood.genomics.genotypes import Genotypes
    >>> panel = Genotypes.from_matrix(["a", "b"], np.array([[0, 2], [1, -1]], dtype=np.int8))
    >>> counted = CountedCalls(DosageCalls(panel, "dosage table"))
    >>> blocks = list(counted.blocks())
    >>> counted.summary().sites
    2
    """

    def __init__(self, source: CallSource) -> None:
        self._source = source
        self._tally = _Tally(len(source.accessions), source.contigs)
        self.accessions: Final = source.accessions
        self.has_letters: Final = source.has_letters

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs of the source."""
        return self._source.contigs

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls of the source, and count them.

        Parameters
        ----------
        sites_per_block
            Most sites of a block.

        Yields
        ------
        CallBlock
            Calls of one contig.
        """
        self._tally = _Tally(len(self.accessions), self.contigs)
        for block in self._source.blocks(sites_per_block):
            self._tally.add(block)
            yield block

    def summary(self, *, ploidy: int | None = None) -> GenotypeSummary:
        """What the calls streamed last were.

        Parameters
        ----------
        ploidy
            Copies per accession that were asked for; the summary says where no call has as many.

        Returns
        -------
        GenotypeSummary
            Counts of the blocks that were streamed.
        """
        found = self._tally.summary(self._source)
        widest = max(found.ploidies, default=0)
        # A table of dosages, unlike calls, is of the ploidy that is given.
        if ploidy is None or not 0 < widest < ploidy or isinstance(self._source, DosageCalls):
            return found
        note = (
            f"no call has the {ploidy} copies that were given as ploidy: "
            f"dosages are counted out of {widest}, as many as the widest call has"
        )
        return replace(found, assumptions=(*found.assumptions, note))


@dataclass
class _Tally:
    """Counts over the blocks seen so far."""

    accessions: int
    declared: Mapping[str, int | None]
    counts: Counter[str] = field(default_factory=Counter)
    ploidies: set[int] = field(default_factory=set)
    contigs: dict[str, None] = field(default_factory=dict)
    last: Site | None = None
    records: array[int] = field(default_factory=lambda: array("q"))

    def __post_init__(self) -> None:
        self.widest = np.zeros(self.accessions, dtype=np.int8)
        self.narrowest = np.full(self.accessions, _NO_PLOIDY, dtype=np.int8)

    def add(self, block: CallBlock) -> None:
        self._add_sites(block.sites)
        alleles = block.alleles
        missing = any_copy(alleles, MISSING)
        self.counts["calls"] += missing.size
        self.counts["missing"] += int(np.count_nonzero(missing))
        self.counts["half"] += int(np.count_nonzero((alleles[missing] > MISSING).any(axis=1)))
        complete = ~missing
        if alleles.min(initial=MISSING) > ABSENT:
            self._add_copies(np.where(complete.any(axis=0), alleles.shape[2], 0)[None])
            several = complete if alleles.shape[2] > 1 else np.zeros_like(complete)
        else:
            present = np.where(complete, present_copies(alleles), 0)
            self._add_copies(present)
            several = present > 1
        self.counts["several"] += int(np.count_nonzero(several))
        self.counts["phased"] += int(np.count_nonzero(several & block.phased))

    def _add_copies(self, copies: NDArray[np.integer]) -> None:
        """Take in the copies of complete calls (k, n), 0 for others."""
        self.ploidies.update((np.flatnonzero(np.bincount(copies.ravel())[1:]) + 1).tolist())
        np.maximum(self.widest, copies.max(axis=0, initial=0), out=self.widest, casting="unsafe")
        narrowest = np.where(copies > 0, copies, _NO_PLOIDY).min(axis=0, initial=_NO_PLOIDY)
        np.minimum(self.narrowest, narrowest, out=self.narrowest, casting="unsafe")

    def _add_sites(self, sites: Sequence[Site]) -> None:
        length = self.declared.get(sites[0].contig)
        for alleles, number in Counter(site.alleles for site in sites).items():
            for trait in _traits(alleles):
                self.counts[trait] += number
        for site in sites:
            if site.contig and all(site.alleles):
                self.records.append(hash((site.contig, site.start, site.alleles)))
        if length is not None:
            self.counts["past end"] += sum(site.start + len(site.alleles[0]) > length for site in sites)
        if self.last is None or self.last.contig != sites[0].contig:
            self.counts["unsorted"] += sites[0].contig in self.contigs
            self.contigs[sites[0].contig] = None
            self.last = sites[0]
        self.counts["unsorted"] += sum(b.start < a.start for a, b in pairwise((self.last, *sites)))
        self.last = sites[-1]

    def summary(self, source: CallSource) -> GenotypeSummary:
        counts = self.counts
        return GenotypeSummary(
            format=getattr(source, "format", "calls"),
            accessions=self.accessions,
            sites=counts["sites"],
            contigs=tuple(self.contigs),
            monomorphic=counts["monomorphic"],
            biallelic=counts["biallelic"],
            multiallelic=counts["multiallelic"],
            indels=counts["indels"],
            symbolic=counts["symbolic"],
            ploidies=tuple(sorted(self.ploidies)),
            missing_share=counts["missing"] / max(counts["calls"], 1),
            phased_share=counts["phased"] / max(counts["several"], 1),
            assumptions=(*getattr(source, "assumptions", ()), *self._assumptions()),
        )

    def _assumptions(self) -> list[str]:
        counts = self.counts
        mixed = int(np.count_nonzero(self.widest > self.narrowest))
        undeclared = len(self.contigs.keys() - self.declared.keys()) if self.declared else 0
        clauses = {
            "half calls (0/.) are missing dosages": counts["half"],
            "multi-allelic sites make one marker for each allele after the first": counts["multiallelic"],
            "accessions have calls of different ploidy: dosages of the narrower are scaled up": mixed,
            "records lie past the declared end of their contig": counts["past end"],
            "contigs are not declared in the header": undeclared,
            "records are out of order by contig and position": counts["unsorted"],
            "records have the place and alleles of an earlier one and make markers of their own": (
                len(self.records) - len(np.unique(np.frombuffer(self.records, dtype=np.int64)))
                if self.records
                else 0
            ),
        }
        return [counted_clause(number, clause) for clause, number in clauses.items() if number]


def _traits(alleles: tuple[str, ...]) -> list[str]:
    """What a site of these alleles counts as."""
    kind = {1: "monomorphic", 2: "biallelic"}.get(len(alleles), "multiallelic")
    letters = [allele for allele in alleles if allele[:1] not in "<*" and not set("[]") & set(allele)]
    traits = ["sites", kind]
    if len(letters) < len(alleles) and any(alleles):
        traits.append("symbolic")
    if len({len(allele) for allele in letters}) > 1:
        traits.append("indels")
    return traits


def dosage_assumptions(source: DosageCalls) -> tuple[str, ...]:
    """What reading a table of dosages took for granted, and whether they are calls.

    Parameters
    ----------
    source
        Dosages of any format.

    Returns
    -------
    tuple of str
        One sentence for each assumption.

    Examples
    --------
    >>> from budwood.genomics.genotypes import Genotypes
    >>> panel = Genotypes.from_matrix(["a"], np.array([[0.5]], dtype=np.float32))
    >>> dosage_assumptions(DosageCalls(panel, "dosage table"))
    ('dosages are fractional: they are expectations, not calls',)
    """
    fractional = ("dosages are fractional: they are expectations, not calls",) if source.fractional else ()
    return (*source.assumptions, *fractional)


def _summarise_fractional(source: DosageCalls) -> GenotypeSummary:
    dosage, markers = source.genotypes.dosage, source.genotypes.markers
    return GenotypeSummary(
        format=source.format,
        accessions=len(source.accessions),
        sites=len(markers),
        contigs=tuple(source.contigs),
        monomorphic=0,
        biallelic=len(markers),
        multiallelic=0,
        indels=0,
        symbolic=0,
        ploidies=tuple(sorted(set(source.genotypes.ploidy.tolist()))),
        missing_share=float(np.isnan(dosage).mean()) if dosage.size else 0.0,
        phased_share=0.0,
        assumptions=dosage_assumptions(source),
    )
