"""Encoding every window of every accession, compared with encoding each distinct window once.

For a panel: the number of windows that an accession-by-accession embedding would encode, the number of
distinct windows, and their ratio. On a subset that brute force can finish, both are run and timed: brute
force writes the chromosomes of every copy from the calls, by code of its own, cuts the windows and encodes
accession after accession. Then accession features and kernels of the two are compared.

    python benchmarks/speed/haplotype_dedup.py --panel rice      # needs BUDWOOD_DATA
    python benchmarks/speed/haplotype_dedup.py --panel demo
    python benchmarks/speed/haplotype_dedup.py --vcf calls.vcf.gz --fasta genome.fa
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from budwood.config import WINDOW
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.assumptions import describe_assumptions
from budwood.genomics.haplotypes.calls import ABSENT, CallSource
from budwood.genomics.haplotypes.table import HaplotypeTable, tabulate_haplotypes
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, decode, encode
from budwood.stats.relationship.haplotype_kernel import haplotype_features, haplotype_kernel

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
BATCH = 16


def main() -> None:
    arguments = parse()
    source, assembly, name = open_panel(arguments)
    encode_batch, encoder = open_encoder(arguments.checkpoint)
    began = time.perf_counter()
    table = tabulate_haplotypes(source, assembly)
    seconds = time.perf_counter() - began
    show_panel(name, table, seconds)

    rng = np.random.default_rng(arguments.seed)
    rows = np.sort(rng.permutation(len(table.accessions))[: arguments.accessions])
    windows = np.sort(rng.permutation(len(table.windows))[: arguments.windows])
    part = subset(table, rows, windows)

    encode_batch(part.sequences[:BATCH])  # the first pass sets memory up; neither side is charged for it
    began = time.perf_counter()
    vectors = encode_in_batches(encode_batch, part.sequences)
    fast = time.perf_counter() - began
    features, slow = brute_force(source, assembly, part, rows, encode_batch)
    show_subset(part, encoder, fast, slow)
    show_differences(part, vectors, features)


def parse() -> argparse.Namespace:
    parser = parser_for(__doc__)
    parser.add_argument("--panel", choices=["rice", "demo"], default="rice")
    parser.add_argument("--vcf", type=Path, help="a panel of your own, with --fasta")
    parser.add_argument("--fasta", type=Path)
    parser.add_argument("--checkpoint", help="checkpoint folder, or 'random' (default: the packaged one)")
    parser.add_argument("--accessions", type=int, default=200, help="accessions brute force embeds")
    parser.add_argument("--windows", type=int, default=2, help="windows brute force embeds of each")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def open_panel(arguments: argparse.Namespace) -> tuple[CallSource, Assembly, str]:
    from budwood.genomics.io.sequence.fasta import open_fasta
    from budwood.genomics.io.variants.vcf.reader import VcfCalls

    if arguments.vcf:
        return VcfCalls(arguments.vcf), open_fasta(arguments.fasta), arguments.vcf.name
    if arguments.panel == "demo":
        from budwood.simulate.population import PopulationConfig, simulate_population
        from budwood.simulate.species import SpeciesConfig, simulate_species

        species = simulate_species(SpeciesConfig(seed=1))
        return simulate_population(species, PopulationConfig(seed=1)), species.assembly, "demo panel"
    if "BUDWOOD_DATA" not in os.environ:
        raise SystemExit("BUDWOOD_DATA is not set: no rice panel here")
    data = Path(os.environ["BUDWOOD_DATA"])
    vcf = data / "panels/rice_rdp1_44k/chr02_first_1Mb.vcf.gz"
    return VcfCalls(vcf), open_fasta(data / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz"), "rice panel"


def open_encoder(checkpoint: str | None) -> tuple[Encode, str]:
    from budwood.inference import embed
    from budwood.model.checkpoint import load_checkpoint, random_checkpoint

    opened = (
        random_checkpoint()
        if checkpoint == "random"
        else load_checkpoint(Path(checkpoint) if checkpoint else None)
    )
    return lambda codes: embed.encode_batch(codes, opened), opened.name


def encode_in_batches(encode_batch: Encode, sequences: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.concatenate(
        [encode_batch(sequences[first : first + BATCH]) for first in range(0, len(sequences), BATCH)]
    )


def subset(table: HaplotypeTable, rows: NDArray[np.intp], windows: NDArray[np.intp]) -> HaplotypeTable:
    """The table of some accessions and windows, with only the sequences of those accessions."""
    codes = np.full((len(rows), len(windows), table.codes.shape[2]), table.absent, dtype=table.codes.dtype)
    sequences, offsets = [], [0]
    for new, w in enumerate(windows):
        old = table.codes[rows, w]
        carried = np.union1d([0], old[old != table.absent]).astype(np.int64)
        codes[:, new][old != table.absent] = np.searchsorted(carried, old[old != table.absent])
        sequences.append(table.sequences[table.offsets[w] + carried])
        offsets.append(offsets[-1] + len(carried))
    names = tuple(table.accessions[i] for i in rows)
    places = tuple(table.windows[w] for w in windows)
    return HaplotypeTable(names, places, np.concatenate(sequences), np.array(offsets), codes, {})


def brute_force(
    source: CallSource,
    assembly: Assembly,
    part: HaplotypeTable,
    rows: NDArray[np.intp],
    encode_batch: Encode,
) -> tuple[NDArray[np.float64], float]:
    """Mean vector over copies of every accession in every window, (n, W, D), and seconds spent encoding."""
    reference = {c: list(decode(assembly.sequence(Interval(c, 0, n)))) for c, n in assembly.contigs.items()}
    codes = []
    for row in rows:
        own = chromosomes(source, reference, int(row))
        codes.append([[cut(copy, window) for copy in own] for window in part.windows])
    written = np.array(codes)
    began = time.perf_counter()
    vectors = encode_in_batches(encode_batch, written.reshape(-1, WINDOW))
    seconds = time.perf_counter() - began
    return vectors.astype(np.float64).reshape(*written.shape[:3], -1).mean(axis=2), seconds


def chromosomes(source: CallSource, reference: dict[str, list[str]], row: int) -> list[dict[str, list[str]]]:
    """Each copy of one accession: for every reference base the letters that replace it."""
    copies: list[dict[str, list[str]]] = []
    for block in source.blocks():
        calls = block.alleles[:, row]
        while len(copies) < calls.shape[1] and calls[0, len(copies)] != ABSENT:
            copies.append({contig: letters.copy() for contig, letters in reference.items()})
        for site, alleles in zip(block.sites, calls, strict=True):
            for copy, allele in zip(copies, alleles, strict=False):
                if allele > 0:
                    write_allele(copy[site.contig], site.start, site.alleles[0], site.alleles[allele])
    return copies


def write_allele(letters: list[str], start: int, ref: str, alt: str) -> None:
    if min(len(ref), len(alt)) > 1 or (len(ref) != len(alt) and ref[0] != alt[0]):
        raise SystemExit("brute force here writes SNVs and anchored insertions and deletions only")
    # The first letter is the anchor's own base, inserted ones follow it.
    letters[start] = alt[0] + letters[start][1:] + alt[1:]
    letters[start + 1 : start + len(ref)] = [""] * (len(ref) - 1)


def cut(copy: dict[str, list[str]], window: Interval) -> NDArray[np.uint8]:
    letters = copy[window.contig]
    inserted_before = letters[window.start - 1][1:] if window.start else ""
    text = inserted_before + "".join(letters[window.start : window.start + 4 * WINDOW])
    codes = np.full(WINDOW, PAD, dtype=np.uint8)
    own = encode(text)[:WINDOW]
    codes[: len(own)] = own
    return codes


def show_panel(name: str, table: HaplotypeTable, seconds: float) -> None:
    shown = Table(
        title=f"{name}: {len(table.accessions)} accessions, {len(table.windows):,} windows,\n"
        f"{table.n_sequences:,} distinct sequences found in {seconds:.2f} s"
    )
    for heading in ("accession by accession", "windows encoded", "ratio to distinct"):
        shown.add_column(heading, justify="right")
    for what, count in (
        ("every copy", table.brute_force_windows),
        ("equal copies of an accession once", distinct_within_accessions(table)),
    ):
        shown.add_row(what, f"{count:,}", f"{count / table.n_sequences:.0f}")
    Console().print(shown)
    Console().print(*describe_assumptions(table.assumptions), sep="\n")


def distinct_within_accessions(table: HaplotypeTable) -> int:
    """Number of windows to encode when only equal copies of one accession are encoded once."""
    codes = np.sort(table.codes, axis=2)
    first_of_its_kind = np.concatenate(
        [np.ones((*codes.shape[:2], 1), bool), np.diff(codes, axis=2) != 0], axis=2
    )
    return int(np.count_nonzero(first_of_its_kind & (codes != table.absent)))


def show_subset(part: HaplotypeTable, encoder: str, fast: float, slow: float) -> None:
    n, w = part.codes.shape[:2]
    shown = Table(title=f"subset of {n} accessions x {w} windows, encoder {encoder}")
    for heading in ("", "windows encoded", "seconds", "windows/s"):
        shown.add_column(heading, justify="right")
    many, few = part.brute_force_windows, part.n_sequences
    shown.add_row("accession by accession", f"{many:,}", f"{slow:.2f}", f"{many / slow:.1f}")
    shown.add_row("distinct", f"{few:,}", f"{fast:.2f}", f"{few / fast:.1f}")
    shown.add_row("ratio", f"{many / few:.1f}", f"{slow / fast:.1f}", "")
    Console().print(shown)


def show_differences(
    part: HaplotypeTable, vectors: NDArray[np.float32], features: NDArray[np.float64]
) -> None:
    pooled = haplotype_features(part.codes, part.offsets, vectors)
    expected = features.mean(axis=1)
    kernel = haplotype_kernel(part.codes, part.offsets, vectors)
    centred = features.reshape(len(features), -1)
    centred = centred - centred.mean(axis=0)
    explicit = centred @ centred.T
    explicit /= np.diagonal(explicit).mean()
    spread = np.abs(expected - expected.mean(axis=0)).max()
    largest = np.abs(pooled - expected).max()
    shown = Table(title="largest difference between the two")
    shown.add_column("of")
    shown.add_column("relative to")
    shown.add_column("", justify="right")
    shown.add_row("accession features", "largest feature", f"{largest / np.abs(expected).max():.1e}")
    shown.add_row("accession features", "largest deviation from the panel's mean", f"{largest / spread:.1e}")
    shown.add_row(
        "kernel", "largest entry", f"{np.abs(kernel - explicit).max() / np.abs(explicit).max():.1e}"
    )
    Console().print(shown)


if __name__ == "__main__":
    main()
