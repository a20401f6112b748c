"""Leakage: how similar the windows for validation are to windows for training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.similarity.canonical_strand import CanonicalWindows
from budwood.corpus.similarity.minhash import CODON_LIKE, Sketch, SketchConfig, check_windows, sketch
from budwood.corpus.similarity.seed_index import (
    Candidates,
    SeedIndex,
    SeedLayout,
    best_per_query,
    candidate_pairs,
    empty_candidates,
)
from budwood.corpus.similarity.window_alignment import BAND
from budwood.corpus.similarity.window_search import (
    MIN_FLANKING_MATCHES,
    check_shares,
    flanking_matches,
    pair_identities,
    stretch_bases,
)
from budwood.errors import BudwoodError

_BLOCK: Final = 8192
_HELD_BITS: Final = 24


@dataclass(frozen=True)
class LeakageConfig:
    """Thresholds of the leakage table and settings of the search.

    Attributes
    ----------
    identities, coverages
        A validation window counts if a training window has this identity with it over a stretch of this share
        of the window.
    sample, seed
        Largest number of validation windows examined, and the seed of their random choice.
    max_windows_per_seed, max_candidates
        As in :class:`budwood.corpus.similarity.window_search.SearchConfig`; the former for each block of
        8,192 training windows.
    """

    identities: tuple[float, ...] = (0.7, 0.8, 0.9, 0.95, 0.99)
    coverages: tuple[float, ...] = (0.3, 0.5, 0.8)
    sample: int = 2000
    seed: int = 0
    max_windows_per_seed: int = 64
    max_candidates: int = 32

    def __post_init__(self) -> None:
        check_shares("identities", self.identities)
        check_shares("coverages", self.coverages)
        if self.sample < 1:
            raise BudwoodError(f"a sample of {self.sample} validation windows is empty", where="sample")


@dataclass(frozen=True)
class LeakageReport:
    """Share of validation windows with a relative in training.

    Attributes
    ----------
    identities, coverages
        Thresholds: rows and columns of the table.
    validation_windows, training_windows
        Number of windows given.
    examined
        Number of validation windows examined.
    counts, shares
        Number and share of the examined windows with a training window at that identity and coverage.
    """

    identities: tuple[float, ...]
    coverages: tuple[float, ...]
    validation_windows: int
    training_windows: int
    examined: int
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float, ...], ...]


def leakage_report(
    validation: NDArray[np.uint8], training: NDArray[np.uint8], config: LeakageConfig | None = None
) -> LeakageReport:
    """Count validation windows that resemble a training window, at several thresholds.

    Parameters
    ----------
    validation, training
        (n, window) and (m, window) codes A C G T N.
    config
        Thresholds.

    Returns
    -------
    LeakageReport
        Counts and shares by threshold.

    Examples
    --------
    >>> windows = np.random.default_rng(1).integers(0, 4, (4, 512), dtype=np.uint8)
    >>> validation, training = windows[:2], windows[2:].copy()
    >>> training[0, :300] = validation[1, :300]
    >>> leakage_report(validation, training).shares[4]
    (0.5, 0.5, 0.0)
    """
    config = config or LeakageConfig()
    check_windows(validation)
    rows = sampled_rows(len(validation), config)
    closest = closest_identity(validation[rows], training, config)
    return count_leaks(closest, len(validation), len(training), config)


def sampled_rows(count: int, config: LeakageConfig) -> NDArray[np.int64]:
    """Choose the validation windows that are examined.

    Parameters
    ----------
    count
        Number of validation windows.
    config
        Size and seed of the sample.

    Returns
    -------
    numpy.ndarray
        Ascending row numbers.

    Examples
    --------
    >>> sampled_rows(3, LeakageConfig(sample=5))
    array([0, 1, 2])
    """
    rows = np.arange(count)
    if count > config.sample:
        rows = np.sort(np.random.default_rng(config.seed).choice(rows, config.sample, replace=False))
    return rows


def count_leaks(
    closest: NDArray[np.float32], validation: int, training: int, config: LeakageConfig
) -> LeakageReport:
    """Build the report from the highest identities of the examined windows.

    Parameters
    ----------
    closest
        (examined, coverages) highest identity with any training window.
    validation, training
        Number of windows given.
    config
        Thresholds.

    Returns
    -------
    LeakageReport
        Counts and shares by threshold.
    """
    counts = [(closest >= identity).sum(axis=0).tolist() for identity in config.identities]
    examined = len(closest)
    return LeakageReport(
        config.identities,
        config.coverages,
        validation,
        training,
        examined,
        tuple(tuple(row) for row in counts),
        tuple(tuple(count / max(examined, 1) for count in row) for row in counts),
    )


def closest_identity(
    validation: NDArray[np.uint8], training: NDArray[np.uint8], config: LeakageConfig | None = None
) -> NDArray[np.float32]:
    """Find the highest identity of each validation window with any training window, at each coverage.

    Parameters
    ----------
    validation, training
        (n, window) and (m, window) codes A C G T N.
    config
        Coverages and settings of the search.

    Returns
    -------
    numpy.ndarray
        (n, coverages) ``float32``, 0 where no training window shares enough k-mers; it never increases with
        coverage.

    Raises
    ------
    BudwoodError
        If the windows are not base codes, or differ in length.
    """
    config = config or LeakageConfig()
    check_windows(validation)
    check_windows(training)
    if validation.shape[1] != training.shape[1]:
        raise BudwoodError(
            f"validation windows have {validation.shape[1]} bases and training windows {training.shape[1]}",
            where="leakage",
            mend="cut both to the same length",
        )
    queries = CanonicalWindows(validation, np.arange(len(validation)))
    targets = CanonicalWindows(training, np.arange(len(training)))
    pairs = _likeliest(queries, targets, config)
    stretches = [stretch_bases(coverage, training.shape[1]) for coverage in config.coverages]
    closest = np.zeros((len(validation), len(stretches)), np.float32)
    np.maximum.at(closest, pairs.query, pair_identities(pairs, queries, targets, stretches))
    for column in np.argsort(stretches)[-2::-1]:
        longer = [c for c, bases in enumerate(stretches) if bases >= stretches[column]]
        closest[:, column] = closest[:, longer].max(axis=1)
    return closest


def _likeliest(validation: CanonicalWindows, training: CanonicalWindows, config: LeakageConfig) -> Candidates:
    """The training windows that agree best with each validation window around a shared k-mer."""
    drawing = SketchConfig(16, 1, CODON_LIKE)
    most = max(validation.count, training.count)
    layout = SeedLayout.of(most, training.width, drawing.length, drawing.scale)
    places = np.arange(validation.count)
    drawn = sketch(validation.codes(places), drawing)
    keys = layout.pack(drawn, places)
    held = np.zeros(1 << _HELD_BITS, np.bool_)
    held[drawn.hashes >> (32 - _HELD_BITS)] = True
    best = empty_candidates()
    for start in range(0, training.count, _BLOCK):
        places = np.arange(start, min(start + _BLOCK, training.count))
        block = sketch(training.codes(places), drawing)
        block = _where(block, held[block.hashes >> (32 - _HELD_BITS)])
        index = SeedIndex(layout, config.max_windows_per_seed)
        index.add(layout.pack(block, places))
        pairs = candidate_pairs(index.hits(keys), layout, BAND, least=1)
        equal = flanking_matches(pairs, validation, training, drawing.length)
        pairs = replace(pairs, score=equal.sum(axis=1)).select(equal.max(axis=1) >= MIN_FLANKING_MATCHES)
        best = best_per_query(best.concatenate(pairs), config.max_candidates)
    return best


def _where(drawn: Sketch, chosen: NDArray[np.bool_]) -> Sketch:
    return Sketch(drawn.hashes[chosen], drawn.rows[chosen], drawn.positions[chosen], drawn.reverse[chosen])
