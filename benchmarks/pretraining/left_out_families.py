"""Breadth of annotation, one family left out each time, and the contribution of each source and objective.

    python benchmarks/pretraining/left_out_families.py --out runs/families --seeds 3
    python benchmarks/pretraining/left_out_families.py --out runs/families --show

Needs what the steps of recipes/grasses.toml write to runs/derived. Every arm has the same network, schedule,
number of bases and order of seeds; they differ in what they read or learn:

- ``all``: the sources of recipes/grasses.toml;
- ``one genome``: Brassica napus alone; ``one genome, alignments``: with codon alignments beside it;
- ``without <family>``: neither its genomes nor its rows of the alignments (genera of
  benchmarks/common/families.py), nor what was derived from them. Without Brassicaceae, the genes of cacao are
  still those that proteins of Brassica and Arabidopsis find;
- ``no ...``: one source or objective less;
- ``smoothed labels``: .1 of the probability of base classes is spread over all of them in genomes whose genes
  are predicted or projected; ``interval tracks``: with the leaf DNase sites, nine chromatin states and five
  kinds of transposons of Arabidopsis Chr1 (probe_tasks.py tests its checkpoint on those of Chr5).

Scored on each family: balanced accuracy of coding, intron and intergenic bases on the stretches of
paired_checkpoints.py (120 of rice), with the correction for class shares and the probe of ``features`` fitted
on Brassica napus (on Bidens where the arm has no Brassicaceae); ``Bidens, conserved``: stretches with genes
that share words with proteins of Brassica, all over the genome, bases of other genes left out (in training
except without Asteraceae); AUROC of splice sites and start codons with nothing fitted; masked bases.
Intervals of differences to ``all``: t over seeds, paired by seed; the scored stretches stay the same.
Random weights and 6-mers stand beside.

``--network large`` has the network of the packaged checkpoint; ``--start`` continues a checkpoint.
Runs resume; finished ones are kept in --out.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from scipy.special import stdtrit

from benchmarks.common.arguments import parser_for
from benchmarks.common.families import FAMILIES
from benchmarks.common.unseen_species import TRAINING, UNSEEN, open_species
from benchmarks.pretraining.track_sources import (
    ANY,
    arabidopsis_states,
    arabidopsis_transposons,
    write_tracks,
)
from benchmarks.probes.held_out_tenths import HELD_OUT, held_out_stretches
from budwood.genomics.annotation.base_class import CODING, BaseClass
from budwood.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.base_regions import (
    FEATURE_GRID,
    GRID,
    BaseClassifier,
    KmerClassifier,
    class_probabilities,
    grid_labels,
    predict_stretches,
    score_classes,
)
from budwood.probing.centre_features import encode_centres
from budwood.probing.linear import LinearProbe, score_auroc
from budwood.probing.masked_bases import encoder_probabilities, mask_bases, surprisal
from budwood.probing.sites import SITE_LETTERS, collect_sites
from budwood.probing.stretches import UNSCORED, Stretches, cut_stretches
from budwood.training.loop.pretrain import pretrain
from budwood.training.recipe.recipe import Recipe, read_recipe

RECIPE = Path("recipes/grasses.toml")
REFERENCE, FITTED_ON_OTHER = "all", "without Brassicaceae"
ARMS = ("all", "one genome", "one genome, alignments", *(f"without {family}" for family in FAMILIES))
ABLATIONS = (
    "no composition of grasses",
    "no coding rows",
    "no projected genes",
    "no base classes",
    "no mean vectors",
    "no alignment columns",
    "no hidden bases",
    "no weight of sites",
    "no long windows",
    "smoothed labels",
    "interval tracks",
)
OBJECTIVES: dict[str, dict[str, float]] = {
    "no base classes": {"region_weight": 0.0, "pooled_weight": 0.0},
    "no mean vectors": {"pooled_weight": 0.0},
    "no alignment columns": {"column_weight": 0.0},
    "no hidden bases": {"span_weight": 0.0},
    "no weight of sites": {"mark_weight": 1.0},
    "interval tracks": {"track_weight": 2.0},
}
#: Genomes whose genes are predicted or projected.
NOISY = ("Bidens", "Bertholletia", "Theobroma", "Arabidopsis lyrata")
TRANSPOSONS = ("RC/Helitron", "DNA/MuDR", "LTR/Gypsy", "LTR/Copia", "LINE/L1")
#: Parts of the names of species that a source arm leaves out.
SOURCES = {
    "no composition of grasses": ("composition of grasses",),
    "no coding rows": ("coding rows",),
    "no projected genes": ("Theobroma", "Arabidopsis lyrata"),
}
NETWORKS: dict[str, dict[str, Any]] = {
    "tiny": {"stem_channels": 48, "hidden_size": 96, "layers": 3},
    "half": {"stem_channels": 96, "hidden_size": 160, "layers": 6},
    "large": {"stem_channels": 128, "hidden_size": 256, "layers": 6},
    "double": {"stem_channels": 160, "hidden_size": 352, "layers": 6},
}
WINDOW = 512
FLANK = 1000
Scores = dict[str, float]


def recipe_of(arm: str, arguments: argparse.Namespace, seed: int) -> Recipe:
    """The recipe of an arm."""
    whole = read_recipe(RECIPE)
    genomes, alignments, objective = whole.genomes, whole.alignments, whole.objective
    sampler = whole.sampler
    if arm.startswith("one genome"):
        genomes = genomes[:1]
        if arm == "one genome":
            objective = replace(objective, column_weight=0.0)
    family = arm.removeprefix("without ")
    if family in FAMILIES:
        kept = []
        for genome in genomes:
            if genome.species == "coding rows":
                stem = f"runs/derived/coding_rows_without_{family.lower()}"
                kept.append(
                    replace(
                        genome,
                        fasta=f"{stem}.fa",
                        annotation=f"{stem}.gff3",
                        labelled=f"{stem}.labelled.bed",
                    )
                )
            elif genome.species.split()[0] not in FAMILIES[family]:
                kept.append(genome)
        genomes = tuple(kept)
        alignments = replace(
            alignments, exclude=tuple(sorted({*alignments.exclude, *FAMILIES[family]} | {"Oryza"}))
        )
    for part in SOURCES.get(arm, ()):
        genomes = tuple(genome for genome in genomes if part not in genome.species)
    if arm == "no long windows":
        sampler = replace(sampler, long_window=0)
    if arm == "smoothed labels":
        genomes = tuple(
            replace(genome, smoothing=0.1 if genome.species.startswith(NOISY) else 0.0) for genome in genomes
        )
    if arm == "interval tracks":
        places = [*arabidopsis_states(), *arabidopsis_transposons(TRANSPOSONS)]
        tracks = write_tracks((place for place in places if place[0] != ANY), arguments.out / "tracks")
        genomes = tuple(
            replace(genome, tracks=tracks) if genome.species == "Arabidopsis thaliana" else genome
            for genome in genomes
        )
    objective = replace(objective, **OBJECTIVES.get(arm, {}))
    schedule = replace(
        whole.schedule,
        steps=arguments.steps,
        batch=arguments.batch,
        learning_rate=arguments.rate,
        matrix_rate=20 * arguments.rate,
        save_every=min(400, arguments.steps),
        validate_every=arguments.steps,
    )
    encoder = whole.encoder | NETWORKS[arguments.network]
    return replace(
        whole,
        name=arm,
        seed=seed,
        genomes=genomes,
        alignments=alignments,
        objective=objective,
        sampler=sampler,
        schedule=schedule,
        encoder=encoder,
        start=arguments.start or "",
    )


def conserved_stretches(count: int) -> Stretches:
    """Stretches of Bidens with a conserved gene; other genes and what is far from it are unscored."""
    folder = "bidens_pilosa"
    drawn = cut_stretches(
        *open_species(f"{folder}/genome.fa.xz", f"{folder}/annotation_conserved.gff3.xz"), 100_000
    )
    every = cut_stretches(*open_species(f"{folder}/genome.fa.xz", f"{folder}/annotation.gff3.xz"), 100_000)
    outside = int(BaseClass.INTERGENIC)
    labels = drawn.labels.copy()
    labels[(every.region != outside) & (drawn.region == outside)] = UNSCORED
    chosen = np.flatnonzero(np.isin(drawn.region, CODING).sum(1) >= 100)[:count]
    reach = np.arange(drawn.region.shape[1])
    for row in chosen:
        inside = np.flatnonzero(drawn.region[row] != outside)
        far = (reach < inside[0] - FLANK) | (reach > inside[-1] + FLANK)
        labels[row, far] = UNSCORED
    return Stretches(drawn.codes[chosen], drawn.region[chosen], labels[chosen])


@functools.cache
def questions() -> dict[str, Any]:
    """What every checkpoint is scored on."""
    brassica = cut_stretches(*open_species(*TRAINING), 460)
    bidens = cut_stretches(
        *open_species("bidens_pilosa/genome.fa.xz", "bidens_pilosa/annotation.gff3.xz"), 60
    )
    scored = {
        name: cut_stretches(*open_species(*files), 120 if name == "Oryza sativa" else 60)
        for name, files in UNSEEN.items()
    }
    scored |= {name: held_out_stretches(*place, 50) for name, place in HELD_OUT.items()}
    scored["Bidens, conserved"] = conserved_stretches(60)
    fit = {
        REFERENCE: Stretches(brassica.codes[:60], brassica.region[:60], brassica.labels[:60]),
        FITTED_ON_OTHER: bidens,
    }
    sites = {
        (name, kind): collect_sites(*open_species(*files), kind, limit=300)
        for name, files in UNSEEN.items()
        for kind in SITE_LETTERS
    }
    masked = {name: mask_bases(*open_species(*files), every=16) for name, files in UNSEEN.items()}
    return {"fit": fit, "more": brassica, "scored": scored, "sites": sites, "masked": masked}


def class_scores(name: str, predicted: Any, truth: Any) -> Scores:
    row = asdict(score_classes(predicted, truth, draws=500))
    return {f"{name}/{key}": float(value) for key, value in row.items() if key != "bases"}


def score(checkpoint: Checkpoint, arm: str, window: int = WINDOW) -> Scores:
    """Every score of a checkpoint."""
    ask = questions()
    fit = ask["fit"][arm if arm == FITTED_ON_OTHER else REFERENCE]
    found: Scores = {}

    def read(stretches: Stretches) -> tuple[Any, Any]:
        out = predict_stretches(stretches.codes, checkpoint, window=window, half_precision=True, show=False)
        return class_probabilities(out.probabilities), out.features

    learned, vectors = read(fit)
    classifier = BaseClassifier(neighbours=False).fit(learned, grid_labels(fit.labels, GRID))
    labels = grid_labels(fit.labels, FEATURE_GRID)
    probe = LinearProbe().fit(vectors[labels != UNSCORED], labels[labels != UNSCORED])
    for species, stretches in ask["scored"].items():
        classes, vectors = read(stretches)
        truth = grid_labels(stretches.labels, GRID)
        found |= class_scores(f"classes/{species}", classifier.predict(classes), truth)
        decided = probe.decision(vectors.reshape(-1, vectors.shape[-1])).argmax(1)
        truth = grid_labels(stretches.labels, FEATURE_GRID)
        found |= class_scores(f"features/{species}", decided.reshape(vectors.shape[:2]), truth)
    for (species, kind), sites in ask["sites"].items():
        odds = encode_centres(sites.windows, checkpoint, half_precision=True).site_log_odds(kind)
        found[f"{kind}/{species}"] = score_auroc(odds.astype(np.float64), sites.is_site).auroc
    for species, hidden in ask["masked"].items():
        found[f"masked/{species}"] = float(
            surprisal(hidden, encoder_probabilities(hidden, checkpoint)).mean()
        )
    return found


def kmer_scores() -> Scores:
    """6-mers in 200 bases, counted on 400 stretches of Brassica napus."""
    ask = questions()
    more: Stretches = ask["more"]
    model = KmerClassifier(200).fit(more.codes[60:], more.labels[60:], GRID)
    found: Scores = {}
    for species, stretches in ask["scored"].items():
        predicted = model.predict_proba(stretches.codes).argmax(-1)
        found |= class_scores(f"classes/{species}", predicted, grid_labels(stretches.labels, GRID))
    return found


def kept(path: Path, make: Any) -> Scores:
    """Scores from a file, made where there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")
    scores: Scores = json.loads(path.read_text(encoding="utf-8"))
    return scores


def scores_path(arm: str, seed: int, arguments: argparse.Namespace) -> Path:
    """Where the scores of a run are kept, in the folder of its training."""
    folder = arguments.out / arguments.network / arm.replace(" ", "_").replace(",", "") / f"seed{seed}"
    path: Path = folder / ("scores.json" if arguments.window == WINDOW else f"scores-{arguments.window}.json")
    return path


def run(arm: str, seed: int, arguments: argparse.Namespace) -> Scores:
    """Train and score one arm with one seed."""
    path = scores_path(arm, seed, arguments)

    def make() -> Scores:
        recipe = recipe_of(arm, arguments, seed)
        if arm == "random weights":
            checkpoint = random_checkpoint(BudwoodConfig(**recipe.encoder), seed=seed)
        else:
            checkpoint = load_checkpoint(pretrain(recipe, path.parent, show=False))
        return score(checkpoint, arm, arguments.window)

    return kept(path, make)


def interval(values: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Mean and half the width of its 95 % t interval; nan for a single value."""
    if len(values) < 2:
        return float(values.mean()), float("nan")
    half = stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(half)


def report(runs: dict[str, list[Scores]], kmers: Scores) -> None:
    """Print, for each score, the mean of every arm and its difference to the reference."""
    base = runs.get(REFERENCE, [])
    names = [
        name
        for name in next(iter(runs.values()))[0]
        if name.count("/") == 1 or name.endswith("balanced_accuracy")
    ]
    for name in names:
        print(f"\n{name.removesuffix('/balanced_accuracy')}")
        if name in kmers:
            print(f"  {'6-mers':28s} {kmers[name]:.3f}")
        for arm, scores in runs.items():
            values = np.array([each[name] for each in scores])
            mean, half = interval(values)
            line = f"  {arm:28s} {mean:.3f} +-{half:.3f}" if len(values) > 1 else f"  {arm:28s} {mean:.3f}"
            shared = min(len(base), len(values))
            if shared and arm != REFERENCE:
                gap, width = interval(values[:shared] - np.array([each[name] for each in base[:shared]]))
                line += f"   less all: {gap:+.3f} +-{width:.3f}"
            stem = name.removesuffix("/balanced_accuracy")
            if stem != name:
                recalls = (
                    np.mean([e[f"{stem}/{k}"] for e in scores]) for k in ("coding", "intron", "intergenic")
                )
                line += "   recalls " + " ".join(f"{recall:.2f}" for recall in recalls)
            print(line)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/families"))
    parser.add_argument("--arms", nargs="+", default=["random weights", *ARMS])
    parser.add_argument("--ablations", action="store_true", help="the arms with a source or objective less")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--network", choices=NETWORKS, default="tiny")
    parser.add_argument("--steps", type=int, default=600, help="batches")
    parser.add_argument("--batch", type=int, default=8, help="windows of 512 bases in a batch")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--window", type=int, default=WINDOW, help="bases read together when scoring classes")
    parser.add_argument("--start", help="folder of a checkpoint to continue")
    parser.add_argument("--show", action="store_true", help="report finished runs alone")
    arguments = parser.parse_args()
    arms = ["all", *ABLATIONS] if arguments.ablations else arguments.arms
    runs: dict[str, list[Scores]] = {}
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for arm in arms:
            if not arguments.show or scores_path(arm, seed, arguments).exists():
                runs.setdefault(arm, []).append(run(arm, seed, arguments))
                print(f"seed {seed}: {arm}", flush=True)
    report(runs, kept(arguments.out / "kmers.json", kmer_scores))


if __name__ == "__main__":
    main()
