"""``budwood transfer``: whether a source helps a target, and the map over many pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, TypeVar

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_names
from budwood.cli.verb import Verb
from budwood.errors import BudwoodError, counted, shown
from budwood.panel.files import PanelFiles
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.transfer import evaluate as workflow
from budwood.workflows.transfer import map as map_workflow
from budwood.workflows.transfer.options import SideOptions, TransferOptions
from budwood.workflows.transfer.record import transfer_record

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
T = TypeVar("T")
#: What may be said of where a source was phenotyped.
_PROVENANCES: Final[Mapping[str, Literal["", "field", "controlled", "mixed"]]] = MappingProxyType(
    {"field": "field", "controlled": "controlled", "mixed": "mixed", "unknown": ""}
)


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
        _file("--source-reference", "Genome of the source; with both, embeddings are compared too.", "FASTA"),
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
    _check_used(target_genotypes, target_phenotypes, target_reference, target_map, side="target")
    panel = (source_phenotypes, source_reference, source_map)
    _check_used(source_genotypes, *panel, side="source")
    theirs = SideOptions(
        files=None
        if target_genotypes is None
        else PanelFiles(
            genotypes=target_genotypes,
            phenotypes=target_phenotypes,
            reference=target_reference,
            marker_map=target_map,
        ),
        model=target,
        trait=trait or "",
        name=target_name,
        genes=target_genes,
        scores=target_scores,
        provenance=target_provenance or "",
    )
    given = source_genotypes or []
    phenotypes = _files(source_phenotypes, len(given), "--source-phenotypes")
    references = _files(source_reference, len(given), "--source-reference")
    maps = _files(source_map, len(given), "--source-map")
    panels = [
        PanelFiles(genotypes=genotypes, phenotypes=table, reference=reference, marker_map=places)
        for genotypes, table, reference, places in zip(given, phenotypes, references, maps, strict=True)
    ]
    models = source or []
    count = len(models) + len(panels)
    traits = _for_each(source_trait, count, "--source-trait")
    names = _for_each(source_name, count, "--source-name")
    provenances = _for_each(source_provenance, count, "--source-provenance")
    tables = [
        _files(each, count, name)
        for each, name in (
            (source_genes, "--source-genes"),
            (source_scores, "--source-scores"),
            (orthologs, "--orthologs"),
            (blocks, "--blocks"),
        )
    ]
    ours = tuple(
        SideOptions(
            model=models[i] if i < len(models) else None,
            files=None if i < len(models) else panels[i - len(models)],
            trait=traits[i] or trait or "",
            name=names[i] or "",
            genes=tables[0][i],
            scores=tables[1][i],
            orthologs=tables[2][i],
            blocks=tables[3][i],
            provenance=_stated(provenances[i]),
        )
        for i in range(count)
    )
    wanted = TransferOptions(
        sources=ours,
        target=theirs,
        reach=reach,
        sizes=_sizes(sizes),
        draws=draws,
        encoder=EncoderOptions(checkpoint=checkpoint, device=device, batch_size=batch_size),
        next_lines=next_lines,
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.evaluate_transfer(wanted, out, overwrite=overwrite, announce=announce(quiet))
    from budwood.report.pages.transfer import expectations

    record = transfer_record(found)
    lines = [*noted(found.notes), f"outcome: {record['outcome']}", *expectations(record)]
    print_summary({"out": str(out), **record}, [*lines, f"report: {out / 'report.html'}"], as_json=as_json)


def _for_each(values: Sequence[T] | None, count: int, option: str) -> list[T | None]:
    """A value for each source: the one that counts for all of them, or as many as there are."""
    if not values:
        return [None] * count
    if len(values) == 1:
        return [values[0]] * count
    if len(values) != count:
        raise BudwoodError(
            f"{option} is given {len(values)} times for {counted(count, 'source')}",
            where="command line",
            mend="give it once, or once for each source",
        )
    return [*values]


def _files(values: Sequence[Path] | None, count: int, option: str) -> list[Path | None]:
    """The same of files, where - stands for none."""
    return [None if each == Path("-") else each for each in _for_each(values, count, option)]


def _check_used(genotypes: object, *given: object, side: str) -> None:
    """Refuse files of a panel without genotypes: a saved model holds its own, and they would go unread."""
    options = zip(("phenotypes", "reference", "map"), given, strict=True)
    unread = [f"--{side}-{name}" for name, value in options if value]
    if unread and not genotypes:
        raise BudwoodError(
            f"{unread[0]} belongs to a panel, but --{side}-genotypes is not given",
            where="command line",
            mend=f"give --{side}-genotypes as well, or leave {unread[0]} out",
        )


def _stated(provenance: str | None) -> Literal["", "field", "controlled", "mixed"]:
    if provenance is None:
        return ""
    if provenance not in _PROVENANCES:
        raise BudwoodError(
            f"the provenance {shown(provenance)} is not possible",
            where="--source-provenance",
            mend=f"choose from {', '.join(_PROVENANCES)}",
        )
    return _PROVENANCES[provenance]


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


def _sizes(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in (text or "").replace(" ", "").split(",") if word)
    except ValueError as error:
        raise BudwoodError(
            f"--sizes {shown(text)} are no whole numbers", where="command line", mend="write them as 0,25,50"
        ) from error
