"""A stretch of a contig."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from budwood.errors import BudwoodError


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Contig, 0-based half-open start and end, and strand (``+`` or ``-``).

    Attributes
    ----------
    contig
        Name of the contig.
    start, end
        0-based half-open interval on the + strand.
    strand
        ``+`` or ``-``.

    Examples
    --------
    >>> Interval("Chr2", 10, 15).length
    5
    >>> str(Interval("Chr2", 10, 15, "-"))
    'Chr2:11-15(-)'
    """

    contig: str
    start: int
    end: int
    strand: str = "+"

    def __post_init__(self) -> None:
        if self.start < 0 or self.end < self.start or self.strand not in "+-":
            raise BudwoodError(
                f"interval {self.contig}:{self.start}-{self.end} strand {self.strand!r} is not valid",
                mend="give 0 <= start <= end and strand + or -",
            )

    @property
    def length(self) -> int:
        """Number of bases."""
        return self.end - self.start

    def __str__(self) -> str:
        strand = "" if self.strand == "+" else "(-)"
        return f"{self.contig}:{self.start + 1}-{self.end}{strand}"


class OnContig(Protocol):
    """Anything that lies on a contig: an interval, a gene, a site."""

    @property
    def contig(self) -> str:
        """Name of the contig."""


Placed = TypeVar("Placed", bound=OnContig)


def by_contig(things: Iterable[Placed]) -> dict[str, list[Placed]]:
    """What lies on each contig, in the given order: a genome of many contigs is read in one pass.

    Parameters
    ----------
    things
        Intervals, genes or whatever has a contig.

    Returns
    -------
    dict
        By name of the contig, in order of appearance.

    Examples
    --------
    >>> found = by_contig([Interval("b", 0, 1), Interval("a", 0, 1), Interval("b", 5, 6)])
    >>> {contig: len(each) for contig, each in found.items()}
    {'b': 2, 'a': 1}
    """
    found: dict[str, list[Placed]] = {}
    for each in things:
        found.setdefault(each.contig, []).append(each)
    return found
