"""Probes of the packaged checkpoint on held-out chromosomes and other species, beside every baseline.

    python benchmarks/probes/probe_tasks.py --out probes.jsonl
    python benchmarks/probes/probe_tasks.py --out probes.jsonl --parts exon-intron,transposon

Runs ``budwood probe`` once for each part. Parts without a species in their name are fitted on Arabidopsis
Chr1 and tested on Chr5 (transposons, DNase-hypersensitive sites, chromatin states) or on the pieces of Chr2
to Chr5 (genes). ``brassica-...`` is fitted on Brassica napus and tested on Arabidopsis and rice;
``brazil-nut-...`` is fitted on Arabidopsis and tested on Brazil nut's transposons (EDTA), ``...-tenth-...``
on those of the last tenth of its scaffold, which no recipe trains on; ``promoters`` are core promoters with
their strength in tobacco leaves, fitted on Arabidopsis and tested on sorghum, and split by homology.

Finished parts are kept in ``--out``; a second run resumes. ``--table`` prints them as a table.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result, read_results
from benchmarks.pretraining.track_sources import rows
from benchmarks.probes.held_out_tenths import HELD_OUT
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import decode
from budwood.workflows.probe import ProbeOptions, probe
from budwood.workflows.setup.encoder import EncoderOptions

PIECES = ("Chr2", "Chr3", "Chr4", "Chr5")
STATES = range(1, 10)


def parts(scratch: Path) -> dict[str, dict[str, Any]]:
    genomes = data_folder() / "genomes"
    at, tracks = genomes / "arabidopsis_thaliana", genomes / "arabidopsis_thaliana" / "tair10_tracks"
    chr1 = {"reference": at / "chr1.fa.xz"}
    on_chr5 = {**chr1, "test_reference": at / "chr5.fa.xz"}
    pieces = {"test_reference": at / "korf_1pct.fa.xz", "test_annotation": at / "korf_1pct.gff3.xz"}
    genes = {**chr1, "annotation": at / "chr1.gff3.xz", **pieces, "test_contigs": PIECES}
    brassica = genomes / "brassica_napus"
    napus = {"reference": brassica / "genome.fa.xz", "annotation": brassica / "annotation.gff3.xz"}
    to_arabidopsis = {**napus, **pieces, "test_contigs": PIECES}
    rice = genomes / "oryza_sativa"
    to_rice = {
        **napus,
        "test_reference": rice / "chr02_first_1Mb.fa.xz",
        "test_annotation": rice / "chr02_first_1Mb.gff3.xz",
    }
    transposons = tracks / "TAIR10_Buisine_TEs_ann_all.txt.xz"
    nut = genomes / "bertholletia_excelsa"
    to_nut = {
        **chr1,
        "table": scratch / "transposons.csv",
        "test_reference": nut / "genome.fa.xz",
        "test_annotation": nut / "transposons_edta.gff3.xz",
    }
    to_tenth = {**to_nut, "test_reference": scratch / "tenth.fa", "test_annotation": scratch / "tenth.gff3"}
    own = {"table": transposons, "test_table": transposons, "label": "superfamily"}
    sites = tracks / "frag_DHS.gff.xz"
    states = scratch / "states.bed"
    leaf = {"table": scratch / "At.csv", "label": "enrichment", "group": "gene"}
    return {
        "exon-intron": {"task": "exon-intron", **genes},
        "transposon": {"task": "transposon", **on_chr5, **own},
        "open-chromatin": {"task": "intervals", **on_chr5, "table": sites, "test_table": sites},
        "promoters-At-to-Sb": {"task": "sequence-values", **leaf, "test_table": scratch / "Sb.csv"},
        "brazil-nut-transposon": {"task": "transposon", **to_nut},
        "brassica-to-rice-exon-intron": {"task": "exon-intron", **to_rice},
        "brassica-to-arabidopsis-exon-intron": {"task": "exon-intron", **to_arabidopsis},
        "regions": {"task": "regions", **genes},
        "superfamily": {"task": "superfamily", **on_chr5, **own},
        "chromatin-states": {"task": "interval-labels", **on_chr5, "table": states, "test_table": states},
        "donor": {"task": "donor", **genes},
        "acceptor": {"task": "acceptor", **genes},
        "start-codon": {"task": "start-codon", **genes},
        "promoters-At-homology": {"task": "sequence-values", **leaf},
        "brazil-nut-superfamily": {"task": "superfamily", **to_nut},
        "brassica-to-rice-regions": {"task": "regions", **to_rice},
        "brazil-nut-tenth-transposon": {"task": "transposon", **to_tenth},
        "brazil-nut-tenth-superfamily": {"task": "superfamily", **to_tenth},
    }


def write_tables(scratch: Path) -> None:
    """Tables in the forms that the verb reads, from the shared files."""
    tracks = data_folder() / "genomes/arabidopsis_thaliana/tair10_tracks"
    with (scratch / "states.bed").open("w") as handle:
        for state in STATES:
            for cells in rows(tracks / f"frag_state{state}.gff.xz"):
                handle.write(f"{cells[0]}\t{int(cells[3]) - 1}\t{cells[4]}\tstate{state}\n")
    with (scratch / "transposons.csv").open("w") as handle:
        handle.write("contig,start,end,label\n")
        for cells in list(rows(tracks / "TAIR10_Buisine_TEs_ann_all.txt.xz"))[1:]:
            handle.write(f"{cells[0]},{cells[1]},{cells[2]},{cells[6]}\n")
    nut, (_, contig, start) = data_folder() / "genomes/bertholletia_excelsa", HELD_OUT["Bertholletia excelsa"]
    assembly = open_fasta(nut / "genome.fa.xz")
    codes = assembly.sequence(Interval(contig, start, assembly.contigs[contig]))
    (scratch / "tenth.fa").write_text(f">tenth\n{decode(codes)}\n")
    with (scratch / "tenth.gff3").open("w") as handle:
        for cells in rows(nut / "transposons_edta.gff3.xz"):
            if len(cells) == 9 and int(cells[3]) > start:
                cells[0], cells[3], cells[4] = "tenth", str(int(cells[3]) - start), str(int(cells[4]) - start)
                handle.write("\t".join(cells) + "\n")
    measured = list(rows(data_folder() / "labels/tobjores_CNN_test_leaf.tsv.xz"))
    header = measured[0]
    for species in ("At", "Sb"):
        with (scratch / f"{species}.csv").open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(header)
            writer.writerows(row for row in measured[1:] if row[header.index("sp")] == species)


def print_table(records: list[dict[str, Any]]) -> None:
    for record in records:
        print(f"\n{record['part']}: {record['conclusion']}")
        for row in record["probes"]:
            score = row["scores"][record["measure"]]
            others = {n: round(s["value"], 3) for n, s in row["scores"].items() if not n.startswith("recall")}
            interval = f"{score['value']:.3f} ({score['lower_95']:.3f}-{score['upper_95']:.3f})"
            print(f"  {row['features']:40s} {row['probe']:8s} {interval} {others}")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--parts", help="names with commas; all if not given")
    parser.add_argument("--per-class", type=int, default=150, help="training examples of each class")
    parser.add_argument("--test-per-class", type=int, default=100, help="test examples of each class")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="bf16")
    parser.add_argument("--table", action="store_true", help="print what is in --out and stop")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one part each")
    arguments = parser.parse_args()
    if arguments.table:
        print_table(list(read_results(arguments.out, "part").values()))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_tables(Path(folder))
        every = parts(Path(folder))
        for name in arguments.parts.split(",") if arguments.parts else every:
            if (name,) in read_results(arguments.out, "part"):
                continue
            begun = time.perf_counter()
            wanted = ProbeOptions(
                **every[name],
                per_class=arguments.per_class,
                test_per_class=arguments.test_per_class,
                precision=arguments.precision,
                geometry=True,
                encoder=EncoderOptions(checkpoint=arguments.checkpoint),
            )
            record = {"part": name, **probe(wanted).record(), "seconds": time.perf_counter() - begun}
            record["notes"] = [note for note in record["notes"] if folder not in note]
            append_result(arguments.out, json.loads(json.dumps(record)))
            print_table([record])


if __name__ == "__main__":
    main()
