"""Write the two sources that recipes/grasses.toml adds to those of recipes/broad.toml; no Oryza is read.

    python benchmarks/pretraining/grass_sources.py --derived runs/derived

``grass_like_arabidopsis`` and ``grass_like_brassica`` are copies of the training sequence with the
composition of grasses: each gene draws how many of its codons are replaced by synonymous ones that end
in G or C (more at its beginning than at its end, as in grasses) and a few residues by similar ones with
GC-rich codons; in introns, and in blocks of 4,000 bases between genes, some A and T become G or C.
Splice sites, their neighbours, start and stop codons stay, so every label stays true. Changed bases are
in lower case: the recipe gives their reconstruction a weight of .1.

``coding_rows`` holds rows of the codon alignments without their gaps, between pieces of intergenic sequence
of the two copies, on random strands. Rows of monocots are taken whole, those of grasses three times, and at
most 40 rows of any other genus. Arabidopsis and Oryza are left out. Labels count except near the ends of the
pieces, where neither a start nor a stop codon is certain. ``coding_rows_without_<family>`` leaves out the
rows of a family, and is for left_out_families.py.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.families import FAMILIES, GRASSES
from benchmarks.pretraining.broad_sources import (
    CODE,
    PROTEIN,
    TURN,
    UPPER,
    Contigs,
    Model,
    of_genes,
    read_fasta,
    read_models,
    track,
)

#: Genera of monocots among the rows, grasses apart.
OTHER_MONOCOT_NAMES = """
    Acorus Agapanthus Agave Allium Amaryllis Asparagus Borya Brodiaea Canna Chlorogalum Chondropetalum
    Colchicum Curcuma Cyanastrum Cyanella Cyperus Disporopsis Drakaea Drimia Eriospermum Freycinetia
    Gloriosa Goodyera Haemaria Heliconia Helonias Hemerocallis Hesperaloe Johnsonia Joinvillea Juncus
    Lepidosperma Lomandra Ludovia Maianthemum Mapania Maranta Masdevallia Narcissus Nolina Nypa Oncidium
    Orchidantha Peliosanthes Phormium Phycella Pistia Platanthera Posidonia Rhodophiala Ruscus Sabal
    Sansevieria Serenoa Sisyrinchium Smilax Strelitzia Talbotia Traubia Typha Vanilla Xeronema
    Xerophyllum Xerophyta Yucca Zephyranthes Zingiber
"""
MONOCOTS = GRASSES | frozenset(OTHER_MONOCOT_NAMES.split())
LEFT_OUT = ("Arabidopsis", "Oryza")
VALIDATION = ("LK031811", "LK031812", "LK031813")
STOP = ord("*")
# Residues that a few genes replace by ones with GC-rich codons.
SIMILAR = {"K": "R", "I": "VL", "S": "A", "T": "A", "N": "D"}
LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)
EDGE = 6


def gc_codons() -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    """For each codon: synonymous codons that end in G or C, and such codons of similar residues."""
    bases = np.arange(64)
    ends_gc = np.isin(bases % 4, (1, 2))
    same, similar = [], []
    for codon in range(64):
        same.append(np.flatnonzero((PROTEIN[codon] == PROTEIN) & ends_gc))
        others = SIMILAR.get(chr(PROTEIN[codon]), "").encode()
        similar.append(np.flatnonzero(np.isin(PROTEIN, list(others)) & ends_gc))
    return same, similar


SAME, SIMILAR_CODONS = gc_codons()


def recode(gene: Model, bases: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.bool_]:
    """Change codons of a gene in place.

    Returns
    -------
    ndarray
        Which bases of the contig were changed, within the gene's ends.
    """
    changed = np.zeros(gene.end - gene.start, np.bool_)
    places = np.concatenate([np.arange(s, e) for s, e in gene.cds])
    inner = np.concatenate([np.minimum(np.arange(e - s), np.arange(e - s)[::-1]) >= 3 for s, e in gene.cds])
    if gene.strand == "-":
        places, inner = places[::-1], inner[::-1]
    whole = len(places) // 3 * 3
    codons, inner = places[:whole].reshape(-1, 3), inner[:whole].reshape(-1, 3).all(1)
    read = UPPER[bases[codons]]
    if gene.strand == "-":
        read = TURN[read]
    codes = CODE[read].astype(np.int64)
    known = (codes < 4).all(1)
    numbers = np.where(known, codes.clip(max=3) @ [16, 4, 1], 0)
    fine = known & inner & (PROTEIN[numbers] != STOP)
    fine[:1] = fine[-1:] = False
    most = random.uniform(0.4, 1.0) if random.random() < 0.6 else random.uniform(0.0, 0.4)
    fall = random.uniform(0.0, 0.6)
    chance = most * (1 - fall * np.minimum(1.0, 3 * np.arange(len(codons)) / 1000))
    drawn, other = random.random((2, len(codons)))
    for at in np.flatnonzero(fine & (drawn < chance)):
        pool = SIMILAR_CODONS[numbers[at]] if other[at] < 0.3 * most else SAME[numbers[at]]
        pool = pool if len(pool) else SAME[numbers[at]]
        if not len(pool):
            continue
        new = int(pool[random.integers(len(pool))])
        letters = LETTERS[[new // 16, new // 4 % 4, new % 4]]
        differ = letters != read[at]
        bases[codons[at]] = TURN[letters] if gene.strand == "-" else letters
        changed[codons[at][differ] - gene.start] = True
    return changed


def enrich(
    bases: NDArray[np.uint8], where: NDArray[np.intp], share: float, random: np.random.Generator
) -> NDArray[np.intp]:
    """Turn a share of the A and T among ``where`` into G or C, in place; returns the places changed."""
    weak = where[np.isin(UPPER[bases[where]], (ord("A"), ord("T")))]
    chosen = weak[random.random(len(weak)) < share]
    bases[chosen] = np.where(random.random(len(chosen)) < 0.5, ord("C"), ord("G"))
    return chosen


def grass_like(contigs: Contigs, genes: list[Model], seed: int) -> dict[str, NDArray[np.bool_]]:
    """Change the composition of a genome in place; returns which bases were changed."""
    random = np.random.default_rng(seed)
    changed = {name: np.zeros(len(bases), np.bool_) for name, bases in contigs.items()}
    within, done = track(contigs, of_genes(genes)), track(contigs, [])
    for name, bases in contigs.items():
        for start in range(0, len(bases), 4000):
            free = start + np.flatnonzero(~within[name][start : start + 4000])
            changed[name][enrich(bases, free, random.uniform(0, 0.18), random)] = True
    for gene in genes:
        if not gene.cds or gene.strand not in "+-" or done[gene.contig][gene.start : gene.end].any():
            continue
        done[gene.contig][gene.start : gene.end] = True
        bases = contigs[gene.contig]
        changed[gene.contig][gene.start : gene.end] |= recode(gene, bases, random)
        exons = gene.exons or gene.cds
        share = random.uniform(0, 0.12)
        for (_, left), (right, _) in itertools.pairwise(exons):
            inner = (8, 30) if gene.strand == "+" else (30, 8)
            where = np.arange(left + inner[0], right - inner[1])
            changed[gene.contig][enrich(bases, where, share, random)] = True
    return changed


def write_fasta(path: Path, contigs: Contigs) -> None:
    with path.open("wb") as file:
        for name, bases in contigs.items():
            file.write(f">{name}\n".encode())
            for at in range(0, len(bases), 100_000):
                file.write(bases[at : at + 100_000].tobytes() + b"\n")


def gc(bases: NDArray[np.uint8]) -> float:
    codes = CODE[bases]
    known = codes < 4
    return float(np.isin(codes[known], (1, 2)).mean())


@dataclass(frozen=True)
class Row:
    """Coding sequence of one species in one locus."""

    genus: str
    bases: NDArray[np.uint8]


def read_rows(path: Path) -> list[Row]:
    found = []
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            for record in file.read().decode().split(">")[1:]:
                head, _, body = record.partition("\n")
                genus = head.split("_")[0]
                if genus not in LEFT_OUT and (bases := coding(body.replace("\n", ""))) is not None:
                    found.append(Row(genus, bases))
    return found


def coding(aligned: str) -> NDArray[np.uint8] | None:
    """The longest run of whole codons of A, C, G, T without a stop codon; None under 150 bases."""
    codons = [aligned[at : at + 3].upper() for at in range(0, len(aligned) - 2, 3)]
    text = "".join(
        "..." if codon == "---" else codon if re.fullmatch("[ACGT]{3}", codon) else "!!!" for codon in codons
    ).replace(".", "")
    best = ""
    for part in text.split("!!!"):
        run = ""
        for at in range(0, len(part) - 2, 3):
            codon = part[at : at + 3]
            run = "" if codon in ("TAA", "TAG", "TGA") else run + codon
            best = max(best, run, key=len)
    return np.frombuffer(best.encode(), dtype=np.uint8).copy() if len(best) >= 150 else None


def choose(rows: list[Row], random: np.random.Generator) -> list[Row]:
    chosen, taken = [], dict[str, int]()
    for at in random.permutation(len(rows)):
        row = rows[at]
        taken[row.genus] = taken.get(row.genus, 0) + 1
        if row.genus in MONOCOTS or taken[row.genus] <= 40:
            chosen += [row] * (3 if row.genus in GRASSES else 1)
    return [chosen[at] for at in random.permutation(len(chosen))]


def join(
    rows: list[Row], pieces: list[NDArray[np.uint8]], stem: Path, random: np.random.Generator
) -> dict[str, int]:
    """Write pseudo-contigs of about 8,000 bases: rows on random strands, pieces between them.

    The files are ``stem`` with the endings .fa, .gff3 and .labelled.bed.
    """
    facts = {"rows": len(rows), "coding": sum(len(row.bases) for row in rows), "bases": 0, "contigs": 0}
    contigs: Contigs = {}
    gff, bed = ["##gff-version 3\n"], []
    parts: list[NDArray[np.uint8]] = []
    length = gene = 0

    def add(bases: NDArray[np.uint8]) -> tuple[int, int]:
        nonlocal length
        parts.append(bases)
        length += len(bases)
        return length - len(bases), length

    for number, row in enumerate(rows):
        name = f"p{len(contigs) + 1}"
        for kind in ("piece", "row"):
            piece = pieces[int(random.integers(len(pieces)))]
            if kind == "piece":
                size = int(random.integers(100, min(700, len(piece))))
                begin = int(random.integers(len(piece) - size + 1))
                start, end = add(piece[begin : begin + size])
            else:
                strand = "+-"[int(random.integers(2))]
                start, end = add(row.bases if strand == "+" else TURN[row.bases[::-1]])
                gene += 1
                head, tail = f"{name}\t.", f"{start + 1}\t{end}\t.\t{strand}\t"
                gff += [
                    f"{head}\tgene\t{tail}.\tID=g{gene}\n",
                    f"{head}\tmRNA\t{tail}.\tID=t{gene};Parent=g{gene}\n",
                    f"{head}\texon\t{tail}.\tParent=t{gene}\n",
                    f"{head}\tCDS\t{tail}0\tParent=t{gene}\n",
                ]
            bed.append(f"{name}\t{start + EDGE}\t{end - EDGE}\n")
        if length > 8000 or number + 1 == len(rows):
            contigs[name] = np.concatenate(parts)
            facts["bases"] += length
            parts, length = [], 0
    facts["contigs"] = len(contigs)
    write_fasta(stem.with_name(f"{stem.name}.fa"), contigs)
    stem.with_name(f"{stem.name}.gff3").write_text("".join(gff), encoding="utf-8")
    stem.with_name(f"{stem.name}.labelled.bed").write_text("".join(bed), encoding="utf-8")
    return facts


def intergenic(contigs: Contigs, genes: list[Model]) -> list[NDArray[np.uint8]]:
    """Pieces without N of 800 to 3,000 bases, 1,000 or more from any gene."""
    near = track(contigs, of_genes(genes), 1000)
    found = []
    for name, bases in contigs.items():
        free = ~near[name] & (CODE[bases] < 4)
        edges = np.flatnonzero(np.diff(np.r_[False, free, False].astype(np.int8))).reshape(-1, 2)
        for start, end in edges.tolist():
            found += [bases[at : at + 3000] for at in range(start, end - 800, 3000)]
    return found


def intergenic_of(derived: Path, name: str) -> list[NDArray[np.uint8]]:
    """Pieces of a genome that broad_sources.py wrote."""
    return intergenic(read_fasta(derived / f"{name}.fa"), read_models(derived / f"{name}.gff3"))


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--derived", type=Path, required=True, help="what broad_sources.py wrote; added to")
    arguments = parser.parse_args()
    data, out = Path(os.environ["BUDWOOD_DATA"]), arguments.derived
    random = np.random.default_rng(3)
    facts: dict[str, object] = {}
    pieces: list[NDArray[np.uint8]] = []
    brassica = data / "genomes" / "brassica_napus"
    for tag, fasta, gff in (
        ("arabidopsis", out / "arabidopsis_thaliana.fa", out / "arabidopsis_thaliana.gff3"),
        ("brassica", brassica / "genome.fa.xz", brassica / "annotation.gff3.xz"),
    ):
        contigs = {name: bases for name, bases in read_fasta(fasta).items() if name not in VALIDATION}
        genes = [gene for gene in read_models(gff) if gene.contig in contigs]
        before = {name: bases.copy() for name, bases in contigs.items()}
        changed = grass_like(contigs, genes, seed=len(tag))
        for name, where in changed.items():
            bases = contigs[name]
            kept_low = (before[name] > 96) & (bases < 97) & (CODE[bases] < 4)
            bases[kept_low | (where & (bases < 97))] += 32
        cds = track(contigs, [(g.contig, *s) for g in genes for s in g.cds])
        facts[f"grass_like_{tag}"] = {
            "genes": len(genes),
            "changed": int(sum(where.sum() for where in changed.values())),
            "gc_coding": [gc(np.concatenate([b[n][cds[n]] for n in contigs])) for b in (before, contigs)],
            "gc_other": [gc(np.concatenate([b[n][~cds[n]] for n in contigs])) for b in (before, contigs)],
        }
        print(tag, facts[f"grass_like_{tag}"], flush=True)
        write_fasta(out / f"grass_like_{tag}.fa", contigs)
        pieces += intergenic(contigs, genes)
    every_row = read_rows(data / "alignments" / "a353_codon_plus.tar.xz")
    rows = choose(every_row, random)
    shares = {
        "grasses": sum(len(r.bases) for r in rows if r.genus in GRASSES),
        "monocots": sum(len(r.bases) for r in rows if r.genus in MONOCOTS),
    }
    facts["coding_rows"] = join(rows, pieces, out / "coding_rows", random) | shares
    print(facts["coding_rows"], flush=True)
    for family, genera in FAMILIES.items():
        random = np.random.default_rng(3)
        rows = choose([row for row in every_row if row.genus not in genera], random)
        between = pieces if family != "Brassicaceae" else intergenic_of(out, "bidens_pilosa")
        name = f"coding_rows_without_{family.lower()}"
        facts[name] = join(rows, between, out / name, random)
    names = [
        *(f"grass_like_{tag}.fa" for tag in ("arabidopsis", "brassica")),
        *sorted(p.name for p in out.glob("coding_rows.*")),
    ]
    facts["sha256"] = {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in names}
    (out / "grass_facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
