"""Transfer between simulated species: close and distant pairs, shared and species-specific traits.

Each replicate simulates a clade of three species. Source: 300 lines of `alpha`. Targets: `beta` (0.04
substitutions per neutral base away) and `delta` (0.40). Heads: burdens of orthologous genes with the true
functional class of each variant, and locus importance as a second kernel; `stack` joins them with the target
alone. Replicates are the unit: means and 95 % intervals are those of independent replicates. `level` tests
delta with random source traits; `few-shot` appends a line of JSON for each replicate and pair to F and
prints the table of all that F holds; `several` does so for a second source beside `alpha` (`gamma`, 0.16
away): one with the same trait, and one with a trait that has nothing to do with the target's.

Two settings are stated: 300 lines of source and target, and 600 of each (`--lines 600 --sizes
0,25,50,100,150,200,400`), as in a programme that has phenotyped for years.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_simulated.py level --out L      # 3 minutes; resumes
    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_simulated.py few-shot --out F   # 5; 30 draws 35
    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_simulated.py several --out G    # minutes
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.results_file import append_result, read_results
from budwood.simulate.clade.clade import SyntheticClade, simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.panel import gene_places, population_genotypes, variant_scores
from budwood.simulate.clade.trait import CladeTraitConfig, SpeciesTrait, simulate_clade_trait
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.transfer.burdens import locus_burdens
from budwood.transfer.comparison import TransferComparison, compare_transfer
from budwood.transfer.few_shot.arms import DIRECT, STACK, TARGET_ALONE
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.learning_curve import expected_top_overlap
from budwood.transfer.few_shot.target import TransferTarget
from budwood.transfer.heads import CarriedHeads, HeadOptions, TransferSource, carry_heads
from budwood.transfer.locus_map import locus_members, orthologous_loci
from budwood.transfer.random_source import random_traits
from budwood.transfer.score_effect import gblup, p_of, score_statistics
from budwood.transfer.source_head import SourceHead

SOURCE = "alpha"
CONTROLS = ("random source trait", "shuffled orthology")
TREE = "((alpha:0.02,beta:0.02):0.18,delta:0.20);"
SEVERAL_TREE = "(((alpha:0.02,beta:0.02):0.06,gamma:0.08):0.12,delta:0.20);"
MARGIN = 0.02
CELLS = (
    ("shared", "beta"),
    ("shared", "delta"),
    ("species-specific", "beta"),
)


def simulated(seed: int, lines: int, tree: str = TREE) -> SyntheticClade:
    """A clade with so many lines of each species."""
    population = replace(CladeConfig().population, lines=lines)
    return simulate_clade(CladeConfig(tree=tree, seed=seed, population=population))


def scores_of(clade: SyntheticClade, *names: str) -> dict[str, NDArray[np.float64]]:
    """How damaging each variant of a species is, once for all of its pairs."""
    return {name: variant_scores(clade.species[name], clade.populations[name]) for name in names}


def carried_from(
    clade: SyntheticClade,
    scores: Mapping[str, NDArray[np.float64]],
    source: str,
    target: str,
    y: NDArray[np.float64],
    seed: int,
) -> CarriedHeads:
    """What a species with these trait values brings to another one."""
    ours, theirs = (population_genotypes(clade.populations[name]) for name in (source, target))
    loci = orthologous_loci(
        clade.ortholog_pairs(source, target),
        gene_places(clade.species[source]),
        gene_places(clade.species[target]),
    )
    return carry_heads(
        TransferSource(genotypes=ours, y=y),
        theirs,
        np.arange(len(theirs.accessions)),
        loci=loci,
        source_scores=scores[source],
        target_scores=scores[target],
        options=HeadOptions(reach=500, seed=seed),
    )


def compared(
    clade: SyntheticClade,
    scores: Mapping[str, NDArray[np.float64]],
    trait: Mapping[str, SpeciesTrait],
    target: str,
    design: FewShotDesign,
    controls: bool,
) -> TransferComparison:
    """One pair and trait of a clade, source and target both in the field."""
    theirs = population_genotypes(clade.populations[target])
    carried = carried_from(clade, scores, SOURCE, target, trait[SOURCE].field_phenotype, design.seed)
    if not controls:
        bare = [
            replace(head, random_kernels=(), shuffled_scores=None, shuffled_kernels=())
            for head in carried.heads
        ]
        carried = replace(carried, heads=tuple(bare))
    lines = np.arange(len(theirs.accessions))
    return compare_transfer(theirs, lines, trait[target].field_phenotype, {SOURCE: carried}, design)


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
        "delta_rejected": {
            head: {str(n): float((p < 0.05).mean()) for n, p in by.items()}
            for head, by in results.p_values.items()
        },
        "geometry": {name: asdict(axis) for name, axis in found.geometry.items()},
        "overlap_p": next((each.p_value for each in found.overlaps.values() if each is not None), None),
    }


def few_shot(
    path: Path, replicates: range, seconds: float, design: FewShotDesign, controls: bool, lines: int
) -> None:
    """Compute what the file lacks, until the time is used up."""
    start = time.perf_counter()
    done = read_results(path, "replicate", "sharing", "target")
    for replicate in replicates:
        missing = [cell for cell in CELLS if (replicate, *cell) not in done]
        if not missing:
            continue
        if time.perf_counter() - start > seconds:
            return
        clade = simulated(replicate, lines)
        scores = scores_of(clade, SOURCE, *{target for _, target in missing})
        traits = {
            sharing: simulate_clade_trait(clade, CladeTraitConfig(sharing=sharing, seed=replicate))
            for sharing in dict.fromkeys(sharing for sharing, _ in missing)
        }
        for sharing, target in missing:
            if time.perf_counter() - start > seconds:
                return
            seeded = replace(design, seed=replicate)
            found = compared(clade, scores, traits[sharing], target, seeded, controls)
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

        for arm in (TARGET_ALONE, STACK):
            print(f"  plateau of {arm}: {_plateau(rows, arm)}")
        for head in rows[0].get("geometry", {}):
            _show_geometry(rows, head)


def _plateau(rows: list[dict[str, Any]], arm: str) -> str:
    """The smallest size from which more lines are shown to add less than .02 (one-sided 5 %)."""
    sizes = [n for n in rows[0]["r"][arm] if n != "0" and all(n in r["r"][arm] for r in rows)]
    texts, found = [], "none shown"
    for size in sizes[:-1]:
        gain = _of(rows, "r", arm, sizes[-1]) - _of(rows, "r", arm, size)
        interval = corrected_interval(gain, test_to_train=0.0, level=0.90)
        texts.append(f"r({sizes[-1]}) - r({size}) {interval.mean:+.3f}, at most {interval.upper:+.3f}")
        if found == "none shown" and interval.upper < MARGIN:
            found = f"from {size} lines"
    return f"{found} ({'; '.join(texts)})"


def _show_geometry(rows: list[dict[str, Any]], head: str) -> None:
    axes = [r["geometry"][head] for r in rows if head in r["geometry"]]
    names = ("trait_r", "main_r", "random_main_r", "second_r", "structure_share", "spread")
    means = [np.mean([a[name] for a in axes if a[name] is not None] or [np.nan]) for name in names]
    print(f"  geometry of {head}: {', '.join(f'{n} {v:.2f}' for n, v in zip(names, means, strict=True))}")


def _of(rows: list[dict[str, Any]], measure: str, arm: str, size: str) -> Any:
    return np.array([r[measure][arm][size] for r in rows])


def _text(values: Any) -> str:
    found = corrected_interval(np.asarray(values), test_to_train=0.0)
    return f"{found.mean:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"


def several(path: Path, replicates: range, seconds: float, design: FewShotDesign, lines: int) -> None:
    """`alpha` alone, with `gamma` beside it, and with `gamma` of an unrelated trait; target `beta`."""
    start = time.perf_counter()
    done = read_results(path, "replicate")
    for replicate in replicates:
        if (replicate,) in done or time.perf_counter() - start > seconds:
            continue
        clade = simulated(replicate, lines, SEVERAL_TREE)
        trait = simulate_clade_trait(clade, CladeTraitConfig(seed=replicate))
        other = simulate_clade_trait(
            clade, CladeTraitConfig(name="other", sharing="species-specific", seed=replicate)
        )
        theirs = population_genotypes(clade.populations["beta"])
        scores = scores_of(clade, SOURCE, "beta", "gamma")
        first = carried_from(clade, scores, SOURCE, "beta", trait[SOURCE].field_phenotype, replicate)
        beside = {
            "alpha": {},
            "alpha + gamma": {"gamma": trait["gamma"].field_phenotype},
            "alpha + unrelated": {"gamma": other["gamma"].field_phenotype},
        }
        line: dict[str, Any] = {"replicate": replicate}
        for name, more in beside.items():
            given = {SOURCE: first} | {
                source: carried_from(clade, scores, source, "beta", y, replicate)
                for source, y in more.items()
            }
            bare = {
                source: replace(
                    each,
                    heads=tuple(
                        replace(
                            head,
                            random_scores=None,
                            random_kernels=(),
                            shuffled_scores=None,
                            shuffled_kernels=(),
                            own=None,
                        )
                        for head in each.heads
                    ),
                )
                for source, each in given.items()
            }
            found = compare_transfer(
                theirs,
                np.arange(len(theirs.accessions)),
                trait["beta"].field_phenotype,
                bare,
                replace(design, seed=replicate),
            )
            line[name] = record(found)
        append_result(path, {k: plain_values(v) for k, v in line.items()})
    rows = list(read_results(path, "replicate").values())
    for name in ("alpha", "alpha + gamma", "alpha + unrelated"):
        print(f"\n{name}, {len(rows)} replicates")
        for size in [n for n in rows[0]["alpha"]["r"][STACK] if n != "0"]:
            gain, extra = (
                np.array([r[name]["r"][STACK][size] - r[of]["r"][arm][size] for r in rows])
                for of, arm in ((name, TARGET_ALONE), ("alpha", STACK))
            )
            beside_alpha = "" if name == "alpha" else f", beside alpha {_text(extra)}"
            print(f"  {size} lines: stack minus target alone {_text(gain)}{beside_alpha}")


def level(path: Path, replicates: range, seconds: float, traits: int, lines: int) -> None:
    """Share of random source traits whose delta is significant at 5 %, by number of target lines."""
    start = time.perf_counter()
    done = read_results(path, "replicate")
    for seed in replicates:
        if (seed,) in done or time.perf_counter() - start > seconds:
            continue
        clade = simulated(seed, lines)
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
        rejected: dict[str, list[bool]] = {}
        random = random_traits((head.square,), solved.components, traits, rng)
        scores = np.array([head.cross @ gblup(each, [head.square]).projected for each in random])
        for place in range(len(scores)):
            for size in (25, 50, 100, 200):
                rows = rng.permutation(len(y))[:size]
                statistics = score_statistics(y[rows], scores[:, rows], relationship[np.ix_(rows, rows)])
                inflation = max(1.0, float(np.delete(statistics, place).mean()))
                for name, by in (("plain", 1.0), ("by random traits", inflation)):
                    p = p_of(statistics[place : place + 1] / by, size)[0]
                    rejected.setdefault(f"{size} target lines, {name}", []).append(bool(p < 0.05))
        append_result(path, {"replicate": seed, "rejected": rejected})
    rows = [each["rejected"] for each in read_results(path, "replicate").values()]
    for size in rows[0]:
        shares = np.array([np.mean(each[size]) for each in rows])
        print(
            f"{size}: {_text(shares)} of {sum(len(each[size]) for each in rows):,} tests reject "
            f"at 5 %; interval over {len(rows)} replicates"
        )


def main() -> None:
    """Run one part."""
    parser = parser_for(__doc__)
    parser.add_argument("part", choices=("level", "few-shot", "several"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="first replicate")
    parser.add_argument("--sizes", default="0,25,50,100,150,200")
    parser.add_argument("--without-controls", action="store_true", help="fewer control arms, half the time")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--lines", type=int, default=300, help="of the source and of the target")
    parser.add_argument("--traits", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after about so many seconds")
    arguments = parser.parse_args()
    replicates = range(arguments.first, arguments.replicates + 1)
    if arguments.part == "level":
        level(arguments.out, replicates, arguments.seconds, arguments.traits, arguments.lines)
        return
    sizes = tuple(int(word) for word in arguments.sizes.split(","))
    design = FewShotDesign(sizes=sizes, draws=arguments.draws)
    if arguments.part == "several":
        several(arguments.out, replicates, arguments.seconds, design, arguments.lines)
        return
    controls = not arguments.without_controls
    few_shot(arguments.out, replicates, arguments.seconds, design, controls, arguments.lines)
    table(arguments.out)


if __name__ == "__main__":
    main()
