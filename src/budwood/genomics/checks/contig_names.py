"""Which names, offset or strand would make the sites of a genotype file fit an assembly.

Nothing here renames anything: the search measures what would fit, the user decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import counted
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, encode

# What is worth telling: any base agrees with another at a quarter of sites, either of two at a half.
_WORTH_TELLING: Final = 0.9
_FEWEST_SITES, _FEWEST_SITES_BY_SEQUENCE = 8, 20
_SAMPLE: Final = 4_096
_CONTIGS: Final = 64
_SHIFTS: Final = (0, -1, 1)
_PIECE: Final = re.compile(r"(?P<name>.+?)[_:](?P<start>\d+)(?:-|\.\.)(?P<end>\d+)")
_PREFIX: Final = re.compile(r"^(chromosome|chrom|chr|linkage_?group|lg|scaffold|contig)[_\s.-]*(?=[0-9a-z])")


class SiteSample:
    """Single-base sites of one contig, thinned evenly to a few thousand as more come in."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, str]] = []
        self._seen = 0
        self._stride = 1

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, start: int, letters: Sequence[str]) -> None:
        """Offer a site with the alleles that may be the reference's; longer ones are passed over.

        Parameters
        ----------
        start
            0-based position of the site.
        letters
            Its alleles; a site with an allele of several letters is ignored.
        """
        if any(len(allele) != 1 for allele in letters):
            return
        if self._seen % self._stride == 0:
            self._kept.append((start, "".join(letters)))
            if len(self._kept) > _SAMPLE:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._seen += 1

    def arrays(self, most: int = _SAMPLE) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Positions (k,) and which of A, C, G, T each site has (k, 4), at most ``most`` of them.

        Parameters
        ----------
        most
            Number of sites that are returned at most.

        Returns
        -------
        tuple of ndarray
            Positions (k,), 0-based, and for each site which of A, C, G and T it has (k, 4).
        """
        kept = self._kept[:: max(1, -(-len(self._kept) // most))]
        alleles = np.zeros((len(kept), 4), dtype=np.bool_)
        for row, (_, letters) in enumerate(kept):
            alleles[row, encode(letters)] = True
        return np.array([start for start, _ in kept], dtype=np.int64), alleles


@dataclass(frozen=True)
class ContigMatch:
    """One contig of the file read as one of the assembly: ``position + offset`` there is its base.

    Attributes
    ----------
    contig
        The contig's name in the file.
    given
        The name after the aliases that the user gave.
    target
        Name of the contig of the assembly that is tried.
    offset
        Bases to add to a position of the file.
    """

    contig: str
    given: str
    target: str
    offset: int


@dataclass(frozen=True)
class NamingFit:
    """A way of reading all sampled sites, and how many would match.

    ``shift`` moves every position; a reading's own offset (of a piece of a chromosome) comes on top.

    Attributes
    ----------
    readings
        One match for each contig looked at.
    shift
        Bases to add to every position.
    other_strand
        Whether alleles are complemented.
    matching
        Sites whose alleles hold the reference base.
    counted
        Sites compared.
    """

    readings: tuple[ContigMatch, ...]
    shift: int
    other_strand: bool
    matching: int
    counted: int

    @property
    def share(self) -> float:
        """Matching share of the sites compared."""
        return self.matching / self.counted if self.counted else 0.0

    @property
    def as_given(self) -> bool:
        """Whether this is how the file reads already."""
        moved = self.shift or self.other_strand
        return not moved and all(r.given == r.target and not r.offset for r in self.readings)

    def sentence(self) -> str:
        """What would have to change, and what would match then.

        Returns
        -------
        str
            Part of a sentence, with the share of sites that would match.
        """
        changes = []
        renamed = [f"{r.contig!r} as {r.target!r}" for r in self.readings if r.given != r.target]
        if renamed:
            more = f" and {len(renamed) - 4} more" if len(renamed) > 4 else ""
            changes.append(f"reading contig {', '.join(renamed[:4])}{more}")
        pieces = [f"{r.offset:+,} on {r.contig!r}" for r in self.readings if r.offset]
        if pieces:
            changes.append(f"moving positions by {', '.join(pieces[:4])}")
        if self.shift:
            changes.append(f"moving every position by {self.shift:+d}")
        if self.other_strand:
            changes.append("taking the alleles of the other strand")
        found = f"{self.matching:,} of {counted(self.counted, 'site')} looked at, {100 * self.share:.1f} %"
        return f"{' and '.join(changes)} would fit ({found})"


class NamingSearch:
    """Tries names, offsets and strands on samples of sites.

    Parameters
    ----------
    assembly
        What the sites should fit.
    naming
        Names the user asked to read otherwise already.
    """

    def __init__(self, assembly: Assembly, naming: Mapping[str, str]) -> None:
        self._assembly = assembly
        self._naming = naming
        self._alike: dict[str, list[str]] = {}
        for name in assembly.contigs:
            for key in _keys(name):
                self._alike.setdefault(key, []).append(name)
        lengths = assembly.contigs
        self._longest = sorted(lengths, key=lambda name: -lengths[name])[:_CONTIGS]

    def best(self, samples: Mapping[str, SiteSample]) -> NamingFit | None:
        """The way of reading that makes most sites fit, None when none is worth telling.

        Parameters
        ----------
        samples
            Sites of each contig of the file.

        Returns
        -------
        NamingFit or None
            The reading with the largest share of matching sites, if that share is high enough to report.
        """
        chosen = sorted(samples, key=lambda name: -len(samples[name]))[:_CONTIGS]
        trials = [trial for name in chosen for trial in self._trials(name, samples[name])]
        fits = [_together(trials, way) for way in range(len(_SHIFTS) * 2)]
        best = max(fits, key=lambda fit: (fit.share, fit.counted))
        return best if best.share >= _WORTH_TELLING else None

    def aliases(self, samples: Mapping[str, SiteSample]) -> dict[str, str]:
        """For each contig the name in the assembly that fits as it is, where there is one.

        Parameters
        ----------
        samples
            Sites of each contig of the file.

        Returns
        -------
        dict
            Contig of the assembly by contig of the file.
        """
        found = {}
        for contig in sorted(samples, key=lambda name: -len(samples[name]))[:_CONTIGS]:
            fit = self.best({contig: samples[contig]})
            if fit is not None and not (fit.shift or fit.other_strand or fit.readings[0].offset):
                found[contig] = fit.readings[0].target
        return found

    def _trials(self, contig: str, sample: SiteSample) -> Iterator[_Trial]:
        """Counts for the names that look alike; where none fits, for the longest contigs by sequence."""
        given = self._naming.get(contig, contig)
        alike = dict.fromkeys(name for key in _keys(given) for name in self._alike.get(key, []))
        if given in self._assembly.contigs:
            alike = {given: None} | alike
        fitting = False
        for target in alike:
            for offset in _offsets(given, target):
                trial = self._trial(
                    ContigMatch(contig, given, target, offset), sample, _SAMPLE, _FEWEST_SITES
                )
                fitting |= trial.best_share >= _WORTH_TELLING
                yield trial
        if not fitting:
            few = _SAMPLE // 16
            for target in self._longest:
                yield self._trial(
                    ContigMatch(contig, given, target, 0), sample, few, _FEWEST_SITES_BY_SEQUENCE
                )

    def _trial(self, reading: ContigMatch, sample: SiteSample, most: int, fewest: int) -> _Trial:
        starts, alleles = sample.arrays(most)
        bases = np.full((len(starts), 3), N, dtype=np.uint8)
        length = self._assembly.contigs[reading.target]
        for row, start in enumerate((starts + reading.offset).tolist()):
            low, high = max(0, start - 1), min(length, start + 2)
            if low < high:
                piece = self._assembly.sequence(Interval(reading.target, low, high))
                bases[row, low - start + 1 : high - start + 1] = piece
        known = bases < N
        rows = np.arange(len(starts))
        matching, counted = [], []
        for other_strand in (False, True):
            for shift in _SHIFTS:
                here, real = bases[:, 1 + shift], known[:, 1 + shift]
                # Codes 0..3 are A C G T, so that 3 - code is the complement.
                letter = np.where(real, 3 - here if other_strand else here, 0)
                matching.append(int(np.count_nonzero(alleles[rows, letter] & real)))
                counted.append(int(np.count_nonzero(real)))
        return _Trial(reading, tuple(matching), tuple(counted), fewest)


@dataclass(frozen=True)
class _Trial:
    """Counts of one reading for every shift and strand (six ways)."""

    reading: ContigMatch
    matching: tuple[int, ...]
    counted: tuple[int, ...]
    fewest: int

    def share(self, way: int) -> float:
        enough = self.counted[way] >= self.fewest
        return self.matching[way] / self.counted[way] if enough else -1.0

    @property
    def best_share(self) -> float:
        return max(self.share(way) for way in range(len(self.counted)))


def _together(trials: Sequence[_Trial], way: int) -> NamingFit:
    """Every contig by its best reading, all with the same shift and strand."""
    best: dict[str, _Trial] = {}
    for trial in trials:
        contig = trial.reading.contig
        if trial.share(way) >= 0 and (contig not in best or trial.share(way) > best[contig].share(way)):
            best[contig] = trial
    return NamingFit(
        tuple(trial.reading for trial in best.values()),
        _SHIFTS[way % len(_SHIFTS)],
        way >= len(_SHIFTS),
        sum(trial.matching[way] for trial in best.values()),
        sum(trial.counted[way] for trial in best.values()),
    )


def _offsets(given: str, target: str) -> set[int]:
    """Offsets that pieces of chromosomes ask for (``Chr5_25975502-26975502``), and none."""
    return {0, _piece_start(given) - _piece_start(target)}


def _piece_start(name: str) -> int:
    piece = _PIECE.fullmatch(name)
    return int(piece["start"]) - 1 if piece else 0


def _keys(name: str) -> set[str]:
    """What a contig's name comes down to: Chr2, chr02, 2, LG2, Chromosome_02 and Tc02 share ``2``."""
    piece = _PIECE.fullmatch(name)
    folded = (piece["name"] if piece else name).casefold()
    bare = re.sub(r"(?<![0-9])0+(?=[0-9])", "", _PREFIX.sub("", folded))
    digits = re.search(r"([0-9]+)$", bare)
    return {bare, digits[1]} if digits else {bare}
