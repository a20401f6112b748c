"""A genome in memory for sampling: bases, repeat mask, base classes and interval tracks of every contig."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.sampling.locus import Loci, loci_of_contig
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval, by_contig

#: Most tracks: the lower bits of :attr:`TrainingContig.tracks`; as many above them say which are known.
TRACKED: Final = 15


@dataclass(frozen=True)
class TrainingContig:
    """One contig with its tracks.

    Attributes
    ----------
    name
        Name in the assembly.
    codes
        (length,) ``uint8`` bases.
    repeat
        (length,) whether a base is soft-masked.
    region
        (length,) :class:`budwood.genomics.annotation.base_class.BaseClass`, UNLABELLED without an annotation.
    loci
        The annotated genes.
    tracks
        (length,) ``uint32``: bit k is set where the base lies in an interval of track k, bit ``TRACKED + k``
        where that track is known. All 0 without tracks.
    """

    name: str
    codes: NDArray[np.uint8]
    repeat: NDArray[np.bool_]
    region: NDArray[np.uint8]
    loci: Loci
    tracks: NDArray[np.uint32]


@dataclass(frozen=True)
class TrainingGenome:
    """Contigs of a species, split into training and validation.

    Attributes
    ----------
    species
        Name of the species.
    training, validation
        Contigs of either part.
    smoothing
        Probability that is spread over all base classes instead of the annotated one, for annotations with
        wrong labels.
    """

    species: str
    training: tuple[TrainingContig, ...]
    validation: tuple[TrainingContig, ...]
    smoothing: float = 0.0

    @property
    def bases(self) -> int:
        """Number of bases for training."""
        return sum(len(contig.codes) for contig in self.training)


def load_training_genome(
    species: str,
    assembly: Assembly,
    annotation: Annotation | None = None,
    *,
    labelled: Sequence[Interval] | None = None,
    tracks: Mapping[int, Sequence[Interval]] | None = None,
    validation_contigs: Collection[str] = (),
    smoothing: float = 0.0,
) -> TrainingGenome:
    """Read a genome into memory (3 bytes for each base, 5 with tracks).

    Parameters
    ----------
    species
        Name of the species.
    assembly
        Its sequences.
    annotation
        Its genes; without it every base is UNLABELLED.
    labelled
        Stretches where the annotation is complete; bases outside are UNLABELLED. None stands for all bases.
    tracks
        Intervals by the number of their track, 0 to 14. Contigs without an interval of any track are unknown.
    validation_contigs
        Names of the contigs for validation.
    smoothing
        As :attr:`TrainingGenome.smoothing`.

    Returns
    -------
    TrainingGenome
        The contigs with their tracks.

    Raises
    ------
    BudwoodError
        If a validation contig is not in the assembly or no contig is left for training.
    """
    unknown = sorted(set(validation_contigs) - set(assembly.contigs))
    if unknown:
        raise BudwoodError(
            f"validation contig {unknown[0]!r} is not in the assembly",
            where=species,
            mend="name a contig of the assembly",
        )
    stretches = None if labelled is None else by_contig(labelled)
    placed = {number: by_contig(found) for number, found in (tracks or {}).items()}
    contigs = [_load_contig(name, assembly, annotation, stretches, placed) for name in assembly.contigs]
    training = tuple(c for c in contigs if c.name not in validation_contigs)
    if not training:
        raise BudwoodError(
            "every contig is kept for validation", where=species, mend="leave some for training"
        )
    validation = tuple(c for c in contigs if c.name in validation_contigs)
    return TrainingGenome(species, training, validation, smoothing)


def no_tracks(length: int) -> NDArray[np.uint32]:
    """Tracks of bases for which none are known.

    Parameters
    ----------
    length
        Number of bases.

    Returns
    -------
    ndarray
        (length,) zeros that take no memory and cannot be written to.

    Examples
    --------
    >>> no_tracks(3)
    array([0, 0, 0], dtype=uint32)
    """
    return np.broadcast_to(np.uint32(0), length)


def _load_contig(
    name: str,
    assembly: Assembly,
    annotation: Annotation | None,
    labelled: Mapping[str, Sequence[Interval]] | None,
    tracks: Mapping[int, Mapping[str, Sequence[Interval]]],
) -> TrainingContig:
    length = assembly.contigs[name]
    whole = Interval(name, 0, length)
    region = np.full(length, UNLABELLED, dtype=np.uint8)
    if annotation is not None:
        known = base_class_track(annotation, name, length)
        if labelled is None:
            region = known
        else:
            for stretch in labelled.get(name, ()):
                region[stretch.start : stretch.end] = known[stretch.start : stretch.end]
    codes, repeat = assembly.sequence(whole), assembly.soft_mask(whole)
    bits = _track_bits(name, length, tracks)
    return TrainingContig(name, codes, repeat, region, loci_of_contig(annotation, name), bits)


def _track_bits(
    name: str, length: int, tracks: Mapping[int, Mapping[str, Sequence[Interval]]]
) -> NDArray[np.uint32]:
    own = {number: found.get(name, ()) for number, found in tracks.items()}
    if not any(own.values()):
        return no_tracks(length)
    known = sum(1 << (TRACKED + number) for number in own)
    bits = np.full(length, known, dtype=np.uint32)
    for number, intervals in own.items():
        for each in intervals:
            bits[max(each.start, 0) : each.end] |= np.uint32(1 << number)
    return bits
