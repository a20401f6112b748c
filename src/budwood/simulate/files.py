"""Write a simulated panel as the files a breeder would have, with the true values beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from budwood.genomics.annotation.genes import Gene
from budwood.genomics.io.text.csv_writer import write_csv
from budwood.genomics.io.variants.vcf.writer import write_vcf
from budwood.simulate.population import Population, PopulationConfig, simulate_population
from budwood.simulate.species import Species, SpeciesConfig, simulate_species
from budwood.simulate.trait import Trait, TraitConfig, simulate_trait

_LINE = 60


@dataclass(frozen=True)
class DemoConfig:
    """Species, population and trait of a simulated panel.

    Attributes
    ----------
    species
        Genome, genes and transposons.
    population
        Lines, breeding pools and their history.
    trait
        Causal variants, heritability and phenotyped lines.
    """

    species: SpeciesConfig = field(default_factory=SpeciesConfig)
    population: PopulationConfig = field(default_factory=PopulationConfig)
    trait: TraitConfig = field(default_factory=TraitConfig)

    @classmethod
    def from_seed(cls, seed: int) -> DemoConfig:
        """Default sizes, with one seed for all three parts.

        Parameters
        ----------
        seed
            0 or more.

        Returns
        -------
        DemoConfig
            The configuration.

        Examples
        --------
        >>> DemoConfig.from_seed(7).trait.seed
        7
        """
        return cls(SpeciesConfig(seed=seed), PopulationConfig(seed=seed), TraitConfig(seed=seed))


@dataclass(frozen=True)
class DemoFiles:
    """Paths of the files of a simulated panel.

    Attributes
    ----------
    reference
        FASTA, transposons soft-masked.
    annotation
        GFF3: genes, transcripts, exons, coding sequences, untranslated regions and transposons.
    genotypes
        bgzipped VCF of all lines, phased, with a tabix index beside it.
    phenotypes
        CSV with ``accession`` and the trait, phenotyped lines only.
    truth
        CSV of all lines: pool, whether phenotyped, genetic value and phenotype.
    causal_variants
        CSV of the causal variants: position (1-based), alleles, class, gene, effect of one copy of ALT and
        frequency of ALT.
    """

    reference: Path
    annotation: Path
    genotypes: Path
    phenotypes: Path
    truth: Path
    causal_variants: Path


def write_panel(folder: Path, config: DemoConfig) -> DemoFiles:
    """Simulate a panel and write its files; the same configuration gives the same bytes.

    The files are written to a temporary folder beside the destination and moved when all are complete.

    Parameters
    ----------
    folder
        Destination; it is made if it does not exist.
    config
        What to simulate.

    Returns
    -------
    DemoFiles
        The paths of the files.

    Raises
    ------
    BudwoodError
        If the configuration cannot be simulated.
    OSError
        If the files cannot be written; :func:`budwood.artifacts.write_artifact` turns this into a message.
    """
    species = simulate_species(config.species)
    population = simulate_population(species, config.population)
    trait = simulate_trait(species, population, config.trait)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(folder)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
        draft = _files(Path(beside))
        write_reference(draft.reference, species)
        write_annotation(draft.annotation, species)
        write_vcf(draft.genotypes, population)
        write_phenotypes(draft.phenotypes, population, trait)
        write_truth(draft.truth, population, trait)
        write_causal_variants(draft.causal_variants, population, trait)
        for path in sorted(Path(beside).iterdir()):
            path.replace(folder / path.name)
    return files


def _files(folder: Path) -> DemoFiles:
    return DemoFiles(
        reference=folder / "reference.fa",
        annotation=folder / "annotation.gff3",
        genotypes=folder / "genotypes.vcf.gz",
        phenotypes=folder / "phenotypes.csv",
        truth=folder / "truth.csv",
        causal_variants=folder / "causal_variants.csv",
    )


def write_reference(path: Path, species: Species) -> None:
    """Write the genome as FASTA, transposons in lower case.

    Parameters
    ----------
    path
        File to write.
    species
        The genome.
    """
    with path.open("w", encoding="ascii", newline="\n") as handle:
        for contig in species.sequences:
            letters = species.letters(contig)
            lines = (letters[i : i + _LINE] for i in range(0, len(letters), _LINE))
            handle.write(f">{contig}\n" + "\n".join(lines) + "\n")


def write_annotation(path: Path, species: Species) -> None:
    """Write genes and transposons as GFF3, in genome order.

    Parameters
    ----------
    path
        File to write.
    species
        The genome with its genes and transposons.
    """
    annotation = species.annotation
    lines = [((gene.contig, gene.start), list(_gene_lines(gene))) for gene in annotation.genes]
    for copy in annotation.repeats:
        attributes = f"Name={copy.name};class={copy.repeat_class}"
        line = _gff_line(copy.contig, "transposable_element", (copy.start, copy.end), copy.strand, attributes)
        lines.append(((copy.contig, copy.start), [line]))
    with path.open("w", encoding="ascii", newline="\n") as handle:
        handle.write("##gff-version 3\n")
        for contig, codes in species.sequences.items():
            handle.write(f"##sequence-region {contig} 1 {len(codes)}\n")
        for contig in species.sequences:
            for place, block in sorted(lines):
                if place[0] == contig:
                    handle.writelines(line + "\n" for line in block)


def _gene_lines(gene: Gene) -> Iterator[str]:
    transcript = gene.transcripts[0]
    parent = f"Parent={transcript.name}"
    coding = f"ID={transcript.name}.cds;{parent}"
    five, three = transcript.utrs[0], transcript.utrs[-1]
    if gene.strand == "-":
        five, three = three, five
    parts = [(exon.start, exon.end, "exon", parent, ".") for exon in transcript.exons]
    parts += [(part.start, part.end, "CDS", coding, str(part.phase)) for part in transcript.cds]
    parts += [(*five, "five_prime_UTR", parent, "."), (*three, "three_prime_UTR", parent, ".")]
    whole = (gene.start, gene.end)
    yield _gff_line(gene.contig, "gene", whole, gene.strand, f"ID={gene.name}")
    yield _gff_line(gene.contig, "mRNA", whole, gene.strand, f"ID={transcript.name};Parent={gene.name}")
    for start, end, kind, attributes, phase in sorted(parts, key=lambda part: (part[0], -part[1])):
        yield _gff_line(gene.contig, kind, (start, end), gene.strand, attributes, phase)


def _gff_line(
    contig: str, kind: str, place: tuple[int, int], strand: str, attributes: str, phase: str = "."
) -> str:
    start, end = place
    return "\t".join((contig, "budwood", kind, str(start + 1), str(end), ".", strand, phase, attributes))


def write_phenotypes(path: Path, population: Population, trait: Trait) -> None:
    """Write the phenotypes of the phenotyped lines as CSV.

    Parameters
    ----------
    path
        File to write.
    population
        The lines.
    trait
        Their phenotypes.
    """
    rows = zip(population.accessions, trait.phenotype, trait.phenotyped, strict=True)
    known = ((accession, f"{value:.3f}") for accession, value, phenotyped in rows if phenotyped)
    write_csv(path, ("accession", trait.config.name), known)


def write_truth(path: Path, population: Population, trait: Trait) -> None:
    """Write genetic value and phenotype of all lines as CSV.

    Parameters
    ----------
    path
        File to write.
    population
        The lines with their pools.
    trait
        Their true values.
    """
    rows = zip(
        population.accessions,
        (f"pool{pool + 1}" for pool in population.pool),
        ("yes" if phenotyped else "no" for phenotyped in trait.phenotyped),
        (f"{value:.3f}" for value in trait.genetic_value),
        (f"{value:.3f}" for value in trait.phenotype),
        strict=True,
    )
    write_csv(path, ("accession", "pool", "phenotyped", "genetic_value", trait.config.name), rows)


def write_causal_variants(path: Path, population: Population, trait: Trait) -> None:
    """Write position, class, gene and effect of the causal variants as CSV.

    Parameters
    ----------
    path
        File to write.
    population
        The lines with their genotypes.
    trait
        The causal variants with their effects.
    """
    frequency = population.haplotypes.mean(axis=0)
    rows = []
    for j, effect in zip(trait.causal.tolist(), trait.effect.tolist(), strict=True):
        site = population.sites[j]
        place = (site.contig, str(site.start + 1), *site.alleles)
        rows.append(
            (*place, str(trait.functional_class[j]), trait.gene[j], f"{effect:.5f}", f"{frequency[j]:.5f}")
        )
    header = ("contig", "position", "ref", "alt", "consequence", "gene", "effect", "frequency")
    write_csv(path, header, rows)
