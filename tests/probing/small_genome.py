"""A small genome with genes, repeats and intervals whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

#: Bases of a contig, of an exon and of an intron.
LENGTH, EXON, INTRON = 60_000, 300, 150


def write_genome(folder: Path, contigs: tuple[str, ...] = ("c1", "c2"), seed: int = 0) -> tuple[Path, Path]:
    """FASTA and GFF3: genes of two exons every 2,000 bases with GT-AG introns; coding exons are rich in C."""
    random = np.random.default_rng(seed)
    fasta, gff = folder / f"genome{seed}.fa", folder / f"genes{seed}.gff3"
    lines = ["##gff-version 3"]
    with fasta.open("w") as handle:
        for contig in contigs:
            letters = random.choice(list("ACGT"), LENGTH)
            for number, start in enumerate(range(1_000, LENGTH - 2_000, 2_000)):
                first, second = start + EXON, start + EXON + INTRON
                end = second + EXON
                for a, b in ((start, first), (second, end)):
                    letters[a:b] = random.choice(list("ACGT"), b - a, p=[0.15, 0.45, 0.25, 0.15])
                letters[start : start + 3] = list("ATG")
                letters[first : first + 6] = list("GTAAGT")
                letters[second - 6 : second] = list("TTTCAG")
                letters[end - 3 : end] = list("TAA")
                name = f"{contig}.{number}"
                span = f"{start + 1}\t{end}\t.\t+"
                lines.append(f"{contig}\tx\tgene\t{span}\t.\tID={name}")
                lines.append(f"{contig}\tx\tmRNA\t{span}\t.\tID={name}.t;Parent={name}")
                for a, b, phase in ((start, first, 0), (second, end, 0)):
                    lines.append(f"{contig}\tx\texon\t{a + 1}\t{b}\t.\t+\t.\tParent={name}.t")
                    lines.append(f"{contig}\tx\tCDS\t{a + 1}\t{b}\t.\t+\t{phase}\tParent={name}.t")
            handle.write(f">{contig}\n{''.join(letters)}\n")
    gff.write_text("\n".join(lines) + "\n")
    return fasta, gff
