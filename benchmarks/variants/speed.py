"""How fast are variants scored: beside other networks, and for a million variants of a genome?

    python benchmarks/variants/speed.py --out speed.jsonl
    python benchmarks/variants/speed.py --out speed.jsonl --parts networks-bf16

``networks-...``: processor seconds to read the same windows of Arabidopsis Chr1, one after another in one
run: the packaged encoder (both strands), a dilated convolution of 25 layers and 512 channels and a BERT of
single bases with 12 layers and 512 channels (one strand each, random weights, which cost what trained ones
do). Then all three changes of every base of the windows from one reading of each, and some of them each with
a reading of its own.

``million-...``: the command on simulated single-base changes of Arabidopsis Chr1 and Chr5, one in every 57
bases, as a million of them have; two runs, on the changes in ``--bases`` of Chr1 and in a fifth of them,
against the whole genome. What both take whatever their number, and what the larger adds, give the time of a
million: a calculation, not a run.

Processor time of one thread: other programs on the machine count little. ``--profile`` prints where the time
of the larger run goes.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result, read_results
from budwood.config import WINDOW
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import N, decode
from budwood.inference.variants.allele_table import allele_table
from budwood.inference.variants.genome_sample import draw_windows
from budwood.inference.variants.reference_pass import ReferencePass
from budwood.inference.variants.score import VariantScorer
from budwood.inference.variants.score_field import fields_of
from budwood.model.checkpoint import load_checkpoint
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.variants.score_options import ScoreOptions
from budwood.workflows.variants.score_variants import score_file

CHANNELS, SYMBOLS, KERNEL = 512, 7, 9
ONE_IN, MILLION, FIRST = 57.4, 1_000_000, 1_000_000
PARTS = ("networks-bf16", "networks-float32", "million-few", "million-many")
GENOME = ("arabidopsis_thaliana/chr1.fa.xz", "arabidopsis_thaliana/chr5.fa.xz")


class DilatedConvolution(nn.Module):
    """25 residual layers: a dilated convolution over 9 bases, then a layer within bases."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, CHANNELS)
        dilations = [2 ** (layer % 5) for layer in range(25)]
        self.norms = nn.ModuleList(nn.LayerNorm(CHANNELS) for _ in range(50))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2 * each, dilation=each)
            for each in dilations
        )
        self.within = nn.ModuleList(nn.Linear(CHANNELS, CHANNELS) for _ in dilations)
        self.head = nn.Linear(CHANNELS, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits of bases."""
        x = self.embedding(tokens)
        for number, (convolution, within) in enumerate(zip(self.convolutions, self.within, strict=True)):
            read = convolution(self.norms[2 * number](x).transpose(1, 2)).transpose(1, 2)
            x = x + functional.gelu(read)
            x = x + functional.gelu(within(self.norms[2 * number + 1](x)))
        logits: Tensor = self.head(x)
        return logits


def bert() -> BertModel:
    """A BERT whose tokens are single bases."""
    shape = BertConfig(
        vocab_size=SYMBOLS,
        hidden_size=CHANNELS,
        num_hidden_layers=12,
        num_attention_heads=8,
        intermediate_size=4 * CHANNELS,
        max_position_embeddings=WINDOW,
    )
    return BertModel(shape, add_pooling_layer=False).eval()


def networks(count: int, repeats: int, half: bool) -> list[dict]:
    """Windows and variants a second of each network on the same windows."""
    assembly = open_fasta(data_folder() / "genomes" / GENOME[0])
    checkpoint = load_checkpoint(device="cpu")
    torch.manual_seed(0)
    others = {"dilated convolution, 25 x 512": DilatedConvolution().eval(), "BERT, 12 x 512": bert()}
    reader = ReferencePass(assembly, checkpoint, window=WINDOW, half_precision=half)
    keys = draw_windows(reader, count)
    starts, codes = reader.codes_of(keys)
    tokens = torch.from_numpy(codes.astype(np.int64))
    sites = []
    for (contig, _), start, row in zip(keys, starts.tolist(), codes, strict=True):
        for place in np.flatnonzero(row < N).tolist():
            old = "ACGT"[row[place]]
            sites.append(Site(contig, start + place, "m", (old, *"ACGT".replace(old, ""))))
    table = allele_table(sites, assembly)
    runs: dict[str, Callable[[], object]] = {"budwood, both strands": lambda: reader.encode(codes)}
    for name, network in others.items():
        runs[name] = lambda network=network: plain(network, tokens, half)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    reader.encode(codes)
    for _ in range(repeats):  # in turn, so that what else runs disturbs all alike
        for name, run in runs.items():
            seconds[name].append(measured(run))
    ours = min(seconds["budwood, both strands"])
    found = [
        {"network": name, "windows a second": count / min(each), "times ours": min(each) / ours}
        for name, each in seconds.items()
    ]
    scorer = VariantScorer(assembly, checkpoint, fields_of(["consequence"]), half_precision=half)
    took = measured(lambda: scorer.score(table))
    found.append({"network": "budwood, shared reading", "SNV a second": len(table) / took})
    scorer = VariantScorer(assembly, checkpoint, fields_of(["divergence"]), half_precision=half)
    some = allele_table([Site(s.contig, s.start, "m", s.alleles[:2]) for s in sites[::32]], assembly)
    took = measured(lambda: scorer.score(some))
    return [*found, {"network": "budwood, readings of alternatives", "SNV a second": len(some) / took}]


def plain(network: nn.Module, tokens: Tensor, half: bool) -> object:
    """One strand of windows through a network."""
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        return network(tokens)


def measured(run: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    run()
    return time.process_time() - began


def million(bases: int, precision: str, checkpoint: Path | None, profile: bool) -> dict:
    """Processor seconds of the command on the changes of a stretch, against the whole genome."""
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "genome.fa"
        with fasta.open("w") as handle:
            for path in GENOME:
                assembly = open_fasta(data_folder() / "genomes" / path)
                for name, length in assembly.contigs.items():
                    handle.write(f">{name}\n{decode(assembly.sequence(Interval(name, 0, length)))}\n")
        genome = open_fasta(fasta)
        contig = next(iter(genome.contigs))
        codes = genome.sequence(Interval(contig, FIRST, FIRST + bases))
        places = np.sort(random.choice(np.flatnonzero(codes < N), int(bases / ONE_IN), replace=False))
        new = (codes[places] + random.integers(1, N, len(places))) % N
        lines = ["##fileformat=VCFv4.3", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
        lines += [
            f"{contig}\t{FIRST + place + 1}\t.\t{'ACGT'[old]}\t{'ACGT'[alt]}\t.\tPASS\t."
            for place, old, alt in zip(places.tolist(), codes[places].tolist(), new.tolist(), strict=True)
        ]
        vcf = Path(folder) / "changes.vcf"
        vcf.write_text("\n".join(lines) + "\n")
        options = ScoreOptions(
            vcf=vcf,
            reference=fasta,
            scores=("consequence", "kmer"),
            precision=precision,  # type: ignore[arg-type]
            encoder=EncoderOptions(checkpoint=checkpoint, device="cpu"),
        )
        out = Path(folder) / "scored.vcf.gz"
        profiler = cProfile.Profile()
        began = time.process_time()
        if profile:
            profiler.runcall(score_file, options, out)
        else:
            score_file(options, out)
        seconds = time.process_time() - began
        if profile:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    return {"variants": len(places), "seconds": seconds, "precision": precision}


def estimate(out: Path) -> None:
    """Minutes for a million changes, from the time that two numbers of them took."""
    measured_parts = read_results(out, "part")
    few, many = (measured_parts[name,]["rows"][0] for name in ("million-few", "million-many"))
    each = (many["seconds"] - few["seconds"]) / (many["variants"] - few["variants"])
    fixed = few["seconds"] - each * few["variants"]
    minutes = (fixed + each * MILLION) / 60
    print(
        f"calculated: {fixed:.1f} s and {1000 * each:.2f} s for each 1,000: {minutes:.1f} min for a million"
    )


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="names with commas")
    parser.add_argument("--windows", type=int, default=2, help="windows of 512 bases read by each network")
    parser.add_argument("--repeats", type=int, default=2, help="the fastest counts")
    parser.add_argument("--bases", type=int, default=120_000, help="length that the larger run covers")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="bf16", help="of a million")
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one part each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for part in arguments.parts.split(","):
        if (part,) in read_results(arguments.out, "part"):
            continue
        if part.startswith("networks"):
            rows = networks(arguments.windows, arguments.repeats, part.endswith("bf16"))
        else:
            bases = arguments.bases // (5 if part.endswith("few") else 1)
            rows = [million(bases, arguments.precision, arguments.checkpoint, arguments.profile)]
        for row in rows:
            print(row, flush=True)
        append_result(arguments.out, {"part": part, "rows": rows})
    if {("million-few",), ("million-many",)} <= set(read_results(arguments.out, "part")):
        estimate(arguments.out)


if __name__ == "__main__":
    main()
