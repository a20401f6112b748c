"""Small made-up genomes on disk with a recipe over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from budwood.genomics.sequence import decode, reverse_complement

RECIPE = """
name = "small"
seed = 4

[[assembly]]
species = "Alpha una"
fasta = "{folder}/alpha.fa"
annotation = "{folder}/alpha.gff3"
taxonomy_id = 11
ploidy = 4
[assembly.subgenomes]
A = ["a1"]
C = ["a2"]

[[assembly]]
species = "Beta una"
fasta = "{folder}/beta.fa.gz"
mask = "kmers"
repeat_share = 0.28

[[collection]]
species = "plastids"
fasta = "{folder}/plastids.fa"
species_table = "{folder}/plastids.tsv"
exclude = ["Oryza *", "left-*"]
share = 0.1

[windows]
length = 320
promoter = 100
flank = 40
shortest = 100
random_per_genic = 9.0

[split]
validation = 0.1
largest_cluster = 0.05

[balance]
method = "tree"
tree = "{folder}/tree.nwk"

[shards]
windows = 64
megabases = 1
"""


def bases(seed: int, length: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, length, dtype=np.uint8)


def write_genomes(folder: Path, recipe: str = RECIPE) -> Path:
    """Two species, one soft-masked with genes, and a collection in which a record occurs twice."""
    import gzip

    shared = bases(1, 3200)
    alpha = {"a1": bases(2, 16_000), "a2": bases(3, 12_000), "empty": bases(3, 0)}
    alpha["a1"][4000:4500] = 4
    alpha["a2"][2000:5200] = shared
    beta = {"b1": bases(5, 14_000)}
    beta["b1"][300:3500] = reverse_complement(shared)
    beta["b1"][6000:10_000] = np.tile(bases(6, 200), 20)
    text = {name: decode(codes) for name, codes in (alpha | beta).items()}
    text["a1"] = text["a1"][:900] + text["a1"][900:2500].lower() + text["a1"][2500:]
    (folder / "alpha.fa").write_text("".join(f">{name}\n{text[name]}\n" for name in alpha))
    with gzip.open(folder / "beta.fa.gz", "wt") as handle:
        handle.write(f">b1 chromosome\n{text['b1']}\n")
    lines = ["##gff-version 3"]
    for number, (contig, start, strand) in enumerate(
        (("a1", 8001, "+"), ("a1", 12_001, "-"), ("a2", 7001, "+"))
    ):
        for kind, what, phase in (
            ("gene", f"ID=g{number}", "."),
            ("mRNA", f"ID=t{number};Parent=g{number}", "."),
            ("exon", f"Parent=t{number}", "."),
            ("CDS", f"Parent=t{number}", "0"),
        ):
            lines.append(f"{contig}\tx\t{kind}\t{start}\t{start + 1199}\t.\t{strand}\t{phase}\t{what}")
    (folder / "alpha.gff3").write_text("\n".join(lines) + "\n")
    plastid = {f"p{number}": decode(bases(20 + number, 1500)) for number in range(4)} | {
        "left-1": "ACGT" * 200
    }
    plastid["p9"] = plastid["p0"]
    records = [*plastid.items(), ("p0", plastid["p0"])]
    (folder / "plastids.fa").write_text(
        "".join(f">{name} chloroplast\n{letters}\n" for name, letters in records)
    )
    species = ("Coffea arabica", "Coffea alba", "Vitis rara", "Oryza sativa", "Zea mays", "Zea mays")
    rows = zip(plastid, species, strict=True)
    table = ["accession\tspecies\torder", *(f"{name}\t{each}\tO{each[0]}" for name, each in rows)]
    (folder / "plastids.tsv").write_text("\n".join(table) + "\n")
    (folder / "tree.nwk").write_text("((Alpha_una:1,Beta_una:1):1,Gamma_una:2);\n")
    path = folder / "corpus.toml"
    path.write_text(recipe.format(folder=folder))
    return path
