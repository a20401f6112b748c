"""What a build will cost, told before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from budwood.corpus.masking.kmer_spectrum import kmer_length
from budwood.corpus.recipe.recipe import CorpusRecipe
from budwood.corpus.recipe.sources import OpenSource
from budwood.corpus.stages.pairwise_tasks import PART

#: Seconds of one core per megabase: reading and cutting, k-mer excess, and comparing windows with one
#: another (docs/scale.md has the measurement).
_READ: Final = 0.1
_EXCESS: Final = 0.15
_RELATE: Final = 3.0

#: The same per megabase of a part that is held against another part.
_AGAINST: Final = 1.5

_BASE_MEMORY: Final = 250_000_000


@dataclass(frozen=True)
class CorpusCost:
    """Upper estimates for a corpus: bases read, seconds of one core, and bytes of memory and disk.

    ``work`` is the disk that the finished stages take until the end, ``disk`` what the corpus takes.
    """

    bases: int
    seconds: float
    memory: int
    work: int
    disk: int

    def sentence(self) -> str:
        """The cost in words."""
        return (
            f"{self.bases / 1e6:.0f} Mb to read; about {self.seconds / 60:.0f} min on one core, "
            f"{self.memory / 1e9:.1f} GB of memory, {self.work / 1e9:.1f} GB of disk while it runs and "
            f"{self.disk / 1e9:.1f} GB for the corpus"
        )


def estimate_corpus_cost(recipe: CorpusRecipe, sources: Sequence[OpenSource]) -> CorpusCost:
    """Cost of a build, from the lengths of the contigs alone.

    Every base is taken to be known, selected and no near-duplicate, so the truth is less.
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
    # Reading a group holds bases, masks, regions and rows; comparing holds two parts twice and their seeds.
    compared = 8 * min(windows, 2 * part)
    memory = _BASE_MEMORY + max(10 * group, 3 * max(counts, default=0), compared)
    groups = sum(count * (len(o.groups) + 1) for count, o in zip(counts, scored, strict=True))
    work = 2 * bases + sum(o.bases for o in scored) + groups + 3 * windows
    return CorpusCost(bases, seconds, memory, work, 2 * windows)
