"""From calls to dosages: one marker per alternative allele, counted in every accession."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallSource, Site
from budwood.genomics.io.variants.dosage_rows import MISSING_DOSAGE, DosageRows, as_fractional

_USUAL_PLOIDY: Final = 2


def count_alleles(source: CallSource) -> Genotypes:
    """Dosages of every allele after a site's first, in file order, built block by block.

    A call with any copy missing is a missing dosage. Ploidy of an accession is its widest complete call;
    dosages from narrower calls are scaled up to it, in float32 where that makes them fractional.

    Parameters
    ----------
    source
        Calls of any format.

    Returns
    -------
    Genotypes
        One marker for each allele after the first of a site.
    """
    rows = DosageRows(len(source.accessions))
    columns = _Columns()
    spans: list[_Span] = []
    widest = np.zeros(len(source.accessions), dtype=np.int8)
    for block in source.blocks():
        first = len(columns)
        site, allele = columns.extend(block.sites)
        missing = any_copy(block.alleles, MISSING)
        counts = _counts(block.alleles, site, allele)
        counts[missing[site]] = MISSING_DOSAGE
        rows.append(counts)
        copies = _copies(block.alleles, missing)
        np.maximum(widest, copies.max(axis=0, initial=0), out=widest)
        spans.append(_Span(first, len(columns), copies if len(copies) == 1 else copies[site]))
    unknown = widest.max(initial=0) or _USUAL_PLOIDY
    ploidy = np.where(widest > 0, widest, unknown).astype(np.int8)
    dosage = _scale_up(rows.finish(), spans, ploidy)
    return Genotypes(source.accessions, columns.markers(), dosage.T, ploidy)


def any_copy(alleles: NDArray[np.int8], value: int) -> NDArray[np.bool_]:
    """Whether any copy of a call has this value, (k, n); copies are few, so a loop beats a reduction.

    Parameters
    ----------
    alleles
        (k, n, ploidy) allele indices.
    value
        The value to look for.

    Returns
    -------
    ndarray
        (k, n) of bool.
    """
    if alleles.shape[2] == _USUAL_PLOIDY:
        found = _pairs(alleles == value) != 0
        return found
    found = np.zeros(alleles.shape[:2], dtype=np.bool_)
    for copy in range(alleles.shape[2]):
        found |= alleles[:, :, copy] == value
    return found


def _pairs(copies: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """(k, n, 2) as (k, n): both copies in one number, since a loop over every second byte is slow."""
    return np.ascontiguousarray(copies).view(np.uint16)[:, :, 0]


def present_copies(alleles: NDArray[np.int8]) -> NDArray[np.int8]:
    """Number of copies of every call, (k, n).

    Parameters
    ----------
    alleles
        (k, n, ploidy) allele indices.

    Returns
    -------
    ndarray
        (k, n) ``int8``.
    """
    present = np.zeros(alleles.shape[:2], dtype=np.int8)
    for copy in range(alleles.shape[2]):
        present += (alleles[:, :, copy] != ABSENT).view(np.int8)
    return present


@dataclass(frozen=True)
class _Span:
    """Copies of the complete calls behind markers ``first`` to ``last``, 0 where there is none.

    One row (1, n) where they are the same at all these markers, else a row per marker.
    """

    first: int
    last: int
    copies: NDArray[np.int8]


@dataclass
class _Columns:
    """Descriptions of the markers made so far."""

    identifier: list[str] = field(default_factory=list)
    contig: list[str] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.position)

    def extend(self, sites: Sequence[Site]) -> tuple[NDArray[np.intp], NDArray[np.int8]]:
        """Add the markers of these sites; returns the site and the allele that each of them counts."""
        origin: list[tuple[int, int]] = []
        for j, site in enumerate(sites):
            several = len(site.alleles) > 2
            for number, allele in enumerate(site.alleles[1:], start=1):
                origin.append((j, number))
                self.identifier.append(f"{site.identifier}:{allele}" if several else site.identifier)
                self.contig.append(intern(site.contig))
                self.position.append(site.start)
                self.counted.append(allele)
                self.other.append(site.alleles[0])
        index = np.array(origin, dtype=np.intp).reshape(-1, 2)
        return index[:, 0], index[:, 1].astype(np.int8)

    def markers(self) -> Markers:
        """The markers as arrays."""
        texts = (self.identifier, self.contig, self.counted, self.other)
        identifier, contig, counted, other = (np.array(text, dtype=object) for text in texts)
        return Markers(identifier, contig, np.array(self.position, dtype=np.int64), counted, other)


def _counts(alleles: NDArray[np.int8], site: NDArray[np.intp], allele: NDArray[np.int8]) -> NDArray[np.int8]:
    """How many copies carry each marker's allele, (markers, n)."""
    plain = len(site) == len(alleles) and bool((allele == 1).all())
    chosen = alleles if plain else alleles[site]
    if alleles.shape[2] == _USUAL_PLOIDY:
        pairs = _pairs(chosen == allele[:, None, None])
        return ((pairs + (pairs >> 8)) & 3).astype(np.int8)
    counts = np.zeros(chosen.shape[:2], dtype=np.int8)
    for copy in range(alleles.shape[2]):
        counts += (chosen[:, :, copy] == allele[:, None]).view(np.int8)
    return counts


def _copies(alleles: NDArray[np.int8], missing: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Copies of the complete calls, 0 elsewhere; one row where they do not differ between the sites."""
    if alleles.min(initial=MISSING) > ABSENT:
        return np.where(missing.all(axis=0), 0, alleles.shape[2]).astype(np.int8)[None]
    copies = np.where(missing, 0, present_copies(alleles)).astype(np.int8)
    widest = copies.max(axis=0, keepdims=True)
    return widest if bool(((copies == widest) | missing).all()) else copies


def _scale_up(
    dosage: NDArray[np.int8] | NDArray[np.float32], spans: list[_Span], ploidy: NDArray[np.int8]
) -> NDArray[np.int8] | NDArray[np.float32]:
    """Dosages (markers, n) as if every call had its accession's ploidy."""
    for span in spans:
        narrow = (span.copies > 0) & (span.copies != ploidy)
        if not narrow.any():
            continue
        part = dosage[span.first : span.last]
        factor = np.where(narrow, ploidy / np.maximum(span.copies, 1), 1.0)
        scaled = np.where(part > MISSING_DOSAGE, part * factor, part)
        if dosage.dtype == np.int8 and not np.array_equal(scaled, np.round(scaled), equal_nan=True):
            dosage = as_fractional(dosage)
        if dosage.dtype == np.float32:
            scaled[scaled == MISSING_DOSAGE] = np.nan
        dosage[span.first : span.last] = scaled
    return dosage
