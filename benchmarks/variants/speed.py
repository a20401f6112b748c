"""How fast are variants scored: beside other networks, and for a million variants of a genome?

    python benchmarks/variants/speed.py --out speed.jsonl
    python benchmarks/variants/speed.py --out speed.jsonl --parts networks-bf16

``networks-...``: processor seconds to read the same windows of Arabidopsis Chr1, one after another in one
run: the packaged encoder (both strands), a dilated convolution of 25 layers and 512 channels and a BERT of
single bases with 12 layers and 512 channels (one strand each, random weights, which cost what trained ones
do). Then all three changes of every base of the windows from one reading of each, and some of them each with
a reading of its own. One thread; processor time: other programs on the machine count little.

``million``: the command on a million simulated single-base changes of Arabidopsis Chr1 and Chr5, at random
places of both, on ``--threads`` threads. It is killed after ``--kill-after`` seconds and started again, as
often as it takes to finish, or ``--starts`` times (a second run of the benchmark goes on where ``--folder``
is named). Processor seconds of all starts together, and of each; ``--variants`` for fewer.
"""

from __future__ import annotations

import gzip
import resource
import subprocess
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

CHANNELS, SYMBOLS, KERNEL = 512, 7, 9
PARTS = ("networks-bf16", "networks-float32", "million")
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
    found = []
    for name, each in seconds.items():
        row = {"network": name, "windows a second": count / min(each), "times ours": min(each) / ours}
        if name in others:  # ours reads two strands in its time, these one
            row["times ours, strand for strand"] = 2 * row["times ours"]
        found.append(row)
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


def million(folder: Path, variants: int, given: list[str], kill_after: float, starts: int) -> dict | None:
    """Processor seconds of the command, killed and started again until it has finished; None before that."""
    fasta, vcf, out = folder / "genome.fa", folder / "changes.vcf", folder / "scored.vcf.gz"
    if not vcf.exists():
        write_changes(fasta, vcf, variants)
    command = [
        sys.executable,
        "-m",
        "budwood",
        "score-variants",
        "--vcf",
        str(vcf),
        "--reference",
        str(fasta),
    ]
    command += ["--scores", "consequence,kmer", "--device", "cpu", "--quiet", "--out", str(out), *given]
    log = folder / "starts.jsonl"
    for number in range(starts or 1_000_000):
        if out.exists():
            break
        began, before = time.perf_counter(), children_seconds()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            code: int | str = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = "killed"
        parts = len(list((folder / f".{out.name}.parts").glob("part-*")))
        start = {"processor seconds": children_seconds() - before, "seconds": time.perf_counter() - began}
        append_result(log, {"start": len(read_results(log, "start")), **start, "ended": code, "parts": parts})
        print(number, start, code, parts, flush=True)
        if code not in (0, "killed"):
            raise SystemExit("the command failed")
    if not out.exists():
        return None
    records = scored = 0
    with gzip.open(out, "rt") as lines, vcf.open() as asked:
        wanted = (line.split("\t", 5)[:5] for line in asked if not line.startswith("#"))
        for line in lines:
            if not line.startswith("#"):
                assert line.split("\t", 5)[:5] == next(wanted)
                records += 1
                scored += "BW_EXPECTED_CONSEQUENCE=" in line
    done = list(read_results(log, "start").values())
    whole = sum(each["processor seconds"] for each in done)
    print(
        f"{records:,} records, {scored:,} scored: {whole:.0f} processor seconds, "
        f"{whole / 120:.1f} min of two cores"
    )
    return {"records": records, "scored": scored, "processor seconds": whole, "starts": done}


def children_seconds() -> float:
    """Processor seconds of all programs that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write_changes(fasta: Path, vcf: Path, variants: int) -> None:
    """The genome, and single-base changes at random places of it."""
    random = np.random.default_rng(0)
    codes = {}
    with fasta.open("w") as handle:
        for path in GENOME:
            assembly = open_fasta(data_folder() / "genomes" / path)
            for name, length in assembly.contigs.items():
                codes[name] = assembly.sequence(Interval(name, 0, length))
                handle.write(f">{name}\n{decode(codes[name])}\n")
    known = {name: np.flatnonzero(each < N) for name, each in codes.items()}
    chosen = np.sort(random.choice(sum(map(len, known.values())), variants, replace=False))
    draft, begin = vcf.with_suffix(".draft"), 0
    with draft.open("w") as handle:
        handle.write("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for name, places in known.items():
            here = places[chosen[(chosen >= begin) & (chosen < begin + len(places))] - begin]
            begin += len(places)
            old = codes[name][here]
            new = (old + random.integers(1, N, len(here))) % N
            handle.writelines(
                f"{name}\t{place + 1}\t.\t{'ACGT'[one]}\t{'ACGT'[other]}\t.\tPASS\t.\n"
                for place, one, other in zip(here.tolist(), old.tolist(), new.tolist(), strict=True)
            )
    draft.replace(vcf)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="names with commas")
    parser.add_argument("--windows", type=int, default=2, help="windows of 512 bases read by each network")
    parser.add_argument("--repeats", type=int, default=2, help="the fastest counts")
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--precision", choices=("float32", "bf16"), default="bf16", help="of a million")
    parser.add_argument("--threads", type=int, help="of a million; all cores if not given")
    parser.add_argument("--checkpoint", type=Path, help="of a million; the packaged one if not given")
    parser.add_argument("--kill-after", type=float, default=1e6, help="seconds after which a start is killed")
    parser.add_argument(
        "--folder", type=Path, help="for the million's files, kept; a temporary one if not given"
    )
    parser.add_argument("--starts", type=int, default=0, help="stop after as many; 0: until it has finished")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one part each")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for part in arguments.parts.split(","):
        if (part,) in read_results(arguments.out, "part"):
            continue
        if part.startswith("networks"):
            rows = networks(arguments.windows, arguments.repeats, part.endswith("bf16"))
            for row in rows:
                print(row, flush=True)
        else:
            with tempfile.TemporaryDirectory() as temporary:
                folder = arguments.folder or Path(temporary)
                folder.mkdir(parents=True, exist_ok=True)
                given = ["--precision", arguments.precision]
                given += ["--threads", str(arguments.threads)] if arguments.threads else []
                given += ["--checkpoint", str(arguments.checkpoint)] if arguments.checkpoint else []
                found = million(folder, arguments.variants, given, arguments.kill_after, arguments.starts)
                if found is None:
                    continue
                rows = [found]
        append_result(arguments.out, {"part": part, "rows": rows})


if __name__ == "__main__":
    main()
