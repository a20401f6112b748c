"""Estimate the cost of a build before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from budwood.corpus.masking.kmer_spectrum import kmer_length
from budwood.corpus.recipe.recipe import CorpusRecipe
from budwood.corpus.recipe.sources import OpenSource
from budwood.corpus.stages.pairwise_tasks import PART

#: Seconds of one core per megabase: reading and cutting, k-mer excess, and comparing windows with one
#: another (measured in docs/scale.md).
_READ: Final = 0.1
_EXCESS: Final = 0.15
_RELATE: Final = 3.0

#: Seconds of one core per megabase of a part that is compared with another part.
_AGAINST: Final = 1.5

_BASE_MEMORY: Final = 250_000_000


@dataclass(frozen=True)
class CorpusCost:
    """Upper estimates of the cost of a corpus.

    Attributes
    ----------
    bases
        Bases to read.
    seconds
        Seconds of one core.
    memory
        Bytes of memory.
    work
        Bytes of disk for the finished stages, until the end of the build.
    disk
        Bytes of disk for the corpus.
    """

    bases: int
    seconds: float
    memory: int
    work: int
    disk: int

    def sentence(self) -> str:
        """Describe the cost in one sentence.

        Returns
        -------
        str
            The sentence without a full stop.
        """
        return (
            f"{self.bases / 1e6:.0f} Mb to read; about {self.seconds / 60:.0f} min on one core, "
            f"{self.memory / 1e9:.1f} GB of memory, {self.work / 1e9:.1f} GB of disk while it runs and "
            f"{self.disk / 1e9:.1f} GB for the corpus"
        )


def estimate_corpus_cost(recipe: CorpusRecipe, sources: Sequence[OpenSource]) -> CorpusCost:
    """Estimate the cost of a build from the lengths of the contigs.

    The estimate assumes that every base is known and selected and that there are no near-duplicates, so the
    true cost is lower.

    Parameters
    ----------
    recipe
        The recipe.
    sources
        Its opened sources.

    Returns
    -------
    CorpusCost
        Upper estimates.
    """
    bases = sum(opened.bases for opened in sources)
    scored = [opened for opened in sources if opened.source.mask != "none" and not opened.source.collection]
    length = recipe.windows.length
    windows = sum(min(opened.bases, opened.source.limit * length or opened.bases) for opened in sources)
    part = min(windows, PART * length)
    count = -(-windows // max(1, part))
    against = _AGAINST * part * count * (count - 1) / 2
    seconds = (_READ * bases + _EXCESS * sum(o.bases for o in scored) + _RELATE * windows + against) / 1e6
    counts = [4 * 4 ** kmer_length(opened.bases) for opened in scored]
    group = max((sum(c.length for c in g) for o in sources for g in o.groups), default=0)
    # Reading a group keeps bases, masks, base classes and rows in memory; comparing keeps two parts twice and
    # their seeds.
    compared = 8 * min(windows, 2 * part)
    memory = _BASE_MEMORY + max(10 * group, 3 * max(counts, default=0), compared)
    groups = sum(count * (len(o.groups) + 1) for count, o in zip(counts, scored, strict=True))
    work = 2 * bases + sum(o.bases for o in scored) + groups + 3 * windows
    return CorpusCost(bases, seconds, memory, work, 2 * windows)
