"""Consequences of random variants compared with bcftools csq and SnpEff, and the test set of bcftools.

    python benchmarks/variants/consequences.py --out consequences.json

``random``: 10,000 variants on Arabidopsis Chr1 and on Brassica napus, half of them in or beside exons.
Compared is the most severe term for each variant and transcript that any of two programs reports (what lies
outside transcripts is left out, and introns where bcftools names the gene alone). Every disagreement is put
into a class; classes and an example of each are printed. Needs the Debian packages bcftools and snpeff; a
program that is not installed is left out with a note. ``conformance``: expected consequences of bcftools' own
small genomes. ``rice``: the 170 SNPs of the rice panel on the first megabase of chr02, with the load of its
accessions, and the 319 causal variants of RiceNavi by the places of genes.
"""

from __future__ import annotations

import csv
import json
import lzma
import re
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.random_variants import random_variants
from benchmarks.common.reference_tools import (
    Terms,
    bcftools_terms,
    missing_tools,
    run_bcftools,
    run_snpeff,
    write_inputs,
)
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.consequence import Consequence
from budwood.genomics.consequences.term import Term
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.variants.vcf.lines import open_lines
from budwood.workflows.variants.accession_load import write_load

_SPECIES = {
    "Arabidopsis Chr1": ("arabidopsis_thaliana/chr1.fa.xz", "arabidopsis_thaliana/chr1.gff3.xz"),
    "Brassica napus": ("brassica_napus/genome.fa.xz", "brassica_napus/annotation.gff3.xz"),
}
_SEVERITY = {term.value: term.severity for term in Term}
_SPLICE = {"splice_acceptor_variant", "splice_donor_variant"}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("part", nargs="?", choices=("random", "conformance", "rice", "all"), default="all")
    parser.add_argument("--variants", type=int, default=10_000, help="variants for each species")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    found: dict[str, object] = {}
    if arguments.part in ("random", "all"):
        for species in _SPECIES:
            found[species] = compare_species(species, arguments.variants, arguments.seed)
    if arguments.part in ("conformance", "all"):
        found["conformance"] = conformance()
    if arguments.part in ("rice", "all"):
        found["rice"] = {"panel": rice_panel(), "causal variants": causal_variants()}
        print(json.dumps(found["rice"], indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def compare_species(species: str, count: int, seed: int) -> dict[str, object]:
    """Agreement with both programs on random variants of a species."""
    genome, genes = (data_folder() / "genomes" / name for name in _SPECIES[species])
    annotation, assembly = read_annotation(genes), open_fasta(genome)
    sites = random_variants(annotation, assembly, count, seed)
    caller = ConsequenceCaller(annotation, assembly, flank=0)
    begun = time.process_time()
    called = {site.identifier: caller.call(site) for site in sites}
    rate = len(sites) / (time.process_time() - begun)
    print(f"{species}: {len(sites):,} variants, {rate:,.0f} records per second of one core", flush=True)
    own = {
        (name, found.transcript): found
        for name, entries in called.items()
        for found in entries
        if found.transcript and found.distance is None
    }
    result: dict[str, object] = {"variants": len(sites), "records_per_second": round(rate)}
    absent = missing_tools()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, annotation, assembly, sites)
        if "bcftools" not in absent:
            theirs = run_bcftools(folder)
            keyed = {key: terms for key, terms in theirs.items() if not key[1].startswith("gene ")}
            mine = {key: f for key, f in own.items() if key in keyed or f.terms != (Term.INTRON,)}
            result["bcftools csq"] = agreement("bcftools csq", mine, keyed, sites)
        if "snpEff" not in absent:
            result["SnpEff"] = agreement("SnpEff", own, run_snpeff(folder), sites)
    for tool in absent:
        print(f"{tool} is not installed: not compared")
    return result


def agreement(
    tool: str, own: dict[tuple[str, str], Consequence], theirs: Terms, sites: list[Site]
) -> dict[str, object]:
    """Share of equal most severe terms, and the classes of disagreement."""
    by_name = {site.identifier: site for site in sites}
    same, classes, examples = 0, Counter[str](), {}
    keys = own.keys() | theirs.keys()
    for key in sorted(keys):
        mine = frozenset(term.value for term in own[key].terms) if key in own else frozenset()
        other = theirs.get(key, frozenset())
        if mine and other and _worst(mine) == _worst(other):
            same += 1
            continue
        site = by_name[key[0]]
        kind = explain(site, own.get(key), mine, other)
        classes[kind] += 1
        place = f"{site.contig}:{site.start + 1} {'>'.join(site.alleles)} {key[1]}"
        examples.setdefault(kind, f"{place}: {'&'.join(sorted(mine))} / {'&'.join(sorted(other))}")
    print(f"  {tool}: {same:,} of {len(keys):,} ({same / len(keys):.2%}) alike")
    for kind, count in classes.most_common():
        print(f"    {count:5d} {kind}; {examples[kind]}")
    return {"compared": len(keys), "alike": same, "classes": dict(classes), "examples": examples}


def explain(site: Site, own: Consequence | None, mine: frozenset[str], other: frozenset[str]) -> str:
    """Class of a disagreement."""
    reference, allele = site.alleles
    if own is None or not other:
        beyond = "non_coding_transcript_exon_variant" in mine
        return (
            "the program leaves out transcripts of this biotype"
            if beyond
            else "indel at the transcript's end, which can be written outside it"
        )
    if _without_stop(mine) == _without_stop(other):
        if "frameshift_variant" in mine:
            return "stop codon at the first residue of a shifted frame, named by one of the two"
        return "stop codon within a substitution of several bases"
    if len(reference) == len(allele):
        if mine ^ other == {"splice_region_variant"}:
            return "splice region at the outer end of a transcript, where no intron is"
        return "substitution of several bases in start or stop codon"
    if any(reason.startswith("INFO_REALIGN") for reason in own.reasons) or _movable(own):
        return "indel that can be written at several places: ours takes the mildest"
    if "start_lost" in mine | other:
        return "frame behind a lost start codon, or start codon beside the UTR"
    if _worst(other) in _SPLICE or _worst(mine) in _SPLICE:
        return "insertion between exon and intron: ours belongs to the exon"
    if "splice_region_variant" in mine ^ other or "splice_region_variant" in mine & other:
        return "insertion at the edge of a splice region or of an exon"
    return "insertion at the edge of UTR and coding sequence, or stop codon crossed"


def _without_stop(terms: frozenset[str]) -> frozenset[str]:
    return terms - {"stop_gained", "missense_variant", "stop_lost", "inframe_deletion", "inframe_insertion"}


def _movable(own: Consequence) -> bool:
    return "dup" in own.hgvs_c


def _worst(terms: frozenset[str]) -> str:
    return min(terms, key=lambda term: (_SEVERITY.get(term, 99), term))


def conformance() -> dict[str, object]:
    """Most severe terms compared with those that bcftools' test set expects."""
    rows, same = [], 0
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(data_folder() / "conformance" / "bcftools_csq.tar.xz") as archive:
            archive.extractall(name, filter="data")
        for folder in sorted(path for path in Path(name, "bcftools_csq").iterdir() if path.is_dir()):
            genes = Path(folder, f"{folder.name}.gff")
            # Lines of genes that were cut out of a chromosome begin before it; GFF3 has no such positions.
            lines = [line for line in genes.read_text().splitlines(keepends=True) if not _begins_before(line)]
            genes.write_text("".join(lines))
            caller = ConsequenceCaller(
                read_annotation(genes), open_fasta(folder / f"{folder.name}.fa"), flank=0
            )
            for path in sorted(folder.glob("*.vcf")):
                for row in _expected(path):
                    site, transcript, terms = row
                    got = [f for f in caller.call(site) if transcript in ("", f.transcript, f.gene)]
                    mine = frozenset(term.value for f in got[:1] for term in f.terms)
                    if mine and _worst(mine) == _worst(terms):
                        same += 1
                    else:
                        what = f"{folder.name} {site.start + 1} {site.alleles[0][:12]}>{site.alleles[1][:12]}"
                        rows.append(f"{what}: {'&'.join(sorted(mine))} / {'&'.join(sorted(terms))}")
    print(f"bcftools' test set: {same} of {same + len(rows)} expected consequences alike")
    print("\n".join(f"  {row}" for row in rows))
    return {"compared": same + len(rows), "alike": same, "others": rows}


def _begins_before(line: str) -> bool:
    return bool(re.match(r"[^\t]*\t[^\t]*\t[^\t]*\t-", line))


def _expected(path: Path) -> list[tuple[Site, str, frozenset[str]]]:
    """Records of one variant each with the consequences that stand in their INFO/EXP."""
    found = []
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        expected = re.search(r"EXP=([^;]+)", fields[7]) if not line.startswith("#") else None
        if expected is None or "+" in expected[1].split("|")[-1] or fields[4] == ".":
            continue
        site = Site(fields[0], int(fields[1]) - 1, "", (fields[3], fields[4]))
        for entry in expected[1].split(","):
            columns = entry.split("|")
            if len(columns) > 2:
                found.append((site, columns[2], bcftools_terms(columns[0])))
    return found


def rice_panel() -> dict[str, object]:
    """Most severe term of each SNP of the panel on the sequenced piece, and the load of its accessions."""
    rice = data_folder() / "genomes" / "oryza_sativa"
    genome, genes = rice / "chr02_first_1Mb.fa.xz", rice / "chr02_first_1Mb.gff3.xz"
    calls = data_folder() / "panels" / "rice_rdp1_44k" / "chr02_first_1Mb.vcf.gz"
    caller = ConsequenceCaller(read_annotation(genes), open_fasta(genome), flank=1_000)
    worst = [caller.call(site)[0].terms[0] for site in open_lines(calls).sites()]
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "load.csv"
        write_load(calls, reference=genome, annotation=genes, out=out)
        with out.open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    carried = np.array([float(row["load_moderate"]) for row in rows])
    return {
        "SNPs": len(worst),
        "terms": dict(Counter(str(term) for term in worst).most_common()),
        "impacts": dict(Counter(str(term.impact) for term in worst)),
        "accessions": len(rows),
        "MODERATE alleles for one copy": {
            "mean": round(float(carried.mean()), 2),
            "standard deviation": round(float(carried.std(ddof=1)), 2),
            "least and most": [float(carried.min()), float(carried.max())],
        },
    }


def causal_variants() -> dict[str, object]:
    """Where the causal variants lie: in a gene, beside one, in the gene that is named."""
    folder = data_folder() / "genes"
    ids = symbols(folder)
    index = table(folder / "rice_genes_irgsp1_msu7.tsv.xz")
    places: dict[str, list[tuple[int, int]]] = {}
    named: dict[str, tuple[str, int, int]] = {}
    for row in index:
        contig, start, end = row["contig"].replace("chr0", "chr"), int(row["fmin"]), int(row["fmax"])
        places.setdefault(contig, []).append((start, end))
        for name in re.split("[,;| ]+", f"{row['msu7']},{row['rap']}"):
            named.setdefault(name.split(".")[0], (contig, start, end))
    found: Counter[str] = Counter()
    for row in table(data_folder() / "variants" / "rice_causal_variants_msu7.tsv"):
        found["variants"] += 1
        position = re.match(r"\d+", row["Pos_7.0"])
        if not position:
            found["without a position"] += 1
            continue
        contig, place = row["Chr"].lower(), int(position[0]) - 1
        away = min(distance(place, start, end) for start, end in places[contig])
        found["within a gene" if away == 0 else "near a gene" if away <= 5_000 else "elsewhere"] += 1
        own = [named[name] for name in ids.get(row["GeneName"].lower(), [row["GeneName"]]) if name in named]
        own = [each for each in own if each[0] == contig]
        if own:
            away = min(distance(place, start, end) for _, start, end in own)
            where = "within it" if away == 0 else "within 5,000 bases" if away <= 5_000 else "farther"
            found[f"gene named: {where}"] += 1
    return dict(found)


def symbols(folder: Path) -> dict[str, list[str]]:
    """MSU and RAP ids of genes by symbol in lower case, from both collections of cloned genes."""
    found: dict[str, list[str]] = {}
    for row in table(folder / "rice_cloned_genes_tags.tsv.xz"):
        for symbol in row["symbol"].split(","):
            found.setdefault(symbol.strip().lower(), []).extend((row["msu"], row["rap"]))
    for row in table(folder / "rice_oryzabase.txt.xz"):
        names = f"{row['CGSNL Gene Symbol']},{row['Gene symbol synonym(s)']}".split(",")
        ids = [name.split(".")[0] for name in re.split("[,; ]+", f"{row['MSU ID']},{row['RAP ID']}") if name]
        for symbol in names:
            found.setdefault(symbol.strip(" *[]_").lower(), []).extend(ids)
    return found


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a table with tabs."""
    raw = path.read_bytes()
    text = (lzma.decompress(raw) if path.suffix == ".xz" else raw).decode("utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def distance(place: int, start: int, end: int) -> int:
    """Bases from a place to a 0-based half-open stretch."""
    return max(start - place, place - end + 1, 0)


if __name__ == "__main__":
    main()
