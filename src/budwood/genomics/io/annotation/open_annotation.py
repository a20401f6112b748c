"""An annotation file of any format Budwood reads."""

from __future__ import annotations

from pathlib import Path

from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.io.annotation.bed import annotation_of_bed
from budwood.genomics.io.annotation.gff import read_gff


def read_annotation(path: Path) -> Annotation:
    """Read GFF3, GTF or BED; BED by its name (``.bed``, ``.bed.gz``, ...), the others by their content.

    Parameters
    ----------
    path
        The file, plain or packed.

    Returns
    -------
    Annotation
        Genes and repeats.

    Raises
    ------
    BudwoodError
        As :func:`budwood.genomics.io.annotation.gff.read_gff` and
        :func:`budwood.genomics.io.annotation.bed.read_bed`.
    """
    path = Path(path)
    is_bed = any(suffix.lower().startswith(".bed") for suffix in path.suffixes[-2:])
    return annotation_of_bed(path) if is_bed else read_gff(path)
