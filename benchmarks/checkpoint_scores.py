"""Scores of a checkpoint on species it has not seen, beside random weights and one-hot letters.

    python benchmarks/checkpoint_scores.py --checkpoint runs/small/checkpoint --out scores.json

Splice donors and acceptors against GT and AG decoys of the same genes, and start codons against ATG decoys:
a logistic regression on centre-pooled frozen embeddings, fitted on Brassica napus, scored on Arabidopsis and
rice, beside the same regression on one-hot letters within 80 bases of the middle and on the embeddings of
an untrained encoder. And per-base AUROC of coding sequence.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from meristem.genomics.annotation import Annotation
from meristem.genomics.assembly import Assembly
from meristem.genomics.io.annotation import read_annotation
from meristem.genomics.io.fasta import open_fasta
from meristem.inference.embed import Pool, embed_windows
from meristem.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from meristem.probing.linear import LinearProbe, one_hot
from meristem.probing.regions import coding_probability, score_coding
from meristem.probing.sites import SITE_LETTERS, collect_sites

REACH = 80
TRAINING = ("Brassica napus", "brassica_napus/genome.fa.xz", "brassica_napus/annotation.gff3.xz")
# The five pieces with the curated TAIR10 annotation; codon phases of the longer set are not reliable.
UNSEEN = (
    (
        "Arabidopsis thaliana",
        "arabidopsis_thaliana/korf_1pct.fa.xz",
        "arabidopsis_thaliana/korf_1pct.gff3.xz",
    ),
    ("Oryza sativa", "oryza_sativa/chr02_first_1Mb.fa.xz", "oryza_sativa/chr02_first_1Mb.gff3.xz"),
)


def open_species(fasta: str, gff: str) -> tuple[Assembly, Annotation]:
    folder = Path(os.environ["MERISTEM_DATA"]) / "genomes"
    return open_fasta(folder / fasta), read_annotation(folder / gff)


def score_sites(kind: str, checkpoints: dict[str, Checkpoint], limit: int) -> list[dict[str, Any]]:
    training = collect_sites(*open_species(*TRAINING[1:]), kind, limit=limit)
    unseen = {name: collect_sites(*open_species(*files), kind, limit=limit) for name, *files in UNSEEN}
    features = {f"one-hot +-{REACH}": lambda windows: one_hot(windows, REACH)}
    for name, checkpoint in checkpoints.items():
        features[name] = lambda windows, c=checkpoint: embed_windows(windows, c, pool=Pool.CENTRE)
    rows = []
    for name, feature in features.items():
        probe = LinearProbe().fit(feature(training.windows), training.is_site)
        for species, sites in unseen.items():
            score = probe.score(feature(sites.windows), sites.is_site)
            what = {"site": kind, "species": species, "features": name, "examples": len(sites.is_site)}
            rows.append(what | asdict(score))
            interval = f"({score.lower:.3f}-{score.upper:.3f})"
            print(f"{kind:12s} {species:22s} {name:14s} {score.auroc:.3f} {interval}", flush=True)
    return rows


def score_bases(checkpoints: dict[str, Checkpoint]) -> list[dict[str, Any]]:
    rows = []
    for species, *files in UNSEEN:
        assembly, annotation = open_species(*files)
        for name, checkpoint in checkpoints.items():
            begun = time.perf_counter()
            score = score_coding(coding_probability(assembly, checkpoint), assembly, annotation)
            bases = sum(assembly.contigs.values())
            speed = bases / (time.perf_counter() - begun)
            rows.append(
                {"species": species, "model": name, "bases_per_second": round(speed), **asdict(score)}
            )
            print(
                f"coding bases {species:22s} {name:14s} {score.auroc:.3f}  {speed:,.0f} bases/s", flush=True
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--only-random", action="store_true", help="score the untrained control alone")
    parser.add_argument(
        "--limit", type=int, default=2000, help="sites of each kind for training and per species"
    )
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    checkpoints = {} if arguments.only_random else {"trained": load_checkpoint(arguments.checkpoint)}
    checkpoints["random weights"] = random_checkpoint()
    bases = score_bases(checkpoints)
    sites = [row for kind in SITE_LETTERS for row in score_sites(kind, checkpoints, arguments.limit)]
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"sites": sites, "coding": bases}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
