"""Windows drawn from genomes: which batch a training step sees depends on the seed and the step alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.config import WINDOW
from meristem.corpus.genome import TrainingContig, TrainingGenome
from meristem.errors import MeristemError
from meristem.genomics.region import COMPLEMENT_REGION, UNLABELLED
from meristem.genomics.sequence import N, reverse_complement


@dataclass(frozen=True)
class SamplerConfig:
    """How windows are drawn.

    Attributes
    ----------
    window
        Bases per window.
    gene_share
        Share of an annotated genome's windows that are drawn around genes rather than anywhere.
    flank
        Bases before and after a gene that count as its surroundings.
    max_unknown
        Windows with a larger share of N are drawn again.
    """

    window: int = WINDOW
    gene_share: float = 0.5
    flank: int = 512
    max_unknown: float = 0.2


@dataclass(frozen=True)
class WindowBatch:
    """Windows with their tracks, each (batch, window)."""

    codes: NDArray[np.uint8]
    repeat: NDArray[np.bool_]
    region: NDArray[np.uint8]


class WindowSampler:
    """Draws batches of windows from weighted genomes.

    A batch is a pure function of the seed and its number, so that a resumed training sees exactly the
    windows an uninterrupted one would.

    Parameters
    ----------
    genomes, weights
        Genomes and the share of windows each supplies (any positive numbers).
    validation
        Draw from the contigs kept for validation.
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
        self._contigs = [[c for c in pool if len(c.codes) >= config.window] for pool in pools]
        shares = np.array([w if contigs else 0.0 for w, contigs in zip(weights, self._contigs, strict=True)])
        if shares.sum() <= 0:
            raise MeristemError(
                f"no contig has {config.window} bases",
                where="the genomes of the recipe",
                mend="add longer ones",
            )
        self._shares = shares / shares.sum()
        self._anywhere = [_proportions([len(c.codes) for c in pool]) for pool in self._contigs]
        self._genes = [_proportions([len(c.genes) for c in pool]) for pool in self._contigs]

    def batch(self, number: int, size: int) -> WindowBatch:
        """Batch ``number`` of ``size`` windows, each on a random strand."""
        random = np.random.default_rng((self.seed, number))
        drawn = [self._window(random) for _ in range(size)]
        codes, repeat, region = (np.stack(track) for track in zip(*drawn, strict=True))
        return WindowBatch(codes, repeat, region)

    def _window(
        self, random: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.uint8]]:
        genome = int(random.choice(len(self._shares), p=self._shares))
        for _ in range(100):
            contig, start = self._place(genome, random)
            window = slice(start, start + self.config.window)
            codes = contig.codes[window]
            if (codes == N).mean() <= self.config.max_unknown:
                break
        else:
            raise MeristemError(
                "100 windows in a row are mostly N",
                where="the genomes of the recipe",
                mend="leave that genome out",
            )
        if random.random() < 0.5:
            return codes, contig.repeat[window], contig.region[window]
        turned = _COMPLEMENT[contig.region[window][::-1]]
        return reverse_complement(codes), contig.repeat[window][::-1], turned

    def _place(self, genome: int, random: np.random.Generator) -> tuple[TrainingContig, int]:
        contigs, genes = self._contigs[genome], self._genes[genome]
        if genes is not None and random.random() < self.config.gene_share:
            contig = contigs[int(random.choice(len(contigs), p=genes))]
            first, last = contig.genes[random.integers(len(contig.genes))]
            start = (
                int(random.integers(first - self.config.flank, last + self.config.flank))
                - self.config.window // 2
            )
            return contig, min(max(start, 0), len(contig.codes) - self.config.window)
        contig = contigs[int(random.choice(len(contigs), p=self._anywhere[genome]))]
        return contig, int(random.integers(len(contig.codes) - self.config.window + 1))


_COMPLEMENT = np.full(256, UNLABELLED, dtype=np.uint8)
_COMPLEMENT[: len(COMPLEMENT_REGION)] = COMPLEMENT_REGION


def _proportions(counts: Sequence[int]) -> NDArray[np.float64] | None:
    total = sum(counts)
    return np.array(counts) / total if total else None
