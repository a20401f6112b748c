"""A panel from the files a user names: genotypes, phenotypes and, with a reference, its haplotypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from budwood.errors import BudwoodError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.genomics.checks.identity import IdentityReport
    from budwood.genomics.checks.reference_check import ReferenceCheck
    from budwood.genomics.genotypes import Genotypes
    from budwood.genomics.haplotypes.table import HaplotypeTable
    from budwood.genomics.phenotypes import Phenotypes
    from budwood.model.backbone import Backbone
    from budwood.prediction.kernels.marker_weights import MarkerWeights


@dataclass(frozen=True)
class PanelFiles:
    """The files of a panel, as named on the command line, and how to read them.

    Attributes
    ----------
    haplotypes
        File whose variants make the sequence windows; the genotypes where None.
    aliases
        Contig names of the genotypes and what reference and annotation call them.
    ploidies
        Table of the accessions' ploidies, for dosages of lines of different ploidy.
    annotation, marker_weights
        Genes, or a table of marker weights: either makes the function-weighted relationship.
    subgenomes
        Table of contigs and subgenomes.
    subgenomes_by_name
        Whether the contigs' names tell their subgenomes.
    environments
        Table of the environments that the phenotypes were observed in.
    accession_column
        Column of the phenotypes that names the accession; known by its name and cells where None.
    """

    genotypes: Path
    phenotypes: Path
    reference: Path | None = None
    haplotypes: Path | None = None
    marker_map: Path | None = None
    ploidy: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    ploidies: Path | None = None
    annotation: Path | None = None
    marker_weights: Path | None = None
    subgenomes: Path | None = None
    subgenomes_by_name: bool = False
    environments: Path | None = None
    accession_column: str | None = None

    def __post_init__(self) -> None:
        if self.reference is None and (self.haplotypes is not None or (self.aliases and not self.annotation)):
            raise BudwoodError(
                "haplotypes and aliases need a reference genome",
                where="command line",
                mend="give --reference as well",
            )
        for one, other in (("annotation", "marker_weights"), ("subgenomes", "subgenomes_by_name")):
            if getattr(self, one) and getattr(self, other):
                raise BudwoodError(
                    f"--{one} and --{other.replace('_', '-')} say the same thing in two ways",
                    where="command line",
                    mend="give one of them",
                )

    def words(self, trait: str) -> list[str]:
        """The options that name these files and the trait."""
        named = {
            "--genotypes": self.genotypes,
            "--phenotypes": self.phenotypes,
            "--trait": trait,
            "--reference": self.reference,
            "--haplotypes": self.haplotypes,
            "--map": self.marker_map,
            "--ploidy": self.ploidy,
            "--ploidies": self.ploidies,
            "--annotation": self.annotation,
            "--marker-weights": self.marker_weights,
            "--subgenomes": self.subgenomes,
            "--environments": self.environments,
            "--accession-column": self.accession_column,
        }
        given = [(option, str(value)) for option, value in named.items() if value is not None]
        given += [("--alias", f"{name}={other}") for name, other in self.aliases.items()]
        flags = ["--subgenomes-by-name"] if self.subgenomes_by_name else []
        return [word for pair in given for word in pair] + flags

    @property
    def files(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        panels = [self.genotypes] if self.haplotypes is None else [self.genotypes, self.haplotypes]
        named = [self.phenotypes, self.reference, self.marker_map, self.ploidies]
        named += [self.annotation, self.marker_weights, self.subgenomes, self.environments]
        return [*(f for p in panels for f in genotype_files(p)), *(f for f in named if f is not None)]


@dataclass(frozen=True)
class Panel:
    """What prediction needs of the markers and the trait.

    Attributes
    ----------
    genotypes
        Dosages of all accessions.
    phenotypes
        Every trait of the table.
    identity
        Which accession is in which file.
    notes
        What reading the phenotypes took for granted.
    weights
        Marker weights of relationships by function and by subgenome.
    """

    genotypes: Genotypes
    phenotypes: Phenotypes
    identity: IdentityReport
    notes: tuple[str, ...]
    weights: MarkerWeights


@dataclass(frozen=True)
class PanelHaplotypes:
    """Distinct window sequences of a panel, and how its alleles fit the reference."""

    table: HaplotypeTable
    check: ReferenceCheck


@dataclass(frozen=True)
class PanelVectors:
    """Haplotypes with the embedding of each distinct sequence, (H, size)."""

    haplotypes: PanelHaplotypes
    vectors: NDArray[np.float32]
    checkpoint: Backbone


def parse_aliases(words: Sequence[str] | None) -> dict[str, str]:
    """Aliases written ``GENOTYPES=REFERENCE``.

    Examples
    --------
    >>> parse_aliases(["Chr2=chr02"])
    {'Chr2': 'chr02'}
    """
    pairs = [word.partition("=") for word in words or ()]
    for name, _, other in pairs:
        if not name or not other:
            raise BudwoodError(
                f"alias {name!r} is not complete",
                where="--alias",
                mend="write the genotypes' name, =, the reference's name",
            )
    return {name: other for name, _, other in pairs}


def genotype_files(path: Path) -> list[Path]:
    """The files that a genotype path stands for: itself, a PLINK trio, or the parts of a tidy panel."""
    from budwood.genomics.io.variants.plink import SUFFIXES, plink_prefix

    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.name.startswith(("geno.npz", "markers.csv")))
    trio = [Path(f"{plink_prefix(path)}{suffix}") for suffix in SUFFIXES]
    return trio if trio[0].is_file() and (path.suffix in SUFFIXES or not path.is_file()) else [path]


def read_panel(source: PanelFiles, trait: str) -> Panel:
    """Read phenotypes, then genotypes, and hold their accessions against one another."""
    from budwood.genomics.checks.identity import identity_report
    from budwood.genomics.io.tables.phenotypes import read_phenotype_table

    phenotypes, summary = read_phenotype_table(source.phenotypes, accession_column=source.accession_column)
    if summary.values.get(trait) == 0:
        raise BudwoodError(
            f"every value of trait {trait!r} is missing",
            where=str(source.phenotypes),
            mend="choose a trait that was measured",
        )
    phenotypes.means(trait)  # a trait that is not there is told before the genotypes are read
    genotypes = read_panel_genotypes(source.genotypes, source.marker_map, source.ploidy, source.ploidies)
    weights = read_marker_weights(source, genotypes)
    phenotypes, summary = read_phenotype_table(
        source.phenotypes, accession_column=source.accession_column, genotyped=genotypes.accessions
    )
    identity = identity_report(genotypes.accessions, summary.accessions, genotypes)
    notes = (*summary.sentences(), *summary.about(trait))
    return Panel(genotypes, phenotypes, identity, notes, weights)


def read_panel_genotypes(
    path: Path,
    marker_map: Path | None = None,
    ploidy: int | None = None,
    ploidies: Path | None = None,
) -> Genotypes:
    """Dosages of a genotype file, with a ploidy of its own for each accession that the table names."""
    from budwood.genomics.io.variants.open_genotypes import read_genotypes

    genotypes = read_genotypes(path, ploidy=ploidy, marker_map=marker_map)
    return genotypes if ploidies is None else genotypes.with_ploidy(_ploidies(ploidies))


def read_marker_weights(source: PanelFiles, genotypes: Genotypes) -> MarkerWeights:
    """Weights of the panel's further relationships, from what the source gives for them."""
    from budwood.genomics.annotation.subgenome import subgenomes_by_name
    from budwood.genomics.io.annotation.open_annotation import read_annotation
    from budwood.genomics.io.tables.accession_table import read_accession_column, read_accession_numbers
    from budwood.prediction.kernels.function_weights import function_weights
    from budwood.prediction.kernels.marker_weights import MarkerWeights, weights_of_table
    from budwood.prediction.models.subgenomes import subgenome_weights

    markers, found = genotypes.markers, MarkerWeights()
    if source.annotation is not None:
        found = function_weights(markers, read_annotation(source.annotation), aliases=source.aliases)
    elif source.marker_weights is not None:
        found = weights_of_table(markers, read_accession_numbers(source.marker_weights, row="marker"))
    if source.subgenomes is not None:
        table = read_accession_column(source.subgenomes, row="contig")
        return found.joined(subgenome_weights(markers, table))
    if source.subgenomes_by_name:
        return found.joined(subgenome_weights(markers, subgenomes_by_name(markers.contig)))
    return found


def _ploidies(path: Path) -> dict[str, int]:
    """Ploidy of each accession of a table."""
    from budwood.genomics.io.tables.accession_table import read_accession_numbers

    found = read_accession_numbers(path)
    for name, number in found.items():
        if not number.is_integer():
            raise BudwoodError(
                f"accession {name!r} has ploidy {number:g}", where=str(path), mend="write a whole number"
            )
    return {name: int(number) for name, number in found.items()}


def read_panel_haplotypes(
    genotypes: Path, reference: Path, *, ploidy: int | None = None, aliases: Mapping[str, str] | None = None
) -> PanelHaplotypes:
    """Check the alleles against the reference and find every window's distinct sequences."""
    from budwood.genomics.checks.reference_check import check_reference
    from budwood.genomics.haplotypes.referenced_calls import ReferencedCalls
    from budwood.genomics.haplotypes.table import build_haplotypes
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.io.variants.open_genotypes import open_calls
    from budwood.genomics.io.variants.vcf import VcfCalls

    calls, assembly = open_calls(genotypes, ploidy=ploidy), open_fasta(reference)
    either = not isinstance(calls, VcfCalls)
    check = check_reference(calls, assembly, aliases=aliases, either_allele=either)
    seen = ReferencedCalls(calls, assembly, aliases=aliases, reorder=either)
    return PanelHaplotypes(build_haplotypes(seen, assembly), check)


def read_sequence(source: PanelFiles, checkpoint: Path | None, *, show: bool) -> PanelVectors | None:
    """Haplotypes of a panel and the embedding of each distinct sequence, None without a reference."""
    if source.reference is None:
        return None
    from budwood.inference.embed import embed_haplotypes
    from budwood.workflows.cost import announce_embedding

    haplotypes = read_panel_haplotypes(
        source.haplotypes or source.genotypes, source.reference, ploidy=source.ploidy, aliases=source.aliases
    )
    encoder = open_checkpoint(checkpoint)
    announce_embedding(haplotypes.table.n_sequences, encoder, show=show)
    return PanelVectors(haplotypes, embed_haplotypes(haplotypes.table, encoder), encoder)


def open_checkpoint(folder: Path | None) -> Backbone:
    """A checkpoint, by default the packaged one, without the loading bar of transformers."""
    from transformers.utils import logging

    from budwood.model.backbone import load_backbone

    logging.disable_progress_bar()
    return load_backbone(folder)
