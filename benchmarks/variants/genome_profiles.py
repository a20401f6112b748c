"""When is a genome outside what an encoder knows? Profiles of training species, others and shuffled bases.

    python benchmarks/variants/genome_profiles.py --out profiles.jsonl
    python benchmarks/variants/genome_profiles.py --out profiles.jsonl --store

The profile of ``budwood score-variants`` (masked bases beside k-mers of the genome, confidence in the frame
of coding bases), for the packaged checkpoints and one or more draws of windows. Finished parts are kept in
``--out``; ``--store`` writes the first draw of the training species of each checkpoint into the package: the
flag compares genomes with them. ``shuffled`` has the bases of a genome in random order within 200 bases.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

import budwood.inference.variants
from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result, read_results
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import decode
from budwood.model.checkpoint import packaged_checkpoint
from budwood.workflows.setup.encoder import EncoderOptions
from budwood.workflows.variants.score_options import ScoreOptions
from budwood.workflows.variants.scoring_job import open_job

GENOMES = {
    "Brassica napus": "brassica_napus/genome.fa.xz",
    "Theobroma cacao": "theobroma_cacao/genome.fa.xz",
    "rice, first megabase of chr02": "oryza_sativa/chr02_first_1Mb.fa.xz",
    "Bidens pilosa": "bidens_pilosa/genome.fa.xz",
    "Bertholletia excelsa": "bertholletia_excelsa/genome.fa.xz",
    "Arabidopsis thaliana": "arabidopsis_thaliana/chr1.fa.xz",
    "Arabidopsis lyrata": "arabidopsis_lyrata/petraea_chr1_chr2.fa.xz",
    "rice, two megabases": "oryza_sativa/qtlseq_test_chr.fa.xz",
}
SHUFFLED = {
    "shuffled Arabidopsis": "arabidopsis_thaliana/tair10_pieces.fa.xz",
    "shuffled rice": "oryza_sativa/qtlseq_test_chr.fa.xz",
}
FIRST = ("Brassica napus", "Theobroma cacao")
SIX = (*FIRST, "Arabidopsis thaliana", "Arabidopsis lyrata", "Bidens pilosa", "Bertholletia excelsa")
TRAINING = {"small": FIRST, "grasses": SIX, "tracks": SIX}
_PIECE = 200


def shuffled(source: Path, out: Path) -> None:
    """A genome with its bases in random order within pieces."""
    random = np.random.default_rng(0)
    genome = open_fasta(source)
    with out.open("w") as handle:
        for name, length in genome.contigs.items():
            codes = genome.sequence(Interval(name, 0, length))
            whole = codes[: length // _PIECE * _PIECE].reshape(-1, _PIECE)
            handle.write(f">{name}\n{decode(random.permuted(whole, axis=1).ravel())}\n")


def profile(fasta: Path, checkpoint: str, seed: int, folder: Path) -> dict:
    """The profile that the command computes for a genome."""
    genome = open_fasta(fasta)
    contig, length = next(iter(genome.contigs.items()))
    middle = length // 2
    base = decode(genome.sequence(Interval(contig, middle, middle + 1)))
    vcf = folder / "one.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        f"{contig}\t{middle + 1}\t.\t{base}\t{'A' if base != 'A' else 'C'}\t.\t.\t.\n"
    )
    options = ScoreOptions(
        vcf=vcf,
        reference=fasta,
        scores=("consequence", "kmer"),
        precision="bf16",
        seed=seed,
        encoder=EncoderOptions(checkpoint=packaged_checkpoint(checkpoint), device="cpu"),
    )
    job = open_job(options)
    job.draw()
    return {"digest": job.checkpoint.digest, "profile": job.profile.record(), "outside": list(job.outside)}


def store(out: Path) -> None:
    """Write the profiles of training species into the package."""
    (package,) = budwood.inference.variants.__path__
    path = Path(package) / "training_profiles.json"
    kept: dict[str, dict] = json.loads(path.read_text())
    for (checkpoint, species, seed), row in read_results(out, "checkpoint", "species", "seed").items():
        if seed == 0 and species in TRAINING[checkpoint]:
            kept.setdefault(row["digest"], {})[species] = row["profile"]
    path.write_text(json.dumps(kept, indent=1) + "\n")
    print({digest: list(each) for digest, each in kept.items()})


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoints", default=",".join(TRAINING), help="packaged ones, with commas")
    parser.add_argument("--seeds", type=int, default=1, help="draws of windows")
    parser.add_argument(
        "--store", action="store_true", help="write what is in --out into the package and stop"
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, one profile each")
    arguments = parser.parse_args()
    if arguments.store:
        store(arguments.out)
        return
    genomes = data_folder() / "genomes"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in range(arguments.seeds):
            for species, source in {**GENOMES, **SHUFFLED}.items():
                for checkpoint in arguments.checkpoints.split(","):
                    key = (checkpoint, species, seed)
                    if key in read_results(arguments.out, "checkpoint", "species", "seed"):
                        continue
                    fasta = genomes / source
                    if species in SHUFFLED:
                        fasta = folder / f"{species}.fa"
                        if not fasta.exists():
                            shuffled(genomes / source, fasta)
                    row = {"checkpoint": checkpoint, "species": species, "seed": seed}
                    row |= profile(fasta, checkpoint, seed, folder)
                    print(row, flush=True)
                    append_result(arguments.out, row)


if __name__ == "__main__":
    main()
