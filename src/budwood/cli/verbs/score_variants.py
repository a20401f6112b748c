"""``budwood score-variants``: the effects of the variants in a VCF, without any training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from budwood.artifacts import check_apart
from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases
from budwood.errors import counted
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.variants import score_variants as workflow
from budwood.workflows.variants.accession_load import check_load, count_load, save_load
from budwood.workflows.variants.score_options import ScoreOptions

EXAMPLE: Final = (
    "Example: budwood score-variants --vcf calls.vcf.gz --reference genome.fa --out scored.vcf.gz"
)

VcfFile = Annotated[Path, typer.Option("--vcf", metavar="FILE", help="VCF or BCF with the variants.")]
Genome = Annotated[
    Path, typer.Option("--reference", metavar="FASTA", help="Genome that the variants were called on.")
]
Genes = Annotated[
    Path | None,
    typer.Option(
        "--annotation", metavar="GFF", help="Genes of the genome: adds their consequences as INFO/ANN."
    ),
]
Joint = Annotated[
    bool,
    typer.Option(
        "--joint",
        help="With --annotation and phased calls: adds what several variants on one copy of a gene do "
        "together as INFO/BCSQ.",
    ),
]
OutFile = Annotated[
    Path,
    typer.Option(
        "--out",
        metavar="FILE",
        help="VCF to write, .vcf.gz (packed as bgzip does) or .vcf: whole or not at all.",
    ),
]
LoadFile = Annotated[
    Path | None,
    typer.Option(
        "--load",
        metavar="FILE",
        help="CSV to write, with --annotation: alleles of each class of impact that every accession carries "
        "for one copy of its genome, for predict --covariates.",
    ),
]
ScoreNames = Annotated[
    str | None,
    typer.Option(
        "--scores",
        metavar="A,B",
        help="Any of consequence, kmer (one reading of the reference), divergence, shift and likelihood (one "
        "more reading for each allele). The first two if not given, and all for at most 1,000 alleles.",
    ),
]
PrecisionName = Annotated[
    Literal["auto", "float32", "bf16"],
    typer.Option(
        "--precision", help="bf16 is twice as fast where the processor has it; auto takes it there."
    ),
]


def score_variants(
    vcf: VcfFile,
    reference: Genome,
    out: OutFile,
    annotation: Genes = None,
    joint: Joint = False,
    load: LoadFile = None,
    scores: ScoreNames = None,
    checkpoint: options.CheckpointFolder = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    precision: PrecisionName = "auto",
    threads: options.Threads = None,
    alias: options.Aliases = None,
    seed: options.Seed = 0,
    overwrite: options.OverwriteFile = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score the variants of a VCF by what the DNA model reads in the genome: no annotation, no training.

    Every record is written again in its place with INFO entries (BW_...), one number for each alternative
    allele: the expected consequence and its parts, a k-mer baseline, and on request how predictions change
    with the allele. Alleles without a score have a reason. The header says how far the model can be trusted
    on this genome. docs/variants.md explains every score. An interrupted run resumes.
    """
    wanted = ScoreOptions(
        vcf=vcf,
        reference=reference,
        annotation=annotation,
        joint=joint,
        scores=None if scores is None else tuple(name.strip() for name in scores.split(",") if name.strip()),
        aliases=parse_aliases(alias),
        encoder=EncoderOptions(checkpoint=checkpoint, device=device, batch_size=batch_size),
        precision=precision,
        seed=seed,
        threads=threads,
    )
    check_apart({"--out": out, "--load": load})
    with hushed(quiet):
        counts = None
        if load is not None:
            check_load(load, inputs=(vcf, reference), annotation=annotation, overwrite=overwrite)
            assert annotation is not None, "checked with the load"
            # What refuses the load is known before the scores are written.
            counts = count_load(vcf, reference=reference, annotation=annotation, aliases=wanted.aliases)
        found = workflow.score_file(wanted, out, overwrite=overwrite, announce=announce(quiet))
        if counts is not None and load is not None:
            save_load(counts, load)
    line = (
        f"{found.reasons.get('scored', 0):,} of {counted(found.alleles, 'allele')} of "
        f"{counted(found.records, 'record')} "
        f"scored by checkpoint {found.checkpoint}: {out}"
    )
    record, notes, lines = {"out": str(out), **found.record()}, found.notes, [line]
    if counts is not None:
        record["load"], notes = {"out": str(load), "notes": list(counts.notes)}, (*notes, *counts.notes)
        lines.append(f"load of {counted(len(counts.accessions), 'accession')}: {load}")
    print_summary(record, [*noted(notes), *lines], as_json=as_json)
