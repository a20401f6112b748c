"""Scores of alleles: one reading of each window of the reference, and more where a score needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.assembly import Assembly
from budwood.genomics.sequence import N
from budwood.inference.threads import OrderedThreads
from budwood.inference.variants.allele_table import AlleleTable
from budwood.inference.variants.alternative_pass import (
    Replacement,
    compare_readings,
    masked_log_probabilities,
)
from budwood.inference.variants.expected_consequence import (
    PARTS,
    REACH,
    expected_consequence,
    expected_of_edit,
    expected_of_substitutions,
)
from budwood.inference.variants.reference_pass import Key, ReferencePass
from budwood.inference.variants.score_field import ScoreField
from budwood.model.checkpoint import Checkpoint

#: Bases on either side that a k-mer model reads.
KMER_REACH: Final = 5
# Alternative alleles are read in windows of the length that embeddings have.
_ALTERNATIVE_WINDOW: Final = 512
# Windows that one thread reads one after the other.
_WINDOWS_AT_ONCE: Final = 32
_MARGIN: Final = 8

Advance = Callable[[int], None]


class NeighbourModel(Protocol):
    """A model of a base given its neighbours."""

    def probabilities(
        self, codes: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Probabilities of A, C, G and T at positions of windows.

        Parameters
        ----------
        codes
            (windows, length) bases.
        rows, columns
            (q,) positions.
        """


@dataclass(frozen=True)
class Readings:
    """How many windows a run of alleles needs the encoder to read.

    Attributes
    ----------
    reference, alternative
        Long windows of the reference, and windows of 512 bases for alternative alleles.
    """

    reference: int
    alternative: int


class VariantScorer:
    """Scores alleles of one genome.

    Parameters
    ----------
    assembly
        The genome.
    checkpoint
        The encoder.
    fields
        Scores to compute.
    neighbours
        k-mer model of the genome; its score is missing where None.
    batch_size
        Windows of 512 bases that are read at once; 16 where None.
    half_precision
        Whether to multiply in bfloat16.
    threads
        Read windows; the caller's own where None. Scores do not depend on their number.
    """

    def __init__(
        self,
        assembly: Assembly,
        checkpoint: Checkpoint,
        fields: Sequence[ScoreField],
        *,
        neighbours: NeighbourModel | None = None,
        batch_size: int | None = None,
        half_precision: bool = False,
        threads: OrderedThreads | None = None,
    ) -> None:
        self.assembly = assembly
        self.threads = threads or OrderedThreads()
        self.fields = tuple(fields)
        self.neighbours = neighbours
        halved = None if batch_size is None else max(1, batch_size // 2)
        self.reference = ReferencePass(assembly, checkpoint, batch_size=halved, half_precision=half_precision)
        self.alternative = ReferencePass(
            assembly,
            checkpoint,
            window=_ALTERNATIVE_WINDOW,
            batch_size=batch_size,
            half_precision=half_precision,
            keep_vectors=True,
        )

    @property
    def costs(self) -> frozenset[str]:
        """What the scores take."""
        return frozenset(field.cost for field in self.fields)

    def readings(self, table: AlleleTable) -> Readings:
        """How many windows are to be read for a table.

        Parameters
        ----------
        table
            Alleles.

        Returns
        -------
        Readings
            Numbers of windows, those that earlier calls left in memory included.
        """
        rows = np.flatnonzero(table.scored)
        count = 0
        if "alternative" in self.costs:
            count += len(rows) + _windows(table, rows, self.alternative)
        if "masked" in self.costs:
            single = np.flatnonzero(table.substitution)
            count += len(np.unique(np.stack([table.contig[single], table.start[single]]), axis=1).T)
        return Readings(_windows(table, rows, self.reference), count)

    def score(self, table: AlleleTable, advance: Advance | None = None) -> dict[str, NDArray[np.float64]]:
        """Score every allele of a table.

        Parameters
        ----------
        table
            Alleles in any order.
        advance
            Called with the number of windows just read.

        Returns
        -------
        dict
            (n,) values by name of the field, NaN where an allele has none.
        """
        found = {field.name: np.full(len(table), np.nan) for field in self.fields}
        around = table.around(self.assembly, KMER_REACH)
        if "kmer" in found and self.neighbours is not None:
            found["kmer"] = _kmer_ratios(table, around, self.neighbours)
        if "expected_consequence" in found:
            self._score_reference(table, around, found, advance)
        if "alternative" in self.costs:
            self._score_alternatives(table, found, advance)
        if "masked" in self.costs:
            self._score_masked(table, found, advance)
        return found

    def _score_reference(
        self,
        table: AlleleTable,
        around: NDArray[np.uint8],
        found: dict[str, NDArray[np.float64]],
        advance: Advance | None,
    ) -> None:
        near = around[:, KMER_REACH - REACH : KMER_REACH + REACH + 1]
        keys, rows_of = self._by_window(table, np.flatnonzero(table.scored), self.reference)

        def expected(begin: int) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]]:
            part, reader = slice(begin, begin + _WINDOWS_AT_ONCE), self.reference.fresh()
            readings = reader.read(keys[part], advance)
            single = [rows[table.alternative[rows] < N] for rows in rows_of[part]]
            regions = np.concatenate(
                [
                    reading.regions[table.start[here] - reading.start]
                    for reading, here in zip(readings, single, strict=True)
                ]
            )
            chosen = np.concatenate(single)
            found = [(chosen, expected_of_substitutions(near[chosen], table.alternative[chosen], regions))]
            for rows in rows_of[part]:
                for row in rows[table.alternative[rows] == N].tolist():
                    found.append((np.array([row]), _expected_of_edit(table, row, reader)))
            return found

        for columns in self.threads.map(expected, range(0, len(keys), _WINDOWS_AT_ONCE)):
            for rows, parts in columns:
                _put_parts(found, rows, parts)

    def _score_alternatives(
        self, table: AlleleTable, found: dict[str, NDArray[np.float64]], advance: Advance | None
    ) -> None:
        fits = np.flatnonzero(table.scored)
        keys, rows_of = self._by_window(table, fits, self.alternative)
        rows, replacements = [], []
        for key, here in zip(keys, rows_of, strict=True):
            for row in here.tolist():
                rows.append(row)
                replacements.append([_replacement(table, row, key)])
        differences = compare_readings(self.alternative, replacements, advance, self.threads)
        for name in ("divergence", "shift", "splice_gained"):
            if name in found:
                found[name][rows] = getattr(differences, name)

    def _score_masked(
        self, table: AlleleTable, found: dict[str, NDArray[np.float64]], advance: Advance | None
    ) -> None:
        keys, rows_of = self._by_window(table, np.flatnonzero(table.substitution), self.alternative)
        sites: dict[tuple[Key, int], list[int]] = {}
        for key, here in zip(keys, rows_of, strict=True):
            for row in here.tolist():
                sites.setdefault((key, int(table.start[row])), []).append(row)
        places = [(key, [position]) for key, position in sites]
        logs = masked_log_probabilities(self.alternative, places, advance, self.threads)
        for (chances,), rows in zip(logs, sites.values(), strict=True):
            ratios = chances[table.alternative[rows]] - chances[table.reference[rows]]
            found["log_likelihood_ratio"][rows] = ratios

    def _by_window(
        self, table: AlleleTable, rows: NDArray[np.intp], reader: ReferencePass
    ) -> tuple[list[Key], list[NDArray[np.intp]]]:
        """Windows in the order of the genome, and the rows whose variants begin in each."""
        if not len(rows):
            return [], []
        number = reader.numbers(table.start[rows], reader.counts[table.contig[rows]])
        order = np.lexsort((table.start[rows], number, table.contig[rows]))
        pairs = np.stack([table.contig[rows], number], axis=1)[order]
        starts = np.flatnonzero(np.r_[True, (pairs[1:] != pairs[:-1]).any(1)])
        keys = [(table.contigs[c], int(w)) for c, w in pairs[starts]]
        return keys, np.split(rows[order], starts[1:])


def _windows(table: AlleleTable, rows: NDArray[np.intp], reader: ReferencePass) -> int:
    """Number of windows in which variants begin."""
    contigs = table.contig[rows]
    numbers = reader.numbers(table.start[rows], reader.counts[contigs])
    return len(np.unique(np.stack([contigs, numbers]), axis=1).T)


def _kmer_ratios(
    table: AlleleTable, around: NDArray[np.uint8], neighbours: NeighbourModel
) -> NDArray[np.float64]:
    """Log of the probability of each new base over the old one; NaN for other alleles."""
    found = np.full(len(table), np.nan)
    rows = np.flatnonzero(table.substitution)
    if len(rows):
        every = np.arange(len(rows))
        chances = neighbours.probabilities(around[rows], every, np.full(len(rows), KMER_REACH))
        new, old = chances[every, table.alternative[rows]], chances[every, table.reference[rows]]
        found[rows] = np.log(new / old)
    return found


def _expected_of_edit(table: AlleleTable, row: int, reader: ReferencePass) -> NDArray[np.float64]:
    edit, contig = table.edits[row], table.contigs[table.contig[row]]
    low = edit.start - _MARGIN
    codes, regions = reader.stretch(contig, low, edit.end + _MARGIN)
    return expected_of_edit(codes, regions, edit.start - low, edit.end - low, edit.letters)[None]


def _replacement(table: AlleleTable, row: int, key: Key) -> Replacement:
    edit = table.edits.get(row)
    if edit is not None:
        return Replacement(key, edit.start, edit.end, edit.letters)
    start = int(table.start[row])
    return Replacement(key, start, start + 1, table.alternative[row : row + 1])


def _put_parts(
    found: Mapping[str, NDArray[np.float64]], rows: NDArray[np.intp], parts: NDArray[np.float64]
) -> None:
    if "expected_consequence" not in found:
        return
    found["expected_consequence"][rows] = expected_consequence(parts)
    for column, name in enumerate(PARTS):
        found[name][rows] = parts[:, column]
