"""How fast are variants scored: beside other networks, and for a million variants of a genome?

    python benchmarks/variants/speed.py --out speed.jsonl
    python benchmarks/variants/speed.py --out speed.jsonl --parts networks

``networks``: processor seconds to read the same windows of Arabidopsis Chr1, one after another in one run:
the packaged encoder (both strands), a dilated convolution of 25 layers and 512 channels and a BERT of single
bases with 12 layers and 512 channels (one strand each, random weights, which cost what trained ones do).
``pass`` is the number of windows a second, that is of variants where each needs a reading of its own;
``shared`` scores all three changes of every base of the windows from one reading of each.

``million``: the command on simulated single-base changes of Arabidopsis Chr1 and Chr5, one in every 57 bases,
as a million of them have. Two runs, on the changes in the first bases of Chr1 (``--bases``) and on a fifth of
them, against the whole genome; what the second fixes and the first adds give the estimate for a million,
which is a calculation, not a run.

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
ONE_IN, MILLION = 57.4, 1_000_000
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


def networks(count: int, repeats: int) -> list[dict]:
    """Windows and variants a second of each network on the same windows."""
    assembly = open_fasta(data_folder() / "genomes" / GENOME[0])
    checkpoint = load_checkpoint(device="cpu")
    torch.manual_seed(0)
    others = {"dilated convolution, 25 x 512": DilatedConvolution().eval(), "BERT, 12 x 512": bert()}
    readers = {
        half: ReferencePass(assembly, checkpoint, window=WINDOW, half_precision=half) for half in (0, 1)
    }
    keys = draw_windows(readers[0], count)
    _, codes = readers[0].codes_of(keys)
    tokens = torch.from_numpy(codes.astype(np.int64))
    sites = []
    for contig, number in keys:
        (start,), (row,) = readers[0].codes_of([(contig, number)])
        for place in np.flatnonzero(row < N).tolist():
            alleles = tuple(decode(np.array([row[place]]))) + tuple(
                letter for letter in "ACGT" if letter != decode(np.array([row[place]]))
            )
            sites.append(Site(contig, int(start) + place, "m", alleles))
    table = allele_table(sites, assembly)
    found = []
    for half in (False, True):
        runs: dict[str, Callable[[], object]] = {
            "budwood, both strands": lambda half=half: readers[half].encode(codes)
        }
        for name, network in others.items():
            runs[name] = lambda network=network, half=half: plain(network, tokens, half)
        seconds = {name: [] for name in runs}
        for run in runs.values():
            run()
        for _ in range(repeats):  # in turn, so that what else runs disturbs all alike
            for name, run in runs.items():
                seconds[name].append(measured(run))
        ours = min(seconds["budwood, both strands"])
        for name, each in seconds.items():
            row = {"network": name, "half": half, "pass": count / min(each), "slower": min(each) / ours}
            found.append(row)
        shared = []
        for _ in range(repeats):
            scorer = VariantScorer(assembly, checkpoint, fields_of(["consequence"]), half_precision=half)
            shared.append(measured(lambda scorer=scorer: scorer.score(table)))
        found.append({"network": "budwood, shared reading", "half": half, "shared": len(table) / min(shared)})
        scorer = VariantScorer(assembly, checkpoint, fields_of(["divergence"]), half_precision=half)
        some = allele_table(sites[:: max(1, len(sites) // 32)], assembly)
        took = measured(lambda scorer=scorer, some=some: scorer.score(some))
        found.append(
            {"network": "budwood, readings of alternatives", "half": half, "alternatives": len(some) / took}
        )
    return found


def plain(network: nn.Module, tokens: Tensor, half: bool) -> object:
    """One strand of windows through a network."""
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        return network(tokens)


def measured(run: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    run()
    return time.process_time() - began


def million(bases: int, precision: str, checkpoint: Path | None, profile: bool) -> list[dict]:
    """Processor seconds of the command on two numbers of variants, and what they give for a million."""
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
        first = 1_000_000
        codes = genome.sequence(Interval(contig, first, first + bases))
        places = np.sort(random.choice(np.flatnonzero(codes < N), int(bases / ONE_IN), replace=False))
        new = (codes[places] + random.integers(1, N, len(places))) % N
        found = []
        for share in (0.2, 1.0):
            kept = places < share * bases
            vcf = Path(folder) / f"{share}.vcf"
            lines = ["##fileformat=VCFv4.3", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
            lines += [
                f"{contig}\t{first + place + 1}\t.\t{'ACGT'[old]}\t{'ACGT'[alt]}\t.\tPASS\t."
                for place, old, alt in zip(
                    places[kept].tolist(), codes[places[kept]].tolist(), new[kept].tolist(), strict=True
                )
            ]
            vcf.write_text("\n".join(lines) + "\n")
            options = ScoreOptions(
                vcf=vcf,
                reference=fasta,
                scores=("consequence", "kmer"),
                precision=precision,  # type: ignore[arg-type]
                encoder=EncoderOptions(checkpoint=checkpoint, device="cpu"),
            )
            out = Path(folder) / f"{share}.scored.vcf.gz"
            profiler = cProfile.Profile()
            began = time.process_time()
            if profile and share == 1.0:
                profiler.runcall(score_file, options, out)
            else:
                score_file(options, out)
            found.append({"variants": int(kept.sum()), "seconds": time.process_time() - began})
            print(found[-1], flush=True)
            if profile and share == 1.0:
                pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    few, many = found
    each = (many["seconds"] - few["seconds"]) / (many["variants"] - few["variants"])
    fixed = few["seconds"] - each * few["variants"]
    estimate = {"fixed seconds": fixed, "seconds for 1,000": 1000 * each}
    estimate["minutes for a million, calculated"] = (fixed + each * MILLION) / 60
    return [*found, estimate | {"precision": precision}]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--parts", default="networks,million", help="names with commas")
    parser.add_argument("--windows", type=int, default=2, help="windows of 512 bases read by each network")
    parser.add_argument("--repeats", type=int, default=2, help="the fastest counts")
    parser.add_argument("--bases", type=int, default=600_000, help="length that the larger run covers")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="bf16")
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one part each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for part in arguments.parts.split(","):
        if (part,) in read_results(arguments.out, "part"):
            continue
        if part == "networks":
            rows = networks(arguments.windows, arguments.repeats)
        else:
            rows = million(arguments.bases, arguments.precision, arguments.checkpoint, arguments.profile)
        for row in rows:
            print(row, flush=True)
        append_result(arguments.out, {"part": part, "rows": rows})


if __name__ == "__main__":
    main()
