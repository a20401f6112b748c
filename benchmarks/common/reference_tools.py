"""bcftools csq and SnpEff, run on an annotation and variants that Budwood has read."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.genetic_code import translate
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import decode, encode

#: Terms of each variant and transcript; introns of bcftools stand under the gene's name.
Terms = dict[tuple[str, str], frozenset[str]]

_OF_BCFTOOLS = {
    **{
        name: f"{name}_variant"
        for name in ("missense", "synonymous", "frameshift", "intron", "stop_retained")
    },
    **{name: f"{name}_variant" for name in ("splice_acceptor", "splice_donor", "splice_region")},
    **{"5_prime_utr": "5_prime_UTR_variant", "3_prime_utr": "3_prime_UTR_variant"},
    **{"coding_sequence": "coding_sequence_variant", "non_coding": "non_coding_transcript_exon_variant"},
}
_OF_SNPEFF = {
    **dict.fromkeys(("conservative_inframe_deletion", "disruptive_inframe_deletion"), "inframe_deletion"),
    **dict.fromkeys(("conservative_inframe_insertion", "disruptive_inframe_insertion"), "inframe_insertion"),
    "start_retained_variant": "synonymous_variant",
    "initiator_codon_variant": "start_lost",
}


def missing_tools() -> list[str]:
    """Names of the programs that are not installed."""
    return [name for name in ("bcftools", "snpEff") if shutil.which(name) is None]


def write_inputs(folder: Path, annotation: Annotation, assembly: Assembly, sites: list[Site]) -> None:
    """Write genome, annotation (Ensembl's GFF3) and variants as both tools read them."""
    used = list(dict.fromkeys(site.contig for site in sites))
    with (folder / "genome.fa").open("w", encoding="ascii") as handle:
        for name in used:
            handle.write(f">{name}\n")
            letters = decode(assembly.sequence(Interval(name, 0, assembly.contigs[name])))
            handle.writelines(letters[start : start + 80] + "\n" for start in range(0, len(letters), 80))
    with (folder / "genes.gff3").open("w", encoding="utf-8") as handle:
        handle.write("##gff-version 3\n")
        handle.writelines(line + "\n" for line in _gff(annotation, set(used)))
    with (folder / "variants.vcf").open("w", encoding="utf-8") as handle:
        handle.write("##fileformat=VCFv4.2\n")
        handle.writelines(f"##contig=<ID={name},length={assembly.contigs[name]}>\n" for name in used)
        handle.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for site in sites:
            reference, allele = site.alleles
            handle.write(
                f"{site.contig}\t{site.start + 1}\t{site.identifier}\t{reference}\t{allele}\t.\t.\t.\n"
            )


def _gff(annotation: Annotation, contigs: set[str]) -> Iterator[str]:
    for gene in annotation.genes:
        if gene.contig not in contigs or not gene.transcripts:
            continue

        def line(kind: str, start: int, end: int, text: str, phase: object = ".", gene=gene) -> str:  # type: ignore[no-untyped-def]
            place = (gene.contig, "x", kind, start + 1, end, ".", gene.strand, phase, text)
            return "\t".join(map(str, place))

        coding = any(t.cds for t in gene.transcripts)
        kind = "protein_coding" if coding else "lincRNA"
        yield line("gene", gene.start, gene.end, f"ID=gene:{gene.name};Name={gene.name};biotype={kind}")
        for t in gene.transcripts:
            kind = "protein_coding" if t.cds else "lincRNA"
            text = f"ID=transcript:{t.name};Parent=gene:{gene.name};biotype={kind}"
            yield line("mRNA" if t.cds else "lnc_RNA", t.exons[0].start, t.exons[-1].end, text)
            own = f"Parent=transcript:{t.name}"
            yield from (line("exon", exon.start, exon.end, own) for exon in t.exons)
            yield from (line("CDS", p.start, p.end, own, p.phase) for p in t.cds)
            for utr in t.utrs:
                before = (utr.start < t.cds[0].start) == (gene.strand == "+")
                yield line("five_prime_UTR" if before else "three_prime_UTR", utr.start, utr.end, own)


def bcftools_terms(text: str) -> frozenset[str]:
    """Terms of the Sequence Ontology for those of ``bcftools csq``."""
    return frozenset(_OF_BCFTOOLS.get(t.lstrip("*"), t.lstrip("*")) for t in text.split("&"))


def run_bcftools(folder: Path) -> Terms:
    """Consequences by ``bcftools csq --local-csq``, each variant by itself."""
    command = ["bcftools", "csq", "--local-csq", "-f", "genome.fa", "-g", "genes.gff3", "variants.vcf"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, info in _records(done.stdout):
        for entry in _value(info, "BCSQ").split(","):
            fields = entry.split("|")
            if len(fields) < 3 or fields[0].startswith("@"):
                continue
            transcript = fields[2] or f"gene {fields[1]}"
            found[name, transcript] |= bcftools_terms(fields[0])
    return {key: frozenset(terms) for key, terms in found.items()}


def run_snpeff(folder: Path) -> Terms:
    """Consequences by SnpEff with a database built from the same files."""
    data = folder / "data" / "here"
    data.mkdir(parents=True)
    shutil.copy(folder / "genes.gff3", data / "genes.gff")
    shutil.copy(folder / "genome.fa", data / "sequences.fa")
    (folder / "snpEff.config").write_text(
        "data.dir = ./data/\nlofCutoff = 0.95\ncodonTable.here = Standard\nhere.genome : here\n"
        "codon.Standard : " + _codons() + "\n",
        encoding="ascii",
    )
    options = ["-c", "snpEff.config", "-noLog"]
    build = ["snpEff", "-Xmx3g", "build", *options, "-gff3", "-noCheckCds", "-noCheckProtein", "here"]
    subprocess.run(build, cwd=folder, check=True, capture_output=True, text=True)
    command = ["snpEff", "-Xmx3g", "ann", *options, "-noStats", "-ud", "0", "here", "variants.vcf"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, info in _records(done.stdout):
        for entry in _value(info, "ANN").split(","):
            fields = entry.split("|")
            if len(fields) == 16 and fields[5] == "transcript":
                transcript = fields[6].removeprefix("transcript:")
                found[name, transcript] |= {_OF_SNPEFF.get(t, t) for t in fields[1].split("&")}
    return {key: frozenset(terms) for key, terms in found.items()}


def _records(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        fields = line.split("\t")
        # Debian's wrapper writes its arguments before the first line.
        if not line.startswith("#") and len(fields) >= 8:
            yield fields[2], fields[7]


def _value(info: str, key: str) -> str:
    return next((item[len(key) + 1 :] for item in info.split(";") if item.startswith(f"{key}=")), "")


def _codons() -> str:
    names = [a + b + c for a in "TCAG" for b in "TCAG" for c in "TCAG"]
    starts = {"ATG"}
    return ", ".join(f"{n}/{translate(encode(n))}{'+' if n in starts else ''}" for n in names)
