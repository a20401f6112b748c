"""``meristem evaluate``: several models on the same folds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from meristem.cli import options
from meristem.cli.output import hushed, print_summary
from meristem.cli.panel import Source, parse_aliases, read_panel, read_sequence

if TYPE_CHECKING:
    from meristem.prediction.outcome import Evaluation

EXAMPLE: Final = (
    "Example: meristem evaluate --genotypes panel.vcf.gz --phenotypes traits.csv --trait height "
    "--models gblup,gaussian --scheme clusters --folds 5 --out results/height-models"
)

Models = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="A,B",
        help="Of gblup, gaussian, gblup+dna, multi-kernel, elastic-net, random-forest, lightgbm, auto; the "
        "first is the baseline, the last has the control. By default the first two, or three with a genome.",
    ),
]
SchemeName = Annotated[
    str,
    typer.Option("--scheme", metavar="NAME", help="random, or clusters (related lines held out together)."),
]
Folds = Annotated[int, typer.Option("--folds", min=2, help="Parts that the labelled lines are divided into.")]
Repeats = Annotated[int, typer.Option("--repeats", min=1, help="Random divisions; clusters need one.")]


def evaluate(
    out: options.Out,
    genotypes: options.GenotypeFile,
    phenotypes: options.PhenotypeFile,
    trait: options.Trait,
    reference: options.ReferenceFile = None,
    haplotypes: options.HaplotypeFile = None,
    models: Models = None,
    scheme: SchemeName = "random",
    folds: Folds = 5,
    repeats: Repeats = 5,
    checkpoint: options.CheckpointFolder = None,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    alias: options.Aliases = None,
    seed: options.Seed = 0,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Hold models against one another: accuracy on held-out lines, paired differences, a permutation control.

    DIR then holds evaluation.json.
    """
    from meristem.artifacts import write_artifact
    from meristem.cli.results import write_evaluation

    files = (genotypes, phenotypes, reference, haplotypes, marker_map)
    source = Source(*files, ploidy=ploidy, aliases=parse_aliases(alias))
    design: dict[str, Any] = {"scheme": scheme, "folds": folds, "repeats": repeats, "seed": seed}
    with (
        hushed(quiet),
        write_artifact(out, kind="evaluate", inputs=source.files, seeds={"seed": seed}) as draft,
    ):
        evaluation = _evaluate(source, trait, checkpoint, models, design, show=not quiet)
        write_evaluation(draft.path("evaluation.json"), evaluation)
        draft.parameters |= {"trait": trait, "models": [score.name for score in evaluation.scores], **design}
        draft.metrics["mean_r"] = {score.name: score.mean_r for score in evaluation.scores}
    print_summary({"out": str(out), **_summary(evaluation)}, _lines(evaluation, out), as_json=as_json)


def _evaluate(
    source: Source,
    trait: str,
    checkpoint: Path | None,
    names: str | None,
    design: dict[str, Any],
    *,
    show: bool,
) -> Evaluation:
    from meristem.cli.cost import announce_models
    from meristem.prediction.compare import DNA_MODEL, check_models, compare_models

    usual = ["gblup", "gaussian", *([DNA_MODEL] if source.reference is not None else [])]
    models = [name.strip() for name in names.split(",")] if names else usual
    check_models(models, design["scheme"], embedded=source.reference is not None)
    panel = read_panel(source, trait)
    sequence = read_sequence(source, checkpoint, show=show) if DNA_MODEL in models else None
    values = panel.phenotypes.means(trait)
    announce_models(panel.genotypes, values, dna_model=sequence is not None, show=show)
    return compare_models(
        panel.genotypes,
        values,
        trait,
        models=models,
        haplotypes=sequence.haplotypes.table if sequence else None,
        vectors=sequence.vectors if sequence else None,
        **design,
    )


def _summary(evaluation: Evaluation) -> dict[str, Any]:
    from meristem.cli.results import evaluation_record

    return {name: part for name, part in evaluation_record(evaluation).items() if name != "held_out"}


def _lines(evaluation: Evaluation, out: Path) -> list[str]:
    lines = [
        f"{score.name}: r = {score.mean_r:.3f}, 90 % intervals cover {score.coverage_90:.0%} of the values"
        for score in evaluation.scores
    ]
    lines += [
        f"{d.model} against {d.baseline}: {d.mean:+.3f} (95 % interval {d.lower:+.3f} to {d.upper:+.3f})"
        for d in evaluation.paired
    ]
    control = evaluation.permutation
    interval = f"({control.lower:.3f} to {control.upper:.3f})"
    lines.append(f"{control.model} on shuffled values: r = {control.mean_r:.3f} {interval}")
    return [*lines, f"evaluation: {out / 'evaluation.json'}"]
