"""Stretches of a genome whose bases are labelled as coding, intron or intergenic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import CODING, BaseClass
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N

#: Number of scored bases of a stretch, and of bases on either side that are read but not scored.
STRETCH: Final = 4096
MARGIN: Final = 512

#: Names of the classes by number; a base in none of them is UNSCORED.
BASE_CLASSES: Final = ("coding", "intron", "intergenic")
UNSCORED: Final = -1

#: Encoder classes of each class: start and stop codons are coding, splice marks are intron, UTR is left out.
REGIONS_OF_CLASS: Final = (
    CODING,
    tuple(int(r) for r in BaseClass if r.name.split("_")[0] in {"INTRON", "DONOR", "ACCEPTOR"}),
    (int(BaseClass.INTERGENIC),),
)


@dataclass(frozen=True)
class Stretches:
    """Stretches of one genome.

    Attributes
    ----------
    codes
        (s, MARGIN + STRETCH + MARGIN) bases, forward strand.
    region
        (s, STRETCH) :class:`~budwood.genomics.annotation.base_class.BaseClass` of the scored bases.
    labels
        (s, STRETCH) number in :data:`BASE_CLASSES`; UNSCORED for UTR and N.
    """

    codes: NDArray[np.uint8]
    region: NDArray[np.uint8]
    labels: NDArray[np.int8]


def cut_stretches(
    assembly: Assembly, annotation: Annotation, count: int, *, max_n: float = 0.1, seed: int = 0
) -> Stretches:
    """Draw stretches without overlap at random from consecutive stretches of the contigs.

    Parameters
    ----------
    assembly
        The genome.
    annotation
        Its genes.
    count
        Largest number of stretches.
    max_n
        Largest share of N in a stretch.
    seed
        Seed of the choice.

    Returns
    -------
    Stretches
        The stretches with their labels.

    Raises
    ------
    BudwoodError
        If no contig is long enough.
    """
    places = [
        (contig, start)
        for contig, length in assembly.contigs.items()
        for start in range(MARGIN, length - STRETCH - MARGIN + 1, STRETCH)
    ]
    codes, region = [], []
    tracks: dict[str, NDArray[np.uint8]] = {}
    for index in np.random.default_rng(seed).permutation(len(places)):
        contig, start = places[index]
        letters = assembly.sequence(Interval(contig, start - MARGIN, start + STRETCH + MARGIN))
        if (letters >= N).mean() > max_n:
            continue
        if contig not in tracks:
            tracks[contig] = base_class_track(annotation, contig, assembly.contigs[contig])
        codes.append(letters)
        region.append(tracks[contig][start : start + STRETCH])
        if len(codes) == count:
            break
    if not codes:
        raise BudwoodError(
            "no contig is long enough for a stretch",
            mend=f"give contigs of at least {STRETCH + 2 * MARGIN} bases",
        )
    return _labelled(np.stack(codes), np.stack(region))


def _labelled(codes: NDArray[np.uint8], region: NDArray[np.uint8]) -> Stretches:
    labels = np.full(region.shape, UNSCORED, dtype=np.int8)
    for number, classes in enumerate(REGIONS_OF_CLASS):
        labels[np.isin(region, classes)] = number
    labels[codes[:, MARGIN : MARGIN + STRETCH] >= N] = UNSCORED
    return Stretches(codes, region, labels)
