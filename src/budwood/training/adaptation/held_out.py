"""Part of a genome is kept out of an adaptation, to see what it does to sequence it has not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from budwood.config import WINDOW
from budwood.corpus.sampling.genome import TrainingContig, TrainingGenome
from budwood.corpus.sampling.locus import NO_ANCHOR, Loci
from budwood.errors import BudwoodError

#: Shorter contigs are kept whole for training.
_SHORTEST: Final = 20 * WINDOW


def hold_out(genome: TrainingGenome, share: float) -> TrainingGenome:
    """Keep the last part of every long contig for validation.

    Parameters
    ----------
    genome
        Contigs, all for training.
    share
        Share of each contig of 20 windows or more that is kept, whole windows.

    Returns
    -------
    TrainingGenome
        The same bases in two parts; a gene that crosses the border is in neither, a base class track is cut.

    Raises
    ------
    BudwoodError
        If the share is not between 0 and a half, or no contig is long enough.

    Examples
    --------
    >>> from budwood.corpus.sampling.genome import no_tracks
    >>> none = Loci(*(np.array([], dtype=np.int64) for _ in range(3)), np.array([], dtype=np.int8))
    >>> tracks = (np.zeros(40_000, dtype=np.uint8), np.zeros(40_000, bool), np.zeros(40_000, dtype=np.uint8))
    >>> contig = TrainingContig("c", *tracks, none, no_tracks(40_000))
    >>> parts = hold_out(TrainingGenome("x", (contig,), ()), 0.1)
    >>> len(parts.training[0].codes), len(parts.validation[0].codes)
    (36416, 3584)
    """
    if not 0 < share <= 0.5:
        raise BudwoodError(
            f"the share {share:g} to hold out is not possible", mend="give one above 0 and up to 0.5"
        )
    training, validation = [], []
    for contig in genome.training:
        kept = max(1, int(share * len(contig.codes)) // WINDOW) * WINDOW
        if len(contig.codes) < _SHORTEST:
            training.append(contig)
            continue
        cut = len(contig.codes) - kept
        training.append(_part(contig, 0, cut))
        validation.append(replace(_part(contig, cut, len(contig.codes)), name=f"{contig.name}:{cut}"))
    if not validation:
        raise BudwoodError(
            f"no contig has {_SHORTEST:,} bases, so no sequence can be kept out of the adaptation",
            where=genome.species,
            mend="give a genome with longer contigs",
        )
    return TrainingGenome(genome.species, tuple(training), tuple(validation))


def _part(contig: TrainingContig, start: int, end: int) -> TrainingContig:
    loci = contig.loci
    inside = (loci.start >= start) & (loci.end <= end)
    anchor = loci.anchor[inside]
    return TrainingContig(
        contig.name,
        contig.codes[start:end],
        contig.repeat[start:end],
        contig.region[start:end],
        Loci(
            loci.start[inside] - start,
            loci.end[inside] - start,
            np.where(anchor == NO_ANCHOR, NO_ANCHOR, anchor - start),
            loci.direction[inside],
        ),
        contig.tracks[start:end],
    )
