"""A genome in memory for sampling: bases, repeat mask and base classes of every contig."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.sampling.locus import Loci, loci_of_contig
from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval


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
    """

    name: str
    codes: NDArray[np.uint8]
    repeat: NDArray[np.bool_]
    region: NDArray[np.uint8]
    loci: Loci


@dataclass(frozen=True)
class TrainingGenome:
    """Contigs of a species, split into training and validation.

    Attributes
    ----------
    species
        Name of the species.
    training, validation
        Contigs of either part.
    """

    species: str
    training: tuple[TrainingContig, ...]
    validation: tuple[TrainingContig, ...]

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
    validation_contigs: Collection[str] = (),
) -> TrainingGenome:
    """Read a genome into memory (3 bytes for each base).

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
    validation_contigs
        Names of the contigs for validation.

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
    contigs = [_load_contig(name, assembly, annotation, labelled) for name in assembly.contigs]
    training = tuple(c for c in contigs if c.name not in validation_contigs)
    if not training:
        raise BudwoodError(
            "every contig is kept for validation", where=species, mend="leave some for training"
        )
    return TrainingGenome(species, training, tuple(c for c in contigs if c.name in validation_contigs))


def _load_contig(
    name: str, assembly: Assembly, annotation: Annotation | None, labelled: Sequence[Interval] | None
) -> TrainingContig:
    length = assembly.contigs[name]
    whole = Interval(name, 0, length)
    region = np.full(length, UNLABELLED, dtype=np.uint8)
    if annotation is not None:
        known = base_class_track(annotation, name, length)
        if labelled is None:
            region = known
        else:
            for stretch in (each for each in labelled if each.contig == name):
                region[stretch.start : stretch.end] = known[stretch.start : stretch.end]
    codes, repeat = assembly.sequence(whole), assembly.soft_mask(whole)
    return TrainingContig(name, codes, repeat, region, loci_of_contig(annotation, name))
