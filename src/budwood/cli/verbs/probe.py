"""``budwood probe``: what embeddings know of an annotation, beside every baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.workflows import probe as workflow
from budwood.workflows.setup.encoder import EncoderOptions

EXAMPLE: Final = (
    "Example: budwood probe --reference genome.fa --annotation genes.gff3 --task regions --out probe"
)

Task = Annotated[
    str,
    typer.Option(
        "--task",
        metavar="NAME",
        help="From genes: regions, exon-intron, donor, acceptor, start-codon. From repeats or a table of "
        "intervals: transposon, superfamily, intervals (open chromatin), interval-labels (chromatin states). "
        "From a table of sequences: sequence-values (promoter strength), sequence-labels.",
    ),
]
Genome = Annotated[Path | None, typer.Option("--reference", metavar="FASTA", help="Genome to probe.")]
Genes = Annotated[
    Path | None,
    typer.Option("--annotation", metavar="GFF", help="Genes and repeats: GFF3, GTF or BED12."),
]
TableFile = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="FILE",
        help="Labelled intervals (BED, GFF or a table with contig, start, end), or a table of sequences with "
        "values or labels.",
    ),
]
Label = Annotated[
    str | None,
    typer.Option("--label", metavar="NAME", help="Column or GFF attribute of the labels or values."),
]
Group = Annotated[
    str | None,
    typer.Option("--group", metavar="NAME", help="Column that says which sequences belong together."),
]
SplitName = Annotated[
    Literal["chromosome", "homology", "species"] | None,
    typer.Option("--split", help="How training and test part; found out from the files if not given."),
]
TestContigs = Annotated[
    str | None,
    typer.Option(
        "--test-contigs", metavar="A,B", help="Contigs of the test; a quarter of the bases if not given."
    ),
]
TestReference = Annotated[
    Path | None,
    typer.Option("--test-reference", metavar="FASTA", help="Genome of another species as the test."),
]
TestAnnotation = Annotated[
    Path | None, typer.Option("--test-annotation", metavar="GFF", help="Its genes and repeats.")
]
TestTable = Annotated[
    Path | None, typer.Option("--test-table", metavar="FILE", help="Its intervals, or other sequences.")
]
PerClass = Annotated[
    int, typer.Option("--per-class", metavar="N", help="Most training examples of each class.")
]
TestPerClass = Annotated[
    int, typer.Option("--test-per-class", metavar="N", help="Most test examples of each class.")
]
Geometry = Annotated[
    bool,
    typer.Option("--geometry", help="Add principal components and neighbour purity of the test windows."),
]
Umap = Annotated[
    bool, typer.Option("--umap", help="The same with UMAP; needs the extra umap of this package.")
]
Species = Annotated[
    Path | None,
    typer.Option(
        "--species", metavar="CSV", help="Table of species and their genomes: columns species, fasta."
    ),
]
Tree = Annotated[
    Path | None,
    typer.Option("--tree", metavar="NWK", help="Newick tree of these species, with branch lengths."),
]
SpeciesWindows = Annotated[
    int, typer.Option("--species-windows", metavar="N", help="Windows drawn from each of these genomes.")
]
PrecisionName = Annotated[
    Literal["float32", "bf16"],
    typer.Option("--precision", help="bf16 is faster where the processor multiplies in bfloat16."),
]


def probe(
    out: options.Out,
    task: Task = "",
    reference: Genome = None,
    annotation: Genes = None,
    table: TableFile = None,
    label: Label = None,
    group: Group = None,
    split: SplitName = None,
    test_contigs: TestContigs = None,
    test_reference: TestReference = None,
    test_annotation: TestAnnotation = None,
    test_table: TestTable = None,
    per_class: PerClass = 400,
    test_per_class: TestPerClass = 250,
    geometry: Geometry = False,
    umap: Umap = False,
    species: Species = None,
    tree: Tree = None,
    species_windows: SpeciesWindows = 200,
    checkpoint: options.CheckpointFolder = None,
    device: options.DeviceName = "auto",
    precision: PrecisionName = "float32",
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fit small models on frozen embeddings and compare them with every baseline on held-out examples.

    DIR then holds report.html, probe.json, probes.csv (every probe with its intervals) and examples.csv. The
    report says plainly where the encoder adds nothing.
    """
    wanted = workflow.ProbeOptions(
        task=task,
        reference=reference,
        annotation=annotation,
        table=table,
        label=label,
        group=group,
        split=split,
        test_contigs=tuple(name for name in (test_contigs or "").split(",") if name),
        test_reference=test_reference,
        test_annotation=test_annotation,
        test_table=test_table,
        per_class=per_class,
        test_per_class=test_per_class,
        geometry=geometry,
        umap=umap,
        species=species,
        tree=tree,
        species_windows=species_windows,
        encoder=EncoderOptions(checkpoint=checkpoint, device=device),
        precision=precision,
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.probe(wanted, out, overwrite=overwrite, announce=announce(quiet))
    print_summary({"out": str(out), **found.record()}, _lines(found, out), as_json=as_json)


def _lines(found: workflow.ProbeResult, out: Path) -> list[str]:
    """The scores, for people."""
    lines = noted(found.notes)
    if found.comparison is not None:
        main = found.comparison.measure
        for row in found.comparison.rows:
            score = row.scores[main]
            lines.append(f"  {row.name:45s} {score.value:.3f} ({score.lower:.3f} to {score.upper:.3f})")
        lines.append(found.comparison.conclusion)
    if found.windows is not None:
        lines.append(
            f"neighbour purity {found.windows.purity:.3f}, by chance {found.windows.chance:.3f}, "
            f"p = {found.windows.p:.3g}; with 6-mers {found.windows.baseline_purity:.3f}"
        )
    if found.species is not None:
        for name, each in found.species.correlations.items():
            lines.append(f"distance along the tree and distance of {name}: r {each.r:.3f}, p = {each.p:.3g}")
    return [*lines, f"report: {out / 'report.html'}"]
