"""A family of DNA transposons: a master copy and its diverged copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.annotation.genes import Repeat
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import reverse_complement
from budwood.simulate.composition import Composition

#: Length of the terminal inverted repeats, and of the target site that an insertion duplicates (as in hAT).
INVERTED_REPEAT: Final = 26
TARGET_SITE: Final = 8
FAMILY: Final = "MERIS1"
FAMILY_CLASS: Final = "DNA/hAT"


@dataclass(frozen=True)
class TransposonCopy:
    """A copy of the transposon on the genome.

    Attributes
    ----------
    repeat
        The copy as an annotation lists it, without the target site duplications on its flanks.
    divergence
        Share of its bases substituted since the insertion.
    deleted
        Number of bases missing from the middle of the master copy.
    """

    repeat: Repeat
    divergence: float
    deleted: int

    @property
    def interval(self) -> Interval:
        """Place of the copy."""
        return Interval(self.repeat.contig, self.repeat.start, self.repeat.end, self.repeat.strand)


def master_copy(rng: np.random.Generator, composition: Composition, length: int) -> NDArray[np.uint8]:
    """Draw a transposon whose last bases are the reverse complement of its first.

    Parameters
    ----------
    rng
        Random number generator.
    composition
        Composition of the sequence.
    length
        Bases, more than twice the terminal inverted repeat.

    Returns
    -------
    numpy.ndarray
        (length,) ``uint8`` base codes.

    Examples
    --------
    >>> from budwood.simulate.composition import plant_composition
    >>> master = master_copy(np.random.default_rng(1), plant_composition(0.4), 300)
    >>> bool((master[-26:] == reverse_complement(master[:26])).all())
    True
    """
    codes = composition.sequence(rng, length)
    codes[-INVERTED_REPEAT:] = reverse_complement(codes[:INVERTED_REPEAT])
    return codes


@dataclass(frozen=True, eq=False)
class CopyDraft:
    """A copy of the transposon in the direction of its own strand, before it is placed on a contig.

    Attributes
    ----------
    codes
        (length,) ``uint8`` bases.
    divergence
        Share of substituted bases.
    deleted
        Number of deleted bases.
    """

    codes: NDArray[np.uint8]
    divergence: float
    deleted: int

    def place(self, contig: str, start: int, strand: str) -> TransposonCopy:
        """Place the copy on a contig.

        Parameters
        ----------
        contig
            Name of the contig.
        start
            0-based position of the lowest base.
        strand
            ``"+"`` or ``"-"``.

        Returns
        -------
        TransposonCopy
            The copy in contig coordinates.
        """
        repeat = Repeat(contig, start, start + len(self.codes), strand, FAMILY, FAMILY_CLASS)
        return TransposonCopy(repeat, self.divergence, self.deleted)


def draft_copy(rng: np.random.Generator, master: NDArray[np.uint8], divergence: float) -> CopyDraft:
    """Draw a copy with random substitutions and, with probability one half, a deletion in the middle.

    Parameters
    ----------
    rng
        Random number generator.
    master
        (length,) master copy of the family.
    divergence
        Expected share of substituted bases over the family; copies differ in age.

    Returns
    -------
    CopyDraft
        The copy before it is placed.
    """
    deleted = 0
    codes = master.copy()
    if rng.random() < 0.5:
        room = len(master) - 4 * INVERTED_REPEAT
        deleted = int(rng.integers(room // 2, room))
        start = 2 * INVERTED_REPEAT + int(rng.integers(room - deleted + 1))
        codes = np.delete(codes, slice(start, start + deleted))
    hit = rng.random(len(codes)) < min(rng.gamma(2.0, divergence / 2.0), 0.3)
    codes[hit] = (codes[hit] + rng.integers(1, 4, size=int(hit.sum()))) % 4
    return CopyDraft(codes, float(hit.mean()), deleted)
