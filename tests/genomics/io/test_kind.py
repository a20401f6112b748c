"""Kinds of files by their content."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.io.kind import Kind, file_kind

MANY = ",".join(f"m{j}" for j in range(40))


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("genome.fa", ">chr1\nACGT\n", Kind.ASSEMBLY),
        ("calls.vcf", "##fileformat=VCFv4.3\n#CHROM\tPOS\n", Kind.GENOTYPES),
        ("genes.gff3", "##gff-version 3\n", Kind.ANNOTATION),
        ("genes.txt", 'chr1\tx\texon\t1\t9\t.\t+\t.\tgene_id "g";\n', Kind.ANNOTATION),
        ("places.bed", "track name=x\nchr1\t0\t100\n", Kind.ANNOTATION),
        ("places.txt", "chr1 0 100 peak\n", Kind.ANNOTATION),
        ("wide.csv", "accession,height,pods\nl1,101.5,3\nl2,NA,4\n", Kind.PHENOTYPES),
        ("scores.csv", "line,mildew,rust,lodging\nl1,1,2,0\nl2,0,1,2\n", Kind.PHENOTYPES),
        ("long.tsv", "accession\ttrait\tvalue\nl1\theight\t2\n", Kind.PHENOTYPES),
        ("dosage.csv", "line,a,b,c,d,e\nl1,0,1,2,0,NA\nl2,2,2,-1,0,1\n", Kind.GENOTYPES),
        ("potato.csv", f"line,{MANY}\nl1,{'4,' * 39}3.5\n", Kind.GENOTYPES),
        ("letters.csv", "marker,a,b,c,d,e\nm1,AA,AG,NN,GG,AA\n", Kind.GENOTYPES),
        ("rows.csv", "marker,chrom,pos,a,b,c\nm1,1,200,0,2,1\n", Kind.GENOTYPES),
        ("map.csv", "marker,chrom,pos,allele0,allele1,alleleA,alleleB\nm1,1,200,A,G,A,G\n", Kind.MARKER_MAP),
        (
            "hapmap.txt",
            "rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter\tprotLSID\tassayLSID\tpanelLSID\tQCcode\tl1\n",
            Kind.GENOTYPES,
        ),
    ],
)
def test_the_kind_shows_in_the_content(name: str, text: str, kind: Kind, tmp_path: Path) -> None:
    plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    assert file_kind(plain) == kind
    assert file_kind(packed) == kind


def test_plink_beside_bed(tmp_path: Path) -> None:
    (tmp_path / "panel.bed").write_bytes(b"\x6c\x1b\x01\x00")
    assert file_kind(tmp_path / "panel.bed") == Kind.GENOTYPES
    assert file_kind(tmp_path / "panel") == Kind.GENOTYPES


def test_folder_of_a_tidy_panel(tmp_path: Path) -> None:
    np.savez(tmp_path / "geno.npz", ids=np.array(["a"]), dosage=np.zeros((1, 1), np.int8))
    assert file_kind(tmp_path) == Kind.GENOTYPES


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(BudwoodError, match="does not exist"):
        file_kind(tmp_path / "nothing.csv")
    (tmp_path / "empty.csv").write_text("\n")
    with pytest.raises(BudwoodError, match="is empty"):
        file_kind(tmp_path / "empty.csv")


@pytest.mark.parametrize("name", ["a.gff3", "a.gff", "a.gtf", "a.gff3.gz"])
@pytest.mark.parametrize(("start", "sep"), [("-5", "\t"), ("101.0", "\t"), ("1,01", "\t"), ("101", " ")])
def test_a_damaged_annotation_is_one_by_its_name(name: str, start: str, sep: str, tmp_path: Path) -> None:
    text = sep.join(["1", "x", "gene", start, "400", ".", "+", ".", "ID=g1"]) + "\n"
    packed = name.endswith(".gz")
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert file_kind(tmp_path / name) == Kind.ANNOTATION
