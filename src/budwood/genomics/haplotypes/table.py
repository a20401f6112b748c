"""HaplotypeTable: the distinct sequences of every window across a panel, and who carries which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.errors import BudwoodError, counted
from budwood.genomics.assembly import Assembly
from budwood.genomics.checks.chosen_rows import Choice, chosen_rows
from budwood.genomics.haplotypes.assumptions import Assumption
from budwood.genomics.haplotypes.calls import CallSource
from budwood.genomics.haplotypes.contig_reader import ContigReader
from budwood.genomics.haplotypes.edits import stream_edits
from budwood.genomics.haplotypes.window import windows_with_edits
from budwood.genomics.haplotypes.window_haplotypes import WindowHaplotypes, window_haplotypes
from budwood.genomics.interval import Interval
from budwood.progress import progress


@dataclass(frozen=True)
class HaplotypeTable:
    """Distinct window sequences of a panel (see DESIGN section 4).

    Attributes
    ----------
    accessions
        n ids in file order.
    windows
        W reference intervals of :data:`budwood.config.WINDOW` bases (shorter only at a contig's end).
    sequences
        (H, 512) ``uint8`` codes, grouped by window; within a window the reference comes first.
        Positions past a contig's end are PAD.
    offsets
        (W + 1,) ``int64``; window w owns rows ``offsets[w]:offsets[w + 1]`` of ``sequences``.
    codes
        (n, W, ploidy), the smallest unsigned type that fits: row within the window of each copy; the
        type's largest value marks a copy the accession does not have (lower ploidy).
    assumptions
        Counts of what had to be assumed or left out, for the summary (sites skipped by reason, calls that
        were missing, accession-windows whose phase was assumed, ...), under the keys of
        :class:`budwood.genomics.haplotypes.assumptions.Assumption`.
    """

    accessions: tuple[str, ...]
    windows: tuple[Interval, ...]
    sequences: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    codes: NDArray[np.unsignedinteger]
    assumptions: Mapping[str, int]

    def __repr__(self) -> str:
        n, w = counted(len(self.accessions), "accession"), counted(len(self.windows), "window")
        return f"HaplotypeTable({n} x {w}, {counted(self.n_sequences, 'sequence')})"

    @property
    def n_sequences(self) -> int:
        """Distinct sequences H: what an encoder has to encode."""
        return len(self.sequences)

    @property
    def absent(self) -> int:
        """The code of a copy that an accession does not have."""
        return int(np.iinfo(self.codes.dtype).max)

    @property
    def brute_force_windows(self) -> int:
        """Sequences that embedding every window of every copy of every accession would encode."""
        return int(np.count_nonzero(self.codes != self.absent))

    def counts(self, window: int) -> NDArray[np.float32]:
        """Copies of each of the window's sequences in each accession, Z_w of shape (n, h_w).

        Rows sum to the number of copies the accession has.

        Parameters
        ----------
        window
            Number of the window, from 0.

        Returns
        -------
        ndarray
            (n, h_w) ``float32``.
        """
        h = int(self.offsets[window + 1] - self.offsets[window])
        codes = self.codes[:, window, :]
        counts = np.zeros((len(codes), h), dtype=np.float32)
        row, copy = np.nonzero(codes != self.absent)
        np.add.at(counts, (row, codes[row, copy]), 1)
        return counts

    def take(self, rows: Choice) -> HaplotypeTable:
        """The chosen accessions, in the order given.

        Windows and sequences stay as they are, so that vectors of the whole table fit the part as well;
        the assumptions remain those of the whole table.

        Parameters
        ----------
        rows
            Row numbers from 0, ids, or a mask (n,), each accession once.

        Returns
        -------
        HaplotypeTable
            The chosen accessions with all windows.

        Raises
        ------
        BudwoodError
            As :func:`~budwood.genomics.checks.chosen_rows.chosen_rows`.
        """
        index = chosen_rows(self.accessions, rows)
        chosen = tuple(self.accessions[i] for i in index)
        return replace(self, accessions=chosen, codes=self.codes[index])


def tabulate_haplotypes(source: CallSource, assembly: Assembly, *, window: int = WINDOW) -> HaplotypeTable:
    """Distinct window sequences of a panel, from one pass over its calls.

    The grid of windows starts at each contig's first base; windows without a variant that some copy carries
    are left out. Every reference position owns the bases inserted just before it and its own base, unless
    that is deleted or replaced; a haplotype is what its copy owns from the window's first position on, in
    order, until ``window`` bases are full. So it starts at the first retained base where a deletion spans
    the window's start, deletions draw in the copy's own sequence from beyond the window's end, and it is
    padded past the contig's end. SNVs, insertions, deletions, MNVs and multi-allelic sites are exact.

    What is assumed, each counted in ``assumptions``: missing calls (and the missing copies of half calls)
    are the reference allele, which does not depend on who else is in the file; symbolic alleles and those
    with letters other than A, C, G and T leave the reference; sites past the contig's end or with another
    REF than the reference are left out; of overlapping variants on one copy the first is applied. Phased
    calls are used as phased. Unphased calls are exact where an accession has at most one heterozygous site
    in view of a window; otherwise reference alleles are put on the first copies and others, in the order of
    their letters, on the last, whichever order the file spells them in. The same holds for any ploidy, also
    where ploidy is mixed.

    Parameters
    ----------
    source
        Calls with letters, sorted by contig and position; only about one window's calls are in memory.
    assembly
        The reference the calls refer to.
    window
        Bases per window.

    Returns
    -------
    HaplotypeTable
        Windows, their distinct sequences, and who carries which.

    Raises
    ------
    BudwoodError
        If alleles are not letters, sites are not sorted, or no variant changes the reference sequence.
    """
    if not source.has_letters:
        raise BudwoodError(
            "the genotypes are dosages without allele letters, so they have no sequence",
            mend="give a file with letters for the haplotypes, for example a VCF",
        )
    tally: Counter[str] = Counter({str(key): 0 for key in Assumption})
    collected = _Collected()
    with progress("distinct haplotypes (windows)", None) as advance:
        for contig, batches in groupby(stream_edits(source, assembly, tally), lambda batch: batch.contig):
            reader = ContigReader(assembly, contig)
            for interval, edits in windows_with_edits(batches, contig, reader.length, window):
                found = window_haplotypes(interval.start, window, edits, reader)
                tally[Assumption.PHASE_ASSUMED] += int(np.count_nonzero(found.phase_assumed))
                tally[Assumption.WINDOWS_PHASE_ASSUMED] += int(found.phase_assumed.any())
                collected.add(interval, found)
                advance()
    if not collected.windows:
        raise BudwoodError(
            f"none of the {tally[Assumption.SITES_READ]} variants of the file changes the reference sequence",
            mend="give the genome the variants were called on, with the same contig names",
        )
    return collected.table(source.accessions, tally)


class _Collected:
    """Windows found so far; codes are kept in the smallest type each window allows."""

    def __init__(self) -> None:
        self.windows: list[Interval] = []
        self._sequences: list[NDArray[np.uint8]] = []
        self._rows: list[NDArray[np.unsignedinteger]] = []

    def add(self, interval: Interval, found: WindowHaplotypes) -> None:
        self.windows.append(interval)
        self._sequences.append(found.sequences)
        # Numpy wraps -1, an absent copy, to the type's largest value.
        self._rows.append(found.rows.astype(np.min_scalar_type(len(found.sequences))))

    def table(self, accessions: tuple[str, ...], tally: Counter[str]) -> HaplotypeTable:
        """The table; collected parts are freed one by one, so that memory never holds them twice."""
        sizes = [len(sequences) for sequences in self._sequences]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        ploidy = max(rows.shape[1] for rows in self._rows)
        dtype = np.min_scalar_type(max(sizes))
        sequences = np.empty((offsets[-1], self._sequences[0].shape[1]), dtype=np.uint8)
        codes = np.full((len(accessions), len(sizes), ploidy), np.iinfo(dtype).max, dtype=dtype)
        for w in reversed(range(len(sizes))):
            sequences[offsets[w] : offsets[w + 1]] = self._sequences.pop()
            rows = self._rows.pop()
            codes[:, w, : rows.shape[1]] = _widened(rows, dtype)
        counted = {str(key): int(tally[key]) for key in Assumption}
        return HaplotypeTable(accessions, tuple(self.windows), sequences, offsets, codes, counted)


def _widened(rows: NDArray[np.unsignedinteger], dtype: np.dtype) -> NDArray[np.unsignedinteger]:
    """The rows in a wider type, with the mark of an absent copy moved to that type's largest value."""
    wide = rows.astype(dtype)
    wide[rows == np.iinfo(rows.dtype).max] = np.iinfo(dtype).max
    return wide
