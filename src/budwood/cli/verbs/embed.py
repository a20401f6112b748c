"""``budwood embed``: vectors of sequences, intervals or a panel's haplotypes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases
from budwood.workflows import embed as workflow
from budwood.workflows.setup.encoder import EncoderOptions

EXAMPLE: Final = "Example: budwood embed --fasta genome.fa --bed promoters.bed --out vectors"

FastaFile = Annotated[Path | None, typer.Option("--fasta", metavar="FILE", help="Sequences to embed.")]
BedFile = Annotated[
    Path | None, typer.Option("--bed", metavar="FILE", help="Intervals of the FASTA, of any length.")
]
PanelFile = Annotated[
    Path | None,
    typer.Option("--genotypes", metavar="FILE", help="Embed a panel's distinct haplotypes instead."),
]
PoolName = Annotated[
    Literal["mean", "centre"],
    typer.Option("--pool", help="Mean over all bases of a window, or over its middle 8."),
]

PerTile = Annotated[
    bool,
    typer.Option(
        "--tiles",
        help="Give one vector for each tile of an interval longer than 512 bases, instead of their mean.",
    ),
]

ReferenceFile = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="FASTA",
        help="Genome that the genotypes refer to: its windows with variants are embedded.",
    ),
]


def embed(
    out: options.Out,
    fasta: FastaFile = None,
    bed: BedFile = None,
    genotypes: PanelFile = None,
    reference: ReferenceFile = None,
    pool: PoolName = "mean",
    tiles: PerTile = False,
    checkpoint: options.CheckpointFolder = None,
    adapter: options.AdapterFolders = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    precision: options.PrecisionName = "float32",
    ploidy: options.Ploidy = None,
    alias: options.Aliases = None,
    ray: options.RayAddress = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn DNA into vectors: vectors.npy (float32, one row each) and index.csv (what each row is).

    A FASTA without a BED file is cut into windows of 512 bases. With genotypes and a reference, the rows are
    the panel's distinct window haplotypes (#0 is the reference's), and haplotypes.npz says which accession
    carries which. Places are 0-based and half-open. What was encoded before an interruption is kept.
    The checkpoint may be a published masked language model; its vectors are as long as it makes them.
    """
    wanted = workflow.EmbedOptions(
        fasta=fasta,
        bed=bed,
        genotypes=genotypes,
        reference=reference,
        pool=pool,
        tiles=tiles,
        encoder=EncoderOptions(
            checkpoint=checkpoint,
            adapter=tuple(adapter or ()),
            device=device,
            batch_size=batch_size,
            precision=precision,
        ),
        ploidy=ploidy,
        aliases=parse_aliases(alias),
        ray=ray,
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.embed(wanted, out, overwrite=overwrite, announce=announce(quiet))
    rows, numbers = found.vectors.shape
    line = f"{rows:,} vectors of {numbers} numbers by checkpoint {found.checkpoint}: {out}"
    print_summary({"out": str(out), **found.record()}, [*noted(found.notes), line], as_json=as_json)
