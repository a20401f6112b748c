"""Scores of a checkpoint on unseen species, compared with random weights, one-hot bases and a convolution.

    python benchmarks/probes/checkpoint_scores.py --checkpoint runs/small/checkpoint --out scores.json

All labels for fitting are from Brassica napus; Arabidopsis and rice are scored.

``sites``: splice donors and acceptors against GT and AG decoys of the same genes, start codons against ATG
decoys of the same coding sequences (``starts``: by kind of decoy). Logistic regressions on the encoder's
output at the middle 8 bases (embedding: mean of both strands; oriented: the gene's strand beside the other
one; regions: the predicted base classes), on one-hot bases within 80 bases, a small convolution on the same
bases, and the encoder's own odds of the mark without any fit. ``differences``: paired, to one-hot bases and
to the convolution. ``regions``: coding, intron and intergenic bases, compared with 6-mers in a window.
``coding``: AUROC of coding bases. ``few_labels``: all of these after fitting on 100 examples, 20 draws.

Results that do not depend on the checkpoint are stored beside ``--out`` in ``<name>.baselines.json``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

from benchmarks.common.arguments import parser_for
from benchmarks.common.result_cache import ResultCache
from benchmarks.probes.region_scores import cut, score_regions
from benchmarks.probes.site_scores import Limits, score_sites
from budwood.model.checkpoint import load_checkpoint
from budwood.probing.comparison.features import same_shape


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--sites", type=int, default=1500, help="donors, and acceptors, fitted on")
    parser.add_argument("--starts", type=int, default=750, help="start codons fitted on")
    parser.add_argument("--unseen", type=int, default=800, help="most sites of a kind scored per species")
    parser.add_argument("--stretches", type=int, default=60, help="stretches fitted on")
    parser.add_argument("--kmer-stretches", type=int, default=400, help="more of them for the 6-mers")
    parser.add_argument("--unseen-stretches", type=int, default=100, help="stretches scored per species")
    parser.add_argument(
        "--half", action="store_true", help="multiply in bfloat16: twice as fast on a CPU with AMX"
    )
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    trained = load_checkpoint(arguments.checkpoint)
    checkpoints = {"trained": trained, "random weights": same_shape(trained)}
    cache = ResultCache(arguments.out.with_suffix(".baselines.json") if arguments.out else None)
    limits = Limits(arguments.sites, arguments.starts, arguments.unseen)
    tables = score_sites(checkpoints, limits, cache, arguments.half)
    genomes = cut(arguments.stretches, arguments.kmer_stretches, arguments.unseen_stretches)
    for name, rows in score_regions(checkpoints, genomes, cache, arguments.half).items():
        tables[name] = tables.get(name, []) + rows
    print(f"{time.perf_counter() - begun:.0f} s", flush=True)
    if arguments.out:
        settings = {name: value for name, value in vars(arguments).items() if not isinstance(value, Path)}
        tables["settings"] = [settings | {"digest": trained.digest}]
        arguments.out.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
