"""Write the files that recipes/broad.toml trains on: genomes, genes, and which labels count.

    python benchmarks/pretraining/broad_sources.py --proteins runs/spaln
    cd runs/spaln
    xz -dc $BUDWOOD_DATA/genomes/theobroma_cacao/genome.fa.xz > cacao.mfa && spaln -W -KP cacao.mfa
    spaln -Q7 -O0 -TEudicoty -dcacao proteins.faa > cacao.gff     # lyrata.gff likewise
    python benchmarks/pretraining/broad_sources.py --projected runs/spaln --out runs/derived

spaln takes .1 s per protein and genome. It may be stopped at any time: proteins of Arabidopsis Chr1 and of
Brassica napus are in random order, and the script uses the alignments finished so far.

Scored stretches are replaced by N, so that coordinates stay: the Arabidopsis pieces, what Arabidopsis
lyrata has in their place, and the last tenth of Brazil nut and of the largest Bidens scaffold. Bases of
genomes without a mask are written in lower case where their 16-mers are frequent. ``<name>.labelled.bed``
lists the bases with a trusted label; all others have none in training:

- Arabidopsis: everything but pseudogenes, genes that are not whole, and on Chr5, where coding sequences alone
  are known, what lies between a gene's ends and its coding sequence;
- Bidens: genes, and what lies 1,000 bases or more from any; Brazil nut: genes, its transposons, and what lies
  2,000 bases or more from a gene;
- cacao and Arabidopsis lyrata: genes that ``spaln`` projects whole (start and stop codon, one reading frame,
  GT/GC-AG), and repeats 300 bases or more from anything it aligns.

``--projected`` holds the output of spaln, files lyrata*.gff and cacao*.gff.
Oryza is in none of the files; Arabidopsis plastids are left out as well.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for

UPPER = np.arange(256, dtype=np.uint8)
UPPER[ord("a") : ord("z") + 1] -= 32
CODE = np.full(256, 255, dtype=np.uint8)
for number, letter in enumerate("ACGT"):
    CODE[ord(letter)] = CODE[ord(letter.lower())] = number
TURN = np.arange(256, dtype=np.uint8)
for one, other in ("AT", "CG"):
    TURN[ord(one)], TURN[ord(other)] = ord(other), ord(one)
# Last base excluded: the scored pieces (TAIR10 coordinates, 0-based), a little widened.
HELD_OUT = {"Chr1": [(0, 306_000)], "Chr5": [(0, 271_000), (25_974_500, 26_975_502)]}
STOPS = {"TAA", "TAG", "TGA"}
Contigs = dict[str, NDArray[np.uint8]]
Spans = list[tuple[int, int]]


@dataclass
class Model:
    """A gene: contig, ends, strand, parts of its longest coding sequence in ascending order."""

    name: str
    contig: str
    start: int
    end: int
    strand: str
    cds: Spans = field(default_factory=list)
    exons: Spans = field(default_factory=list)


def lines(path: Path) -> Iterator[str]:
    with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as file:
        yield from file


def read_fasta(path: Path) -> Contigs:
    found: dict[str, list[bytes]] = {}
    with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
        for line in file:
            if line.startswith(b">"):
                parts = found.setdefault(line[1:].split()[0].decode(), [])
            else:
                parts.append(line.strip())
    return {name: np.frombuffer(b"".join(parts), dtype=np.uint8).copy() for name, parts in found.items()}


def read_models(path: Path) -> list[Model]:
    """Genes of a GFF3 file, each with its longest coding sequence; pseudogenes have none."""
    genes: dict[str, Model] = {}
    parent: dict[str, str] = {}
    parts: dict[str, dict[str, Spans]] = {}
    for line in lines(path):
        columns = line.rstrip("\n").split("\t")
        if len(columns) < 9:
            continue
        attributes = dict(each.split("=", 1) for each in columns[8].split(";") if "=" in each)
        kind, span = columns[2].lower(), (int(columns[3]) - 1, int(columns[4]))
        if kind in ("gene", "pseudogene"):
            genes[attributes["ID"]] = Model(attributes["ID"], columns[0], *span, columns[6])
        elif kind in ("mrna", "transcript"):
            parent[attributes["ID"]] = attributes["Parent"]
        elif kind in ("cds", "exon"):
            for name in attributes["Parent"].split(","):
                parts.setdefault(name, {}).setdefault(kind, []).append(span)
    for name, kinds in parts.items():
        gene = genes.get(parent.get(name, ""))
        cds = sorted(kinds.get("cds", []))
        if gene is not None and sum(e - s for s, e in cds) > sum(e - s for s, e in gene.cds):
            gene.cds, gene.exons = cds, sorted(kinds.get("exon", cds))
    return list(genes.values())


def read_coding_blocks(path: Path, contig: str) -> list[Model]:
    found = []
    for line in lines(path):
        columns = line.split("\t")
        if f"Chr{columns[0]}" != contig:
            continue
        start = int(columns[1])
        sizes, offsets = ([int(n) for n in c.strip().strip(",").split(",")] for c in columns[10:12])
        cds = sorted((start + o, start + o + s) for s, o in zip(sizes, offsets, strict=True))
        found.append(Model(columns[3], contig, start, int(columns[2]), columns[5], cds, cds))
    return found


def whole(gene: Model, contigs: Contigs) -> bool:
    """Whether the coding sequence is a reading frame from ATG to a stop codon with introns GT/GC-AG."""
    bases = contigs[gene.contig]
    if not gene.cds or gene.strand not in "+-":
        return False
    cds = UPPER[np.concatenate([bases[s:e] for s, e in gene.cds])]
    text = (cds if gene.strand == "+" else TURN[cds[::-1]]).tobytes().decode()
    if len(text) % 3 or len(text) < 150 or set(text) - set("ACGT"):
        return False
    if text[:3] != "ATG" or text[-3:] not in STOPS:
        return False
    if any(text[at : at + 3] in STOPS for at in range(0, len(text) - 3, 3)):
        return False
    for (_, left), (right, _) in zip(gene.cds, gene.cds[1:], strict=False):
        if right - left < 40:
            return False
        ends = UPPER[np.r_[bases[left : left + 2], bases[right - 2 : right]]]
        sites = (ends if gene.strand == "+" else TURN[ends[::-1]]).tobytes()
        if sites not in (b"GTAG", b"GCAG"):
            return False
    return True


PROTEIN = np.frombuffer(b"KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF", dtype=np.uint8)


def proteins(data: Path, out: Path) -> None:
    """Proteins of Arabidopsis Chr1 and Brassica napus, of 80 residues or more, in random order."""
    records = []
    for tag, fasta, gff in (
        ("At", "arabidopsis_thaliana/chr1.fa.xz", "arabidopsis_thaliana/chr1.gff3.xz"),
        ("Bn", "brassica_napus/genome.fa.xz", "brassica_napus/annotation.gff3.xz"),
    ):
        contigs = read_fasta(data / fasta)
        for gene in read_models(data / gff):
            if whole(gene, contigs):
                cds = UPPER[np.concatenate([contigs[gene.contig][s:e] for s, e in gene.cds])]
                code = CODE[cds if gene.strand == "+" else TURN[cds[::-1]]].reshape(-1, 3).astype(np.int64)
                if len(code) > 80:
                    letters = PROTEIN[code @ [16, 4, 1]][:-1].tobytes().decode()
                    records.append(f">{tag}_{gene.name}\n{letters}\n")
    order = np.random.default_rng(1).permutation(len(records))
    out.mkdir(parents=True, exist_ok=True)
    (out / "proteins.faa").write_text("".join(records[i] for i in order), encoding="utf-8")


def with_stop(gene: Model, contigs: Contigs) -> Model:
    """The model with the stop codon that a protein alignment leaves out, where one follows."""
    bases, (first, last) = contigs[gene.contig], (gene.cds[0], gene.cds[-1])
    if gene.strand == "+":
        codon = UPPER[bases[last[1] : last[1] + 3]].tobytes().decode()
        if codon in STOPS:
            gene.cds[-1], gene.end = (last[0], last[1] + 3), max(gene.end, last[1] + 3)
    else:
        codon = TURN[UPPER[bases[max(first[0] - 3, 0) : first[0]]][::-1]].tobytes().decode()
        if codon in STOPS:
            gene.cds[0], gene.start = (first[0] - 3, first[1]), min(gene.start, first[0] - 3)
    gene.exons = list(gene.cds)
    return gene


def kmers(bases: NDArray[np.uint8], k: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The k-mer that begins at each base, the smaller of both strands, and whether it holds no N."""
    code = CODE[bases]
    known = code < 4
    code = np.where(known, code, 0).astype(np.uint64)
    count = len(code) - k + 1
    forward, reverse = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    for at in range(k):
        part = code[at : at + count]
        forward = forward << np.uint64(2) | part
        reverse |= (np.uint64(3) - part) << np.uint64(2 * at)
    runs = np.r_[0, np.cumsum(~known)]
    return np.minimum(forward, reverse), runs[k:] == runs[:count]


def frequent(contigs: Contigs, k: int = 16, least: int = 8) -> dict[str, NDArray[np.bool_]]:
    """Bases in 16-mers that the genome holds eight times: runs of 30 bases or more, gaps of 20 closed."""
    read = {name: kmers(bases, k) for name, bases in contigs.items()}
    every = np.concatenate([keys[fine] for keys, fine in read.values()]).astype(np.uint32)
    every.sort()
    heads = np.flatnonzero(np.r_[True, every[1:] != every[:-1]])
    often = every[heads[np.diff(np.r_[heads, len(every)]) >= least]]
    masks = {}
    for name, (keys, fine) in read.items():
        place = np.searchsorted(often, keys.astype(np.uint32)).clip(max=max(len(often) - 1, 0))
        hit = fine & (often[place] == keys.astype(np.uint32)) if len(often) else np.zeros_like(fine)
        at = np.flatnonzero(hit)
        mask = np.zeros(len(contigs[name]), np.bool_)
        if len(at):
            cuts = np.flatnonzero(np.diff(at) > k + 20)
            for s, e in zip(np.r_[at[0], at[cuts + 1]], np.r_[at[cuts], at[-1]] + k, strict=True):
                if e - s >= 30:
                    mask[s:e] = True
        masks[name] = mask
    return masks


def alike(
    contigs: Contigs, pieces: Sequence[NDArray[np.uint8]], k: int = 20, step: int = 2000
) -> dict[str, Spans]:
    """Stretches with forty of the pieces' single-copy 20-mers per 2,000 bases, gaps of 20 kb closed."""
    every = np.concatenate([keys[fine] for keys, fine in (kmers(piece, k) for piece in pieces)])
    single, counts = np.unique(every, return_counts=True)
    single = single[counts == 1]
    found: dict[str, Spans] = {}
    for name, bases in contigs.items():
        keys, fine = kmers(bases, k)
        place = np.searchsorted(single, keys).clip(max=len(single) - 1)
        hits = np.flatnonzero(fine & (single[place] == keys))
        bins = np.flatnonzero(np.bincount(hits // step, minlength=1) >= 40)
        spans: Spans = []
        for start in (int(b) * step for b in bins):
            if spans and start - spans[-1][1] < 20_000:
                spans[-1] = (spans[-1][0], start + step)
            else:
                spans.append((start, start + step))
        found[name] = [(max(0, s - step), min(len(bases), e + step)) for s, e in spans]
    return found


def track(
    contigs: Contigs, spans: Sequence[tuple[str, int, int]], reach: int = 0
) -> dict[str, NDArray[np.bool_]]:
    marked = {name: np.zeros(len(bases), np.bool_) for name, bases in contigs.items()}
    for name, start, end in spans:
        if name in marked:
            marked[name][max(0, start - reach) : end + reach] = True
    return marked


def of_genes(genes: Sequence[Model]) -> list[tuple[str, int, int]]:
    return [(g.contig, g.start, g.end) for g in genes]


def of_gff(path: Path, kinds: Sequence[str] = ()) -> list[tuple[str, int, int]]:
    rows = (line.split("\t") for line in lines(path))
    return [(c[0], int(c[3]) - 1, int(c[4])) for c in rows if len(c) > 6 and (not kinds or c[2] in kinds)]


class Writer:
    """Writes a genome, its genes and the bases whose label counts, and keeps what it wrote in numbers."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.facts: dict[str, object] = {}

    def genome(
        self,
        name: str,
        contigs: Contigs,
        genes: Sequence[Model],
        labelled: dict[str, NDArray[np.bool_]] | None,
        repeats: dict[str, NDArray[np.bool_]] | None,
        held_out: dict[str, Spans],
    ) -> None:
        for contig, spans in held_out.items():
            for start, end in spans:
                contigs[contig][start:end] = ord("N")
        cut = track(contigs, [(c, s, e) for c, spans in held_out.items() for s, e in spans])
        genes = [g for g in genes if not cut[g.contig][g.start : g.end].any()]
        with (self.out / f"{name}.fa").open("wb") as file:
            for contig, bases in contigs.items():
                if repeats is not None:
                    low = repeats[contig] & (CODE[bases] < 4)
                    bases = np.where(low, UPPER[bases] + np.uint8(32), UPPER[bases])
                file.write(f">{contig}\n".encode())
                for at in range(0, len(bases), 100_000):
                    file.write(bases[at : at + 100_000].tobytes() + b"\n")
        facts = {
            "bases": sum(map(len, contigs.values())),
            "known": int(sum((CODE[b] < 4).sum() for b in contigs.values())),
        }
        facts["lower"] = int(
            sum(((b > 96) if repeats is None else repeats[c]).sum() for c, b in contigs.items())
        )
        if genes:
            self._gff(name, genes)
            facts |= {"genes": len(genes), "coding": sum(e - s for g in genes for s, e in g.cds)}
        if labelled is not None:
            rows = 0
            with (self.out / f"{name}.labelled.bed").open("w") as file:
                for contig, mask in labelled.items():
                    mask = mask & ~cut[contig]
                    edges = np.flatnonzero(np.diff(np.r_[False, mask, False].astype(np.int8)))
                    file.writelines(f"{contig}\t{s}\t{e}\n" for s, e in edges.reshape(-1, 2).tolist())
                    rows += int(mask.sum())
            facts["labelled"] = rows
        facts["held_out"] = {c: spans for c, spans in held_out.items() if spans}
        self.facts[name] = facts
        print(name, {k: v for k, v in facts.items() if k != "held_out"}, flush=True)

    def _gff(self, name: str, genes: Sequence[Model]) -> None:
        with (self.out / f"{name}.gff3").open("w") as file:
            file.write("##gff-version 3\n")
            for number, gene in enumerate(sorted(genes, key=lambda g: (g.contig, g.start)), start=1):
                head, tail = f"{gene.contig}\t.", f"\t.\t{gene.strand}\t"
                file.write(f"{head}\tgene\t{gene.start + 1}\t{gene.end}{tail}.\tID=g{number}\n")
                file.write(
                    f"{head}\tmRNA\t{gene.start + 1}\t{gene.end}{tail}.\tID=t{number};Parent=g{number}\n"
                )
                for s, e in gene.exons:
                    file.write(f"{head}\texon\t{s + 1}\t{e}{tail}.\tParent=t{number}\n")
                done = 0
                for s, e in gene.cds if gene.strand == "+" else gene.cds[::-1]:
                    file.write(f"{head}\tCDS\t{s + 1}\t{e}{tail}{-done % 3}\tParent=t{number}\n")
                    done += e - s


def arabidopsis(data: Path, write: Writer) -> None:
    folder = data / "arabidopsis_thaliana"
    contigs = read_fasta(folder / "chr1.fa.xz") | read_fasta(folder / "chr5.fa.xz")
    tracks = folder / "tair10_tracks"
    first = read_models(folder / "chr1.gff3.xz")
    fifth = read_coding_blocks(tracks / "thaliana_v9_cds_blocks.bed.xz", "Chr5")
    kept = [g for g in first if whole(g, contigs)]
    sound = [g for g in fifth if whole(g, contigs)]
    print(f"Chr1: {len(kept)} whole of {len(first)}; Chr5: {len(sound)} of {len(fifth)}", flush=True)
    uncertain = track(contigs, of_genes([g for g in first if not whole(g, contigs)]))
    everything = (
        of_gff(tracks / "frag_genes.gff.xz") + of_gff(tracks / "frag_pseudogene.gff.xz") + of_genes(fifth)
    )
    for contig, start, end in everything:
        if contig == "Chr5":
            uncertain["Chr5"][start:end] = True
    # What one model calls intergenic may be part of another that is not whole.
    for gene in sound:
        gene.start, gene.end = gene.cds[0][0], gene.cds[-1][1]
        uncertain["Chr5"][gene.start : gene.end] = False
    labelled = {name: ~mask for name, mask in uncertain.items()}
    repeats = {"Chr1": contigs["Chr1"] > 96}
    repeats["Chr5"] = track(contigs, of_gff(tracks / "frag_transposable_element.gff.xz"))["Chr5"]
    repeats["Chr5"] |= frequent({"Chr5": contigs["Chr5"]})["Chr5"]
    write.genome("arabidopsis_thaliana", contigs, kept + sound, labelled, repeats, HELD_OUT)


def last_tenth(contigs: Contigs, name: str) -> dict[str, Spans]:
    length = len(contigs[name])
    return {name: [(length - length // 10, length)]}


def predicted(data: Path, write: Writer, name: str, distance: int) -> None:
    """Bidens and Brazil nut."""
    contigs = read_fasta(data / name / "genome.fa.xz")
    models = read_models(data / name / "annotation.gff3.xz")
    repeats = frequent(contigs)
    transposons = data / name / "transposons_edta.gff3.xz"
    known = track(contigs, of_gff(transposons) if transposons.exists() else [])
    kept = []
    for gene in models:
        low = sum(int((repeats[gene.contig][s:e] | known[gene.contig][s:e]).sum()) for s, e in gene.cds)
        if whole(gene, contigs) and low < 0.5 * sum(e - s for s, e in gene.cds):
            kept.append(gene)
    print(f"{name}: {len(kept)} of {len(models)} genes kept", flush=True)
    inside, around = track(contigs, of_genes(kept)), track(contigs, of_genes(models), distance)
    spans = track(contigs, of_genes(models))
    labelled = {c: inside[c] | ~around[c] | (known[c] & ~spans[c]) for c in contigs}
    repeats = {c: repeats[c] | known[c] for c in contigs}
    largest = max(contigs, key=lambda c: len(contigs[c]))
    write.genome(name, contigs, kept, labelled, repeats, last_tenth(contigs, largest))


def projected(
    data: Path,
    write: Writer,
    name: str,
    fasta: str,
    aligned: Sequence[Path],
) -> None:
    """Cacao and Arabidopsis lyrata."""
    contigs = read_fasta(data / name / fasta)
    masked = any((bases > 96).any() for bases in contigs.values())
    repeats = {c: b > 96 for c, b in contigs.items()} if masked else frequent(contigs)
    models = [with_stop(g, contigs) for path in aligned for g in read_models(path) if g.cds]
    sound = [g for g in models if whole(g, contigs)]
    # One model per place: the longest coding sequence first.
    taken, kept = track(contigs, []), []
    for gene in sorted(sound, key=lambda g: -sum(e - s for s, e in g.cds)):
        if not taken[gene.contig][gene.start : gene.end].any():
            taken[gene.contig][gene.start : gene.end] = True
            kept.append(gene)
    print(f"{name}: {len(models)} models aligned, {len(sound)} whole, {len(kept)} kept", flush=True)
    near = track(contigs, of_genes(models), 300)
    labelled = {c: taken[c] | (repeats[c] & ~near[c]) for c in contigs}
    pieces = list(read_fasta(data / "arabidopsis_thaliana" / "tair10_pieces.fa.xz").values())
    write.genome(name, contigs, kept, labelled, repeats, alike(contigs, pieces))


def plastids(data: Path, write: Writer) -> None:
    taken = skipped = bases = 0
    seen: set[str] = set()
    with (write.out / "plastomes.fa").open("w") as file:
        for line in lines(data / "plastomes" / "plastomes_733.fa.xz"):
            if line.startswith(">"):
                accession = line.split()[0]
                take = accession not in seen and not any(genus in line for genus in ("Arabidopsis", "Oryza"))
                seen.add(accession)
                taken, skipped = taken + take, skipped + (not take)
            if take:
                file.write(line.upper() if not line.startswith(">") else line)
                bases += 0 if line.startswith(">") else len(line) - 1
    write.facts["plastomes"] = {"bases": bases, "sequences": taken, "left_out": skipped}
    print("plastomes", write.facts["plastomes"], flush=True)


def one_genome(data: Path, out: Path, make: Callable[..., None], *rest: object) -> dict[str, object]:
    write = Writer(out)
    make(data, write, *rest)
    return write.facts


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--proteins", type=Path, help="only write what spaln shall align into this folder")
    parser.add_argument("--projected", type=Path, help="folder of spaln's GFF3 files")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    data = Path(os.environ["BUDWOOD_DATA"]) / "genomes"
    if arguments.proteins is not None:
        proteins(data, arguments.proteins)
        return
    if arguments.projected is None or arguments.out is None:
        parser.error("give --projected and --out")
    arguments.out.mkdir(parents=True, exist_ok=True)
    lyrata, cacao = (sorted(arguments.projected.glob(f"{name}*.gff")) for name in ("lyrata", "cacao"))
    jobs = (
        (arabidopsis,),
        (predicted, "bidens_pilosa", 1000),
        (predicted, "bertholletia_excelsa", 2000),
        (projected, "arabidopsis_lyrata", "petraea_chr1_chr2.fa.xz", lyrata),
        (projected, "theobroma_cacao", "genome.fa.xz", cacao),
        (plastids,),
    )
    with ProcessPoolExecutor(len(jobs)) as pool:
        done = [pool.submit(one_genome, data, arguments.out, *job) for job in jobs]
    genomes = {name: facts for each in done for name, facts in each.result().items()}
    digests = {}
    for path in sorted(filter(Path.is_file, arguments.out.iterdir())):
        if path.name != "facts.json":
            digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = {"genomes": genomes, "sha256": digests}
    (arguments.out / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
