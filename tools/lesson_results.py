"""Run the lesson's experiments and write src/budwood/lesson/assets/results.json.

The small network takes two minutes on one core. The arms on the encoder `small` need BUDWOOD_DATA and take
some ten minutes; without it, or with --keep-real, those of the present file stay.

    python tools/lesson_results.py
"""

from __future__ import annotations

import argparse
import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

import budwood
from budwood.lesson.experiment import ARMS, FirstTask, learn_first_task, learn_second_task, mean_and_band
from budwood.lesson.network import Weights
from budwood.lesson.structure import Structure, structure_of
from budwood.lesson.tasks import HYDROPATHY, coding_windows

FILE = Path(__file__).resolve().parents[1] / "src/budwood/lesson/assets/results.json"
SHOWN = (0, 1, 2, 3, 5, 10, 30)
SEEDS = 24
#: Examples of task 2 and passes over them.
EPOCHS = {25: 150, 50: 100, 100: 80, 150: 80, 250: 80, 500: 80, 1000: 100}
FEW, MANY = 50, 1000
GENE = Path(__file__).with_name("lesson_gene.fa")
#: Coding sequence of the gene, as its record has it (1-based), and the bases that the page shows.
CODING = ((3462, 3615), (3698, 3978))
SHOWN_BASES = slice(141, 421)


def packed(weights: Weights) -> dict[str, Any]:
    """Weights as signed bytes, each array by its largest number."""
    largest = [float(np.abs(each).max()) or 1.0 for each in weights]
    parts = [
        np.round(127 * each.ravel() / size).astype(np.int8)
        for each, size in zip(weights, largest, strict=True)
    ]
    joined = base64.b64encode(b"".join(part.tobytes() for part in parts)).decode()
    return {"bytes": joined, "sizes": [each.size for each in weights], "largest": largest}


def first_results(first: FirstTask) -> dict[str, Any]:
    shown = [{"epoch": epoch, **packed(first.weights[epoch])} for epoch in SHOWN]
    return {"accuracy": [round(value, 4) for value in first.accuracy], "shown": shown}


def second_results(weights: Weights) -> dict[str, Any]:
    found: dict[str, Any] = {"seeds": SEEDS, "arms": list(ARMS), "by_examples": []}
    for place, (examples, epochs) in enumerate(EPOCHS.items()):
        errors = {
            arm: np.array(
                [learn_second_task(weights, arm, examples, epochs=epochs, seed=s).error for s in range(SEEDS)]
            )
            for arm in ARMS
        }
        ends = {
            arm: [round(v, 3) for v in mean_and_band(runs[:, -1].tolist())] for arm, runs in errors.items()
        }
        found["by_examples"].append({"examples": examples, "epochs": epochs, "arms": ends})
        print(examples, ends, flush=True)
        kind = {FEW: "few", MANY: "many"}.get(examples)
        if kind:
            at = list(range(0, epochs + 1, 2))
            bands = {
                arm: [mean_and_band(runs[:, epoch].tolist()) for epoch in at] for arm, runs in errors.items()
            }
            arms = {
                arm: {
                    name: [round(band[n], 3) for band in each]
                    for n, name in enumerate(("mean", "lower", "upper"))
                }
                for arm, each in bands.items()
            }
            found[kind] = {"epochs": at, "arms": arms}
        if examples == FEW:
            found["default"] = place
    found["spread"] = round(float(coding_windows()[1].std()), 3)
    return found


def structure_results(name: str, structure: Structure) -> dict[str, Any]:
    return {
        "name": name,
        "codons": structure.codons,
        "letters": structure.letters,
        "places": np.round(structure.places, 3).tolist(),
        "explained": np.round(structure.explained, 3).tolist(),
        "correlation": round(structure.correlation, 3),
        "p": round(structure.p, 3),
    }


def closeness(structures: list[Structure]) -> list[int]:
    """Rank of cysteine, which shares the letters TG, among the 19 others by closeness to tryptophan."""
    ranks = []
    for each in structures:
        letters = np.array(each.letters)
        middles = {k: each.places[letters == k].mean(axis=0) for k in sorted(set(each.letters))}
        apart = {k: float(np.linalg.norm(v - middles["W"])) for k, v in middles.items() if k != "W"}
        ranks.append(1 + sorted(apart, key=apart.__getitem__).index("C"))
    return ranks


def real_results() -> dict[str, Any]:
    """Donor splice sites of rice from few examples of Brassica napus, three arms, and a real gene."""
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks.common.unseen_species import TRAINING, UNSEEN, open_species
    from budwood.model.checkpoint import load_checkpoint, packaged_checkpoint, random_checkpoint
    from budwood.probing.centre_features import encode_centres
    from budwood.probing.convolution import SmallConvolution
    from budwood.probing.linear import LinearProbe
    from budwood.probing.sites import collect_sites
    from budwood.stats.evaluation.metrics import auroc

    training = collect_sites(*open_species(*TRAINING), "donor", limit=1000)
    rice = collect_sites(*open_species(*UNSEEN["Oryza sativa"]), "donor", limit=250)
    encoders = {
        "pre-trained": load_checkpoint(packaged_checkpoint("small")),
        "random weights": random_checkpoint(),
    }
    features = {
        name: [encode_centres(sites.windows, encoder).oriented for sites in (training, rice)]
        for name, encoder in encoders.items()
    }
    sizes = (50, 200, 800, len(training.role))
    rows = []
    for size in sizes:
        draws = 5 if size < len(training.role) else 1
        found: dict[str, list[float]] = {name: [] for name in (*features, "from scratch")}
        for seed in range(draws):
            chosen = np.sort(np.random.default_rng(seed).permutation(len(training.role))[:size])
            for name, (seen, test) in features.items():
                probe = LinearProbe().fit(seen[chosen], training.is_site[chosen])
                found[name].append(auroc(probe.decision(test), rice.is_site))
            network = SmallConvolution(reach=80, seeds=1)
            network.fit(training.windows[chosen], training.is_site[chosen])
            found["from scratch"].append(auroc(network.decision(rice.windows), rice.is_site))
        cells = [f"{np.mean(values):.3f}" for values in found.values()]
        rows.append({"examples": size, "cells": cells})
        print(size, dict(zip(found, cells, strict=True)), flush=True)
    parameters = encoders["pre-trained"].parameters
    return {
        "parameters": f"{parameters / 1e6:.1f} million",
        "arms": ["Pre-trained", "Random weights", "From scratch"],
        "rows": rows,
        "gene": gene_results(encoders["pre-trained"]),
    }


def gene_results(encoder: Any) -> dict[str, Any]:
    """Hidden bases of a real gene, each hidden alone, by the packaged encoder `small`.

    The stretch is lesson_gene.fa: 512 bases of GenBank record AC007323.5, whose features say where the gene
    is. The encoder has not seen the species.
    """
    import torch

    from budwood.genomics.interval import Interval
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.sequence import MASK, decode

    record = open_fasta(GENE)
    ((name, length),) = record.contigs.items()
    codes = record.sequence(Interval(name, 0, length))
    first = int(name.split(":")[1].split("-")[0])
    shown = np.arange(SHOWN_BASES.start, SHOWN_BASES.stop)
    hidden = np.tile(codes.astype(np.int64), (len(shown), 1))
    hidden[np.arange(len(shown)), shown] = MASK
    shares = []
    with torch.inference_mode():
        for rows in np.array_split(np.arange(len(shown)), 20):
            logits = encoder.encoder(torch.from_numpy(hidden[rows])).bases
            scores = logits[torch.arange(len(rows)), torch.from_numpy(shown[rows]), :4].float()
            shares += [[round(100 * value) for value in each] for each in torch.softmax(scores, 1).tolist()]
    places = range(first + SHOWN_BASES.start, first + SHOWN_BASES.stop)
    regions = [region_of(place) for place in places]
    return {
        "bases": decode(codes[SHOWN_BASES]),
        "shares": shares,
        "regions": regions,
        "parts": parts_of(regions, np.array(shares) / 100, codes[SHOWN_BASES]),
    }


def parts_of(regions: list[str], shares: Any, codes: Any) -> list[dict[str, Any]]:
    """For each part of the gene, how often the likeliest base is the hidden one."""
    names = [region.split(",")[0] for region in regions]
    found = []
    for name in dict.fromkeys(names):
        here = np.array([each == name for each in names])
        right = shares[here].argmax(axis=1) == codes[here]
        mean = shares[here, codes[here]].mean()
        found.append(
            {
                "name": name,
                "bases": int(here.sum()),
                "right": round(100 * right.mean()),
                "mean": f"{mean:.2f}",
            }
        )
    return found


def region_of(place: int) -> str:
    """What a base of lesson_gene.fa is, by the features of its record; 1-based places of the record."""
    (start, end), (after, _) = CODING
    if place < start:
        return "before the start codon"
    if end < place < after:
        within = min(place - end, after - place)
        return "splice site" if within <= 2 else "intron"
    coding = place - start if place <= end else place - after + end - start + 1
    return "start codon" if coding < 3 else f"coding, base {coding % 3 + 1} of its codon"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep-real", action="store_true", help="keep the arms on the packaged encoder")
    keep = parser.parse_args().keep_real or "BUDWOOD_DATA" not in os.environ
    real = json.loads(FILE.read_text())["real"] if keep else real_results()
    first = learn_first_task()
    weights = first.weights[-1]
    second = second_results(weights)
    trained = learn_second_task(weights, "pre-trained", MANY, epochs=EPOCHS[MANY]).weights
    structures = [structure_of(weights), structure_of(trained)]
    results = {
        "version": budwood.__version__,
        "hydropathy": HYDROPATHY,
        "first": first_results(first),
        "second": second,
        "structures": [
            structure_results(name, each)
            for name, each in zip(("After task 1", "After task 2"), structures, strict=True)
        ],
        "closeness": closeness(structures),
        "real": real,
    }
    FILE.write_text(json.dumps(results, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
