"""What several variants on one copy of a gene do together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.coding_change import CodingEdit, coding_change
from budwood.genomics.consequences.consequence import AnnotationReason
from budwood.genomics.consequences.location import locate
from budwood.genomics.consequences.notation import protein_notation, transcript_notation
from budwood.genomics.consequences.term import Term
from budwood.genomics.consequences.transcript_model import TranscriptModel
from budwood.genomics.haplotypes.calls import CallBlock, Site

#: Line of a VCF header that declares the field of :func:`bcsq_value`.
BCSQ_HEADER: Final = (
    '##INFO=<ID=BCSQ,Number=.,Type=String,Description="Consequences of several variants on one phased copy, '
    "@POS where the record at POS holds the entry. "
    'Format: Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change|copies">'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HaplotypeConsequence:
    """What alleles of several records do to a transcript when one copy carries them all.

    Attributes
    ----------
    sites, alleles
        The records, in order, and the number of the ALT that the copy has at each.
    terms
        Most severe first.
    gene, transcript, biotype, strand
        Names in the annotation, and the gene's strand.
    hgvs_c, hgvs_p
        The changes of the transcript (``c.[76A>T;78G>C]``) and what they do to the protein together.
    copies
        Number of copies, over all accessions, whose phase is known and that carry these alleles.
    """

    sites: tuple[Site, ...]
    alleles: tuple[int, ...]
    terms: tuple[Term, ...]
    gene: str
    transcript: str
    biotype: str
    strand: str
    hgvs_c: str
    hgvs_p: str
    copies: int


class _Placed(NamedTuple):
    """A coding change of one allele of one record."""

    row: int
    allele: int
    edit: CodingEdit
    terms: frozenset[Term]
    notation: str


def haplotype_consequences(
    caller: ConsequenceCaller, blocks: Iterable[CallBlock]
) -> Iterator[tuple[Site, tuple[HaplotypeConsequence, ...]]]:
    """Joint consequences of phased calls, for variants that share a codon or a shifted frame.

    Variants are joined while the frame is shifted or the next one changes a codon that the one before it
    changes, as ``bcftools csq`` does; so a frame that a second indel restores is seen. Copies with an
    unphased heterozygous call among the records of a gene are left out, and so are copies whose changes
    overlap. Records of one contig must be in order; records are kept while a gene of theirs goes on.

    Parameters
    ----------
    caller
        Annotation and assembly.
    blocks
        Calls in file order.

    Yields
    ------
    Site
        Every record, in order.
    tuple of HaplotypeConsequence
        Those that the record takes part in, of at least two records each.
    """
    waiting: list[tuple[Site, NDArray[np.int8], NDArray[np.bool_]]] = []
    reach = -1
    for block in blocks:
        for site, alleles, phased in zip(block.sites, block.alleles, block.phased, strict=True):
            if waiting and (site.contig != waiting[-1][0].contig or site.start >= reach):
                yield from _of_records(caller, waiting)
                waiting, reach = [], -1
            waiting.append((site, alleles, phased))
            end = site.start + len(site.alleles[0])
            spans = [model.span for _, model in caller.models(site.contig, site.start, end)]
            reach = max([reach, end, *(stop for start, stop in spans if start < end and stop > site.start)])
    yield from _of_records(caller, waiting)


def bcsq_value(site: Site, found: Sequence[HaplotypeConsequence]) -> str:
    """The value of ``BCSQ`` of a record, in the form of ``bcftools csq`` with the number of copies behind it.

    Parameters
    ----------
    site
        The record.
    found
        What it takes part in.

    Returns
    -------
    str
        An entry where the record is the first of a group, ``@POS`` of the first elsewhere; ``""`` for none.
    """
    entries = []
    for one in found:
        if one.sites[0] is not site:
            entries.append(f"@{one.sites[0].start + 1}")
            continue
        terms = "&".join(term.removesuffix("_variant") for term in one.terms)
        names = (terms, one.gene, one.transcript, one.biotype, one.strand)
        entries.append("|".join((*names, one.hgvs_p, one.hgvs_c.replace(";", "+"), str(one.copies))))
    return ",".join(dict.fromkeys(entries))


def _of_records(
    caller: ConsequenceCaller, records: list[tuple[Site, NDArray[np.int8], NDArray[np.bool_]]]
) -> Iterator[tuple[Site, tuple[HaplotypeConsequence, ...]]]:
    found: list[list[HaplotypeConsequence]] = [[] for _ in records]
    if len(records) > 1:
        for model, placed in _by_transcript(caller, [site for site, _, _ in records]):
            for rows, one in _of_transcript(model, placed, records):
                for row in rows:
                    found[row].append(one)
    for (site, _, _), here in zip(records, found, strict=True):
        yield site, tuple(here)


def _by_transcript(
    caller: ConsequenceCaller, sites: list[Site]
) -> Iterator[tuple[TranscriptModel, list[_Placed]]]:
    """Transcripts in which at least two records change coding bases."""
    models: dict[int, TranscriptModel] = {}
    placed: dict[int, list[_Placed]] = {}
    for row, site in enumerate(sites):
        for allele in range(1, len(site.alleles)):
            edit = caller.edit(site, allele)
            if isinstance(edit, AnnotationReason):
                continue
            for order, model in caller.models(site.contig, edit.start, edit.end):
                own = edit if model.forward else edit.mirrored()
                if model.coding is None or own.end <= model.start or own.start >= model.end:
                    continue
                location = locate(model, own)
                if location.coding and location.within is not None and model.contiguous:
                    change = CodingEdit(*location.within, own.inserted)
                    terms = frozenset(location.terms)
                    notation = transcript_notation(model, own).removeprefix("c.")
                    models[order] = model
                    placed.setdefault(order, []).append(_Placed(row, allele, change, terms, notation))
    for order, changes in placed.items():
        if len({change.row for change in changes}) > 1:
            yield models[order], changes


def _of_transcript(
    model: TranscriptModel,
    placed: list[_Placed],
    records: list[tuple[Site, NDArray[np.int8], NDArray[np.bool_]]],
) -> Iterator[tuple[list[int], HaplotypeConsequence]]:
    rows = sorted({change.row for change in placed})
    of_allele = {(change.row, change.allele): change for change in placed}
    copies: dict[tuple[tuple[int, int], ...], int] = {}
    for haplotype, count in _haplotypes([records[row] for row in rows]):
        carried = [
            of_allele[row, allele]
            for row, allele in zip(rows, haplotype, strict=True)
            if (row, allele) in of_allele
        ]
        carried.sort(key=lambda change: (change.edit.start, change.edit.end))
        if any(before.edit.end > after.edit.start for before, after in pairwise(carried)):
            continue
        for group in _groups(model, carried):
            key = tuple((change.row, change.allele) for change in group)
            copies[key] = copies.get(key, 0) + count
    for key, count in copies.items():
        group = [of_allele[change] for change in key]
        change = coding_change(model, [member.edit for member in group])
        terms = change.terms.union(*(member.terms for member in group))
        members = sorted(key)
        yield (
            [row for row, _ in members],
            HaplotypeConsequence(
                sites=tuple(records[row][0] for row, _ in members),
                alleles=tuple(allele for _, allele in members),
                terms=tuple(sorted(terms, key=lambda term: term.severity)),
                gene=model.gene.name,
                transcript=model.name,
                biotype=model.biotype,
                strand=model.gene.strand,
                hgvs_c=f"c.[{';'.join(member.notation for member in group)}]",
                hgvs_p=protein_notation(model, change),
                copies=count,
            ),
        )


def _haplotypes(
    records: list[tuple[Site, NDArray[np.int8], NDArray[np.bool_]]],
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Distinct rows of allele numbers along copies whose phase is known, and how many copies have each."""
    alleles = np.stack([calls for _, calls, _ in records])
    first = alleles[:, :, :1]
    same = ((alleles == first) | (alleles < 0)).all(axis=2)
    known = (np.stack([phased for _, _, phased in records]) | same).all(axis=0)
    # One heterozygous call needs no phase: each copy has one of its alleles, the others are alike.
    known |= (~same).sum(axis=0) <= 1
    rows = alleles[:, known].reshape(len(records), -1).T
    rows = rows[(rows >= 0).all(axis=1) & (rows > 0).any(axis=1)]
    if not len(rows):
        return
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    for row, count in zip(distinct, counts, strict=True):
        yield tuple(int(allele) for allele in row), int(count)


def _groups(model: TranscriptModel, carried: list[_Placed]) -> Iterator[list[_Placed]]:
    """Changes that share codons or a shifted frame, at least two at a time."""
    assert model.coding is not None
    origin = model.coding[0] + model.frame
    group: list[_Placed] = []
    shift, reached = 0, -1
    for change in carried:
        if group and shift % 3 == 0 and (change.edit.start - origin) // 3 >= reached:
            if len(group) > 1:
                yield group
            group, shift = [], 0
        group.append(change)
        shift += len(change.edit.inserted) - change.edit.end + change.edit.start
        reached = -(-(change.edit.end - origin) // 3)
    if len(group) > 1:
        yield group
