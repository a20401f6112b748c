"""Where a change lies in a transcript: exons, introns, splice sites, coding sequence, UTRs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from budwood.genomics.consequences.edit import TranscriptEdit
from budwood.genomics.consequences.term import Term
from budwood.genomics.consequences.transcript_model import SHORTEST_INTRON, TranscriptModel

# Bases of an intron's end that make a splice site, and of exon and intron that make a splice region.
_SITE: Final = 2
_REGION_EXON: Final = 3
_REGION_INTRON: Final = 8


@dataclass(slots=True)
class Location:
    """What a change touches.

    Attributes
    ----------
    terms
        Terms that follow from the place alone.
    coding
        Whether coding bases change.
    within
        0-based half-open stretch of the spliced transcript that changes, where it lies within one exon (at
        either end of it for an insertion); None otherwise.
    rank
        Exon or intron and their number, ``"3/5"``.
    starts, stops
        Whether bases of the annotated start and stop codon change.
    """

    terms: set[Term] = field(default_factory=set)
    coding: bool = False
    within: tuple[int, int] | None = None
    rank: str = ""
    starts: bool = False
    stops: bool = False


def locate(model: TranscriptModel, edit: TranscriptEdit) -> Location:
    """Find what a change touches.

    Parameters
    ----------
    model
        The transcript.
    edit
        The change, on the transcript's strand; it must meet the transcript.

    Returns
    -------
    Location
        Its place. An insertion between exon and intron belongs to the exon, one between UTR and coding
        sequence to the UTR; one within the two outermost bases of an intron breaks a splice site.
    """
    found = Location()
    if edit.start <= model.start and edit.end >= model.end and edit.net < 0:
        found.terms.add(Term.TRANSCRIPT_ABLATION)
        return found
    for start, end in edit.spans():
        _add_introns(found, model, start, end)
        _add_exons(found, model, start, end)
    _add_rank_and_stretch(found, model, edit)
    if edit.net < 0 and len(model.exons) > 1:
        first = max(0, model.exon_at(edit.start))
        exons = model.exons[first : model.exon_at(edit.end - 1) + 1]
        if any(edit.start <= start and end <= edit.end for start, end in exons):
            found.terms.add(Term.EXON_LOSS)
    return found


def _add_introns(found: Location, model: TranscriptModel, start: int, end: int) -> None:
    first = max(0, model.exon_at(start) - 1)
    for low, high in model.introns[first : model.exon_at(end) + 1]:
        if _meets(start, end, low, high):
            found.terms.add(Term.INTRON)
        if high - low < SHORTEST_INTRON:
            continue
        donor = _meets(start, end, low, low + _SITE)
        acceptor = _meets(start, end, high - _SITE, high)
        if donor:
            found.terms.add(Term.SPLICE_DONOR)
        if acceptor:
            found.terms.add(Term.SPLICE_ACCEPTOR)
        if _in_region(start, end, low, high):
            found.terms.add(Term.SPLICE_REGION)


def _in_region(start: int, end: int, low: int, high: int) -> bool:
    if start == end:
        beside_donor = low - _REGION_EXON < start <= low or low + _SITE <= start < low + _REGION_INTRON
        beside_acceptor = high <= start < high + _REGION_EXON or high - _REGION_INTRON < start <= high - _SITE
        return beside_donor or beside_acceptor
    return (
        _meets(start, end, low - _REGION_EXON, low)
        or _meets(start, end, high, high + _REGION_EXON)
        or _meets(start, end, low + _SITE, min(low + _REGION_INTRON, high - _SITE))
        or _meets(start, end, max(high - _REGION_INTRON, low + _SITE), high - _SITE)
    )


def _add_exons(found: Location, model: TranscriptModel, start: int, end: int) -> None:
    first = max(0, model.exon_at(start) - (start == end))
    for number in range(first, model.exon_at(end if start == end else end - 1) + 1):
        low, high = model.exons[number]
        if start > high or end < low or (start < end and (start == high or end == low)):
            continue
        offset = model.offsets[number] - low
        _add_bases(found, model, max(start, low) + offset, min(end, high) + offset)


def _add_bases(found: Location, model: TranscriptModel, start: int, end: int) -> None:
    """Terms of bases of the spliced transcript, or of the place between two of them."""
    if model.coding is None:
        found.terms.add(Term.NON_CODING_EXON if model.transcript else Term.INTRAGENIC)
        return
    first, last = model.coding
    if start == end:
        found.coding |= first < start < last
        found.terms |= {Term.FIVE_PRIME_UTR} if start <= first else set()
        found.terms |= {Term.THREE_PRIME_UTR} if start >= last else set()
        return
    found.coding |= start < last and end > first
    found.starts |= start < first + 3 and end > first
    found.stops |= start < last and end > last - 3
    found.terms |= {Term.FIVE_PRIME_UTR} if start < first else set()
    found.terms |= {Term.THREE_PRIME_UTR} if end > last else set()


def _add_rank_and_stretch(found: Location, model: TranscriptModel, edit: TranscriptEdit) -> None:
    number = model.exon_at(edit.start)
    # An insertion before an exon's first base belongs to it; the exon that begins there is the one found.
    low, high = model.exons[max(number, 0)]
    if number >= 0 and (edit.start < high or edit.start == edit.end == high):
        found.rank = f"{number + 1}/{len(model.exons)}"
        if edit.end <= high:
            offset = model.offsets[number] - low
            found.within = (edit.start + offset, edit.end + offset)
    elif number >= 0 and number < len(model.introns):
        found.rank = f"{number + 1}/{len(model.introns)}"


def _meets(start: int, end: int, low: int, high: int) -> bool:
    """Whether a stretch has bases in another; for an insertion, whether it lies inside it."""
    return low < start < high if start == end else start < high and end > low
