"""Transfer on real panels: rice populations among each other, clusters of one panel, rice and sorghum.

Each pair has shared markers by place (populations of one species) or collinear genes (rice and sorghum), is
compared with the target alone at 0 to 150 phenotyped lines in 10 draws, and appends a line of JSON to F; a
second run computes what is missing, and `--seconds` stops in time. Traps: three rice panels name no allele
letters, so that both files are assumed to count the same allele where markers are shared; the signs may
differ, which locus importance does not mind. The collinear sorghum genes have version 1 names and places:
they are moved to the panel's build by their rank among the genes of the chromosome, which is coarse, so loci
reach 300 kb. Maize panels are on B73 v2 and the gene places on v5: they are left out.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/transfer_real.py --out F  # needs BUDWOOD_DATA; half an hour
"""

from __future__ import annotations

import csv
import lzma
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.transfer_simulated import plain_values, record
from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result, read_results
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.interval import Interval
from budwood.genomics.io.tables.genes.gene_pairs import oriented_pairs, read_collinear_pairs
from budwood.genomics.io.tables.genes.gene_places import read_gene_places
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.stats.evaluation.splitters import cluster_folds
from budwood.transfer.comparison import compare_transfer
from budwood.transfer.few_shot.arms import TARGET_ALONE
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.target import TransferTarget
from budwood.transfer.heads import HeadOptions, TransferSource, carry_heads
from budwood.transfer.locus_map import LocusMap, orthologous_loci, window_loci

Vector = NDArray[np.float64]

RDP1, SPINDEL = "rice_rdp1_44k", "rice_spindel2015"
INDICA, JAPONICA = "rice_uruguay_indica", "rice_uruguay_japonica"
SORGHUM = "sorghum_sbdiv"
SAP = "pheno_sap_agron_2013_2014_2017.csv"


class Side(NamedTuple):
    """A panel, its table of phenotypes and a trait."""

    panel: str
    table: str
    trait: str


HEIGHT = Side(RDP1, "pheno.csv", "Plant_height")
FLOWERING = Side(RDP1, "pheno.csv", "Flowering_time_at_Arkansas")
SEED = Side(RDP1, "pheno.csv", "Seed_length")
PAIRS = (
    (FLOWERING, Side(SPINDEL, "pheno_DS.csv", "FLW")),
    (HEIGHT, Side(SPINDEL, "pheno_DS.csv", "PH")),
    (SEED, Side(SPINDEL, "pheno_DS.csv", "GrL")),
    (Side(SPINDEL, "pheno_DS.csv", "PH"), HEIGHT),
    (Side(SPINDEL, "pheno_DS.csv", "FLW"), FLOWERING),
    (Side(INDICA, "pheno.csv", "GY"), Side(JAPONICA, "pheno.csv", "GY")),
    (Side(JAPONICA, "pheno.csv", "GY"), Side(INDICA, "pheno.csv", "GY")),
    (HEIGHT, Side(JAPONICA, "pheno.csv", "PH")),
    (Side(SPINDEL, "pheno_DS.csv", "PH"), Side(JAPONICA, "pheno.csv", "PH")),
    (HEIGHT, Side(SORGHUM, SAP, "PH")),
    (FLOWERING, Side(SORGHUM, SAP, "DTA")),
    (Side(SPINDEL, "pheno_DS.csv", "1000GW"), Side(SORGHUM, SAP, "TGW")),
    (Side(SORGHUM, SAP, "PH"), HEIGHT),
    (Side(SORGHUM, SAP, "DTA"), FLOWERING),
)
#: Traits of RDP1 whose largest cluster is a source for the other lines.
WITHIN = (HEIGHT, FLOWERING, SEED, Side(RDP1, "pheno.csv", "Amylose_content"))


def read_side(side: Side) -> tuple[Genotypes, Vector]:
    """Phenotyped lines of a panel, sorted by name, and their values."""
    folder = data_folder() / "panels" / side.panel
    genotypes = read_genotypes(folder)
    values: dict[str, float] = {}
    with (folder / side.table).open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        first = (reader.fieldnames or [""])[0]
        for row in reader:
            if row[first] in genotypes.row and row[side.trait] not in ("", "NA", "nan", "NaN"):
                values[row[first]] = float(row[side.trait])
    names = sorted(values)
    found = genotypes.take([genotypes.row[name] for name in names])
    return found, np.array([values[name] for name in names])


def sorghum_places() -> dict[str, Interval]:
    """Version 1 sorghum genes, at their rank among the genes of the chromosome on version 5."""
    folder = data_folder()
    old: dict[int, list[tuple[int, str]]] = {}
    for name, place in read_gene_places(folder / "synteny/os_sb_coordinate.gff.xz").items():
        if place.contig.startswith("sb"):
            old.setdefault(int(place.contig[2:]), []).append((place.start, name))
    new: dict[int, list[int]] = {}
    path = folder / "genes/sorghum_v5_gene_positions_approx.tsv.xz"
    with lzma.open(path, "rt", encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            new.setdefault(int(row["chrom"][3:]), []).append(int(row["pos_v5_approx"]))
    found = {}
    for chromosome, genes in old.items():
        places = np.sort(new.get(chromosome, []))
        if not len(places):
            continue
        share = np.linspace(0.0, len(places) - 1.0, len(genes))
        at = np.interp(share, np.arange(len(places)), places).astype(int)
        for (_, name), place in zip(sorted(genes), at.tolist(), strict=True):
            found[name] = Interval(f"Chr{chromosome:02d}", place, place + 1000)
    return found


def loci_of(source: Side, target: Side, ours: Genotypes, theirs: Genotypes) -> tuple[LocusMap, int]:
    """Loci that both sides have, and their reach in bases."""
    if (source.panel == SORGHUM) == (target.panel == SORGHUM):
        return window_loci([ours.markers, theirs.markers], size=50_000), 25_000
    folder = data_folder() / "synteny"
    rice = {
        name: Interval(place.contig[2:], place.start, place.end)
        for name, place in read_gene_places(folder / "os_sb_coordinate.gff.xz").items()
        if place.contig.startswith("os")
    }
    places = {True: sorghum_places(), False: rice}
    here, there = places[source.panel == SORGHUM], places[target.panel == SORGHUM]
    pairs = read_collinear_pairs(folder / "os_sb_collinear.collinearity.xz")
    return orthologous_loci(
        oriented_pairs(pairs, set(here), set(there)), here, there, "collinear genes"
    ), 300_000


def jobs() -> Iterator[tuple[str, str, Side, Side]]:
    """Names of both sides, and the sides."""
    for source, target in PAIRS:
        yield f"{source.panel} {source.trait}", f"{target.panel} {target.trait}", source, target
    for side in WITHIN:
        yield f"{side.panel} largest cluster {side.trait}", f"{side.panel} others {side.trait}", side, side


def compare(source: Side, target: Side, draws: int) -> dict[str, Any]:
    """Figures of one pair."""
    if source == target:
        genotypes, y = read_side(source)
        clusters = cluster_folds(TransferTarget.of(genotypes, y).relationship, 5, smallest=15)
        rows = [np.flatnonzero(clusters == 0), np.flatnonzero(clusters != 0)]
        (ours, y1), (theirs, y2) = ((genotypes.take(each), y[each]) for each in rows)
    else:
        (ours, y1), (theirs, y2) = read_side(source), read_side(target)
    loci, reach = loci_of(source, target, ours, theirs)
    carried = carry_heads(
        TransferSource(genotypes=ours, y=y1),
        theirs,
        np.arange(len(y2)),
        loci=loci,
        options=HeadOptions(reach=reach),
    )
    found = compare_transfer(
        theirs,
        np.arange(len(y2)),
        y2,
        {source.panel: carried},
        FewShotDesign(sizes=(0, 25, 50, 100, 150), draws=draws),
    )
    gains = {
        arm: {
            str(size): [
                getattr(found.results.difference(arm, size), part) for part in ("mean", "lower", "upper")
            ]
            for size in found.results.r[arm]
            if size > 0
        }
        for arm in found.results.r
        if arm != TARGET_ALONE
    }
    return {
        "lines": [len(y1), len(y2)],
        "loci": 0 if carried.loci is None else len(carried.loci),
        "gains": gains,
        "notes": list(carried.notes),
        **record(found),
    }


def show(line: dict[str, Any]) -> None:
    """One pair as text."""
    print(f"\n{line['source']} -> {line['target']}: {line['outcome']}")
    print(f"  lines {line['lines']}, loci {line['loci']}")
    for name, (r, within, random, p, positive) in line["tests"].items():
        print(f"  {name}: r {r}, within {within}, p random {random}, p {p:.2g}, positive {positive}")
    print(f"  shared loci p {line['overlap_p']}")
    sizes = list(line["r"][TARGET_ALONE])
    print("  " + TARGET_ALONE + ": " + ", ".join(f"{n} {line['r'][TARGET_ALONE][n]:.3f}" for n in sizes))
    for arm, by in line["gains"].items():
        texts = [f"{n} {mean:+.3f} ({low:+.3f} to {high:+.3f})" for n, (mean, low, high) in by.items()]
        if texts:
            print(f"  {arm}: {', '.join(texts)}")


def main() -> None:
    """Compute what is missing and print all."""
    parser = parser_for(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after about so many seconds")
    arguments = parser.parse_args()
    start = time.perf_counter()
    done = read_results(arguments.out, "source", "target")
    for source_name, target_name, source, target in jobs():
        if (source_name, target_name) in done or time.perf_counter() - start > arguments.seconds:
            continue
        line = {"source": source_name, "target": target_name, **compare(source, target, arguments.draws)}
        append_result(arguments.out, plain_values(line))
    for line in read_results(arguments.out, "source", "target").values():
        show(line)


if __name__ == "__main__":
    main()
