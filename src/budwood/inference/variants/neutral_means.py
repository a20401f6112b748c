"""What scores are by chance: their means over changes that alter no gene, by neighbours and new base.

Scores differ between contexts: transitions in CpG are common and read as harmless, whatever they do. The mean
of a score over changes of non-coding bases of the user's own genome, in the same five bases and to the same
new base, is what a change there has for no reason of its own. Calibrated scores are scores minus that mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import CODING, BaseClass
from budwood.genomics.sequence import N, reverse_complement
from budwood.inference.variants.alternative_pass import NEAR, Replacement, compare_readings
from budwood.inference.variants.expected_consequence import (
    REACH,
    expected_consequence,
    expected_of_substitutions,
)
from budwood.inference.variants.genome_sample import GenomeSample
from budwood.inference.variants.reference_pass import Key, WindowReading
from budwood.inference.variants.score import VariantScorer

#: Changes that a table needs; a score without a table is not calibrated.
FEWEST: Final = 100
# Means of rare contexts are drawn to those of the three bases in their middle.
_STRENGTH: Final = 20.0
_MARKS: Final = [*CODING, *range(BaseClass.DONOR_FORWARD, BaseClass.ACCEPTOR_REVERSE + 1)]
_NEUTRAL: Final = 0.5
_SPACING: Final = 40
# Genomes of unknown bases give no contexts at all.
_NO_CONTEXTS: Final = np.zeros((0, 2 * REACH + 1), dtype=np.uint8)
# Windows with their vectors, 1 MB each, that are in memory together.
_AT_ONCE: Final = 64


@dataclass(frozen=True, eq=False)
class NeutralMeans:
    """Means of scores by five bases and the new base in the middle, both strands together.

    Attributes
    ----------
    means
        (1024, 4) by name of the score.
    changes
        How many changes each table is computed from.
    """

    means: Mapping[str, NDArray[np.float64]]
    changes: Mapping[str, int]

    def calibrate(
        self, scores: Mapping[str, NDArray[np.float64]], around: NDArray[np.uint8], new: NDArray[np.uint8]
    ) -> dict[str, NDArray[np.float64]]:
        """Scores minus their neutral means.

        Parameters
        ----------
        scores
            (n,) values by name.
        around
            (n, 5) reference codes around each change.
        new
            (n,) codes of the new bases.

        Returns
        -------
        dict
            (n,) values by name, for every score with a table; NaN where a base is unknown.
        """
        known = (around < N).all(1) & (new < N)
        context, base = _cells(np.where(known[:, None], around, 0), np.where(known, new, 0))
        return {
            name: np.where(known, values - self.means[name][context, base], np.nan)
            for name, values in scores.items()
            if name in self.means
        }


def neutral_means(
    scorer: VariantScorer,
    sample: GenomeSample,
    *,
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
) -> NeutralMeans:
    """Means of a scorer's calibrated scores over changes of non-coding bases.

    The expected consequence is computed for every change of every such base of the sample. Alternative
    alleles are read a dozen at a time, 40 bases apart, for readings are compared within 16 bases.

    Parameters
    ----------
    scorer
        Computes the scores.
    sample
        Windows drawn from the genome.
    seed
        Seed of the changes that are read again with their new base.
    advance
        Called with the number of windows just read.

    Returns
    -------
    NeutralMeans
        The tables.
    """
    wanted = {field.name for field in scorer.fields if field.calibrated}
    found: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]] = {}
    # A genome whose contigs are all shorter than a window has none to draw.
    if "expected_consequence" in wanted and sample.long:
        around, new, regions = _every_change(scorer.reference.read(sample.long, advance, scorer.threads))
        parts = expected_of_substitutions(around, new, regions)
        found["expected_consequence"] = (around, new, expected_consequence(parts))
    if wanted & {"divergence", "shift"}:
        groups, around, new = _spaced_changes(scorer, sample.short, seed, advance)
        differences = compare_readings(scorer.alternative, groups, advance, scorer.threads)
        for name in sorted(wanted & {"divergence", "shift"}):
            found[name] = (around, new, getattr(differences, name))
    if "log_likelihood_ratio" in wanted and sample.masked:
        found["log_likelihood_ratio"] = _masked_changes(scorer, sample)
    return NeutralMeans(
        {name: _smoothed(*columns) for name, columns in found.items() if len(columns[2]) >= FEWEST},
        dict.fromkeys(sorted(wanted), 0) | {name: len(values) for name, (_, _, values) in found.items()},
    )


def _every_change(
    readings: Sequence[WindowReading],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Bases around, new base and region probabilities of every change of neutral bases."""
    around, regions = [_NO_CONTEXTS], [np.zeros((0, len(BaseClass)), dtype=np.float32)]
    for reading in readings:
        columns = _neutral(reading)
        around.append(reading.codes[columns[:, None] + np.arange(-REACH, REACH + 1)])
        regions.append(reading.regions[columns])
    bases, chances = np.concatenate(around), np.concatenate(regions)
    row, new = np.nonzero(bases[:, REACH : REACH + 1] != np.arange(N))
    return bases[row], new.astype(np.uint8), chances[row]


def _spaced_changes(
    scorer: VariantScorer, keys: Sequence[Key], seed: int, advance: Callable[[int], None] | None
) -> tuple[list[list[Replacement]], NDArray[np.uint8], NDArray[np.uint8]]:
    """One random change in every 40 bases of windows, where these are neutral."""
    random = np.random.default_rng(seed)
    groups, around = [], []
    for begin in range(0, len(keys), _AT_ONCE):
        part = keys[begin : begin + _AT_ONCE]
        for key, reading in zip(part, scorer.alternative.read(part, advance, scorer.threads), strict=True):
            columns = _neutral(reading)
            slots = (columns - int(random.integers(_SPACING))) // _SPACING
            _, first = np.unique(slots, return_index=True)
            # The first of each slot lies anywhere in it, but never near the one of the slot before.
            kept = [columns[i] for i in first if columns[i] >= NEAR]
            spaced = [c for c, before in zip(kept, [-_SPACING, *kept], strict=False) if c - before > 2 * NEAR]
            changed = [(c, (int(reading.codes[c]) + int(random.integers(1, N))) % N) for c in spaced]
            if changed:
                groups.append(
                    [
                        Replacement(
                            key, reading.start + c, reading.start + c + 1, np.array([b], dtype=np.uint8)
                        )
                        for c, b in changed
                    ]
                )
                around.append(reading.codes[np.array(spaced)[:, None] + np.arange(-REACH, REACH + 1)])
    new = np.array([each.letters[0] for group in groups for each in group], dtype=np.uint8)
    return groups, np.concatenate([_NO_CONTEXTS, *around]), new


def _masked_changes(
    scorer: VariantScorer, sample: GenomeSample
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
    """Log likelihood ratios of every change of the sample's masked bases that are neutral."""
    around, values = [_NO_CONTEXTS], [np.zeros((0, N))]
    readings = scorer.alternative.read(sample.short, threads=scorer.threads)
    kept = dict(zip(sample.short, readings, strict=True))
    for (key, positions), logs in zip(sample.masked, sample.logs, strict=True):
        reading = kept[key]
        columns = np.array(positions) - reading.start
        good = np.isin(columns, _neutral(reading))
        around.append(reading.codes[columns[good][:, None] + np.arange(-REACH, REACH + 1)])
        values.append(logs[good])
    bases, chances = np.concatenate(around), np.concatenate(values)
    row, new = np.nonzero(bases[:, REACH : REACH + 1] != np.arange(N))
    return bases[row], new.astype(np.uint8), chances[row, new] - chances[row, bases[row, REACH]]


def _neutral(reading: WindowReading) -> NDArray[np.intp]:
    """Columns of known, non-coding bases with known neighbours."""
    known = reading.codes < N
    good = known & (reading.regions[:, _MARKS].sum(1) < _NEUTRAL)
    for offset in range(1, REACH + 1):
        good[offset:] &= known[:-offset]
        good[:-offset] &= known[offset:]
    good[:REACH] = good[-REACH:] = False
    return np.flatnonzero(good)


def _cells(around: NDArray[np.uint8], new: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Context and new base of changes."""
    return around.astype(np.int64) @ 4 ** np.arange(2 * REACH, -1, -1), new.astype(np.int64)


def _smoothed(
    around: NDArray[np.uint8], new: NDArray[np.uint8], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(1024, 4) means, both strands together, of rare contexts drawn to those of shorter ones."""
    both = np.concatenate([around, reverse_complement(around)])
    base = np.concatenate([new, N - 1 - new]).astype(np.int64)
    twice = np.concatenate([values, values])
    middle = both[:, 1:-1].astype(np.int64) @ np.array([16, 4, 1])
    level = np.full(4, values.mean() if len(values) else 0.0)
    by_base = _drawn(base, twice, level, 4)
    by_three = _drawn(middle * 4 + base, twice, np.tile(by_base, 64), 256)
    context, _ = _cells(both, base.astype(np.uint8))
    # Five bases c0 c1 c2 c3 c4: their middle three number c1 c2 c3.
    inner = np.arange(4**5) // 4 % 64
    prior = by_three.reshape(64, 4)[inner].ravel()
    return _drawn(context * 4 + base, twice, prior, 4**6).reshape(4**5, 4)


def _drawn(
    cells: NDArray[np.int64], values: NDArray[np.float64], prior: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Means by cell, each with the prior counted as a number of values."""
    total = np.bincount(cells, values, minlength=size) + _STRENGTH * prior
    means: NDArray[np.float64] = total / (np.bincount(cells, minlength=size) + _STRENGTH)
    return means
