"""Cut contigs into windows: around genes and elsewhere, between gaps, up to the contig's ends."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.assembly_filter import known_stretches
from budwood.corpus.masking.repeat_mask import MaskPlan
from budwood.corpus.recipe.recipe import WindowConfig
from budwood.corpus.recipe.sources import open_contigs
from budwood.corpus.sampling.locus import Loci, loci_of_contig
from budwood.corpus.stages.kmer_excess import given_masks
from budwood.corpus.stages.stage import Inputs, Parameters, stage
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.sequence import N

#: One window: its place (``length`` bases from ``start``; the rest of its row is N), whether it overlaps a
#: gene or its surroundings, and the index of its species.
WINDOW_FIELDS: Final = np.dtype(
    [("contig", "<i4"), ("start", "<i8"), ("length", "<i4"), ("genic", "?"), ("species", "<i2")]
)

#: One gene of :class:`budwood.corpus.sampling.locus.Loci` with its contig.
LOCUS_FIELDS: Final = np.dtype(
    [("contig", "<i4"), ("start", "<i8"), ("end", "<i8"), ("anchor", "<i8"), ("direction", "i1")]
)

#: Bit that marks a repeat in a packed base.
REPEAT_BIT: Final = 0x80


def tile_contig(
    codes: NDArray[np.uint8], loci: Loci, config: WindowConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Cut a contig into consecutive windows.

    Each stretch between gaps is cut from its start into windows of full length. What is left at its end is a
    shorter window if it has enough bases.

    Parameters
    ----------
    codes
        (length,) bases of the contig.
    loci
        Its genes.
    config
        Settings of the windows.

    Returns
    -------
    tuple of ndarray
        (windows,) start, length, and whether the window overlaps a gene, its promoter or its flank.

    Examples
    --------
    >>> config = WindowConfig(length=4, promoter=0, flank=0, shortest=2)
    >>> gene = Loci(np.array([5]), np.array([6]), np.array([5]), np.array([1], dtype=np.int8))
    >>> tile_contig(np.zeros(10, dtype=np.uint8), gene, config)
    (array([0, 4, 8]), array([4, 4, 2]), array([False,  True, False]))
    """
    starts, lengths = [], []
    for first, last in known_stretches(codes):
        begin = np.arange(first, last, config.length)
        starts.append(begin)
        lengths.append(np.minimum(begin + config.length, last) - begin)
    start = np.concatenate([np.empty(0, np.int64), *starts])
    length = np.concatenate([np.empty(0, np.int64), *lengths])
    unknown = np.concatenate([[0], np.cumsum(codes >= N, dtype=np.int32)])
    known = unknown[start + length] - unknown[start] <= config.max_unknown * length
    kept = known & (length >= config.shortest)
    start, length = start[kept], length[kept]
    return start, length, _meets_gene(start, start + length, loci, config)


@stage(version=2)
def cut_group(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: cut a group of contigs into windows, with masks and base classes.

    Writes ``bases.npy`` (packed) and ``region.npy``, both (windows, length), ``windows.npy`` and
    ``loci.npy``.

    Parameters
    ----------
    inputs
        ``fasta``; ``annotation``, ``repeats`` and ``excess`` where there are any.
    parameters
        ``contigs``, a list of name, index of the contig and index of the species; ``collection``; ``given``,
        the kind of the given mask; ``mask``, the mask plan; ``windows``, the settings.
    folder
        Folder for the output files.
    """
    assembly = open_contigs(inputs["fasta"], collection=parameters["collection"])
    annotation = read_annotation(inputs["annotation"]) if "annotation" in inputs else None
    config = WindowConfig(**parameters["windows"])
    names = [name for name, _, _ in parameters["contigs"]]
    tables, bases, regions, genes = [], [], [], []
    masks = _masks(inputs, parameters, assembly, names)
    for (name, contig, species), mask in zip(parameters["contigs"], masks, strict=True):
        codes = assembly.sequence(Interval(name, 0, assembly.contigs[name]))
        loci = loci_of_contig(annotation, name)
        start, length, genic = tile_contig(codes, loci, config)
        region = np.full(len(codes), UNLABELLED, dtype=np.uint8)
        if annotation is not None:
            region = base_class_track(annotation, name, len(codes))
        table = np.empty(len(start), dtype=WINDOW_FIELDS)
        table["contig"], table["species"], table["genic"] = contig, species, genic
        table["start"], table["length"] = start, length
        tables.append(table)
        bases.append(_rows(codes | (mask * np.uint8(REPEAT_BIT)), start, length, config.length, N))
        regions.append(_rows(region, start, length, config.length, UNLABELLED))
        genes.append(_locus_table(loci, contig))
    np.save(folder / "windows.npy", np.concatenate(tables))
    np.save(folder / "bases.npy", np.concatenate(bases))
    np.save(folder / "region.npy", np.concatenate(regions))
    np.save(folder / "loci.npy", np.concatenate(genes))


def _masks(
    inputs: Inputs, parameters: Parameters, assembly: Assembly, names: list[str]
) -> list[NDArray[np.bool_]]:
    given = list(given_masks(inputs, parameters["given"], assembly, names))
    plan = MaskPlan.of_table(parameters["mask"])
    if "excess" not in inputs:
        zeros = (np.zeros(len(mask), dtype=np.uint8) for mask in given)
        return [plan.apply(mask, zero) for mask, zero in zip(given, zeros, strict=True)]
    track = np.load(inputs["excess"] / "excess.npy", mmap_mode="r")
    ends = np.cumsum([len(mask) for mask in given])
    return [plan.apply(mask, track[end - len(mask) : end]) for mask, end in zip(given, ends, strict=True)]


def _meets_gene(
    start: NDArray[np.int64], end: NDArray[np.int64], loci: Loci, config: WindowConfig
) -> NDArray[np.bool_]:
    if len(loci) == 0:
        return np.zeros(len(start), dtype=np.bool_)
    # A gene of unknown strand may have its promoter on either side.
    left = np.where(loci.direction >= 0, max(config.promoter, config.flank), config.flank)
    right = np.where(loci.direction <= 0, max(config.promoter, config.flank), config.flank)
    order = np.argsort(loci.start - left, kind="stable")
    begins = (loci.start - left)[order]
    reach = np.maximum.accumulate((loci.end + right)[order])
    before = np.searchsorted(begins, end, side="left") - 1
    return (before >= 0) & (reach[np.maximum(before, 0)] > start)


def _rows(
    track: NDArray[np.uint8],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    width: int,
    filler: int,
) -> NDArray[np.uint8]:
    """Stretches of a track as rows of one width, padded on the right."""
    rows = np.full((len(start), width), filler, dtype=np.uint8)
    for row, (first, count) in enumerate(zip(start, length, strict=True)):
        rows[row, :count] = track[first : first + count]
    return rows


def _locus_table(loci: Loci, contig: int) -> NDArray[np.void]:
    table = np.empty(len(loci), dtype=LOCUS_FIELDS)
    table["contig"] = contig
    for name in ("start", "end", "anchor", "direction"):
        table[name] = getattr(loci, name)
    return table
