"""Transfer between simulated species: close and distant pairs, shared and species-specific traits.

Each replicate simulates a clade of three species. Source: 300 lines of `alpha`. Targets: `beta` (0.04
substitutions per neutral base away) and `delta` (0.40). Heads: burdens of orthologous genes with the true
functional class of each variant, and locus importance as a second kernel; `stack` joins them with the target
alone. Replicates are the unit: means and 95 % intervals are those of independent replicates. `level` tests
delta with random source traits, `few-shot` appends a line of JSON for each replicate and pair to F and
prints the table of all that F holds.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_simulated.py level               # 3 minutes
    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_simulated.py few-shot --out F    # minutes; resumes
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import append_result, read_results
from budwood.simulate.clade.clade import SyntheticClade, simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.panel import gene_places, population_genotypes, variant_scores
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.transfer.burdens import locus_burdens
from budwood.transfer.comparison import TransferComparison, compare_transfer
from budwood.transfer.few_shot.arms import DIRECT, TARGET_ALONE
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.learning_curve import expected_top_overlap
from budwood.transfer.few_shot.target import TransferTarget
from budwood.transfer.heads import HeadOptions, TransferSource, carry_heads
from budwood.transfer.locus_map import locus_members, orthologous_loci
from budwood.transfer.random_source import random_traits
from budwood.transfer.score_effect import gblup, score_effect
from budwood.transfer.source_head import SourceHead

SOURCE = "alpha"
CONTROLS = ("random source trait", "shuffled orthology")
LINES = replace(CladeConfig().population, lines=300)
TREE = "((alpha:0.02,beta:0.02):0.18,delta:0.20);"
CELLS = (
    ("shared", "beta"),
    ("shared", "delta"),
    ("species-specific", "beta"),
)


def compared(
    clade: SyntheticClade,
    sharing: str,
    target: str,
    seed: int,
    draws: int,
    sizes: tuple[int, ...],
    controls: bool,
) -> TransferComparison:
    """One pair and trait of a clade, source and target both in the field."""
    trait = simulate_clade_trait(clade, CladeTraitConfig(sharing=sharing, seed=seed))
    ours, theirs = (population_genotypes(clade.populations[name]) for name in (SOURCE, target))
    scores = [variant_scores(clade.species[name], clade.populations[name]) for name in (SOURCE, target)]
    loci = orthologous_loci(
        clade.ortholog_pairs(SOURCE, target),
        gene_places(clade.species[SOURCE]),
        gene_places(clade.species[target]),
    )
    lines = np.arange(len(theirs.accessions))
    carried = carry_heads(
        TransferSource(genotypes=ours, y=trait[SOURCE].field_phenotype),
        theirs,
        lines,
        loci=loci,
        source_scores=scores[0],
        target_scores=scores[1],
        options=HeadOptions(reach=500, seed=seed),
    )
    if not controls:
        bare = [
            replace(head, random_kernels=(), shuffled_scores=None, shuffled_kernels=())
            for head in carried.heads
        ]
        carried = replace(carried, heads=tuple(bare))
    design = FewShotDesign(sizes=sizes, draws=draws, seed=seed)
    return compare_transfer(theirs, lines, trait[target].field_phenotype, carried, design)


def record(found: TransferComparison) -> dict[str, Any]:
    """Figures of one comparison."""
    results = found.results
    return {
        "outcome": str(found.outcome),
        "main_arm": found.main_arm,
        "r": {a: {str(n): float(v.mean()) for n, v in by.items()} for a, by in results.r.items()},
        "within": {a: {str(n): float(v.mean()) for n, v in by.items()} for a, by in results.within_r.items()},
        "top": {a: {str(n): float(v.mean()) for n, v in by.items()} for a, by in results.top.items()},
        "tests": {
            name: [test.r, test.within_r, test.p_random, test.p_value, test.positive]
            for name, test in found.tests.items()
            if name
        },
        "overlap_p": None if found.overlap is None else found.overlap.p_value,
    }


def few_shot(
    path: Path, replicates: range, draws: int, seconds: float, sizes: tuple[int, ...], controls: bool
) -> None:
    """Compute what the file lacks, until the time is used up."""
    start = time.perf_counter()
    done = read_results(path, "replicate", "sharing", "target")
    for replicate in replicates:
        missing = [cell for cell in CELLS if (replicate, *cell) not in done]
        if not missing:
            continue
        clade = simulate_clade(CladeConfig(tree=TREE, seed=replicate, population=LINES))
        for sharing, target in missing:
            if time.perf_counter() - start > seconds:
                return
            found = compared(clade, sharing, target, replicate, draws, sizes, controls)
            line = {"replicate": replicate, "sharing": sharing, "target": target, **record(found)}
            append_result(path, {k: plain_values(v) for k, v in line.items()})


def plain_values(value: Any) -> Any:
    """Values that JSON can hold."""
    if isinstance(value, dict):
        return {k: plain_values(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain_values(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def table(path: Path) -> None:
    """Means and intervals over replicates."""
    records = list(read_results(path, "replicate", "sharing", "target").values())
    for sharing, target in CELLS:
        rows = [r for r in records if (r["sharing"], r["target"]) == (sharing, target)]
        if len(rows) < 2:
            continue
        outcomes = [r["outcome"] for r in rows]
        counts = ", ".join(f"{outcomes.count(o)} {o}" for o in dict.fromkeys(outcomes))
        overlap = np.mean([r["overlap_p"] is not None and r["overlap_p"] < 0.05 for r in rows])
        direct = f"gene burdens: {DIRECT}"
        print(f"\n{sharing} trait, alpha to {target}, {len(rows)} replicates: {counts}")
        print(f"  shared loci found (p < 0.05) in {overlap:.0%}")
        r0 = np.array([r["r"][direct]["0"] for r in rows])
        top = np.mean([r["top"][direct]["0"] for r in rows])
        print(
            f"  0 lines: r {_text(r0)}, within clusters {_text(_of(rows, 'within', direct, '0'))}; best "
            f"quarter {top:.2f}, expected from r {expected_top_overlap(float(r0.mean())):.2f}"
        )
        for control in [c for c in CONTROLS if f"{direct}, {c}" in rows[0]["r"]]:
            print(f"    {control}: r {_text(_of(rows, 'r', f'{direct}, {control}', '0'))}")
        sizes = [n for n in rows[0]["r"][TARGET_ALONE] if all(n in r["r"][TARGET_ALONE] for r in rows)]
        for size in sizes:
            alone = _of(rows, "r", TARGET_ALONE, size)
            print(f"  {size} lines: target alone {alone.mean():.3f}")
            for arm in rows[0]["r"]:
                if size in rows[0]["r"][arm] and arm != TARGET_ALONE:
                    gain = _of(rows, "r", arm, size) - alone
                    print(f"    {arm}: {_of(rows, 'r', arm, size).mean():.3f}, difference {_text(gain)}")


def _of(rows: list[dict[str, Any]], measure: str, arm: str, size: str) -> Any:
    return np.array([r[measure][arm][size] for r in rows])


def _text(values: Any) -> str:
    found = corrected_interval(np.asarray(values), test_to_train=0.0)
    return f"{found.mean:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"


def level(replicates: int, traits: int) -> None:
    """Share of random source traits whose delta is significant at 5 %, by number of target lines."""
    rejected: dict[int, list[bool]] = {}
    for seed in range(1, replicates + 1):
        clade = simulate_clade(CladeConfig(tree=TREE, seed=seed, population=LINES))
        trait = simulate_clade_trait(clade, CladeTraitConfig(seed=seed))
        ours, theirs = (population_genotypes(clade.populations[name]) for name in (SOURCE, "beta"))
        places = [gene_places(clade.species[name]) for name in (SOURCE, "beta")]
        loci = orthologous_loci(clade.ortholog_pairs(SOURCE, "beta"), *places)
        burdens = [
            locus_burdens(
                g,
                locus_members(each, g.markers, 500),
                variant_scores(clade.species[name], clade.populations[name]),
            )
            for g, each, name in ((ours, loci.source, SOURCE), (theirs, loci.target, "beta"))
        ]
        head = SourceHead.of("gene burdens", *burdens)
        solved = gblup(trait[SOURCE].field_phenotype, [head.square])
        rng = np.random.default_rng(seed)
        y = trait["beta"].field_phenotype
        relationship = TransferTarget.of(theirs, y).relationship
        for random in random_traits((head.square,), solved.components, traits, rng):
            score = head.cross @ gblup(random, [head.square]).projected
            for size in (50, 100, 200):
                rows = rng.permutation(len(y))[:size]
                found = score_effect(y[rows], score[rows], relationship[np.ix_(rows, rows)])
                rejected.setdefault(size, []).append(found.p_value < 0.05)
    for size, found in rejected.items():
        share = float(np.mean(found))
        error = (share * (1 - share) / len(found)) ** 0.5
        print(f"{size} target lines: {share:.3f} of {len(found)} tests reject at 5 % (s.e. {error:.3f})")


def main() -> None:
    """Run one part."""
    parser = parser_for(__doc__)
    parser.add_argument("part", choices=("level", "few-shot"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="first replicate")
    parser.add_argument("--sizes", default="0,25,50,100,150,200")
    parser.add_argument("--without-controls", action="store_true", help="fewer control arms, half the time")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--traits", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after about so many seconds")
    arguments = parser.parse_args()
    if arguments.part == "level":
        level(arguments.replicates, arguments.traits)
        return
    if arguments.out is None:
        parser.error("few-shot needs --out")
    sizes = tuple(int(word) for word in arguments.sizes.split(","))
    replicates = range(arguments.first, arguments.replicates + 1)
    few_shot(
        arguments.out, replicates, arguments.draws, arguments.seconds, sizes, not arguments.without_controls
    )
    table(arguments.out)


if __name__ == "__main__":
    main()
