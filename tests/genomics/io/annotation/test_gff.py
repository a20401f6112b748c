from __future__ import annotations

import gzip
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.sequence import decode, reverse_complement

GENE = [
    "c ena gene 11 90 . - . ID=gene:G1;Name=first%3B gene",
    "c ena mRNA 11 90 . - . ID=transcript:T1;Parent=gene:G1",
    "c ena exon 11 40 . - . Parent=transcript:T1",
    "c ena exon 61 90 . - . Parent=transcript:T1",
    "c ena CDS 21 40 . - 2 ID=CDS:P1;Parent=transcript:T1",
    "c ena CDS 61 80 . - 0 ID=CDS:P1;Parent=transcript:T1",
]


def write(folder: Path, lines: list[str], name: str = "genes.gff3") -> Path:
    """Lines with their first eight columns separated by blanks here and by tabs in the file."""
    path = folder / name
    text = "\n".join("\t".join(line.split(" ", 8)) if line[0] != "#" else line for line in lines)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def only_gene(path: Path) -> Gene:
    (gene,) = read_gff(path).genes
    return gene


def test_a_gene_of_ensembl_loses_its_prefixes(tmp_path: Path) -> None:
    gene = only_gene(write(tmp_path, ["##gff-version 3", "#comment", *GENE]))
    assert (gene.name, gene.contig, gene.start, gene.end, gene.strand) == ("G1", "c", 10, 90, "-")
    (transcript,) = gene.transcripts
    assert transcript.name == "T1"
    assert transcript.exons == (Span(10, 40), Span(60, 90))
    assert transcript.cds == (CodingPart(20, 40, 2), CodingPart(60, 80, 0))
    assert transcript.utrs == (Span(10, 20), Span(80, 90))
    assert transcript.introns == (Span(40, 60),)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_lines_does_not_matter(seed: int, tmp_path: Path) -> None:
    lines = GENE.copy()
    random.Random(seed).shuffle(lines)
    assert only_gene(write(tmp_path, lines)) == only_gene(write(tmp_path, GENE, "sorted.gff3"))


def test_parts_with_several_parents_belong_to_each(tmp_path: Path) -> None:
    lines = [
        "c x gene 1 60 . + . ID=G",
        "c x mRNA 1 60 . + . ID=a;Parent=G",
        "c x mRNA 1 60 . + . ID=b;Parent=G",
        "c x protein 1 30 . + . ID=a-Protein;Derives_from=a",
        "c x exon 1 30 . + . Parent=a,b",
        "c x exon 41 60 . + . Parent=b",
        "c x CDS 1 30 . + 0 Parent=a,a-Protein;",
    ]
    gene = only_gene(write(tmp_path, lines))
    assert [(t.name, t.exons) for t in gene.transcripts] == [
        ("a", (Span(0, 30),)),
        ("b", (Span(0, 30), Span(40, 60))),
    ]
    assert gene.representative is gene.transcripts[0]


def test_exons_and_phases_follow_where_only_coding_parts_are_given(tmp_path: Path) -> None:
    lines = [
        "c x gene 1 100 . - . ID=G",
        "c x CDS 11 20 . - . Parent=G",
        "c x CDS 31 35 . - . Parent=G",
        "c x CDS 41 50 . - . Parent=G",
    ]
    annotation = read_gff(write(tmp_path, lines))
    (transcript,) = annotation.genes[0].transcripts
    assert transcript.cds == (CodingPart(10, 20, 0), CodingPart(30, 35, 2), CodingPart(40, 50, 0))
    assert transcript.introns == (Span(20, 30), Span(35, 40))
    assert transcript.utrs == ()
    assert annotation.assumptions == {
        "transcripts whose exons follow from their CDS and UTR lines": 1,
        "coding parts whose phase was counted from the start codon": 3,
    }


def test_utr_lines_complete_the_exons(tmp_path: Path) -> None:
    lines = [
        "c x mRNA 1 60 . + . ID=T",
        "c x five_prime_UTR 1 5 . + . Parent=T",
        "c x five_prime_UTR 11 15 . + . Parent=T",
        "c x CDS 16 30 . + 0 Parent=T",
    ]
    gene = only_gene(write(tmp_path, lines))
    assert gene.name == "T"
    assert gene.transcripts[0].exons == (Span(0, 5), Span(10, 30))
    assert gene.transcripts[0].utrs == (Span(0, 5), Span(10, 15))


def test_coding_parts_without_parent_are_grouped_by_their_id(tmp_path: Path) -> None:
    lines = ["c x CDS 1 9 . + 0 ID=p", "c x CDS 20 28 . + 0 ID=p", "c x CDS 40 45 . + 0 ID=q"]
    assert [len(g.transcripts[0].cds) for g in read_gff(write(tmp_path, lines)).genes] == [2, 1]


def test_gtf_reads_like_gff3_and_the_stop_codon_joins(tmp_path: Path) -> None:
    tags = 'gene_id "G1"; transcript_id "G1"; note "a; b";'
    lines = [
        f"c x exon 11 40 . - . {tags}",
        f"c x exon 61 90 . - . {tags}",
        f"c x CDS 24 40 . - 2 {tags}",
        f"c x CDS 61 80 . - 0 {tags}",
        f"c x stop_codon 21 23 . - 0 {tags}",
        f"c x start_codon 78 80 . - 0 {tags}",
        'c x gene 1 95 . - . gene_id "G1";',
    ]
    gene = only_gene(write(tmp_path, lines, "genes.gtf"))
    assert (gene.name, gene.start, gene.end) == ("G1", 0, 95)
    assert len(gene.transcripts) == 1
    assert gene.transcripts[0].cds == (CodingPart(20, 40, 2), CodingPart(60, 80, 0))
    assert gene.transcripts[0].utrs == (Span(10, 20), Span(80, 90))


def test_gtf_without_gene_and_transcript_lines(tmp_path: Path) -> None:
    lines = [
        'c x CDS 1 9 . + 0 transcript_id "t1"; gene_id "g";',
        'c x CDS 1 6 . + 0 transcript_id "t2"; gene_id "g";',
        'c x stop_codon 10 12 . + 0 transcript_id "t1"; gene_id "g";',
    ]
    gene = only_gene(write(tmp_path, lines))
    assert gene.name == "g"
    assert {t.name: t.coding_length for t in gene.transcripts} == {"t1": 12, "t2": 6}


def test_repeats_carry_their_class_and_genes_of_transposons_stay_genes(tmp_path: Path) -> None:
    lines = [
        "c EDTA Gypsy_LTR_retrotransposon 1 900 . ? . ID=r1;Name=x;Classification=LTR/Gypsy",
        "c EDTA long_terminal_repeat 1 100 . + . ID=lr;Parent=r1",
        "c TAIR10 transposable_element 950 990 . - . ID=AT1TE1;Name=AT1TE1;Alias=ATCOPIA24",
        "c TAIR10 transposable_element_gene 1000 1100 . + . ID=AT2G01022",
    ]
    annotation = read_gff(write(tmp_path, lines))
    assert [(r.name, r.repeat_class, r.strand) for r in annotation.repeats] == [
        ("r1", "LTR/Gypsy", "."),
        ("AT1TE1", "ATCOPIA24", "-"),
    ]
    assert [gene.name for gene in annotation.genes] == ["AT2G01022"]
    assert annotation.contigs == ("c",)


def test_names_are_unescaped_and_reading_stops_at_the_sequence(tmp_path: Path) -> None:
    lines = ["chr%201 x CDS 1 9 . + 0 ID=a%3Bb", "##FASTA", ">chr 1", "ACGT"]
    gene = only_gene(write(tmp_path, lines))
    assert (gene.contig, gene.name) == ("chr 1", "a;b")


def test_what_cannot_be_placed_is_left_out_and_counted(tmp_path: Path) -> None:
    lines = [
        *GENE,
        "c x CDS 1 9 . + 0 Parent=trans",
        "c x CDS 20 29 . - 0 Parent=trans",
        "c x CDS 200 208 . . 0 Parent=unstranded",
    ]
    annotation = read_gff(write(tmp_path, lines))
    assert annotation.assumptions["transcripts on two strands or contigs, left out"] == 1
    assert annotation.assumptions["coding genes without a strand, coding sequence left out"] == 1
    assert len(annotation.start_codons()) == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("c x exon 5", "the line has 4 columns, an annotation has 9"),
        ("c x exon five 9 . + . ID=a", "start 'five' and end '9' are no positions"),
        ("c x exon 9 5 . + . ID=a", "start '9' and end '5' are no positions"),
        ("c x exon 0 5 . + . ID=a", "start '0' and end '5' are no positions"),
        ("c x exon 1 5 . plus . ID=a", "strand 'plus' or phase '.' is not valid"),
        ("c x CDS 1 5 . + 3 ID=a", r"strand '\+' or phase '3' is not valid"),
    ],
)
def test_a_broken_line_is_told_with_its_number(line: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match=f"{sentence}.*genes.gff3, line 8"):
        read_gff(write(tmp_path, ["##gff-version 3", *GENE, line]))


def test_files_without_genes_or_cut_short_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="no gene and no repeat"):
        read_gff(write(tmp_path, ["##gff-version 3"]))
    packed = tmp_path / "genes.gff3.gz"
    packed.write_bytes(gzip.compress(write(tmp_path, GENE * 50).read_bytes())[:-9])
    with pytest.raises(BudwoodError, match="truncated or damaged"):
        read_gff(packed)


def coding_sequence(genome: Assembly, gene: Gene) -> str:
    best = gene.representative
    assert best is not None
    parts = [genome.sequence(Interval(gene.contig, part.start, part.end)) for part in best.cds]
    joined = np.concatenate(parts)
    return decode(reverse_complement(joined) if gene.strand == "-" else joined)


def splice_pairs(genome: Assembly, annotation: Annotation) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for site in annotation.splice_sites():
        first = (site.kind == "donor") == (site.strand == "+")
        low = site.position if first else site.position - 1
        found[site.kind, decode(genome.sequence(Interval(site.contig, low, low + 2, site.strand)))] += 1
    return found


def reading_frames(genome: Assembly, annotation: Annotation) -> Counter[str]:
    """How many coding sequences begin with ATG, end with a stop codon, and hold one inside."""
    stops = {"TAA", "TAG", "TGA"}
    found: Counter[str] = Counter()
    for gene in annotation.genes:
        if gene.representative is None or not gene.representative.cds:
            continue
        letters = coding_sequence(genome, gene)
        codons = [letters[i : i + 3] for i in range(0, len(letters), 3)]
        found["genes"] += 1
        found["ATG"] += codons[0] == "ATG"
        found["stop at the end"] += codons[-1] in stops
        found["stop inside"] += bool(stops & set(codons[:-1]))
    return found


@pytest.mark.real
def test_brassica_genes_translate(real_data: Path) -> None:
    folder = real_data / "genomes/brassica_napus"
    genome, annotation = open_fasta(folder / "genome.fa.xz"), read_gff(folder / "annotation.gff3.xz")
    frames = reading_frames(genome, annotation)
    assert frames["genes"] == 10_533
    assert frames["stop inside"] == 0
    assert frames["ATG"] >= 10_530
    assert frames["stop at the end"] >= 10_532
    sites = splice_pairs(genome, annotation)
    assert sites["donor", "GT"] + sites["donor", "GC"] == sites["acceptor", "AG"] == 43_505
    assert sites.total() == 2 * 43_505


@pytest.mark.real
def test_rice_genes_of_coding_parts_alone_translate(real_data: Path) -> None:
    folder = real_data / "genomes/oryza_sativa"
    genome, annotation = (
        open_fasta(folder / "chr02_first_1Mb.fa.xz"),
        read_gff(folder / "chr02_first_1Mb.gff3.xz"),
    )
    assert reading_frames(genome, annotation) == Counter({"genes": 130, "ATG": 130, "stop at the end": 130})
    assert set(splice_pairs(genome, annotation)) == {
        ("donor", "GT"),
        ("donor", "GC"),
        ("acceptor", "AG"),
    }


@pytest.mark.real
def test_arabidopsis_genes_with_isoforms_translate(real_data: Path) -> None:
    folder = real_data / "genomes/arabidopsis_thaliana"
    genome, annotation = open_fasta(folder / "korf_1pct.fa.xz"), read_gff(folder / "korf_1pct.gff3.xz")
    frames = reading_frames(genome, annotation)
    # Three genes run into the end of their piece or lack their start, as TAIR10 has them.
    assert frames["genes"] == 350
    assert frames["ATG"] >= 346
    assert frames["stop inside"] <= 2
    assert splice_pairs(genome, annotation)["acceptor", "AG"] == 1437
    painted = np.concatenate([annotation.paint(c, n) for c, n in genome.contigs.items()])
    assert (painted >= 3).mean() == pytest.approx(0.345, abs=0.01)


@pytest.mark.real
def test_arabidopsis_tracks_and_older_coding_parts_are_read(real_data: Path) -> None:
    folder = real_data / "genomes/arabidopsis_thaliana"
    older = read_gff(folder / "tair9_cds_on_pieces.gff3.xz")
    assert len(older.genes) == 673
    assert len(older.start_codons()) > 600
    elements = read_gff(folder / "tair10_tracks/frag_transposable_element.gff.xz")
    assert len(elements.repeats) > 30_000
    assert len(read_gff(folder / "tair10_tracks/frag_genes.gff.xz").genes) > 27_000


BARE = [
    "c A gene 101 398 . + . g1",
    "c A transcript 101 398 . + . g1.t1",
]
QUOTED = [
    'c A gene 101 398 . + . gene_id "g1";',
    'c A transcript 101 398 . + . gene_id "g1"; transcript_id "g1.t1";',
]
GTF_PARTS = [
    'c A exon 101 199 . + . transcript_id "g1.t1"; gene_id "g1";',
    'c A CDS 111 199 . + 0 transcript_id "g1.t1"; gene_id "g1";',
    'c A intron 200 300 . + . transcript_id "g1.t1"; gene_id "g1";',
    'c A exon 301 398 . + . transcript_id "g1.t1"; gene_id "g1";',
    'c A CDS 301 361 . + 1 transcript_id "g1.t1"; gene_id "g1";',
]
GFF3_GENE = [
    "c A gene 101 398 . + . ID=g1",
    "c A mRNA 101 398 . + . ID=g1.t1;Parent=g1",
    "c A exon 101 199 . + . Parent=g1.t1",
    "c A CDS 111 199 . + 0 ID=p;Parent=g1.t1",
    "c A exon 301 398 . + . Parent=g1.t1",
    "c A CDS 301 361 . + 1 ID=p;Parent=g1.t1",
]
ONE_GENE = Gene(
    "g1",
    "c",
    100,
    398,
    "+",
    (
        Transcript(
            "g1.t1",
            (Span(100, 199), Span(300, 398)),
            (CodingPart(110, 199, 0), CodingPart(300, 361, 1)),
            "protein_coding",
        ),
    ),
)


@pytest.mark.parametrize(
    "lines",
    [
        BARE + GTF_PARTS,
        GTF_PARTS + BARE,
        QUOTED + GTF_PARTS,
        [GTF_PARTS[2], *BARE, *GTF_PARTS],
        GFF3_GENE,
        ["c A region 1 900 . + . chromosome 1", *GFF3_GENE],
        ['c A region 1 900 . + . note "first"', *GFF3_GENE],
        ["c A region 1 900 . + . .", *GFF3_GENE],
        ["c A chromosome 1 900 . + . ID=c;note a b", *GFF3_GENE],
    ],
)
def test_the_dialect_is_that_of_each_line(lines: list[str], tmp_path: Path) -> None:
    assert read_gff(write(tmp_path, lines)).genes == (ONE_GENE,)


def test_parts_without_a_parent_are_counted_and_refused_where_most(tmp_path: Path) -> None:
    stray = ["c A CDS 501 599 . + 0 Parent=gone", "c A exon 701 799 . + . note=nothing"]
    counted = read_gff(write(tmp_path, GFF3_GENE + stray)).assumptions
    assert counted["exons and coding parts that belong to no gene or transcript"] == 2
    for lines in (
        [stray[0]] * 2 + stray[1:],
        [*GFF3_GENE[2:], *BARE],
        ["c A exon 1 9 . + . .", "c A CDS 1 9 . + 0 x y"],
    ):
        with pytest.raises(BudwoodError, match=r"of \d+ exons and coding parts belong to no gene"):
            read_gff(write(tmp_path, lines))


def moved(lines: list[str], contig: str, shift: int) -> list[str]:
    split = (line.split(" ") for line in lines)
    return [
        " ".join([contig, *w[1:3], str(int(w[3]) + shift), str(int(w[4]) + shift), *w[5:]]) for w in split
    ]


@pytest.mark.parametrize(("contig", "shift"), [("c", 2000), ("d", 0), ("c", 300)])
def test_an_identifier_at_two_places_is_two_genes(contig: str, shift: int, tmp_path: Path) -> None:
    lines = GFF3_GENE + moved(GFF3_GENE, contig, shift)
    first, second = read_gff(write(tmp_path, lines)).genes
    assert first == ONE_GENE
    assert (second.name, second.contig, second.start) == ("g1#2", contig, 100 + shift)
    assert second.transcripts[0].coding_length == ONE_GENE.transcripts[0].coding_length
    assert read_gff(write(tmp_path, lines)).assumptions == {
        "genes and transcripts whose identifier stands at several places, kept apart": 4
    }


def test_pieces_of_one_feature_stay_one(tmp_path: Path) -> None:
    lines = [
        "c A gene 1 50 . + . ID=g;part=1",
        "c A gene 901 950 . + . ID=g;part=2",
        "c A exon 1 50 . + . Parent=g",
    ]
    assert [gene.name for gene in read_gff(write(tmp_path, lines)).genes] == ["g"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("c EDTA LTR/Copia 1 9 . + . ID=TE_1;Method=homology", "LTR/Copia"),
        ("c EDTA DNA/DTA 1 9 . + . ID=TE_2", "DNA/DTA"),
        ("c EDTA MITE/DTM 1 9 . + . ID=TE_3", "MITE/DTM"),
        ("c EDTA Copia_LTR_retrotransposon 1 9 . + . ID=r;Classification=LTR/Copia", "LTR/Copia"),
        ("c EDTA hAT_TIR_transposon 1 9 . + . ID=r;Classification=DNA/DTA", "DNA/DTA"),
        ("c EDTA L1_LINE_retrotransposon 1 9 . + . ID=r", "L1_LINE_retrotransposon"),
        ("c EDTA knob 1 9 . + . ID=r", "knob"),
        ('c RepeatMasker similarity 1 9 12.5 + . Target "Motif:ATCOPIA24" 1 9', "ATCOPIA24"),
        ("c RepeatMasker dispersed_repeat 1 9 . + . Target=AtGyp1 1 9", "AtGyp1"),
        ("c repeatmasker match 1 9 . + . ID=m;Name=rnd-1_family-5", "rnd-1_family-5"),
        ("c RepeatModeler LINE/L1 1 9 . + . .", "LINE/L1"),
        ("c MITE_Hunter MITE 1 9 . + . ID=m1", "MITE"),
        ("c MITE-Hunter candidate 1 9 . + . ID=m1;Class=DNA/MITE", "DNA/MITE"),
        ("c . feature 1 9 . + . ID=DNA/DTC", "DNA/DTC"),
        ("c x Simple_repeat 1 9 . + . ID=s", "Simple_repeat"),
        ("c x helitron 1 9 . + . ID=s", "helitron"),
        ("c x RC/Helitron 1 9 . + . ID=s", "RC/Helitron"),
        ("c TAIR10 transposable_element 1 9 . - . ID=t;Alias=ATCOPIA24", "ATCOPIA24"),
    ],
)
def test_repeats_of_the_programs_that_find_them(line: str, named: str, tmp_path: Path) -> None:
    (repeat,) = read_gff(write(tmp_path, [line])).repeats
    assert (repeat.repeat_class, repeat.start, repeat.end) == (named, 0, 9)


def test_unknown_types_are_counted(tmp_path: Path) -> None:
    lines = [*GFF3_GENE, *(f"c x DHS {n} 9 . + . ID=d{n}" for n in range(1, 4)), "c x SNP 5 5 . + . ."]
    assert read_gff(write(tmp_path, lines)).assumptions == {
        "lines of type 'DHS', which is not understood, left out": 3,
        "lines of type 'SNP', which is not understood, left out": 1,
    }


@pytest.mark.parametrize(
    "attributes",
    [
        "a" * 70_000,
        'gene_id "' + "a" * 70_000,
        'gene_id "x" ' * 8_000,
        "gene_id " + '\\"' * 35_000,
        'gene_id "x"; ' + "ab " * 25_000,
        "ID=x;" * 14_000,
        ";" * 70_000,
        " " * 70_000,
    ],
)
def test_long_attributes_take_no_time(attributes: str, tmp_path: Path) -> None:
    started = time.perf_counter()
    read_gff(write(tmp_path, [*GFF3_GENE, f"c A gene 501 599 . + . {attributes}"]))
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("lines", "biotype"),
    [
        (GFF3_GENE, "protein_coding"),
        (BARE + GTF_PARTS, "protein_coding"),
        (["c A lnc_RNA 1 9 . + . ID=r", "c A exon 1 9 . + . Parent=r"], "lnc_RNA"),
        (
            ["c A mRNA 1 9 . + . ID=r;Biotype=nontranslating_CDS", "c A exon 1 9 . + . Parent=r"],
            "nontranslating_CDS",
        ),
        (
            [
                "c A gene 1 9 . + . ID=g;gene_biotype=protein_coding",
                "c A ncRNA 1 9 . + . ID=r;Parent=g",
                "c A exon 1 9 . + . Parent=r",
            ],
            "ncRNA",
        ),
        (
            [
                "c A gene 1 9 . + . ID=g;gene_biotype=pseudogene",
                "c A transcript 1 9 . + . ID=r;Parent=g",
                "c A exon 1 9 . + . Parent=r",
            ],
            "pseudogene",
        ),
        (['c A exon 1 9 . + . gene_id "g"; transcript_id "t"; gene_biotype "tRNA";'], "tRNA"),
        (['c A exon 1 9 . + . gene_id "g"; transcript_id "t"; transcript_type "snoRNA";'], "snoRNA"),
        (["c A mRNA 1 9 . + . ID=r", "c A exon 1 9 . + . Parent=r"], ""),
    ],
)
def test_biotype_is_the_nearest_that_the_file_gives(lines: list[str], biotype: str, tmp_path: Path) -> None:
    assert read_gff(write(tmp_path, lines)).genes[0].transcripts[0].biotype == biotype
