"""What bcftools and SnpSift read from the fields; skipped where they are not installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from budwood.genomics.consequences.ann import ANN_HEADER, ann_value
from budwood.genomics.consequences.consequence import AnnotationReason, Consequence
from budwood.genomics.consequences.haplotype_consequence import BCSQ_HEADER
from budwood.genomics.consequences.term import Term


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    one = Consequence(
        allele="T",
        allele_number=1,
        terms=(Term.MISSENSE, Term.SPLICE_REGION),
        gene="g,1",
        transcript="g.1",
        biotype="protein_coding",
        hgvs_c="c.10A>T",
        protein=(4, 29),
        reasons=(AnnotationReason.NO_STOP_CODON,),
    )
    two = Consequence(
        allele="T", allele_number=1, terms=(Term.UPSTREAM,), gene="h", transcript="h.1", distance=7
    )
    columns = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
    info = f"ANN={ann_value([one, two])};BCSQ=missense|g|t|protein_coding|+|p.Lys3Arg|c.[7A>T+9A>G]|1"
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=1,length=99>", ANN_HEADER, BCSQ_HEADER, "\t".join(columns)]
    path = tmp_path / "annotated.vcf"
    path.write_text("\n".join([*lines, "\t".join(("1", "10", ".", "A", "T", ".", ".", info))]) + "\n")
    return path


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")
@pytest.mark.parametrize(
    ("field", "names", "rows"),
    [
        (
            "ANN",
            "%Consequence %Gene %HGVSc %DISTANCE %REASON",
            [
                "missense_variant&splice_region_variant g%2C1 c.10A>T . WARNING_TRANSCRIPT_NO_STOP_CODON",
                "upstream_gene_variant h . 7 .",
            ],
        ),
        ("BCSQ", "%Consequence %gene %dna_change %copies", ["missense g c.[7A>T+9A>G] 1"]),
    ],
)
def test_bcftools_splits_the_fields(annotated: Path, field: str, names: str, rows: list[str]) -> None:
    command = ["bcftools", "+split-vep", "-a", field, "-d", "-f", f"{names}\\n", str(annotated)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == rows


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("snpSift") is None, reason="SnpSift is not installed")
def test_snpsift_reads_the_entries(annotated: Path) -> None:
    fields = ["ANN[*].EFFECT", "ANN[*].GENE", "ANN[0].HGVS_C", "ANN[0].AA_POS", "ANN[0].ERRORS"]
    command = ["snpSift", "extractFields", "-s", ",", "-e", ".", str(annotated), *fields]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    expected = "missense_variant&splice_region_variant,upstream_gene_variant g%2C1,h c.10A>T 4"
    assert done.stdout.splitlines()[-1].split("\t")[:4] == expected.split(" ")
