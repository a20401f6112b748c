"""Every head of transfer on the same simulated species, lines and draws, embeddings beside the others.

Each replicate simulates a clade of three species. Source: `alpha`. Targets: `beta` (0.04 substitutions per
neutral base away) and `delta` (0.40). The trait acts through the same genes in all of them. Genomes have 120
genes, mutations are a quarter as frequent as in transfer_simulated.py, and sites whose rarer allele is under
5 % are left out for every head, so that the distinct window sequences can be embedded in minutes. Heads:
burdens of orthologous genes with the true functional class of each variant, locus importance, pooled
embeddings, and embeddings by locus. Shared markers do not exist between species. Embeddings are by the
packaged encoder and, as the control, by a network of the same shape with random weights.

Beside the heads of `carry_heads`: the stack without embeddings and of embeddings alone; embeddings by locus
with other scales of the loci (`none`: as they are; `directions`: divided by the number of directions in which
a locus varies, the squared sum of its covariance's eigenvalues over the sum of their squares); and a
constructed trait that is linear in the embeddings of thirty loci with the same effects in both species, which
the head has to find if it is right.

Replicates are the unit: means and 95 % intervals are those of independent replicates. Vectors are computed
in bfloat16 unless `--precision float32` is given; `precision` compares the differences from the reference by
both.

`rice` is the only real pair with sequence on both sides: the 170 SNPs of rice_rdp1_44k on the first megabase
of chromosome 2. The two clusters of the genome-wide relationship are source and target in turn; the heads are
shared markers, locus importance in windows of 10 kb, and both embeddings (float32), beside GBLUP on the same
170 SNPs. A megabase is .3 % of the genome.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_heads.py heads --out F       # half an hour; resumes
    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_heads.py rice                # 2 minutes
    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_heads.py precision           # seconds
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.transfer_simulated import SOURCE, TREE, plain_values
from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, read_panel
from benchmarks.common.results_file import append_result, read_results
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable, tabulate_haplotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.inference.embed import embed_haplotypes, embed_windows
from budwood.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from budwood.panel.haplotypes import build_haplotypes
from budwood.simulate.clade.clade import SyntheticClade, simulate_clade
from budwood.simulate.clade.config import CladeConfig
from budwood.simulate.clade.panel import gene_places, population_genotypes, variant_scores
from budwood.simulate.clade.trait import CladeTraitConfig, simulate_clade_trait
from budwood.simulate.population import Population
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.evaluation.splitters import cluster_folds
from budwood.stats.relationship.relationship import centred_products, summarise_markers
from budwood.transfer.comparison import compare_transfer
from budwood.transfer.embedded_lines import EmbeddedLines
from budwood.transfer.few_shot.arms import (
    DIRECT,
    FROM_SCRATCH,
    RANDOM_TRAIT,
    RANDOM_WEIGHTS,
    SHUFFLED,
    STACK,
    TARGET_ALONE,
    WITH,
)
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.evaluate import evaluate_few_shot
from budwood.transfer.few_shot.target import TransferHead, TransferTarget
from budwood.transfer.heads import (
    BURDENS,
    BY_LOCUS,
    EMBEDDINGS,
    IMPORTANCE,
    HeadOptions,
    TransferSource,
    carry_heads,
)
from budwood.transfer.locus_embeddings import LocusEmbeddings
from budwood.transfer.locus_map import LocusMap, orthologous_loci, window_loci
from budwood.transfer.source_head import SourceHead

Vector = NDArray[np.float64]

TARGETS: Final = ("beta", "delta")
REACH: Final = 500
MUTATION_RATE: Final = 5e-7
CONTIGS: Final = 3
RARER_ALLELE: Final = 0.05
HEADS: Final = (BURDENS, IMPORTANCE, EMBEDDINGS, BY_LOCUS)
WITHOUT: Final = "stack without embeddings"
ALONE: Final = "stack of embeddings"
CAUSAL_LOCI: Final = 30
RICE_TRAITS: Final = ("Plant_height", "Flowering_time_at_Arkansas")


def simulated(seed: int, lines: int) -> SyntheticClade:
    """A clade with so many lines of each species and few mutations."""
    population = replace(CladeConfig().population, lines=lines, mutation_rate=MUTATION_RATE)
    return simulate_clade(CladeConfig(tree=TREE, seed=seed, contigs=CONTIGS, population=population))


def common_sites(population: Population) -> Population:
    """The population without sites whose rarer allele is rare."""
    frequency = population.haplotypes.mean(axis=0)
    kept = np.flatnonzero(np.minimum(frequency, 1.0 - frequency) >= RARER_ALLELE)
    sites = tuple(population.sites[column] for column in kept.tolist())
    return replace(population, sites=sites, haplotypes=population.haplotypes[:, kept])


class Replicate:
    """One clade with its trait; vectors of a species are computed once."""

    def __init__(self, seed: int, lines: int, precision: str) -> None:
        self.seed, self.precision = seed, precision
        self.clade = simulated(seed, lines)
        self.trait = simulate_clade_trait(self.clade, CladeTraitConfig(seed=seed))
        self.populations = {name: common_sites(each) for name, each in self.clade.populations.items()}
        self._embedded: dict[tuple[str, str], EmbeddedLines] = {}

    def genotypes(self, name: str) -> Genotypes:
        return population_genotypes(self.populations[name])

    def table(self, name: str) -> HaplotypeTable:
        return tabulate_haplotypes(self.populations[name], self.clade.species[name].assembly)

    def scores(self, name: str) -> Vector:
        return variant_scores(self.clade.species[name], self.populations[name])

    def encoder(self, kind: str) -> Checkpoint:
        """The packaged encoder, or one of its shape with random weights."""
        packaged = load_checkpoint(device="cpu")
        if kind == RANDOM_WEIGHTS:
            packaged = random_checkpoint(packaged.encoder.config, seed=self.seed)
        return packaged.in_precision(self.precision)  # type: ignore[arg-type]

    def embedded(self, name: str, kind: str) -> EmbeddedLines:
        """Lines of a species by an encoder."""
        if (name, kind) not in self._embedded:
            table = self.table(name)
            vectors = embed_windows(table.sequences, self.encoder(kind), show=False)
            self._embedded[name, kind] = EmbeddedLines(table, vectors)
        return self._embedded[name, kind]

    def loci(self, target: str) -> LocusMap:
        places = [gene_places(self.clade.species[name]) for name in (SOURCE, target)]
        return orthologous_loci(self.clade.ortholog_pairs(SOURCE, target), *places)


def bare(head: TransferHead) -> TransferHead:
    """A head without controls."""
    return TransferHead(name=head.name, score=head.score, kernel=head.kernel)


def compared(
    replicate: Replicate, target: str, design: FewShotDesign, random_weights: bool
) -> dict[str, Any]:
    """Figures of one replicate and target."""
    ours, theirs = replicate.genotypes(SOURCE), replicate.genotypes(target)
    y, wanted = (replicate.trait[name].field_phenotype for name in (SOURCE, target))
    loci = replicate.loci(target)
    kinds = ("", RANDOM_WEIGHTS) if random_weights else ("",)
    sides = [(replicate.embedded(SOURCE, kind), replicate.embedded(target, kind)) for kind in kinds]
    everyone = np.arange(len(theirs.accessions))
    carried = carry_heads(
        TransferSource(genotypes=ours, y=y),
        theirs,
        everyone,
        loci=loci,
        source_scores=replicate.scores(SOURCE),
        target_scores=replicate.scores(target),
        embeddings=sides[0],
        random_embeddings=sides[1:],
        options=HeadOptions(reach=REACH, random_traits=100, seed=design.seed),
    )
    found = compare_transfer(theirs, everyone, wanted, {SOURCE: carried}, design)
    r = {arm: {str(n): float(v.mean()) for n, v in by.items()} for arm, by in found.results.r.items()}
    known = TransferTarget.of(theirs, wanted)
    for name, kept in ((WITHOUT, (BURDENS, IMPORTANCE)), (ALONE, (EMBEDDINGS, BY_LOCUS))):
        few = evaluate_few_shot(known, [bare(h) for h in carried.heads if h.name in kept], design)
        r[name] = {str(n): float(v.mean()) for n, v in few.r[STACK].items()}
    pairs = LocusEmbeddings.of(*sides[0], loci, REACH)
    return {
        "r": r,
        "tests": {name: [test.r, test.within_r, test.p_value] for name, test in found.tests.items()},
        "scales": other_scales(pairs, ours, y, wanted),
        "constructed": constructed(pairs, ours, replicate.seed),
        "loci": len(pairs),
        "markers": [len(ours.markers), len(theirs.markers)],
        "sequences": [side.table.n_sequences for side in sides[0]],
        "windows": [len(side.table.windows) for side in sides[0]],
    }


def relationship_of(genotypes: Genotypes) -> NDArray[np.float64]:
    """VanRaden's relationship of all lines."""
    summary = summarise_markers(genotypes.dosage, genotypes.ploidy)
    return centred_products(genotypes.dosage, genotypes.ploidy, summary).relationship()


def other_scales(pairs: LocusEmbeddings, ours: Genotypes, y: Vector, wanted: Vector) -> dict[str, float]:
    """r without target phenotypes over all lines, by how loci are scaled."""
    relationship, found = relationship_of(ours), {}
    products: dict[str, list[Any]] = {"none": [0.0, 0.0], "directions": [0.0, 0.0], "variance": [0.0, 0.0]}
    for locus, unit in enumerate(pairs.unit.tolist()):
        here, there = pairs.features(locus)
        covariance = here.T @ here / (len(here) - 1) + there.T @ there / (len(there) - 1)
        directions = float(np.trace(covariance) ** 2 / (covariance**2).sum())
        for name, scale in (("none", 1.0), ("directions", directions), ("variance", unit)):
            products[name][0] = products[name][0] + here @ here.T / scale
            products[name][1] = products[name][1] + there @ here.T / scale
    for name, (square, cross) in products.items():
        head = SourceHead.of_products(name, square, cross, len(pairs))
        found[name] = pearson_r(head.scorer(y, relationship).score(y), wanted)
    return found


def constructed(pairs: LocusEmbeddings, ours: Genotypes, seed: int) -> dict[str, float]:
    """r of the head where the trait is linear in the embeddings of thirty loci, and of shuffled loci."""
    rng = np.random.default_rng([seed, 7])
    chosen = rng.choice(len(pairs), min(CAUSAL_LOCI, len(pairs)), replace=False)
    values = [np.zeros(len(pairs.source)), np.zeros(len(pairs.target))]
    for locus in chosen.tolist():
        features = pairs.features(locus)
        effects = rng.normal(size=features[0].shape[1]) / pairs.unit[locus] ** 0.5
        values = [value + each @ effects for value, each in zip(values, features, strict=True)]
    y, wanted = (v / v.std() + (0.4 / 0.6) ** 0.5 * rng.normal(size=len(v)) for v in values)
    products = pairs.kernels()
    head = SourceHead.of_products(BY_LOCUS, products.square, products.cross, len(pairs))
    weights = head.scorer(y, relationship_of(ours)).weights(y)
    shuffled = pairs.shuffled_scores(weights, 20, rng)
    return {
        "head": pearson_r(head.cross @ weights, wanted),
        "shuffled": float(np.mean([pearson_r(each, wanted) for each in shuffled])),
    }


def heads(arguments: argparse.Namespace, design: FewShotDesign) -> None:
    """Compute what the file lacks, until the time is used up."""
    start = time.perf_counter()
    done = read_results(arguments.out, "replicate", "target")
    for seed in range(arguments.first, arguments.replicates + 1):
        missing = [target for target in TARGETS if (seed, target) not in done]
        if not missing:
            continue
        if time.perf_counter() - start > arguments.seconds:
            return
        replicate = Replicate(seed, arguments.lines, arguments.precision)
        for target in missing:
            began = time.process_time()
            controlled = seed <= arguments.random_weights
            line = compared(replicate, target, replace(design, seed=seed), controlled)
            line = {"replicate": seed, "target": target, "cpu": time.process_time() - began, **line}
            append_result(arguments.out, {k: plain_values(v) for k, v in line.items()})
            print(f"replicate {seed}, {target}: {line['cpu']:.0f} s of processor time", flush=True)


def table(path: Path) -> None:
    """Means and intervals over replicates."""
    records = list(read_results(path, "replicate", "target").values())
    for target in TARGETS:
        rows = [each for each in records if each["target"] == target]
        if len(rows) < 2:
            continue
        means = {k: np.mean([each[k] for each in rows], axis=0) for k in ("loci", "markers", "sequences")}
        counts = "; ".join(f"{k} {np.round(v).astype(int)}" for k, v in means.items())
        print(f"\n{SOURCE} to {target}, {len(rows)} replicates; means of source and target: {counts}")
        show_direct(rows)
        sizes = [n for n in rows[0]["r"][TARGET_ALONE] if n != "0"]
        for size in sizes:
            show_size(rows, size)


def show_direct(rows: list[dict[str, Any]]) -> None:
    """Accuracy without target phenotypes."""
    for head in HEADS:
        for control in ("", RANDOM_TRAIT, SHUFFLED, RANDOM_WEIGHTS):
            arm = f"{head}: {DIRECT}" + (f", {control}" if control else "")
            if of_arm := [each["r"][arm]["0"] for each in rows if arm in each["r"]]:
                print(f"  0 lines, {arm}: {text(of_arm)}")
        p_values = [each["tests"][head][2] for each in rows if head in each["tests"]]
        print(f"    p of {head} under .05 in {sum(p < 0.05 for p in p_values)} of {len(p_values)}")
    for kind in ("scales", "constructed"):
        for name in rows[0][kind]:
            print(f"  {kind}, {name}: r {text([each[kind][name] for each in rows])}")
    own = f"{BY_LOCUS}: {DIRECT}"
    for other in (f"{own}, {RANDOM_WEIGHTS}", f"{EMBEDDINGS}: {DIRECT}", f"{BURDENS}: {DIRECT}"):
        gap = [each["r"][own]["0"] - each["r"][other]["0"] for each in rows if other in each["r"]]
        print(f"  {own} minus {other}: {text(gap)}")


def show_size(rows: list[dict[str, Any]], size: str) -> None:
    """Differences from the target alone at a number of phenotyped lines."""
    alone = np.array([each["r"][TARGET_ALONE][size] for each in rows])
    print(f"  {size} lines: target alone {alone.mean():.3f}")
    arms = [STACK, WITHOUT, ALONE]
    for head in HEADS:
        arms += [f"{head}: {WITH}" + (f", {c}" if c else "") for c in ("", RANDOM_TRAIT, SHUFFLED)]
        arms += [f"{head}: {WITH}, {RANDOM_WEIGHTS}", f"{head}: {FROM_SCRATCH}"]
        arms += [f"{head}: {FROM_SCRATCH}, {RANDOM_WEIGHTS}"]
    for arm in arms:
        gains = [each["r"][arm][size] - each["r"][TARGET_ALONE][size] for each in rows if arm in each["r"]]
        if gains:
            print(f"    {arm}: {text(gains)}")
    gain = [each["r"][STACK][size] - each["r"][WITHOUT][size] for each in rows]
    print(f"    {STACK} minus {WITHOUT}: {text(gain)}")


def text(values: Any) -> str:
    """Mean and interval of independent replicates."""
    if len(values) < 2:
        return f"{np.mean(values):+.3f} (one replicate)"
    found = corrected_interval(np.asarray(values), test_to_train=0.0)
    return f"{found.mean:+.3f} ({found.lower:+.3f} to {found.upper:+.3f}), {len(values)} replicates"


def precision(lines: int, windows: int = 60) -> None:
    """Differences of sequences from their reference, in bfloat16 beside float32."""
    both = [Replicate(1, lines, each) for each in ("float32", "bf16")]
    table = both[0].table(SOURCE)
    stop = int(table.offsets[min(windows, len(table.windows))])
    for kind in ("", RANDOM_WEIGHTS):
        differences = []
        for replicate in both:
            vectors = embed_windows(table.sequences[:stop], replicate.encoder(kind), cache=False, show=False)
            reference = np.repeat(table.offsets[:-1], np.diff(table.offsets))[:stop]
            moved = vectors.astype(np.float64) - vectors[reference]
            differences.append(moved[reference != np.arange(stop)])
        exact, rounded = differences
        products = np.einsum("ij,ij->i", exact, rounded)
        cosine = products / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
        error = np.linalg.norm(rounded - exact, axis=1) / np.linalg.norm(exact, axis=1)
        print(
            f"{kind or 'packaged encoder'}, {len(exact)} sequences: cosine {np.quantile(cosine, 0.01):.4f} "
            f"(1 % lowest), {np.median(cosine):.5f} (median); error {np.median(error):.1%} of the length"
        )


def rice(draws: int) -> None:
    """From one cluster of RDP1 to the other on one megabase, both ways."""
    panel = data_folder() / "panels/rice_rdp1_44k"
    calls = panel / "chr02_first_1Mb.vcf.gz"
    piece = read_genotypes(calls)
    table = build_haplotypes(calls, data_folder() / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz")
    packaged = load_checkpoint(device="cpu")
    encoders = (packaged, random_checkpoint(packaged.encoder.config))
    vectors = [embed_haplotypes(table, each, show=False) for each in encoders]
    print(f"{len(piece.markers)} SNPs, {table!r}")
    for trait in RICE_TRAITS:
        genome, y = read_panel(panel, "pheno.csv", trait)
        clusters = cluster_folds(relationship_of(genome), 2)
        named = [[genome.accessions[i] for i in np.flatnonzero(clusters == part)] for part in (0, 1)]
        values = [y[clusters == part] for part in (0, 1)]
        genotypes = [piece.take(names) for names in named]
        sides = [[EmbeddedLines(table.take(names), each) for each in vectors] for names in named]
        for one, other in ((0, 1), (1, 0)):
            carried = carry_heads(
                TransferSource(genotypes=genotypes[one], y=values[one]),
                genotypes[other],
                np.arange(len(values[other])),
                loci=window_loci([each.markers for each in genotypes], size=10_000),
                embeddings=(sides[one][0], sides[other][0]),
                random_embeddings=[(sides[one][1], sides[other][1])],
                options=HeadOptions(reach=0, random_traits=100),
            )
            design = FewShotDesign(sizes=(0, 50, 100), draws=draws)
            rows = np.arange(len(values[other]))
            found = compare_transfer(genotypes[other], rows, values[other], {"rice": carried}, design)
            print(f"\n{trait}, {len(values[one])} lines to {len(rows)}: {found.outcome}")
            print("  " + " ".join(carried.notes))
            for name, test in found.tests.items():
                print(f"  {name}: r {test.r:.3f}, within clusters {test.within_r:.3f}, p {test.p_value:.3f}")
            for arm, by in found.results.r.items():
                means = ", ".join(f"{size} lines {each.mean():.3f}" for size, each in by.items())
                gains = [found.results.difference(arm, n) for n in by if n and arm != TARGET_ALONE]
                apart = "; ".join(f"{g.mean:+.3f} ({g.lower:+.3f} to {g.upper:+.3f})" for g in gains)
                print(f"    {arm}: {means}; minus target alone {apart}")


def main() -> None:
    """Run one part."""
    parser = parser_for(__doc__)
    parser.add_argument("part", choices=("heads", "precision", "rice"))
    parser.add_argument("--out", type=Path, help="results of `heads`")
    parser.add_argument("--replicates", type=int, default=8)
    parser.add_argument("--first", type=int, default=1, help="first replicate")
    parser.add_argument(
        "--random-weights",
        type=int,
        default=1_000_000,
        metavar="N",
        help="random weights in replicates up to this one: they take half of the time",
    )
    parser.add_argument("--lines", type=int, default=220, help="of the source and of each target")
    parser.add_argument("--sizes", default="0,25,50,150")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--precision", choices=("float32", "bf16"), default="bf16")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after about so many seconds")
    arguments = parser.parse_args()
    if arguments.part == "precision":
        precision(arguments.lines)
        return
    if arguments.part == "rice":
        rice(arguments.draws)
        return
    if arguments.out is None:
        parser.error("heads needs --out")
    sizes = tuple(int(word) for word in arguments.sizes.split(","))
    heads(arguments, FewShotDesign(sizes=sizes, draws=arguments.draws))
    table(arguments.out)


if __name__ == "__main__":
    main()
