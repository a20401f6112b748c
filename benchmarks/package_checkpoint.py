"""Put a trained checkpoint and its scores into the package, with a model card.

    python benchmarks/package_checkpoint.py runs/small --scores scores.json --hardware "one core of ..."

Reads ``runs/small/checkpoint`` and ``runs/small/training/log.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from meristem.artifacts import read_manifest, write_artifact
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


def write_card(run: Path, scores: dict[str, Any], hardware: str, limit: int) -> str:
    manifest = read_manifest(run / "checkpoint")
    recipe = manifest["parameters"]["recipe"]
    validation, speed = read_log(run / "training" / "log.jsonl")
    bases = manifest["metrics"]["training_bases"]
    sources = [
        f"{g['species']} ({'' if g['annotation'] else 'not '}annotated, {g['weight']:.0%} of windows)"
        for g in recipe["genomes"]
    ]
    return TEMPLATE.read_text(encoding="utf-8").format(
        **{k: validation[k] for k in ("coding_auroc", "span_cross_entropy", "span_accuracy")},
        name=recipe["name"],
        parameters=load_checkpoint(run / "checkpoint").parameters / 1e6,
        data="; ".join(sources),
        repeat_weight=recipe["objective"]["repeat_weight"],
        bases=bases / 1e6,
        steps=recipe["schedule"]["steps"],
        batch=recipe["schedule"]["batch"],
        seed=recipe["seed"],
        hours=bases / speed / 3600,
        hardware=hardware,
        speed=speed,
        kept=", ".join(name for g in recipe["genomes"] for name in g["validation_contigs"]),
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
