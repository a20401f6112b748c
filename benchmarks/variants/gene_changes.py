"""Every single-base change of genes and every short deletion of coding sequence: are the harmful ones found?

    python benchmarks/variants/gene_changes.py --species rice --half --out changes.jsonl

Genes of Arabidopsis Chr1 behind its first hundredth, of the first hundredth of each Arabidopsis chromosome,
of the first megabase of rice chr02, and predicted genes of Bidens and Brazil nut: protein-coding, with a
whole frame, overlapping no other coding gene. `small` has seen none of them; `grasses` has seen all but the
hundredths and rice. The
annotation gives the consequence of every change, spliced codons included; the scores never see it. AUROC,
with 95 % intervals over bootstrap draws of genes; the same draws for all weights, so that differences are
paired:

``stop``: stop gained against synonymous; ``stop, position 3``: the same at third positions of codons alone;
``stop, same context``: against synonymous changes with the same 5 bases and the same new base.
``splice``: the two bases at either end of an intron against intron bases 3 to 30 from the same end;
``splice, same context``. ``stop lost``, ``start lost`` and ``missense`` against synonymous. ``frameshift``:
coding deletions of 1, 2, 4 and 5 bases against those of 3 and 6.

Beside the expected consequence and its part: Markov chains of order 5 and 11 on both sides (other sequence of
the species), transversion, change of CpG, GC of the surrounding 101 bases. ``--cache`` keeps the scores of
each weights, so that a second run resumes. ``--alternatives N`` instead reads N changes of each class again
with the new base, for the scores that need it: these know no genetic code.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result
from benchmarks.common.unseen_species import open_species
from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.annotation.genes import Annotation, Gene
from budwood.genomics.assembly import Assembly
from budwood.genomics.genetic_code import translate
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import N, reverse_complement
from budwood.inference.variants.allele_table import allele_table
from budwood.inference.variants.expected_consequence import (
    PARTS,
    expected_consequence,
    expected_of_edit,
    expected_of_substitutions,
)
from budwood.inference.variants.genome_sample import draw_sample
from budwood.inference.variants.neutral_means import neutral_means
from budwood.inference.variants.reference_pass import ReferencePass
from budwood.inference.variants.score import VariantScorer
from budwood.inference.variants.score_field import fields_of
from budwood.model.checkpoint import Checkpoint, load_checkpoint, packaged_checkpoint
from budwood.probing.comparison.features import same_shape
from budwood.probing.kmer_models import both_strand_counts, combine_sides, fit_kmer_model
from budwood.stats.evaluation.metrics import auroc

SPECIES = {
    "arabidopsis": (
        "arabidopsis_thaliana/chr1.fa.xz",
        "arabidopsis_thaliana/chr1.gff3.xz",
        "arabidopsis_thaliana/chr5.fa.xz",
    ),
    "arabidopsis-hundredths": (
        "arabidopsis_thaliana/korf_1pct.fa.xz",
        "arabidopsis_thaliana/korf_1pct.gff3.xz",
        "arabidopsis_thaliana/chr5.fa.xz",
    ),
    "rice": (
        "oryza_sativa/chr02_first_1Mb.fa.xz",
        "oryza_sativa/chr02_first_1Mb.gff3.xz",
        "oryza_sativa/qtlseq_test_chr.fa.xz",
    ),
    "bidens": (
        "bidens_pilosa/genome.fa.xz",
        "bidens_pilosa/annotation_conserved.gff3.xz",
        "arabidopsis_thaliana/chr5.fa.xz",
    ),
    "brazil-nut": (
        "bertholletia_excelsa/genome.fa.xz",
        "bertholletia_excelsa/annotation.gff3.xz",
        "arabidopsis_thaliana/chr5.fa.xz",
    ),
}
OTHER, SYNONYMOUS, MISSENSE, STOP_GAINED, STOP_LOST, START_LOST, SPLICE, NEAR_SPLICE = range(8)
FIRST_OR_SECOND = [
    BaseClass.CODING_FORWARD_0,
    BaseClass.CODING_FORWARD_1,
    BaseClass.CODING_REVERSE_0,
    BaseClass.CODING_REVERSE_1,
]
DELETIONS = (1, 2, 3, 4, 5, 6)
COMPARISONS = {
    "stop": (STOP_GAINED, SYNONYMOUS),
    "splice": (SPLICE, NEAR_SPLICE),
    "stop lost": (STOP_LOST, SYNONYMOUS),
    "start lost": (START_LOST, SYNONYMOUS),
    "missense": (MISSENSE, SYNONYMOUS),
}
OWN = {
    "stop": "stop_gained",
    "splice": "splice_lost",
    "stop lost": "stop_lost",
    "start lost": "start_lost",
    "missense": "missense",
}
BASELINES = ("order 5", "order 11", "transversion", "CpG", "GC")
GENES_OF_A_PART = 25
Table = dict[str, NDArray]


@dataclass(frozen=True)
class Changes:
    """Single-base changes of one gene; ``place`` is the position in the codon, 0 to 2, -1 outside."""

    position: NDArray[np.int64]
    alternative: NDArray[np.uint8]
    kind: NDArray[np.int8]
    place: NDArray[np.int8]


def usable(annotation: Annotation, assembly: Assembly) -> list[Gene]:
    """Coding genes with a whole frame from ATG to a stop that overlap no other coding gene."""
    coding = [
        gene
        for gene in annotation.genes
        if gene.representative and gene.representative.cds and gene.strand in "+-"
    ]
    coding.sort(key=lambda gene: (gene.contig, gene.start))
    found = []
    for number, gene in enumerate(coding):
        near = coding[max(0, number - 3) : number] + coding[number + 1 : number + 4]
        if any(o.contig == gene.contig and o.start < gene.end and gene.start < o.end for o in near):
            continue
        if gene.start < 300 or gene.end > assembly.contigs[gene.contig] - 300:
            continue
        positions = coding_positions(gene)
        codes = assembly.sequence(Interval(gene.contig, gene.start, gene.end))[positions - gene.start]
        codes = codes if gene.strand == "+" else 3 - codes
        if len(codes) % 3 or (codes >= N).any():
            continue
        protein = translate(codes)
        if protein.startswith("M") and protein.find("*") == len(protein) - 1:
            found.append(gene)
    return found


def coding_positions(gene: Gene) -> NDArray[np.int64]:
    """Positions of the coding sequence, in reading order."""
    forward = np.concatenate([np.arange(p.start, p.end) for p in gene.representative.cds])
    return forward if gene.strand == "+" else forward[::-1]


def changes_of(gene: Gene, codes: NDArray[np.uint8]) -> Changes:
    """Every single-base change of a gene with its class by the annotation; codes begin at its start."""
    length = gene.end - gene.start
    kind, place = np.zeros((length, 4), dtype=np.int8), np.full(length, -1, dtype=np.int8)
    for intron in gene.representative.introns:
        begin, end = intron.start - gene.start, intron.end - gene.start
        kind[begin : min(begin + 30, end)] = kind[max(end - 30, begin) : end] = NEAR_SPLICE
        kind[begin : begin + 2] = kind[end - 2 : end] = SPLICE
    positions = coding_positions(gene) - gene.start
    reading = codes[positions] if gene.strand == "+" else 3 - codes[positions]
    codons = reading.reshape(-1, 3)
    before = np.frombuffer(translate(reading).encode(), dtype=np.uint8)
    for offset in range(3):
        at = positions[offset::3]
        place[at] = offset
        for base in range(4):
            changed = codons.copy()
            changed[:, offset] = base
            after = np.frombuffer(translate(changed.ravel()).encode(), dtype=np.uint8)
            found = np.where(after == before, SYNONYMOUS, MISSENSE)
            found[(after == ord("*")) & (before != ord("*"))] = STOP_GAINED
            found[(after != ord("*")) & (before == ord("*"))] = STOP_LOST
            found[0] = START_LOST
            kind[at, base if gene.strand == "+" else 3 - base] = found
    at, base = np.nonzero((kind != OTHER) & (codes[:, None] != np.arange(4)) & (codes < N)[:, None])
    return Changes(at + gene.start, base.astype(np.uint8), kind[at, base], place[at])


def deletions_of(gene: Gene) -> Iterator[tuple[int, int]]:
    """Starts and lengths of deletions within coding exons."""
    for part in gene.representative.cds:
        for start in range(part.start + 1, part.end - 8, 7):
            yield from ((start, length) for length in DELETIONS)


def drawn(values: NDArray, positive: NDArray[np.bool_], gene: NDArray[np.int64], draws: int) -> NDArray:
    """AUROC of bootstrap draws of genes; the same draws whatever the values."""
    order = np.argsort(gene, kind="stable")
    values, positive, gene = values[order], positive[order], gene[order]
    names, starts = np.unique(gene, return_index=True)
    rows = np.split(np.arange(len(gene)), starts[1:])
    random = np.random.default_rng(0)
    ranks = rankdata(values, method="dense") - 1
    size = int(ranks.max()) + 1
    if size > 3000:  # a histogram of 3,000 steps is exact enough for an interval
        ranks, size = (rankdata(values, method="min") - 1) * 3000 // len(ranks), 3000
    ranks = ranks.astype(np.int64)
    table = np.stack(
        [
            np.stack([np.bincount(ranks[r][positive[r] == p], minlength=size) for p in (True, False)])
            for r in rows
        ]
    ).astype(np.float32)
    found = []
    for _ in range(draws):
        weight = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
        yes, no = np.tensordot(weight.astype(np.float32), table, 1).astype(np.float64)
        below = np.cumsum(no) - no / 2
        found.append((yes * below).sum() / max(yes.sum() * no.sum(), 1))
    return np.array(found)


def rounded(draws: NDArray) -> list[float]:
    """95 % interval."""
    return [round(each, 4) for each in np.percentile(draws, [2.5, 97.5]).tolist()]


def matched(kind: NDArray[np.int8], context: NDArray[np.int64], pair: tuple[int, int]) -> NDArray[np.bool_]:
    """Rows drawn so that both classes have each context equally often."""
    random = np.random.default_rng(0)
    keep = np.zeros(len(kind), dtype=np.bool_)
    sides = [np.flatnonzero(kind == each) for each in pair]
    shared = np.intersect1d(context[sides[0]], context[sides[1]])
    for each in shared:
        rows = [side[context[side] == each] for side in sides]
        fewest = min(map(len, rows))
        for side in rows:
            keep[random.permutation(side)[:fewest]] = True
    return keep


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--species", choices=SPECIES, required=True)
    parser.add_argument("--genes", type=int, default=300, help="spread evenly over the contigs")
    parser.add_argument(
        "--weights",
        default="small,grasses,random",
        help="packaged checkpoints or folders, with commas; random: random weights of the shape of small",
    )
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--alternatives", type=int, default=0, help="changes of each class read again")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--cache", type=Path, help="folder for scores of finished weights")
    parser.add_argument("--only-score", action="store_true", help="fill --cache and stop")
    parser.add_argument("--out", type=Path, help="append the figures as lines of JSON")
    arguments = parser.parse_args()
    fasta, gff, others = SPECIES[arguments.species]
    assembly, annotation = open_species(fasta, gff)
    genes = usable(annotation, assembly)
    if arguments.species == "arabidopsis":
        genes = [gene for gene in genes if gene.start > assembly.contigs[gene.contig] // 100]
    genes = [genes[i] for i in np.unique(np.linspace(0, len(genes) - 1, arguments.genes).astype(int))]
    weights = arguments.weights.split(",")
    if arguments.alternatives:
        truth = truth_of(genes, assembly)
        found = [
            row
            for name in weights
            for row in compare_alternatives(truth, genes, assembly, opened(name), name, arguments)
        ]
    else:
        scores = {name: cached(genes, assembly, name, arguments) for name in weights}
        if arguments.only_score:
            return
        truth = truth_of(genes, assembly)
        add_kmers(truth, genes, assembly, others)
        print(f"{len(genes)} genes, {len(truth['kind']):,} changes", flush=True)
        found = compare(truth, scores, arguments.draws)
    for row in found:
        row |= {"species": arguments.species, "genes": len(genes), "half": arguments.half}
        print(row, flush=True)
        if arguments.out:
            append_result(arguments.out, row)


def opened(name: str) -> Checkpoint:
    """A packaged checkpoint, one of a folder, or random weights."""
    if name == "random":
        return same_shape(opened("small"))
    return load_checkpoint(Path(name) if Path(name).is_dir() else packaged_checkpoint(name), device="cpu")


def cached(genes: list[Gene], assembly: Assembly, name: str, arguments: Namespace) -> Table:
    """Scores by one set of weights; finished parts of the genes come from the cache."""
    reader: ReferencePass | None = None
    parts: list[Table] = []
    for begin in range(0, len(genes), GENES_OF_A_PART):
        path = None
        if arguments.cache:
            arguments.cache.mkdir(exist_ok=True, parents=True)
            precision = "half" if arguments.half else "single"
            stem = f"{arguments.species}-{len(genes)}-{begin}-{Path(name).name}-{precision}"
            path = arguments.cache / f"{stem}.npz"
            if path.exists():
                with np.load(path) as stored:
                    parts.append(dict(stored))
                continue
        reader = reader or ReferencePass(assembly, opened(name), half_precision=arguments.half)
        began = time.process_time()
        parts.append(score_genes(genes[begin : begin + GENES_OF_A_PART], reader))
        took, changes = time.process_time() - began, len(parts[-1]["missense"])
        print(f"{name}, from gene {begin}: {changes:,} changes, {changes / took:,.0f} SNV/s", flush=True)
        if path:
            np.savez(path, **parts[-1])
    return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}


def score_genes(genes: list[Gene], reader: ReferencePass) -> Table:
    """Scores of every change, and of the deletions, in columns."""
    columns: dict[str, list[NDArray]] = {}
    for gene in genes:
        low, high = gene.start - 60, gene.end + 60
        codes, regions = reader.stretch(gene.contig, low, high)
        changes = changes_of(gene, codes[60:-60])
        at = changes.position - low
        parts = expected_of_substitutions(
            codes[at[:, None] + np.arange(-2, 3)], changes.alternative, regions[at]
        )
        edits = np.array(
            [
                expected_of_edit(
                    codes[s - low - 8 : s - low + n + 8],
                    regions[s - low - 8 : s - low + n + 8],
                    8,
                    8 + n,
                    codes[:0],
                )
                for s, n in deletions_of(gene)
            ]
        ).reshape(-1, len(PARTS))
        found = {
            "expected consequence": expected_consequence(parts),
            **{name: parts[:, i] for i, name in enumerate(PARTS)},
            "first or second": regions[at][:, FIRST_OR_SECOND].sum(1),
            "deletion expected": expected_consequence(edits),
            "deletion frameshift": edits[:, PARTS.index("frameshift")],
        }
        for name, values in found.items():
            columns.setdefault(name, []).append(values.astype(np.float32))
    return {name: np.concatenate(values) for name, values in columns.items()}


def truth_of(genes: list[Gene], assembly: Assembly) -> Table:
    """Class of every change by the annotation, and what simple baselines need, in columns."""
    columns: dict[str, list[NDArray]] = {}
    for number, gene in enumerate(genes):
        low, high = gene.start - 60, gene.end + 60
        codes = assembly.sequence(Interval(gene.contig, low, high))
        changes = changes_of(gene, codes[60:-60])
        at = changes.position - low
        around = codes[at[:, None] + np.arange(-2, 3)]
        gc = np.convolve(np.isin(codes, (1, 2)), np.ones(101), "same")
        forward = around @ 4 ** np.arange(4, -1, -1) * 4 + changes.alternative
        turned = reverse_complement(around) @ 4 ** np.arange(4, -1, -1) * 4 + 3 - changes.alternative
        changed = around.copy()
        changed[:, 2] = changes.alternative
        cpg = [((each[:, :-1] == 1) & (each[:, 1:] == 2)).sum(1) for each in (around, changed)]
        deleted = list(deletions_of(gene))
        found = {
            "kind": changes.kind,
            "place": changes.place,
            "position": changes.position,
            "context": forward if gene.strand == "+" else turned,
            "alternative": changes.alternative,
            "gene": np.full(len(at), number),
            "transversion": ((around[:, 2] + changes.alternative) % 2 == 1)
            | (around[:, 2] + changes.alternative == 3),
            "CpG": cpg[0] - cpg[1],
            "GC": gc[at],
            "deletion gene": np.full(len(deleted), number),
            "deletion length": np.array([n for _, n in deleted]),
        }
        for name, values in found.items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in columns.items()}


def add_kmers(table: Table, genes: list[Gene], assembly: Assembly, others: str) -> None:
    """Log ratios of reference to new base under Markov chains on both sides."""
    other = open_fasta(data_folder() / "genomes" / others)
    sequences = [other.sequence(Interval(name, 0, length)) for name, length in other.contigs.items()]
    counts = both_strand_counts(sequences, 12)
    prior = counts.reshape(4, -1).sum(1) / counts.sum()
    names = np.array([gene.contig for gene in genes])[table["gene"]]
    for order in (5, 11):
        table[f"order {order}"] = np.zeros(len(names))
    for contig in np.unique(names):
        here = np.flatnonzero(names == contig)
        whole = assembly.sequence(Interval(str(contig), 0, assembly.contigs[contig]))
        positions, row_of = np.unique(table["position"][here], return_inverse=True)
        windows = whole[positions[:, None] + np.arange(-12, 13)]
        places = np.random.default_rng(0).integers(100, len(whole) - 100, 20_000)
        held_out = whole[places[:, None] + np.arange(-12, 13)]
        rows, middle = np.arange(len(windows)), np.full(len(windows), 12)
        for order in (5, 11):
            sides = []
            for left, right in ((order, 0), (0, order)):
                model = fit_kmer_model(counts, left, right, held_out)
                sides.append(model.probabilities(windows, rows, middle))
            chances = np.log(combine_sides(*sides, prior))[row_of]
            every = np.arange(len(row_of))
            old = chances[every, windows[row_of, 12]]
            table[f"order {order}"][here] = old - chances[every, table["alternative"][here]]


def compare(truth: Table, scores: dict[str, Table], draws: int) -> list[dict]:
    """AUROC of each score in each comparison, and differences of later weights from the first."""
    kind, found = truth["kind"], []
    for name, pair in COMPARISONS.items():
        both = np.isin(kind, pair)
        sets = {name: both}
        if name in ("stop", "splice", "missense"):
            sets[f"{name}, same context"] = both & matched(kind, truth["context"], pair)
        if name in ("stop", "missense"):
            sets[f"{name}, position 3"] = both & (truth["place"] == 2)
        for title, rows in sets.items():
            positive = kind[rows] == pair[0]
            row: dict = {"comparison": title, "positives": int(positive.sum())}
            row["controls"] = int((~positive).sum())
            columns = ["expected consequence", OWN[name]]
            columns += ["first or second"] if name == "missense" else []
            row |= of_weights(scores, columns, rows, positive, truth["gene"][rows], draws)
            for score in BASELINES:
                row[score] = round(auroc(truth[score][rows].astype(float), positive), 4)
            found.append(row)
    shifts = truth["deletion length"] % 3 != 0
    row = {"comparison": "frameshift", "positives": int(shifts.sum()), "controls": int((~shifts).sum())}
    every = np.ones(len(shifts), dtype=np.bool_)
    columns = ["deletion expected", "deletion frameshift"]
    row |= of_weights(scores, columns, every, shifts, truth["deletion gene"], draws)
    row["length"] = round(auroc(truth["deletion length"].astype(float), shifts), 4)
    return [*found, row]


def of_weights(
    scores: dict[str, Table],
    columns: list[str],
    rows: NDArray[np.bool_],
    positive: NDArray[np.bool_],
    gene: NDArray[np.int64],
    draws: int,
) -> dict:
    """AUROC with interval of each column of each weights, and paired differences from the first weights."""
    found: dict = {}
    for column in columns:
        first: tuple[float, NDArray] | None = None
        for name, table in scores.items():
            value = auroc(table[column][rows].astype(float), positive)
            sample = drawn(table[column][rows], positive, gene, draws)
            found[f"{name}: {column}"] = [round(value, 4), *rounded(sample)]
            if first is None:
                first = (value, sample)
            else:
                gap = [round(value - first[0], 4), *rounded(sample - first[1])]
                found[f"{name} minus {next(iter(scores))}: {column}"] = gap
    return found


def compare_alternatives(
    truth: Table,
    genes: list[Gene],
    assembly: Assembly,
    checkpoint: Checkpoint,
    name: str,
    arguments: Namespace,
) -> list[dict]:
    """AUROC of scores of alternative alleles on some changes of each class, raw and calibrated."""
    random = np.random.default_rng(0)
    kind, pair = truth["kind"], COMPARISONS["missense"]
    sets = [np.flatnonzero(kind == each) for each in (SYNONYMOUS, MISSENSE, STOP_GAINED, SPLICE, NEAR_SPLICE)]
    alike = np.isin(kind, pair) & matched(kind, truth["context"], pair)
    third = np.isin(kind, pair) & (truth["place"] == 2)
    sets += [np.flatnonzero(each & (kind == side)) for each in (alike, third) for side in pair]
    sets = [random.permutation(each)[: arguments.alternatives] for each in sets]
    chosen = np.unique(np.concatenate(sets))
    sites = []
    for row in chosen:
        at, new = int(truth["position"][row]), int(truth["alternative"][row])
        contig = genes[truth["gene"][row]].contig
        (old,) = assembly.sequence(Interval(contig, at, at + 1)).tolist()
        sites.append(Site(contig, at, "m", ("ACGT"[old], "ACGT"[new])))
    groups = ["divergence", "shift", "likelihood"]
    scorer = VariantScorer(assembly, checkpoint, fields_of(groups), half_precision=arguments.half)
    alleles = allele_table(sites, assembly)
    began = time.process_time()
    found = scorer.score(alleles)
    speed = len(sites) / (time.process_time() - began)
    means = neutral_means(scorer, draw_sample(scorer.reference, scorer.alternative))
    cal = means.calibrate(found, alleles.around(assembly, 2), alleles.alternative)
    found |= {f"{score}, calibrated": values for score, values in cal.items()}
    for score in [score for score in found if score.startswith("log_likelihood")]:
        found[score] = -found[score]  # improbable bases are expected to do harm
    where = {row: number for number, row in enumerate(chosen.tolist())}
    compared = {
        "stop": (sets[2], sets[0]),
        "splice": (sets[3], sets[4]),
        "missense": (sets[1], sets[0]),
        "missense, same context": (sets[5], sets[6]),
        "missense, position 3": (sets[7], sets[8]),
    }
    rows = []
    for title, (yes, no) in compared.items():
        here = np.array([where[each] for each in [*yes.tolist(), *no.tolist()]])
        positive = np.arange(len(here)) < len(yes)
        gene = truth["gene"][chosen[here]]
        row = {"comparison": f"{title}, alternative alleles", "weights": name, "SNV/s": round(speed, 1)}
        row |= {"positives": len(yes), "controls": len(no)}
        for score, values in found.items():
            value = round(auroc(values[here], positive), 4)
            row[score] = [value, *rounded(drawn(values[here], positive, gene, arguments.draws))]
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
