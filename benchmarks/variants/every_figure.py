"""Every figure of variant scores, consequences, probes and attribution, by one command into one page.

    python benchmarks/variants/every_figure.py --out figures
    python benchmarks/variants/every_figure.py --out figures --page

Runs the benchmarks below one after another (hours on one core) and keeps what is finished in the folder: a
second run resumes. ``figures/figures.md`` has the tables of what is there; ``--page`` writes it and stops.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # finds the package `benchmarks`

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import Record, read_results

SPECIES = {"rice": "small,grasses,random", "arabidopsis": "small,random"}
SPECIES |= {"arabidopsis-hundredths": "small,grasses"}


def commands(out: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each part."""
    for species, weights in SPECIES.items():
        genes = ["variants/gene_changes.py", "--half", "--species", species]
        kept = ["--weights", weights, "--cache", str(out / "scores")]
        yield f"changes-{species}", [*genes, *kept, "--out", str(out / "changes.jsonl")]
    for species in ("rice", "arabidopsis"):
        genes = ["variants/gene_changes.py", "--half", "--species", species, "--alternatives", "200"]
        yield (
            f"alternatives-{species}",
            [
                *genes,
                *("--weights", "small,random", "--out", str(out / "alternatives.jsonl")),
            ],
        )
    yield "profiles", ["variants/genome_profiles.py", "--out", str(out / "profiles.jsonl")]
    yield "speed", ["variants/speed.py", "--out", str(out / "speed.jsonl")]
    yield "enhancers", ["variants/enhancers.py", "--half", "--out", str(out / "enhancers.json")]
    yield "consequences", ["variants/consequences.py", "--out", str(out / "consequences.json")]
    yield "probes", ["probes/probe_tasks.py", "--out", str(out / "probes.jsonl")]
    yield "attribution", ["probes/attribution_simulated.py", "--out", str(out / "attribution.jsonl")]


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def shown(value: object) -> str:
    """A figure, with its interval where it has one."""
    if isinstance(value, list):
        return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def flat(record: Record, left_out: tuple[str, ...]) -> str:
    """The figures of a record in one cell."""
    return "; ".join(f"{name} {shown(value)}" for name, value in record.items() if name not in left_out)


def page(out: Path) -> str:
    """The tables of what is finished."""
    parts = ["# Variant scores, consequences, probes and attribution\n"]
    known = ("comparison", "species", "genes", "positives", "controls", "half", "weights")
    for name in ("changes", "alternatives"):
        rows = read_results(
            out / f"{name}.jsonl", "species", "comparison", *(["weights"] * (name != "changes"))
        )
        cells = [
            [r["species"], r["comparison"], f"{r['positives']:,}, {r['controls']:,}", flat(r, known)]
            for r in rows.values()
        ]
        if cells:
            parts += [
                f"## {name}, AUROC\n",
                table(["species", "comparison", "changes, controls", "by"], cells),
            ]
    rows = read_results(out / "profiles.jsonl", "checkpoint", "species", "seed")
    cells = [
        [*map(str, key), flat(row["profile"], ()), ", ".join(row["outside"])] for key, row in rows.items()
    ]
    if cells:
        header = ["checkpoint", "species", "draw", "profile", "flags"]
        parts += ["## Genomes\n", table(header, cells)]
    for part, row in read_results(out / "speed.jsonl", "part").items():
        cells = [[flat(each, ())] for each in row["rows"]]
        parts += [f"## Speed, {part[0]}\n", table(["one core"], cells)]
    for part, row in read_results(out / "probes.jsonl", "part").items():
        measure = row["measure"]
        cells = []
        for probe in row["probes"]:
            score = probe["scores"][measure]
            value = shown([score["value"], score["lower_95"], score["upper_95"]])
            cells.append([probe["features"], probe["probe"], value])
        parts += [f"## Probe, {part[0]}\n", row["conclusion"] + "\n"]
        parts.append(table(["features", "probe", measure], cells))
    for name in ("enhancers", "consequences"):
        if (out / f"{name}.json").exists():
            stored = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
            parts += [f"## {name}\n", "```\n" + json.dumps(stored, indent=1) + "\n```\n"]
    return "\n".join(parts)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--parts", help="names with commas; all if not given")
    parser.add_argument("--page", action="store_true", help="write the page of what is there and stop")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    failed = []
    for name, command in () if arguments.page else commands(arguments.out):
        done = arguments.out / f"{name}.done"
        if done.exists() or (arguments.parts and name not in arguments.parts.split(",")):
            continue
        print(f"{name}: python benchmarks/{' '.join(command)}", flush=True)
        script = str(ROOT / "benchmarks" / command[0])
        code = subprocess.run([sys.executable, script, *command[1:]], check=False).returncode
        done.touch() if code == 0 else failed.append(name)
    (arguments.out / "figures.md").write_text(page(arguments.out), encoding="utf-8")
    if failed:
        sys.exit(f"these parts failed, and run again with the same command: {', '.join(failed)}")


if __name__ == "__main__":
    main()
