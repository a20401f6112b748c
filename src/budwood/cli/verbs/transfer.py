"""``budwood transfer``: whether a source helps a target, and the map over many pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_files, parse_names, parse_whole_numbers
from budwood.cli.verb import Verb
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.transfer import evaluate as workflow
from budwood.workflows.transfer import map as map_workflow
from budwood.workflows.transfer.options import SideOptions, TransferOptions, panel_of
from budwood.workflows.transfer.record import transfer_record
from budwood.workflows.transfer.source_lists import SourceLists

EXAMPLE: Final = (
    "Example: budwood transfer evaluate --source models/rice-height --target-genotypes sorghum.vcf.gz "
    "--target-phenotypes sorghum.csv --trait height --orthologs rice-sorghum.csv --source-genes rice.gff3 "
    "--target-genes sorghum.gff3 --out results/rice-sorghum"
)
MAP_EXAMPLE: Final = "Example: budwood transfer map results/transfers --tree species.nwk --out results/map"

app = typer.Typer(help="Measure transfer between species and populations.", no_args_is_help=True)

OptionalFile = Path | None
Files = list[Path] | None
Provenance = Literal["field", "controlled", "mixed"]


def _file(name: str, help_text: str, metavar: str = "FILE") -> typer.models.OptionInfo:
    return typer.Option(name, metavar=metavar, help=help_text)


@app.command(epilog=EXAMPLE, cls=Verb)
def evaluate(
    out: options.Out,
    target_genotypes: Annotated[
        OptionalFile, _file("--target-genotypes", "Genotypes of the target's lines.")
    ] = None,
    target_phenotypes: Annotated[
        OptionalFile, _file("--target-phenotypes", "Trait values of some of them; they measure the transfer.")
    ] = None,
    trait: Annotated[
        str | None,
        typer.Option("--trait", metavar="NAME", help="Trait, as named in the phenotypes."),
    ] = None,
    target: Annotated[
        OptionalFile,
        _file("--target", "Instead of files: saved trait model; its training lines are the target.", "DIR"),
    ] = None,
    source: Annotated[
        Files,
        _file(
            "--source",
            "Saved trait model; its training lines are the source. Once for each of several sources.",
            "DIR",
        ),
    ] = None,
    source_genotypes: Annotated[
        Files, _file("--source-genotypes", "Instead of a model: the source's genotypes; once for each.")
    ] = None,
    source_phenotypes: Annotated[
        Files, _file("--source-phenotypes", "Trait values of the source's lines.")
    ] = None,
    source_trait: Annotated[
        list[str] | None,
        typer.Option("--source-trait", metavar="NAME", help="The source's trait; --trait if not given."),
    ] = None,
    orthologs: Annotated[
        Files, _file("--orthologs", "Table of the source's gene and the target's gene.", "CSV")
    ] = None,
    blocks: Annotated[Files, _file("--blocks", "Instead of orthologs: collinear blocks of MCScanX.")] = None,
    source_genes: Annotated[
        Files, _file("--source-genes", "Places of the source's genes: GFF, BED or a table.")
    ] = None,
    target_genes: Annotated[OptionalFile, _file("--target-genes", "Places of the target's genes.")] = None,
    source_scores: Annotated[
        Files, _file("--source-scores", "Table of markers and how damaging each is.", "CSV")
    ] = None,
    target_scores: Annotated[
        OptionalFile, _file("--target-scores", "The same of the target's markers.", "CSV")
    ] = None,
    reach: Annotated[
        int, typer.Option("--reach", min=0, help="Bases around a gene whose markers belong to it.")
    ] = 25_000,
    source_reference: Annotated[
        Files,
        _file(
            "--source-reference",
            "Genome of the source; with both, embeddings are compared too, and by locus with gene pairs.",
            "FASTA",
        ),
    ] = None,
    target_reference: Annotated[
        OptionalFile, _file("--target-reference", "Genome of the target.", "FASTA")
    ] = None,
    source_map: Annotated[
        Files, _file("--source-map", "Marker, chrom, pos of the source's table of dosages.")
    ] = None,
    target_map: Annotated[
        OptionalFile, _file("--target-map", "Marker, chrom, pos of the target's table of dosages.")
    ] = None,
    source_name: Annotated[
        list[str] | None, typer.Option("--source-name", help="Species or population, for the map.")
    ] = None,
    target_name: Annotated[
        str, typer.Option("--target-name", help="Species or population, for the map.")
    ] = "",
    source_provenance: Annotated[
        list[str] | None,
        typer.Option(
            "--source-provenance",
            metavar="PLACE",
            help="Where the source was phenotyped: field, controlled, mixed or unknown.",
        ),
    ] = None,
    target_provenance: Annotated[
        Provenance | None, typer.Option("--target-provenance", help="Where the target was phenotyped.")
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(
            "--sizes", metavar="A,B", help="Numbers of phenotyped lines to try; 0 to 400 if not given."
        ),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=2, help="Random draws of test lines.")] = 30,
    next_lines: Annotated[
        int, typer.Option("--next", min=0, help="How many lines to name that should be phenotyped first.")
    ] = 25,
    checkpoint: options.CheckpointFolder = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure what a source's trait says of a target's lines, at no and few phenotyped lines.

    Populations of one species share markers. Two species share genes: give orthologs or collinear blocks and
    both gene tables. Everything is compared with the target alone on the same draws, and with controls.

    Several sources are joined with the target alone by non-negative weights. They are those of --source and
    then those of --source-genotypes; give the other options of a source once for all of them or once for
    each, in this order, with - for a file that one of them lacks.
    DIR then holds report.html, transfer.json, accuracy.csv, scores.csv and next_lines.csv.
    """
    sources = SourceLists(
        models=source or (),
        genotypes=source_genotypes or (),
        phenotypes=parse_files(source_phenotypes),
        references=parse_files(source_reference),
        maps=parse_files(source_map),
        traits=source_trait or (),
        names=source_name or (),
        genes=parse_files(source_genes),
        scores=parse_files(source_scores),
        orthologs=parse_files(orthologs),
        blocks=parse_files(blocks),
        provenances=source_provenance or (),
    )
    theirs = SideOptions(
        files=panel_of("target", target_genotypes, target_phenotypes, target_reference, target_map),
        model=target,
        trait=trait or "",
        name=target_name,
        genes=target_genes,
        scores=target_scores,
        provenance=target_provenance or "",
    )
    wanted = TransferOptions(
        sources=sources.sources(trait or ""),
        target=theirs,
        reach=reach,
        sizes=parse_whole_numbers(sizes, "--sizes"),
        draws=draws,
        encoder=EncoderOptions(checkpoint=checkpoint, device=device, batch_size=batch_size),
        next_lines=next_lines,
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.evaluate_transfer(wanted, out, overwrite=overwrite, announce=announce(quiet))
    from budwood.report.pages.transfer import MEANINGS, expectations

    record = transfer_record(found)
    lines = [*noted(found.notes), f"outcome: {record['outcome']}", MEANINGS[record["outcome"]]]
    lines += expectations(record)
    first = record["phenotype_first"]
    if first:
        asked = (
            "phenotype next"
            if record["phenotype_first_beside"]
            else "all are phenotyped; had none been, first"
        )
        lines.append(f"{asked}: {', '.join(first[:5])}{' ...' if len(first) > 5 else ''} (next_lines.csv)")
    print_summary({"out": str(out), **record}, [*lines, f"report: {out / 'report.html'}"], as_json=as_json)


@app.command("map", epilog=MAP_EXAMPLE, cls=Verb)
def map_transfers(
    out: options.Out,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER...", help="Results of transfer evaluate, or folders that hold them."),
    ] = None,
    library: Annotated[
        OptionalFile,
        _file("--library", "Model library: all pairs of its trait models, and the results it holds.", "DIR"),
    ] = None,
    tree: Annotated[
        OptionalFile, _file("--tree", "Newick tree of the species, for evolutionary distances.")
    ] = None,
    species: Annotated[
        str | None,
        typer.Option("--species", metavar="A,B", help="Further species or populations to show as untested."),
    ] = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Lay measured transfers out as a map: source by target, gains with intervals, what is untested.

    DIR then holds report.html (the heat map), map.csv and map.json.
    """
    wanted = map_workflow.MapOptions(
        folders=tuple(folders or ()),
        tree=tree,
        species=parse_names(species, "--species"),
        library=library,
    )
    with hushed(quiet):
        found = map_workflow.map_transfers(wanted, out, overwrite=overwrite)
    record = found.record()
    lines = [*noted(found.notes), *found.sentences(), f"report: {out / 'report.html'}"]
    print_summary({"out": str(out), **record}, lines, as_json=as_json)
