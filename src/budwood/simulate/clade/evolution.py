"""What happens to a genome along a branch of the species tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genetic_code import translate
from budwood.simulate.clade.blueprint import Blueprint, Codes, ContigBlueprint, Element
from budwood.simulate.clade.config import EvolutionRates
from budwood.simulate.gene_draft import ACCEPTOR, DONOR, GeneDraft
from budwood.simulate.transposon import CopyDraft, draft_copy

_BASES = 4
_LONGEST_INDEL = 20


def evolve(
    blueprint: Blueprint, length: float, rates: EvolutionRates, master: Codes, rng: np.random.Generator
) -> dict[str, ContigBlueprint]:
    """The genome at the end of a branch.

    Parameters
    ----------
    blueprint
        Contigs at its beginning.
    length
        Length of the branch, in substitutions per neutral base.
    rates
        What happens, per unit of length.
    master
        The transposon's master copy.
    rng
        Random number generator.

    Returns
    -------
    dict
        Contigs at its end, of the same names.
    """
    contigs = {name: _substituted(contig, length, rates, rng) for name, contig in blueprint.items()}
    contigs = {name: _turned_over(contig, length, rates, master, rng) for name, contig in contigs.items()}
    return _rearranged(contigs, length, rates, rng)


def substituted_gene(
    draft: GeneDraft, length: float, rates: EvolutionRates, rng: np.random.Generator
) -> GeneDraft:
    """A gene at the end of a branch: the same parts, changed bases.

    The reading frame stays open; a codon that changes its amino acid is kept with the probability
    ``rates.replacement``.

    Parameters
    ----------
    draft
        The gene at the beginning of the branch.
    length, rates, rng
        As in :func:`evolve`.

    Returns
    -------
    GeneDraft
        The gene at its end.
    """
    rate = np.full(len(draft.codes), rates.intron)
    for name, start, end, _ in draft.motifs:
        rate[start:end] = rates.motif
        if name == DONOR:
            rate[start : start + 2] = 0.0
        elif name == ACCEPTOR:
            rate[end - 2 : end] = 0.0
    frame = np.concatenate([np.arange(start, end) for start, end in draft.coding])
    rate[frame] = 1.0
    rate[frame[:3]], rate[frame[-3:]] = 0.0, 0.0
    codes = _changed(draft.codes, length * rate, rng)
    before, after = draft.codes[frame].reshape(-1, 3), codes[frame].reshape(-1, 3)
    for row in np.flatnonzero((before != after).any(axis=1)).tolist():
        old, new = translate(before[row]), translate(after[row])
        if new == "*" or (old != new and rng.random() >= rates.replacement):
            after[row] = before[row]
    codes[frame] = after.ravel()
    return GeneDraft(codes, draft.exons, draft.coding, draft.motifs)


def _changed(codes: Codes, expected: NDArray[np.float64], rng: np.random.Generator) -> Codes:
    """Bases after substitutions, ``expected`` of them at each base (Jukes and Cantor 1969)."""
    hit = rng.random(len(codes)) < 0.75 * (1.0 - np.exp(-expected / 0.75))
    found = codes.copy()
    found[hit] = (codes[hit] + rng.integers(1, _BASES, size=int(hit.sum()))) % _BASES
    return found


def _substituted(
    contig: ContigBlueprint, length: float, rates: EvolutionRates, rng: np.random.Generator
) -> ContigBlueprint:
    elements = []
    for element in contig.elements:
        draft = element.draft
        if isinstance(draft, GeneDraft):
            changed: GeneDraft | CopyDraft = substituted_gene(draft, length, rates, rng)
        else:
            codes = _changed(draft.codes, np.full(len(draft.codes), length), rng)
            changed = replace(draft, codes=codes)
        elements.append(replace(element, draft=changed))
    gaps = tuple(
        _with_indels(_changed(gap, np.full(len(gap), length), rng), length * rates.indel, rng)
        for gap in contig.gaps
    )
    return ContigBlueprint(tuple(elements), gaps)


def _with_indels(gap: Codes, rate: float, rng: np.random.Generator) -> Codes:
    for _ in range(int(rng.poisson(rate * len(gap)))):
        place, size = int(rng.integers(len(gap))), min(int(rng.geometric(0.3)), _LONGEST_INDEL)
        if rng.random() < 0.5 and len(gap) > 3 * _LONGEST_INDEL:
            gap = np.delete(gap, slice(place, place + size))
        else:
            gap = np.insert(gap, place, rng.integers(_BASES, size=size).astype(np.uint8))
    return gap


def _turned_over(
    contig: ContigBlueprint, length: float, rates: EvolutionRates, master: Codes, rng: np.random.Generator
) -> ContigBlueprint:
    """Genes and transposon copies lost, and new copies inserted into intergenic sequence."""
    gene_stays, copy_stays = np.exp(-rates.gene_loss * length), np.exp(-rates.transposon_turnover * length)
    elements: list[Element] = []
    gaps = [contig.gaps[0]]
    copies = 0
    for element, gap in zip(contig.elements, contig.gaps[1:], strict=True):
        copies += element.ancestor < 0
        if rng.random() < (copy_stays if element.ancestor < 0 else gene_stays):
            elements.append(element)
            gaps.append(gap)
        else:
            gaps[-1] = np.concatenate([gaps[-1], gap])
    for _ in range(int(rng.poisson(rates.transposon_turnover * length * copies))):
        place = int(rng.integers(len(gaps)))
        cut = int(rng.integers(len(gaps[place]) + 1))
        left, right = gaps[place][:cut], gaps[place][cut:]
        gaps[place : place + 1] = [left, right]
        elements.insert(place, Element(draft_copy(rng, master, 0.02), "+-"[int(rng.integers(2))]))
    return ContigBlueprint(tuple(elements), tuple(gaps))


def _rearranged(
    contigs: dict[str, ContigBlueprint], length: float, rates: EvolutionRates, rng: np.random.Generator
) -> dict[str, ContigBlueprint]:
    names = list(contigs)
    for name in names:
        for _ in range(int(rng.poisson(rates.inversions * length))):
            first, last = _piece(contigs[name], rng)
            contigs[name] = contigs[name].inverted(first, last)
        for _ in range(int(rng.poisson(rates.translocations * length))):
            other = names[int(rng.integers(len(names)))]
            if other != name and len(contigs[name].elements) > 2:
                contigs[name], contigs[other] = _moved(contigs[name], contigs[other], rng)
    return contigs


def _piece(contig: ContigBlueprint, rng: np.random.Generator) -> tuple[int, int]:
    """First element of a piece and the one after its last."""
    count = len(contig.elements)
    size = 1 + min(int(rng.geometric(0.2)), max(count // 2, 1))
    first = int(rng.integers(max(count - size + 1, 1)))
    return first, min(first + size, count)


def _moved(
    giver: ContigBlueprint, taker: ContigBlueprint, rng: np.random.Generator
) -> tuple[ContigBlueprint, ContigBlueprint]:
    first, last = _piece(giver, rng)
    last = min(last, first + len(giver.elements) - 1)  # one element stays
    piece, between = giver.elements[first:last], giver.gaps[first + 1 : last]
    joined = np.concatenate([giver.gaps[first], giver.gaps[last]])
    left = ContigBlueprint(
        (*giver.elements[:first], *giver.elements[last:]),
        (*giver.gaps[:first], joined, *giver.gaps[last + 1 :]),
    )
    place = int(rng.integers(len(taker.gaps)))
    cut = int(rng.integers(len(taker.gaps[place]) + 1))
    before, after = taker.gaps[place][:cut], taker.gaps[place][cut:]
    grown = ContigBlueprint(
        (*taker.elements[:place], *piece, *taker.elements[place:]),
        (*taker.gaps[:place], before, *between, after, *taker.gaps[place + 1 :]),
    )
    return left, grown
