"""A change of a sequence, without what REF and ALT have in common, and where else it could be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

_COMPLEMENT: Final = str.maketrans("ACGTN", "TGCAN")
_STRETCH: Final = 64


class TranscriptEdit(NamedTuple):
    """Letters that take the place of a stretch; the stretch is empty for an insertion.

    On the - strand positions count backwards (``-end`` to ``-start``), so that every transcript is ascending.

    Attributes
    ----------
    start, end
        0-based half-open stretch that is replaced.
    removed, inserted
        Letters before and after.
    left, right
        By how many bases an insertion or deletion can move to either side without a change of the resulting
        sequence; 0 for anything else.
    """

    start: int
    end: int
    removed: str
    inserted: str
    left: int = 0
    right: int = 0

    @property
    def net(self) -> int:
        """Bases gained, negative where bases are lost."""
        return len(self.inserted) - (self.end - self.start)

    def spans(self) -> list[tuple[int, int]]:
        """Stretches that change: of a substitution, the runs of bases that differ.

        Returns
        -------
        list of tuple
            0-based half-open stretches, ascending.

        Examples
        --------
        >>> TranscriptEdit(10, 14, "ACGT", "TCGA").spans()
        [(10, 11), (13, 14)]
        """
        if len(self.removed) != len(self.inserted) or len(self.removed) == 1:
            return [(self.start, self.end)]
        found: list[tuple[int, int]] = []
        for place, (before, after) in enumerate(zip(self.removed, self.inserted, strict=True), self.start):
            if before == after:
                continue
            if found and found[-1][1] == place:
                found[-1] = (found[-1][0], place + 1)
            else:
                found.append((place, place + 1))
        return found or [(self.start, self.end)]

    def moved(self, by: int) -> TranscriptEdit:
        """The same change written elsewhere.

        Parameters
        ----------
        by
            Bases, from ``-left`` to ``right``.

        Returns
        -------
        TranscriptEdit
            Change with the same resulting sequence.

        Examples
        --------
        >>> TranscriptEdit(3, 3, "", "CA", left=2, right=1).moved(1)
        TranscriptEdit(start=4, end=4, removed='', inserted='AC', left=3, right=0)
        """
        if by == 0:
            return self
        removed, inserted = _rotated(self.removed, by), _rotated(self.inserted, by)
        return TranscriptEdit(
            self.start + by, self.end + by, removed, inserted, left=self.left + by, right=self.right - by
        )

    def mirrored(self) -> TranscriptEdit:
        """The same change on the other strand.

        Returns
        -------
        TranscriptEdit
            Change with negated places and complemented letters.
        """
        removed, inserted = complemented(self.removed), complemented(self.inserted)
        return TranscriptEdit(-self.end, -self.start, removed, inserted, left=self.right, right=self.left)


def complemented(letters: str) -> str:
    """Reverse complement of letters over A C G T N.

    Parameters
    ----------
    letters
        Letters of one strand.

    Returns
    -------
    str
        Letters of the other strand.

    Examples
    --------
    >>> complemented("AACGN")
    'NCGTT'
    """
    return letters.translate(_COMPLEMENT)[::-1]


def edit_of(start: int, reference: str, alternative: str, read: Callable[[int, int], str]) -> TranscriptEdit:
    """The change that an allele makes.

    Parameters
    ----------
    start
        0-based position of the first REF base.
    reference, alternative
        Letters of REF and ALT, different from one another.
    read
        Gives the letters of a stretch of the contig, cut at its ends.

    Returns
    -------
    TranscriptEdit
        On the + strand, where the record has it once common letters are taken off at the end, then at the
        start.

    Examples
    --------
    >>> genome = "GCACACAT"
    >>> edit_of(1, "CAC", "C", lambda start, end: genome[max(start, 0) : end])
    TranscriptEdit(start=1, end=3, removed='CA', inserted='', left=0, right=4)
    """
    shorter = min(len(reference), len(alternative))
    behind = 0
    while behind < shorter and reference[-1 - behind] == alternative[-1 - behind]:
        behind += 1
    ahead = 0
    while ahead < shorter - behind and reference[ahead] == alternative[ahead]:
        ahead += 1
    removed = reference[ahead : len(reference) - behind]
    inserted = alternative[ahead : len(alternative) - behind]
    first, last = start + ahead, start + len(reference) - behind
    if removed and inserted:
        return TranscriptEdit(first, last, removed, inserted)
    unit = removed or inserted
    right = _shift(unit, lambda begin, end: read(last + begin, last + end))
    left = _shift(unit[::-1], lambda begin, end: read(max(first - end, 0), max(first - begin, 0))[::-1])
    return TranscriptEdit(first, last, removed, inserted, left=left, right=right)


def _shift(unit: str, read: Callable[[int, int], str]) -> int:
    """How many letters after a unit repeat it, as far as they are known; ``read`` counts from its end."""
    size, count = len(unit), 0
    stretch = _STRETCH
    while True:
        letters = read(count, count + stretch)
        for letter in letters:
            if letter != unit[count % size] or letter == "N":
                return count
            count += 1
        if len(letters) < stretch:
            return count
        stretch *= 4


def _rotated(letters: str, by: int) -> str:
    if len(letters) < 2:
        return letters
    by %= len(letters)
    return letters[by:] + letters[:by]
