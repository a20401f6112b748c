"""Random variants in and around genes, left-aligned as tools that compare them expect."""

from __future__ import annotations

import numpy as np

from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.consequences.edit import edit_of
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.haplotypes.contig_reader import ContigReader
from budwood.genomics.sequence import decode

_LONGEST = 12
_MARGIN = 40


def random_variants(annotation: Annotation, assembly: Assembly, count: int, seed: int) -> list[Site]:
    """Two thirds SNVs; deletions, insertions (half of them copies) and substitutions of 2 to 4 bases.

    Half lie within 12 bases of an exon of a random transcript, the others anywhere; none touches an N.
    """
    rng = np.random.default_rng(seed)
    exons = [
        (gene.contig, exon)
        for gene in annotation.genes
        for transcript in gene.transcripts
        for exon in transcript.exons
        if gene.contig in assembly.contigs
    ]
    contigs = list(assembly.contigs)
    sizes = np.array([assembly.contigs[name] for name in contigs], dtype=float)
    readers = {name: ContigReader(assembly, name) for name in contigs}
    places = []
    while len(places) < 2 * count:
        if rng.random() < 0.5:
            contig, exon = exons[rng.integers(len(exons))]
            place = int(rng.integers(exon.start - _LONGEST, exon.end + _LONGEST))
        else:
            contig = contigs[rng.choice(len(contigs), p=sizes / sizes.sum())]
            place = int(rng.integers(assembly.contigs[contig]))
        if _MARGIN < place < assembly.contigs[contig] - _MARGIN:
            places.append((contigs.index(contig), place))
    found: dict[tuple[int, int, str, str], Site] = {}
    for number, place in sorted(set(places)):
        reader = readers[contigs[number]]

        def read(start: int, end: int, reader: ContigReader = reader) -> str:
            return decode(reader.codes(max(start, 0), end))

        start, reference, allele = _change(rng, place, read)
        around = read(start - _LONGEST, start + _LONGEST + len(reference))
        if "N" in around or reference == allele:
            continue
        edit = edit_of(start, reference, allele, read)
        if not edit.removed or not edit.inserted:
            edit = edit.moved(-edit.left)
            anchor = read(edit.start - 1, edit.start)
            start, reference, allele = edit.start - 1, anchor + edit.removed, anchor + edit.inserted
        if "N" not in reference + allele and reference != allele:
            site = Site(contigs[number], start, f"v{len(found)}", (reference, allele))
            found[number, start, reference, allele] = site
    kept = sorted(rng.permutation(len(found))[:count])
    ordered = [found[key] for key in sorted(found)]
    return [ordered[row] for row in kept]


def _change(rng: np.random.Generator, place: int, read) -> tuple[int, str, str]:  # type: ignore[no-untyped-def]
    kind = rng.choice(
        ["snv", "deletion", "insertion", "copy", "substitution"], p=[0.66, 0.14, 0.07, 0.07, 0.06]
    )
    size = int(rng.integers(1, _LONGEST + 1))
    first = read(place, place + 1)
    if kind == "snv":
        return place, first, str(rng.choice([letter for letter in "ACGT" if letter != first]))
    if kind == "deletion":
        return place, read(place, place + size + 1), first
    if kind == "insertion":
        return place, first, first + "".join(rng.choice(list("ACGT"), size))
    if kind == "copy":
        return place, first, first + read(place + 1, place + 1 + size)
    size = 2 + size % 3
    reference = read(place, place + size)
    middle = "".join(rng.choice(list("ACGT"), size - 2))
    ends = [str(rng.choice([x for x in "ACGT" if x != letter])) for letter in (reference[0], reference[-1])]
    return place, reference, ends[0] + middle + ends[1]
