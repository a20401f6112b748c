"""Distinct window sequences of a panel, from a genotype file and a reference genome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from budwood.errors import BudwoodError
from budwood.genomics.checks.reference_check import ReferenceCheck, check_reference
from budwood.genomics.haplotypes.assumptions import describe_assumptions
from budwood.genomics.haplotypes.referenced_calls import ReferencedCalls
from budwood.genomics.haplotypes.table import HaplotypeTable, tabulate_haplotypes
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.text.given_path import given_path
from budwood.genomics.io.variants.open_genotypes import open_calls
from budwood.genomics.io.variants.vcf.reader import VcfCalls


@dataclass(frozen=True, kw_only=True, eq=False)
class PanelHaplotypes:
    """Distinct window sequences of a panel, and how its alleles fit the reference.

    Attributes
    ----------
    table
        The sequences and who carries which.
    check
        Share of the alleles that the reference confirms.
    assumptions
        What reading the genotypes took for granted, one phrase each.
    """

    table: HaplotypeTable
    check: ReferenceCheck
    assumptions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"PanelHaplotypes({self.table!r})"

    def notes(self) -> tuple[str, ...]:
        """What was read and assumed, one sentence each.

        Returns
        -------
        tuple[str, ...]
            Sentences.
        """
        return (
            *(f"Genotypes: {assumption}." for assumption in self.assumptions),
            *self.check.sentences(),
            *(f"Sequence: {what}." for what in describe_assumptions(self.table.assumptions)),
        )


def read_haplotypes(
    genotypes: Path, reference: Path, *, ploidy: int | None = None, aliases: Mapping[str, str] | None = None
) -> PanelHaplotypes:
    """Check the alleles against the reference and find the distinct sequences of every window.

    Parameters
    ----------
    genotypes
        File with allele letters: VCF, BCF, PLINK bed or HapMap.
    reference
        FASTA of the genome that the genotypes refer to.
    ploidy
        Copies per accession; read from the file where None.
    aliases
        Contig names of the genotypes and what the reference calls them.

    Returns
    -------
    PanelHaplotypes
        The haplotype table and how the alleles fit the reference.

    Raises
    ------
    BudwoodError
        If a file cannot be read, the alleles do not fit the reference, or no variant changes it.
    """
    calls, assembly = open_calls(Path(genotypes), ploidy=ploidy), open_fasta(Path(reference))
    either = not isinstance(calls, VcfCalls)
    check = check_reference(calls, assembly, aliases=aliases, either_allele=either)
    referenced = ReferencedCalls(calls, assembly, aliases=aliases, reorder=either)
    table = tabulate_haplotypes(referenced, assembly)
    return PanelHaplotypes(table=table, check=check, assumptions=calls.assumptions)


def build_haplotypes(
    genotypes: Path | str,
    reference: Path | str,
    *,
    ploidy: int | None = None,
    aliases: Mapping[str, str] | None = None,
) -> HaplotypeTable:
    """Distinct window sequences of the accessions of a genotype file.

    Parameters
    ----------
    genotypes, reference, ploidy, aliases
        As for :func:`read_haplotypes`, which also says how the alleles fit the reference.

    Returns
    -------
    HaplotypeTable
        Windows, their distinct sequences, and which accession carries which.

    Raises
    ------
    BudwoodError
        As :func:`read_haplotypes`.

    Examples
    --------
    >>> import tempfile
    >>> from budwood.panel.example import write_example
    >>> files = write_example(tempfile.mkdtemp())
    >>> table = build_haplotypes(files.genotypes, files.reference)
    >>> len(table.windows), len(table.accessions)
    (12, 60)
    """
    variants, genome = given_path(genotypes, "genotypes"), given_path(reference, "reference")
    if not isinstance(aliases, Mapping | None):
        raise BudwoodError(
            f"aliases are of type {type(aliases).__name__}", mend="give names of contigs by name of contig"
        )
    return read_haplotypes(variants, genome, ploidy=ploidy, aliases=aliases).table
