"""``budwood evaluate``: several models on the same folds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, print_summary
from budwood.errors import BudwoodError
from budwood.panel.files import PanelFiles, parse_aliases, read_panel, read_sequence
from budwood.workflows.environment_prediction import evaluate_in_environments, is_multi_environment

if TYPE_CHECKING:
    from budwood.prediction.compare import Design
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
        help="Of gblup, gaussian, gblup+dna, multi-kernel, major-loci, elastic-net, random-forest, lightgbm, "
        "auto, subgenomes; the first is the baseline, the last has the control. By default the first two, or "
        "three with a genome. For cv1 to forward, of main, separate, deviations, reaction-norm, index-norm, "
        "factor, factor-2.",
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
        help="Parts that the labelled lines are divided into: 5 if not given, with families one for each.",
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
TraitHeritability = Annotated[
    float | None,
    typer.Option(
        "--h2", help="Heritability for r / h; estimated from the labelled lines by REML if not given."
    ),
]
LowerIsBetter = Annotated[
    bool, typer.Option("--lower-is-better", help="The best lines are those with the smallest values.")
]


def evaluate(
    out: options.Out,
    genotypes: options.GenotypeFile,
    phenotypes: options.PhenotypeFile,
    trait: options.Trait,
    reference: options.ReferenceFile = None,
    haplotypes: options.HaplotypeFile = None,
    annotation: options.AnnotationFile = None,
    marker_weights: options.MarkerWeightFile = None,
    subgenomes: options.SubgenomeFile = None,
    subgenomes_by_name: options.SubgenomesByName = False,
    models: Models = None,
    scheme: SchemeName = "random",
    folds: Folds = None,
    repeats: Repeats = 5,
    groups: GroupFile = None,
    group_column: GroupColumn = None,
    h2: TraitHeritability = None,
    lower_is_better: LowerIsBetter = False,
    environments: options.EnvironmentFile = None,
    accession_column: options.AccessionColumn = None,
    checkpoint: options.CheckpointFolder = None,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    ploidies: options.Ploidies = None,
    alias: options.Aliases = None,
    seed: options.Seed = 0,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare models on the same folds: accuracy on held-out lines, paired differences, a permutation test.

    Long phenotypes in several environments have schemes and models of their own; --environments says what is
    known of the environments. DIR then holds evaluation.json.
    """
    files = (genotypes, phenotypes, reference, haplotypes, marker_map)
    tracks = (annotation, marker_weights, subgenomes, subgenomes_by_name)
    aliases = parse_aliases(alias)
    source = PanelFiles(*files, ploidy, aliases, ploidies, *tracks, environments, accession_column)
    design = _design(models, scheme, folds, repeats, seed, h2, lower_is_better)
    with hushed(quiet):
        families = _Families(groups, group_column)
        summary, lines = _run(out, source, trait, design, families, checkpoint, show=not quiet)
    print_summary({"out": str(out), **summary}, lines, as_json=as_json)


def _design(models: str | None, *rules: Any) -> Design:
    """Models by their names, separated by commas, and how they are compared."""
    from budwood.prediction.compare import Design

    return Design(tuple(map(str.strip, models.split(","))) if models else (), *rules)


def _run(
    out: Path,
    source: PanelFiles,
    trait: str,
    design: Design,
    families: _Families,
    checkpoint: Path | None,
    *,
    show: bool,
) -> tuple[dict[str, Any], list[str]]:
    """Evaluate by the scheme's kind of models; the run for machines and for people."""
    if is_multi_environment(design.scheme, source.environments):
        return evaluate_in_environments(out, source, trait, design, families.path, show=show)
    design = design if design.models else replace(design, models=_usual(source))
    evaluation = _write(out, source, trait, design, families, checkpoint, show=show)
    return _summary(evaluation), _lines(evaluation, out)


def _usual(source: PanelFiles) -> tuple[str, ...]:
    """Models to compare where none are named."""
    return ("gblup", "gaussian") if source.reference is None else ("gblup", "gaussian", "gblup+dna")


@dataclass(frozen=True)
class _Families:
    """Table of accessions and their families, and its column; no table where folds are not of families."""

    path: Path | None
    column: str | None

    def __post_init__(self) -> None:
        if self.path is None and self.column is not None:
            raise BudwoodError(
                "a column of groups needs a table of groups",
                where="command line",
                mend="give --groups as well",
            )

    def read(self) -> dict[str, str] | None:
        """Family by accession."""
        from budwood.genomics.io.tables.accession_table import read_accession_column

        return None if self.path is None else read_accession_column(self.path, self.column)


def _write(
    out: Path,
    source: PanelFiles,
    trait: str,
    design: Design,
    families: _Families,
    checkpoint: Path | None,
    *,
    show: bool,
) -> Evaluation:
    """Evaluate and write the artifact."""
    from budwood.artifacts import write_artifact
    from budwood.workflows.results import write_evaluation

    inputs = [*source.files, *([families.path] if families.path else [])]
    with write_artifact(out, kind="evaluate", inputs=inputs, seeds={"seed": design.seed}) as draft:
        evaluation = _evaluate(source, trait, design, families, checkpoint, show=show)
        write_evaluation(draft.path("evaluation.json"), evaluation)
        draft.parameters |= {"trait": trait, **asdict(design), "group_column": families.column}
        draft.parameters |= {"models": [score.name for score in evaluation.scores], "folds": evaluation.folds}
        draft.metrics["mean_r"] = {score.name: score.mean_r for score in evaluation.scores}
    return evaluation


def _evaluate(
    source: PanelFiles,
    trait: str,
    design: Design,
    families: _Families,
    checkpoint: Path | None,
    *,
    show: bool,
) -> Evaluation:
    from budwood.prediction.compare import DNA_MODEL, compare_models
    from budwood.workflows.cost import announce_models

    design.check(embedded=source.reference is not None, grouped=families.path is not None)
    groups = families.read()
    panel = read_panel(source, trait)
    sequence = read_sequence(source, checkpoint, show=show) if DNA_MODEL in design.models else None
    values = panel.phenotypes.means(trait)
    announce_models(panel.genotypes, values, design.fits, dna_model=sequence is not None, show=show)
    return compare_models(
        panel.genotypes,
        values,
        trait,
        design,
        haplotypes=sequence.haplotypes.table if sequence else None,
        vectors=sequence.vectors if sequence else None,
        weights=panel.weights,
        groups=groups,
    )


def _summary(evaluation: Evaluation) -> dict[str, Any]:
    from budwood.workflows.results import evaluation_record

    return {name: part for name, part in evaluation_record(evaluation).items() if name != "held_out"}


def _lines(evaluation: Evaluation, out: Path) -> list[str]:
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
    return [*lines, *evaluation.notes, f"evaluation: {out / 'evaluation.json'}"]


def _score_lines(score: ModelScore, evaluation: Evaluation) -> list[str]:
    """What is told of a model: its accuracy, and what selection by it would bring."""
    from math import isfinite

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
