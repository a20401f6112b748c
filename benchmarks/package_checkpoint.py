"""Put a trained checkpoint and its scores into the package, with a model card.

    python benchmarks/package_checkpoint.py runs/small --scores scores.json --hardware "one core of ..."

Reads ``runs/small/checkpoint``, ``runs/small/training/log.jsonl`` and the corpus that the recipe names.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from meristem.artifacts import read_manifest, write_artifact
from meristem.corpus.store import Corpus, open_corpus
from meristem.model.checkpoint import load_checkpoint, packaged_checkpoint

TEMPLATE = Path(__file__).with_name("model_card.md")


def site_table(rows: list[dict[str, Any]]) -> str:
    features = list(dict.fromkeys(row["features"] for row in rows))
    lines = [
        "| site | species | examples | " + " | ".join(features) + " |",
        "|---|---|--:|" + "--:|" * len(features),
    ]
    for key in dict.fromkeys((row["site"], row["species"], row["examples"]) for row in rows):
        found = {r["features"]: r for r in rows if (r["site"], r["species"], r["examples"]) == key}
        cells = [
            f"{r['auroc']:.3f} ({r['lower']:.3f}-{r['upper']:.3f})" for r in (found[f] for f in features)
        ]
        lines.append("| " + " | ".join([key[0].replace("_", " "), key[1], f"{key[2]:,}", *cells]) + " |")
    return "\n".join(lines)


def coding_table(rows: list[dict[str, Any]]) -> str:
    lines = ["| species | model | AUROC | coding bases | other bases |", "|---|---|--:|--:|--:|"]
    for row in rows:
        counts = f"{row['coding']:,} | {row['other']:,}"
        lines.append(f"| {row['species']} | {row['model']} | {row['auroc']:.3f} | {counts} |")
    return "\n".join(lines)


def read_log(path: Path) -> tuple[dict[str, Any], float]:
    """The last validation and the mean training speed in bases per second."""
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    validation = next(entry for entry in reversed(entries) if entry["kind"] == "validation")
    pace = [1 / entry["bases_per_second"] for entry in entries if entry["kind"] == "training"]
    return validation, len(pace) / sum(pace)


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
    """Share of validation windows that have a relative in training, by identity and stretch."""
    found = json.loads((folder / "leakage.json").read_text(encoding="utf-8"))
    heads = [f"over {c:.0%} of the window" for c in found["coverages"]]
    lines = ["| identity at least | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for identity, shares in zip(found["identities"], found["shares"], strict=True):
        lines.append(f"| {identity:.0%} | " + " | ".join(f"{share:.2%}" for share in shares) + " |")
    return "\n".join(lines)


def write_card(run: Path, scores: dict[str, Any], hardware: str, limit: int) -> str:
    manifest = read_manifest(run / "checkpoint")
    recipe = manifest["parameters"]["recipe"]
    corpus = open_corpus(Path(recipe["corpus"]["folder"]))
    validation, speed = read_log(run / "training" / "log.jsonl")
    bases = manifest["metrics"]["training_bases"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        **{k: validation[k] for k in ("coding_auroc", "base_cross_entropy", "base_accuracy")},
        **{k: recipe["objective"][k] for k in ("repeat_weight", "single_share", "mark_weight")},
        **corpus.summary["totals"],
        name=recipe["name"],
        parameters=load_checkpoint(run / "checkpoint").parameters / 1e6,
        data=data_table(corpus, recipe["corpus"]["weights"]),
        leakage=leakage_table(corpus.folder),
        megabases=corpus.bases / 1e6,
        bases=bases / 1e6,
        steps=recipe["schedule"]["steps"],
        batch=recipe["schedule"]["batch"],
        seed=recipe["seed"],
        hours=bases / speed / 3600,
        hardware=hardware,
        speed=speed,
        limit=limit,
        sites=site_table(scores["sites"]),
        coding=coding_table(scores["coding"]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--hardware", required=True)
    parser.add_argument("--limit", type=int, default=2000, help="as given to checkpoint_scores.py")
    arguments = parser.parse_args()
    scores = json.loads(arguments.scores.read_text(encoding="utf-8"))
    trained = read_manifest(arguments.run / "checkpoint")
    with write_artifact(
        packaged_checkpoint(), kind="checkpoint", parameters=trained["parameters"], seeds=trained["seeds"]
    ) as draft:
        for name in ("config.json", "model.safetensors"):
            shutil.copyfile(arguments.run / "checkpoint" / name, draft.path(name))
        card = write_card(arguments.run, scores, arguments.hardware, arguments.limit)
        draft.path("README.md").write_text(card, encoding="utf-8")
        draft.metrics.update(trained["metrics"], scores=scores, trained_on=trained["inputs"])


if __name__ == "__main__":
    main()
