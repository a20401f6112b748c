from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import MISSING, CallBlock
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.genomics.io.variants.tables.hapmap import open_hapmap

FIXED = [
    "rs#",
    "alleles",
    "chrom",
    "pos",
    "strand",
    "assembly#",
    "center",
    "protLSID",
    "assayLSID",
    "panelLSID",
    "QCcode",
]
UNCALLED = [MISSING, MISSING]


def row(
    alleles: str, *calls: str, name: str = "m", contig: str = "1", position: str = "10", strand: str = "+"
) -> str:
    return "\t".join([name, alleles, contig, position, strand, *["NA"] * 6, *calls])


def write(path: Path, *rows: str, accessions: int = 1) -> Path:
    header = "\t".join([*FIXED, *(f"line{i}" for i in range(accessions))])
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def only_block(path: Path) -> CallBlock:
    (block,) = open_hapmap(path).blocks()
    return block


@pytest.mark.parametrize(
    ("alleles", "cells", "expected"),
    [
        ("A/G", ["AA", "AG", "GA", "GG", "NN"], [[0, 0], [0, 1], [1, 0], [1, 1], UNCALLED]),
        ("A/G", ["A", "R", "G", "N", "."], [[0, 0], [0, 1], [1, 1], UNCALLED, UNCALLED]),
        ("C/T", ["Y", "c", "--", "-", "NA"], [[0, 1], [0, 0], UNCALLED, UNCALLED, UNCALLED]),
        ("C/T", ["CT", "CN", "", "TT", "CC"], [[0, 1], [0, MISSING], UNCALLED, [1, 1], [0, 0]]),
        ("+/-", ["+", "-", "0", "N", "+"], [[0, 0], [1, 1], [0, 1], UNCALLED, [0, 0]]),
        ("-/+", ["--", "+-", "++", "NN", "--"], [[0, 0], [1, 0], [1, 1], UNCALLED, [0, 0]]),
        ("A/C/T", ["AC", "CT", "TT", "NN", "AA"], [[0, 1], [1, 2], [2, 2], UNCALLED, [0, 0]]),
    ],
)
def test_one_and_two_letter_codes(
    tmp_path: Path, alleles: str, cells: list[str], expected: list[list[int]]
) -> None:
    block = only_block(write(tmp_path / "a.hmp.txt", row(alleles, *cells), accessions=5))
    assert block.alleles[0].tolist() == expected


def test_every_iupac_heterozygote(tmp_path: Path) -> None:
    for letter, bases in {"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"}.items():
        one, two = (
            only_block(write(tmp_path / "i.hmp.txt", row("/".join(bases), cell))).alleles[0]
            for cell in (letter, bases)
        )
        np.testing.assert_array_equal(one, two)
    assert only_block(write(tmp_path / "i.hmp.txt", row("A/C", "V"))).alleles[0].tolist() == [UNCALLED]


def test_calls_overrule_an_alleles_column_of_the_other_strand(tmp_path: Path) -> None:
    rows = [row("A/C", "CC", "GG"), row("NA", "TT", "CC"), row("A/C", "NN", "AA"), row("NA", "NN", "NN")]
    block = only_block(write(tmp_path / "o.hmp.txt", *rows, accessions=2))
    assert [site.alleles for site in block.sites] == [("C", "G"), ("C", "T"), ("A", "C"), ("N",)]
    assert block.alleles[0].tolist() == [[0, 0], [1, 1]]


def test_sites_contigs_and_what_is_assumed(tmp_path: Path) -> None:
    rows = [
        row("A/C", "AA"),
        row("A/C", "AA", contig="2", position="NA"),
        row("A/C", "AA", contig="2", strand="-"),
    ]
    source = open_hapmap(write(tmp_path / "s.hmp.txt", *rows))
    first, second = source.blocks()
    assert [site.start for site in (*first.sites, *second.sites)] == [9, -1, 9]
    assert list(source.contigs) == ["1", "2"]
    assert source.has_letters
    assert any(phrase.startswith("1 markers on strand -") for phrase in source.assumptions)


def test_malformed_files_get_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.hmp.txt"
    for rows, sentence in [
        ([row("A/C", "AA", "CC")], "does not have 1 calls"),
        ([row("A/C", "AA"), row("A/C", "AA")[:-3]], r"does not have 1 calls.*line 3"),
        ([row("A/C", "AZ")], r"the call 'AZ' of accession line0 cannot be read.*line 2, marker m"),
        ([row("A/C", "BB")], "the call 'BB' of accession line0 cannot be read"),
        ([row("A/C", "Aé")], "of accession line0 cannot be read"),
        ([row("A/C", "AA", position="1.5")], "position '1.5' is no whole number"),
        ([row("A/C", "AA", position="1e30")], "position '1e30' is no number of base pairs"),
    ]:
        write(path, *rows)
        with pytest.raises(BudwoodError, match=sentence):
            list(open_hapmap(path).blocks())
    path.write_text("\t".join([*FIXED, "x", "x"]) + "\n" + row("A/C", "AA", "CC") + "\n")
    with pytest.raises(BudwoodError, match="accession 'x' occurs twice"):
        open_hapmap(path)
    path.write_text("marker\tx\n")
    with pytest.raises(BudwoodError, match="no HapMap header"):
        open_hapmap(path)
    with pytest.raises(BudwoodError, match="diploid calls, not ploidy 4"):
        open_hapmap(path, ploidy=4)


@pytest.mark.real
def test_maize_equals_gapits_own_numeric_coding(real_data: Path, tmp_path: Path) -> None:
    """GAPIT counts one allele of each marker, not always the same one as here, and fills in missing calls."""
    with zipfile.ZipFile(
        real_data / "panels" / "maize_282_55k" / "raw" / "GAPIT_Tutorial_Data.zip"
    ) as archive:
        for name in ("mdp_genotype_test.hmp.txt", "mdp_numeric.txt"):
            (tmp_path / name).write_bytes(archive.read(f"GAPIT_Tutorial_Data/{name}"))
    panel = read_genotypes(tmp_path / "mdp_genotype_test.hmp.txt")
    numeric = read_genotypes(tmp_path / "mdp_numeric.txt")
    assert panel.accessions == numeric.accessions
    assert len(list(text_lines(tmp_path / "mdp_genotype_test.hmp.txt"))) == 3094
    column = {name: j for j, name in enumerate(numeric.markers.identifier)}
    compared = 0
    for j, name in enumerate(panel.markers.identifier):
        dosage = panel.dosage[:, j]
        called = dosage >= 0
        if {0, 2} <= set(dosage[called].tolist()) and name in column:
            theirs = numeric.dosage[called, column[name]]
            assert np.array_equal(theirs, dosage[called]) or np.array_equal(theirs, 2 - dosage[called])
            compared += 1
    assert compared > 2900
