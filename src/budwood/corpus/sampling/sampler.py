"""Draw windows from genomes; a batch depends only on the seed and its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.corpus.sampling.genome import TrainingContig, TrainingGenome
from budwood.corpus.sampling.locus import NO_ANCHOR, reverse_locus
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, UNLABELLED
from budwood.genomics.sequence import N, reverse_complement


@dataclass(frozen=True)
class SamplerConfig:
    """Settings of window sampling.

    Attributes
    ----------
    window
        Bases of a window.
    gene_share
        Share of an annotated genome's windows drawn around genes instead of anywhere.
    flank
        Bases before and after a gene that count as its surroundings.
    max_unknown
        Largest share of N; windows with more are drawn again.
    long_window
        Bases of the windows of every other batch, which has fewer windows and as many bases; 0 for none.
        Windows longer than those of a corpus can only be drawn from genomes.
    """

    window: int = WINDOW
    gene_share: float = 0.5
    flank: int = 512
    max_unknown: float = 0.2
    long_window: int = 0

    @property
    def longest(self) -> int:
        """Bases of the longest windows."""
        return max(self.window, self.long_window)

    def shape(self, number: int, size: int) -> tuple[int, int]:
        """Number and length of the windows of a batch.

        Parameters
        ----------
        number
            Number of the batch from 0.
        size
            Windows of a batch with windows of ``window`` bases.

        Returns
        -------
        tuple of int
            Windows, and bases of each.

        Examples
        --------
        >>> config = SamplerConfig(window=512, long_window=2048)
        >>> config.shape(0, 16), config.shape(1, 16)
        ((16, 512), (4, 2048))
        """
        if not self.long_window or number % 2 == 0:
            return size, self.window
        return max(1, size * self.window // self.long_window), self.long_window


@dataclass(frozen=True)
class WindowBatch:
    """Windows with their tracks, on the strand on which each was drawn.

    Attributes
    ----------
    codes, repeat, region
        (batch, window) bases, whether each is a repeat, and its base class.
    anchor
        (batch,) ``int64``: where the window's locus begins (:class:`budwood.corpus.sampling.locus.Loci`), in
        window coordinates; may lie outside the window; NO_ANCHOR without an annotated gene.
    direction
        (batch,) ``int8``: 1 where that gene is read along the window, -1 against it, 0 without one.
    species
        (batch,) ``int16`` index of the genome.
    tracks
        (batch, window) interval tracks of each base, as
        :attr:`budwood.corpus.sampling.genome.TrainingContig.tracks`.
    smoothing
        (batch,) ``float32`` smoothing of the genome's base classes.
    """

    codes: NDArray[np.uint8]
    repeat: NDArray[np.bool_]
    region: NDArray[np.uint8]
    anchor: NDArray[np.int64]
    direction: NDArray[np.int8]
    species: NDArray[np.int16]
    tracks: NDArray[np.uint32]
    smoothing: NDArray[np.float32]


class DrawnWindow(NamedTuple):
    """One window before it is stacked into a :class:`WindowBatch`, with the same fields.

    Attributes
    ----------
    codes, repeat, region, tracks
        (window,) bases and what is known of each.
    anchor, direction, species, smoothing
        Numbers.
    """

    codes: NDArray[np.uint8]
    repeat: NDArray[np.bool_]
    region: NDArray[np.uint8]
    anchor: int
    direction: int
    species: int
    tracks: NDArray[np.uint32]
    smoothing: float = 0.0

    def reverse_complement(self) -> DrawnWindow:
        """Reverse complement of the window with its tracks.

        Returns
        -------
        DrawnWindow
            The window on the other strand.
        """
        anchor, direction = reverse_locus(self.anchor, self.direction, len(self.codes))
        region = _COMPLEMENT[self.region[::-1]]
        return self._replace(
            codes=reverse_complement(self.codes),
            repeat=self.repeat[::-1],
            region=region,
            anchor=anchor,
            direction=direction,
            tracks=self.tracks[::-1],
        )


def stack_windows(windows: Sequence[DrawnWindow]) -> WindowBatch:
    """Stack windows of one length into a batch.

    Parameters
    ----------
    windows
        Windows of the same length, at least one.

    Returns
    -------
    WindowBatch
        The windows in the given order.
    """
    codes, repeat, region, anchor, direction, species, tracks, smoothing = zip(*windows, strict=True)
    return WindowBatch(
        np.stack(codes),
        np.stack(repeat),
        np.stack(region),
        np.array(anchor, dtype=np.int64),
        np.array(direction, dtype=np.int8),
        np.array(species, dtype=np.int16),
        np.stack(tracks),
        np.array(smoothing, dtype=np.float32),
    )


class WindowSampler:
    """Draws batches of windows from weighted genomes.

    A batch depends only on the seed and its number, so a resumed training sees exactly the windows that an
    uninterrupted one would see.

    Parameters
    ----------
    genomes, weights
        Genomes, and the share of windows of each (any positive numbers).
    config
        Lengths and origin of the windows.
    seed
        Determines everything random.
    validation
        Draw from the contigs for validation.
    """

    def __init__(
        self,
        genomes: Sequence[TrainingGenome],
        weights: Sequence[float],
        config: SamplerConfig,
        *,
        seed: int,
        validation: bool = False,
    ) -> None:
        self.config = config
        self.seed = seed
        pools = [genome.validation if validation else genome.training for genome in genomes]
        self._smoothing = [genome.smoothing for genome in genomes]
        self._contigs = [[c for c in pool if len(c.codes) >= config.longest] for pool in pools]
        shares = np.array([w if contigs else 0.0 for w, contigs in zip(weights, self._contigs, strict=True)])
        if shares.sum() <= 0:
            raise BudwoodError(
                f"no contig has {config.longest} bases",
                where="the genomes of the recipe",
                mend="add longer ones",
            )
        self._shares = shares / shares.sum()
        self._anywhere = [_proportions([len(c.codes) for c in pool]) for pool in self._contigs]
        self._genes = [_proportions([len(c.loci) for c in pool]) for pool in self._contigs]

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
        return self.config.shape(number, size)

    def batch(self, number: int, size: int, *, first: int = 0, step: int = 1) -> WindowBatch:
        """Draw a batch.

        Parameters
        ----------
        number
            Number of the batch from 0.
        size
            Number of windows; fewer where the windows are long (:meth:`SamplerConfig.shape`).
        first, step
            Every ``step``-th window of the batch, from ``first`` on: the share of one process of several.
            The shares together are the batch of one process.

        Returns
        -------
        WindowBatch
            The windows, each on a random strand.
        """
        windows, length = self.shape(number, size)
        # A generator for each window: one process of several draws its own windows alone.
        drawn = (np.random.default_rng((self.seed, number, 0, row)) for row in range(first, windows, step))
        return stack_windows([self._window(length, random) for random in drawn])

    def _window(self, length: int, random: np.random.Generator) -> DrawnWindow:
        genome = int(random.choice(len(self._shares), p=self._shares))
        for _ in range(100):
            contig, start = self._place(genome, length, random)
            window = slice(start, start + length)
            codes = contig.codes[window]
            if (codes == N).mean() <= self.config.max_unknown:
                break
        else:
            raise BudwoodError(
                "100 windows in a row are mostly N",
                where="the genomes of the recipe",
                mend="leave that genome out",
            )
        anchor, direction = contig.loci.at(start + length // 2, self.config.flank)
        place = anchor if anchor == NO_ANCHOR else anchor - start
        drawn = DrawnWindow(
            codes,
            contig.repeat[window],
            contig.region[window],
            place,
            direction,
            genome,
            contig.tracks[window],
            self._smoothing[genome],
        )
        return drawn if random.random() < 0.5 else drawn.reverse_complement()

    def _place(self, genome: int, length: int, random: np.random.Generator) -> tuple[TrainingContig, int]:
        contigs, genes = self._contigs[genome], self._genes[genome]
        if genes is not None and random.random() < self.config.gene_share:
            contig = contigs[int(random.choice(len(contigs), p=genes))]
            gene = random.integers(len(contig.loci))
            first, last = contig.loci.start[gene], contig.loci.end[gene]
            start = int(random.integers(first - self.config.flank, last + self.config.flank)) - length // 2
            return contig, min(max(start, 0), len(contig.codes) - length)
        contig = contigs[int(random.choice(len(contigs), p=self._anywhere[genome]))]
        return contig, int(random.integers(len(contig.codes) - length + 1))


_COMPLEMENT = np.full(256, UNLABELLED, dtype=np.uint8)
_COMPLEMENT[: len(COMPLEMENT_REGION)] = COMPLEMENT_REGION


def _proportions(counts: Sequence[int]) -> NDArray[np.float64] | None:
    total = sum(counts)
    return np.array(counts) / total if total else None
