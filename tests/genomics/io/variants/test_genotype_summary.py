from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.open_genotypes import open_calls, summarise_calls

HEAD = (
    "##fileformat=VCFv4.3\n##contig=<ID=c1,length=100>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
RECORDS = [
    ("c1", 10, "A", "C", "0|1", "0/0/1/1"),
    ("c1", 20, "A", "C,<DEL>,*", "0/1", "0|0|0|3"),
    ("c1", 15, "AT", "A", "0/.", "./././."),
    ("c1", 99, "ATG", "TTT", "1|1", "0/0/1/1"),
    ("c1", 100, "A", ".", "0/0", "."),
    ("c9", 5, "T", "T[c1:9[", "1", "0/0/0/0"),
    ("c1", 30, "A", "G", "0|0", "0|0|0|0"),
]


def test_everything_in_a_file_is_counted(tmp_path: Path) -> None:
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "x", "y"]
    lines = [
        "\t".join([c, str(p), ".", ref, alt, ".", ".", ".", "GT", *calls])
        for c, p, ref, alt, *calls in RECORDS
    ]
    path = tmp_path / "s.vcf"
    path.write_text(HEAD + "\n".join(["\t".join(columns), *lines]) + "\n")
    summary = summarise_calls(open_calls(path))
    assert (summary.format, summary.accessions, summary.sites) == ("VCF", 2, 7)
    assert summary.contigs == ("c1", "c9")
    assert (summary.monomorphic, summary.biallelic, summary.multiallelic) == (1, 5, 1)
    assert (summary.indels, summary.symbolic) == (1, 2)
    assert summary.ploidies == (1, 2, 4)
    assert summary.missing_share == pytest.approx(3 / 14)
    assert summary.phased_share == pytest.approx(5 / 10)
    assert summary.assumptions == (
        "1 half call (0/.) is a missing dosage",
        "1 multi-allelic site makes one marker for each allele after the first",
        "1 accession has calls of different ploidy: dosages of the narrower are scaled up",
        "1 record lies past the declared end of its contig",
        "1 contig is not declared in the header",
        "2 records are out of order by contig and position",
    )


def test_a_file_without_records_has_no_undefined_share(tmp_path: Path) -> None:
    path = tmp_path / "e.vcf"
    path.write_text(HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tx\n")
    summary = summarise_calls(open_calls(path))
    assert (summary.sites, summary.missing_share, summary.phased_share, summary.ploidies) == (0, 0.0, 0.0, ())


def test_fractional_dosages_are_summarised_without_calls() -> None:
    dosage = np.array([[0.5, np.nan], [1, 2]], dtype=np.float32)
    summary = summarise_calls(DosageCalls(Genotypes.from_matrix(["a", "b"], dosage), "dosage table"))
    assert (summary.sites, summary.missing_share, summary.ploidies) == (2, 0.25, (2,))
    assert "expectations" in summary.assumptions[-1]
