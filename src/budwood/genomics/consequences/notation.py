"""Changes of transcripts and proteins in the notation of the Human Genome Variation Society (version 21)."""

from __future__ import annotations

from typing import Final

from budwood.genomics.consequences.coding_change import CodingChange
from budwood.genomics.consequences.edit import TranscriptEdit
from budwood.genomics.consequences.term import Term
from budwood.genomics.consequences.transcript_model import TranscriptModel

_RESIDUES: Final = "AlaArgAsnAspCysGlnGluGlyHisIleLeuLysMetPheProSerThrTrpTyrValXaa"
_THREE_LETTERS: Final = {
    letter: _RESIDUES[3 * place : 3 * place + 3] for place, letter in enumerate("ARNDCQEGHILKMFPSTWYVX")
} | {"*": "*"}
_STOP: Final = "Ter"


def transcript_notation(model: TranscriptModel, edit: TranscriptEdit) -> str:
    """The change of a transcript: ``c.`` counts from the first coding base, ``n.`` from the first base.

    Parameters
    ----------
    model
        The transcript.
    edit
        The change, on the transcript's strand.

    Returns
    -------
    str
        Such as ``c.76A>T``, ``c.88+2del``, ``c.*12dup``; ``""`` where an end lies outside the transcript.
    """
    if model.transcript is None:
        return ""
    if edit.start < edit.end:
        first, last = edit.start, edit.end - 1
        if len(edit.removed) == len(edit.inserted) == 1:
            change = f"{edit.removed}>{edit.inserted}"
        else:
            change = f"delins{edit.inserted}" if edit.inserted else "del"
    elif edit.left >= len(edit.inserted):
        first, last, change = edit.start - len(edit.inserted), edit.start - 1, "dup"
    else:
        first, last, change = edit.start - 1, edit.start, f"ins{edit.inserted}"
    if first < model.start or last >= model.end:
        return ""
    place = _place(model, first)
    if last > first:
        place = f"{place}_{_place(model, last)}"
    return f"{'n' if model.coding is None else 'c'}.{place}{change}"


def protein_notation(model: TranscriptModel, change: CodingChange) -> str:
    """The change of a protein.

    Parameters
    ----------
    model
        The transcript.
    change
        What its coding sequence suffers.

    Returns
    -------
    str
        Such as ``p.Lys26*``, ``p.Arg9Glyfs*12``, ``p.Ter40Glnext*7``; an unchanged residue is named twice
        (``p.Lys26Lys``), since a value of INFO must not hold ``=``. ``""`` where nothing is translated.
    """
    terms, before, after = change.terms, change.before, change.after
    if Term.START_LOST in terms:
        return "p.Met1?"
    if not before and not after:
        return ""
    same = _common(before, after)
    place = change.first + same + 1
    if Term.FRAMESHIFT in terms:
        if same >= len(before):
            return ""
        if after[same : same + 1] == "*":
            return f"p.{_residue(before[same], place)}*"
        stop = after.find("*")
        length = str(stop - same + 1) if stop >= 0 else "?"
        return f"p.{_residue(before[same], place)}{_names(after[same : same + 1])}fs*{length}"
    if before == after:
        residue = _residue(before[0], change.first + 1)
        return f"p.{residue}{_STOP if before[0] == '*' else _names(before[0])}"
    if Term.STOP_LOST in terms and model.stops:
        return _extension(model, change)
    return f"p.{_replaced(model, change, same)}"


def _extension(model: TranscriptModel, change: CodingChange) -> str:
    stop = len(model.protein) - 1
    gained = change.after[stop - change.first :]
    length = str(len(gained) - 1) if gained.endswith("*") else "?"
    return f"p.{_STOP}{stop + 1}{_names(gained[:1])}ext*{length}"


def _replaced(model: TranscriptModel, change: CodingChange, same: int) -> str:
    """Residues lost and gained, taken as far to the end of the protein as they can be."""
    before, after = change.before, change.after
    if len(before) == len(after) == 1:
        return f"{_residue(before, change.first + 1)}{_names(after)}"
    protein = model.protein
    rest = protein[change.first + len(before) :] if protein.startswith(before, change.first) else ""
    same = _common(before + rest, after + rest)
    behind = _common((before + rest)[same:][::-1], (after + rest)[same:][::-1])
    lost = (before + rest)[same : len(before + rest) - behind]
    gained = (after + rest)[same : len(after + rest) - behind]
    first = change.first + same + 1
    if "*" in gained:
        gained = gained[: gained.index("*") + 1]
    if not lost:
        copied = protein[first - 1 - len(gained) : first - 1] if first > len(gained) else ""
        if copied == gained:
            return f"{_range(gained, first - len(gained))}dup"
        ahead, following = protein[first - 2 : first - 1], protein[first - 1 : first]
        if not ahead or not following:
            return f"{_residue(ahead or following, max(first - 1, 1))}ins{_names(gained)}"
        return f"{_residue(ahead, first - 1)}_{_residue(following, first)}ins{_names(gained)}"
    if not gained:
        return f"{_range(lost, first)}del"
    if len(lost) == len(gained) == 1 or gained == "*":
        return f"{_residue(lost[0], first)}{_names(gained)}"
    return f"{_range(lost, first)}delins{_names(gained)}"


def _range(residues: str, first: int) -> str:
    start = _residue(residues[0], first)
    return start if len(residues) == 1 else f"{start}_{_residue(residues[-1], first + len(residues) - 1)}"


def _residue(letter: str, place: int) -> str:
    return f"{_STOP if letter == '*' else _THREE_LETTERS[letter]}{place}"


def _names(letters: str) -> str:
    return "".join(_THREE_LETTERS[letter] for letter in letters)


def _common(one: str, other: str) -> int:
    count = 0
    for before, after in zip(one, other, strict=False):
        if before != after:
            break
        count += 1
    return count


def _place(model: TranscriptModel, position: int) -> str:
    """Number of a base of the gene; of an intron's base, that of the nearest exon base and the distance."""
    number = model.exon_at(position)
    low, high = model.exons[number]
    if position < high:
        return _number(model, position - low + model.offsets[number])
    behind, ahead = position - high + 1, model.exons[number + 1][0] - position
    if behind <= ahead:
        return f"{_number(model, model.offsets[number] + high - low - 1)}+{behind}"
    return f"{_number(model, model.offsets[number + 1])}-{ahead}"


def _number(model: TranscriptModel, offset: int) -> str:
    if model.coding is None:
        return str(offset + 1)
    first, last = model.coding
    if offset < first:
        return f"-{first - offset}"
    return str(offset - first + 1) if offset < last else f"*{offset - last + 1}"
