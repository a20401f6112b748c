"""Expected consequence of variants: the genetic code, weighted by what the encoder takes each base for.

Nobody says where genes lie. The encoder gives each base of the reference the probabilities of being the
first, second or third base of a codon on either strand, part of a splice site, of a start or of a stop codon.
The consequence of a change under each of these is known from the genetic code; its expectation is the sum.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass
from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import A, G, N, T, reverse_complement

#: Parts of the expected consequence that the reference pass alone gives, in the order of their columns.
PARTS: Final = (
    "stop_gained",
    "stop_lost",
    "start_lost",
    "splice_lost",
    "frameshift",
    "missense",
    "inframe",
)
#: Weight of each part in the expected consequence: 1 for what usually destroys a protein.
WEIGHTS: Final = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1])
#: Bases on either side of a single-base change that its codons reach.
REACH: Final = 2

_STOP_GAINED, _STOP_LOST, _START_LOST, _SPLICE_LOST, _FRAMESHIFT, _MISSENSE, _INFRAME = range(len(PARTS))
_CODON: Final = 3
_UNKNOWN: Final = 64
_START_CODON: Final = 16 * A + 4 * T + G
_TURNED: Final = list(COMPLEMENT_REGION)
_SPLICE: Final = [
    BaseClass.DONOR_FORWARD,
    BaseClass.DONOR_REVERSE,
    BaseClass.ACCEPTOR_FORWARD,
    BaseClass.ACCEPTOR_REVERSE,
]
_FRAMES: Final = slice(BaseClass.CODING_FORWARD_0, BaseClass.CODING_FORWARD_2 + 1)


def expected_of_substitutions(
    around: NDArray[np.uint8], alternative: NDArray[np.uint8], regions: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Parts of the expected consequence of single-base changes.

    Parameters
    ----------
    around
        (n, 5) reference codes, the changed base in the middle; N where unknown.
    alternative
        (n,) codes of the new bases.
    regions
        (n, 17) region probabilities of the changed bases.

    Returns
    -------
    ndarray
        (n, 7) expected parts, in the order of :data:`PARTS`, each from 0 to 1.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> regions = np.zeros((1, 17), dtype=np.float32)
    >>> regions[0, BaseClass.CODING_FORWARD_2] = 1  # the third base of TGG becomes A
    >>> found = expected_of_substitutions(encode("TGGCC")[None], encode("A"), regions)
    >>> float(found[0, PARTS.index("stop_gained")])
    1.0
    """
    expected = np.zeros((len(around), len(PARTS)))
    expected[:, _SPLICE_LOST] = regions[:, _SPLICE].sum(1)
    turned, turned_alternative = reverse_complement(around), reverse_complement(alternative[:, None])[:, 0]
    _add_strand(expected, around, alternative, regions)
    _add_strand(expected, turned, turned_alternative, regions[:, _TURNED])
    return np.minimum(expected, 1.0)


def expected_of_edit(
    codes: NDArray[np.uint8], regions: NDArray[np.float32], start: int, end: int, letters: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Parts of the expected consequence of any replacement of bases: MNV, insertion or deletion.

    Of the changed bases the one most probably coding decides about the frame, and the one most probably in a
    splice site about that. An insertion changes what both of its neighbours belong to.

    Parameters
    ----------
    codes, regions
        (length,) reference bases and (length, 17) region probabilities of a stretch that reaches at least two
        bases beyond the change on either side.
    start, end
        The replaced bases within the stretch; equal for an insertion.
    letters
        Codes of what replaces them.

    Returns
    -------
    ndarray
        (7,) expected parts, in the order of :data:`PARTS`.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> regions = np.zeros((9, 17), dtype=np.float32)
    >>> regions[:, 3:6] = np.tile(np.eye(3), (3, 1))  # three codons
    >>> found = expected_of_edit(encode("AAACCCTTT"), regions, 4, 5, encode(""))
    >>> dict(zip(PARTS, found.tolist(), strict=True))["frameshift"]
    1.0
    """
    expected = np.zeros(len(PARTS))
    touched = regions[start:end] if end > start else np.minimum(regions[start - 1], regions[start])[None]
    expected[_SPLICE_LOST] = touched[:, _SPLICE].sum(1).max()
    _add_edit(expected, codes, regions, start, end, letters)
    length = len(codes)
    _add_edit(
        expected,
        reverse_complement(codes),
        regions[::-1, _TURNED],
        length - end,
        length - start,
        reverse_complement(letters),
    )
    return np.minimum(expected, 1.0)


def expected_consequence(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted sum of the parts.

    Parameters
    ----------
    parts
        (..., 7) expected parts.

    Returns
    -------
    ndarray
        (...) from 0 to 1.
    """
    return np.minimum(parts @ WEIGHTS, 1.0)


@cache
def _amino_acids() -> NDArray[np.uint8]:
    """(65,) letter of each codon; the last, for codons with an unknown base, is X."""
    index = np.arange(_UNKNOWN)
    codons = np.stack([index // 16, index // 4 % 4, index % 4], axis=1).astype(np.uint8)
    return np.frombuffer((translate(codons) + "X").encode(), dtype=np.uint8)


def _codon(triplets: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Index of each codon, 64 where a base is unknown."""
    index = triplets.astype(np.intp) @ np.array([16, 4, 1])
    return np.where((triplets < N).all(-1), index, _UNKNOWN)


def _add_strand(
    expected: NDArray[np.float64],
    around: NDArray[np.uint8],
    alternative: NDArray[np.uint8],
    regions: NDArray[np.float32],
) -> None:
    """Add what the changes do to genes on the strand that is read."""
    amino = _amino_acids()
    changed = around.copy()
    changed[:, REACH] = alternative
    for place in range(_CODON):
        triplet = slice(REACH - place, REACH - place + _CODON)
        before, after = _codon(around[:, triplet]), _codon(changed[:, triplet])
        known = (before < _UNKNOWN) & (after < _UNKNOWN)
        was, becomes = amino[before] == ord("*"), amino[after] == ord("*")
        coding = regions[:, BaseClass.CODING_FORWARD_0 + place]
        expected[:, _STOP_GAINED] += coding * (known & ~was & becomes)
        expected[:, _STOP_LOST] += (coding + regions[:, BaseClass.STOP_FORWARD]) * (known & was & ~becomes)
        differs = known & (amino[before] != amino[after]) & ~was & ~becomes
        expected[:, _MISSENSE] += coding * differs
        starts = known & (before == _START_CODON) & (after != before)
        expected[:, _START_LOST] += regions[:, BaseClass.START_FORWARD] * starts


def _add_edit(
    expected: NDArray[np.float64],
    codes: NDArray[np.uint8],
    regions: NDArray[np.float32],
    start: int,
    end: int,
    letters: NDArray[np.uint8],
) -> None:
    """Add what a replacement does to genes on the strand that is read."""
    coding = regions[:, _FRAMES].sum(1)
    marks = regions[:, [BaseClass.START_FORWARD, BaseClass.STOP_FORWARD]]
    inside = coding + marks.sum(1)
    if end > start:
        first = start + int(np.argmax(inside[start:end]))
        whole, mark = inside[start:end].max(), marks[start:end].max(0)
    else:
        # What is put between two bases is coding where both are.
        first = start if inside[start] <= inside[start - 1] else start - 1
        whole, mark = min(inside[start - 1], inside[start]), marks[start - 1 : start + 1].min(0)
    if (len(letters) - (end - start)) % _CODON:
        expected[_FRAMESHIFT] += whole
        return
    if len(letters) != end - start:
        expected[_INFRAME] += whole
    share = float(whole / max(float(inside[first]), 1e-9))
    for place in range(_CODON):
        # The frame as the base that decides has it, carried to where the change begins.
        before = (place + start - first) % _CODON
        weight = float(regions[first, BaseClass.CODING_FORWARD_0 + place]) * share
        _add_frame(expected, codes, (start - before, start, end), letters, (weight, *mark.tolist()))


def _add_frame(
    expected: NDArray[np.float64],
    codes: NDArray[np.uint8],
    places: tuple[int, int, int],
    letters: NDArray[np.uint8],
    weights: tuple[float, float, float],
) -> None:
    """Add what a replacement in frame does if its first codon begins at the first of ``places``."""
    begin, start, end = places
    coding, starting, stopping = weights
    stop = end + (begin - end) % _CODON
    if begin < 0 or stop > len(codes):
        return
    amino = _amino_acids()
    old = _codon(codes[begin:stop].reshape(-1, _CODON))
    joined = np.concatenate([codes[begin:start], letters, codes[end:stop]])
    new = _codon(joined.reshape(-1, _CODON))
    if (old == _UNKNOWN).any() or (new == _UNKNOWN).any():
        return
    was, becomes = (amino[old] == ord("*")).any(), (amino[new] == ord("*")).any()
    if (old == _START_CODON).any() and not (new == _START_CODON).any():
        expected[_START_LOST] += starting
    if was and not becomes:
        expected[_STOP_LOST] += coding + stopping
    elif becomes and not was:
        expected[_STOP_GAINED] += coding
    elif len(old) == len(new) and (amino[old] != amino[new]).any():
        expected[_MISSENSE] += coding
