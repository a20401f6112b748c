"""Write a clade as the files that a programme would have, with the true values beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from budwood.genomics.io.text.csv_writer import write_csv
from budwood.genomics.io.variants.vcf.writer import write_vcf
from budwood.simulate.clade.clade import SyntheticClade
from budwood.simulate.clade.panel import variant_scores
from budwood.simulate.clade.trait import SpeciesTrait
from budwood.simulate.files import write_annotation, write_reference


def write_clade(
    folder: Path, clade: SyntheticClade, traits: Sequence[tuple[str, dict[str, SpeciesTrait]]]
) -> None:
    """Write every species of a clade to a folder of its own, and the orthologs.

    Parameters
    ----------
    folder
        Destination; it is made if it does not exist. Each species' folder holds ``reference.fa``,
        ``annotation.gff3``, ``genotypes.vcf.gz``, ``field.csv`` and ``controlled.csv`` (phenotypes),
        ``scores.csv`` (how damaging each variant is) and ``truth.csv``; ``orthologs.csv`` has a column for
        each species, and ``tree.nwk`` the species tree.
    clade
        Genomes and lines.
    traits
        Name and values of each trait.

    Raises
    ------
    OSError
        If the files cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tree.nwk").write_text(clade.config.tree + "\n", encoding="utf-8")
    numbers = sorted(set().union(*(genes.keys() for genes in clade.orthologs.values())))
    names = list(clade.species)
    rows = [[clade.orthologs[name].get(number, "") for name in names] for number in numbers]
    write_csv(folder / "orthologs.csv", names, rows)
    for name, species in clade.species.items():
        here = folder / name
        here.mkdir(exist_ok=True)
        population = clade.populations[name]
        write_reference(here / "reference.fa", species)
        write_annotation(here / "annotation.gff3", species)
        write_vcf(here / "genotypes.vcf.gz", population)
        scores = variant_scores(species, population)
        markers = [site.identifier for site in population.sites]
        write_csv(here / "scores.csv", ("marker", "score"), zip(markers, map(float, scores), strict=True))
        header = ("accession", *(trait for trait, _ in traits))
        for kind in ("field", "controlled"):
            values = [getattr(found[name], f"{kind}_phenotype") for _, found in traits]
            lines = zip(population.accessions, *values, strict=True)
            write_csv(here / f"{kind}.csv", header, [(line[0], *map(float, line[1:])) for line in lines])
        values = [getattr(found[name], kind) for _, found in traits for kind in ("field", "controlled")]
        columns = [f"{trait}_{kind}" for trait, _ in traits for kind in ("field", "controlled")]
        lines = zip(population.accessions, *values, strict=True)
        rows_of_truth = [(line[0], *map(float, line[1:])) for line in lines]
        write_csv(here / "truth.csv", ("accession", *columns), rows_of_truth)
