"""A panel from the files that a user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from budwood.errors import BudwoodError, UnknownTrait

if TYPE_CHECKING:
    from budwood.genomics.environments import Environments
    from budwood.genomics.genotypes import Genotypes
    from budwood.genomics.io.annotation.tracks import Track
    from budwood.genomics.kinship import Kinship
    from budwood.genomics.phenotypes import Phenotypes
    from budwood.panel.haplotypes import PanelHaplotypes
    from budwood.panel.marker_weights import MarkerWeights
    from budwood.panel.panel import Panel

#: In the place of a file of a track: what an encoder predicts of it.
PREDICTED: Final = "predicted"
#: The predicted track that is meant where none is named.
OPEN_CHROMATIN: Final = "open chromatin"


@dataclass(frozen=True, kw_only=True)
class PanelFiles:
    """The files of a panel, and how to read them.

    Attributes
    ----------
    genotypes
        VCF, BCF, PLINK, HapMap or table of dosages.
    phenotypes
        Table of trait values; None for a panel of candidates only.
    reference
        FASTA of the genome that the genotypes refer to; with it the panel has sequence.
    haplotypes
        File whose variants make the sequence windows; the genotypes where None.
    marker_map
        Places of the markers of a table of dosages.
    ploidy
        Copies per accession; read from the genotypes where None.
    aliases
        Contig names of the genotypes and what reference and annotation call them.
    ploidies
        Table of the accessions' ploidies, for dosages of lines of different ploidy.
    annotation, marker_weights, tracks
        Genes, a table of marker weights, or BED and bedGraph files of open chromatin and the like: each makes
        the function-weighted relationship. Among tracks, ``predicted`` stands for the open chromatin that an
        encoder predicts in the reference, ``predicted:NAME`` for another track that it predicts.
    subgenomes
        Table of contigs and subgenomes.
    subgenomes_by_name
        Whether subgenomes are read from the contigs' names.
    environments
        Table of the environments that the phenotypes were observed in.
    accession_column
        Column of the phenotypes that names the accession; known by its name and cells where None.
    covariates
        Table of what trait values are adjusted for: numbers, blocks, families by accession.
    kinship
        Square table of the accessions' relationship, or GCTA's binary files: in the place of the markers'.

    Raises
    ------
    BudwoodError
        If two options exclude each other, or one needs another.
    """

    genotypes: Path
    phenotypes: Path | None = None
    reference: Path | None = None
    haplotypes: Path | None = None
    marker_map: Path | None = None
    ploidy: int | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    ploidies: Path | None = None
    annotation: Path | None = None
    marker_weights: Path | None = None
    tracks: tuple[Path, ...] = ()
    subgenomes: Path | None = None
    subgenomes_by_name: bool = False
    environments: Path | None = None
    accession_column: str | None = None
    covariates: Path | None = None
    kinship: Path | None = None

    def __post_init__(self) -> None:
        if self.reference is None and (
            self.haplotypes is not None or (self.aliases and not (self.annotation or self.tracks))
        ):
            raise BudwoodError(
                "haplotypes and aliases need a reference genome",
                where="command line",
                mend="give --reference as well",
            )
        for one, other in (
            ("annotation", "marker_weights"),
            ("annotation", "tracks"),
            ("marker_weights", "tracks"),
            ("subgenomes", "subgenomes_by_name"),
            ("covariates", "environments"),
            ("kinship", "environments"),
        ):
            if getattr(self, one) and getattr(self, other):
                raise BudwoodError(
                    f"--{one.replace('_', '-')} and --{other.replace('_', '-')} exclude each other",
                    where="command line",
                    mend="give one of them",
                )

        if self.predicted_tracks and self.reference is None:
            raise BudwoodError(
                "predicted tracks need a reference genome, in which they are predicted",
                where="--tracks",
                mend="give --reference as well",
            )

    @property
    def predicted_tracks(self) -> tuple[str, ...]:
        """Names of the tracks that an encoder is to predict."""
        words = (path.as_posix() for path in self.tracks)
        found = (word.partition(":")[2] or OPEN_CHROMATIN for word in words if _is_predicted(word))
        return tuple(dict.fromkeys(found))

    @property
    def track_files(self) -> tuple[Path, ...]:
        """Files of tracks."""
        return tuple(path for path in self.tracks if not _is_predicted(path.as_posix()))

    @property
    def inputs(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        from budwood.genomics.io.tables.kinship import kinship_files

        panels = [self.genotypes] if self.haplotypes is None else [self.genotypes, self.haplotypes]
        named = [self.phenotypes, self.reference, self.marker_map, self.ploidies]
        named += [
            self.annotation,
            self.marker_weights,
            *self.track_files,
            self.subgenomes,
            self.environments,
            self.covariates,
        ]
        named += [] if self.kinship is None else kinship_files(self.kinship)
        return [*(f for p in panels for f in genotype_files(p)), *(f for f in named if f is not None)]


def _is_predicted(word: str) -> bool:
    return word == PREDICTED or word.startswith(f"{PREDICTED}:")


def genotype_files(path: Path) -> list[Path]:
    """The files that a genotype path stands for: itself, a PLINK trio, or the parts of a tidy panel.

    Parameters
    ----------
    path
        A file, one of a PLINK trio, or the folder of a tidy panel.

    Returns
    -------
    list[Path]
        The files that are read for it.
    """
    from budwood.genomics.io.variants.plink.binary import SUFFIXES, plink_prefix

    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.name.startswith(("geno.npz", "markers.csv")))
    trio = [Path(f"{plink_prefix(path)}{suffix}") for suffix in SUFFIXES]
    return trio if trio[0].is_file() and (path.suffix in SUFFIXES or not path.is_file()) else [path]


def read_panel(files: PanelFiles, trait: str | None = None, *, predicts: bool = False) -> Panel:
    """Read the files of a panel, the small ones first, and align them by accession.

    Haplotypes are not built here: see :func:`read_files_haplotypes`. Neither are tracks predicted.

    Parameters
    ----------
    files
        What to read.
    trait
        A trait that must have values; an unknown one is refused before the genotypes are read.
    predicts
        Whether the caller goes on to :func:`budwood.panel.predicted_tracks.predicted_tracks` where the files
        ask for it; otherwise such files are refused.

    Returns
    -------
    Panel
        Genotypes and phenotypes, aligned by accession.

    Raises
    ------
    BudwoodError
        If a file cannot be read, the files have no accession in common, the trait has no value, or tracks are
        to be predicted where they cannot.
    """
    if files.predicted_tracks and not predicts:
        raise BudwoodError(
            "tracks are predicted by predict and evaluate alone",
            where="--tracks",
            mend="write them with budwood tracks, and give its files",
        )
    from budwood.genomics.checks.identity import identity_report
    from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table
    from budwood.panel.panel import Panel

    phenotypes, summary = None, None
    if files.phenotypes is not None:
        _check_phenotypes(files, files.phenotypes, trait)
        phenotypes, summary = read_phenotype_table(files.phenotypes, accession_column=files.accession_column)
        if trait is not None:
            _check_trait(trait, summary.values, phenotypes, files.phenotypes)
    environments = _read_environments(files)
    kinship = _read_kinship(files)
    genotypes, notes = _read_genotypes(files)
    if files.phenotypes is not None:
        # The accessions of the genotypes say which column of the table names the accession.
        phenotypes, summary = read_phenotype_table(
            files.phenotypes, accession_column=files.accession_column, genotyped=genotypes.accessions
        )
    if kinship is not None:
        kinship.of(genotypes.accessions, str(files.kinship))
    names = () if summary is None else summary.accessions
    about = () if summary is None or trait is None else summary.about(trait)
    return Panel(
        genotypes=genotypes,
        phenotypes=phenotypes,
        identity=identity_report(genotypes.accessions, names, genotypes),
        environments=environments,
        weights=read_marker_weights(files, genotypes),
        kinship=kinship,
        notes=notes if summary is None else (*notes, *summary.sentences(), *about),
    )


def panel_of_trait(panel: Panel, files: PanelFiles, before: str, trait: str) -> Panel:
    """A panel that was read for one trait, for another one.

    Parameters
    ----------
    panel, files
        The panel, and the files that it was read from.
    before, trait
        The trait that it was read for, and the one that is wanted.

    Returns
    -------
    Panel
        With notes about that trait.

    Raises
    ------
    BudwoodError
        If the trait is not in the phenotypes, or has no value.
    """
    from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table

    assert files.phenotypes is not None, "it was read for a trait"
    phenotypes, summary = read_phenotype_table(
        files.phenotypes, accession_column=files.accession_column, genotyped=panel.accessions
    )
    _check_trait(trait, summary.values, phenotypes, files.phenotypes)
    own = set(summary.about(before))
    return replace(panel, notes=(*(note for note in panel.notes if note not in own), *summary.about(trait)))


def read_files_haplotypes(files: PanelFiles) -> PanelHaplotypes | None:
    """Haplotypes of a panel's files; None without a reference genome.

    Parameters
    ----------
    files
        Reference genome and the file whose variants make the windows.

    Returns
    -------
    PanelHaplotypes | None
        Haplotypes and how the alleles fit the reference.
    """
    from budwood.panel.haplotypes import read_haplotypes

    if files.reference is None:
        return None
    variants = files.haplotypes or files.genotypes
    return read_haplotypes(variants, files.reference, ploidy=files.ploidy, aliases=files.aliases)


def _check_phenotypes(files: PanelFiles, phenotypes: Path, trait: str | None) -> None:
    """Refuse phenotypes that are genotypes or sequence, and say so where the two files are swapped."""
    from budwood.genomics.io.kind import NO_TRAIT_TABLES, Kind, file_format

    try:
        found = file_format(phenotypes)
    except BudwoodError:
        # The reader of phenotypes says what is wrong.
        return
    named = found in NO_TRAIT_TABLES
    swapped = (named or found.kind == Kind.GENOTYPES) and _has_traits(files.genotypes, trait)
    if swapped:
        raise BudwoodError(
            f"the phenotypes are genotypes ({found.value}) and the genotypes a table of trait values",
            where=f"{phenotypes}, {files.genotypes}",
            mend="swap --genotypes and --phenotypes",
        )
    if named:
        raise BudwoodError(
            f"the phenotypes are no table of trait values but {found.value}",
            where=str(phenotypes),
            mend="give a table of accessions and trait values with --phenotypes"
            + (", and a genome with --reference" if found.kind == Kind.ASSEMBLY else ""),
        )


def _has_traits(genotypes: Path, trait: str | None) -> bool:
    """Whether what is given as genotypes is a table with the trait, or of trait values."""
    from budwood.genomics.io.kind import Kind, file_kind
    from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotype_table

    try:
        if file_kind(genotypes) != Kind.PHENOTYPES:
            return False
        _, summary = read_phenotype_table(genotypes)
    except BudwoodError:
        return False
    return trait is None or trait in summary.values


def _check_trait(trait: str, values: Mapping[str, int], phenotypes: Phenotypes, path: Path) -> None:
    """Refuse a trait that the table does not have, cannot be read or has no value of."""
    if trait in phenotypes.unusable:
        raise phenotypes.unusable[trait]
    if trait not in values:
        raise UnknownTrait(trait, values, str(path))
    if not values[trait]:
        raise BudwoodError(
            f"every value of trait {trait!r} is missing",
            where=str(path),
            mend="choose a trait that was measured",
        )


def _read_environments(files: PanelFiles) -> Environments | None:
    from budwood.genomics.io.tables.phenotypes.environments import read_environments

    return None if files.environments is None else read_environments(files.environments)


def _read_kinship(files: PanelFiles) -> Kinship | None:
    from budwood.genomics.io.tables.kinship import read_kinship

    return None if files.kinship is None else read_kinship(files.kinship)


def _read_genotypes(files: PanelFiles) -> tuple[Genotypes, tuple[str, ...]]:
    """Dosages, with a ploidy of its own for each accession that the table of ploidies names; and notes."""
    from budwood.genomics.io.variants.open_genotypes import read_genotype_file

    ploidies = None if files.ploidies is None else _read_ploidies(files.ploidies)
    genotypes, notes = read_genotype_file(files.genotypes, ploidy=files.ploidy, marker_map=files.marker_map)
    return genotypes if ploidies is None else genotypes.with_ploidy(ploidies), notes


def _read_ploidies(path: Path) -> dict[str, int]:
    """Ploidy of each accession of a table."""
    from budwood.genomics.io.tables.accession_table import read_accession_numbers

    found = read_accession_numbers(path)
    for name, number in found.items():
        if not number.is_integer():
            raise BudwoodError(
                f"accession {name!r} has ploidy {number:g}", where=str(path), mend="write a whole number"
            )
    return {name: int(number) for name, number in found.items()}


def read_marker_weights(
    files: PanelFiles, genotypes: Genotypes, predicted: Sequence[Track] = ()
) -> MarkerWeights:
    """Weights of the panel's further relationships, from annotation, tables and contig names.

    Parameters
    ----------
    files
        What to read.
    genotypes
        Of the same files.
    predicted
        Tracks that were predicted for them; those that the files ask for and that are not here are left out.

    Returns
    -------
    MarkerWeights
        Weights by kernel; none where the files name nothing of the kind.

    Raises
    ------
    BudwoodError
        If a file cannot be read or does not fit the markers.
    """
    from budwood.genomics.annotation.subgenome import subgenomes_by_name
    from budwood.genomics.io.annotation.open_annotation import read_annotation
    from budwood.genomics.io.annotation.tracks import read_track
    from budwood.genomics.io.tables.accession_table import read_accession_column, read_accession_numbers
    from budwood.panel.function_weights import function_weights
    from budwood.panel.marker_weights import MarkerWeights, weights_of_table
    from budwood.panel.subgenome_weights import subgenome_weights
    from budwood.panel.track_weights import track_weights

    markers, found = genotypes.markers, MarkerWeights()
    if files.annotation is not None:
        found = function_weights(markers, read_annotation(files.annotation), aliases=files.aliases)
    elif files.marker_weights is not None:
        found = weights_of_table(markers, read_accession_numbers(files.marker_weights, row="marker"))
    elif files.track_files or predicted:
        tracks = [*(read_track(path) for path in files.track_files), *predicted]
        found = track_weights(markers, tracks, aliases=files.aliases)
    if files.subgenomes is not None:
        table = read_accession_column(files.subgenomes, row="contig")
        return found.joined(subgenome_weights(markers, table))
    if files.subgenomes_by_name:
        return found.joined(subgenome_weights(markers, subgenomes_by_name(markers.contig)))
    return found
