"""What input files hold, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from budwood.errors import counted, counted_clause

if TYPE_CHECKING:
    from budwood.genomics.annotation.genes import Annotation
    from budwood.genomics.assembly import AssemblyQuality
    from budwood.genomics.checks.reference_check import AnnotationCheck
    from budwood.genomics.io.tables.phenotypes.phenotype_summary import PhenotypeSummary
    from budwood.genomics.io.variants.open_genotypes import GenotypeSummary

_NAMED = 12


def of_assembly(quality: AssemblyQuality) -> list[str]:
    """Size, contiguity and composition.

    Parameters
    ----------
    quality
        Quality of an assembly.

    Returns
    -------
    list[str]
        Sentences.
    """
    return [
        f"{counted(quality.contigs, 'contig')}, {quality.total:,} bases; N50 {quality.n50:,} "
        f"({counted(quality.l50, 'contig')}).",
        f"{quality.n_share:.1%} N, {quality.soft_masked_share:.1%} soft-masked.",
    ]


def of_genotypes(summary: GenotypeSummary) -> list[str]:
    """Size, kinds of sites and calls, and what was assumed.

    Parameters
    ----------
    summary
        Summary of a genotype file.

    Returns
    -------
    list[str]
        Sentences.
    """
    contigs = f" on {counted(len(summary.contigs), 'contig')}" if any(summary.contigs) else ""
    ploidy = " and ".join(map(str, summary.ploidies)) or "unknown"
    size = f"{counted(summary.accessions, 'accession')} x {counted(summary.sites, 'site')}"
    return [
        f"{summary.format}: {size}{contigs}; ploidy {ploidy}.",
        f"{summary.biallelic:,} biallelic, {summary.multiallelic:,} multi-allelic, "
        f"{summary.monomorphic:,} monomorphic; {summary.indels:,} with indels, "
        f"{summary.symbolic:,} with symbolic alleles.",
        f"{summary.missing_share:.2%} of calls missing, {summary.phased_share:.1%} phased.",
        *(f"Assumed: {assumption}." for assumption in summary.assumptions),
    ]


def of_annotation(annotation: Annotation) -> list[str]:
    """Genes and repeats by class, and what was assumed.

    Parameters
    ----------
    annotation
        Genes and repeats.

    Returns
    -------
    list[str]
        Sentences.
    """
    transcripts = sum(len(gene.transcripts) for gene in annotation.genes)
    coding = sum(any(t.cds for t in gene.transcripts) for gene in annotation.genes)
    classes = Counter(repeat.repeat_class for repeat in annotation.repeats).most_common(_NAMED)
    found = [
        f"{counted(len(annotation.genes), 'gene')} ({coding:,} coding) with "
        f"{counted(transcripts, 'transcript')}, {counted(len(annotation.repeats), 'repeat')}, on "
        f"{counted(len(annotation.contigs), 'contig')}."
    ]
    if classes:
        found.append(f"Repeats by class: {', '.join(f'{name} {n:,}' for name, n in classes)}.")
    assumed = (counted_clause(count, what) for what, count in annotation.assumptions.items())
    return found + [f"Assumed: {clause}." for clause in assumed]


def of_phenotypes(summary: PhenotypeSummary) -> list[str]:
    """Layout, the values of the first traits, and what was assumed and left out.

    Parameters
    ----------
    summary
        Summary of a table of phenotypes.

    Returns
    -------
    list[str]
        Sentences.
    """
    traits = list(summary.values)
    said = [sentence for trait in traits[:_NAMED] for sentence in summary.about(trait)]
    said += [sentence for trait in traits[_NAMED:] for sentence in summary.trait_notes.get(trait, ())]
    more = [f"{len(traits) - _NAMED} more traits."] if len(traits) > _NAMED else []
    return [*summary.sentences(), *said, *more]


def of_contigs(annotated: Iterable[str], assembled: Mapping[str, int]) -> list[str]:
    """Whether the contigs of an annotation are those of a genome.

    Parameters
    ----------
    annotated
        Contigs of the annotation.
    assembled
        Length of each contig of the genome.

    Returns
    -------
    list[str]
        Sentences.
    """
    names = list(annotated)
    absent = [name for name in names if name not in assembled]
    found = [f"{len(names) - len(absent):,} of {len(names):,} annotated contigs are in the genome."]
    return found + ([f"Not in the genome: {', '.join(absent[:_NAMED])}."] if absent else [])


def of_genes(check: AnnotationCheck) -> list[str]:
    """Whether genes begin where the genome has start codons.

    Parameters
    ----------
    check
        How many start codons stand where they should.

    Returns
    -------
    list[str]
        Sentences.
    """
    found = [f"{counted(check.genes, 'gene')} {'lies' if check.genes == 1 else 'lie'} within the genome."]
    if check.start_codons:
        share = check.atg / check.start_codons
        found.append(f"{check.atg:,} of {check.start_codons:,} start codons read ATG ({share:.1%}).")
    return found
