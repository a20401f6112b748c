"""The markers of one file found in another, by place and alleles or by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import counted
from budwood.genomics.genotypes import Genotypes, Markers

_COMPLEMENT: Final = str.maketrans("ACGTacgt", "TGCAtgca")
_PREFIX: Final = re.compile(r"^(chromosome|chrom|chr)[._-]?", re.IGNORECASE)


#: Share of unambiguous markers on the other strand above which the strand of ambiguous ones is not known.
_MOST_TURNED: Final = 0.01


class Fit(IntEnum):
    """How the alleles of a marker of the new file compare with those of the wanted one."""

    OTHER = 0
    SAME = 1
    SWAPPED = 2
    SAME_OTHER_STRAND = 3
    SWAPPED_OTHER_STRAND = 4
    WITHOUT_LETTERS = 5


#: Fits from the best to the worst.
_RANK: Final = MappingProxyType(
    {
        Fit.SAME: 0,
        Fit.SWAPPED: 0,
        Fit.SAME_OTHER_STRAND: 1,
        Fit.SWAPPED_OTHER_STRAND: 1,
        Fit.WITHOUT_LETTERS: 2,
    }
)


@dataclass(frozen=True, kw_only=True)
class MarkerMatch:
    """Where each wanted marker is in another file.

    Attributes
    ----------
    column
        (m,) column of the other file, -1 where the marker is not there or its alleles are others.
    swapped
        (m,) whether the other file counts the other allele.
    by_place
        Whether markers were matched by contig and position; by name otherwise.
    renamed
        Contigs that were matched although they are written differently, as (wanted, found).
    other_strand
        Markers whose letters are those of the other strand.
    ambiguous
        Markers with alleles A and T or C and G, which look the same on both strands.
    ambiguous_left_out
        Of these, how many were left out because the file gives over 1 % of the other markers on the other
        strand.
    other_alleles
        Markers at the right place or of the right name with other alleles; they count as missing.
    without_letters
        Markers matched without comparing alleles, because one of the two files names none.
    repeated
        Wanted markers that the other file has more than once; the first that fits is used.
    """

    column: NDArray[np.intp]
    swapped: NDArray[np.bool_]
    by_place: bool
    renamed: tuple[tuple[str, str], ...]
    other_strand: int
    ambiguous: int
    ambiguous_left_out: int
    other_alleles: int
    without_letters: int
    repeated: int

    @property
    def matched(self) -> int:
        """Number of wanted markers found."""
        return int(np.count_nonzero(self.column >= 0))

    @property
    def share(self) -> float:
        """Share of the wanted markers found."""
        return self.matched / max(len(self.column), 1)

    def dosage(self, genotypes: Genotypes) -> NDArray[np.int8] | NDArray[np.float32]:
        """Dosages of the wanted alleles in the other file.

        Parameters
        ----------
        genotypes
            The file that was matched, c accessions.

        Returns
        -------
        ndarray
            (c, m) in the order of the wanted markers; missing is -1 or NaN, as in ``genotypes.dosage``.
        """
        found = genotypes.dosage[:, np.maximum(self.column, 0)]
        missing = ~(found >= 0) | (self.column < 0)[None, :]
        turned = np.flatnonzero(self.swapped)
        found[:, turned] = genotypes.ploidy[:, None] - found[:, turned]
        found[missing] = np.nan if np.issubdtype(found.dtype, np.floating) else -1
        return found

    def notes(self) -> tuple[str, ...]:
        """Sentences about the match.

        Returns
        -------
        tuple of str
            One fact a sentence.
        """
        m, way = len(self.column), "place and alleles" if self.by_place else "name"
        found = [f"{self.matched:,} of {m:,} markers of the model are in the file, matched by {way}."]
        swapped = int(np.count_nonzero(self.swapped & (self.column >= 0)))
        if swapped:
            found.append(f"{swapped:,} of them count the other allele and were turned.")
        if self.renamed:
            listed = ", ".join(f"{there} as {wanted}" for wanted, there in self.renamed[:4])
            more = ", ..." if len(self.renamed) > 4 else ""
            found.append(f"Contigs are named differently and were matched: {listed}{more}.")
        if self.other_strand:
            found.append(f"{self.other_strand:,} of them are written for the other strand.")
        if self.ambiguous_left_out:
            found.append(
                f"Left out: {counted(self.ambiguous_left_out, 'marker')} with alleles A and T or C and G; "
                "their strand cannot be known, and the file writes other markers for the other strand."
            )
        elif self.ambiguous:
            found.append(
                f"Used as written: {counted(self.ambiguous, 'marker')} with alleles A and T or C and G, "
                "which look the same on both strands."
            )
        if self.without_letters:
            found.append(
                f"Matched without alleles: {counted(self.without_letters, 'marker')}, because a file "
                "names none; both files are assumed to count the same allele."
            )
        if self.other_alleles:
            found.append(
                f"Counted as missing: {counted(self.other_alleles, 'marker')} with other alleles in the file."
            )
        if self.repeated:
            found.append(
                f"More than once in the file: {counted(self.repeated, 'marker')}; the first was used."
            )
        return tuple(found)


def match_markers(wanted: Markers, found: Markers) -> MarkerMatch:
    """Find wanted markers among those of another file.

    Markers are matched by contig and position where both files give places, else by name; where both ways are
    possible, the way that finds more is used. Contigs match when their names are equal after case, a leading
    "chr" and leading zeros are removed. Among markers of one place, one with the same alleles (in either
    order, on either strand) is chosen, preferably of the same name; no marker of the file is used twice.

    Parameters
    ----------
    wanted, found
        Markers of the model and of the other file.

    Returns
    -------
    MarkerMatch
        For each wanted marker its column in the other file, and how it was found.

    Examples
    --------
    >>> def markers(names, contig, places, counted, other):
    ...     words = [np.array(each, dtype=object) for each in (names, contig, counted, other)]
    ...     return Markers(words[0], words[1], np.array(places), words[2], words[3])
    >>> wanted = markers(["a", "b"], ["chr1", "chr1"], [10, 20], ["A", "C"], ["G", "T"])
    >>> found = markers(["x", "y"], ["1", "1"], [20, 10], ["T", "A"], ["C", "G"])
    >>> match = match_markers(wanted, found)
    >>> match.column.tolist(), match.swapped.tolist()
    ([1, 0], [False, True])
    """
    ways = [_match(wanted, found, by_place=False)]
    if _placed(wanted) and _placed(found):
        ways.insert(0, _match(wanted, found, by_place=True))
    return max(ways, key=lambda match: match.matched)


def _placed(markers: Markers) -> bool:
    """Whether most markers have a place."""
    return bool(len(markers)) and float(np.mean((markers.position >= 0) & (markers.contig != ""))) > 0.5


def _match(wanted: Markers, found: Markers, *, by_place: bool) -> MarkerMatch:
    aliases = contig_aliases(set(wanted.contig), set(found.contig)) if by_place else {}
    columns: dict[object, list[int]] = {}
    for number, key in enumerate(_keys(found, aliases, by_place=by_place)):
        if key is not None:
            columns.setdefault(key, []).append(number)
    m = len(wanted)
    column, fits = np.full(m, -1, dtype=np.intp), np.zeros(m, dtype=np.int64)
    other_alleles = repeated = 0
    for row, key in enumerate(_keys(wanted, {}, by_place=by_place)):
        among = columns.get(key, []) if key is not None else []
        good = sorted(
            (_RANK[fit], found.identifier[other] != wanted.identifier[row], other, fit)
            for other in among
            if (fit := _fit(wanted, row, found, other)) != Fit.OTHER
        )
        if good:
            _, _, column[row], fits[row] = good[0]
            # Another wanted marker of the same place takes another column.
            among.remove(int(column[row]))
            repeated += len(good) > 1
        elif among:
            other_alleles += 1
    ambiguous = np.array([_is_ambiguous(wanted, row) for row in range(m)], dtype=bool) & (column >= 0)
    turned = (fits == Fit.SAME_OTHER_STRAND) | (fits == Fit.SWAPPED_OTHER_STRAND)
    unambiguous = int(np.count_nonzero(column >= 0)) - int(np.count_nonzero(ambiguous))
    left_out = ambiguous & (int(np.count_nonzero(turned)) > _MOST_TURNED * unambiguous)
    column[left_out] = -1
    used = {(contig, aliases_of) for aliases_of, contig in aliases.items() if aliases_of != contig}
    return MarkerMatch(
        column=column,
        swapped=np.isin(fits, [Fit.SWAPPED, Fit.SWAPPED_OTHER_STRAND]),
        by_place=by_place,
        renamed=tuple(sorted(used)),
        other_strand=int(np.count_nonzero(turned)),
        ambiguous=int(np.count_nonzero(ambiguous)),
        ambiguous_left_out=int(np.count_nonzero(left_out)),
        other_alleles=other_alleles,
        without_letters=int(np.count_nonzero((fits == Fit.WITHOUT_LETTERS) & (column >= 0))),
        repeated=repeated,
    )


def _keys(markers: Markers, aliases: dict[str, str], *, by_place: bool) -> Iterable[object]:
    """What identifies each marker; None where it has none."""
    if by_place:
        for contig, position in zip(markers.contig, markers.position.tolist(), strict=True):
            yield (aliases.get(contig, contig), position) if contig and position >= 0 else None
    else:
        for name in markers.identifier:
            yield name if name not in ("", ".") else None


def contig_aliases(wanted: set[str], found: set[str]) -> dict[str, str]:
    """Name among the wanted contigs of each found one, by names without case, "chr" and leading zeros.

    Parameters
    ----------
    wanted, found
        Names of contigs.

    Returns
    -------
    dict of str to str
        Wanted name by found name; a found one without a single counterpart is left out.

    Examples
    --------
    >>> contig_aliases({"chr1", "chr02"}, {"1", "chr02", "3"})
    {'chr02': 'chr02', '1': 'chr1'}
    """
    plain: dict[str, list[str]] = {}
    for name in sorted(wanted):
        plain.setdefault(plain_contig(name), []).append(name)
    aliases = {name: name for name in found & wanted}
    for name in sorted(found - wanted):
        same = [other for other in plain.get(plain_contig(name), ()) if other not in aliases.values()]
        if len(same) == 1:
            aliases[name] = same[0]
    return aliases


def plain_contig(contig: str) -> str:
    """A contig's name without case, "chr" and leading zeros.

    Parameters
    ----------
    contig
        The name as a file has it.

    Returns
    -------
    str
        The plain name.

    Examples
    --------
    >>> plain_contig("Chr01"), plain_contig("1")
    ('1', '1')
    """
    return _PREFIX.sub("", contig.strip()).lower().lstrip("0") or "0"


def _fit(wanted: Markers, row: int, found: Markers, column: int) -> Fit:
    ours = (str(wanted.counted[row]).upper(), str(wanted.other[row]).upper())
    theirs = (str(found.counted[column]).upper(), str(found.other[column]).upper())
    if not any(ours) or not any(theirs):
        return Fit.WITHOUT_LETTERS
    turned = (_reverse_complement(theirs[0]), _reverse_complement(theirs[1]))
    for letters, same, swapped in (
        (theirs, Fit.SAME, Fit.SWAPPED),
        (turned, Fit.SAME_OTHER_STRAND, Fit.SWAPPED_OTHER_STRAND),
    ):
        if _agree(ours, letters):
            return same
        if _agree(ours, letters[::-1]):
            return swapped
    return Fit.OTHER


def _agree(ours: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """Whether the letters that both name are equal, and there are some."""
    named = [(one, other) for one, other in zip(ours, theirs, strict=True) if one and other]
    return bool(named) and all(one == other for one, other in named)


def _is_ambiguous(markers: Markers, row: int) -> bool:
    counted, other = str(markers.counted[row]).upper(), str(markers.other[row]).upper()
    return bool(counted) and bool(other) and _reverse_complement(counted) == other


def _reverse_complement(letters: str) -> str:
    return letters.translate(_COMPLEMENT)[::-1]
