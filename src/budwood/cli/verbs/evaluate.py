"""``budwood evaluate``: several models on the same folds."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases, parse_names
from budwood.panel.files import PanelFiles
from budwood.workflows import evaluate as workflow
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.traits.run_traits import TraitsResult, evaluate_traits

if TYPE_CHECKING:
    from budwood.prediction.environments.results import EnvironmentEvaluation
    from budwood.prediction.evaluation.results import Evaluation, ModelScore

EXAMPLE: Final = (
    "Example: budwood evaluate --genotypes panel.vcf.gz --phenotypes traits.csv --trait height "
    "--models gblup,gaussian --scheme clusters --folds 5 --out results/height-models"
)

Models = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="A,B",
        help="Of gblup, gaussian, gblup+dna, multi-kernel, major-loci, elastic-net, bayes-c, "
        "random-forest, lightgbm, auto, subgenomes; the first is the baseline, the last has the control. By "
        "default the first two, or three with a genome. For cv1 to forward, of main, separate, deviations, "
        "reaction-norm, index-norm, factor, factor-2.",
    ),
]
SchemeName = Annotated[
    str,
    typer.Option(
        "--scheme",
        metavar="NAME",
        help="random; clusters (related lines held out together); families (groups held out whole); or for "
        "long phenotypes cv1 (new lines, known environments), cv2 (lines tried elsewhere), cv0 (known lines, "
        "new environments), cv00 (both new), forward (later years).",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        min=2,
        help="Parts that the phenotyped lines are divided into: 5 if not given, with families one for each.",
    ),
]
Repeats = Annotated[
    int, typer.Option("--repeats", min=1, help="Random divisions; clusters and families need one.")
]
GroupFile = Annotated[
    Path | None,
    typer.Option("--groups", metavar="CSV", help="Table of accessions and their families, for families."),
]
GroupColumn = Annotated[
    str | None,
    typer.Option("--group-column", metavar="NAME", help="Column of that table that holds the family."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Processes that share the folds; by default one, and from 2,000 phenotyped lines on as many as "
        "there are processors and memory for.",
    ),
]
TraitHeritability = Annotated[
    float | None,
    typer.Option(
        "--h2", help="Heritability for r / h; estimated from the phenotyped lines by REML if not given."
    ),
]


def evaluate(
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
    models: Models = None,
    scheme: SchemeName = "random",
    folds: Folds = None,
    repeats: Repeats = 5,
    groups: GroupFile = None,
    group_column: GroupColumn = None,
    h2: TraitHeritability = None,
    lower_is_better: options.LowerIsBetter = False,
    environments: options.EnvironmentFile = None,
    covariates: options.CovariateFile = None,
    kinship: options.KinshipFile = None,
    accession_column: options.AccessionColumn = None,
    checkpoint: options.CheckpointFolder = None,
    adapter: options.AdapterFolders = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    ploidies: options.Ploidies = None,
    alias: options.Aliases = None,
    seed: options.Seed = 0,
    workers: Workers = None,
    ray: options.RayAddress = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare models on the same folds: accuracy on held-out lines, paired differences, a permutation test.

    Long phenotypes in several environments have schemes and models of their own; --environments describes the
    environments. DIR then holds evaluation.json and report.html.
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
    wanted = workflow.EvaluateOptions(
        files=files,
        trait=trait[0],
        models=parse_names(models, "--models"),
        scheme=scheme,
        folds=folds,
        repeats=repeats,
        groups=groups,
        group_column=group_column,
        h2=h2,
        lower_is_better=lower_is_better,
        encoder=EncoderOptions(
            checkpoint=checkpoint, adapter=tuple(adapter or ()), device=device, batch_size=batch_size
        ),
        seed=seed,
        workers=workers,
        ray=ray,
    )
    if len(trait) > 1:
        with hushed(quiet):
            several = evaluate_traits(wanted, trait, out, overwrite=overwrite, announce=announce(quiet))
        _print_several(several, out, as_json=as_json)
        return
    with hushed(quiet):
        found = workflow.evaluate(wanted, out, overwrite=overwrite, announce=announce(quiet))
    print_summary({"out": str(out), **_brief(found)}, _lines(found, out), as_json=as_json)


def _brief(found: workflow.EvaluateResult) -> dict[str, Any]:
    """The record without a line for every accession."""
    return {name: part for name, part in found.record().items() if name != "held_out"}


def _print_several(found: TraitsResult[workflow.EvaluateResult], out: Path, *, as_json: bool) -> None:
    """The results of several traits, one after another."""
    lines: list[str] = []
    for trait, result in found.results.items():
        report = f"report: {out / found.reports[trait]}"
        lines += [f"{trait}:", *(f"  {line}" for line in (*_lines(result, out), report))]
    records = {trait: _brief(result) for trait, result in found.results.items()}
    summary = {"out": str(out), "traits": records, "not_analysed": found.not_analysed()}
    print_summary(summary, [*lines, *found.notes], as_json=as_json)


def _lines(found: workflow.EvaluateResult, out: Path) -> list[str]:
    """The result for people."""
    lines = [] if found.evaluation is None else _line_lines(found.evaluation)
    lines += [] if found.in_environments is None else _environment_lines(found.in_environments)
    return [*noted([*found.identity, *found.read]), *lines, f"evaluation: {out / 'evaluation.json'}"]


def _line_lines(evaluation: Evaluation) -> list[str]:
    lines = [line for score in evaluation.scores for line in _score_lines(score, evaluation)]
    lines += [
        f"{d.model} against {d.baseline}: {d.mean:+.3f} (95 % interval over folds {d.lower:+.3f} to "
        f"{d.upper:+.3f}, over lines {d.bootstrap_lower:+.3f} to {d.bootstrap_upper:+.3f})"
        for d in evaluation.paired
    ]
    control = evaluation.permutation
    interval = f"({control.lower:.3f} to {control.upper:.3f})"
    lines.append(f"{control.model} on shuffled values: r = {control.mean_r:.3f} {interval}")
    h2 = evaluation.heritability
    lines += [f"h2 = {h2.value:.2f}, {h2.source}"] if h2 else []
    return [*lines, *evaluation.notes]


def _score_lines(score: ModelScore, evaluation: Evaluation) -> list[str]:
    """A model's accuracy, and what selection by it would bring."""
    r = f"{score.name}: r = {score.mean_r:.3f}"
    r += f", r / h = {score.accuracy:.3f}" if isfinite(score.accuracy) else ""
    r += f", within families {score.mean_family_r:.3f}" if isfinite(score.mean_family_r) else ""
    r += f", AUROC {score.auroc:.3f}" if isfinite(score.auroc) else ""
    way = "lower" if evaluation.lower_is_better else "higher"
    return [
        f"{r}, 90 % intervals cover {score.coverage_90:.0%} of the values",
        f"  the predicted best quarter holds {score.top_quarter:.0%} of the truly best (chance "
        f"{evaluation.top_quarter_chance:.0%}) and is {score.gain:.3g} {way} than the mean "
        f"({score.gain_sd:.2f} SD; perfect: {evaluation.possible_gain:.3g})",
    ]


def _environment_lines(evaluation: EnvironmentEvaluation) -> list[str]:
    """Accuracy of multi-environment models, for people."""
    lines = [
        f"{score.name}: r within environments = {score.mean_r:.3f} over {len(score.environment_r)} of them, "
        f"90 % intervals cover {score.coverage_90:.0%} of the values"
        for score in evaluation.scores
    ]
    lines += [
        f"{d.model} against {d.baseline}: {d.mean:+.3f} (95 % interval over {evaluation.interval_over} "
        f"{d.lower:+.3f} to {d.upper:+.3f})"
        for d in evaluation.paired
    ]
    control = evaluation.permutation
    lines.append(f"{control.model} on values shuffled within environments: r = {control.mean_r:.3f}")
    conclusion = [evaluation.conclusion] if evaluation.conclusion else []
    return [*lines, *conclusion, *evaluation.notes]
