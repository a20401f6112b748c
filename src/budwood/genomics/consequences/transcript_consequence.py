"""What a change does to one transcript."""

from __future__ import annotations

from budwood.genomics.consequences.coding_change import CodingChange, CodingEdit, coding_change
from budwood.genomics.consequences.consequence import AnnotationReason, Consequence
from budwood.genomics.consequences.edit import TranscriptEdit
from budwood.genomics.consequences.location import Location, locate
from budwood.genomics.consequences.notation import protein_notation, transcript_notation
from budwood.genomics.consequences.term import Term
from budwood.genomics.consequences.transcript_model import TranscriptModel


def transcript_consequence(
    model: TranscriptModel,
    edit: TranscriptEdit,
    allele: str,
    number: int,
    reasons: tuple[AnnotationReason, ...] = (),
) -> Consequence:
    """What a change does to a transcript that it meets or lies near.

    Parameters
    ----------
    model
        The transcript.
    edit
        The change, on the + strand.
    allele, number
        ALT as written, and its number in the record.
    reasons
        What is known of the record already.

    Returns
    -------
    Consequence
        Of all places where the change can be written, that of the mildest effect; among equals one within an
        exon, whose effect on the protein is known, before one across its end; among these the one nearest to
        the transcript's 3' end.
    """
    written = edit if model.forward else edit.mirrored()
    certain = AnnotationReason.REFERENCE_DIFFERS not in reasons
    options = [_effect(model, written.moved(by), certain=certain) for by in _places(model, written)]
    # The first of the options is the one nearest to the 3' end, and min keeps the first among equals.
    chosen = min(options, key=lambda option: (-option.severity, option.crosses))
    notes = list(reasons)
    if chosen.edit.start != written.start:
        last = chosen.edit.right == 0
        notes.append(AnnotationReason.MOVED_TO_THREE_PRIME if last else AnnotationReason.MOVED_TO_MILDEST)
    return chosen.consequence(model, allele, number, notes)


def _places(model: TranscriptModel, edit: TranscriptEdit) -> list[int]:
    """By how much a change is moved: to its last place, and to those around ends of exons and the like.

    The places are the same however the change is written.
    """
    if not edit.left and not edit.right:
        return [0]
    low, high = edit.start - edit.left, edit.end + edit.right
    found = {edit.right}
    met = model.boundaries_between(low, high)
    if met:
        edges = [edge + aside for edge in (edit.start, edit.end) for aside in (-1, 0, 1)]
        found |= {-edit.left, *(boundary - edge for boundary in met for edge in edges)}
    return sorted((by for by in found if -edit.left <= by <= edit.right), reverse=True)


class _Effect:
    """What a change does at one of the places where it can be written."""

    def __init__(
        self, edit: TranscriptEdit, terms: set[Term], location: Location | None, change: CodingChange | None
    ) -> None:
        self.edit = edit
        self.terms = tuple(sorted(terms, key=lambda term: term.severity))
        self.location = location
        self.change = change

    @property
    def severity(self) -> float:
        """Rank among the places of one change, less for a more severe effect.

        A start codon is lost only where the sequence that results has none at any place: its loss counts as
        worse than what else happens to a protein.
        """
        first = self.terms[0].severity
        return min(first, Term.STOP_GAINED.severity - 0.5) if Term.START_LOST in self.terms else first

    @property
    def crosses(self) -> bool:
        """Whether coding bases change across an end of an exon or of the transcript."""
        return self.location is not None and self.location.coding and self.location.within is None

    def consequence(
        self, model: TranscriptModel, allele: str, number: int, notes: list[AnnotationReason]
    ) -> Consequence:
        location, edit = self.location, self.edit
        if location is None:
            distance = model.start - edit.end + 1 if edit.start < model.start else edit.start - model.end + 1
            return Consequence(
                allele=allele,
                allele_number=number,
                terms=self.terms,
                gene=model.gene.name,
                transcript=model.name,
                biotype=model.biotype,
                distance=max(distance, 0),
                reasons=tuple(notes),
            )
        if location.coding or model.transcript is None:
            notes += model.reasons
        if location.coding and location.within is None:
            notes.append(AnnotationReason.CROSSES_EXON_END)
        cdna = cds = protein = None
        if location.within is not None:
            first = min(location.within[0], model.length - 1)
            cdna = (first + 1, model.length)
            if location.coding and model.coding is not None:
                place = max(first - model.coding[0], 0)
                cds = (place + 1, model.coding[1] - model.coding[0])
                residues = len(model.protein) - model.stops
                if place >= model.frame:
                    protein = ((place - model.frame) // 3 + 1, residues)
        return Consequence(
            allele=allele,
            allele_number=number,
            terms=self.terms,
            gene=model.gene.name,
            transcript=model.name,
            biotype=model.biotype,
            rank=location.rank,
            hgvs_c=transcript_notation(model, edit),
            hgvs_p=protein_notation(model, self.change) if self.change else "",
            cdna=cdna,
            cds=cds,
            protein=protein,
            reasons=tuple(dict.fromkeys(notes)),
        )


def _effect(model: TranscriptModel, edit: TranscriptEdit, *, certain: bool) -> _Effect:
    insertion = edit.start == edit.end
    if edit.end <= model.start or edit.start >= model.end:
        upstream = edit.end <= model.start
        return _Effect(edit, {Term.UPSTREAM if upstream else Term.DOWNSTREAM}, None, None)
    assert not insertion or model.start < edit.start < model.end
    location = locate(model, edit)
    terms, change = set(location.terms), None
    if location.coding:
        if location.within is not None and certain and model.contiguous:
            change = coding_change(model, [CodingEdit(*location.within, edit.inserted)])
            terms |= change.terms
        else:
            terms.add(Term.CODING_SEQUENCE)
            terms |= {Term.START_LOST} if location.starts and model.starts and certain else set()
            terms |= {Term.STOP_LOST} if location.stops and model.stops and certain else set()
    return _Effect(edit, terms, location, change)
