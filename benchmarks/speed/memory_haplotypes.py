"""Peak memory of summarising a large VCF and building its haplotype table.

Writes a panel of inbred and some outbred lines as mosaics of founders (runs of sites share a founder) to a
temporary folder. The work then runs in a process of its own, whose peak resident memory is compared with the
limit of 4 GB.

    python benchmarks/speed/memory_haplotypes.py                                  # 3,000 accessions x 200,000
    SNPs python benchmarks/speed/memory_haplotypes.py --accessions 300 --sites 20000   # a quick run
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.timing import peak_gigabytes

LIMIT_GB = 4.0
CONTIGS = 10
BASES_PER_SITE = 200
FOUNDERS = 40
SITES_PER_RUN = 250
SITES_AT_ONCE = 500
OUTBRED_SHARE, ERROR_RATE, MISSING_RATE = 0.05, 0.0005, 0.01


def main() -> None:
    arguments = parse()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as named:
        folder = Path(named)
        began = time.perf_counter()
        write_panel(folder, arguments.accessions, arguments.sites, arguments.seed)
        size = (folder / "calls.vcf.gz").stat().st_size / 1e6
        seconds = time.perf_counter() - began
        Console().print(f"VCF written: {size:.0f} MB compressed, {seconds:.0f} s")
        command = [sys.executable, str(Path(__file__).resolve()), "--measure", str(folder)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    show(found, arguments.accessions, arguments.sites)


def parse() -> argparse.Namespace:
    parser = parser_for(__doc__)
    parser.add_argument("--accessions", type=int, default=3000)
    parser.add_argument("--sites", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def write_panel(folder: Path, accessions: int, sites: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    per_contig = sites // CONTIGS
    length = per_contig * BASES_PER_SITE
    contigs = {f"chr{c + 1:02d}": rng.integers(0, 4, length).astype(np.uint8) for c in range(CONTIGS)}
    outbred = rng.random(accessions) < OUTBRED_SHARE
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    with (folder / "genome.fa").open("wb") as handle:
        for name, codes in contigs.items():
            handle.write(b">" + name.encode() + b"\n")
            text = letters[codes].tobytes()
            handle.writelines(text[i : i + 60] + b"\n" for i in range(0, length, 60))
    with gzip.open(folder / "calls.vcf.gz", "wb", compresslevel=1) as handle:
        header = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
        header += [f"##contig=<ID={name},length={length}>" for name in contigs]
        names = "\t".join(f"line{i:05d}" for i in range(accessions))
        header.append(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
        handle.write("\n".join(header).encode())
        for name, codes in contigs.items():
            positions = np.sort(rng.choice(length, per_contig, replace=False))
            for first in range(0, per_contig, SITES_AT_ONCE):
                part = positions[first : first + SITES_AT_ONCE]
                calls = genotype_text(rng, outbred, len(part))
                for position, row in zip(part, calls, strict=True):
                    ref, alt = "ACGT"[codes[position]], "ACGT"[(codes[position] + 1) % 4]
                    handle.write(f"{name}\t{position + 1}\t.\t{ref}\t{alt}\t.\t.\t.\tGT\t".encode())
                    handle.write(row.tobytes())


def genotype_text(rng: np.random.Generator, outbred: NDArray[np.bool_], sites: int) -> NDArray[np.uint8]:
    """GT columns of some sites as bytes, (sites, accessions, 4): copy, ``|``, copy, tab or line break."""
    accessions = len(outbred)
    founders = rng.random((FOUNDERS, sites)) < rng.beta(0.5, 1.5, sites)
    alleles = np.empty((sites, accessions, 2), dtype=np.uint8)
    for first in range(0, sites, SITES_PER_RUN):
        of = rng.integers(0, FOUNDERS, size=(accessions, 2))
        of[~outbred, 1] = of[~outbred, 0]
        run = slice(first, first + SITES_PER_RUN)
        alleles[run] = founders[:, run][of].transpose(2, 0, 1)
    alleles ^= (rng.random((sites, accessions, 1)) < ERROR_RATE).astype(np.uint8)
    text = np.empty((sites, accessions, 4), dtype=np.uint8)
    text[..., [0, 2]] = alleles + ord("0")
    text[..., 1], text[..., 3] = ord("|"), ord("\t")
    text[rng.random((sites, accessions)) < MISSING_RATE] = np.frombuffer(b".|.\t", dtype=np.uint8)
    text[:, -1, 3] = ord("\n")
    return text


def measure(folder: Path) -> dict[str, float]:
    """Seconds and peak memory (GB, of the whole process so far) after each step."""
    from budwood.genomics.haplotypes.table import tabulate_haplotypes
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.io.variants.open_genotypes import open_calls, summarise_calls

    source = open_calls(folder / "calls.vcf.gz")
    began = time.perf_counter()
    summarise_calls(source)
    found = {"summary_seconds": time.perf_counter() - began, "summary_gb": peak_gigabytes()}
    began = time.perf_counter()
    table = tabulate_haplotypes(source, open_fasta(folder / "genome.fa"))
    found |= {"table_seconds": time.perf_counter() - began, "table_gb": peak_gigabytes()}
    held = table.sequences.nbytes + table.codes.nbytes
    return found | {
        "windows": len(table.windows),
        "distinct": table.n_sequences,
        "copies": table.brute_force_windows,
        "table_holds_gb": held / 1e9,
    }


def show(found: dict[str, float], accessions: int, sites: int) -> None:
    shown = Table(title=f"{accessions:,} accessions x {sites:,} SNPs, limit {LIMIT_GB:.0f} GB")
    for heading in ("step", "seconds", "peak so far, GB", "of the limit"):
        shown.add_column(heading, justify="right")
    for step in ("summary", "table"):
        peak = found[f"{step}_gb"]
        shown.add_row(step, f"{found[f'{step}_seconds']:.0f}", f"{peak:.2f}", f"{peak / LIMIT_GB:.0%}")
    Console().print(shown)
    Console().print(
        f"{found['windows']:,} windows, {found['distinct']:,} distinct sequences of {found['copies']:,} "
        f"({found['copies'] / found['distinct']:.0f} times fewer); the table itself holds "
        f"{found['table_holds_gb']:.2f} GB"
    )


if __name__ == "__main__":
    main()
