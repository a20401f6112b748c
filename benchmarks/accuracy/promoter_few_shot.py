"""Promoter strength of another species with 0 to 400 of its own measured promoters.

    python benchmarks/accuracy/promoter_strength.py --source sorghum --seeds 0,1,2 --predictions P --out S
    python benchmarks/accuracy/promoter_few_shot.py --predictions P --out F

The source is a model that promoter_strength.py trained on one species; its score of a promoter of the target
enters ``y = mu + delta s + u + e``, the statistic of `budwood transfer evaluate`, where u has the kernel of
the target's own 4-mers. Beside it stand the target alone (the same kernel; a Gaussian kernel of 4-mers;
kernels of frozen embeddings of the packaged encoder and of one with random weights; a convolution on 100 and
on 400 promoters in three of the draws), the source alone, and the score of promoters in random order as
control. Nested draws; a quarter of the promoters is predicted in each. Scores are the means of all seeds
that P holds of the largest training, in standard deviations. A line of JSON for each assay, source and target
is appended to F, and a second run computes those that are missing; the table shows all.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.promoter_strength import NAMES, SPECIES, read, test_rows
from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import Record, append_result, read_results
from budwood.inference.embed import embed_windows
from budwood.model.checkpoint import load_checkpoint, random_checkpoint
from budwood.probing.sequence_models import Examples, FineTuning, fit_sequence_model
from budwood.stats.evaluation.splitters import cluster_folds
from budwood.stats.relationship.gaussian import gaussian_of, mean_distance
from budwood.stats.relationship.principal_components import principal_components
from budwood.training.finetuning.fit import FitConfig
from budwood.training.finetuning.outputs import value_outputs
from budwood.transfer.few_shot.arms import TARGET_ALONE, WITH
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.evaluate import evaluate_few_shot
from budwood.transfer.few_shot.target import AXES, BANDWIDTHS, CLUSTERS, TransferHead, TransferTarget

K = 4
KEY = ("assay", "source", "target")
OWN_SIZES, OWN_DRAWS = (100, 400), 3
Matrix = NDArray[np.float64]


def kmer_counts(codes: NDArray[np.uint8]) -> Matrix:
    """(promoters, 256) counts of 4-mers on the given strand."""
    words = np.zeros((len(codes), codes.shape[1] - K + 1), dtype=np.int64)
    for offset in range(K):
        words = 4 * words + np.minimum(codes[:, offset : offset + words.shape[1]], 3)
    return np.stack([np.bincount(row, minlength=4**K) for row in words]).astype(np.float64)


def kernel_of(features: Matrix) -> Matrix:
    """Products of standardised features, with a mean of 1 on the diagonal."""
    spread = features.std(axis=0)
    z = (features - features.mean(axis=0))[:, spread > 0.0] / spread[spread > 0.0]
    products: Matrix = z @ z.T
    return products / np.diagonal(products).mean()


def target_of(codes: NDArray[np.uint8], strength: Matrix) -> TransferTarget:
    """Promoters as lines of a target."""
    kernel = kernel_of(kmer_counts(codes))
    own = np.diagonal(kernel)
    distances = own[:, None] + own - 2.0 * kernel
    np.fill_diagonal(distances, 0.0)
    unit = mean_distance(distances)
    return TransferTarget(
        accessions=tuple(f"promoter{row}" for row in range(len(codes))),
        y=strength,
        relationship=kernel,
        gaussian=tuple(gaussian_of(distances, each, unit) for each in BANDWIDTHS),
        clusters=cluster_folds(kernel, CLUSTERS),
        axes=principal_components(kernel, count=AXES).scores,
    )


def score_of(folder: Path, assay: str, source: str, target: str, way: str) -> tuple[Matrix | None, int]:
    """Mean over seeds of what a way predicts of the target by most promoters, and the number of seeds."""
    by_size: dict[int, list[Matrix]] = {}
    for path in sorted(folder.glob(f"{assay}-{source}-{target}-{way}-*-seed*.npy")):
        by_size.setdefault(int(path.stem.split("-")[-2]), []).append(np.load(path))
    if not by_size:
        return None, 0
    found = by_size[max(by_size)]
    return np.mean([(each - each.mean()) / each.std() for each in found], axis=0), len(found)


def heads_of(scores: dict[str, Matrix], randoms: int, own: tuple[Matrix, Matrix]) -> list[TransferHead]:
    """What each way of learning from the source brings, with promoters in random order as control.

    The first one brings nothing: it has the kernels by which embeddings learn from the target alone.
    """
    heads = [TransferHead(name="frozen embeddings", own=own[0], own_random=own[1])]
    for way, score in scores.items():
        shuffled = [np.random.default_rng([7, draw]).permutation(score) for draw in range(randoms)]
        heads.append(TransferHead(name=way, score=score, random_scores=np.stack(shuffled)))
    return heads


def convolution_alone(
    codes: NDArray[np.uint8], strength: Matrix, design: FewShotDesign
) -> dict[str, list[float]]:
    """r of a convolution trained on the target's own promoters alone, by their number."""
    truth, encoder = strength[:, None], load_checkpoint(device="cpu")
    found: dict[str, list[float]] = {}
    for draw, (test, order) in enumerate(itertools.islice(design.draw(len(codes)), OWN_DRAWS)):
        for size in OWN_SIZES:
            kept = max(10, size // 10)
            training, validation = order[kept:size], order[:kept]
            outputs = value_outputs(["strength"], truth, training)
            examples = Examples(
                codes=codes, truth=truth, outputs=outputs, training=training, validation=validation
            )
            how = FineTuning(fit=FitConfig(seed=draw))
            model = fit_sequence_model("convolution", examples, encoder, how, show=False)
            r = float(np.corrcoef(model.read(codes[test])[:, 0], strength[test])[0, 1])
            found.setdefault(str(size), []).append(r)
    return found


@dataclass(frozen=True, kw_only=True)
class TargetSide:
    """What does not rest on the source: promoters, kernels of embeddings, a model of the target alone."""

    promoters: TransferTarget
    own: tuple[Matrix, Matrix]
    own_convolution: dict[str, list[float]]


@functools.cache
def target_side(assay: str, target: str, count: int, draws: int) -> TargetSide:
    """The target of one assay, made once for both of its sources."""
    every, strengths, species = read(assay)
    rows = test_rows(species, target, count)
    codes, strength = every[rows], strengths[rows, 0]
    encoder = load_checkpoint(device="cpu")
    trained, random = (
        kernel_of(embed_windows(codes, each, oriented=True, cache=False, show=False).astype(np.float64))
        for each in (encoder, random_checkpoint(encoder.encoder.config, seed=0))
    )
    return TargetSide(
        promoters=target_of(codes, strength),
        own=(trained, random),
        own_convolution=convolution_alone(codes, strength, FewShotDesign(draws=draws)),
    )


def compared(folder: Path, assay: str, source: str, target: str, draws: int) -> Record | None:
    """Few-shot accuracies of one assay, source and target; None where no predictions are kept."""
    scores, seeds = {}, {}
    for way in NAMES:
        score, count = score_of(folder, assay, source, target, way)
        if score is not None:
            scores[way], seeds[way] = score, count
    if not scores:
        return None
    count = len(next(iter(scores.values())))
    side = target_side(assay, target, count, draws)
    results = evaluate_few_shot(side.promoters, heads_of(scores, 20, side.own), FewShotDesign(draws=draws))
    arms = {
        arm: {str(size): [float(each) for each in by[size]] for size in by} for arm, by in results.r.items()
    }
    gains: dict[str, dict[str, list[float]]] = {way: {} for way in scores}
    for way, by in gains.items():
        for size in results.sizes[1:]:
            found = results.difference(f"{way}: {WITH}", size)
            by[str(size)] = [found.mean, found.lower, found.upper]
    return {
        "assay": assay,
        "source": source,
        "target": target,
        "seeds": seeds,
        "promoters": count,
        "draws": draws,
        "r": arms,
        "gains": gains,
        "own_convolution": side.own_convolution,
    }


def table(records: Iterable[Record]) -> list[str]:
    """Mean r of each arm by number of promoters, and gains over the target alone with intervals."""
    lines = []
    for record in records:
        sizes = [int(size) for size in record["r"][TARGET_ALONE]]
        head = f"{record['assay']}: {record['source']} to {record['target']}, {record['promoters']} promoters"
        lines.append(f"\n{head}, seeds {record['seeds']}")
        for arm, by in record["r"].items():
            if any(part in arm for part in ("principal", "stack")):
                continue
            cells = [f"{size} {np.mean(by[str(size)]):.3f}" for size in (0, *sizes) if str(size) in by]
            lines.append(f"  {arm}: {', '.join(cells)}")
        own = [f"{size} {np.mean(each):.3f}" for size, each in record["own_convolution"].items()]
        lines.append(f"  convolution, target alone: {', '.join(own)}")
        for way, by in record["gains"].items():
            cells = [
                f"{size} {mean:+.3f} ({low:+.3f} to {high:+.3f})" for size, (mean, low, high) in by.items()
            ]
            lines.append(f"  {way} minus target alone: {', '.join(cells)}")
    return lines


def main() -> None:
    """Compare what the file lacks and print the table."""
    parser = parser_for(__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="folder of promoter_strength.py")
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    done = read_results(asked.out, *KEY)
    for assay in ("leaf", "proto"):
        for source in SPECIES:
            for target in SPECIES:
                if source != target and (assay, source, target) not in done:
                    record = compared(asked.predictions, assay, source, target, asked.draws)
                    if record is not None:
                        append_result(asked.out, record)
                        done[assay, source, target] = record
    print("\n".join(table(done.values())))


if __name__ == "__main__":
    main()
