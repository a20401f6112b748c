"""A stretch of a contig."""

from __future__ import annotations

from dataclasses import dataclass

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
