"""Draw windows from a built corpus, with the same interface as drawing them from genomes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.sampling.genome import no_tracks
from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import DrawnWindow, SamplerConfig, WindowBatch, stack_windows
from budwood.corpus.sampling.store import Corpus
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N


class CorpusSampler:
    """Draws batches of windows from a corpus.

    A batch depends only on the seed and its number, as for
    :class:`budwood.corpus.sampling.sampler.WindowSampler`. Each window is cropped at random from a stored
    one, so the same stored window is seen at different offsets and on both strands.

    Parameters
    ----------
    corpus
        From :func:`budwood.corpus.sampling.store.open_corpus`.
    config
        ``window`` must not exceed the corpus's; ``gene_share`` is the share of an annotated species' windows
        drawn around genes, the others are drawn elsewhere.
    seed
        Determines everything random.
    validation
        Draw from the windows for validation.
    species
        Draw from this species alone.
    weights
        Share of windows by species or by collection (divided among its species as in the balance) instead of
        the balance of the corpus; species that are not named get none.
    windows
        Draw from this number of stored windows only, chosen at random by these shares; 0 for all.

    Attributes
    ----------
    rows
        Numbers of the stored windows that are drawn from.
    """

    def __init__(
        self,
        corpus: Corpus,
        config: SamplerConfig,
        *,
        seed: int,
        validation: bool = False,
        species: str | None = None,
        weights: Mapping[str, float] | None = None,
        windows: int = 0,
    ) -> None:
        self.corpus = corpus
        self.config = config
        self.seed = seed
        _check_width(corpus, config)
        wanted = _weights(corpus, weights, species)
        rows = np.flatnonzero(corpus.windows["validation"] == validation)
        if windows:
            wanted = _whole_shares(wanted, windows)
            rows = _taken(corpus, rows, wanted, seed)
        self.rows = rows[wanted[corpus.windows["species"][rows]] > 0]
        owner, genic = corpus.windows["species"][rows], corpus.windows["genic"][rows]
        order = np.argsort(owner, kind="stable")
        bounds = np.searchsorted(owner[order], np.arange(len(corpus.species) + 1))
        self._near, self._elsewhere = [], []
        for first, last in pairwise(bounds):
            own = order[first:last]
            self._near.append(rows[own[genic[own]]])
            self._elsewhere.append(rows[own[~genic[own]]])
        supplied = np.where(np.diff(bounds) > 0, wanted, 0.0)
        if supplied.sum() <= 0:
            kind = "validation" if validation else "training"
            raise BudwoodError(
                f"the corpus has no {kind} window of {species or 'any species'}",
                where=str(corpus.folder),
                mend="choose another species, or build it with a larger share of validation",
            )
        self._until = np.cumsum(supplied / supplied.sum())

    def shape(self, number: int, size: int) -> tuple[int, int]:
        """Windows of a batch and their bases.

        Parameters
        ----------
        number, size
            As for :meth:`batch`.

        Returns
        -------
        tuple of int, int
            Number of windows and bases of a window.
        """
        return size, self.config.window

    def batch(self, number: int, size: int, *, first: int = 0, step: int = 1) -> WindowBatch:
        """Draw a batch.

        Parameters
        ----------
        number
            Number of the batch from 0.
        size
            Number of windows.
        first, step
            Every ``step``-th window of the batch, from ``first`` on: the share of one process of several.
            The shares together are the batch of one process.

        Returns
        -------
        WindowBatch
            The windows, each on a random strand.
        """
        drawn = (np.random.default_rng((self.seed, number, 0, row)) for row in range(first, size, step))
        return stack_windows([self._window(random) for random in drawn])

    def _window(self, random: np.random.Generator) -> DrawnWindow:
        species = int(np.searchsorted(self._until, random.random(), side="right"))
        species = min(species, len(self._until) - 1)
        for _ in range(100):
            row = self._row(species, random)
            drawn, known = self._crop(row, random)
            if (drawn.codes[:known] == N).sum() <= self.config.max_unknown * known:
                return drawn if random.random() < 0.5 else drawn.reverse_complement()
        raise BudwoodError(
            "100 windows in a row are mostly N", where=str(self.corpus.folder), mend="raise max_unknown"
        )

    def _row(self, species: int, random: np.random.Generator) -> int:
        near, elsewhere = self._near[species], self._elsewhere[species]
        from_genes = random.random() < self.config.gene_share
        pool: NDArray[np.int64] = near if len(near) and (from_genes or not len(elsewhere)) else elsewhere
        return int(pool[random.integers(len(pool))])

    def _crop(self, row: int, random: np.random.Generator) -> tuple[DrawnWindow, int]:
        """A window cropped from a stored one, and how many of its bases are not padding."""
        stored, tracks = self.corpus.windows[row], self.corpus.row(row)
        width, length = self.config.window, int(stored["length"])
        offset = int(random.integers(max(0, length - width) + 1))
        start = int(stored["start"]) + offset
        anchor, direction = NO_ANCHOR, 0
        loci = self.corpus.loci.get(int(stored["contig"]))
        if loci is not None:
            anchor, direction = loci.at(start + width // 2, self.config.flank)
        place = anchor if anchor == NO_ANCHOR else anchor - start
        crop = slice(offset, offset + width)
        drawn = DrawnWindow(
            tracks.codes[crop],
            tracks.repeat[crop],
            tracks.region[crop],
            place,
            direction,
            int(stored["species"]),
            no_tracks(width),
        )
        return drawn, min(width, length)


def _check_width(corpus: Corpus, config: SamplerConfig) -> None:
    if config.window > corpus.length:
        raise BudwoodError(
            f"windows of {config.window} bases do not fit into the corpus's, which have {corpus.length}",
            where=str(corpus.folder),
            mend="ask for shorter windows or build a corpus of longer ones",
        )


def _weights(corpus: Corpus, weights: Mapping[str, float] | None, species: str | None) -> NDArray[np.float64]:
    balance = np.array([each.weight for each in corpus.species])
    if species is not None:
        weights = {species: 1.0}
    if weights is None:
        return balance
    shares = np.zeros(len(balance))
    for name, share in weights.items():
        named = np.array([name in (each.name, each.source) for each in corpus.species])
        if not named.any():
            raise BudwoodError(
                f"the corpus has no species {name!r}", where=str(corpus.folder), mend=_choice(corpus)
            )
        owned = np.where(named, balance, 0.0)
        shares += share * owned / (owned.sum() or 1.0)
    return shares


def _whole_shares(shares: NDArray[np.float64], windows: int) -> NDArray[np.float64]:
    """Shares as whole numbers of windows with the requested sum; many small shares may get no window."""
    until = np.rint(np.cumsum(shares / shares.sum()) * windows)
    return np.diff(until, prepend=0.0)


def _taken(
    corpus: Corpus, rows: NDArray[np.int64], wanted: NDArray[np.float64], seed: int
) -> NDArray[np.int64]:
    """Draw the requested number of rows of each species at random."""
    random = np.random.default_rng((seed, 4))
    owner = corpus.windows["species"][rows]
    parts = []
    for number in np.flatnonzero(wanted):
        own, count = rows[owner == number], int(wanted[number])
        if len(own) < count:
            raise BudwoodError(
                f"{count:,} windows of {corpus.species[number].name} are needed, the corpus has {len(own):,}",
                where=str(corpus.folder),
                mend="ask for fewer windows or give it a smaller weight",
            )
        parts.append(random.choice(own, count, replace=False))
    return np.sort(np.concatenate(parts))


def _choice(corpus: Corpus) -> str:
    names = [each.name for each in corpus.species]
    return f"choose from {', '.join(names[:6])}{', ...' if len(names) > 6 else ''}"
