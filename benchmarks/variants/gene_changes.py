"""Every single-base change of genes and every short deletion of coding sequence: are the harmful ones found?

    python benchmarks/variants/gene_changes.py --species arabidopsis --out changes.jsonl

Genes of Arabidopsis Chr1 and of the first megabase of rice chr02, both unseen in training: protein-coding,
with a whole frame, overlapping no other coding gene. The annotation gives the consequence of every change,
spliced codons included; the scores never see it. AUROC, with 95 % intervals over bootstrap draws of genes:

``stop``: stop gained against synonymous; ``stop, position 3``: the same at third positions of codons alone;
``stop, same context``: against synonymous changes with the same 5 bases and the same new base.
``splice``: the two bases at either end of an intron against intron bases 3 to 30 from the same end;
``splice, same context``. ``stop lost``, ``start lost`` and ``missense`` against synonymous. ``frameshift``:
coding deletions of 1, 2, 4 and 5 bases against those of 3 and 6.

Beside the expected consequence: its part, random weights of the same shape, Markov chains of order 5 and 11
on both sides (other sequence of the species), transversion, change of CpG, GC of the surrounding 101 bases.
``--alternatives N`` reads N changes of each class again with the new base, for the scores that need it.
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
from benchmarks.common.results_file import append_result
from benchmarks.common.unseen_species import open_species, same_shape
from budwood.genomics.annotation.genes import Annotation, Gene
from budwood.genomics.assembly import Assembly
from budwood.genomics.genetic_code import translate
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
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
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.probing.kmer_models import both_strand_counts, combine_sides, fit_kmer_model
from budwood.stats.evaluation.metrics import auroc

SPECIES = {
    "arabidopsis": (
        "arabidopsis_thaliana/chr1.fa.xz",
        "arabidopsis_thaliana/chr1.gff3.xz",
        "arabidopsis_thaliana/chr5.fa.xz",
    ),
    "rice": (
        "oryza_sativa/chr02_first_1Mb.fa.xz",
        "oryza_sativa/chr02_first_1Mb.gff3.xz",
        "oryza_sativa/qtlseq_test_chr.fa.xz",
    ),
}
OTHER, SYNONYMOUS, MISSENSE, STOP_GAINED, STOP_LOST, START_LOST, SPLICE, NEAR_SPLICE = range(8)
DELETIONS = (1, 2, 3, 4, 5, 6)
COMPARISONS = {
    "stop": (STOP_GAINED, SYNONYMOUS),
    "splice": (SPLICE, NEAR_SPLICE),
    "stop lost": (STOP_LOST, SYNONYMOUS),
    "start lost": (START_LOST, SYNONYMOUS),
    "missense": (MISSENSE, SYNONYMOUS),
}


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


def interval(
    values: NDArray[np.float64], positive: NDArray[np.bool_], gene: NDArray[np.int64], draws: int
) -> list[float]:
    """95 % interval over draws of genes."""
    order = np.argsort(gene, kind="stable")
    values, positive, gene = values[order], positive[order], gene[order]
    names, starts = np.unique(gene, return_index=True)
    rows = np.split(np.arange(len(gene)), starts[1:])
    random = np.random.default_rng(0)
    ranks = rankdata(values, method="dense") - 1
    size = int(ranks.max()) + 1
    if size > 5000:  # a histogram of 5,000 steps is exact enough for an interval
        ranks, size = ranks * 5000 // size, 5000
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
    return np.percentile(found, [2.5, 97.5]).tolist()


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
    parser.add_argument("--genes", type=int, default=300, help="spread evenly over the contig")
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--random", action="store_true", help="random weights of the same shape instead")
    parser.add_argument("--half", action="store_true", help="multiply in bfloat16")
    parser.add_argument("--alternatives", type=int, default=0, help="changes of each class read again")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="append the figures as lines of JSON")
    arguments = parser.parse_args()
    fasta, gff, others = SPECIES[arguments.species]
    assembly, annotation = open_species(fasta, gff)
    genes = usable(annotation, assembly)
    genes = [genes[i] for i in np.unique(np.linspace(0, len(genes) - 1, arguments.genes).astype(int))]
    checkpoint = load_checkpoint(arguments.checkpoint, device="cpu")
    if arguments.random:
        checkpoint = same_shape(checkpoint)
    reader = ReferencePass(assembly, checkpoint, half_precision=arguments.half)
    began = time.process_time()
    table = score_genes(genes, reader)
    seconds = time.process_time() - began
    changes = len(table["kind"])
    print(f"{len(genes)} genes, {changes:,} changes, {changes / seconds:,.0f} SNV/s", flush=True)
    if not arguments.random:
        add_kmers(table, genes, assembly, others)
    rows = compare(table, arguments.draws)
    if arguments.alternatives:
        rows += compare_alternatives(table, genes[0].contig, assembly, checkpoint, arguments)
    weights = "random weights" if arguments.random else checkpoint.name
    for row in rows:
        row |= {"species": arguments.species, "weights": weights, "genes": len(genes)}
        row |= {"digest": checkpoint.digest, "half": arguments.half}
        print({k: v for k, v in row.items() if k not in ("digest", "species")}, flush=True)
        if arguments.out:
            append_result(arguments.out, row)


def score_genes(genes: list[Gene], reader: ReferencePass) -> dict[str, NDArray]:
    """Scores of every change, and of the deletions, in columns."""
    columns: dict[str, list[NDArray]] = {}
    for number, gene in enumerate(genes):
        low, high = gene.start - 60, gene.end + 60
        codes, regions = reader.stretch(gene.contig, low, high)
        changes = changes_of(gene, codes[60:-60])
        at = changes.position - low
        around = codes[at[:, None] + np.arange(-2, 3)]
        parts = expected_of_substitutions(around, changes.alternative, regions[at])
        gc = np.convolve(np.isin(codes, (1, 2)), np.ones(101), "same")
        forward = around @ 4 ** np.arange(4, -1, -1) * 4 + changes.alternative
        turned = reverse_complement(around) @ 4 ** np.arange(4, -1, -1) * 4 + 3 - changes.alternative
        strand = forward if gene.strand == "+" else turned
        changed = around.copy()
        changed[:, 2] = changes.alternative
        cpg = [((each[:, :-1] == 1) & (each[:, 1:] == 2)).sum(1) for each in (around, changed)]
        deleted = list(deletions_of(gene))
        edits = [
            expected_of_edit(
                codes[s - low - 8 : s - low + n + 8],
                regions[s - low - 8 : s - low + n + 8],
                8,
                8 + n,
                codes[:0],
            )
            for s, n in deleted
        ]
        found = {
            "kind": changes.kind,
            "place": changes.place,
            "position": changes.position,
            "context": strand,
            "alternative": changes.alternative,
            "gene": np.full(len(at), number),
            "expected consequence": expected_consequence(parts),
            **{name: parts[:, i] for i, name in enumerate(PARTS)},
            "transversion": ((around[:, 2] + changes.alternative) % 2 == 1)
            | (around[:, 2] + changes.alternative == 3),
            "CpG": cpg[0] - cpg[1],
            "GC": gc[at],
            "deletion gene": np.full(len(deleted), number),
            "deletion length": np.array([n for _, n in deleted]),
            "deletion expected": expected_consequence(np.array(edits).reshape(-1, len(PARTS))),
            "deletion frameshift": np.array(edits).reshape(-1, len(PARTS))[:, PARTS.index("frameshift")],
        }
        for name, values in found.items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in columns.items()}


def add_kmers(table: dict[str, NDArray], genes: list[Gene], assembly: Assembly, others: str) -> None:
    """Log ratios of reference to new base under Markov chains on both sides."""
    from benchmarks.common.panels import data_folder
    from budwood.genomics.io.sequence.fasta import open_fasta

    other = open_fasta(data_folder() / "genomes" / others)
    sequences = [other.sequence(Interval(name, 0, length)) for name, length in other.contigs.items()]
    counts = both_strand_counts(sequences, 12)
    contig = genes[0].contig
    whole = assembly.sequence(Interval(contig, 0, assembly.contigs[contig]))
    positions, row_of = np.unique(table["position"], return_inverse=True)
    windows = whole[positions[:, None] + np.arange(-12, 13)]
    held_out = whole[
        np.random.default_rng(0).integers(100, len(whole) - 100, 20_000)[:, None] + np.arange(-12, 13)
    ]
    prior = counts.reshape(4, -1).sum(1) / counts.sum()
    rows, middle = np.arange(len(windows)), np.full(len(windows), 12)
    for order in (5, 11):
        sides = []
        for left, right in ((order, 0), (0, order)):
            model = fit_kmer_model(counts, left, right, held_out)
            sides.append(model.probabilities(windows, rows, middle))
        chances = np.log(combine_sides(*sides, prior))[row_of]
        every = np.arange(len(row_of))
        table[f"order {order}"] = chances[every, windows[row_of, 12]] - chances[every, table["alternative"]]


def compare(table: dict[str, NDArray], draws: int) -> list[dict]:
    """AUROC of each score in each comparison."""
    kind = table["kind"]
    scores = ["expected consequence", "order 5", "order 11", "transversion", "CpG", "GC"]
    own = {
        "stop": "stop_gained",
        "splice": "splice_lost",
        "stop lost": "stop_lost",
        "start lost": "start_lost",
        "missense": "missense",
    }
    found = []
    for name, pair in COMPARISONS.items():
        both = np.isin(kind, pair)
        sets = {name: both}
        if name in ("stop", "splice"):
            sets[f"{name}, same context"] = both & matched(kind, table["context"], pair)
        if name == "stop":
            sets["stop, position 3"] = both & (table["place"] == 2)
        for title, rows in sets.items():
            row = {
                "comparison": title,
                "positives": int((kind[rows] == pair[0]).sum()),
                "controls": int((kind[rows] == pair[1]).sum()),
            }
            for score in [*scores, own[name]]:
                if score in table:
                    row[score] = round(auroc(table[score][rows].astype(float), kind[rows] == pair[0]), 4)
            row["interval"] = [
                round(v, 4)
                for v in interval(
                    table["expected consequence"][rows], kind[rows] == pair[0], table["gene"][rows], draws
                )
            ]
            row["own interval"] = [
                round(v, 4)
                for v in interval(table[own[name]][rows], kind[rows] == pair[0], table["gene"][rows], draws)
            ]
            found.append(row)
    shifts = table["deletion length"] % 3 != 0
    found.append(
        {
            "comparison": "frameshift",
            "positives": int(shifts.sum()),
            "controls": int((~shifts).sum()),
            "expected consequence": round(auroc(table["deletion expected"], shifts), 4),
            "frameshift": round(auroc(table["deletion frameshift"], shifts), 4),
            "length": round(auroc(table["deletion length"].astype(float), shifts), 4),
            "interval": [
                round(v, 4)
                for v in interval(table["deletion expected"], shifts, table["deletion gene"], draws)
            ],
        }
    )
    return found


def compare_alternatives(
    table: dict[str, NDArray], contig: str, assembly: Assembly, checkpoint: Checkpoint, arguments: Namespace
) -> list[dict]:
    """AUROC of scores of alternative alleles on some changes of each class, raw and calibrated."""
    random = np.random.default_rng(0)
    kinds = (SYNONYMOUS, MISSENSE, STOP_GAINED, SPLICE, NEAR_SPLICE)
    chosen = np.concatenate(
        [
            random.permutation(np.flatnonzero(table["kind"] == kind))[: arguments.alternatives]
            for kind in kinds
        ]
    )
    sites = []
    for row in chosen:
        at, new = int(table["position"][row]), int(table["alternative"][row])
        (old,) = assembly.sequence(Interval(contig, at, at + 1)).tolist()
        sites.append(Site(contig, at, "m", ("ACGT"[old], "ACGT"[new])))
    groups = ["divergence", "shift", "likelihood"]
    scorer = VariantScorer(assembly, checkpoint, fields_of(groups), half_precision=arguments.half)
    alleles = allele_table(sites, assembly)
    began = time.process_time()
    found = scorer.score(alleles)
    print(f"{len(sites) / (time.process_time() - began):.1f} SNV/s with alternative alleles and masked bases")
    means = neutral_means(scorer, draw_sample(scorer.reference, scorer.alternative))
    cal = means.calibrate(found, alleles.around(assembly, 2), alleles.alternative)
    found |= {f"{name}, calibrated": values for name, values in cal.items()}
    for name in [name for name in found if name.startswith("log_likelihood")]:
        found[name] = -found[name]  # improbable bases are expected to do harm
    rows = []
    for name in ("stop", "splice", "missense"):
        pair = COMPARISONS[name]
        here = np.isin(table["kind"][chosen], pair)
        positive = table["kind"][chosen][here] == pair[0]
        row = {"comparison": f"{name}, alternative alleles", "positives": int(positive.sum())}
        row["controls"] = int((~positive).sum())
        row |= {score: round(auroc(values[here], positive), 4) for score, values in found.items()}
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
