"""Whether genotypes and annotation belong to a reference genome, and if not, what would fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from budwood.errors import BudwoodError, counted
from budwood.genomics.annotation.genes import Annotation, Signal
from budwood.genomics.assembly import Assembly, check_interval
from budwood.genomics.checks.contig_names import NamingFit, NamingSearch, SiteSample
from budwood.genomics.haplotypes.calls import CallSource, Site
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import decode

#: Share of counted sites whose REF must stand in the assembly.
REQUIRED_SHARE: Final = 0.99
# Consecutive sites within so many bases are checked against one read of the assembly.
_READ: Final = 1 << 20
_FEWEST_STARTS: Final = 20
_PLAIN: Final = re.compile(r"[ACGT]+")


@dataclass(frozen=True)
class ReferenceCheck:
    """How the alleles of a genotype file fit an assembly.

    Attributes
    ----------
    sites
        Sites on contigs that the assembly has.
    counted, matching
        Sites without N (or a symbolic allele) that were compared, and those that match.
    past_end
        Counted sites that lie past the end of their contig; they do not match.
    missing_contigs
        Contigs the assembly does not have, with their number of sites; these are not counted.
    offered_aliases
        Names of the assembly that would fit the missing contigs, by their sequence; not applied.
    applied_aliases
        The naming given by the user, as far as the file has those contigs.
    either_allele
        Whether a site matched when any of its alleles is the reference base, the weaker test for files
        that do not say which allele is the reference's.
    """

    sites: int
    counted: int
    matching: int
    past_end: int = 0
    missing_contigs: Mapping[str, int] = field(default_factory=dict)
    offered_aliases: Mapping[str, str] = field(default_factory=dict)
    applied_aliases: Mapping[str, str] = field(default_factory=dict)
    either_allele: bool = False

    @property
    def share(self) -> float:
        """Matching share of the counted sites, 0 when none could be counted."""
        return self.matching / self.counted if self.counted else 0.0

    def sentences(self) -> list[str]:
        """The check for people, one fact a sentence.

        Returns
        -------
        list of str
            Sentences in a fixed order.
        """
        what = "One of the alleles" if self.either_allele else "REF"
        matching = f"{self.matching:,} of {counted(self.counted, 'site')} ({_percent(self.share)})"
        found = [f"{what} is the reference base at {matching}."]
        if self.either_allele:
            found.append("The file does not say which allele is the reference's, so either could match.")
        if self.past_end:
            found.append(f"{self.past_end:,} sites lie past the end of their contig.")
        if self.sites > self.counted:
            found.append(
                f"{self.sites - self.counted:,} sites with N or a symbolic allele were not compared."
            )
        if self.missing_contigs:
            names = _some(f"{name} ({counted(n, 'site')})" for name, n in self.missing_contigs.items())
            found.append(f"Not in the reference, left out: {names}.")
        if self.offered_aliases:
            pairs = _some(f"{name} as {other}" for name, other in self.offered_aliases.items())
            found.append(f"By their sequence these contigs would fit: {pairs}; nothing was renamed.")
        return found

    def as_dict(self) -> dict[str, Any]:
        """The check for machines (JSON).

        Returns
        -------
        dict
            Fields by name, and the share of sites that match.
        """
        return asdict(self) | {"share": self.share}


def check_reference(
    source: CallSource,
    assembly: Assembly,
    *,
    aliases: Mapping[str, str] | None = None,
    either_allele: bool = False,
) -> ReferenceCheck:
    """Compare the REF allele of every site with the assembly, streaming.

    Parameters
    ----------
    source
        A genotype file with letters.
    assembly
        The reference to compare with.
    aliases
        Contig names of the file that the user wants read as names of the assembly.
    either_allele
        Count a site as matching when any allele is the reference base (PLINK's A1 and A2 do not tell
        which is the reference's).

    Returns
    -------
    ReferenceCheck
        Sites read, compared and matching, contigs left out, and names that would fit.

    Raises
    ------
    BudwoodError
        If the file has no letters, no contig is in the assembly, or fewer than 99 % of the counted sites
        match. The sentence names what would fit: another contig naming, an offset or the other strand.
    """
    if not source.has_letters:
        raise BudwoodError(
            "the genotypes have no allele letters to compare with the reference",
            mend="give a VCF, PLINK or HapMap file, or leave out the reference",
        )
    naming = dict(aliases or {})
    tally = _Tally(assembly, naming, either_allele)
    for block in source.blocks():
        tally.add(block.sites)
    present = {name: n for name, n in tally.sites.items() if naming.get(name, name) in assembly.contigs}
    missing = {name: n for name, n in tally.sites.items() if name not in present}
    search = NamingSearch(assembly, naming)
    if missing and not present:
        raise _none_found(missing, assembly, search.best(tally.samples))
    check = ReferenceCheck(
        sum(present.values()),
        tally.counted,
        tally.matching,
        tally.past_end,
        missing,
        search.aliases({name: tally.samples[name] for name in missing}),
        {name: other for name, other in naming.items() if name in tally.sites},
        either_allele,
    )
    if check.counted and check.share < REQUIRED_SHARE:
        raise _too_few(check, search.best(tally.samples))
    return check


@dataclass(frozen=True)
class AnnotationCheck:
    """How an annotation fits an assembly.

    Attributes
    ----------
    genes
        Genes on contigs that the assembly has.
    start_codons, atg
        Start codons of their coding sequences, and those that read ATG.
    missing_contigs
        Contigs the assembly does not have, with their number of genes.
    """

    genes: int
    start_codons: int
    atg: int
    missing_contigs: Mapping[str, int] = field(default_factory=dict)


def check_annotation(annotation: Annotation, assembly: Assembly) -> AnnotationCheck:
    """Whether the genes lie where the assembly has coding sequence.

    Parameters
    ----------
    annotation
        Genes to check.
    assembly
        The reference to compare with.

    Returns
    -------
    AnnotationCheck
        Genes and start codons counted, and contigs that the reference lacks.

    Raises
    ------
    BudwoodError
        If no contig of the annotation is in the assembly, a gene runs past the end of its contig, or most
        start codons (of at least 20) do not read ATG: the annotation is of another assembly.
    """
    lengths = assembly.contigs
    missing = Counter(gene.contig for gene in annotation.genes if gene.contig not in lengths)
    here = [gene for gene in annotation.genes if gene.contig in lengths]
    if missing and not here:
        where = f"the annotation has {_some(missing)}; the reference has {_some(lengths)}"
        raise BudwoodError(
            "no contig of the annotation is in the reference", where=where, mend="name the contigs alike"
        )
    for gene in here:
        check_interval(Interval(gene.contig, gene.start, gene.end), lengths, f"gene {gene.name}")
    starts = [signal for signal in annotation.start_codons() if signal.contig in lengths]
    codons = Counter(_codon(assembly, signal) for signal in starts)
    atg = codons["ATG"]
    if len(starts) >= _FEWEST_STARTS and atg < len(starts) / 2:
        raise BudwoodError(
            f"only {atg} of {len(starts)} annotated start codons read ATG",
            mend="give the annotation and the reference of the same assembly",
        )
    return AnnotationCheck(len(here), len(starts), atg, dict(missing))


def _codon(assembly: Assembly, signal: Signal) -> str:
    """The three bases from a signal on, along its strand."""
    low = signal.position if signal.strand == "+" else signal.position - 2
    high = min(low + 3, assembly.contigs[signal.contig])
    return decode(assembly.sequence(Interval(signal.contig, max(0, low), high, signal.strand)))


class _Tally:
    """Counts of a stream of sites, and a sample of each contig's for the search."""

    def __init__(self, assembly: Assembly, naming: Mapping[str, str], either_allele: bool) -> None:
        self._assembly = assembly
        self._lengths = assembly.contigs
        self._naming = naming
        self._either = either_allele
        self.sites: Counter[str] = Counter()
        self.samples: dict[str, SiteSample] = {}
        self.counted = self.matching = self.past_end = 0

    def add(self, sites: Sequence[Site]) -> None:
        """Count a block of sites of one contig."""
        if not sites:
            return
        contig = sites[0].contig
        self.sites[contig] += len(sites)
        sample = self.samples.setdefault(contig, SiteSample())
        plain = []
        for site in sites:
            tested = site.alleles if self._either else site.alleles[:1]
            letters = [allele for allele in tested if _PLAIN.fullmatch(allele)]
            if letters:
                plain.append((site.start, letters))
                sample.add(site.start, letters)
        name = self._naming.get(contig, contig)
        if name in self._lengths:
            for run in _runs(plain):
                self._compare(name, run)

    def _compare(self, name: str, run: list[tuple[int, list[str]]]) -> None:
        length = self._lengths[name]
        low = min(length, min(start for start, _ in run))
        high = min(length, max(start + len(allele) for start, letters in run for allele in letters))
        text = decode(self._assembly.sequence(Interval(name, low, max(low, high))))
        for start, letters in run:
            at = start - low
            if "N" not in text[at : at + max(map(len, letters))]:
                self.counted += 1
                self.matching += any(text.startswith(allele, at) for allele in letters)
                self.past_end += start >= length


def _runs(sites: Iterable[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    """Consecutive sites that lie near enough to be read together."""
    run: list[tuple[int, list[str]]] = []
    for site in sites:
        if run and abs(site[0] - run[0][0]) > _READ:
            yield run
            run = []
        run.append(site)
    if run:
        yield run


def _none_found(missing: Mapping[str, int], assembly: Assembly, fit: NamingFit | None) -> BudwoodError:
    where = f"genotypes have {_some(missing)}; the reference has {_some(assembly.contigs)}"
    if fit is not None:
        mend = f"{fit.sentence()}; rename the contigs in one of the files or give these names as aliases"
    else:
        mend = "no naming of the contigs fits by its sequence; give the reference the positions refer to"
    return BudwoodError("no contig of the genotypes is in the reference", where=where, mend=mend)


def _too_few(check: ReferenceCheck, fit: NamingFit | None) -> BudwoodError:
    allele = "one of the alleles" if check.either_allele else "REF"
    what = (
        f"{allele} is the reference base at only {_percent(check.share)} of {check.counted:,} sites, "
        f"{_percent(REQUIRED_SHARE)} are needed"
    )
    if fit is not None and not fit.as_given and fit.share > check.share:
        mend = f"{fit.sentence()}; change the file accordingly"
    elif check.matching >= REQUIRED_SHARE * (check.counted - check.past_end):
        mend = (
            f"{check.past_end:,} of the others lie past the end of their contig; "
            "give the whole reference, or only the genotypes that it covers"
        )
    else:
        mend = (
            "no other contig naming, offset or strand fits better; "
            "give the reference that the positions refer to"
        )
    return BudwoodError(what, mend=mend)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _some(names: Iterable[str], most: int = 6) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
