"""Options that more than one verb takes, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from budwood.cli.verb import read_config_file
from budwood.errors import BudwoodError
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.workflows.setup.encoder import Device

Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="Folder to write, whole or not at all; budwood verify checks it."
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", help="Replace an earlier result in DIR; a folder with other files in it is refused."
    ),
]
OverwriteFile = Annotated[
    bool, typer.Option("--overwrite", help="Replace an earlier result; another file is never replaced.")
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="TOML",
        is_eager=True,
        callback=read_config_file,
        help="File of options, named as here without the dashes: trait = 'height'. Typed options take "
        "precedence.",
    ),
]
CsvDialectName = Annotated[
    CsvDialect,
    typer.Option(
        "--csv-dialect",
        help="csv for scripts; excel adds a byte order mark; excel-de has semicolons and decimal commas too.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything drawn at random.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars and no estimates.")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Work on a Ray cluster: its address, 'auto', or 'local' for this machine's cores.",
    ),
]

GenotypeFile = Annotated[
    Path,
    typer.Option("--genotypes", metavar="FILE", help="VCF, BCF, PLINK bed, HapMap or a table of dosages."),
]
PhenotypeFile = Annotated[
    Path,
    typer.Option(
        "--phenotypes",
        metavar="FILE",
        help="Table, wide (accession, a column per trait) or long (accession, trait, environment, value).",
    ),
]
AccessionColumn = Annotated[
    str | None,
    typer.Option(
        "--accession-column",
        metavar="NAME",
        help="Column of the phenotypes that names the accession; known by its name and cells if not given.",
    ),
]
Trait = Annotated[
    str, typer.Option("--trait", metavar="NAME", help="Trait to predict, as named in the phenotypes.")
]
Traits = Annotated[
    list[str],
    typer.Option(
        "--trait",
        metavar="NAME",
        help="Trait to predict, as named in the phenotypes; once for each of several traits.",
    ),
]
ReferenceFile = Annotated[
    Path | None,
    typer.Option(
        "--reference", metavar="FASTA", help="Genome the genotypes refer to: turns the DNA model on."
    ),
]
HaplotypeFile = Annotated[
    Path | None,
    typer.Option(
        "--haplotypes",
        metavar="FILE",
        help="File whose variants make the sequence windows; the genotypes if not given.",
    ),
]
DeviceName = Annotated[
    Device,
    typer.Option("--device", help="Where the encoder runs; auto takes a GPU where there is one."),
]
BatchSize = Annotated[
    int | None,
    typer.Option("--batch-size", metavar="N", min=1, help="Windows that the encoder reads at once."),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        help="Threads that read windows, each on one core; as many as cores if not given. The numbers are "
        "the same.",
    ),
]
PrecisionName = Annotated[
    Literal["float32", "bf16"],
    typer.Option("--precision", help="bf16 is 1.8 times as fast where the processor multiplies in it."),
]


def named_checkpoint(given: Path | None) -> Path | None:
    """The folder of a checkpoint, which may be one of the package by its name.

    Parameters
    ----------
    given
        A folder, or the name of a packaged checkpoint where no folder or file has that name.

    Returns
    -------
    Path | None
        The folder; what was given where nothing in the package has that name.

    Examples
    --------
    >>> named_checkpoint(Path("small")).parent.name
    'checkpoints'
    """
    if given is None or len(given.parts) != 1 or given.exists():
        return given
    from budwood.model.checkpoint import packaged_checkpoint

    try:
        return packaged_checkpoint(given.name)
    except BudwoodError:
        return given


CheckpointFolder = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="DIR",
        callback=named_checkpoint,
        help="Pre-trained encoder, or the name of one in the package; its default if not given.",
    ),
]
AdapterFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--adapter",
        metavar="DIR",
        help="Adapter of that encoder, from budwood adapt; several, once for each, are added up.",
    ),
]
MarkerMap = Annotated[
    Path | None,
    typer.Option("--map", metavar="FILE", help="Marker, chrom, pos (and alleles) for a table of dosages."),
]
Ploidy = Annotated[
    int | None, typer.Option("--ploidy", min=1, help="Copies per accession; found out if not given.")
]
Aliases = Annotated[
    list[str] | None,
    typer.Option(
        "--alias",
        metavar="GENOTYPES=REFERENCE",
        help="A contig's name in the genotypes and in reference or annotation; once for each.",
    ),
]
Ploidies = Annotated[
    Path | None,
    typer.Option(
        "--ploidies",
        metavar="CSV",
        help="Table of accessions and their ploidies, for dosages of lines of different ploidy.",
    ),
]
AnnotationFile = Annotated[
    Path | None,
    typer.Option(
        "--annotation",
        metavar="GFF",
        help="Genes at the markers' positions: makes a relationship in which coding sites count most.",
    ),
]
MarkerWeightFile = Annotated[
    Path | None,
    typer.Option(
        "--marker-weights",
        metavar="CSV",
        help="Instead of an annotation: table of markers and weights found without these phenotypes.",
    ),
]
TrackFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--tracks",
        metavar="FILE",
        help="Instead of an annotation: BED or bedGraph of open chromatin, methylation or histone marks, by "
        "whose mean around them markers count; several. Without any: predicted, for the open chromatin that "
        "the checkpoint predicts in --reference, or predicted:NAME for another track of it.",
    ),
]
SubgenomeFile = Annotated[
    Path | None,
    typer.Option(
        "--subgenomes", metavar="CSV", help="Table of contigs and subgenomes: makes a relationship for each."
    ),
]
SubgenomesByName = Annotated[
    bool, typer.Option("--subgenomes-by-name", help="Read subgenomes from names such as 1A, 7D, A01 or C09.")
]
EnvironmentFile = Annotated[
    Path | None,
    typer.Option(
        "--environments",
        metavar="FILE",
        help="Table of the environments of long phenotypes: environment, year, location, treatment, "
        "provenance (field, controlled, mixed) and numbers such as rain.",
    ),
]
CovariateFile = Annotated[
    Path | None,
    typer.Option(
        "--covariates",
        metavar="CSV",
        help="Table of accessions and covariates (numbers, blocks, families) whose effects are taken out of "
        "the trait values.",
    ),
]
KinshipFile = Annotated[
    Path | None,
    typer.Option(
        "--kinship",
        metavar="FILE",
        help="Relationship of the accessions in the place of the markers': a square table with ids, or "
        "GCTA's .grm.bin beside its .grm.id.",
    ),
]
LowerIsBetter = Annotated[
    bool, typer.Option("--lower-is-better", help="The best lines are those with the smallest values.")
]
