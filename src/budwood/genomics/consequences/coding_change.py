"""What changes of a coding sequence do to its protein."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from budwood.genomics.consequences.term import Term
from budwood.genomics.consequences.transcript_model import TranscriptModel
from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import encode

_START: Final = "ATG"


class CodingEdit(NamedTuple):
    """Letters that take the place of a stretch of the spliced transcript.

    Attributes
    ----------
    start, end
        0-based half-open; at least one base, or the place of an insertion, is coding.
    inserted
        Letters on the transcript's strand.
    """

    start: int
    end: int
    inserted: str


@dataclass(frozen=True, slots=True)
class CodingChange:
    """Effect on the protein.

    Attributes
    ----------
    terms
        Terms of the effect.
    first
        Number of the first codon that changes, from 0.
    before, after
        Residues of the codons that change. Behind a frameshift, and where the stop codon changes, up to the
        next stop codon or the end of the transcript.
    """

    terms: frozenset[Term]
    first: int = 0
    before: str = ""
    after: str = ""


def coding_change(model: TranscriptModel, edits: Sequence[CodingEdit]) -> CodingChange:
    """What changes of one copy of a transcript do to its protein.

    The changed transcript is translated from the annotated start, so that the result does not depend on how
    the changes are written.

    Parameters
    ----------
    model
        The transcript; its coding sequence has no gap.
    edits
        Changes in ascending order that do not overlap.

    Returns
    -------
    CodingChange
        Terms and residues. A change that takes the start codon away is ``start_lost`` and nothing else, since
        the frame behind it is not known.
    """
    assert model.coding is not None
    origin = model.coding[0] + model.frame
    before = model.letters[origin:]
    size = model.coding[1] - origin
    shifted = [CodingEdit(edit.start - origin, edit.end - origin, edit.inserted) for edit in edits]
    if shifted[0].start < 0 and model.frame:
        return CodingChange(frozenset({Term.CODING_SEQUENCE}))
    clipped = [_clipped(edit) for edit in shifted]
    after = _applied(before, clipped)
    if model.starts and clipped[0].start < len(_START) and not after.startswith(_START):
        return CodingChange(frozenset({Term.START_LOST}), 0, "M", "")
    net = sum(len(edit.inserted) - edit.end + edit.start for edit in clipped)
    start, end = clipped[0].start, clipped[-1].end
    if start >= size // 3 * 3:
        return CodingChange(frozenset({Term.INCOMPLETE_TERMINAL_CODON}))
    stop = len(model.protein) - 1 if model.stops else None
    first = start // 3
    if net % 3:
        protein = _translated(before[3 * first : size])
        return _frameshift(protein, after[3 * first :], first, end, stop)
    last = -(-end // 3)
    if stop is not None and (last > stop or first >= stop):
        return _at_stop(before, after, first, stop, net)
    window = _translated(before[3 * first : 3 * last])
    return _in_frame(window, _translated(after[3 * first : 3 * last + net]), first, net)


def _clipped(edit: CodingEdit) -> CodingEdit:
    """The part of a change that is coding; where the length stays, the letters that stand there alone."""
    same = len(edit.inserted) == edit.end - edit.start
    inserted = edit.inserted[max(-edit.start, 0) :] if same else edit.inserted
    return CodingEdit(max(edit.start, 0), max(edit.end, 0), inserted)


def _frameshift(protein: str, after: str, first: int, end: int, stop: int | None) -> CodingChange:
    """Effect of a shifted frame; protein and sequence begin at the first codon that changes."""
    changed = _through_stop(_translated(after))
    if stop is not None and changed == protein:
        return CodingChange(frozenset({Term.STOP_RETAINED}), first, protein, changed)
    terms = {Term.FRAMESHIFT}
    same = _common(protein, changed)
    shorter = changed.endswith("*") and len(changed) <= len(protein)
    if changed[same : same + 1] == "*":
        terms.add(Term.STOP_GAINED)
    elif stop is not None and end > 3 * stop and not shorter:
        terms.add(Term.STOP_LOST)
    return CodingChange(frozenset(terms), first, protein, changed)


def _at_stop(before: str, after: str, first: int, stop: int, net: int) -> CodingChange:
    """Effect of a change that touches the stop codon and keeps the frame."""
    protein = _translated(before[3 * first : 3 * stop + 3])
    changed = _through_stop(_translated(after[3 * first :]))
    codon = 3 * stop + net
    kept = changed.endswith("*") and 3 * (first + len(changed) - 1) == codon
    terms: set[Term] = set()
    if kept and before[3 * stop : 3 * stop + 3] != after[codon : codon + 3]:
        terms.add(Term.STOP_RETAINED)
    if changed == protein:
        terms.add(Term.STOP_RETAINED if net else Term.SYNONYMOUS)
        return CodingChange(
            frozenset({Term.STOP_RETAINED} if Term.STOP_RETAINED in terms else terms), first, protein, changed
        )
    if net:
        terms.add(Term.INFRAME_DELETION if net < 0 else Term.INFRAME_INSERTION)
    elif protein[:-1] != changed[:-1] and kept:
        terms.add(Term.CODING_SEQUENCE if "X" in changed else Term.MISSENSE)
    if not kept:
        early = changed.endswith("*") and 3 * (first + len(changed) - 1) < codon
        unknown = not early and changed[stop - first : stop - first + 1] == "X"
        terms.add(Term.STOP_GAINED if early else Term.CODING_SEQUENCE if unknown else Term.STOP_LOST)
    return CodingChange(frozenset(terms), first, protein, changed)


def _in_frame(before: str, after: str, first: int, net: int) -> CodingChange:
    terms: set[Term] = set()
    if "*" in after and "*" not in before:
        terms.add(Term.STOP_GAINED)
    elif "*" in before and "*" not in after:
        terms.add(Term.STOP_LOST)
    if net:
        terms.add(Term.INFRAME_DELETION if net < 0 else Term.INFRAME_INSERTION)
    elif not terms:
        pairs = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
        if any("X" not in pair for pair in pairs):
            terms.add(Term.MISSENSE)
        else:
            terms.add(Term.CODING_SEQUENCE if "X" in before + after else Term.SYNONYMOUS)
    return CodingChange(frozenset(terms), first, before, after)


def _applied(letters: str, edits: Sequence[CodingEdit]) -> str:
    pieces, place = [], 0
    for edit in edits:
        pieces += [letters[place : edit.start], edit.inserted]
        place = edit.end
    return "".join([*pieces, letters[place:]])


def _translated(letters: str) -> str:
    return translate(encode(letters[: len(letters) // 3 * 3]))


def _through_stop(protein: str) -> str:
    return protein[: protein.find("*") + 1] if "*" in protein else protein


def _common(one: str, other: str) -> int:
    count = 0
    for before, after in zip(one, other, strict=False):
        if before != after:
            break
        count += 1
    return count
