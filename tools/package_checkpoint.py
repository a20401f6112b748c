"""Put a trained checkpoint and its scores into the package, with a model card.

    python tools/package_checkpoint.py runs/small --scores scores.json --masked masked.json \
        --hardware "one core of ..."

Reads ``runs/small/checkpoint``, ``runs/small/training/log.jsonl``, the corpus of the recipe, the same files
of the runs that it continues, and the output of ``checkpoint_scores.py`` and ``masked_bases.py``.

    python tools/package_checkpoint.py runs/grasses --scores paired.json --card card.md

packages it, in a folder with the name of its recipe, with a card that is written already and the output
of ``paired_checkpoints.py``. A run that
continues the packaged checkpoint adds its recipe to those of that checkpoint.
"""

from __future__ import annotations

import argparse
import json
import shutil
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from budwood.artifacts import read_manifest, write_artifact
from budwood.corpus.sampling.store import Corpus, open_corpus
from budwood.model.checkpoint import load_checkpoint, packaged_checkpoint
from budwood.model.tokenizer import save_tokenizer
from budwood.model.track_head import TRACKS

TEMPLATE = Path(__file__).with_name("model_card.md")
LEAKAGE = "Leakage: share of validation windows with a training window of at least this identity"
SHORT = {"Arabidopsis thaliana": "Arabidopsis", "Oryza sativa": "rice"}
Row = dict[str, Any]


def short(number: float) -> str:
    """.984 for .98412."""
    return f"{number:.3f}".replace("0.", ".", 1)


def score_cell(row: Row) -> str:
    value = row["auroc"] if "auroc" in row else row["balanced_accuracy"]
    return f"{short(value)} ({short(row['lower'])}-{short(row['upper'])})"


def few_cell(row: Row) -> str:
    return f"{short(row['mean'])} +-{short(row['spread'])}"


def nats_cell(row: Row) -> str:
    return f"{row['cross_entropy']:.4f} ({short(row['accuracy'])})"


def pivot(rows: Sequence[Row], line: str, column: Sequence[str], cell: Callable[[Row], str]) -> str:
    """A table with one line for each model, and one column for each task and species."""

    def head(row: Row) -> str:
        return ", ".join(SHORT.get(row[key], str(row[key]).replace("_", " ")) for key in column)

    heads = list(dict.fromkeys(head(row) for row in rows))
    lines = [f"| {line} | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for name in dict.fromkeys(row[line] for row in rows):
        found = {head(row): cell(row) for row in rows if row[line] == name}
        lines.append(f"| {name} | " + " | ".join(found.get(one, "") for one in heads) + " |")
    return "\n".join(lines)


def data_table(corpus: Corpus, weights: dict[str, float]) -> str:
    """Windows and share of each source of the corpus; a collection is one line."""
    lines = ["| source | species | training windows | share of draws | annotated |", "|---|--:|--:|--:|---|"]
    total = sum(weights.values()) if weights else 1.0
    for source in dict.fromkeys(species.source for species in corpus.species):
        own = [species for species in corpus.species if species.source == source]
        named = weights.get(source, weights.get(own[0].name, 0.0)) / total
        share = named if weights else sum(species.weight for species in own)
        rows = np.isin(corpus.windows["species"], [corpus.species.index(species) for species in own])
        genic = "yes" if corpus.windows["genic"][rows].any() else "no"
        windows = sum(species.training for species in own)
        lines.append(f"| {source} | {len(own):,} | {windows:,} | {share:.0%} | {genic} |")
    return "\n".join(lines)


def leakage_table(folder: Path) -> str:
    """Share of validation windows with a relative in training, by identity and coverage."""
    found = json.loads((folder / "leakage.json").read_text(encoding="utf-8"))
    heads = [f"over {c:.0%} of the window" for c in found["coverages"]]
    lines = ["| identity at least | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for identity, shares in zip(found["identities"], found["shares"], strict=True):
        lines.append(f"| {identity:.0%} | " + " | ".join(f"{share:.2%}" for share in shares) + " |")
    return "\n".join(lines)


def read_log(path: Path) -> tuple[dict[str, Any], float]:
    """The last validation and the mean training speed in bases per second."""
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    validation = next(entry for entry in reversed(entries) if entry["kind"] == "validation")
    pace = [1 / entry["bases_per_second"] for entry in entries if entry["kind"] == "training"]
    return validation, len(pace) / sum(pace)


def score_tables(scores: dict[str, list[Row]], masked: list[Row]) -> dict[str, str]:
    """Every table of scores by its name in the template."""
    return {
        "sites": pivot(scores["sites"], "features", ("site", "species"), score_cell),
        "starts": pivot(scores["starts"], "features", ("decoys", "species"), score_cell),
        "regions": pivot(scores["regions"], "features", ("species",), score_cell),
        "coding": pivot(scores["coding"], "model", ("species",), lambda row: short(row["auroc"])),
        "few": pivot(scores["few_labels"], "features", ("task", "species"), few_cell),
        "hidden": pivot(
            [row for row in masked if "model" in row and row["region"] in ("all", "coding", "intron")],
            "model",
            ("species", "region"),
            nats_cell,
        ),
        "hidden_difference": pivot(
            [row for row in masked if "best_kmer" in row],
            "region",
            ("species",),
            lambda row: f"{row['difference']:+.4f} +-{row['error']:.4f}",
        ),
    }


def describe_genomes(genomes: list[Row]) -> str:
    """Training data drawn from genomes directly, without a corpus."""
    parts = [
        f"{genome['species']} ({'' if genome['annotation'] else 'not '}annotated, "
        f"{genome['weight']:.0%} of windows)"
        for genome in genomes
    ]
    kept = ", ".join(name for genome in genomes for name in genome["validation_contigs"])
    return (
        f"Windows drawn from {'; '.join(parts)}. Near-duplicates were not removed; {kept} are for "
        "validation and have homeologs in training."
    )


def describe_corpus(corpus: Corpus, weights: dict[str, float]) -> str:
    """Training data drawn from a corpus."""
    totals = corpus.summary["totals"]
    text = (
        f"{corpus.bases / 1e6:.0f} million bases in {totals['training_windows']:,} windows of "
        f"{corpus.length} (`budwood corpus build recipes/corpus.toml`), out of which windows of 512 are "
        f"cropped; {totals['near_duplicates_share']:.0%} of the windows were dropped as near-duplicates, the "
        f"others split by homology cluster ({totals['homology_clusters']:,}, the largest of "
        f"{totals['largest_cluster']:,} windows)."
    )
    return f"{data_table(corpus, weights)}\n\n{wrapped(text)}"


def describe_objectives(objective: Row) -> str:
    """Objectives with a weight, in words."""
    share = objective.get("single_share", 0.0)
    single = f"single ones in {share:.0%} of the windows, else " if share else ""
    mark = objective.get("mark_weight", 1.0)
    marks = "" if mark == 1 else f"; sites weigh {mark:g} times"
    parts = [
        f"reconstruct masked bases ({single}spans; soft-masked bases weigh {objective['repeat_weight']})",
        "predict the class of every base where there is an annotation (intergenic, intron, UTR, coding by "
        f"phase and strand, splice sites, start and stop{marks})",
    ]
    if objective.get("pooled_weight"):
        parts.append(
            "predict the classes of two neighbouring bases from the mean vector of the 8 around them"
        )
    if objective.get("locus_weight"):
        parts.append("predict the distance of a masked base from the start of its gene")
    if objective.get("order_weight"):
        parts.append("predict the order of two neighbouring windows without an annotated gene")
    if objective.get("column_weight"):
        parts.append("predict the bases of other species in the columns of alignments")
    return "; ".join(parts)


def wrapped(text: str, **words: str) -> str:
    return textwrap.fill(text, 118, break_on_hyphens=False, **words)


def start_of(run: Path) -> Path | None:
    """The checkpoint that a run continues."""
    start = read_manifest(run / "checkpoint")["parameters"]["recipe"].get("start", "")
    return Path(start) if start else None


def stages(run: Path) -> list[Path]:
    """The runs of the training, each continuing the one before, the first one first.

    They end at a packaged checkpoint, whose runs need not be at hand.
    """
    start = start_of(run)
    if start is None or start.resolve().parent == packaged_checkpoint().resolve().parent:
        return [run]
    return [*stages(start.parent), run]


def earlier_trainings(run: Path) -> tuple[list[Any], list[Any]]:
    """Inputs and recipes of the trainings of the packaged checkpoint that the first run continues."""
    start = start_of(run)
    if start is None:
        return [], []
    packaged = read_manifest(start)
    metrics = packaged["metrics"]
    return metrics["trained_on"], [*metrics["recipes_before"], packaged["parameters"]["recipe"]]


def describe_stage(run: Path, recipe_name: str, hardware: str) -> str:
    """Training data, duration and final validation scores of one run."""
    recipe = read_manifest(run / "checkpoint")["parameters"]["recipe"]
    validation, speed = read_log(run / "training" / "log.jsonl")
    schedule, sampler = recipe["schedule"], recipe["sampler"]
    corpus = open_corpus(Path(recipe["corpus"]["folder"])) if recipe.get("corpus", {}).get("folder") else None
    data = describe_corpus(corpus, recipe["corpus"]["weights"]) if corpus else ""
    steps, batch = schedule["steps"], schedule["batch"]
    own = steps * batch * sampler["window"]
    lengths = f"of {sampler['window']}"
    if sampler.get("long_window"):
        lengths += f" bases and, every other step, as many bases in windows of {sampler['long_window']:,}"
    followed = ", ".join(
        f"{name.replace('_', ' ')} {value:.4f}"
        for name, value in validation.items()
        if "/" not in name and name not in ("step", "kind")
    )
    facts = [
        f"Objectives: {describe_objectives(recipe['objective'])}.",
        f"{own / 1e6:.1f} million bases: {steps:,} steps of {batch} windows {lengths}, "
        f"on a random strand each, peak rates {schedule['learning_rate']:g} and "
        f"{schedule['matrix_rate']:g}, seed {recipe['seed']}.",
        f"{own / speed / 3600:.1f} hours on {hardware}, {speed:,.0f} bases per second.",
        f"On its validation windows at the end, one strand read: {followed}.",
    ]
    items = [wrapped(one, initial_indent="- ", subsequent_indent="  ") for one in facts]
    parts = [
        f"`recipes/{recipe_name}.toml`:",
        data or wrapped(describe_genomes(recipe["genomes"])),
        "\n".join(items),
    ]
    return "\n\n".join([*parts, *([f"{LEAKAGE}\n\n{leakage_table(corpus.folder)}"] if corpus else [])])


def write_card(run: Path, scores: dict[str, list[Row]], masked: list[Row], hardware: str, limits: str) -> str:
    manifest = read_manifest(run / "checkpoint")
    runs, name = stages(run), manifest["parameters"]["recipe"]["name"]
    described = [
        f"**{number}.** {describe_stage(each, name if each == run else each.name, hardware)}"
        for number, each in enumerate(runs, 1)
    ]
    return TEMPLATE.read_text(encoding="utf-8").format(
        **score_tables(scores, masked),
        name=name,
        parameters=load_checkpoint(run / "checkpoint").parameters / 1e6,
        stages="\n\n".join(described),
        bases=manifest["metrics"]["training_bases"] / 1e6,
        trainings=len(runs),
        limits=limits,
        sites_fitted=scores["settings"][0]["sites"],
        starts_fitted=scores["settings"][0]["starts"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--card", type=Path, help="Markdown: the whole card; without it one is written")
    parser.add_argument("--masked", type=Path, help="needed for writing a card")
    parser.add_argument("--hardware", help="needed for writing a card")
    parser.add_argument("--limits", type=Path, help="Markdown: limitations; needed for writing a card")
    arguments = parser.parse_args()
    parts = (arguments.masked, arguments.hardware, arguments.limits)
    if arguments.card is None and None in parts:
        parser.error("give --card, or --masked, --hardware and --limits")
    scores = json.loads(arguments.scores.read_text(encoding="utf-8"))
    trained = read_manifest(arguments.run / "checkpoint")
    runs = stages(arguments.run)
    inputs, recipes = earlier_trainings(runs[0])
    trainings = [read_manifest(run / "checkpoint") for run in runs]
    with write_artifact(
        packaged_checkpoint().parent / trained["parameters"]["recipe"]["name"],
        kind="checkpoint",
        parameters=trained["parameters"],
        seeds=trained["seeds"],
        overwrite=True,
    ) as draft:
        for name in ("config.json", "model.safetensors", TRACKS):
            if name != TRACKS or (arguments.run / "checkpoint" / name).is_file():
                shutil.copyfile(arguments.run / "checkpoint" / name, draft.path(name))
        save_tokenizer(draft.folder)
        if arguments.card is not None:
            card = arguments.card.read_text(encoding="utf-8")
        else:
            masked = json.loads(arguments.masked.read_text(encoding="utf-8"))
            limits = arguments.limits.read_text(encoding="utf-8").strip()
            card = write_card(arguments.run, scores, masked, arguments.hardware, limits)
            draft.metrics.update(hidden_bases=masked)
        draft.path("README.md").write_text(card, encoding="utf-8")
        draft.metrics.update(
            trained["metrics"],
            trained_on=[*inputs, *(each["inputs"] for each in trainings)],
            recipes_before=[*recipes, *(each["parameters"]["recipe"] for each in trainings[:-1])],
            scores=scores,
        )


if __name__ == "__main__":
    main()
