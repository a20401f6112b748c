"""``budwood inspect``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_files_that_fit_together(run, panel, tmp_path) -> None:
    genes = tmp_path / "genes.gff3"
    genes.write_text("##gff-version 3\nchr1\tx\tgene\t1\t900\t.\t+\t.\tID=g1\n")
    ran = run("inspect", panel.phenotypes, genes, panel.genotypes, panel.reference)
    assert ran.code == 0, ran.err
    for told in (
        "VCF: 48 accessions x 120 sites on 1 contig; ploidy 2.",
        "1 contig, 6,000 bases",
        "height: 36 values from ",
        "36 accessions have both genotypes and phenotypes, 12 only genotypes, 0 only phenotypes.",
        "REF is the reference base at 120 of 120 sites (100.0 %).",
        "1 gene (0 coding)",
        "1 of 1 annotated contigs are in the genome.",
        "1 gene lies within the genome.",
    ):
        assert told in ran.out


def annotated(folder: Path, starts: list[int], contig: str = "chr1") -> Path:
    """An annotation of one-exon genes."""
    path = folder / "genes.gff3"
    rows = ["##gff-version 3"]
    for i, start in enumerate(starts):
        for kind, more in (("gene", f"ID=g{i}"), ("mRNA", f"ID=t{i};Parent=g{i}"), ("CDS", f"Parent=t{i}")):
            rows.append(f"{contig}\tx\t{kind}\t{start + 1}\t{start + 90}\t.\t+\t0\t{more}")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_genes_begin_where_the_genome_has_start_codons(run, panel) -> None:
    letters = list(panel.reference.read_text().split("\n")[1])
    starts = list(range(0, 6_000 - 100, 200))
    for start in starts:
        letters[start : start + 3] = "ATG"
    panel.reference.write_text(f">chr1\n{''.join(letters)}\n")
    ran = run("inspect", annotated(panel.folder, starts), panel.reference)
    assert ran.code == 0, ran.err
    assert "30 of 30 start codons read ATG (100.0%)." in ran.out
    ran = run("inspect", annotated(panel.folder, [start + 1 for start in starts]), panel.reference)
    assert ran.code == 2
    assert "of 30 annotated start codons read ATG" in ran.err
    assert "give the annotation and the reference of the same assembly" in ran.err
    ran = run("inspect", annotated(panel.folder, starts, "chrX"), panel.reference)
    assert ran.code == 2
    assert "no contig of the annotation is in the reference" in ran.err


def test_findings_for_machines_and_for_later(run, panel, tmp_path) -> None:
    ran = run("inspect", panel.genotypes, panel.phenotypes, "--json", "--out", tmp_path / "out")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told == json.loads((tmp_path / "out" / "inspection.json").read_text())
    assert told["problems"] == []
    assert [section["title"].rpartition(": ")[2] for section in told["sections"]] == [
        "genotypes",
        "phenotypes",
        "accessions",
        "accessions",
    ]
    assert told["sections"][0]["accessions"] == 48
    assert run("verify", tmp_path / "out").code == 0


def test_near_misses_and_doubles_are_told(run, panel) -> None:
    panel.phenotypes.write_text(panel.phenotypes.read_text().replace("line03", "LINE 03"))
    text = panel.genotypes.read_text().splitlines()
    header, *records = text[2:]
    doubled = [f"{header}\ttwin", *(f"{record}\t{record.split(chr(9))[9]}" for record in records)]
    panel.genotypes.write_text("\n".join([*text[:2], *doubled]) + "\n")
    ran = run("inspect", panel.genotypes, panel.phenotypes)
    assert ran.code == 0
    assert "'line03' and 'LINE 03'; nothing was renamed" in ran.out
    assert "line00 and twin (1.0000)" in ran.out


def test_one_bad_file_does_not_hide_the_others(run, panel) -> None:
    (panel.folder / "empty.csv").write_text("")
    panel.reference.write_text(panel.reference.read_text().replace(">chr1", ">chr9"))
    ran = run("inspect", panel.folder / "empty.csv", panel.genotypes, panel.reference)
    assert ran.code == 2
    assert "VCF: 48 accessions" in ran.out
    empty, naming = ran.err.splitlines()
    assert "the file is empty" in empty
    assert "no contig of the genotypes is in the reference" in naming
    assert "chr9" in naming


def test_the_error_of_machines_has_its_one_shape(run, panel) -> None:
    ran = run("inspect", panel.folder / "nothing.vcf", "--json")
    assert ran.code == 2
    assert set(json.loads(ran.out)["error"]) == {"what", "where", "mend"}


@pytest.mark.real
def test_published_rice_on_its_piece_of_the_genome(run, real_data) -> None:
    panel = real_data / "panels" / "rice_rdp1_44k"
    genome = real_data / "genomes" / "oryza_sativa" / "chr02_first_1Mb.fa.xz"
    ran = run("inspect", panel / "chr02_first_1Mb.vcf.gz", panel / "pheno.csv", genome)
    assert ran.code == 0, ran.err
    assert "REF is the reference base at 170 of 170 sites (100.0 %)." in ran.out
    assert "374 accessions have both genotypes and phenotypes" in ran.out


@pytest.mark.real
def test_a_published_tetraploid_panel(run, real_data) -> None:
    panel = real_data / "panels" / "potato_gwaspoly"
    ran = run("inspect", panel, panel / "pheno.csv")
    assert ran.code == 0, ran.err
    assert "221 accessions x 3,522 sites" in ran.out
    assert "ploidy 4" in ran.out
