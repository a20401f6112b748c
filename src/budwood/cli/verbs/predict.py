"""``budwood predict``: a ranked list of accessions, with its accuracy and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases
from budwood.errors import counted
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.panel.files import PanelFiles
from budwood.workflows import predict as workflow
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.traits.run_traits import TraitsResult, predict_traits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from budwood.report.parts.leaders import Leader

#: Candidates of the ranking that the terminal shows.
_LEADING: Final = 5

EXAMPLE: Final = (
    "Example: budwood predict --genotypes panel.vcf.gz --phenotypes traits.csv --trait height "
    "--reference genome.fa --out results/height"
)

ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Model that predicts, of those that evaluate takes; by default the one that uses what is given: "
        "gblup, gblup+dna, multi-kernel (annotation) or subgenomes.",
    ),
]


SaveModel = Annotated[
    Path | None,
    typer.Option(
        "--save-model",
        metavar="DIR",
        help="Folder for the fitted model; budwood apply predicts lines of other files with it.",
    ),
]


MarkerEffects = Annotated[
    bool,
    typer.Option(
        "--marker-effects",
        help="Also write marker_effects.csv; for gblup, subgenomes, elastic-net and bayes-c.",
    ),
]


def predict(
    out: options.Out,
    genotypes: options.GenotypeFile,
    phenotypes: options.PhenotypeFile,
    trait: options.Traits,
    reference: options.ReferenceFile = None,
    haplotypes: options.HaplotypeFile = None,
    annotation: options.AnnotationFile = None,
    marker_weights: options.MarkerWeightFile = None,
    tracks: options.TrackFiles = None,
    subgenomes: options.SubgenomeFile = None,
    subgenomes_by_name: options.SubgenomesByName = False,
    model: ModelName = None,
    environments: options.EnvironmentFile = None,
    covariates: options.CovariateFile = None,
    kinship: options.KinshipFile = None,
    accession_column: options.AccessionColumn = None,
    checkpoint: options.CheckpointFolder = None,
    adapter: options.AdapterFolders = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    save_model: SaveModel = None,
    marker_effects: MarkerEffects = False,
    lower_is_better: options.LowerIsBetter = False,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    ploidies: options.Ploidies = None,
    alias: options.Aliases = None,
    csv_dialect: options.CsvDialectName = CsvDialect.PLAIN,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Predict a trait for every accession, with uncertainty, accuracy on held-out lines and a report.

    Accessions without a value of the trait are the candidates. Without a reference genome the markers
    predict alone; with it the DNA model reads the sequence around every variant and joins them. Annotation,
    tracks or subgenomes add relationships of their own.
    DIR then holds predictions.csv, evaluation.json and report.html; with a table of environments also
    environments.csv (a line per accession and environment, those without records included) and stability.csv.
    With several traits the tables hold one below the other, and there is a report, and with --save-model a
    folder below it, for each.
    """
    files = PanelFiles(
        genotypes=genotypes,
        phenotypes=phenotypes,
        reference=reference,
        haplotypes=haplotypes,
        annotation=annotation,
        marker_weights=marker_weights,
        tracks=tuple(tracks or ()),
        subgenomes=subgenomes,
        subgenomes_by_name=subgenomes_by_name,
        environments=environments,
        covariates=covariates,
        kinship=kinship,
        accession_column=accession_column,
        marker_map=marker_map,
        ploidy=ploidy,
        ploidies=ploidies,
        aliases=parse_aliases(alias),
    )
    wanted = workflow.PredictOptions(
        files=files,
        trait=trait[0],
        model=model,
        encoder=EncoderOptions(
            checkpoint=checkpoint, adapter=tuple(adapter or ()), device=device, batch_size=batch_size
        ),
        save_model=save_model,
        marker_effects=marker_effects,
        lower_is_better=lower_is_better,
        seed=seed,
        csv_dialect=csv_dialect,
    )
    if len(trait) > 1:
        with hushed(quiet):
            several = predict_traits(wanted, trait, out, overwrite=overwrite, announce=announce(quiet))
        _print_several(several, out, save_model, as_json=as_json)
        return
    with hushed(quiet):
        found = workflow.predict(wanted, out, overwrite=overwrite, announce=announce(quiet))
    print_summary({"out": str(out), **found.record()}, _lines(found, out, save_model), as_json=as_json)


def _print_several(
    found: TraitsResult[workflow.PredictResult], out: Path, save_model: Path | None, *, as_json: bool
) -> None:
    """The results of several traits, one after another."""
    records = [result.record() | {"report": found.reports[trait]} for trait, result in found.results.items()]
    lines: list[str] = []
    for trait, result in found.results.items():
        model = None if save_model is None else save_model / found.models[trait]
        lines += [f"{trait}:", *(f"  {line}" for line in _lines(result, out, model, found.reports[trait]))]
    summary = {"out": str(out), "traits": records, "not_analysed": found.not_analysed()}
    print_summary(summary, [*lines, *found.notes], as_json=as_json)


def _lines(
    found: workflow.PredictResult, out: Path, save_model: Path | None, report: str = "report.html"
) -> list[str]:
    """The result for people."""
    from budwood.workflows.records.environments import CELL_FILE, STABILITY_FILE

    evaluation, several = found.evaluation, found.in_environments
    accuracy = ", ".join(f"{name} {r:.3f}" for name, r in found.mean_r.items())
    candidates = len(found.prediction.accessions) - found.phenotyped
    ranked = f"{counted(candidates, 'candidate')} ranked from "
    ranked += f"{counted(found.phenotyped, 'line')} with {found.prediction.trait}"
    if found.prediction.lower_is_better:
        ranked += ", smallest first"
    if found.prediction.ranks_nothing:
        ranked = f"nothing can be ranked: all {candidates:,} candidates have the same prediction"
    lines = [
        *noted(found.notes),
        ranked,
        f"accuracy r on held-out lines, {evaluation.repeats} x "
        f"{counted(evaluation.folds, 'fold')}: {accuracy}",
        evaluation.conclusion,
        found.headline,
        *_leading(found.leaders[:_LEADING], found.prediction.candidate_rank),
    ]
    if several is not None:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in several.variance_shares.items())
        lines += [
            f"{counted(len(several.environments), 'environment')}, "
            f"{several.model}; variance within them: {shares}",
            *(note for note in several.notes if note.startswith("Warning")),
            f"per environment: {out / CELL_FILE}; stability: {out / STABILITY_FILE}",
        ]
    if save_model is not None:
        lines.append(f"model: {save_model}; budwood apply {save_model} predicts other lines")
    return [*lines, f"report: {out / report}"]


def _leading(leaders: Sequence[Leader], rank: NDArray[np.float64]) -> list[str]:
    """The first candidates with their rank among the candidates, as a table."""
    if not leaders:
        return []
    names = max(len(leader.accession) for leader in leaders)
    values = max(len(leader.value) for leader in leaders)
    return ["first of the candidates (candidate_rank), with 90 % intervals:"] + [
        f"  {rank[leader.row]:.0f}. {leader.accession:<{names}}  "
        f"{leader.value:>{values}}  ({leader.interval})" + ("  extrapolation" if leader.extrapolation else "")
        for leader in leaders
    ]
