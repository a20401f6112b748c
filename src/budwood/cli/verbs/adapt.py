"""``budwood adapt``: a low-rank adapter for a species or a population."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases, parse_files
from budwood.errors import BudwoodError
from budwood.panel.files import PanelFiles
from budwood.workflows import adapt as workflow
from budwood.workflows.setup.encoder import EncoderOptions

EXAMPLE: Final = "Example: budwood adapt --reference lyrata.fa --annotation lyrata.gff3 --out adapters/lyrata"

GenotypeFile = Annotated[
    Path | None,
    typer.Option("--genotypes", metavar="FILE", help="Learn from trait values instead: VCF, PLINK, HapMap."),
]
PhenotypeFile = Annotated[
    Path | None, typer.Option("--phenotypes", metavar="FILE", help="Table of trait values of accessions.")
]
Trait = Annotated[str | None, typer.Option("--trait", metavar="NAME", help="Trait to learn from.")]
ReferenceFile = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="FASTA",
        help="Genome to learn from; with --genotypes, the genome that they refer to.",
    ),
]
AnnotationFile = Annotated[
    Path | None,
    typer.Option("--annotation", metavar="GFF", help="Genes of the reference: base classes are learnt too."),
]
Others = Annotated[
    list[Path] | None,
    typer.Option(
        "--other", metavar="FASTA", help="Sequence of another species, to see what is forgotten; several."
    ),
]
OtherAnnotations = Annotated[
    list[Path] | None,
    typer.Option(
        "--other-annotation",
        metavar="GFF",
        help="Its genes, in the order of --other, - for none: classes and sites are probed.",
    ),
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the adapter; that of DIR if not given.")
]
Rank = Annotated[
    int | None, typer.Option("--rank", min=1, metavar="N", help="Rank of the adapter, instead of --share.")
]
Share = Annotated[
    float, typer.Option("--share", metavar="S", help="Its parameters per parameter of the encoder.")
]
Steps = Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Steps of continued pre-training.")]
Batch = Annotated[int, typer.Option("--batch", min=1, metavar="N", help="Windows of one step.")]
Passes = Annotated[
    int | None,
    typer.Option(
        "--passes",
        min=1,
        metavar="N",
        help="Passes over the panel's windows, with --trait; 1 to 4, by their number, if not given.",
    ),
]
LearningRate = Annotated[
    float | None,
    typer.Option("--learning-rate", help="Peak rate; 2e-3, or 5e-4 with --trait, if not given."),
]
HeldOutShare = Annotated[
    float, typer.Option("--held-out-share", help="Share of each long contig that is not learnt from.")
]
HeldOutWindows = Annotated[
    int, typer.Option("--held-out-windows", help="Windows of it that are scored before and after.")
]
FullControl = Annotated[
    bool,
    typer.Option(
        "--full-control", help="Also train every weight to the same loss, and compare what is forgotten."
    ),
]
PrecisionName = Annotated[Literal["bf16", "float32"], typer.Option("--precision", help="Of training steps.")]


def adapt(
    out: options.Out,
    reference: ReferenceFile = None,
    annotation: AnnotationFile = None,
    genotypes: GenotypeFile = None,
    phenotypes: PhenotypeFile = None,
    trait: Trait = None,
    haplotypes: options.HaplotypeFile = None,
    other: Others = None,
    other_annotation: OtherAnnotations = None,
    name: Name = None,
    rank: Rank = None,
    share: Share = 0.04,
    steps: Steps = 200,
    batch: Batch = 16,
    passes: Passes = None,
    learning_rate: LearningRate = None,
    held_out_share: HeldOutShare = 0.05,
    held_out_windows: HeldOutWindows = 256,
    full_control: FullControl = False,
    precision: PrecisionName = "bf16",
    checkpoint: options.CheckpointFolder = None,
    adapter: options.AdapterFolders = None,
    device: options.DeviceName = "auto",
    ploidy: options.Ploidy = None,
    alias: options.Aliases = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train an adapter: on a genome without any phenotypes, or on the trait values of a panel.

    The encoder itself stays as it is. DIR then holds the adapter in peft's files, with the digest of the
    encoder it belongs to, and adaptation.json; --adapter DIR of embed, predict and evaluate uses it. With
    --adapter here the new one is trained over the given ones.
    """
    files = None
    if genotypes is not None:
        files = PanelFiles(
            genotypes=genotypes,
            phenotypes=phenotypes,
            reference=reference,
            haplotypes=haplotypes,
            ploidy=ploidy,
            aliases=parse_aliases(alias),
        )
    elif phenotypes is not None or trait is not None or haplotypes is not None:
        raise BudwoodError(
            "trait values need the genotypes of their accessions",
            where="command line",
            mend="give --genotypes",
        )
    wanted = workflow.AdaptOptions(
        reference=reference if files is None else None,
        annotation=annotation,
        files=files,
        trait=trait,
        others=tuple(other or ()),
        others_annotation=parse_files(other_annotation),
        name=name,
        rank=rank,
        share=share,
        steps=steps,
        batch=batch,
        passes=passes,
        learning_rate=learning_rate,
        held_out_share=held_out_share,
        held_out_windows=held_out_windows,
        full_control=full_control,
        precision=precision,
        encoder=EncoderOptions(checkpoint=checkpoint, adapter=tuple(adapter or ()), device=device),
        seed=seed,
        show=False if quiet else None,
    )
    with hushed(quiet):
        found = workflow.adapt(wanted, out, overwrite=overwrite, announce=announce(quiet))
    percent = 100 * found.parameters / found.encoder_parameters
    share_line = (
        f"adapter {found.name}: rank {found.rank}, {found.parameters:,} parameters, {percent:.3f} % of the "
        f"encoder's {found.encoder_parameters:,}"
    )
    lines = [*noted(found.notes), share_line, found.conclusion, f"written: {out}"]
    print_summary({"out": str(out), **found.record()}, lines, as_json=as_json)
