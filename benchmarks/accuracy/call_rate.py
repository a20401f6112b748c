"""What missing calls do to the embedding kernel, by how they are filled.

Calls of the candidates (every second line) are removed at random. The kernel of the remaining calls is
compared with that of all calls: Pearson correlation of the entries between a candidate and another line,
ratio of the candidates' diagonal, and r of their predicted values, fitted to the other lines. A missing call
is filled with

reference   the reference allele
common      the most frequent allele of the site
local       the most frequent allele among the lines that agree at all observed sites of the same 512 bases;
            the most frequent allele of the site where no line agrees
unknown     nothing: the line's features of that window are the mean of the training lines, and the mean
            square of that window is added to its diagonal

Two panels: 120 made-up lines with ten sites a window, and the 170 SNPs of rice_rdp1_44k on one megabase,
which are about one in each window.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/call_rate.py              # minutes; rice needs BUDWOOD_DATA
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.config import WINDOW
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable, tabulate_haplotypes
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import open_calls, read_genotypes
from budwood.inference.embed import embed_haplotypes
from budwood.model.checkpoint import load_checkpoint, packaged_checkpoint
from budwood.panel.example import write_example
from budwood.prediction.kernels.kernel_model import KernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import pearson_r

SHARES = (0.05, 0.2, 0.5)
Calls = NDArray[np.int8]
Matrix = NDArray[np.float64]
MODEL = KernelModel("embedding", (("embedding",),))


@dataclass(frozen=True, kw_only=True)
class Data:
    """A panel with its sequence: calls are (lines, sites) copies of ALT, -1 missing."""

    name: str
    accessions: tuple[str, ...]
    contig: list[str]
    position: NDArray[np.int64]
    letters: list[tuple[str, str]]
    calls: Calls
    reference: Path
    traits: Mapping[str, Mapping[str, float]]


def read_data(name: str, calls: Path, reference: Path, phenotypes: Path, traits: tuple[str, ...]) -> Data:
    genotypes = read_genotypes(calls)
    values = read_phenotypes(phenotypes)
    markers = genotypes.markers
    return Data(
        name=name,
        accessions=genotypes.accessions,
        contig=[str(contig) for contig in markers.contig],
        position=markers.position + 1,
        letters=[(str(r), str(a)) for r, a in zip(markers.other, markers.counted, strict=True)],
        calls=genotypes.dosage.astype(np.int8),
        reference=reference,
        traits={trait: values.means(trait) for trait in traits},
    )


def tabulated(data: Data, calls: Calls, folder: Path) -> HaplotypeTable:
    """The haplotype table of a VCF with these calls."""
    file = folder / "calls.vcf"
    spelt = {-1: "./.", 0: "0/0", 1: "0/1", 2: "1/1"}
    with file.open("w") as handle:
        print("##fileformat=VCFv4.2", file=handle)
        columns = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *data.accessions)
        print(*columns, sep="\t", file=handle)
        for j, (ref, alt) in enumerate(data.letters):
            row = (spelt[int(call)] for call in calls[:, j])
            print(
                data.contig[j],
                data.position[j],
                ".",
                ref,
                alt,
                ".",
                ".",
                ".",
                "GT",
                *row,
                sep="\t",
                file=handle,
            )
    return tabulate_haplotypes(open_calls(file), open_fasta(data.reference))


def common(data: Data, calls: Calls) -> Calls:
    filled = calls.copy()
    for j in range(calls.shape[1]):
        filled[calls[:, j] < 0, j] = _most_frequent(calls[:, j])
    return filled


def local(data: Data, calls: Calls) -> Calls:
    filled = common(data, calls)
    places = {(contig, int(at) // WINDOW) for contig, at in zip(data.contig, data.position - 1, strict=True)}
    for contig, window in places:
        inside = np.array([c == contig for c in data.contig]) & ((data.position - 1) // WINDOW == window)
        own = calls[:, inside]
        seen = own >= 0
        for i in np.flatnonzero(~seen.all(axis=1)):
            agree = ((own == own[i]) | ~seen[i] | ~seen).all(axis=1)
            for j, column in zip(np.flatnonzero(~seen[i]), np.flatnonzero(inside)[~seen[i]], strict=True):
                donors = own[agree & seen[:, j], j]
                if len(donors):
                    filled[i, column] = _most_frequent(donors)
    return filled


def _most_frequent(calls: Calls) -> int:
    known = calls[calls >= 0]
    return int(np.bincount(known, minlength=3).argmax()) if len(known) else 0


FILLS: dict[str, Callable[[Data, Calls], Calls]] = {
    "reference": lambda data, calls: np.where(calls < 0, np.int8(0), calls),
    "common": common,
    "local": local,
    "unknown": lambda data, calls: np.where(calls < 0, np.int8(0), calls),
}


def kernel_of(table: HaplotypeTable, vectors: NDArray[np.float32], lost: NDArray[np.bool_]) -> Matrix:
    """The kernel of all lines, mean diagonal 1; ``lost`` (lines, windows) are unknown windows."""
    kernel = np.zeros((len(table.accessions),) * 2)
    for w in range(len(table.windows)):
        rows = slice(int(table.offsets[w]), int(table.offsets[w + 1]))
        counts = table.counts(w)
        features = (
            counts / counts.sum(axis=1, keepdims=True) @ (vectors[rows] - vectors[rows][0]).astype(float)
        )
        known = ~lost[:, w]
        features -= features[known].mean(axis=0) if known.any() else 0.0
        features[~known] = 0.0
        kernel += features @ features.T
        if known.any():
            square = np.einsum("ij,ij->i", features, features)[known].mean()
            kernel[np.diag_indices_from(kernel)] += np.where(known, 0.0, square)
    return kernel / np.diagonal(kernel).mean()


def lost_windows(data: Data, calls: Calls, table: HaplotypeTable) -> NDArray[np.bool_]:
    lost = np.zeros((len(calls), len(table.windows)), dtype=np.bool_)
    for w, place in enumerate(table.windows):
        inside = (data.position > place.start) & (data.position <= place.end)
        inside &= np.array([contig == place.contig for contig in data.contig])
        lost[:, w] = (calls[:, inside] < 0).any(axis=1)
    return lost


def accuracy(data: Data, kernel: Matrix, candidates: NDArray[np.bool_]) -> float:
    """Mean r of the candidates over the traits, fitted to all other lines."""
    dosage = np.where(data.calls < 0, 0, data.calls).astype(np.int8)
    kernels = PanelKernels(Genotypes.from_matrix(list(data.accessions), dosage), {"embedding": kernel})
    found = []
    for values in data.traits.values():
        known = np.array([name in values for name in data.accessions])
        y = np.array([values.get(name, np.nan) for name in data.accessions])
        rows, left = np.flatnonzero(known & ~candidates), np.flatnonzero(known & candidates)
        fitted = MODEL.fit(kernels, rows, y[rows])
        found.append(pearson_r(fitted.predict(kernels.lines(left, rows)).value, y[left]))
    return float(np.mean(found))


def measure(data: Data, folder: Path) -> None:
    encoder = load_checkpoint(packaged_checkpoint())

    def kernel(calls: Calls, *, unknown: bool, removed: Calls) -> Matrix:
        table = tabulated(data, calls, folder)
        lost = (
            lost_windows(data, removed, table)
            if unknown
            else np.zeros((len(calls), len(table.windows)), bool)
        )
        return kernel_of(table, embed_haplotypes(table, encoder, cache=False), lost)

    # Calls that are missing in the file itself are filled once, so that the comparison has all calls.
    whole = local(data, data.calls)
    truth = kernel(whole, unknown=False, removed=whole)
    candidates = np.arange(len(whole)) % 2 == 1
    off = ~np.eye(len(whole), dtype=bool)
    print(f"{data.name}, all calls: r of predictions {accuracy(data, truth, candidates):.3f}")
    for share in SHARES:
        drawn = np.random.default_rng(0).random(whole.shape) < share
        removed = np.where(drawn & candidates[:, None], np.int8(-1), whole)
        for fill, make in FILLS.items():
            made = kernel(make(data, removed), unknown=fill == "unknown", removed=removed)
            affected = off & candidates[:, None]
            agreement = np.corrcoef(made[affected], truth[affected])[0, 1]
            diagonal = (np.diagonal(made) / np.diagonal(truth))[candidates].mean()
            cells = f"{agreement:.3f} | {diagonal:.2f} | {accuracy(data, made, candidates):.3f}"
            print(f"| {data.name} | {share:.0%} | {fill} | {cells} |", flush=True)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--panel", choices=("made-up", "rice", "both"), default="both")
    chosen = parser.parse_args().panel
    print("| panel | calls removed | filled with | r of kernel entries | diagonal | r of predictions |")
    print("|---|---|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        if chosen != "rice":
            files = write_example(Path(folder) / "example", lines=120, phenotyped=120, seed=3)
            traits = ("height", "yield")
            measure(
                read_data("made-up", files.genotypes, files.reference, files.phenotypes, traits), Path(folder)
            )
        if chosen != "made-up":
            panel = data_folder() / "panels/rice_rdp1_44k"
            fasta = data_folder() / "genomes/oryza_sativa/chr02_first_1Mb.fa.xz"
            traits = ("Plant_height", "Flowering_time_at_Arkansas", "Amylose_content", "Seed_length")
            calls = panel / "chr02_first_1Mb.vcf.gz"
            measure(read_data("rice", calls, fasta, panel / "pheno.csv", traits), Path(folder))


if __name__ == "__main__":
    main()
