"""Stages that compute the k-mer excess of every base of a genome, and read the mask from its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.kmer_spectrum import KmerSpectrum, both_strands, count_kmers, excess
from budwood.corpus.recipe.sources import open_contigs
from budwood.corpus.stages.stage import Inputs, Parameters, stage
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.open_annotation import read_annotation


@stage(version=1)
def count_group(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: count the k-mers of a group of contigs.

    Writes ``counts.npy``.

    Parameters
    ----------
    inputs
        ``fasta``.
    parameters
        ``contigs``, the names; ``collection``; ``k``, the length of the k-mers.
    folder
        Folder for the output files.
    """
    assembly = open_contigs(inputs["fasta"], collection=parameters["collection"])
    sequences = (assembly.sequence(Interval(n, 0, assembly.contigs[n])) for n in parameters["contigs"])
    np.save(folder / "counts.npy", count_kmers(sequences, parameters["k"]).counts)


@stage(version=1)
def add_counts(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: add the counts of all groups of a genome, on both strands.

    Writes ``counts.npy``.

    Parameters
    ----------
    inputs
        Output folders of :func:`count_group`.
    parameters
        ``k``, the length of the k-mers.
    folder
        Folder for the output files.
    """
    counts = np.zeros(4 ** parameters["k"], dtype=np.uint32)
    for name in sorted(inputs):
        counts += np.load(inputs[name] / "counts.npy", mmap_mode="r")
    np.save(folder / "counts.npy", both_strands(KmerSpectrum(parameters["k"], counts)).counts)


@stage(version=2)
def excess_group(inputs: Inputs, parameters: Parameters, folder: Path) -> None:
    """Stage: compute the excess of every base of a group of contigs, and compare it with the given mask.

    Writes ``excess.npy``, the contigs one after another, and ``histogram.npy`` for
    :class:`budwood.corpus.masking.repeat_mask.MaskFacts`.

    Parameters
    ----------
    inputs
        ``fasta``; ``spectrum``, the output folder of :func:`add_counts`; ``repeats`` for a track.
    parameters
        ``contigs``; ``collection``; ``k``; ``gc_share``; ``given``, the kind of the given mask.
    folder
        Folder for the output files.
    """
    assembly = open_contigs(inputs["fasta"], collection=parameters["collection"])
    spectrum = KmerSpectrum(parameters["k"], np.load(inputs["spectrum"] / "counts.npy", mmap_mode="r"))
    tracks = []
    histogram = np.zeros((2, 256), dtype=np.int64)
    masks = given_masks(inputs, parameters["given"], assembly, parameters["contigs"])
    for name, mask in zip(parameters["contigs"], masks, strict=True):
        codes = assembly.sequence(Interval(name, 0, assembly.contigs[name]))
        track = excess(codes, spectrum, parameters["gc_share"])
        for held in (0, 1):
            histogram[held] += np.bincount(track[mask == held], minlength=256)
        tracks.append(track)
    histogram[:, 0] = 0  # N
    np.save(folder / "excess.npy", np.concatenate(tracks))
    np.save(folder / "histogram.npy", histogram)
    (folder / "contigs.json").write_text(json.dumps(parameters["contigs"]), encoding="utf-8")


def given_masks(
    inputs: Inputs, given: str, assembly: Assembly, contigs: list[str]
) -> Iterator[NDArray[np.bool_]]:
    """Read the mask that the files give for each contig.

    Parameters
    ----------
    inputs
        ``repeats`` for a track.
    given
        ``"track"`` (``inputs["repeats"]``), ``"soft"`` or ``"none"``.
    assembly
        The genome.
    contigs
        Names of contigs.

    Yields
    ------
    numpy.ndarray
        (length,) ``bool`` mask of each contig.
    """
    repeats: dict[str, list[tuple[int, int]]] = {}
    if given == "track":
        for repeat in read_annotation(inputs["repeats"]).repeats:
            repeats.setdefault(repeat.contig, []).append((repeat.start, repeat.end))
    for name in contigs:
        length = assembly.contigs[name]
        if given == "soft":
            yield assembly.soft_mask(Interval(name, 0, length))
            continue
        mask = np.zeros(length, dtype=np.bool_)
        for start, end in repeats.get(name, ()):
            mask[start:end] = True
        yield mask
