"""Which accession is which: a comparison of the ids of genotypes and phenotypes.

Ids are never renamed. Names that may belong to one accession are reported, and the user corrects them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os.path import commonprefix
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes

#: Similarity by state above which two accessions are reported as one line under two names.
IDENTICAL: Final = 0.99
_MOST_MARKERS, _FEWEST_MARKERS = 20_000, 2_000
# Markers x accessions^2 that one comparison may cost, about ten seconds of one core.
_BUDGET: Final = 2.0e11
_FEWEST_JOINT: Final = 100
_ROWS: Final = 512
_LISTED: Final = 1_000


@dataclass(frozen=True)
class IdenticalPair:
    """Two accessions that are identical by state at nearly all of their ``markers`` joint calls.

    Attributes
    ----------
    first, second
        Ids of the two accessions.
    similarity
        Share of joint calls that are identical by state (0 to 1).
    markers
        Number of joint calls.
    """

    first: str
    second: str
    similarity: float
    markers: int


@dataclass(frozen=True)
class IdentityReport:
    """What the accession ids of genotypes and phenotypes have in common.

    Attributes
    ----------
    in_both, only_genotyped, only_phenotyped
        Ids in the order of their file, each once.
    near_misses
        (genotype id, phenotype id) that differ only by case, spaces, underscores, hyphens, dots, leading
        zeros, or the X that R puts before a number.
    genotype_duplicates, phenotype_duplicates
        Ids that stand more than once, with how often.
    identical
        The most similar pairs of differently named accessions above :data:`IDENTICAL`, at most 1,000.
    identical_count
        How many there are in all.
    markers_compared, markers
        Polymorphic markers the pairs were compared at, out of how many markers; 0 without genotypes.
    """

    in_both: tuple[str, ...]
    only_genotyped: tuple[str, ...]
    only_phenotyped: tuple[str, ...]
    near_misses: tuple[tuple[str, str], ...] = ()
    genotype_duplicates: Mapping[str, int] = field(default_factory=dict)
    phenotype_duplicates: Mapping[str, int] = field(default_factory=dict)
    identical: tuple[IdenticalPair, ...] = ()
    identical_count: int = 0
    markers_compared: int = 0
    markers: int = 0

    def __repr__(self) -> str:
        return (
            f"IdentityReport({len(self.in_both):,} accessions in both, {len(self.only_genotyped):,} only "
            f"genotyped, {len(self.only_phenotyped):,} only phenotyped)"
        )

    def left_out(self) -> tuple[str, ...]:
        """Which phenotyped accessions have no genotypes, and which names may be theirs.

        Returns
        -------
        tuple of str
            A sentence for each fact, none where every phenotyped accession has genotypes.

        Examples
        --------
        >>> identity_report(["B73", "Mo17"], ["B73", "MO17"]).left_out()[0]
        '1 phenotyped accession has no genotypes and takes no part: MO17.'
        """
        if not self.only_phenotyped:
            return ()
        one = len(self.only_phenotyped) == 1
        have = "has no genotypes and takes" if one else "have no genotypes and take"
        count = counted(len(self.only_phenotyped), "phenotyped accession")
        found = [f"{count} {have} no part: {_some(self.only_phenotyped)}."]
        if self.near_misses:
            found.append(self._near())
        return tuple(found)

    def _near(self) -> str:
        pairs = _some([f"{left!r} and {right!r}" for left, right in self.near_misses])
        return f"Spelled almost alike in genotypes and phenotypes: {pairs}; nothing was renamed."

    def sentences(self) -> list[str]:
        """The report for people, one fact a sentence.

        Returns
        -------
        list of str
            Sentences in a fixed order.
        """
        have = "has" if len(self.in_both) == 1 else "have"
        found = [
            f"{counted(len(self.in_both), 'accession')} {have} both genotypes and phenotypes, "
            f"{len(self.only_genotyped)} only genotypes, {len(self.only_phenotyped)} only phenotypes."
        ]
        if self.near_misses:
            found.append(self._near())
        if self.genotype_duplicates:
            found.append(f"More than once in the genotypes: {_some(self.genotype_duplicates)}.")
        if self.phenotype_duplicates:
            found.append(f"More than once in the phenotypes: {_some(self.phenotype_duplicates)}.")
        if self.markers:
            found.append(self._of_state())
        return found

    def _of_state(self) -> str:
        compared = counted(self.markers_compared, "polymorphic marker")
        basis = f"at {compared}, chosen evenly out of {self.markers:,}"
        if not self.identical_count:
            return f"No two accessions are identical by state above {IDENTICAL} {basis}."
        pairs = _some([f"{p.first} and {p.second} ({p.similarity:.4f})" for p in self.identical])
        pair = counted(self.identical_count, "pair")
        what = f"{pair} of accessions with an identity by state above {IDENTICAL}"
        return f"{what} {basis}: {pairs}."

    def as_dict(self) -> dict[str, Any]:
        """The report for machines (JSON).

        Returns
        -------
        dict
            Fields by name, without NumPy types.
        """
        return asdict(self)


def identity_report(
    genotype_ids: Iterable[str], phenotype_ids: Iterable[str], genotypes: Genotypes | None = None
) -> IdentityReport:
    """Compare the ids of genotypes and phenotypes.

    Parameters
    ----------
    genotype_ids, phenotype_ids
        Ids as their files write them. One of the two may be empty when only one file is looked at.
    genotypes
        Where given, pairs of accessions are also compared marker by marker.

    Returns
    -------
    IdentityReport
        Ids in both, in one only, repeated or spelled almost alike, and pairs of identical accessions.

    Raises
    ------
    BudwoodError
        If both have ids and none is common.

    Examples
    --------
    >>> report = identity_report(["B73", "Mo17"], ["B73", "MO17"])
    >>> report.in_both, report.near_misses
    (('B73',), (('Mo17', 'MO17'),))
    """
    genotyped, phenotyped = Counter(genotype_ids), Counter(phenotype_ids)
    both = tuple(name for name in genotyped if name in phenotyped)
    near = tuple(_near_misses(genotyped, phenotyped))
    if genotyped and phenotyped and not both:
        raise _nothing_common(genotyped, phenotyped, near)
    pairs, count, compared = _identical(genotypes) if genotypes is not None else ((), 0, 0)
    return IdentityReport(
        both,
        tuple(name for name in genotyped if name not in phenotyped),
        tuple(name for name in phenotyped if name not in genotyped),
        near,
        {name: n for name, n in genotyped.items() if n > 1},
        {name: n for name, n in phenotyped.items() if n > 1},
        pairs,
        count,
        compared,
        len(genotypes.markers) if genotypes is not None else 0,
    )


def _nothing_common(
    genotyped: Mapping[str, int], phenotyped: Mapping[str, int], near: Sequence[tuple[str, str]]
) -> BudwoodError:
    if near:
        pairs = _some([f"{left!r} and {right!r}" for left, right in near])
        mend = f"spell the ids alike in both files; {len(near)} differ only slightly: {pairs}"
    elif (affix := _affix(genotyped, phenotyped)) is not None:
        mend = f"write the same ids in both files; {affix}"
    else:
        mend = (
            f"check the files; genotypes have {_some(genotyped, 3)}, phenotypes have {_some(phenotyped, 3)}"
        )
    return BudwoodError("genotypes and phenotypes have no accession in common", mend=mend)


def _affix(genotyped: Collection[str], phenotyped: Collection[str]) -> str | None:
    """The text that one file writes before each id of the other, as a clause; None when there is none."""
    for longer, shorter, whose in (
        (phenotyped, genotyped, "the phenotypes have {!r} before the genotypes' ids"),
        (genotyped, phenotyped, "the genotypes have {!r} before the phenotypes' ids"),
    ):
        before = commonprefix(list(longer))  # noqa: RUF071 - characters are meant, these are no paths
        bare = {name[len(before) :] for name in longer}
        # Half is enough: either file may list accessions that the other lacks.
        if before and 2 * len(bare & set(shorter)) >= min(len(bare), len(set(shorter))):
            return whose.format(before)
    return None


def _near_misses(genotyped: Iterable[str], phenotyped: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    alike: dict[str, list[str]] = {}
    for name in phenotyped:
        alike.setdefault(_spelling(name), []).append(name)
    for name in genotyped:
        for other in alike.get(_spelling(name), []):
            if other != name:
                yield name, other


def _spelling(name: str) -> str:
    """An id without what people and programs write differently; runs of digits stay apart."""
    folded = re.sub(r"(?<=\d)[\s_.\-]+(?=\d)", "|", name.casefold().strip())
    folded = re.sub(r"[\s_.\-]+", "", folded)
    return re.sub(r"^x(?=\d)|(?<!\d)0+(?=\d)", "", folded)


def _identical(genotypes: Genotypes) -> tuple[tuple[IdenticalPair, ...], int, int]:
    """Pairs above the threshold (the most similar of them), their number, and the markers used."""
    copies, ploidy = _sampled_copies(genotypes)
    names = genotypes.accessions
    found: list[tuple[float, int, int, int]] = []
    count = 0
    for top in range(0, len(names), _ROWS):
        upper = _Signs.of(copies[top : top + _ROWS], ploidy)
        for left in range(top, len(names), _ROWS):
            lower = upper if left == top else _Signs.of(copies[left : left + _ROWS], ploidy)
            similarity, joint = upper.similarity(lower)
            rows, columns = np.nonzero((similarity > IDENTICAL) & (joint >= _FEWEST_JOINT))
            for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
                if top + i < left + j and names[top + i] != names[left + j]:
                    count += 1
                    found.append((float(similarity[i, j]), top + i, left + j, int(joint[i, j])))
            found = sorted(found, key=lambda pair: (-pair[0], *pair[1:]))[:_LISTED]
    pairs = tuple(IdenticalPair(names[i], names[j], round(s, 6), joint) for s, i, j, joint in found)
    return pairs, count, copies.shape[1]


def _sampled_copies(genotypes: Genotypes) -> tuple[NDArray[np.int8], int]:
    """Whole copies of the counted allele on the scale of the highest ploidy, -1 missing.

    Markers are taken evenly along the matrix, as many as the time allows; those at which all accessions
    are alike tell nothing and are dropped.
    """
    n, m = genotypes.dosage.shape
    if not n or not m:
        return np.empty((n, 0), dtype=np.int8), 1
    most = int(np.clip(_BUDGET / n**2, _FEWEST_MARKERS, _MOST_MARKERS))
    columns = np.unique(np.linspace(0, m - 1, min(m, most)).astype(np.intp))
    ploidy = int(genotypes.ploidy.max())
    dosage = genotypes.dosage[:, columns]
    if dosage.dtype != np.int8 or np.any(genotypes.ploidy != ploidy):
        scale = (ploidy / genotypes.ploidy).astype(np.float32)
        scaled = np.rint(np.where(dosage >= 0, dosage, np.nan) * scale[:, None])
        copies = np.nan_to_num(scaled, nan=-1.0).astype(np.int8)
    else:
        copies = dosage.astype(np.int8)
    lowest = np.where(copies < 0, np.int8(127), copies).min(axis=0)
    return copies[:, lowest < copies.max(axis=0)], ploidy


@dataclass(frozen=True)
class _Signs:
    """Thresholded copies of some accessions, ready for matrix products.

    For t = 1..ploidy, ``signs[t - 1]`` is +1 where an accession has at least t copies, -1 where it has
    fewer and 0 where it was not called. Summed over t, the product of two accessions' signs at a marker
    is ploidy - 2 |difference of copies|, so similarity by state (1 - mean |difference| / ploidy) comes
    from products alone.
    """

    signs: tuple[NDArray[np.float32], ...]
    called: NDArray[np.float32]

    @classmethod
    def of(cls, copies: NDArray[np.int8], ploidy: int) -> _Signs:
        called = (copies >= 0).astype(np.float32)
        signs = tuple(
            np.where(copies >= t, np.float32(1), np.float32(-1)) * called for t in range(1, ploidy + 1)
        )
        return cls(signs, called)

    def similarity(self, other: _Signs) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Similarity by state of every pair, and the number of markers both were called at."""
        joint = self.called @ other.called.T
        agreement = sum(
            (mine @ theirs.T for mine, theirs in zip(self.signs, other.signs, strict=True)),
            start=np.zeros_like(joint),
        )
        return 0.5 + agreement / (2 * len(self.signs) * np.maximum(joint, 1)), joint


def _some(names: Iterable[str], most: int = 8) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
