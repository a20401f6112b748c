"""Small sound files of every format that Budwood reads, for the fuzz of the readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

VCF = (
    '##fileformat=VCFv4.3\n##contig=<ID=1,length=90>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="x">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n"
    "1\t10\tm1\tC\tT,<DEL>\t.\t.\t.\tGT:DP\t0/1:3\t1|2:4\t./.\n"
    "1\t20\tm2\tA\tG\t9\tPASS\t.\tGT\t0/0\t./.\t1\n1\t31\t.\tAC\tA\t.\t.\t.\tGT\t0\t0/1\t1/1\n"
)
FAM = "a a 0 0 0 -9\nb b 0 0 0 -9\n"
PHENOTYPES = "line,yield,height,env\n" + "".join(f"l{i},{i}.5,{100 + i},e{i % 2}\n" for i in range(14))
GFF = (
    "##gff-version 3\nc\tx\tgene\t1\t90\t.\t+\t.\tID=g;Name=n\nc\tx\tmRNA\t1\t90\t.\t+\t.\tID=t;Parent=g\n"
    "c\tx\texon\t1\t40\t.\t+\t.\tParent=t\nc\tx\tCDS\t4\t39\t.\t+\t0\tParent=t\nc\tx\texon\t60\t90\t.\t+\t.\tParent=t\n"
    "c\tRepeatMasker\trepeat_region\t50\t55\t.\t-\t.\tID=r;Target=x\n"
)
GTF = (
    'c\tx\tgene\t1\t90\t.\t-\t.\tgene_id "g";\n'
    'c\tx\ttranscript\t1\t90\t.\t-\t.\tgene_id "g"; transcript_id "t";\n'
    'c\tx\texon\t1\t40\t.\t-\t.\tgene_id "g"; transcript_id "t";\n'
    'c\tx\tCDS\t1\t39\t.\t-\t0\tgene_id "g"; transcript_id "t";\n'
)
BRAKER = "c\tx\tgene\t1\t90\t.\t+\t.\tg1\nc\tx\ttranscript\t1\t90\t.\t+\t.\tg1.t1\n" + GTF.replace(
    "\tgene\t", "\tnote\t"
)
FASTA = ">a one\nACGTNNACGT\nacgtac\n>b\r\nNNRYAC\n;note\n>c\n\n"
RECIPE = (
    'name = "t"\nseed = 1\n[[genome]]\nspecies = "A"\nfasta = "a.fa"\n[schedule]\nsteps = 2\n'
    "[encoder]\nheads = 2\n[sampler]\nwindow = 512\n"
)
CORPUS = '[[assembly]]\nspecies = "A"\nfasta = "a.fa"\n[split]\nvalidation = 0.1\n[windows]\nlength = 512\n'

#: By format: name of the file that is mutated, its content before it is packed, and other files beside it.
TEXTS: Final[dict[str, tuple[str, str, dict[str, bytes]]]] = {
    "VCF": ("v.vcf", VCF, {}),
    "VCF, gzip": ("v.vcf.gz", VCF, {}),
    "VCF, xz": ("v.vcf.xz", VCF, {}),
    "HapMap": (
        "h.hmp.txt",
        "rs#\talleles\tchrom\tpos\tstrand\tassembly#\ta\tb\n"
        "m1\tC/T\t1\t10\t+\tNA\tCT\tTT\nm2\tA/G\t1\t20\t-\tNA\tR\tNN\n",
        {},
    ),
    "table of letters": ("l.csv", "marker,chrom,pos,a,b\nm1,1,10,AAAG,AAAA\nm2,1,20,GGGG,NA\n", {}),
    "table of dosages, markers in rows": (
        "n.csv",
        "marker,chrom,pos,allele0,allele1,a,b\nm1,1,10,C,T,1,2\nm2,1,20,A,G,0,NA\n",
        {},
    ),
    "table of dosages, accessions in rows": ("o.csv", "line;mk1;mk2;mk3\na;0,5;1;2\nb;0;NA;-9\n", {}),
    "PLINK .raw": (
        "r.raw",
        "FID IID PAT MAT SEX PHENOTYPE m1_A m2_G\nf a 0 0 0 1 2 0\nf b 0 0 0 2 NA 1\n",
        {},
    ),
    "PLINK .traw": (
        "t.traw",
        "CHR\tSNP\t(C)M\tPOS\tCOUNTED\tALT\ta_a\tb_b\n1\tm1\t0\t5\tA\tG\t0\t2\n1\tm2\t0\t6\tA\tG\tNA\t1\n",
        {},
    ),
    "PLINK .ped": (
        "p.ped",
        "f a 0 0 0 -9 A G C C\nf b 0 0 0 -9 0 0 C T\n",
        {"p.map": b"1 m1 0 10\n1 m2 0 20\n"},
    ),
    "PLINK .map": (
        "p.map",
        "1 m1 0 10\n1 m2 0 20\n",
        {"p.ped": b"f a 0 0 0 -9 A G C C\nf b 0 0 0 -9 0 0 C T\n"},
    ),
    "PLINK .bim": (
        "q.bim",
        "1 m1 0 10 T C\n1 m2 0 20 G A\n",
        {"q.fam": FAM.encode(), "q.bed": b"\x6c\x1b\x01\x02\x07"},
    ),
    "PLINK .fam": (
        "q.fam",
        FAM,
        {"q.bim": b"1 m1 0 10 T C\n1 m2 0 20 G A\n", "q.bed": b"\x6c\x1b\x01\x02\x07"},
    ),
    "TASSEL numeric": ("t.txt", "<Numeric>\n<Marker>\tm1\tm2\na\t0.5\t1\nb\tNA\t0\n", {}),
    "DArT, one row": (
        "d.csv",
        "*,*,x,x\nAlleleID,SNP,a,b\n1|F|0-3:A>G,3:A>G,0,2\n2|F|0-3:A>G,3:A>G,1,-\n",
        {},
    ),
    "DArT, two rows": (
        "d.csv",
        "AlleleID,SNP,a,b\n1|F|0,,0,1\n1|F|0-3:A>G,3:A>G,1,1\n2|F|0,,1,-\n2|F|0-9:C>T,9:C>T,0,-\n",
        {},
    ),
    "phenotypes, wide": ("p.csv", PHENOTYPES, {}),
    "phenotypes, wide, UTF-16": ("p.csv", PHENOTYPES, {}),
    "phenotypes, long": (
        "p.tsv",
        "id\ttrait\tvalue\tse\tenvironment\n"
        + "".join(f"l{i}\th\t{i},5\t0,{i + 1}\te{i % 2}\n" for i in range(12)),
        {},
    ),
    "FASTA": ("g.fa", FASTA, {}),
    "FASTA, gzip": ("g.fa.gz", FASTA, {}),
    "GFF3": ("a.gff3", GFF, {}),
    "GTF": ("a.gtf", GTF, {}),
    "GTF of BRAKER": ("a.gtf", BRAKER, {}),
    "BED": ("a.bed", "c\t0\t90\tg\t0\t+\t5\t80\t0\t2\t10,20\t0,70\nc\t100\t190\th\n", {}),
    "environments": ("e.csv", "environment;year;rain\ne1;2012;3,5\ne2;2013;4\n", {}),
    "covariates": ("c.csv", "line,block,age\na,1,3.5\nb,2,4\nc,1,5\n", {}),
    "numbers of accessions": ("n.csv", "id,cost\na,1\nb,2.5\n", {}),
    "groups of accessions": ("f.csv", "id,family\na,x\nb,y\n", {}),
    "list of accessions": ("l.txt", "accession\na\nb\n", {}),
    "marker map": ("m.csv", "marker,chrom,pos,allele0,allele1\nm1,1,10,C,T\nm2,1,20,A,G\n", {}),
    "kinship, square table": ("k.csv", "id,a,b\na,1.1,0.2\nb,0.2,0.9\n", {}),
    "species table": ("s.tsv", "name\tspecies\torder\ns1\tZea mays\tPoales\n", {}),
    "known genes": ("g.csv", "gene,trait\ng1,height\ng2,yield\n", {}),
    "gene pairs": ("p.tsv", "g1\th1\ng2\th2\n", {}),
    "gene places": ("g.tsv", "gene\tcontig\tstart\tend\ng1\tc\t1\t90\ng2\tc\t100\t190\n", {}),
    "labelled intervals": ("i.csv", "contig,start,end,label\nc,1,90,x\nc,100,150,y\n", {}),
    "table of sequences": (
        "s.csv",
        "name,sequence,value\na,ACGTACGGATTACAGATTACA,1.5\nb,NNACGTACGTTGCATGCATCC,2\n",
        {},
    ),
    "sequences of a collection": ("c.fa", ">a\nACGT\n>a\nACGT\n", {}),
    "aligned FASTA": ("a.fa", ">Zea_mays|x\nAC-T\n>Vitis_sp\nACGT\n", {}),
    "MAF": ("a.maf", "##maf\na score=1\ns sol.c 0 4 + 9 ACGT\ns zea.d 1 3 - 9 AC-T\n\n", {}),
    "Newick": ("t.nwk", "((A_a:1,'b c':2e-1)x:3,[note]D:6);", {}),
    "corpus recipe": ("r.toml", CORPUS, {}),
    "training recipe": ("r.toml", RECIPE, {}),
}


def write_bed(folder: Path) -> tuple[Path, Path]:
    """PLINK's packed calls, with their markers and accessions."""
    (folder / "q.bim").write_text("1 m1 0 10 T C\n1 m2 0 20 G A\n")
    (folder / "q.fam").write_text(FAM)
    (folder / "q.bed").write_bytes(b"\x6c\x1b\x01\x02\x07")
    return folder / "q.bed", folder / "q.bed"


def write_bcf(folder: Path) -> tuple[Path, Path]:
    """The VCF as BCF, which needs a line about every field."""
    import cyvcf2

    depth = '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">\n#CHROM'
    (folder / "v.vcf").write_text(VCF.replace("#CHROM", depth))
    reader = cyvcf2.VCF(str(folder / "v.vcf"))
    writer = cyvcf2.Writer(str(folder / "v.bcf"), reader, mode="wb")
    for record in reader:
        writer.write_record(record)
    writer.close()
    return folder / "v.bcf", folder / "v.bcf"


def write_pgen(folder: Path) -> tuple[Path, Path]:
    """PLINK 2's packed calls, with their markers and accessions."""
    import pgenlib

    writer = pgenlib.PgenWriter(bytes(folder / "p.pgen"), 3, variant_ct=2, nonref_flags=False)
    for row in np.array([[0, 1, 1, 1, -9, -9], [0, 0, 1, 0, 0, 1]], dtype=np.int32):
        writer.append_alleles(row)
    writer.close()
    (folder / "p.pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t10\tm1\tA\tG\n1\t20\t.\tC\tT\n")
    (folder / "p.psam").write_text("#FID\tIID\tSEX\nf\ta\t0\nf\tb\t0\nf\tc\t0\n")
    return folder / "p.pgen", folder / "p.pgen"


def write_tidy(folder: Path) -> tuple[Path, Path]:
    """Arrays and markers of a tidy panel; the arrays are mutated and the folder is read."""
    (folder / "tidy").mkdir()
    dosage = np.array([[1, 0], [2, -1]], dtype=np.int8)
    np.savez(folder / "tidy" / "geno.npz", ids=np.array(["a", "b"]), dosage=dosage)
    markers = "marker,chrom,pos,allele0,allele1\nm1,1,10,C,T\nm2,1,20,A,G\n"
    (folder / "tidy" / "markers.csv").write_text(markers)
    return folder / "tidy" / "geno.npz", folder / "tidy"


def write_workbook(folder: Path) -> tuple[Path, Path]:
    """The wide phenotypes as .xlsx."""
    import openpyxl

    book = openpyxl.Workbook()
    for line in PHENOTYPES.splitlines():
        book.active.append(line.split(","))
    book.save(folder / "p.xlsx")
    return folder / "p.xlsx", folder / "p.xlsx"


def write_gcta(folder: Path) -> tuple[Path, Path]:
    """A relationship matrix of two accessions as GCTA writes it."""
    (folder / "k.grm.id").write_text("f a\nf b\n")
    np.array([1.1, 0.2, 0.9], dtype="<f4").tofile(folder / "k.grm.bin")
    return folder / "k.grm.bin", folder / "k.grm.bin"


def write_haplotype_table(folder: Path) -> tuple[Path, Path]:
    """A table of haplotypes of two accessions."""
    from budwood.genomics.haplotypes.table import HaplotypeTable
    from budwood.genomics.interval import Interval
    from budwood.genomics.io.variants.haplotype_store import write_haplotypes

    table = HaplotypeTable(
        ("l 1", "B73"),
        (Interval("chr1", 0, 512), Interval("chr2", 1024, 1100)),
        np.ones((5, 512), dtype=np.uint8),
        np.array([0, 3, 5], dtype=np.int64),
        np.array([[[0, 2], [1, 65535]], [[1, 1], [0, 0]]], dtype=np.uint16),
        {"sites_used": 4},
    )
    write_haplotypes(table, folder / "h.npz")
    return folder / "h.npz", folder / "h.npz"


def write_manifest(folder: Path) -> tuple[Path, Path]:
    """An artifact; its manifest is mutated and the folder is verified."""
    from budwood.artifacts import write_artifact

    with write_artifact(folder / "out", kind="test", inputs=[], seeds={"seed": 1}) as draft:
        draft.path("x.csv").write_text("a,b\n1,2\n")
    return folder / "out" / "manifest.json", folder / "out"


#: Other formats: each writes sound files and gives the one that is mutated and the one that is read.
BINARY: Final[dict[str, Callable[[Path], tuple[Path, Path]]]] = {
    "PLINK .bed": write_bed,
    "BCF": write_bcf,
    "PLINK 2 .pgen": write_pgen,
    "tidy panel": write_tidy,
    "workbook of phenotypes": write_workbook,
    "kinship, GCTA": write_gcta,
    "haplotype table": write_haplotype_table,
    "manifest": write_manifest,
}


def write_sound(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a sound file of a format.

    Returns
    -------
    tuple[Path, Path]
        The file that is mutated (before it is packed, where its format is a packed text), and the one
        that is read.
    """
    if name in BINARY:
        return BINARY[name](folder)
    file, content, others = TEXTS[name]
    for other, data in others.items():
        (folder / other).write_bytes(data)
    (folder / file).write_bytes(content.encode())
    return folder / file, folder / file
