"""Data for scoring checkpoints: unseen species, and labels of Brassica napus."""

from __future__ import annotations

from benchmarks.common.panels import data_folder
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.sequence.fasta import open_fasta

TRAINING = ("brassica_napus/genome.fa.xz", "brassica_napus/annotation.gff3.xz")
# The five pieces with the curated TAIR10 annotation; codon phases of the longer set are not reliable.
UNSEEN = {
    "Arabidopsis thaliana": (
        "arabidopsis_thaliana/korf_1pct.fa.xz",
        "arabidopsis_thaliana/korf_1pct.gff3.xz",
    ),
    "Oryza sativa": ("oryza_sativa/chr02_first_1Mb.fa.xz", "oryza_sativa/chr02_first_1Mb.gff3.xz"),
}


def open_species(fasta: str, gff: str) -> tuple[Assembly, Annotation]:
    folder = data_folder() / "genomes"
    return open_fasta(folder / fasta), read_annotation(folder / gff)
